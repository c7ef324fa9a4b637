//! The boot manifest that the monitor leaves in the shared page (RMM-EL3 interface, boot manifest 0.3).

use abi::GRANULE;
use abi::el3::{Bank, List, Manifest};
use abi::map;
use core::mem::size_of;
use zerocopy::FromBytes;

/// Most banks of DRAM that are managed.
pub const MAX_BANKS: usize = 4;

/// Why the RMM cannot boot, as RMM_BOOT_COMPLETE reports it (RMM-EL3 interface, boot protocol).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum BootError {
    /// Something else.
    Unknown = -1,
    /// The interface has a version that is not spoken here.
    Version = -2,
    /// More CPUs than there are stacks.
    CpuCount = -3,
    /// The CPU's number is not below their count.
    CpuNumber = -4,
    /// The shared page is not where it must be.
    SharedPage = -5,
    /// The manifest has a version that is not understood.
    ManifestVersion = -6,
    /// The manifest's content is not valid.
    Manifest = -7,
}

/// Gives the banks of DRAM that the manifest in `page` lists, unused places being empty.
///
/// # Errors
/// [`BootError::ManifestVersion`], or [`BootError::Manifest`] if a checksum is wrong or a bank is empty, not aligned, out of
/// order, overlapping another or the RMM.
pub fn banks(page: &[u8; GRANULE]) -> Result<[Bank; MAX_BANKS], BootError> {
    let (manifest, _) = Manifest::read_from_prefix(page).map_err(|_| BootError::Manifest)?;
    if manifest.version >> 16 != abi::el3::MANIFEST_VERSION >> 16 || manifest.version < abi::el3::MANIFEST_VERSION {
        return Err(BootError::ManifestVersion);
    }
    let mut banks = [Bank { base: 0, size: 0 }; MAX_BANKS];
    let number = usize::try_from(manifest.dram.number).map_err(|_| BootError::Manifest)?;
    let used = banks.get_mut(..number).ok_or(BootError::Manifest)?;
    let mut sum = opening_sum(&manifest.dram);
    let mut end = map::RMM_END;
    for (i, bank) in used.iter_mut().enumerate() {
        *bank = element(page, &manifest.dram, i)?;
        sum = sum.wrapping_add(bank.base).wrapping_add(bank.size);
        end = bank_end(bank, end)?;
    }
    if sum == 0 && number > 0 { Ok(banks) } else { Err(BootError::Manifest) }
}

fn opening_sum(list: &List) -> u64 {
    list.number.wrapping_add(list.pointer).wrapping_add(list.checksum)
}

fn element(page: &[u8; GRANULE], list: &List, index: usize) -> Result<Bank, BootError> {
    let offset = list.pointer.checked_sub(map::RMM_SHARED).and_then(|o| usize::try_from(o).ok());
    let from = offset.and_then(|o| o.checked_add(index * size_of::<Bank>())).ok_or(BootError::Manifest)?;
    let bytes = page.get(from..).ok_or(BootError::Manifest)?;
    Bank::read_from_prefix(bytes).map(|(bank, _)| bank).map_err(|_| BootError::Manifest)
}

/// Checks one bank, which may start no earlier than `floor`, and gives its end.
fn bank_end(bank: &Bank, floor: u64) -> Result<u64, BootError> {
    let end = bank.base.checked_add(bank.size).ok_or(BootError::Manifest)?;
    let aligned = abi::is_granule_aligned(bank.base) && abi::is_granule_aligned(bank.size);
    if aligned && bank.size > 0 && bank.base >= floor && end <= crate::memory::NORMAL_ALIAS {
        Ok(end)
    } else {
        Err(BootError::Manifest)
    }
}
