use abi::{claim, map};
use minicbor::Decoder;
use minicbor::data::Type;
use p384::SecretKey;
use p384::ecdsa::SigningKey;
use rot::image::{Statement, sign};
use rot::measurement::Measurements;
use rot::version::Version;
use rot::{key, token};

use super::*;

const HARDWARE: Hardware = Hardware { dram_base: map::DRAM, dram_size: 1 << 30, cpus: 2 };
const FIRMWARE: Firmware = Firmware { debug: false, trace: 3 };
const MONITOR: &[u8] = b"the monitor, or so it says";
const RMM: &[u8] = b"the realm management monitor";

fn key(byte: u8) -> SigningKey {
    SigningKey::from(SecretKey::from_slice(&[byte; 48]).unwrap())
}

fn boot_image() -> Vec<u8> {
    let mut image = b"\0\0\0\x14\0\0\0\0ALLODBT1".to_vec();
    image.extend(200u64.to_le_bytes());
    image.extend(Version::new("0.9").unwrap().padded());
    image.resize(200, 0x5A);
    image
}

fn signed(kind: Kind, body: &[u8]) -> Vec<u8> {
    let version = Version::new("1.2.3").unwrap();
    let statement = Statement { kind, load: kind.base(), entry: kind.base(), security_version: 1, version };
    let mut image = sign(&key(7), &statement, body).unwrap().to_vec();
    image.extend(body);
    image
}

/// What boot would measure of the same files.
fn measured(boot: &[u8], monitor: &[u8], rmm: &[u8]) -> Measurements {
    let hash = rot::key::spki_hash(&key::point(key(7).verifying_key()).unwrap());
    let load = |kind, image: &[u8]| {
        let (header, body) = image.split_first_chunk::<HEADER>().unwrap();
        Header::parse(header).unwrap().authenticate(kind, &hash, 1).unwrap().check(body).unwrap()
    };
    Measurements {
        boot: boot::measure(boot).unwrap(),
        monitor: load(Kind::Monitor, monitor),
        rmm: load(Kind::Rmm, rmm),
        hw_config: Component::hardware(&HARDWARE),
        fw_config: Component::firmware(&FIRMWARE),
    }
}

fn token(measurements: &Measurements) -> Vec<u8> {
    let rak = key(2);
    let cpak = p384::SecretKey::from_slice(&[1; 48]).unwrap();
    let rak = rak.verifying_key();
    let claims = token::Claims { rak, cpak: &[3; 32], hardware: &HARDWARE, lifecycle: 0x3000, measurements };
    let mut token = vec![0; 4096];
    let length = token::sign(&cpak, &claims, &mut token).unwrap();
    token.truncate(length);
    token
}

/// A CBOR item as a tree of text, by a walk that knows nothing of tokens.
fn walk(cbor: &mut Decoder<'_>) -> String {
    let items = |cbor: &mut Decoder<'_>, count: u64| (0..count).map(|_| walk(cbor)).collect::<Vec<_>>().join(",");
    match cbor.datatype().unwrap() {
        Type::Array => {
            let count = cbor.array().unwrap().unwrap();
            format!("[{}]", items(cbor, count))
        }
        Type::Map => {
            let count = cbor.map().unwrap().unwrap();
            format!("{{{}}}", items(cbor, 2 * count))
        }
        Type::Bytes => hex::encode(cbor.bytes().unwrap()),
        Type::String => format!("\"{}\"", cbor.str().unwrap()),
        Type::Tag => format!("#{}:{}", cbor.tag().unwrap().as_u64(), walk(cbor)),
        _ => cbor.u64().unwrap().to_string(),
    }
}

#[test]
fn the_token_shows_every_reference_and_nothing_else() {
    let (boot, monitor, rmm) = (boot_image(), signed(Kind::Monitor, MONITOR), signed(Kind::Rmm, RMM));
    let files = Files { boot: &boot, monitor: &monitor, rmm: &rmm, hardware: &HARDWARE, firmware: &FIRMWARE };
    let expected = expect(&files).unwrap();
    let token = token(&measured(&boot, &monitor, &rmm));
    let mut outer = Decoder::new(&token);
    assert_eq!(outer.tag().unwrap().as_u64(), claim::TAG_COSE_SIGN1);
    assert_eq!(outer.array().unwrap(), Some(4));
    outer.skip().unwrap();
    outer.skip().unwrap();
    let mut payload = Decoder::new(outer.bytes().unwrap());
    let seen = walk(&mut payload);
    let components = expected.components.each_ref().map(|it| {
        let (version, signer) = (it.version.as_deref().unwrap(), it.signer_id.unwrap());
        format!("{{1,\"{}\",2,{},4,\"{version}\",5,{}}}", it.kind, hex::encode(&it.measurement), hex::encode(&signer))
    });
    assert!(seen.contains(&format!(",2399,[{}],", components.join(","))), "{seen}");
    assert!(seen.contains(&format!(",2396,{},", hex::encode(&IMPLEMENTATION_ID))), "{seen}");
    assert!(seen.contains(&format!(",2401,{},", hex::encode(&expected.config))), "{seen}");
}

#[test]
fn an_image_as_built_has_the_digest_of_its_signed_form() {
    let (boot, monitor, rmm) = (boot_image(), signed(Kind::Monitor, MONITOR), signed(Kind::Rmm, RMM));
    let files = Files { boot: &boot, monitor: &monitor, rmm: &rmm, hardware: &HARDWARE, firmware: &FIRMWARE };
    let from_signed = expect(&files).unwrap();
    let from_built = expect(&Files { monitor: MONITOR, rmm: RMM, ..files }).unwrap();
    for (signed, built) in from_signed.components.iter().zip(&from_built.components) {
        assert_eq!(signed.measurement, built.measurement);
    }
    assert_eq!(from_built.components[2].signer_id, None);
    assert_eq!(from_signed.components[2].version.as_deref(), Some("1.2.3"));
}

#[test]
fn the_digest_of_boot_is_that_of_the_file() {
    let (boot, monitor, rmm) = (boot_image(), signed(Kind::Monitor, MONITOR), signed(Kind::Rmm, RMM));
    let files = Files { boot: &boot, monitor: &monitor, rmm: &rmm, hardware: &HARDWARE, firmware: &FIRMWARE };
    assert_eq!(expect(&files).unwrap().components[0].measurement, <[u8; 32]>::from(Sha256::digest(&boot)));
    let longer = [&boot[..], &[0]].concat();
    let refused = Refusal::Length { what: "boot image", expected: 200, found: 201 };
    assert_eq!(expect(&Files { boot: &longer, ..files }), Err(Error::Firmware(refused)));
}

#[test]
fn a_broken_signed_image_is_refused_and_never_taken_for_one_as_built() {
    let (boot, monitor, rmm) = (boot_image(), signed(Kind::Monitor, MONITOR), signed(Kind::Rmm, RMM));
    let files = Files { boot: &boot, monitor: &monitor, rmm: &rmm, hardware: &HARDWARE, firmware: &FIRMWARE };
    let mut bad = rmm.clone();
    bad[HEADER] ^= 1;
    let refused = expect(&Files { rmm: &bad, ..files });
    assert!(matches!(refused, Err(Error::Firmware(Refusal::Hash { what: "image body", .. }))), "{refused:?}");
    let mut bad = rmm.clone();
    bad[40] ^= 1;
    let refused = expect(&Files { rmm: &bad, ..files });
    assert_eq!(refused, Err(Error::Firmware(Refusal::Signature { what: "image" })));
    let short = expect(&Files { rmm: &rmm[..100], ..files });
    assert!(short.is_err(), "{short:?}");
}
