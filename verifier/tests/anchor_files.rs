//! Files that say whom to trust, in every form, and what is none.

mod maker;

use allod_verifier::anchor_file::{Trusted, read};
use allod_verifier::certificate::Unreadable;
use allod_verifier::key::{Fault, Key};
use maker::signer::{key256, key521};
use maker::{Signer, key, root};

fn pem(label: &str, content: &[u8]) -> String {
    let text = maker::base64(content);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn url(bytes: &[u8]) -> String {
    maker::base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn jwk(curve: &str, signer: &Signer) -> String {
    let point = signer.public();
    let (x, y) = point[1..].split_at(point.len() / 2);
    format!(r#"{{"kty": "EC", "crv": "{curve}", "kid": "one", "x": "{}", "y": "{}"}}"#, url(x), url(y))
}

fn keys(file: &[u8]) -> Vec<Key> {
    let trusted = read(file).expect("a file that can be read");
    let key = |it| match it {
        Trusted::Key(_, key) => key,
        Trusted::Certificate(it) => panic!("a certificate of {}", it.subject()),
    };
    trusted.into_iter().map(key).collect()
}

#[test]
fn a_key_is_the_same_in_every_form() {
    for (curve, signer) in [("P-256", key256(7)), ("P-384", key(7)), ("P-521", key521(7))] {
        let wanted = [signer.verifying()];
        assert_eq!(keys(jwk(curve, &signer).as_bytes()), wanted);
        assert_eq!(keys(format!(r#" {{"keys": [{}]}}"#, jwk(curve, &signer)).as_bytes()), wanted);
        assert_eq!(keys(pem("PUBLIC KEY", &signer.info()).as_bytes()), wanted);
        assert_eq!(keys(&signer.info()), wanted);
        assert_eq!(wanted[0].info(), signer.info(), "the fingerprint is over the usual encoding");
    }
    let public = Signer::Rsa.public();
    let modulus = &public[public.len() - 517..public.len() - 5];
    let rsa = format!(r#"{{"kty": "RSA", "n": "{}", "e": "AQAB"}}"#, url(modulus));
    assert_eq!(keys(rsa.as_bytes()), [Signer::Rsa.verifying()]);
    assert_eq!(keys(&Signer::Rsa.info()), [Signer::Rsa.verifying()]);
    assert_eq!(Signer::Rsa.verifying().info(), Signer::Rsa.info());
}

#[test]
fn a_store_names_the_platforms_that_its_keys_are_for() {
    let store = format!(
        r#"[{{"pkey": {}, "implementation-id": "{}", "instance-id": "01{}"}}]"#,
        jwk("P-384", &key(7)),
        "1d".repeat(32),
        "22".repeat(32)
    );
    let trusted = read(store.as_bytes()).expect("a store");
    let [Trusted::Key(Some(identity), found)] = trusted.as_slice() else { panic!("one key with its platform") };
    assert_eq!((identity.implementation_id, found), ([0x1D; 32], &key(7).verifying()));
    let short = store.replace(&"1d".repeat(32), "1d");
    assert_eq!(read(short.as_bytes()).err(), Some(Unreadable::Encoding));
}

#[test]
fn certificates_and_keys_may_stand_in_one_file() {
    let file = format!("{}{}", pem("CERTIFICATE", &root().der()), pem("PUBLIC KEY", &key(7).info()));
    let trusted = read(file.as_bytes()).expect("both");
    assert!(matches!(trusted.as_slice(), [Trusted::Certificate(_), Trusted::Key(None, _)]));
    assert!(matches!(read(&root().der()).as_deref(), Ok([Trusted::Certificate(_)])));
}

#[test]
fn what_is_no_anchor_is_refused() {
    let good = jwk("P-384", &key(7));
    assert!(read(good.as_bytes()).is_ok(), "the control");
    for bad in ["", "{}", "[]x", "hello", r#"{"keys": 1}"#, "-----BEGIN PUBLIC KEY-----\n"] {
        assert_eq!(read(bad.as_bytes()).err(), Some(Unreadable::Encoding), "{bad}");
    }
    let private = pem("PRIVATE KEY", &key(7).info());
    assert_eq!(read(private.as_bytes()).err(), Some(Unreadable::Encoding), "a private key is not for this");
    let fault = |text: &str| match read(text.as_bytes()) {
        Err(Unreadable::Key(fault)) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(&good.replace("P-384", "P-256")), Fault::NotOnCurve, "coordinates of another curve");
    assert_eq!(fault(&good.replace("P-384", "secp256k1")), Fault::Curve);
    assert_eq!(fault(&good.replace("\"EC\"", "\"OKP\"")), Fault::Curve);
    let mut off = key(7).info();
    *off.last_mut().expect("a byte") ^= 1;
    assert_eq!(fault(&pem("PUBLIC KEY", &off)), Fault::NotOnCurve);
    for (n, e) in
        [(vec![0xC3; 128], "AQAB"), (vec![0xC3; 640], "AQAB"), (vec![0xC3; 512], "Aw"), (vec![0xC2; 512], "AQAB")]
    {
        let rsa = format!(r#"{{"kty": "RSA", "n": "{}", "e": "{e}"}}"#, url(&n));
        assert_eq!(fault(&rsa), Fault::Rsa, "{} bytes, exponent {e}", n.len());
    }
}
