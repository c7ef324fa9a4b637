//! Token and certificate one after the other, as rats-tls sends those of virtCCA: each behind its length, 64 bits little
//! endian.

/// What such a message holds.
pub struct Parts<'b> {
    /// In CBOR.
    pub token: &'b [u8],
    /// In DER or PEM.
    pub certificate: &'b [u8],
}

/// Takes a message apart, to its last byte.
pub fn split(bytes: &[u8]) -> Option<Parts<'_>> {
    let (token, rest) = framed(bytes)?;
    let (certificate, rest) = framed(rest)?;
    let whole = rest.is_empty() && super::is_token(token) && !certificate.is_empty();
    whole.then_some(Parts { token, certificate })
}

fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}
