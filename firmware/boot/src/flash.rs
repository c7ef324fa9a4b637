//! Flash 0, read word by word into copies: nothing is ever judged in place.

use core::arch::asm;

use abi::map;
use rot::Refusal;

/// Fills `to` from `offset`, a multiple of 8, in flash 0; refuses a range that is not all in flash.
pub fn read(offset: u64, to: &mut [u8]) -> Result<(), Refusal> {
    let end = offset.saturating_add(to.len() as u64);
    if end > map::FLASH0_SIZE || !offset.is_multiple_of(8) {
        return Err(Refusal::Range { what: "flash range's end", least: 0, most: map::FLASH0_SIZE, found: end });
    }
    let (words, rest) = to.as_chunks_mut();
    let mut address = map::FLASH0 + offset;
    for chunk in words {
        *chunk = word(address).to_le_bytes();
        address += 8;
    }
    if !rest.is_empty() {
        rest.iter_mut().zip(word(address).to_le_bytes()).for_each(|(to, from)| *to = from);
    }
    Ok(())
}

/// Reads an array from `offset` in flash 0.
pub fn array<const N: usize>(offset: u64) -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    read(offset, &mut bytes)?;
    Ok(bytes)
}

/// Reads eight bytes; an instruction and not a reference, because flash begins at address zero.
fn word(address: u64) -> u64 {
    let value: u64;
    // SAFETY: `read` keeps the address, a multiple of 8, in flash 0, which is mapped and which reading does not change.
    unsafe { asm!("ldr {0}, [{1}]", out(reg) value, in(reg) address, options(nostack, readonly, preserves_flags)) }
    value
}
