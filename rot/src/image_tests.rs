use p384::SecretKey;

use super::*;

const BODY: [u8; 64] = [0x5A; 64];

fn key(byte: u8) -> SigningKey {
    SigningKey::from(SecretKey::from_slice(&[byte; 48]).unwrap())
}

fn key_hash(key: &SigningKey) -> [u8; 32] {
    spki_hash(&crate::key::point(key.verifying_key()).unwrap())
}

fn statement() -> Statement {
    let version = Version::new("0.1.0").unwrap();
    Statement { kind: Kind::Rmm, load: map::RMM, entry: map::RMM + 8, security_version: 3, version }
}

/// Reads, authenticates and checks as boot does, with the key of `key(7)` and the counter at 3.
fn accept(header: &[u8; HEADER], body: &[u8]) -> Result<Component, Refusal> {
    Header::parse(header)?.authenticate(Kind::Rmm, &key_hash(&key(7)), 3)?.check(body)
}

#[test]
fn a_signed_image_is_accepted_and_measured() {
    let header = sign(&key(7), &statement(), &BODY).unwrap();
    let component = accept(&header, &BODY).unwrap();
    assert_eq!(component.measurement, <[u8; 32]>::from(Sha256::digest(BODY)));
    assert_eq!(component.signer, key_hash(&key(7)));
    assert_eq!(component.version.as_str(), "0.1.0");
}

#[test]
fn another_signer_is_refused_by_the_hash_of_its_key() {
    let header = sign(&key(8), &statement(), &BODY).unwrap();
    let (expected, found) = (key_hash(&key(7)), key_hash(&key(8)));
    assert_eq!(accept(&header, &BODY), Err(Refusal::Hash { what: "image signer", expected, found }));
}

#[test]
fn a_version_below_the_counter_is_refused_and_one_at_it_is_not() {
    let older = Statement { security_version: 2, ..statement() };
    let header = sign(&key(7), &older, &BODY).unwrap();
    let refused = Refusal::Range { what: "image security version", least: 3, most: u32::MAX.into(), found: 2 };
    assert_eq!(accept(&header, &BODY), Err(refused));
}

#[test]
fn an_image_of_the_other_kind_is_refused() {
    let monitor = Statement { kind: Kind::Monitor, load: map::MONITOR, entry: map::MONITOR, ..statement() };
    let header = sign(&key(7), &monitor, &BODY).unwrap();
    let refused = Refusal::Field { what: "image kind", expected: 2, found: 1 };
    assert_eq!(accept(&header, &BODY), Err(refused));
}

#[test]
fn every_flipped_bit_of_the_header_is_refused() {
    let header = sign(&key(7), &statement(), &BODY).unwrap();
    for at in 0..SIGNED + 96 {
        let mut bad = header;
        bad[at] ^= 1 << (at % 8);
        assert!(accept(&bad, &BODY).is_err(), "byte {at}");
    }
    let mut bad = header;
    bad[HEADER - 1] = 1;
    assert_eq!(accept(&bad, &BODY), Err(Refusal::NotZero { what: "image header after the signature" }));
    let mut bad = header;
    bad[SIGNED + 95] ^= 1;
    assert_eq!(accept(&bad, &BODY), Err(Refusal::Signature { what: "image" }));
}

#[test]
fn a_flipped_bit_of_the_body_and_a_shorter_body_are_refused() {
    let header = sign(&key(7), &statement(), &BODY).unwrap();
    let mut bad = BODY;
    bad[63] ^= 0x80;
    let hash = |body: &[u8]| <[u8; 32]>::from(Sha256::digest(body));
    let refused = Refusal::Hash { what: "image body", expected: hash(&BODY), found: hash(&bad) };
    assert_eq!(accept(&header, &bad), Err(refused));
    assert_eq!(accept(&header, &BODY[..63]), Err(Refusal::Length { what: "image body", expected: 64, found: 63 }));
}

#[test]
fn only_the_permitted_place_can_be_signed_for() {
    let wrong = |statement: Statement| sign(&key(7), &statement, &BODY).err();
    let field = |what, expected, found| Some(Refusal::Field { what, expected, found });
    let range = |what, least, most, found| Some(Refusal::Range { what, least, most, found });
    let load = map::RMM + 4096;
    assert_eq!(wrong(Statement { load, ..statement() }), field("image load address", map::RMM, load));
    let (last, entry) = (map::RMM + 60, map::RMM + 64);
    assert_eq!(wrong(Statement { entry, ..statement() }), range("image entry", map::RMM, last, entry));
    let entry = map::RMM + 2;
    assert_eq!(wrong(Statement { entry, ..statement() }), field("image entry modulo 4", 0, 2));
    assert_eq!(sign(&key(7), &statement(), &[]).err(), range("image length", 4, Kind::Rmm.room(), 0));
}
