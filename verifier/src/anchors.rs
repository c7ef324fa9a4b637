//! Whom the caller trusts: roots, the endorsements below them, and keys that are pinned outright.

use crate::anchor_file::{self, Trusted};
use crate::cache::{Known, Remembering, Window};
use crate::certificate::{Certificate, Identity, Unreadable, read_file};
use crate::chain::{self, Broken};
use crate::key::{Key, hash};
use crate::revocation::{self, RevocationList};
use evidence::Token;
use evidence::hex::Hex;
use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;

/// Roots, endorsements, pinned keys, and lists of what has been revoked.
#[derive(Clone, Debug, Default)]
pub struct Anchors(Remembering<Held>);

#[derive(Clone, Debug, Default)]
struct Held {
    roots: Vec<Certificate>,
    endorsements: Vec<Certificate>,
    pinned: Vec<(Option<Identity>, Key)>,
    revocations: Vec<RevocationList>,
    test_keys: bool,
}

/// Whose key is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The platform key of Arm CCA (CPAK) of this platform.
    Platform(&'a Identity),
    /// The platform key of virtCCA's second generation. Its certificate comes with the evidence, and does not say which
    /// platform it is for.
    VirtCca2(&'a Identity),
    /// The device key of virtCCA's first generation. The token carries the same one, if it is genuine and can be read.
    VirtCca1(Option<&'a Key>),
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

    /// Its certificates, of which any may lead to a root.
    #[must_use]
    pub fn certificates(&self) -> &[&'a Certificate] {
        &self.certificates
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

    /// Trusts what a file holds: authorities, certificates of platforms, keys of platforms, or all of them. A key without
    /// the name of a platform is trusted for whichever platform shows a token by it.
    ///
    /// # Errors
    /// [`Unreadable`]; nothing of the file is then trusted.
    pub fn add(&mut self, file: &[u8]) -> Result<(), Unreadable> {
        let trusted = anchor_file::read(file)?;
        let held = self.0.change();
        for trusted in trusted {
            match trusted {
                Trusted::Certificate(certificate) => {
                    // A platform's own certificate is the whole path to it.
                    if !certificate.is_authority() {
                        held.endorsements.push((*certificate).clone());
                    }
                    held.roots.push(*certificate);
                }
                Trusted::Key(identity, key) => held.pinned.push((identity, key)),
            }
        }
        Ok(())
    }

    /// Trusts the authorities of a file (PEM, one or more, or DER).
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn add_roots(&mut self, file: &[u8]) -> Result<(), Unreadable> {
        self.0.change().roots.extend(read_file(file)?);
        Ok(())
    }

    /// Takes the certificates of a file as endorsements: they are believed only below a root.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn add_endorsements(&mut self, file: &[u8]) -> Result<(), Unreadable> {
        self.0.change().endorsements.extend(read_file(file)?);
        Ok(())
    }

    /// Takes the lists of revoked certificates of a file: each is believed only if its authority signed it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn add_revocations(&mut self, file: &[u8]) -> Result<(), Unreadable> {
        self.0.change().revocations.extend(revocation::read_file(file)?);
        Ok(())
    }

    /// The same with the certificates in the headers of a token, as endorsements: like any others they are believed only
    /// below a root, and only for the platform that they name.
    ///
    /// # Errors
    /// Why they cannot be, in words: one is unreadable, or the header names another by its hash.
    pub(crate) fn with_those_of(&self, token: &Token<'_>) -> Result<Cow<'_, Self>, String> {
        let Some(shown) = token.certificates() else { return Ok(Cow::Borrowed(self)) };
        let mut anchors = self.clone();
        for der in &shown.chain {
            anchors.add_endorsements(der).map_err(|error| format!("certificate in the header: {error}"))?;
        }
        match (shown.thumbprint, shown.chain.first()) {
            (Some((algorithm, named)), Some(first)) if hash(algorithm, first) != named => {
                Err("the header names another certificate by its hash than it shows".to_string())
            }
            _ => Ok(Cow::Owned(anchors)),
        }
    }

    /// Trusts a key for one platform, without certificates.
    pub fn pin(&mut self, identity: Identity, key: Key) {
        self.0.change().pinned.push((Some(identity), key));
    }

    /// Trusts a key for whichever platform shows a token by it, without certificates.
    pub fn pin_any(&mut self, key: Key) {
        self.0.change().pinned.push((None, key));
    }

    /// Lets keys pass whose private halves are published: anybody can then make a token that is authentic.
    pub fn allow_test_keys(&mut self) {
        self.0.change().test_keys = true;
    }

    /// Whether such keys pass.
    #[must_use]
    pub fn test_keys_allowed(&self) -> bool {
        self.0.test_keys
    }

    /// Remembers what it found of platforms, at most so many of them, so that a token of one that has been seen before
    /// costs one signature instead of two. What is remembered is forgotten with any change of the anchors, and at any
    /// moment at which a certificate or a list begins or ceases to be valid. 0 remembers nothing, as at the start.
    pub fn remember(&mut self, platforms: usize) {
        self.0.remember(NonZeroUsize::new(platforms));
    }

    /// What is remembered, if anything is to be.
    pub(crate) fn known(&self) -> Option<&Known> {
        self.0.known()
    }

    /// The time around `at` in which everything here is as valid, or not, as it is then.
    pub(crate) fn window(&self, at: u64) -> Window {
        let certificates = self.0.roots.iter().chain(&self.0.endorsements).map(|it| (it.not_before, it.not_after));
        let lists = self.0.revocations.iter().map(RevocationList::validity);
        Window::around(at, certificates.chain(lists))
    }

    /// The lists of revoked certificates.
    #[must_use]
    pub fn revocations(&self) -> &[RevocationList] {
        &self.0.revocations
    }

    /// Whether there is neither root nor pinned key, so that no token can ever be authentic.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.roots.is_empty() && self.0.pinned.is_empty()
    }

    /// Finds the one key that is wanted.
    ///
    /// # Errors
    /// [`NoAnchor`] if there is none, or if two are different.
    pub fn select(&self, wanted: Wanted<'_>) -> Result<Endorsed<'_>, NoAnchor> {
        let pinned =
            self.0.pinned.iter().filter(|(of, key)| wanted.admits_pinned(of.as_ref(), key)).map(|(_, key)| key);
        let mut pinned: Vec<&Key> = pinned.collect();
        let mut certificates: Vec<&Certificate> =
            self.0.endorsements.iter().filter(|it| wanted.admits_certificate(it)).collect();
        if let Wanted::VirtCca1(Some(own)) = wanted {
            // Among many devices' certificates, the one with the token's key; else the only one shows what is wrong.
            if pinned.contains(&own) || certificates.iter().any(|it| it.key() == own) {
                pinned.retain(|key| *key == own);
                certificates.retain(|it| it.key() == own);
            }
        }
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
        let endorsed = self.0.endorsements.iter().filter_map(Certificate::identity);
        self.0.pinned.iter().filter_map(|(of, _)| of.as_ref()).chain(endorsed)
    }

    /// The path from one of a key's certificates to a root, valid `at` that second since 1970.
    ///
    /// # Errors
    /// [`Broken`], of the first certificate; [`Broken::NoCertificate`] if the key is pinned and has none.
    pub fn path<'a>(&'a self, endorsed: &Endorsed<'a>, at: u64) -> Result<Vec<&'a Certificate>, Broken> {
        let mut first = None;
        for leaf in &endorsed.certificates {
            match chain::path(leaf, &self.0.endorsements, &self.0.roots, at) {
                Ok(path) => return Ok(path),
                Err(broken) => first = first.or(Some(broken)),
            }
        }
        Err(first.unwrap_or(Broken::NoCertificate))
    }
}

impl Wanted<'_> {
    fn admits_pinned(self, of: Option<&Identity>, key: &Key) -> bool {
        match self {
            Self::Platform(identity) | Self::VirtCca2(identity) => {
                of.is_none_or(|of| of == identity) && !matches!(key, Key::Rsa(_))
            }
            Self::VirtCca1(_) => of.is_none() && matches!(key, Key::Rsa(_)),
        }
    }

    fn admits_certificate(self, certificate: &Certificate) -> bool {
        let (identity, key) = (certificate.identity(), certificate.key());
        match self {
            Self::Platform(wanted) => identity == Some(wanted),
            Self::VirtCca2(wanted) => {
                identity.is_none_or(|it| it == wanted) && !certificate.is_authority() && matches!(key, Key::P521(_))
            }
            Self::VirtCca1(_) => identity.is_none() && !certificate.is_authority() && matches!(key, Key::Rsa(_)),
        }
    }
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform(identity) => write!(out, "one endorsed key for {identity}"),
            Self::VirtCca2(_) => {
                out.write_str("the certificate of the machine's platform key (P-521), one and no more")
            }
            Self::VirtCca1(_) => out.write_str("the certificate of the machine's device key (RSA), one and no more"),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "implementation {}, instance {}", Hex(&self.implementation_id), Hex(&self.instance_id))
    }
}
