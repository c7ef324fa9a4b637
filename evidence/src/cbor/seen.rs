//! The keys of a map, each of which may stand there once.

use super::Key;
use alloc::vec::Vec;

/// Claims of a token that have large numbers for keys, at most, as profiles are today.
const USUAL: usize = 16;

/// The keys of a map that have been met.
#[derive(Default)]
pub(super) struct Seen<'b> {
    /// One bit for each of the numbers below 64.
    small: u64,
    /// The larger ones, and the largest of them.
    uints: Vec<u64>,
    largest: u64,
    others: Vec<Key<'b>>,
}

impl<'b> Seen<'b> {
    /// Takes note of a key, and answers whether it is the first of its kind.
    #[inline]
    pub(super) fn is_new(&mut self, key: Key<'b>) -> bool {
        match key {
            Key::Uint(number @ 0..64) => {
                let bit = 1 << number;
                let new = self.small & bit == 0;
                self.small |= bit;
                new
            }
            // In the order that most encoders keep, each is larger than those before.
            Key::Uint(number) if number > self.largest => {
                self.largest = number;
                if self.uints.capacity() == 0 {
                    self.uints.reserve(USUAL);
                }
                self.uints.push(number);
                true
            }
            Key::Uint(number) => first(&mut self.uints, number),
            other => first(&mut self.others, other),
        }
    }
}

/// Appends what is not there yet.
#[cold]
fn first<T: PartialEq>(list: &mut Vec<T>, item: T) -> bool {
    let new = !list.contains(&item);
    if new {
        list.push(item);
    }
    new
}
