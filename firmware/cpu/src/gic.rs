//! The GICv3: distributor, redistributors, and the CPU interface of EL1 and EL2 (Arm IHI0069).

use crate::mmio::{read32, write32};
use crate::{barrier, read, write};

const CTLR: usize = 0x0000;
const TYPER: usize = 0x0004;
const TYPER_LOW: usize = 0x0008;
const WAKER: usize = 0x0014;
const SGI_FRAME: usize = 0x1_0000;
const IGROUPR: usize = 0x0080;
const ISENABLER: usize = 0x0100;
const ICENABLER: usize = 0x0180;
const IPRIORITYR: usize = 0x0400;
const IGRPMODR: usize = 0x0d00;
const REDISTRIBUTOR: usize = 0x2_0000;

/// What an acknowledge gives when nothing is pending.
pub const SPURIOUS: u32 = 1023;

/// The distributor.
pub struct Distributor {
    base: usize,
}

impl Distributor {
    /// Names the distributor whose registers start at `base`.
    ///
    /// # Safety
    /// `base` is a GICv3 distributor, reachable from here for as long as the value lives.
    #[must_use]
    pub const unsafe fn new(base: usize) -> Distributor {
        Distributor { base }
    }

    /// Gives every shared interrupt to Normal-world group 1 and switches all groups on with affinity routing. For EL3.
    pub fn enable_all_groups(&self) {
        const ARE_BOTH_AND_GROUPS: u32 = 0x37;
        self.set(CTLR, ARE_BOTH_AND_GROUPS);
        // SAFETY: `new` was promised a distributor.
        let lines = unsafe { read32(self.base + TYPER) } as usize & 0x1f;
        for word in 1..=lines {
            self.set(IGROUPR + 4 * word, u32::MAX);
            self.set(IGRPMODR + 4 * word, 0);
        }
    }

    /// Enables affinity routing and group 1 of the Normal world. For the Normal world itself.
    pub fn enable_group1(&self) {
        const ARE_NS_AND_GROUP1: u32 = 1 << 4 | 1 << 1;
        self.set(CTLR, ARE_NS_AND_GROUP1);
    }

    fn set(&self, register: usize, value: u32) {
        // SAFETY: `new` was promised a distributor.
        unsafe { write32(self.base + register, value) }
    }
}

/// The redistributor of one CPU: its private interrupts 0 to 31.
pub struct Redistributor {
    base: usize,
}

impl Redistributor {
    /// Names the redistributor of CPU `cpu`, the frames of all CPUs starting at `first`.
    ///
    /// # Safety
    /// The frames are reachable from here for as long as the value lives, and CPU `cpu` exists.
    #[must_use]
    pub const unsafe fn new(first: usize, cpu: usize) -> Redistributor {
        Redistributor { base: first + REDISTRIBUTOR * cpu }
    }

    /// Wakes the redistributor and waits until it is awake. For EL3.
    pub fn wake(&self) {
        const PROCESSOR_SLEEP: u32 = 1 << 1;
        const CHILDREN_ASLEEP: u32 = 1 << 2;
        self.set(WAKER, self.get(WAKER) & !PROCESSOR_SLEEP);
        while self.get(WAKER) & CHILDREN_ASLEEP != 0 {}
    }

    /// Makes the interrupts of `mask` Secure group 1 and all other private ones Normal-world group 1. For EL3.
    pub fn reserve_secure(&self, mask: u32) {
        self.set(SGI_FRAME + IGROUPR, !mask);
        self.set(SGI_FRAME + IGRPMODR, mask);
    }

    /// Says whether this is the last CPU's (GICR_TYPER.Last): beyond it there is nothing to touch.
    #[must_use]
    pub fn is_last(&self) -> bool {
        const LAST: u32 = 1 << 4;
        self.get(TYPER_LOW) & LAST != 0
    }

    /// Enables a private interrupt; 0 is the highest priority and 0xf0 the lowest that passes an open mask.
    pub fn enable(&self, interrupt: u32, priority: u8) {
        let register = SGI_FRAME + IPRIORITYR + (interrupt as usize & !3);
        let shift = 8 * (interrupt & 3);
        let others = self.get(register) & !(0xff << shift);
        self.set(register, others | u32::from(priority) << shift);
        self.set(SGI_FRAME + ISENABLER, 1 << interrupt);
    }

    /// Disables a private interrupt.
    pub fn disable(&self, interrupt: u32) {
        self.set(SGI_FRAME + ICENABLER, 1 << interrupt);
    }

    fn get(&self, register: usize) -> u32 {
        // SAFETY: `new` was promised a redistributor.
        unsafe { read32(self.base + register) }
    }

    fn set(&self, register: usize, value: u32) {
        // SAFETY: `new` was promised a redistributor.
        unsafe { write32(self.base + register, value) }
    }
}

/// Opens the CPU interface of this security state to group 1 interrupts of every priority. For EL2.
pub fn open_el2() {
    write!(icc_sre_el2, read!(icc_sre_el2) | 0xf);
    barrier::isb();
    write!(icc_sre_el1, 7);
    barrier::isb();
    write!(icc_pmr_el1, 0xff);
    write!(icc_igrpen1_el1, 1);
    barrier::isb();
}

/// Acknowledges the most urgent pending group 1 interrupt of this security state; [`SPURIOUS`] if there is none.
#[must_use]
pub fn acknowledge() -> u32 {
    let interrupt = read!(icc_iar1_el1) as u32 & 0xff_ffff;
    barrier::dsb();
    interrupt
}

/// Ends the handling of an acknowledged interrupt.
pub fn end(interrupt: u32) {
    write!(icc_eoir1_el1, u64::from(interrupt));
    barrier::isb();
}

/// Sends group 1 software interrupt `interrupt`, 0 to 15, of this security state to CPU `cpu`, 0 to 15.
pub fn send(interrupt: u32, cpu: usize) {
    barrier::dsb();
    write!(icc_sgi1r_el1, u64::from(interrupt & 0xf) << 24 | 1u64 << (cpu & 0xf));
    barrier::isb();
}
