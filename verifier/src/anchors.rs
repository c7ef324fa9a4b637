//! Whom the caller trusts: roots, the endorsements below them, and keys that are pinned outright.

use crate::certificate::{Certificate, Identity, Unreadable, read_file};
use crate::chain::{self, Broken};
use crate::key::Key;
use evidence::hex::Hex;
use std::fmt;

/// Roots, endorsements and pinned keys.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    roots: Vec<Certificate>,
    endorsements: Vec<Certificate>,
    pinned: Vec<(Identity, Key)>,
}

/// Why there is not exactly one key for a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnchor {
    /// Nobody endorses this platform.
    None,
    /// Several different keys are endorsed for it.
    Several {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for NoAnchor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::Several { count } => write!(out, "{count} different keys"),
        }
    }
}

/// The key for a platform, and how it came to be trusted.
#[derive(Clone, Debug)]
pub struct Endorsed<'a> {
    key: &'a Key,
    pinned: bool,
    certificates: Vec<&'a Certificate>,
}

impl<'a> Endorsed<'a> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &'a Key {
        self.key
    }

    /// Whether the caller vouches for the key itself, so that no chain has to.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }
}

impl Anchors {
    /// Nobody is trusted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities of a file (PEM, one or more, or DER).
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn add_roots(&mut self, file: &[u8]) -> Result<(), Unreadable> {
        self.roots.extend(read_file(file)?);
        Ok(())
    }

    /// Takes the certificates of a file as endorsements: they are believed only below a root.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn add_endorsements(&mut self, file: &[u8]) -> Result<(), Unreadable> {
        self.endorsements.extend(read_file(file)?);
        Ok(())
    }

    /// Trusts a key for one platform, without certificates.
    pub fn pin(&mut self, identity: Identity, key: Key) {
        self.pinned.push((identity, key));
    }

    /// Whether there is neither root nor pinned key, so that no token can ever be authentic.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.pinned.is_empty()
    }

    /// Finds the one key for a platform.
    ///
    /// # Errors
    /// [`NoAnchor`] if there is none, or if two are different.
    pub fn select(&self, identity: &Identity) -> Result<Endorsed<'_>, NoAnchor> {
        let pinned: Vec<&Key> = self.pinned.iter().filter(|(of, _)| of == identity).map(|(_, key)| key).collect();
        let certificates: Vec<&Certificate> =
            self.endorsements.iter().filter(|it| it.identity() == Some(identity)).collect();
        let mut keys: Vec<&Key> = Vec::new();
        for key in pinned.iter().copied().chain(certificates.iter().map(|it| it.key())) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        match keys.as_slice() {
            [] => Err(NoAnchor::None),
            [key] => Ok(Endorsed { key, pinned: !pinned.is_empty(), certificates }),
            several => Err(NoAnchor::Several { count: several.len() }),
        }
    }

    /// Every platform for which there is a key, in no order, each once or more.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        let endorsed = self.endorsements.iter().filter_map(Certificate::identity);
        self.pinned.iter().map(|(of, _)| of).chain(endorsed)
    }

    /// The path from one of a key's certificates to a root, valid `at` that second since 1970.
    ///
    /// # Errors
    /// [`Broken`], of the first certificate; [`Broken::NoCertificate`] if the key is pinned and has none.
    pub fn path<'a>(&'a self, endorsed: &Endorsed<'a>, at: u64) -> Result<Vec<&'a Certificate>, Broken> {
        let mut first = None;
        for leaf in &endorsed.certificates {
            match chain::path(leaf, &self.endorsements, &self.roots, at) {
                Ok(path) => return Ok(path),
                Err(broken) => first = first.or(Some(broken)),
            }
        }
        Err(first.unwrap_or(Broken::NoCertificate))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "implementation {}, instance {}", Hex(&self.implementation_id), Hex(&self.instance_id))
    }
}
