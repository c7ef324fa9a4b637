//! Public keys as tokens carry them: points, not yet known to lie on their curve, and the RSA keys of virtCCA.

use crate::cbor::{Key, MAJOR_MAP, Reader};
use crate::family::Family;
use crate::malformed::Malformed;
use alloc::vec::Vec;
use core::fmt;

/// COSE_Key parameter `kty` (RFC 9052 §7.1).
const KTY: u64 = 1;
/// Value of `kty` for elliptic curves with both coordinates (RFC 9053 §7.1.1).
const KTY_EC2: i128 = 2;
/// COSE_Key parameters `crv`, `x`, `y` (-1, -2, -3).
const CRV: u64 = 0;
const X: u64 = 1;
const Y: u64 = 2;
/// First byte of an uncompressed point (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 0x04;

/// The curves that profiles use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// Length of a coordinate in bytes.
    #[must_use]
    pub const fn coordinate(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Reads the number of the curve (RFC 9053 §7.1).
    fn from_number(number: i128) -> Option<Self> {
        match number {
            1 => Some(Self::P256),
            2 => Some(Self::P384),
            3 => Some(Self::P521),
            _ => None,
        }
    }

    fn from_point_length(length: usize) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.coordinate() * 2 + 1 == length)
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        })
    }
}

/// First byte of a SubjectPublicKeyInfo: a DER SEQUENCE.
const SEQUENCE: u8 = 0x30;

/// An alleged public key, in the form that its content shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey<'b> {
    /// A point, raw or as a COSE_Key.
    Point(Point<'b>),
    /// A SubjectPublicKeyInfo in DER, not taken apart: virtCCA's form of RSA keys.
    Info(&'b [u8]),
}

impl<'b> PublicKey<'b> {
    /// Reads a key: a raw point begins with 0x04, a SubjectPublicKeyInfo with 0x30, anything else is a COSE_Key. Arm CCA
    /// knows no SubjectPublicKeyInfo, virtCCA no COSE_Key. `base` is where the bytes stand in the evidence.
    ///
    /// # Errors
    /// [`Malformed`] if it is none, or of another kind or curve than the family uses.
    pub fn read(bytes: &'b [u8], base: usize, family: Family) -> Result<Self, Malformed> {
        let wrong = |expected| Malformed::Value { claim: "realm public key", expected };
        match (bytes.first(), family) {
            (Some(&UNCOMPRESSED), _) | (_, Family::Cca) => Point::read(bytes, base).map(Self::Point),
            (Some(&SEQUENCE), _) => Ok(Self::Info(bytes)),
            _ => Err(wrong("a raw point or a SubjectPublicKeyInfo")),
        }
    }
}

/// The coordinates of an alleged public key, each of the curve's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point<'b> {
    /// The curve it is said to lie on.
    pub curve: Curve,
    /// First coordinate, big endian.
    pub x: &'b [u8],
    /// Second coordinate, big endian.
    pub y: &'b [u8],
}

impl<'b> Point<'b> {
    /// Reads a key in the form that its content shows: a raw point begins with 0x04 and has the length of one, anything
    /// else is a COSE_Key. `base` is where the bytes stand in the evidence.
    ///
    /// # Errors
    /// [`Malformed`] if it is neither, or of another kind or curve than profiles use.
    pub fn read(bytes: &'b [u8], base: usize) -> Result<Self, Malformed> {
        match bytes {
            [UNCOMPRESSED, coordinates @ ..] => Self::raw(bytes.len(), coordinates),
            [first, ..] if first >> 5 == MAJOR_MAP => Self::cose_key(Reader::new(bytes, base)),
            _ => {
                Err(Malformed::Value { claim: "realm public key", expected: "a raw point from 0x04 on, or a COSE_Key" })
            }
        }
    }

    fn raw(length: usize, coordinates: &'b [u8]) -> Result<Self, Malformed> {
        let wrong = Malformed::Size { claim: "realm public key", expected: "65, 97 or 133", found: length };
        let curve = Curve::from_point_length(length).ok_or(wrong.clone())?;
        let (x, y) = coordinates.split_at_checked(curve.coordinate()).ok_or(wrong)?;
        Ok(Self { curve, x, y })
    }

    fn cose_key(mut reader: Reader<'b>) -> Result<Self, Malformed> {
        let (mut kty, mut crv, mut x, mut y) = (None, None, None, None);
        reader.map(|key, value| {
            match key {
                Key::Uint(KTY) => kty = Some(value.int()?),
                Key::Nint(CRV) => crv = Some(value.int()?),
                Key::Nint(X) => x = Some(value.bytes()?),
                Key::Nint(Y) => y = Some(value.bytes()?),
                _ => value.skip()?,
            }
            Ok(())
        })?;
        reader.end()?;
        let wrong = |expected| Malformed::Value { claim: "realm public key", expected };
        if kty != Some(KTY_EC2) {
            return Err(wrong("a key of type EC2"));
        }
        let curve = crv.and_then(Curve::from_number).ok_or(wrong("curve P-256, P-384 or P-521"))?;
        let (x, y) = x.zip(y).ok_or(wrong("both coordinates"))?;
        if x.len() != curve.coordinate() || y.len() != curve.coordinate() {
            return Err(wrong("coordinates of the curve's length"));
        }
        Ok(Self { curve, x, y })
    }

    /// The point in its uncompressed form (SEC 1, 2.3.3).
    #[must_use]
    pub fn uncompressed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.x.len().saturating_add(self.y.len()).saturating_add(1));
        bytes.push(UNCOMPRESSED);
        bytes.extend_from_slice(self.x);
        bytes.extend_from_slice(self.y);
        bytes
    }
}
