//! X.509 in DER and PEM: certificates, paths, lists of revoked certificates, public keys, and files of anchors.

use crate::bounds::within;
use crate::{issuer, selected};
use verifier::Anchors;
use verifier::certificate::{self, Certificate};
use verifier::key::Key;
use verifier::{anchor_file, chain, huawei, revocation, test_keys};

/// Takes one input.
///
/// # Panics
/// If a promise of the readers is broken.
pub fn run(input: &[u8]) {
    let Some((selector, bytes)) = selected(input) else { return };
    match selector % 4 {
        0 => certificates(bytes),
        1 => revocations(bytes),
        2 => keys(bytes),
        _ => anchors(bytes),
    }
}

fn certificates(bytes: &[u8]) {
    let list = within(bytes, 64, || certificate::read_file(bytes).map_err(|why| why.to_string()));
    let Ok(list) = list else { return };
    for certificate in &list {
        assert!(certificate.is(certificate), "a certificate is itself");
        let _ = (certificate.subject(), certificate.revocation_list(), huawei::recognise(certificate));
        let _ =
            within(bytes, 64, || chain::path(certificate, &list, &list, issuer::NOW).map_err(|why| why.to_string()));
        let _ = within(bytes, 64, || certificate.verify_signature(certificate));
    }
    let path: Vec<&Certificate> = list.iter().collect();
    let _ = within(bytes, 64, || revocation::standing(&path, &[], issuer::NOW));
}

fn revocations(bytes: &[u8]) {
    let lists = within(bytes, 64, || revocation::read_file(bytes).map_err(|why| why.to_string()));
    if let Ok(lists) = lists {
        let chain = issuer::chain();
        let path: Vec<&Certificate> = chain.iter().collect();
        let _ = within(bytes, 64, || revocation::standing(&path, &lists, issuer::NOW));
    }
}

/// A key that is read can be written, and is then the same.
fn keys(bytes: &[u8]) {
    let key = within(bytes, 64, || Key::from_info(bytes).map_err(|why| why.to_string()));
    let Ok(key) = key else { return };
    assert_eq!(Key::from_info(&key.info()).as_ref(), Ok(&key), "what is written is what was read");
    let _ = (test_keys::recognise(&key), key.verify(key.algorithm(), b"message", bytes));
}

fn anchors(bytes: &[u8]) {
    let _ = within(bytes, 64, || anchor_file::read(bytes).map_err(|why| why.to_string()));
    let mut anchors = Anchors::new();
    let read = |result: Result<(), certificate::Unreadable>| result.is_ok();
    let _ = within(bytes, 64, || read(anchors.add(bytes)));
    let _ = within(bytes, 64, || (read(anchors.add_endorsements(bytes)), read(anchors.add_revocations(bytes))));
}
