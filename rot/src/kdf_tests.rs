use p384::elliptic_curve::sec1::ToSec1Point;

use super::*;
use crate::key;
use crate::measurement::Component;
use crate::version::Version;

// Computed apart from this code, with Python's hmac and whole numbers: docs/keys.md.
const CPAK_SCALAR: &str =
    "0c84926ec4a3cd308125889e3986bd9fe052e0a0845e93e7daaf8d5603f85d98d4baabd7fc59976a5adc47d932835c58";
const CPAK_SPKI: &str = "d1677c4caa203e5dd124660c605248872aeeb14e8077665ab4b17485d8b8719f";
const RAK_SECURED: &str =
    "865a77c16ccf0493e89b011e38876bdadb4bb6411a1f5b02bffd554a074ed1acc367f067da754a6c871cbc45275f88cd";
const RAK_SECURED_X: &str =
    "cca68b2dc63a5683b064ed7c2ed9345d324bd8cd365a4596d791a9f7b270815593ea378caa3c8b51f4c7d280b7685272";
const RAK_SECURED_Y: &str =
    "ce2b81be17b953eb60d1ee56cfd25d490e350536ef9ed88cbc7b24a0a71d8112d396b16fa36318bdefb0b2202831f73d";
const RAK_DEBUG: &str =
    "4282625cea5d6d6619f1fb2d38d1ab208bd5e334f6b125c7a24f80123a42b78208ee7df1fb9b0491b251307298b86069";

fn hex<const N: usize>(digits: &str) -> [u8; N] {
    assert_eq!(digits.len(), 2 * N);
    core::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
}

fn secret() -> [u8; SECRET] {
    core::array::from_fn(|at| at as u8)
}

fn measurements() -> Measurements {
    let component = |byte| Component { measurement: [byte; 32], version: Version::ONE, signer: [0xEE; 32] };
    Measurements {
        boot: component(0x11),
        monitor: component(0x22),
        rmm: component(0x33),
        hw_config: component(0x44),
        fw_config: component(0x55),
    }
}

fn scalar(key: &SecretKey) -> [u8; 48] {
    key.to_bytes().into()
}

#[test]
fn keys_have_their_known_answers() {
    let cpak = cpak(&secret()).unwrap();
    assert_eq!(scalar(&cpak), hex(CPAK_SCALAR));
    let point: [u8; key::POINT] = cpak.public_key().to_sec1_point(false).as_bytes().try_into().unwrap();
    assert_eq!(key::spki_hash(&point), hex(CPAK_SPKI));
    let secured = rak(&secret(), &measurements(), 0x3000).unwrap();
    assert_eq!(scalar(&secured), hex(RAK_SECURED));
    let coordinates = key::coordinates(&secured.public_key().into()).unwrap();
    assert_eq!(coordinates, (hex(RAK_SECURED_X), hex(RAK_SECURED_Y)));
    assert_eq!(scalar(&rak(&secret(), &measurements(), 0x5000).unwrap()), hex(RAK_DEBUG));
}

#[test]
fn every_measurement_changes_the_rak() {
    let first = scalar(&rak(&secret(), &measurements(), 0x3000).unwrap());
    for at in 0..5 {
        let mut other = measurements();
        let fields = [&mut other.boot, &mut other.monitor, &mut other.rmm, &mut other.hw_config, &mut other.fw_config];
        fields.into_iter().nth(at).unwrap().measurement[31] ^= 1;
        assert_ne!(scalar(&rak(&secret(), &other, 0x3000).unwrap()), first, "component {at}");
    }
    assert_eq!(scalar(&rak(&secret(), &measurements(), 0x3000).unwrap()), first, "two identical boots");
}

#[test]
fn sixty_four_bytes_are_reduced_modulo_the_order() {
    // A number, and its remainder by Python.
    let cases = [
        (
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "0000000000000000389cb27e0bc8d220a7e5f24db74f58851313e695333ad68cffffffffffffffffffffffffffffffff",
        ),
        (
            "00000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
            "000000000000000000000000000000000000000000000000389cb27e0bc8d220a7e5f24db74f58851313e695333ad68d",
        ),
        (
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
            "101112131415161718195329b2b9cca856249af745e235d8d0c7570126873ed3842d4dc28e731fea93d7fbe0f5948682",
        ),
        (
            "00000000000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "00000000000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52974",
            "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
        ),
    ];
    for (number, remainder) in cases {
        let reduced: [u8; 48] = reduce(&hex(number)).to_bytes().into();
        assert_eq!(reduced, hex(remainder), "{number}");
    }
}
