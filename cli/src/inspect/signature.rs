//! Signatures of JSON Web Tokens, such as attestation results: the one thing that is judged here, for whoever has the key.

use crate::reference::about;
use evidence::hex;
use std::error::Error;
use std::path::Path;
use verifier::anchor_file::{self, Trusted};
use verifier::ear::Jws;
use verifier::key::Key;

/// The one key in a file: PEM, DER, JWK, or a certificate's.
pub fn key(path: &Path) -> Result<Key, Box<dyn Error>> {
    let trusted = anchor_file::read(&super::read(path)?).map_err(|error| about(path, &error))?;
    match <[Trusted; 1]>::try_from(trusted) {
        Ok([Trusted::Key(_, key)]) => Ok(key),
        Ok([Trusted::Certificate(certificate)]) => Ok(certificate.key().clone()),
        Err(several) => Err(about(path, &format!("expected one key, found {}", several.len()))),
    }
}

/// Judges the signature of a token, and says in words by whom it is, or why it does not hold.
pub fn judged(file: &[u8], key: &Key) -> Result<String, String> {
    let text = std::str::from_utf8(file).map_err(|_| "expected a signed JSON Web Token".to_string())?;
    let jws = Jws::parse(text).map_err(|refusal| refusal.to_string())?;
    jws.verify(key).map_err(|refusal| refusal.to_string())?;
    Ok(format!("signed by the key ({}, SHA-256 {})", key.algorithm(), hex::encode(&key.fingerprint())))
}
