//! The signer of firmware: whose key hash the machine's OTP holds.

use std::error::Error;
use std::path::Path;

use p384::SecretKey;
use p384::ecdsa::SigningKey;
use p384::pkcs8::DecodePrivateKey;
use rot::image::{self, Kind, Statement};
use rot::version::Version;
use zeroize::Zeroizing;

use super::manufacture::FIRMWARE_SIGNER;
use super::read;

/// A firmware signer's private key.
pub struct Signer(SigningKey);

impl Signer {
    /// Reads a private key: P-384, PKCS #8, PEM.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = || format!("{}: expected a P-384 private key in PKCS #8, PEM", path.display());
        let pem = Zeroizing::new(String::from_utf8(read(path)?).map_err(|_| wrong())?);
        let key = SecretKey::from_pkcs8_pem(&pem).map_err(|_| wrong())?;
        Ok(Self(SigningKey::from(key)))
    }

    /// The signed image: header and body.
    pub fn image(&self, statement: &Statement, body: &[u8]) -> Result<Vec<u8>, rot::Refusal> {
        let mut image = image::sign(&self.0, statement, body)?.to_vec();
        image.extend_from_slice(body);
        Ok(image)
    }
}

/// Signs `body` with the signer of the machine in `dir`, to be loaded and entered at the one place of its kind.
pub fn sign(dir: &Path, kind: Kind, body: &[u8], security_version: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let version = Version::new(env!("CARGO_PKG_VERSION"))?;
    let statement = Statement { kind, load: kind.base(), entry: kind.base(), security_version, version };
    Ok(Signer::read(&dir.join(FIRMWARE_SIGNER))?.image(&statement, body)?)
}
