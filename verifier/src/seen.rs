//! Signatures that have held before: a platform signs one token per boot, and shows it with every answer.

use crate::key::Key;
use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use evidence::cose::Sign1;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Signatures that are remembered, at most.
const CAPACITY: usize = 1024;

/// What identifies a signature with everything that it depends on: key, algorithm, what was signed, and itself.
pub(crate) type Id = [u8; 32];

/// Signatures that have held, the oldest forgotten first. None that did not hold is remembered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<VecDeque<Id>>>);

impl Seen {
    /// What identifies the signature of a half under a key.
    pub fn id(key: &Key, half: &Sign1<'_>) -> Id {
        let info = key.info();
        let parts = [info.as_slice(), half.algorithm().name().as_bytes(), &half.signed_bytes(), half.signature()];
        let mut hash = Context::new(&SHA256);
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut id = [0; SHA256_OUTPUT_LEN];
        id.copy_from_slice(hash.finish().as_ref());
        id
    }

    /// Whether it has held before.
    pub fn contains(&self, id: &Id) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// Remembers that it held.
    pub fn remember(&self, id: Id) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= CAPACITY {
            seen.pop_front();
        }
        seen.push_back(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_memory_is_bounded() {
        let seen = Seen::default();
        let id = |number: usize| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            id
        };
        (0..=CAPACITY).for_each(|number| seen.remember(id(number)));
        assert!(!seen.contains(&id(0)) && seen.contains(&id(1)) && seen.contains(&id(CAPACITY)));
        assert_eq!(seen.0.lock().expect("no panic").len(), CAPACITY);
    }
}
