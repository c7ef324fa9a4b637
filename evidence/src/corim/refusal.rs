//! Why bytes are not a CoRIM for Arm CCA.

use crate::cose::Algorithm;
use crate::hash::Hash;
use crate::malformed::Malformed;
use alloc::string::String;
use core::fmt;

/// Which rule a CoRIM breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More bytes than are read.
    TooLong {
        /// The most that is read.
        limit: usize,
        /// What was given.
        found: usize,
    },
    /// Not CBOR of the right structure.
    Structure(Malformed),
    /// A signed CoRIM where an unsigned one belongs, or the other way round.
    Signed {
        /// Whether the one that was found is signed.
        found: bool,
    },
    /// A signed CoRIM whose header names another content than a CoRIM.
    ContentType {
        /// What it names.
        found: String,
    },
    /// A signed CoRIM that does not name its signer.
    NoSignerName,
    /// An algorithm by which no CoRIM is signed here.
    SignatureAlgorithm {
        /// Which.
        found: Algorithm,
    },
    /// A header that names another profile than the content.
    ProfileOutside {
        /// In the header.
        outside: String,
        /// In the content.
        inside: String,
    },
    /// A profile that is not one of Arm CCA's.
    Profile {
        /// What it says.
        found: String,
    },
    /// A CoRIM without its identifier.
    NoId,
    /// A CoRIM that endorses nothing.
    Empty,
    /// Validity that ends before it begins.
    Validity,
    /// Triples of a kind that is not read.
    Triples {
        /// Number of the kind.
        number: u64,
    },
    /// An environment without a class.
    NoClass,
    /// A class that is not the identifier that the layout asks for.
    Class {
        /// What the layout asks for.
        expected: &'static str,
    },
    /// A trust anchor, or a Realm of the old layout, without an instance.
    NoInstance,
    /// An instance that is not the identifier that the layout asks for.
    Instance {
        /// What the layout asks for.
        expected: &'static str,
    },
    /// Two sets of reference values for one platform or Realm in one tag.
    Again {
        /// Of what.
        of: &'static str,
    },
    /// A measurement without a key.
    NoKey,
    /// A measurement whose key the profile does not have.
    Key {
        /// The key.
        found: String,
    },
    /// A measurement with its own list of who may say so.
    AuthorizedBy,
    /// A part of the environment or of a measurement that is not read there.
    Unread {
        /// Where it stands.
        of: &'static str,
        /// Its number.
        number: u64,
    },
    /// A measurement of which only one may be.
    Twice {
        /// Which.
        of: &'static str,
    },
    /// A measurement that must have digests and has none.
    NoDigests {
        /// Which.
        of: &'static str,
    },
    /// A measurement for which only one digest can be meant.
    SeveralDigests {
        /// Which.
        of: &'static str,
        /// How many it has.
        found: usize,
    },
    /// A hash algorithm that CCA does not use.
    DigestAlgorithm,
    /// A digest of another length than its algorithm's.
    DigestLength {
        /// The algorithm.
        hash: Hash,
        /// The length.
        found: usize,
    },
    /// Two digests by one algorithm.
    DigestTwice {
        /// The algorithm.
        hash: Hash,
    },
    /// A component without exactly one signer.
    Signers {
        /// How many it has.
        found: usize,
    },
    /// A hash of a signer's key that is not as long as a hash.
    SignerLength {
        /// Its length.
        found: usize,
    },
    /// A measurement without the value that it must have.
    NoValue {
        /// Which.
        of: &'static str,
    },
    /// A mask of another length than its value.
    Mask {
        /// Length of the value.
        value: usize,
        /// Length of the mask.
        mask: usize,
    },
    /// A personalization value that is empty or longer than 64 bytes.
    Rpv {
        /// Its length.
        found: usize,
    },
    /// A Realm without its initial measurement.
    NoRim,
    /// A Realm whose initial measurement is not the one that it is named by.
    RimDiffers,
    /// A trust anchor without exactly one key.
    Keys {
        /// How many it has.
        found: usize,
    },
    /// A key in another form than the layout asks for.
    KeyForm {
        /// What the layout asks for.
        expected: &'static str,
    },
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::Structure(malformed)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(out, "expected at most {limit} bytes, found {found}"),
            Self::Structure(malformed) => malformed.fmt(out),
            Self::Signed { found: true } => out.write_str("expected a CoRIM that is not signed, found a signed one"),
            Self::Signed { found: false } => out.write_str("expected a signed CoRIM, found one that is not signed"),
            Self::ContentType { found } => {
                write!(out, "expected content type application/rim+cbor in the protected header, found {found:?}")
            }
            Self::NoSignerName => out.write_str("expected the signer's name in the protected header, found none"),
            Self::SignatureAlgorithm { found } => write!(out, "expected ES256, ES384 or ES512, found {found}"),
            Self::ProfileOutside { outside, inside } => {
                write!(out, "the header says profile {outside:?}, the content {inside:?}")
            }
            Self::Profile { found } => write!(out, "profile {found:?} is not one for Arm CCA that is read here"),
            Self::NoId => out.write_str("expected the identifier of the CoRIM, found none"),
            Self::Empty => out.write_str("expected reference values or keys, found neither"),
            Self::Validity => out.write_str("validity: expected an end behind the beginning"),
            Self::Triples { number } => {
                write!(out, "triples: expected reference values (0) or attest keys (3), found kind {number}")
            }
            Self::NoClass => out.write_str("environment: expected a class, found none"),
            Self::Class { expected } => write!(out, "class: expected {expected}"),
            Self::NoInstance => out.write_str("environment: expected an instance, found none"),
            Self::Instance { expected } => write!(out, "instance: expected {expected}"),
            Self::Again { of } => write!(out, "expected one set of reference values for a {of}, found a second"),
            _ => self.measurement(out),
        }
    }
}

