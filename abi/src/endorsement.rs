//! What the endorsements of a platform look like: the extension by which a CPAK certificate states whose key it is.
//!
//! The extension's value is the DER encoding of
//!
//! ```asn1
//! CcaIdentity ::= SEQUENCE {
//!     implementationId  OCTET STRING (SIZE (32)),
//!     instanceId        OCTET STRING (SIZE (33))   -- first byte 0x01
//! }
//! ```
//!
//! which, the sizes being fixed, is always [`CCA_IDENTITY_PREFIX`], 32 bytes, [`CCA_IDENTITY_MIDDLE`], 33 bytes.

/// Object identifier of the extension, under the number that RFC 5612 keeps for examples: an emulated machine has no
/// enterprise of its own.
pub const CCA_IDENTITY_OID: &str = "1.3.6.1.4.1.32473.1.1";

/// Length of an implementation identifier in bytes.
pub const IMPLEMENTATION_ID_LEN: usize = 32;
/// Length of an instance identifier in bytes.
pub const INSTANCE_ID_LEN: usize = 33;
/// First byte of every instance identifier (a UEID of type RAND, RFC 9711 §4.2.1).
pub const INSTANCE_ID_TYPE: u8 = 0x01;

/// DER bytes before the implementation identifier: SEQUENCE of 69 bytes, OCTET STRING of 32.
pub const CCA_IDENTITY_PREFIX: [u8; 4] = [0x30, 0x45, 0x04, 0x20];
/// DER bytes between the two identifiers: OCTET STRING of 33.
pub const CCA_IDENTITY_MIDDLE: [u8; 2] = [0x04, 0x21];

/// Writes the value of the extension (DER, 71 bytes).
#[must_use]
pub fn cca_identity(implementation: &[u8; 32], instance: &[u8; 33]) -> [u8; 71] {
    let mut value = [0; 71];
    let parts: [&[u8]; 4] = [&CCA_IDENTITY_PREFIX, implementation, &CCA_IDENTITY_MIDDLE, instance];
    for (to, from) in value.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    value
}

/// Reads the value of the extension; anything but the one DER encoding is `None`.
#[must_use]
pub fn read_cca_identity(value: &[u8]) -> Option<([u8; 32], [u8; 33])> {
    let rest = value.strip_prefix(&CCA_IDENTITY_PREFIX)?;
    let (implementation, rest) = rest.split_first_chunk::<IMPLEMENTATION_ID_LEN>()?;
    let instance: [u8; INSTANCE_ID_LEN] = rest.strip_prefix(&CCA_IDENTITY_MIDDLE)?.try_into().ok()?;
    (instance.first() == Some(&INSTANCE_ID_TYPE)).then_some((*implementation, instance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_survives_and_every_flip_in_the_frame_is_refused() {
        let (implementation, mut instance) = ([7; 32], [9; 33]);
        instance[0] = INSTANCE_ID_TYPE;
        let value = cca_identity(&implementation, &instance);
        assert_eq!(read_cca_identity(&value), Some((implementation, instance)));
        for at in [0, 1, 2, 3, 36, 37, 38] {
            let mut bad = value;
            bad[at] ^= 2;
            assert_eq!(read_cca_identity(&bad), None, "byte {at}");
        }
        assert_eq!(read_cca_identity(&value[..70]), None);
    }
}
