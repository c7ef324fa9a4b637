//! The platform token and the Realm attestation key (RAK): hunks of the one, signatures by the other.
//!
//! The private key stays in here; the RMM gets its public half and signatures over hashes that it hands in.

mod queue;

use crate::Hardware;
use crate::call::Buffer;
use abi::el3::{self, SignRequest, SignResponse, Status};
use abi::{GRANULE_U64, map};
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use p384::ecdsa::signature::hazmat::PrehashSigner;
use p384::ecdsa::{Signature, SigningKey, VerifyingKey};
use queue::Queue;
use zerocopy::FromBytes;

/// Length of the RAK's public key as the RMM gets it: an uncompressed point (SEC 1, 2.3.3).
pub const PUBLIC_KEY_LENGTH: usize = 97;
const NO_TRANSFER: usize = usize::MAX;

/// Why the attestation key of the hand-over was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKey {
    /// The private scalar is zero or not below the order of P-384.
    Scalar,
    /// The public point is not the private scalar's.
    Point,
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadKey::Scalar => "attestation key: expected a scalar of P-384, found zero or one not below the order",
            BadKey::Point => "attestation key: expected the private key's point, found another",
        })
    }
}

/// Platform token, attestation key, and the signatures that wait to be fetched.
pub struct Attest<'a> {
    token: &'a [u8],
    key: SigningKey,
    public: [u8; PUBLIC_KEY_LENGTH],
    given: AtomicUsize,
    queue: Queue,
}

impl<'a> Attest<'a> {
    /// Takes the token, the private scalar (48 bytes, big endian) and the coordinates of its public point.
    ///
    /// # Errors
    /// [`BadKey`] when the key is none or its halves do not belong together.
    pub fn new(token: &'a [u8], private: &[u8; 48], x: &[u8; 48], y: &[u8; 48]) -> Result<Attest<'a>, BadKey> {
        let key = SigningKey::from_slice(private).map_err(|_| BadKey::Scalar)?;
        let point = VerifyingKey::from(&key).to_sec1_point(false);
        let public = <[u8; PUBLIC_KEY_LENGTH]>::try_from(point.as_bytes()).map_err(|_| BadKey::Point)?;
        if point.x().map(AsRef::as_ref) != Some(&x[..]) || point.y().map(AsRef::as_ref) != Some(&y[..]) {
            return Err(BadKey::Point);
        }
        Ok(Attest { token, key, public, given: AtomicUsize::new(NO_TRANSFER), queue: Queue::new() })
    }

    /// GET_PLAT_TOKEN: writes the next hunk of the token into `buffer` and gives its length and what is left.
    ///
    /// A call with a challenge begins anew. The token was signed at boot over the hash of the attestation key, which
    /// is the only challenge there is; the verifier compares it.
    ///
    /// # Errors
    /// `Invalid` for a buffer outside the shared page, an empty one, a challenge of another size than 32, 48 or 64,
    /// or a continuation of nothing.
    pub fn plat_token(&self, hw: &impl Hardware, buffer: Buffer, challenge_size: u64) -> Result<[u64; 2], Status> {
        let (offset, size) = in_shared_page(buffer)?;
        let from = match challenge_size {
            32 | 48 | 64 => 0,
            0 => self.given.load(Ordering::Acquire),
            _ => return Err(Status::Invalid),
        };
        let rest = self.token.get(from..).filter(|rest| size > 0 && !rest.is_empty()).ok_or(Status::Invalid)?;
        let (hunk, left) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        hw.write_shared(offset, hunk);
        let next = if left.is_empty() { NO_TRANSFER } else { self.token.len() - left.len() };
        self.given.store(next, Ordering::Release);
        Ok([hunk.len() as u64, left.len() as u64])
    }

    /// EL3_TOKEN_SIGN: hands in a request (1), fetches a response (2) or the public key (3); gives the key's length.
    ///
    /// # Errors
    /// `Invalid` for another operation, buffer, curve or algorithm; `Again` when the queue is full, or empty.
    pub fn token_sign(&self, hw: &impl Hardware, operation: u64, buffer: Buffer, curve: u64) -> Result<u64, Status> {
        let (offset, size) = in_shared_page(buffer)?;
        match operation {
            el3::SIGN_PUSH if size >= size_of::<SignRequest>() => self.push(hw, offset).map(|()| 0),
            el3::SIGN_PULL if size >= size_of::<SignResponse>() => self.queue.pull(hw, offset).map(|()| 0),
            el3::SIGN_PUBLIC_KEY if curve == el3::CURVE_P384 && size >= PUBLIC_KEY_LENGTH => {
                hw.write_shared(offset, &self.public);
                Ok(PUBLIC_KEY_LENGTH as u64)
            }
            _ => Err(Status::Invalid),
        }
    }

    fn push(&self, hw: &impl Hardware, offset: usize) -> Result<(), Status> {
        let mut bytes = [0; size_of::<SignRequest>()];
        hw.read_shared(offset, &mut bytes);
        let request = SignRequest::read_from_bytes(&bytes).map_err(|_| Status::Invalid)?;
        if request.sig_alg != el3::SIGN_ECDSA_P384 || request.hash_alg != el3::SIGN_SHA384 {
            return Err(Status::Invalid);
        }
        let slot = self.queue.claim().ok_or(Status::Again)?;
        match self.sign(hw, &request.hash) {
            Some(signature) => slot.answer(&request, &signature),
            None => {
                slot.free();
                return Err(Status::Fault);
            }
        }
        Ok(())
    }

    /// Signs a SHA-384 hash: ECDSA with the nonce of RFC 6979, r then s.
    fn sign(&self, hw: &impl Hardware, hash: &[u8; 48]) -> Option<[u8; 96]> {
        hw.constant_time(true);
        let signature: Result<Signature, _> = self.key.sign_prehash(hash);
        hw.constant_time(false);
        signature.ok().map(|signature| signature.to_bytes().into())
    }
}

/// Gives offset and length in the shared page of a buffer that lies in it.
fn in_shared_page(buffer: Buffer) -> Result<(usize, usize), Status> {
    let offset = buffer.pa.checked_sub(map::RMM_SHARED).ok_or(Status::Invalid)?;
    let end = offset.checked_add(buffer.size).ok_or(Status::Invalid)?;
    if end > GRANULE_U64 {
        return Err(Status::Invalid);
    }
    Ok((offset as usize, buffer.size as usize))
}

#[cfg(test)]
mod tests;
