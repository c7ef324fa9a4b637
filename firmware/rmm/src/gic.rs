//! The virtual CPU interface of a vCPU (GICv3, Arm IHI0069 §12.4), and the view of pending physical interrupts.

use crate::el1::{bank, put};
use rmm::rec::context::Gic;

/// How many of the interface's registers this processor has.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    lrs: usize,
    aprs: usize,
}

impl Shape {
    /// Reads the shape out of ICH_VTR_EL2.
    pub const fn of(vtr: u64) -> Self {
        let preemption_bits = (vtr >> 26 & 7) + 1;
        let aprs = match preemption_bits {
            7.. => 4,
            6 => 2,
            _ => 1,
        };
        let lrs = (vtr & 0x1f) as usize + 1;
        Self { lrs: if lrs > 16 { 16 } else { lrs }, aprs }
    }
}

bank! { read_lr, write_lr:
    0 ich_lr0_el2, 1 ich_lr1_el2, 2 ich_lr2_el2, 3 ich_lr3_el2, 4 ich_lr4_el2, 5 ich_lr5_el2, 6 ich_lr6_el2, 7 ich_lr7_el2,
    8 ich_lr8_el2, 9 ich_lr9_el2, 10 ich_lr10_el2, 11 ich_lr11_el2, 12 ich_lr12_el2, 13 ich_lr13_el2, 14 ich_lr14_el2,
    15 ich_lr15_el2,
}
bank! { read_ap0r, write_ap0r: 0 ich_ap0r0_el2, 1 ich_ap0r1_el2, 2 ich_ap0r2_el2, 3 ich_ap0r3_el2, }
bank! { read_ap1r, write_ap1r: 0 ich_ap1r0_el2, 1 ich_ap1r1_el2, 2 ich_ap1r2_el2, 3 ich_ap1r3_el2, }

/// Loads a vCPU's interface and switches it on.
pub fn load(gic: &Gic, shape: Shape) {
    put!(ich_vmcr_el2, gic.vmcr);
    load_lists(gic, shape);
    cpu::write!(ich_hcr_el2, gic.hcr);
}

fn load_lists(gic: &Gic, shape: Shape) {
    gic.ap0r.iter().take(shape.aprs).enumerate().for_each(|(i, v)| write_ap0r(i, *v));
    gic.ap1r.iter().take(shape.aprs).enumerate().for_each(|(i, v)| write_ap1r(i, *v));
    gic.lrs.iter().take(shape.lrs).enumerate().for_each(|(i, v)| write_lr(i, *v));
}

/// Saves a vCPU's interface and switches it off.
pub fn save(gic: &mut Gic, shape: Shape) {
    gic.hcr = cpu::read!(ich_hcr_el2);
    gic.misr = cpu::read!(ich_misr_el2);
    gic.vmcr = cpu::read!(ich_vmcr_el2);
    gic.ap0r.iter_mut().take(shape.aprs).enumerate().for_each(|(i, v)| *v = read_ap0r(i));
    gic.ap1r.iter_mut().take(shape.aprs).enumerate().for_each(|(i, v)| *v = read_ap1r(i));
    gic.lrs.iter_mut().take(shape.lrs).enumerate().for_each(|(i, v)| *v = read_lr(i));
    cpu::write!(ich_hcr_el2, 0);
    cpu::barrier::isb();
}

/// Leaves nothing of a vCPU in the interface.
pub fn clear(shape: Shape) {
    load(&Gic::default(), shape);
}

/// Gives the number of the physical group 1 interrupt that is pending with the highest priority; 1023 if there is none.
pub fn highest_pending() -> u64 {
    cpu::read!(S3_0_C12_C12_2) & 0xff_ffff
}

/// Lets R-EL2 and R-EL1 use the system register interface of the GIC.
pub fn enable() {
    cpu::write!(S3_4_C12_C9_5, 0xf);
    cpu::barrier::isb();
    cpu::write!(ich_hcr_el2, 0);
}