impl Refusal {
    /// Shows what is wrong with a measurement or key.
    fn measurement(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => out.write_str("measurement: expected a key, found none"),
            Self::Key { found } => write!(out, "measurement: key {found:?} is not one of the profile's"),
            Self::AuthorizedBy => out.write_str("measurement: expected no authorized-by, found one"),
            Self::Unread { of, number } => write!(out, "{of}: entry {number} has no place there"),
            Self::Twice { of } => write!(out, "{of}: expected one, found a second"),
            Self::NoDigests { of } => write!(out, "{of}: expected digests, found none"),
            Self::SeveralDigests { of, found } => write!(out, "{of}: expected one digest, found {found}"),
            Self::DigestAlgorithm => out.write_str("digest: expected algorithm sha-256, sha-384 or sha-512"),
            Self::DigestLength { hash, found } => write!(out, "digest: {found} bytes are no {hash}"),
            Self::DigestTwice { hash } => write!(out, "digests: expected one for {hash}, found a second"),
            Self::Signers { found } => write!(out, "component: expected one signer id, found {found}"),
            Self::SignerLength { found } => write!(out, "signer id: expected 32, 48 or 64 bytes, found {found}"),
            Self::NoValue { of } => write!(out, "{of}: expected a value, found none"),
            Self::Mask { value, mask } => write!(out, "mask: expected {value} bytes as in the value, found {mask}"),
            Self::Rpv { found } => write!(out, "cca.rpv: expected 1 to 64 bytes, found {found}"),
            Self::NoRim => out.write_str("realm: expected cca.rim, found none"),
            Self::RimDiffers => out.write_str("realm: expected cca.rim to be the realm's identifier, found another"),
            Self::Keys { found } => write!(out, "trust anchor: expected one key, found {found}"),
            Self::KeyForm { expected } => write!(out, "trust anchor: expected {expected}"),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for Refusal {}
