//! Content of granules.

use super::{GRANULE, Model, State};

/// The bytes of one granule.
pub type Image = Box<[u8; GRANULE as usize]>;

/// The eight bytes at an offset, little endian.
pub fn word(image: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(image[offset..offset + 8].try_into().expect("eight bytes"))
}

/// Sets the eight bytes at an offset.
pub fn set_word(image: &mut [u8], offset: usize, value: u64) {
    image[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
}

impl Model {
    /// What a granule holds.
    #[must_use]
    pub fn image(&self, pa: u64) -> Image {
        self.memory.get(&pa).cloned().unwrap_or_else(|| Box::new([0; GRANULE as usize]))
    }

    /// Tells what a granule now holds.
    pub fn learn(&mut self, pa: u64, image: &[u8; GRANULE as usize]) {
        self.unknown.remove(&pa);
        self.memory.insert(pa, Box::new(*image));
    }

    /// Whether the host can read and write the granule.
    #[must_use]
    pub fn is_normal(&self, pa: u64) -> bool {
        self.granules.get(&pa) == Some(&State::Undelegated)
    }

    pub(super) fn wipe(&mut self, pa: u64) {
        self.memory.remove(&pa);
        self.unknown.remove(&pa);
    }

    pub(super) fn load(&self, pa: u64, offset: u64) -> u64 {
        self.memory.get(&pa).map_or(0, |image| word(&image[..], offset as usize))
    }

    pub(super) fn store(&mut self, pa: u64, offset: u64, value: u64) {
        let image = self.memory.entry(pa).or_insert_with(|| Box::new([0; GRANULE as usize]));
        set_word(&mut image[..], offset as usize, value);
    }
}
