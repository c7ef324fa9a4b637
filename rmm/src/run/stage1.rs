//! The Realm's own translation, walked for one answer: the level of the entry that leads outside the Realm's addresses
//! (RMM 1.0, A5.2.8; VMSAv8-64 stage 1).

use crate::address::GRANULE;
use crate::platform::Platform;
use crate::realm::Realm;
use crate::rec::context::RecContext;

const SCTLR_M: u64 = 1;
const SCTLR_EE: u64 = 1 << 25;
const TCR_DS: u64 = 1 << 59;
const UPPER_HALF: u64 = 1 << 55;
const LAST: i8 = 3;
const ADDRESS: u64 = 0x0000_FFFF_FFFF_FFFF;

/// The fault status of an Address size fault at a level, -1 to 3.
pub const fn address_size(level: i8) -> u64 {
    if level < 0 { 0b10_1001 } else { level as u64 & 0b11 }
}

/// One half of a Realm's virtual addresses.
struct Regime {
    /// The first table.
    base: u64,
    /// Logarithm of a table's bytes: 12, 14 or 16.
    granule: u32,
    /// Bits of an address.
    bits: u32,
    /// Descriptors have addresses of 52 bits in the form of small granules.
    wide: bool,
    big_endian: bool,
}

impl Regime {
    /// The half that an address is in, if the registers describe one.
    fn of(context: &RecContext, address: u64) -> Option<Self> {
        let el1 = &context.el1;
        let upper = address & UPPER_HALF != 0;
        let (ttbr, size, granule) = if upper {
            (
                el1.ttbr1,
                el1.tcr >> 16,
                match el1.tcr >> 30 & 3 {
                    1 => 14,
                    3 => 16,
                    _ => 12,
                },
            )
        } else {
            (
                el1.ttbr0,
                el1.tcr,
                match el1.tcr >> 14 & 3 {
                    1 => 16,
                    2 => 14,
                    _ => 12,
                },
            )
        };
        let bits = 64_u32.checked_sub((size & 0x3F) as u32).filter(|bits| *bits > granule && *bits <= 52)?;
        // Bit 0 is CnP; the table may be smaller than a granule.
        let base = ttbr & ADDRESS & !0x1F;
        let big_endian = el1.sctlr & SCTLR_EE != 0;
        Some(Self { base, granule, bits, wide: el1.tcr & TCR_DS != 0, big_endian })
    }

    /// Logarithm of the entries in a table.
    const fn stride(&self) -> u32 {
        self.granule.saturating_sub(3)
    }

    /// The level of the first table: -1 to 3.
    const fn start(&self) -> i8 {
        let above = self.bits.saturating_sub(self.granule).saturating_sub(1);
        let steps = match above.checked_div(self.stride()) {
            Some(steps) => steps as i8,
            None => 0,
        };
        LAST.saturating_sub(steps)
    }

    /// Where in a table of a level the descriptor for an address is.
    fn offset(&self, level: i8, address: u64) -> u64 {
        let below = u32::from(LAST.abs_diff(level)).saturating_mul(self.stride());
        let shift = self.granule.saturating_add(below).min(63);
        let inside = address & (1_u64 << self.bits).wrapping_sub(1);
        let mask = if level == self.start() { u64::MAX } else { (1_u64 << self.stride()).wrapping_sub(1) };
        (inside >> shift & mask) << 3
    }

    /// The address in a descriptor.
    const fn output(&self, descriptor: u64) -> u64 {
        let low = descriptor & ADDRESS & !((1 << self.granule) - 1);
        if self.granule == 16 {
            low | (descriptor >> 12 & 0xF) << 48
        } else if self.wide {
            low | descriptor & 3 << 48 | (descriptor >> 8 & 3) << 50
        } else {
            low
        }
    }
}

/// Gives the level of the entry that leads outside the realm's addresses: of the table, or the leaf, for `address`. It is
/// 0 where stage 1 is off, where the first table itself is outside, and where the tables are not the Realm's to be read.
pub fn level<P: Platform>(platform: &P, realm: &Realm<'_, P>, context: &RecContext, address: u64) -> i8 {
    if context.el1.sctlr & SCTLR_M == 0 {
        return 0;
    }
    let Some(regime) = Regime::of(context, address) else { return 0 };
    let mut table = regime.base;
    let mut named_by = 0;
    for level in regime.start()..=LAST {
        if !realm.space.contains(table) {
            return named_by;
        }
        let Some(descriptor) = read(platform, realm, &regime, table | regime.offset(level, address)) else { return 0 };
        match descriptor & 3 {
            3 if level < LAST => table = regime.output(descriptor),
            1 | 3 => return level,
            _ => return 0,
        }
        named_by = level;
    }
    0
}

/// Reads a descriptor of the Realm's in its own memory.
fn read<P: Platform>(platform: &P, realm: &Realm<'_, P>, regime: &Regime, ipa: u64) -> Option<u64> {
    const OFFSET: u64 = GRANULE as u64 - 1;
    let page = realm.page(ipa & !OFFSET).ok()?;
    let mut bytes = [0; 8];
    platform.read_realm(&page, (ipa & OFFSET & !7) as usize, &mut bytes);
    Some(if regime.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
}

#[cfg(test)]
mod tests;
