//! Where the parts of a VM stand in its memory, and how wide its addresses are.

use core::ops::Range;

use abi::GRANULE_U64;

use super::IPA_WIDTH_MIN;
use crate::Error;
use crate::image::Image;

/// First byte of RAM.
pub const RAM: u64 = 0x4000_0000;
/// Bytes that one level 2 entry translates, and the alignment of kernel, device tree and memory size.
pub const BLOCK: u64 = 2 << 20;
/// Bytes that one level 2 table translates.
pub const TABLE_SPAN: u64 = 1 << 30;

/// Where the parts stand, as addresses of the Realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// All of RAM.
    pub ram: Range<u64>,
    /// The kernel with its BSS, at the start of RAM plus its `text_offset`.
    pub kernel: Range<u64>,
    /// The initial RAM disk to its exact end, in the first granule after the kernel.
    pub initrd: Range<u64>,
    /// The device tree's own block of 2 MiB, the first after the initial RAM disk.
    pub dtb: Range<u64>,
}

impl Layout {
    /// Places the parts one after another.
    ///
    /// # Errors
    /// [`Error::NoRoom`] names the first part that ends after RAM.
    pub fn new(kernel: &Image, initrd: u64, memory: u64) -> Result<Layout, Error> {
        let place = |part, start: Option<u64>, size: u64, unit: u64| {
            let start = start.and_then(|start| start.checked_next_multiple_of(unit));
            let end = start.and_then(|start| start.checked_add(size));
            let needed = end.unwrap_or(u64::MAX).saturating_sub(RAM);
            match start.zip(end).filter(|_| needed <= memory) {
                Some((start, end)) => Ok(start..end),
                None => Err(Error::NoRoom { part, expected: needed, found: memory }),
            }
        };
        let kernel = place("kernel", RAM.checked_add(kernel.text_offset), kernel.image_size, GRANULE_U64)?;
        let initrd = place("initrd", Some(kernel.end), initrd, GRANULE_U64)?;
        let dtb = place("device tree", Some(initrd.end), BLOCK, BLOCK)?;
        Ok(Layout { ram: RAM..RAM.saturating_add(memory), kernel, initrd, dtb })
    }
}

/// Width of the address space whose lower half holds `ram_end`, level at which its translation starts, and the number
/// of root tables: the fewest levels that 16 root tables allow, as KVM chooses (RMM 1.0, A5.5).
pub(super) fn address_space(ram_end: u64) -> (u8, i64, u32) {
    let bits = u64::BITS - ram_end.saturating_sub(1).leading_zeros();
    let width = (bits + 1).max(u32::from(IPA_WIDTH_MIN));
    let below = width.saturating_sub(8) / 9;
    let one_table = 9 * below.saturating_sub(1) + 21;
    let roots = 1u32.checked_shl(width.saturating_sub(one_table)).unwrap_or(0);
    (u8::try_from(width).unwrap_or(u8::MAX), 4 - i64::from(below), roots)
}
