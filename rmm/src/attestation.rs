//! What tokens need from the platform: the attestation key's public part and the platform token, fetched once.

use crate::platform::{El3Error, Platform};
use abi::claim::{COSE_KEY_P384_LEN, cose_key_p384};
use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use sha2::{Digest as _, Sha256};

/// The longest platform token, such that the whole token fits one granule.
pub const MAX_PLATFORM_TOKEN: usize = 3072;

/// Why there will be no tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootError {
    /// EL3 did not give the attestation key's public part.
    Key(El3Error),
    /// EL3 did not give the platform token.
    Token(El3Error),
    /// The platform token is longer than 3072 bytes, or EL3 gave more than there was room for.
    TokenTooLong,
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => write!(f, "realm attestation key: EL3 answered {error:?}"),
            Self::Token(error) => write!(f, "platform token: EL3 answered {error:?}"),
            Self::TokenTooLong => write!(f, "platform token: more than {MAX_PLATFORM_TOKEN} bytes"),
        }
    }
}

impl core::error::Error for BootError {}

/// Bytes that are written once and read by all CPUs.
#[derive(Debug)]
struct Once<const N: usize> {
    length: AtomicUsize,
    bytes: [AtomicU8; N],
}

impl<const N: usize> Once<N> {
    const fn new() -> Self {
        Self { length: AtomicUsize::new(0), bytes: [const { AtomicU8::new(0) }; N] }
    }

    fn set(&self, bytes: &[u8]) {
        for (to, from) in self.bytes.iter().zip(bytes) {
            to.store(*from, Ordering::Relaxed);
        }
        self.length.store(bytes.len().min(N), Ordering::Release);
    }

    /// Gives the bytes; none before they are written.
    fn get(&self) -> impl ExactSizeIterator<Item = u8> {
        let length = self.length.load(Ordering::Acquire);
        let (used, _) = self.bytes.split_at(length.min(N));
        used.iter().map(|byte| byte.load(Ordering::Relaxed))
    }
}

/// The cache; empty until [`Self::fetch`] has succeeded.
#[derive(Debug)]
pub struct Attestation {
    key: Once<COSE_KEY_P384_LEN>,
    platform: Once<MAX_PLATFORM_TOKEN>,
}

impl Attestation {
    /// Makes an empty cache.
    pub const fn new() -> Self {
        Self { key: Once::new(), platform: Once::new() }
    }

    /// Fetches key and token.
    pub fn fetch<P: Platform>(&self, platform: &P) -> Result<(), BootError> {
        let mut point = [0; 97];
        platform.attestation_key(&mut point).map_err(BootError::Key)?;
        let [_, x_and_y @ ..] = point;
        let [x, y]: [[u8; 48]; 2] = zerocopy::transmute!(x_and_y);
        let key = cose_key_p384(&x, &y);
        let challenge: [u8; 32] = Sha256::digest(key).into();
        let mut token = [0; MAX_PLATFORM_TOKEN];
        let length = fetch_token(platform, &challenge, &mut token)?;
        let (token, _) = token.split_at(length);
        self.key.set(&key);
        self.platform.set(token);
        Ok(())
    }

    /// Gives the COSE_Key of the attestation key; empty if there is none.
    pub fn key(&self) -> impl ExactSizeIterator<Item = u8> {
        self.key.get()
    }

    /// Gives the platform token; empty if there is none.
    pub fn platform_token(&self) -> impl ExactSizeIterator<Item = u8> {
        self.platform.get()
    }
}

/// Fetches the platform token hunk by hunk, and gives its length, which is within `token`.
fn fetch_token<P: Platform>(platform: &P, challenge: &[u8], token: &mut [u8]) -> Result<usize, BootError> {
    let mut length = 0_usize;
    loop {
        let rest = token.get_mut(length..).ok_or(BootError::TokenTooLong)?;
        let challenge = if length == 0 { challenge } else { &[] };
        let hunk = match platform.platform_token(challenge, rest) {
            Err(El3Error::Again) => continue,
            other => other.map_err(BootError::Token)?,
        };
        length = length.saturating_add(hunk.length);
        if length > token.len() || hunk.left > 0 && hunk.length == 0 {
            return Err(BootError::TokenTooLong);
        }
        if hunk.left == 0 {
            return Ok(length);
        }
    }
}
