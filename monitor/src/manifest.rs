//! The boot manifest 0.3 that the RMM finds in the shared page (RMM-EL3 interface).

use abi::el3::{Bank, List, MANIFEST_VERSION, Manifest};
use abi::map;
use zerocopy::{Immutable, IntoBytes};

/// The manifest and the one bank of DRAM that the Normal world may have delegated, as bytes of the shared page.
#[derive(Clone, Copy, IntoBytes, Immutable)]
#[repr(C)]
pub struct Page {
    manifest: Manifest,
    bank: Bank,
}

impl Page {
    /// Describes a machine whose DRAM ends at `dram_end`. There is no console: the RMM prints through the monitor.
    #[must_use]
    pub fn new(dram_end: u64) -> Page {
        let bank = Bank { base: map::RMM_END, size: dram_end.saturating_sub(map::RMM_END) };
        let pointer = map::RMM_SHARED + size_of::<Manifest>() as u64;
        let manifest = Manifest {
            version: MANIFEST_VERSION,
            padding: 0,
            plat_data: 0,
            dram: list(1, pointer, &[bank.base, bank.size]),
            console: list(0, 0, &[]),
        };
        Page { manifest, bank }
    }
}

/// Makes a list whose number, pointer, checksum and elements add up to zero.
fn list(number: u64, pointer: u64, words: &[u64]) -> List {
    let sum = words.iter().fold(number.wrapping_add(pointer), |sum, word| sum.wrapping_add(*word));
    List { number, pointer, checksum: sum.wrapping_neg() }
}

#[cfg(test)]
mod tests {
    use super::Page;
    use abi::el3::Manifest;
    use abi::map;
    use zerocopy::{FromBytes, IntoBytes};

    #[test]
    fn manifest_names_what_the_host_may_delegate_and_its_lists_add_up_to_zero() {
        let page = Page::new(0xC000_0000);
        let (manifest, rest) = Manifest::read_from_prefix(page.as_bytes()).unwrap();
        assert_eq!((manifest.version, manifest.padding, manifest.plat_data), (3, 0, 0));
        assert_eq!(manifest.dram.pointer, map::RMM_SHARED + 64);
        let words: [u64; 2] = zerocopy::transmute!(<[u8; 16]>::try_from(rest).unwrap());
        assert_eq!(words, [0x4200_0000, 0x7E00_0000]);
        let list = manifest.dram;
        let sum = [list.pointer, list.checksum, words[0], words[1]].iter().fold(list.number, |a, b| a.wrapping_add(*b));
        assert_eq!(sum, 0);
        let none = manifest.console;
        assert_eq!([none.number, none.pointer, none.checksum], [0, 0, 0]);
    }
}
