//! Manufacture: the folder of a machine.
//!
//! | File | What | Whose |
//! |---|---|---|
//! | `otp.bin` | the machine's secret, lifecycle, firmware-key hash and version counter | the machine's alone (0600) |
//! | `ca/root.pem`, `ca/sub.pem`, `ca/firmware-signer.pem` | private keys | their authorities' (0600), apart from the machine |
//! | `endorsements/root.pem`, `sub.pem`, `cpak.pem` | certificates | everybody's |

use std::error::Error;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use p384::SecretKey;
use p384::ecdsa::SigningKey;
use p384::pkcs8::{EncodePrivateKey, LineEnding};
use rot::otp::Otp;
use rot::token::IMPLEMENTATION_ID;
use rot::{kdf, key};
use zeroize::{Zeroize, Zeroizing};

use super::certificate::{Role, issue};

/// The firmware signer's private key in a machine's folder.
pub const FIRMWARE_SIGNER: &str = "ca/firmware-signer.pem";
const OTP: &str = "otp.bin";
const EVERYBODY: u32 = 0o644;
const OWNER: u32 = 0o600;

/// A machine that was just manufactured.
pub struct Machine {
    /// Its instance identifier.
    pub instance_id: [u8; 33],
    otp: Otp,
    root: SecretKey,
    sub: SecretKey,
    firmware: SecretKey,
    certificates: [(&'static str, String); 3],
}

impl Machine {
    /// Draws a machine's secret and its authorities' keys from the operating system, and certifies its CPAK.
    pub fn new(lowest_version: u32) -> Result<Self, Box<dyn Error>> {
        let (root, sub, firmware) = (private_key()?, private_key()?, private_key()?);
        let signer = key::point(&firmware.public_key().into())?;
        let secret = Zeroizing::new(random()?);
        let cpak = kdf::cpak(&secret)?.public_key().into();
        let cpak_hash = key::spki_hash(&key::point(&cpak)?);
        let otp = Otp {
            secret: *secret,
            firmware_key: key::spki_hash(&signer),
            cpak: cpak_hash,
            lowest_version,
            lifecycle: abi::claim::LIFECYCLE_SECURED,
        };
        let instance = key::instance_id(&cpak_hash);
        let (root_signer, sub_signer) = (SigningKey::from(&root), SigningKey::from(&sub));
        let identity = Role::Cpak { implementation: IMPLEMENTATION_ID, instance };
        let certificates = [
            ("endorsements/root.pem", issue(Role::Root, root_signer.verifying_key(), &root_signer, &serial()?)?),
            ("endorsements/sub.pem", issue(Role::Sub, sub_signer.verifying_key(), &root_signer, &serial()?)?),
            ("endorsements/cpak.pem", issue(identity, &cpak, &sub_signer, &serial()?)?),
        ];
        Ok(Self { instance_id: instance, otp, root, sub, firmware, certificates })
    }

    /// Writes the machine's folder, all or nothing; a folder that exists is left as it is, and refused.
    pub fn write(&self, dir: &Path) -> Result<(), Box<dyn Error>> {
        if dir.symlink_metadata().is_ok() {
            return Err(format!("{}: exists already; a machine is made once, in a new folder", dir.display()).into());
        }
        let mut partial = dir.as_os_str().to_owned();
        partial.push(format!(".partial-{}", std::process::id()));
        let partial = Path::new(&partial);
        let written = self.fill(partial).and_then(|()| Ok(fs::rename(partial, dir)?));
        if written.is_err() {
            let _ = fs::remove_dir_all(partial);
        }
        written.map_err(|why| format!("{}: {why}", dir.display()).into())
    }

    fn fill(&self, dir: &Path) -> Result<(), Box<dyn Error>> {
        folder(dir, 0o755)?;
        folder(&dir.join("ca"), 0o700)?;
        folder(&dir.join("endorsements"), 0o755)?;
        file(&dir.join(OTP), OWNER, self.otp.encode().as_slice())?;
        let keys = [("ca/root.pem", &self.root), ("ca/sub.pem", &self.sub), (FIRMWARE_SIGNER, &self.firmware)];
        for (name, key) in keys {
            file(&dir.join(name), OWNER, key.to_pkcs8_pem(LineEnding::LF)?.as_bytes())?;
        }
        for (name, certificate) in &self.certificates {
            file(&dir.join(name), EVERYBODY, certificate.as_bytes())?;
        }
        Ok(())
    }
}

/// Manufactures a machine in the folder `dir`, which must not exist; it runs firmware of security version 1 and above.
pub fn manufacture(dir: &Path) -> Result<(), Box<dyn Error>> {
    Machine::new(1)?.write(dir)
}

/// Reads the OTP of the machine in `dir`, and checks that boot would accept it.
pub fn otp(dir: &Path) -> Result<Zeroizing<[u8; rot::otp::LENGTH]>, Box<dyn Error>> {
    let path = dir.join(OTP);
    let bytes = Zeroizing::new(super::read(&path)?);
    let wrong = |why: rot::Refusal| format!("{}: {why}", path.display());
    let (what, expected, found) = ("OTP", rot::otp::LENGTH as u64, bytes.len() as u64);
    let otp: Zeroizing<[u8; rot::otp::LENGTH]> =
        Zeroizing::new(bytes.as_slice().try_into().map_err(|_| wrong(rot::Refusal::Length { what, expected, found }))?);
    Otp::parse(&otp).map_err(wrong)?;
    Ok(otp)
}

/// Writes a file that only its owner may read, over what was there.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let named = |why| format!("{}: {why}", path.display());
    match fs::remove_file(path) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(named(why)),
        _ => file(path, OWNER, bytes).map_err(named),
    }
}

fn folder(path: &Path, mode: u32) -> std::io::Result<()> {
    DirBuilder::new().mode(mode).create(path)
}

fn file(path: &Path, mode: u32, bytes: &[u8]) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(bytes)
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A serial number: 127 random bits, positive and never zero (RFC 5280 §4.1.2.2).
fn serial() -> Result<[u8; 16], getrandom::Error> {
    let mut bytes: [u8; 16] = random()?;
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x3F | 0x40;
    }
    Ok(bytes)
}

fn private_key() -> Result<SecretKey, getrandom::Error> {
    loop {
        let mut bytes: [u8; 48] = random()?;
        // A number that is zero or not below the order is drawn again, which in practice never happens.
        let key = SecretKey::from_slice(&bytes);
        bytes.zeroize();
        if let Ok(key) = key {
            return Ok(key);
        }
    }
}
