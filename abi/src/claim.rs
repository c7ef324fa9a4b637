//! Claim numbers of the CCA attestation token and the COSE numbers around it
//! (draft-ffm-rats-cca-token; RFC 9052; RFC 9053).

/// CBOR tag of the token's wrapper as RMM 1.0 has it: a map of two byte strings.
pub const TAG_CCA_LEGACY: u64 = 399;
/// CBOR tag of a conceptual message wrapper collection, the wrapper since RMM 1.1.
pub const TAG_CMW_COLLECTION: u64 = 907;
/// Content format of a CWT-formed EAT in a conceptual message wrapper.
pub const CONTENT_FORMAT_EAT_CWT: u64 = 263;
/// CBOR tag of COSE_Sign1 (RFC 9052 §2).
pub const TAG_COSE_SIGN1: u64 = 18;
/// COSE algorithm ES256.
pub const ALG_ES256: i64 = -7;
/// COSE algorithm ES384.
pub const ALG_ES384: i64 = -35;
/// COSE algorithm ES512.
pub const ALG_ES512: i64 = -36;
/// COSE algorithm PS256: RSASSA-PSS with SHA-256 and a salt of 32 bytes (RFC 8230 §2).
pub const ALG_PS256: i64 = -37;
/// Content format of an unprotected CWT claims set, as of an EAT that nobody signed (RFC 9711 §9.3).
pub const CONTENT_FORMAT_EAT_UCS: u64 = 267;
/// Key of the platform token in the wrapper.
pub const PLATFORM_TOKEN: u64 = 44234;
/// Key of the realm token in the wrapper.
pub const REALM_TOKEN: u64 = 44241;
/// Key of the log of firmware activations in the wrapper.
pub const FIRMWARE_ACTIVITY_LOG: u64 = 44256;
/// Key of the token of a Realm's devices in the wrapper.
pub const DEVICE_TOKEN: u64 = 44258;
/// Keys of lists of devices in the wrapper.
pub const DEVICE_LISTS: [u64; 2] = [44252, 44253];

/// EAT profile, in both tokens.
pub const PROFILE: u64 = 265;
/// Challenge: the verifier's in the realm token, the hash of the RAK in the platform token.
pub const CHALLENGE: u64 = 10;
/// Profile of platform tokens of 2023.
pub const PLATFORM_PROFILE_2023: &str = "tag:arm.com,2023:cca_platform#1.0.0";
/// Profile of realm tokens of 2023.
pub const REALM_PROFILE_2023: &str = "tag:arm.com,2023:realm#1.0.0";

/// Platform: instance identifier, 33 bytes, the first 0x01.
pub const INSTANCE_ID: u64 = 256;
/// Platform: security lifecycle.
pub const LIFECYCLE: u64 = 2395;
/// Platform: implementation identifier, 32 bytes.
pub const IMPLEMENTATION_ID: u64 = 2396;
/// Platform: software components.
pub const SW_COMPONENTS: u64 = 2399;
/// Platform: verification service, text.
pub const VERIFICATION_SERVICE: u64 = 2400;
/// Platform: configuration.
pub const CONFIG: u64 = 2401;
/// Platform: hash algorithm.
pub const PLATFORM_HASH: u64 = 2402;
/// Platform: who asked for the token; 1 is the Realm Management Security Domain.
pub const CLIENT_ID: u64 = 2394;
/// Platform: record of its production.
pub const MANUFACTURING_CONFIG: u64 = 2403;
/// Platform: devices that were added to it at run time.
pub const PLATFORM_EXTENSION: u64 = 2404;
/// Platform: keys that its boot trusts.
pub const ROTPKS: u64 = 2405;
/// Platform: signers of peers.
pub const PEER_SIGNERS: u64 = 2406;
/// Platform: binding to a TPM.
pub const TPM_BINDING: u64 = 2407;
/// Platform: binding to what it vouches for, since 2026.
pub const WORKLOAD_BINDING: u64 = 2408;

/// Component map: type.
pub const COMPONENT_TYPE: u64 = 1;
/// Component map: measurement.
pub const COMPONENT_MEASUREMENT: u64 = 2;
/// Component map: version.
pub const COMPONENT_VERSION: u64 = 4;
/// Component map: identifier of the signer.
pub const COMPONENT_SIGNER: u64 = 5;
/// Component map: hash algorithm.
pub const COMPONENT_HASH: u64 = 6;
/// Component map: whether it can be replaced while it runs.
pub const COMPONENT_LIVE: u64 = 7;
/// Component map: identifiers of further signers.
pub const COMPONENT_COUNTERSIGNERS: u64 = 8;

/// Realm: personalisation value, 64 bytes.
pub const RPV: u64 = 44235;
/// Realm: hash algorithm of RIM and REMs.
pub const REALM_HASH: u64 = 44236;
/// Realm: public key of the RAK.
pub const RAK: u64 = 44237;
/// Realm: initial measurement.
pub const RIM: u64 = 44238;
/// Realm: extensible measurements, an array of four.
pub const REMS: u64 = 44239;
/// Realm: hash algorithm of the binding to the platform token.
pub const RAK_HASH: u64 = 44240;
/// Realm: policy of memory encryption contexts, in text, as the first draft of 2024 had it.
pub const MEC_POLICY_TEXT: u64 = 44241;
/// Realm: policy of memory encryption contexts, 0 shared or 1 private.
pub const MEC_POLICY: u64 = 44243;
/// Realm: whether firmware may be replaced while it runs, 0 or 1.
pub const LIVE_ACTIVATION_POLICY: u64 = 44244;
/// Realm: hash of the token of its devices.
pub const DEVICES_HASH: u64 = 44257;

/// Mask that takes the major part of a lifecycle value.
pub const LIFECYCLE_MAJOR: u32 = 0xFF00;
/// Lifecycle: secured.
pub const LIFECYCLE_SECURED: u32 = 0x3000;
/// Lifecycle: recoverable debug of the platform's root of trust.
pub const LIFECYCLE_DEBUG: u32 = 0x5000;

/// First bytes of a COSE_Key of a P-384 point: map of 4, kty EC2, crv P-384, x follows as a 48-byte string.
pub const COSE_KEY_P384_HEAD: [u8; 8] = [0xA4, 0x01, 0x02, 0x20, 0x02, 0x21, 0x58, 0x30];
/// Bytes between x and y in a COSE_Key of a P-384 point.
pub const COSE_KEY_P384_MID: [u8; 3] = [0x22, 0x58, 0x30];
/// Length of a COSE_Key of a P-384 point in this form.
pub const COSE_KEY_P384_LEN: usize = 107;

/// Writes the COSE_Key of a P-384 point in the one form that the RMM uses (RFC 9052 §7; RFC 9053 §7.1.1).
#[must_use]
pub fn cose_key_p384(x: &[u8; 48], y: &[u8; 48]) -> [u8; COSE_KEY_P384_LEN] {
    let mut key = [0; COSE_KEY_P384_LEN];
    let parts: [&[u8]; 4] = [&COSE_KEY_P384_HEAD, x, &COSE_KEY_P384_MID, y];
    for (to, from) in key.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    key
}
