//! Who the machine is: what boot would have derived, signed and handed over.

use std::sync::OnceLock;

use p384::ecdsa::{SigningKey, VerifyingKey};
use rot::config::{DRAM_LEAST, Firmware, Hardware};
use rot::key::{COORDINATE, POINT, coordinates, point, spki_hash};
use rot::measurement::{Component, Measurements};
use rot::token::{Claims, sign};
use rot::version::Version;
use rot::{Refusal, kdf};

/// The lifecycle that the machine shows: secured.
pub const LIFECYCLE: u32 = 0x3000;
/// Root secret of every machine in software: it protects nothing.
const SECRET: [u8; 32] = *b"a machine that is but software!!";
const TOKEN_ROOM: usize = 4096;

/// A machine's keys, measurements and platform token.
#[derive(Clone)]
pub struct Identity {
    /// The platform token, a COSE_Sign1.
    pub token: Vec<u8>,
    /// The CPAK's public point, uncompressed.
    pub cpak: [u8; POINT],
    /// What the machine says it is made of.
    pub hardware: Hardware,
    /// What the machine says runs on it.
    pub measurements: Measurements,
    pub(crate) rak: [u8; COORDINATE],
    pub(crate) rak_point: ([u8; COORDINATE], [u8; COORDINATE]),
}

impl Identity {
    /// Makes the machine's identity; every time the same.
    ///
    /// # Panics
    /// If the root of trust refuses its own constants.
    #[must_use]
    pub fn new() -> Identity {
        // Every board asks for it, and some tests make thousands.
        static MADE: OnceLock<Identity> = OnceLock::new();
        MADE.get_or_init(|| derive().expect("the root of trust takes its own constants")).clone()
    }
}

impl Default for Identity {
    fn default() -> Self {
        Identity::new()
    }
}

fn derive() -> Result<Identity, Refusal> {
    let hardware = Hardware { dram_base: abi::map::DRAM, dram_size: DRAM_LEAST, cpus: abi::map::MAX_CPUS as u64 };
    let cpak = kdf::cpak(&SECRET)?;
    let signer = point(&cpak.public_key().into())?;
    let signed = |name: &str| Component::signed(name.as_bytes(), Version::ONE, &signer);
    let measurements = Measurements {
        boot: Component::unsigned(b"boot, in software", Version::ONE),
        monitor: signed("monitor, in software"),
        rmm: signed("RMM, in software"),
        hw_config: Component::hardware(&hardware),
        fw_config: Component::firmware(&Firmware::default()),
    };
    let rak = SigningKey::from(kdf::rak(&SECRET, &measurements, LIFECYCLE)?);
    let public: &VerifyingKey = rak.verifying_key();
    let claims = Claims {
        rak: public,
        cpak: &spki_hash(&signer),
        hardware: &hardware,
        lifecycle: LIFECYCLE,
        measurements: &measurements,
    };
    let mut token = vec![0; TOKEN_ROOM];
    let length = sign(&cpak, &claims, &mut token)?;
    token.truncate(length);
    let rak_point = coordinates(public)?;
    Ok(Identity { token, cpak: signer, hardware, measurements, rak: rak.to_bytes().into(), rak_point })
}
