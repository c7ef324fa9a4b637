//! Choices that an input determines, in place of those that a seed does: the commands of `machine`'s comparison with its
//! model are made by the same generator, and libFuzzer learns which choices lead where.

/// Where choices come from.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    bytes: Option<Vec<u8>>,
    at: usize,
}

/// Choices that a seed determines (SplitMix64), until there is an input.
#[allow(non_snake_case, reason = "the generator makes its source by the name of the type")]
#[must_use]
pub const fn Random(seed: u64) -> Random {
    Random { state: seed, bytes: None, at: 0 }
}

impl Random {
    /// Choices that an input determines.
    #[must_use]
    pub fn of(input: &[u8]) -> Random {
        Random { state: 0, bytes: Some(input.to_vec()), at: 0 }
    }

    /// Whether every byte of the input has been used; from then on every choice is the first.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.bytes.as_ref().is_some_and(|bytes| self.at >= bytes.len())
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        if self.bytes.is_some() {
            return self.take(8);
        }
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn take(&mut self, count: usize) -> u64 {
        let rest = self.bytes.as_ref().and_then(|bytes| bytes.get(self.at..)).unwrap_or_default();
        self.at = self.at.saturating_add(count);
        rest.iter().take(count).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A number below another, from as few bytes as tell it.
    pub fn below(&mut self, end: u64) -> u64 {
        let number = match (self.bytes.is_some(), end) {
            (true, 0..=0x100) => self.take(1),
            (true, 0x101..=0x1_0000) => self.take(2),
            _ => self.next(),
        };
        number % end.max(1)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of some values.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// One of some values, the more often the greater the weight beside it.
    pub fn weighted<T: Copy>(&mut self, from: &[(u64, T)]) -> T {
        let mut at = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in from {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        from[0].1
    }
}
