//! The virtual GIC: what the host may put into list registers, and what it gets back (RMM 1.0, A6.1; GICv3 §12.4).

use crate::platform::Features;
use crate::rec::context::Gic;
use abi::rmi::{RecEnter, RecExit};

/// Bits of ICH_HCR_EL2 that the host sets: UIE, LRENPIE, NPIE, VGrp0EIE, VGrp0DIE, VGrp1EIE, VGrp1DIE, TDIR.
pub const HOST_BITS: u64 = 0xFE | 1 << 14;
/// En, vSGIEOICount, DVIM.
const RMM_BITS: u64 = 1 | 1 << 8 | 1 << 15;
const EOI_COUNT: u64 = 0x1F << 27;

const STATE: u64 = 0b11 << 62;
const HW: u64 = 1 << 61;
const PRIORITY_SHIFT: u32 = 48;
const PHYSICAL: u64 = 0x1FFF << 32;
const EOI: u64 = 1 << 41;
const VIRTUAL: u64 = 0xFFFF_FFFF;
const LAST_SPI: u64 = 1019;
const FIRST_LPI: u64 = 8192;

/// Gives the number of list registers.
pub const fn list_registers(machine: &Features) -> usize {
    let count = (machine.ich_vtr & 0x1F) as usize + 1;
    if count < 16 { count } else { 16 }
}

/// Checks the host's control bits and list registers.
pub fn is_valid(machine: &Features, enter: &RecEnter) -> bool {
    let count = list_registers(machine);
    let (used, _) = enter.gicv3_lrs.split_at(count.min(enter.gicv3_lrs.len()));
    enter.gicv3_hcr & !HOST_BITS == 0
        && used.iter().enumerate().all(|(n, &lr)| {
            lr & STATE == 0 || is_valid_entry(machine, lr) && !used.iter().take(n).any(|&other| is_twin(lr, other))
        })
}

/// Says whether two list registers present the same interrupt.
const fn is_twin(lr: u64, other: u64) -> bool {
    other & STATE != 0 && other & VIRTUAL == lr & VIRTUAL
}

fn is_valid_entry(machine: &Features, lr: u64) -> bool {
    let priority_bits = (machine.ich_vtr >> 29 & 0b111) + 1;
    let unimplemented = (0xFF_u64 >> priority_bits) << PRIORITY_SHIFT;
    let id_bits = if machine.ich_vtr >> 23 & 0b111 == 0 { 16 } else { 24 };
    let interrupt = lr & VIRTUAL;
    let known = interrupt <= LAST_SPI || interrupt >= FIRST_LPI && interrupt >> id_bits == 0;
    lr & HW == 0 && lr & unimplemented == 0 && lr & PHYSICAL & !EOI == 0 && known
}

/// Loads what the host gave, which has been checked.
pub fn load(machine: &Features, enter: &RecEnter, gic: &mut Gic) {
    gic.hcr = enter.gicv3_hcr | RMM_BITS;
    gic.misr = 0;
    gic.lrs = [0; 16];
    for (to, from) in gic.lrs.iter_mut().zip(enter.gicv3_lrs).take(list_registers(machine)) {
        *to = from;
    }
}

/// Tells the host what became of it.
pub fn report(machine: &Features, gic: &Gic, exit: &mut RecExit) {
    for (to, from) in exit.gicv3_lrs.iter_mut().zip(gic.lrs).take(list_registers(machine)) {
        *to = from;
    }
    exit.gicv3_hcr = gic.hcr & (HOST_BITS | EOI_COUNT);
    exit.gicv3_misr = gic.misr;
    exit.gicv3_vmcr = gic.vmcr;
}
