//! What platforms have been found to be before: a platform signs one token per boot, and shows it with every answer.
//!
//! What is remembered of a platform token is its trust anchor, its chain, its standing and its signature, which depend on
//! the token, on the anchors, and on the time. The token is in the key; whoever changes the anchors forgets everything
//! ([`Remembering::change`]); and a finding holds only until the next moment at which a certificate or a list begins or
//! ceases to be valid. Nothing else of a verdict is remembered: the Realm's signature, the binding to this platform, the
//! challenge and every comparison are judged each time. Nor is any failure, so that only who is endorsed can fill it.

use crate::check::Check;
use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use evidence::cose::Sign1;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// What identifies a platform token with everything in it that its judgement depends on.
pub(crate) type Id = [u8; SHA256_OUTPUT_LEN];

/// SHA-256 of what is signed in a platform token, headers and claims, and of the signature.
pub(crate) fn id(half: &Sign1<'_>) -> Id {
    let signed = half.signed_bytes();
    let mut hash = Context::new(&SHA256);
    hash.update(&(signed.len() as u64).to_be_bytes());
    hash.update(&signed);
    hash.update(half.signature());
    let mut id = [0; SHA256_OUTPUT_LEN];
    id.copy_from_slice(hash.finish().as_ref());
    id
}

/// The seconds since 1970 between two moments at which something begins or ceases to be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    first: u64,
    last: u64,
}

impl Window {
    /// The one around `at`, where each of `spans` is the first and the last second of something's validity.
    pub fn around(at: u64, spans: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut window = Self { first: 0, last: u64::MAX };
        for (begins, ends) in spans {
            for change in [Some(begins), ends.checked_add(1)].into_iter().flatten() {
                if change <= at {
                    window.first = window.first.max(change);
                } else {
                    window.last = window.last.min(change.saturating_sub(1));
                }
            }
        }
        window
    }

    fn contains(self, at: u64) -> bool {
        (self.first..=self.last).contains(&at)
    }
}

/// Something that judgements depend on, and the judgements that it led to. It cannot be changed without forgetting them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembering<T> {
    value: T,
    known: Option<Arc<Known>>,
}

impl<T> Deref for Remembering<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Remembering<T> {
    /// To change it. Copies of it keep what they know.
    pub fn change(&mut self) -> &mut T {
        self.remember(self.known.as_ref().map(|known| known.most));
        &mut self.value
    }

    /// Remembers at most so many judgements from now on, or none; forgets those that there are.
    pub fn remember(&mut self, most: Option<NonZeroUsize>) {
        self.known = most.map(|most| Arc::new(Known::new(most)));
    }

    /// What is remembered, if anything is to be.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_deref()
    }
}

/// Checks that passed, by platform token.
#[derive(Debug)]
pub(crate) struct Known {
    most: NonZeroUsize,
    ring: Mutex<Ring>,
}

/// Entries in a ring, of which the hand passes over those that were used since it came by last.
#[derive(Debug, Default)]
struct Ring {
    places: HashMap<Id, usize>,
    entries: Vec<Entry>,
    hand: usize,
}

#[derive(Debug)]
struct Entry {
    id: Id,
    checks: Arc<[Check]>,
    window: Window,
    used: bool,
}

impl Known {
    fn new(most: NonZeroUsize) -> Self {
        Self { most, ring: Mutex::default() }
    }

    /// The checks of a platform token, if they hold `at` this second since 1970.
    pub fn checks(&self, id: &Id, at: u64) -> Option<Arc<[Check]>> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let place = *ring.places.get(id)?;
        let entry = ring.entries.get_mut(place)?;
        if !entry.window.contains(at) {
            return None;
        }
        entry.used = true;
        Some(Arc::clone(&entry.checks))
    }

    /// Remembers checks, in the place of what has not been used for longest if there is no other.
    pub fn insert(&self, id: Id, checks: &[Check], window: Window) {
        let entry = Entry { id, checks: checks.into(), window, used: false };
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match ring.places.get(&id) {
            Some(place) => *place,
            None if ring.entries.len() < self.most.get() => ring.entries.len(),
            None => ring.free(),
        };
        ring.places.insert(id, place);
        match ring.entries.get_mut(place) {
            Some(old) => *old = entry,
            None => ring.entries.push(entry),
        }
    }
}

impl Ring {
    /// Frees the place of an entry that was not used since the hand came by.
    fn free(&mut self) -> usize {
        loop {
            let place = self.hand;
            self.hand = self.hand.checked_add(1).filter(|next| *next < self.entries.len()).unwrap_or(0);
            match self.entries.get_mut(place) {
                Some(entry) if entry.used => entry.used = false,
                Some(entry) => {
                    self.places.remove(&entry.id);
                    return place;
                }
                None => return place,
            }
        }
    }
}

#[cfg(test)]
mod tests;
