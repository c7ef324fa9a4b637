//! What the host may say of virtual interrupts (RMM 1.0, A6.1).

use super::Limits;
use super::page::word;

/// Bits of ICH_HCR_EL2 that the host may set.
const HCR: u64 = 0b1111_1110 | 1 << 14;
const HCR_AT: usize = 0x300;
const LRS_AT: usize = 0x308;

/// What the host gave.
pub struct Gic {
    pub hcr: u64,
    pub lrs: Vec<u64>,
}

impl Gic {
    pub fn read(run: &[u8], limits: &Limits) -> Gic {
        let lrs = (0..=limits.num_lrs as usize).map(|number| word(run, LRS_AT + number * 8)).collect();
        Gic { hcr: word(run, HCR_AT), lrs }
    }

    pub fn is_valid(&self, limits: &Limits) -> bool {
        let used: Vec<u64> = self.lrs.iter().copied().filter(|lr| lr >> 62 != 0).collect();
        let twice = (1..used.len()).any(|n| used[..n].iter().any(|lr| *lr as u32 == used[n] as u32));
        self.hcr & !HCR == 0 && !twice && used.iter().all(|lr| is_interrupt(*lr, limits))
    }
}

fn is_interrupt(lr: u64, limits: &Limits) -> bool {
    const HARDWARE: u64 = 1 << 61;
    const EOI: u64 = 1 << 41;
    let number = lr & 0xFFFF_FFFF;
    let physical = lr & 0x1FFF << 32;
    let finer = (lr >> 48 & 0xFF) % (1 << (8 - limits.priority_bits));
    lr & HARDWARE == 0 && finer == 0 && physical & !EOI == 0 && (number <= 1019 || (8192..=0xFFFF).contains(&number))
}
