//! Files that say whom to trust: certificates, bare public keys, JSON Web Keys, and stores of these.

use crate::certificate::{Certificate, Identity, LABEL, MAX_FILE, Unreadable, blocks};
use crate::key::{Jwk, Key};
use evidence::hex::decode;
use serde::Deserialize;

/// Label of a SubjectPublicKeyInfo in PEM (RFC 7468 §13).
const LABEL_KEY: &str = "PUBLIC KEY";

/// What a file says to trust.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there are few, and none lives long")]
pub enum Trusted {
    /// An authority, or whoever stands in its place.
    Certificate(Box<Certificate>),
    /// A platform's key, and which platform's if the file says so.
    Key(Option<Identity>, Key),
}

/// Reads a file: certificates or public keys in PEM, one or several; one of either in DER; a JSON Web Key, a set of them
/// (RFC 7517 §5), or a store of keys with the platforms that they are for, as rust-ccatoken and Trustee have it.
///
/// # Errors
/// [`Unreadable`] if a part of it is none of these.
pub fn read(bytes: &[u8]) -> Result<Vec<Trusted>, Unreadable> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) {
        return read_json(bytes);
    }
    blocks(bytes)?.iter().map(|(label, content)| read_block(label, content)).collect()
}

fn read_block(label: &str, content: &[u8]) -> Result<Trusted, Unreadable> {
    let certificate = || Certificate::read(content).map(|it| Trusted::Certificate(Box::new(it)));
    let key = || Key::from_info(content).map(|it| Trusted::Key(None, it)).map_err(Unreadable::Key);
    match label {
        LABEL => certificate(),
        LABEL_KEY => key(),
        // In DER nothing says which; what the one reads the other does not.
        "" => key().or_else(|_| certificate()),
        _ => Err(Unreadable::Encoding),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    One(Jwk),
    Set { keys: Vec<Jwk> },
    Store(Vec<Entry>),
}

#[derive(Deserialize)]
struct Entry {
    pkey: Jwk,
    #[serde(rename = "implementation-id")]
    implementation_id: String,
    #[serde(rename = "instance-id")]
    instance_id: String,
}

fn read_json(bytes: &[u8]) -> Result<Vec<Trusted>, Unreadable> {
    if bytes.len() > MAX_FILE {
        return Err(Unreadable::Encoding);
    }
    let key = |jwk: &Jwk| Key::from_jwk(jwk).map_err(Unreadable::Key);
    match serde_json::from_slice(bytes).map_err(|_| Unreadable::Encoding)? {
        File::One(jwk) => Ok(vec![Trusted::Key(None, key(&jwk)?)]),
        File::Set { keys } => keys.iter().map(|jwk| Ok(Trusted::Key(None, key(jwk)?))).collect(),
        File::Store(entries) => {
            let read = |entry: &Entry| Ok(Trusted::Key(Some(identity(entry)?), key(&entry.pkey)?));
            entries.iter().map(read).collect()
        }
    }
}

fn identity(entry: &Entry) -> Result<Identity, Unreadable> {
    let implementation_id = decode(&entry.implementation_id).and_then(|it| it.try_into().ok());
    let instance_id = decode(&entry.instance_id).and_then(|it| it.try_into().ok());
    Ok(Identity {
        implementation_id: implementation_id.ok_or(Unreadable::Encoding)?,
        instance_id: instance_id.ok_or(Unreadable::Encoding)?,
    })
}
