//! What the change of a library could let in: other forms of keys and signatures than the one that is read.

use super::*;
use p256::ecdsa::signature::Signer;

const MESSAGE: &[u8] = b"a message";

/// A curve, the point of a key on it, a signature by it, and the order of the group.
type Case = (Curve, Vec<u8>, Vec<u8>, Vec<u8>);

/// One key of each curve.
fn signers() -> [Case; 3] {
    let p256 = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a scalar");
    let p384 = p384::ecdsa::SigningKey::from_slice(&[7; 48]).expect("a scalar");
    let p521 = p521::ecdsa::SigningKey::from_slice(&[&[0][..], &[7; 65]].concat()).expect("a scalar");
    let by256: p256::ecdsa::Signature = p256.sign(MESSAGE);
    let by384: p384::ecdsa::Signature = p384.sign(MESSAGE);
    let by521: p521::ecdsa::Signature = p521.sign(MESSAGE);
    let point = |key: &[u8]| key.to_vec();
    [
        (
            Curve::P256,
            point(p256.verifying_key().to_sec1_point(false).as_bytes()),
            by256.to_bytes().to_vec(),
            number("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        ),
        (
            Curve::P384,
            point(p384.verifying_key().to_sec1_point(false).as_bytes()),
            by384.to_bytes().to_vec(),
            number("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
        ),
        (
            Curve::P521,
            point(p521.verifying_key().to_sec1_point(false).as_bytes()),
            by521.to_bytes().to_vec(),
            number(concat!(
                "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51",
                "868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
            )),
        ),
    ]
}

fn number(text: &str) -> Vec<u8> {
    evidence::hex::decode(text).expect("hexadecimal")
}

/// Big-endian `left` minus `right`, of the same width.
fn minus(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut out: Vec<u8> = Vec::new();
    for (left, right) in left.iter().zip(right).rev() {
        let difference = i16::from(*left) - i16::from(*right) - borrow;
        borrow = i16::from(difference < 0);
        out.push(difference.rem_euclid(256) as u8);
    }
    out.reverse();
    out
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    UintRef::new(bytes).and_then(|it| it.to_der()).expect("DER")
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = content.len() as u8;
    let head = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    [&head, content].concat()
}

#[test]
fn a_signature_is_two_numbers_below_the_order_and_above_zero() {
    for (curve, point, signature, order) in signers() {
        let key = Key::from_uncompressed(curve, &point).expect("a point");
        let holds = |signature: &[u8]| key.verify(key.algorithm(), MESSAGE, signature);
        let (r, s) = signature.split_at(curve.coordinate());
        let zero = vec![0; curve.coordinate()];
        let high = minus(&order, s);
        assert_eq!(holds(&signature), Ok(()), "control: {curve:?}");
        assert_eq!(holds(&[r, &high].concat()), Ok(()), "the other of the two signatures that ECDSA has");
        for (wrong, why) in [
            ([&zero, s].concat(), "r = 0"),
            ([r, &zero].concat(), "s = 0"),
            ([zero.as_slice(), &zero].concat(), "both 0"),
            ([order.as_slice(), s].concat(), "r = n"),
            ([r, &order].concat(), "s = n"),
            ([s, r].concat(), "swapped"),
            (signature[1..].to_vec(), "a byte short"),
            ([&[0], signature.as_slice()].concat(), "a byte more"),
            ([&[0], r, &[0], s].concat(), "wider numbers"),
            (Vec::new(), "nothing"),
            (sequence(&[integer(r), integer(s)].concat()), "DER in the place of numbers"),
        ] {
            assert_eq!(holds(&wrong), Err(Fault::Signature), "{curve:?}: {why}");
        }
    }
}

#[test]
fn a_certificates_signature_is_der_in_its_one_form() {
    for (curve, point, signature, _) in signers() {
        let key = Key::from_uncompressed(curve, &point).expect("a point");
        let holds = |signature: &[u8]| key.verify_x509(key.algorithm(), MESSAGE, signature);
        let (r, s) = signature.split_at(curve.coordinate());
        let (r, s) = (integer(r), integer(s));
        let content = [r.as_slice(), &s].concat();
        let good = sequence(&content);
        assert_eq!(holds(&good), Ok(()), "control: {curve:?}");
        let padded = [&[0x02, r[1] + 1, 0x00], &r[2..]].concat();
        let long = [&[0x02, 0x81, r[1]], &r[2..]].concat();
        let indefinite = [&[0x30, 0x80], content.as_slice(), &[0, 0]].concat();
        let unsigned = [&[0x02, r[1] - 1], &r[3..]].concat();
        let head = if content.len() < 0x80 { 2 } else { 3 };
        let mut wrong = vec![
            (sequence(&[padded.as_slice(), &s].concat()), "a zero before a number that needs none"),
            (sequence(&[long.as_slice(), &s].concat()), "a length in more bytes than it needs"),
            (indefinite, "an indefinite length"),
            ([good.as_slice(), &[0]].concat(), "a byte behind"),
            (sequence(&[content.as_slice(), &[0x02, 0x01, 0x01]].concat()), "three numbers"),
            (sequence(&r), "one number"),
            (good[..good.len() - 1].to_vec(), "cut off"),
            ([&[0x31], &good[1..]].concat(), "a set"),
            ([&good[..head], &[0x03], &good[head + 1..]].concat(), "a number of another kind"),
            (signature.clone(), "the form of tokens"),
            (sequence(&[&[0x02, 0x01, 0x00], s.as_slice()].concat()), "r = 0"),
            (sequence(&[&[0x02, 0x01, 0xFF], s.as_slice()].concat()), "r < 0"),
        ];
        if r[2] == 0 {
            wrong.push((sequence(&[unsigned.as_slice(), &s].concat()), "a number without the zero that it needs"));
        }
        for (wrong, why) in wrong {
            assert_eq!(holds(&wrong), Err(Fault::Signature), "{curve:?}: {why}");
        }
    }
}

#[test]
fn a_point_is_uncompressed_and_on_its_curve() {
    for (curve, point, ..) in signers() {
        let take = |bytes: &[u8]| Key::from_uncompressed(curve, bytes).map(drop);
        let width = curve.coordinate();
        let (x, y) = point[1..].split_at(width);
        let parity = y[width - 1] & 1;
        assert_eq!(take(&point), Ok(()), "control: {curve:?}");
        let prime = match curve {
            Curve::P256 => number("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
            Curve::P384 => number(
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
            ),
            Curve::P521 => [&[0x01][..], &[0xFF; 65]].concat(),
        };
        let mut off = point.clone();
        off[2 * width] ^= 1;
        let info = Key::from_uncompressed(curve, &point).expect("a point").info();
        for (wrong, why) in [
            ([&[2 + parity], x].concat(), "compressed"),
            ([&[2 + parity], x, &vec![0; width]].concat(), "compressed, at full length"),
            ([&[6 + parity], x, y].concat(), "hybrid"),
            ([&[0x05], x, y].concat(), "of no form"),
            (vec![0], "infinity"),
            (vec![0; 2 * width + 1], "infinity, at full length"),
            ([&[0x04][..], &vec![0; 2 * width]].concat(), "zero coordinates"),
            ([&[0x04], prime.as_slice(), y].concat(), "x = p"),
            ([&[0x04], x, &prime].concat(), "y = p"),
            (off, "y of another point"),
            ([&[0x04], y, x].concat(), "swapped"),
            (point[..2 * width].to_vec(), "a byte short"),
            ([point.as_slice(), &[0]].concat(), "a byte more"),
            (info, "a SubjectPublicKeyInfo"),
            (Vec::new(), "nothing"),
        ] {
            assert_eq!(take(&wrong), Err(Fault::NotOnCurve), "{curve:?}: {why}");
        }
        for other in [Curve::P256, Curve::P384, Curve::P521].into_iter().filter(|it| *it != curve) {
            assert_eq!(Key::from_uncompressed(other, &point).map(drop), Err(Fault::NotOnCurve));
        }
    }
}

#[test]
fn an_rsa_key_has_a_size_and_an_exponent_that_are_safe() {
    let take = |n: &[u8], e: &[u8]| Rsa::new(n, e).map(|key| key.bits());
    let modulus = |bits: usize| {
        let mut n = vec![0xA5; bits.div_ceil(8)];
        let unused = n.len() * 8 - bits;
        n[0] = 0xFF >> unused;
        n
    };
    const E: &[u8] = &[1, 0, 1];
    for bits in [2048, 2049, 3072, 4095, 4096] {
        assert_eq!(take(&modulus(bits), E), Some(bits));
    }
    for bits in [1024, 2047, 4097, 8192] {
        assert_eq!(take(&modulus(bits), E), None, "{bits} bits");
    }
    assert_eq!(take(&[&[0; 4], modulus(2048).as_slice()].concat(), E), Some(2048), "zeros before it");
    for e in [&[3][..], &[1], &[0, 1, 0, 1], &[1, 0, 0], &[1, 0, 3], &[]] {
        assert_eq!(take(&modulus(2048), e), None, "{e:?}");
    }
    let mut even = modulus(2048);
    even[255] = 0xA4;
    assert_eq!(take(&even, E), None, "an even modulus");
    assert_eq!(take(&[0; 256], E), None, "zero");
    assert_eq!(take(&[], E), None, "nothing");
}
