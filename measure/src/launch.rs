//! A Realm as its host launches it, as far as the RIM depends on that.
//!
//! The order is the one of KVM hosts that speak RMM 1.0 up to v11: create, all RAM to RIPAS RAM, measured data in
//! ascending address, the one REC that runs, unmeasured data.

use std::ops::Range;

use abi::{GRANULE, GRANULE_U64};

use crate::blob::Blob;
use crate::rim::{Params, Rim};
use crate::{Error, Expected};

/// An image and where it stands.
#[derive(Debug)]
pub struct Placed<'a> {
    /// What it is: `kernel`, `initrd`, `device tree` or `firmware`.
    pub what: &'static str,
    /// Address of its first byte, which need not begin a granule.
    pub ipa: u64,
    /// Its bytes.
    pub blob: Blob<'a>,
}

/// The REC that runs from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// First instruction.
    pub pc: u64,
    /// First x0; x1 to x7 are 0.
    pub x0: u64,
}

/// A Realm about to be launched.
#[derive(Debug)]
pub struct Launch<'a> {
    /// What it is created with.
    pub params: Params,
    /// Its RAM.
    pub ram: Range<u64>,
    /// Bytes that one entry of its tables translates while its RAM is set to RIPAS RAM, each a power of two, largest
    /// first: RTT_INIT_RIPAS is measured once per entry.
    pub entries: &'static [u64],
    /// Its measured images in any order.
    pub images: Vec<Placed<'a>>,
    /// Its first REC.
    pub entry: Entry,
    /// What is populated without being measured, after the REC.
    pub unmeasured: Option<Range<u64>>,
    /// Its personalization value, which is not measured.
    pub rpv: [u8; 64],
}

impl Launch<'_> {
    /// Reads every image once and gives the measurements that the Realm's token must show.
    ///
    /// # Errors
    /// An image that cannot be read, or one that stands where another does or outside of the address space.
    pub fn measure(self) -> Result<Expected, Error> {
        let mut rim = Rim::new(&self.params);
        for entry in ripas(self.ram.clone(), self.entries) {
            rim.ripas(entry.start, entry.end);
        }
        let mut images = self.images;
        images.sort_by_key(|image| image.ipa);
        let mut free = 0;
        for image in images {
            free = data(&mut rim, image, free)?;
        }
        rim.rec(self.entry.pc, &[self.entry.x0, 0, 0, 0, 0, 0, 0, 0]);
        for ipa in self.unmeasured.into_iter().flat_map(|range| range.step_by(GRANULE)) {
            rim.data_unmeasured(ipa);
        }
        Ok(Expected::new(self.params.hash, rim.value(), self.rpv))
    }
}

/// Table entries that cover `ram`, each as large as fits there.
fn ripas(ram: Range<u64>, entries: &'static [u64]) -> impl Iterator<Item = Range<u64>> {
    let mut base = ram.start;
    std::iter::from_fn(move || {
        let fits = |size: &&u64| base.is_multiple_of(**size) && ram.end.saturating_sub(base) >= **size;
        let size = entries.iter().find(fits)?;
        let entry = base..base.saturating_add(*size);
        base = entry.end;
        Some(entry)
    })
}

/// Measures an image whose first granule is not below `free`; gives the first granule after it.
fn data(rim: &mut Rim, image: Placed<'_>, free: u64) -> Result<u64, Error> {
    let skip = image.ipa % GRANULE_U64;
    let mut ipa = image.ipa - skip;
    if ipa < free {
        return Err(Error::Overlap { what: image.what, ipa, free });
    }
    image.blob.granules(image.what, skip as usize, |page| {
        rim.data(ipa, page);
        ipa = ipa.saturating_add(GRANULE_U64);
    })?;
    Ok(ipa)
}

/// Bytes that one entry of each level of KVM's tables translates, largest first, when addresses are `ipa_width` bits
/// wide: KVM starts at the level that at most 16 concatenated tables allow (RMM 1.0, A5.5).
#[must_use]
pub fn kvm_entries(ipa_width: u8) -> &'static [u64] {
    const SIZES: [u64; 4] = [1 << 39, 1 << 30, 1 << 21, 1 << 12];
    let levels = usize::from(ipa_width.saturating_sub(8) / 9).clamp(1, 4);
    &SIZES[SIZES.len() - levels..]
}

#[cfg(test)]
mod tests;
