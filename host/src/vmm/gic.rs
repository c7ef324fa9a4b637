//! The Realm's interrupt controller: a GICv3 distributor and redistributors as state, shown to vCPUs through list
//! registers (RMM 1.0, A6.1; Arm IHI 0069).
//!
//! Interrupts 0–31 are each vCPU's own, 32–63 are shared. Levels are sampled, never remembered: a level interrupt goes
//! into a list register with the EOI bit, so that the guest's end of interrupt raises the maintenance interrupt, which
//! is the one sure moment to sample the line again.

use alloc::vec::Vec;

mod registers;

pub use registers::REDISTRIBUTOR;

/// First shared interrupt.
pub const FIRST_SPI: u32 = 32;
/// Number of shared interrupts; few, because Linux writes one register each.
pub const SPIS: usize = 32;
/// Interrupt of the virtual timer.
pub const VIRTUAL_TIMER: u32 = 27;
/// Interrupt of the physical timer.
pub const PHYSICAL_TIMER: u32 = 30;

/// ICH_HCR_EL2.UIE: maintenance interrupt once at most one list register is in use.
const UNDERFLOW: u64 = 1 << 1;
const LR_PENDING: u64 = 1 << 62;
const LR_ACTIVE: u64 = 1 << 63;
const LR_GROUP1: u64 = 1 << 60;
const LR_EOI: u64 = 1 << 41;
const LR_PRIORITY: u32 = 48;
/// Priority bits that the virtual CPU interface implements (five).
const PRIORITY_BITS: u8 = 0xF8;
/// Most list registers that the interface has room for.
const LISTS: usize = 16;

#[derive(Clone, Copy, Debug, Default)]
struct Interrupt {
    enabled: bool,
    group1: bool,
    edge: bool,
    /// An edge, an SGI, or a software-set pending state that has not been taken.
    latch: bool,
    line: bool,
    active: bool,
    priority: u8,
    /// vCPU that a shared interrupt is routed to.
    target: usize,
    /// vCPU whose list registers hold it, or held it when it became active.
    holder: Option<usize>,
    /// It is in the holder's list registers at this moment.
    listed: bool,
}

impl Interrupt {
    fn pending(&self) -> bool {
        self.latch || (!self.edge && self.line)
    }

    fn deliverable(&self) -> bool {
        self.enabled && self.pending()
    }
}

/// What a vCPU gets at its next entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// List registers.
    pub registers: [u64; LISTS],
    /// Bits of ICH_HCR_EL2.
    pub hcr: u64,
}

/// Distributor and redistributors of one Realm.
#[derive(Debug)]
pub struct Gic {
    enabled: bool,
    lists: usize,
    private: Vec<Redistributor>,
    shared: [Interrupt; SPIS],
}

#[derive(Debug)]
struct Redistributor {
    interrupts: [Interrupt; FIRST_SPI as usize],
    /// What [`Gic::fill`] put in each list register.
    listed: [Option<u32>; LISTS],
    asleep: bool,
}

impl Redistributor {
    fn new() -> Self {
        let sgi = Interrupt { edge: true, ..Interrupt::default() };
        let mut interrupts = [Interrupt::default(); FIRST_SPI as usize];
        interrupts.iter_mut().take(16).for_each(|interrupt| *interrupt = sgi);
        Self { interrupts, listed: [None; LISTS], asleep: true }
    }
}

impl Gic {
    /// A controller after reset for `cpus` vCPUs, each with `lists` list registers (at most 16).
    #[must_use]
    pub fn new(cpus: usize, lists: usize) -> Self {
        let private = (0..cpus).map(|_| Redistributor::new()).collect();
        Self { enabled: false, lists: lists.min(LISTS), private, shared: [Interrupt::default(); SPIS] }
    }

    /// Sets the level of an interrupt line; `cpu` matters to a private one alone. An edge interrupt takes the rise.
    pub fn set_line(&mut self, cpu: usize, intid: u32, level: bool) {
        if let Some(interrupt) = self.interrupt(cpu, intid) {
            interrupt.latch |= interrupt.edge && level && !interrupt.line;
            interrupt.line = level;
        }
    }

    /// Carries out a vCPU's write to ICC_SGI1R_EL1 (Arm IHI 0069, 12.2.17; Aff0 range 0–15 in each of Aff1's clusters).
    pub fn send_sgi(&mut self, from: usize, value: u64) {
        let intid = (value >> 24 & 0xF) as u32;
        let everyone_else = value >> 40 & 1 == 1;
        let cluster = (value >> 16 & 0xFF) as usize;
        for cpu in 0..self.private.len() {
            let listed = cpu / 16 == cluster && value >> (cpu % 16) & 1 == 1;
            let hit = if everyone_else { cpu != from } else { listed };
            if let Some(interrupt) = self.interrupt(cpu, intid).filter(|_| hit) {
                interrupt.latch = true;
            }
        }
    }

    /// One bit for each vCPU that has an interrupt to take which its list registers do not show yet.
    #[must_use]
    pub fn due(&self) -> u64 {
        if !self.enabled {
            return 0;
        }
        // An edge that came while it was listed may have come after the guest took the last one.
        let waits = |i: &&Interrupt| i.deliverable() && (i.edge || !(i.listed || i.active));
        let mut due = 0;
        for (cpu, redistributor) in self.private.iter().enumerate() {
            due |= u64::from(redistributor.interrupts.iter().any(|interrupt| waits(&interrupt))) << cpu;
        }
        for interrupt in self.shared.iter().filter(waits) {
            due |= 1 << interrupt.target;
        }
        due
    }

    /// Chooses what `cpu` takes into its list registers as it enters: active interrupts first, then by priority.
    /// Until [`Gic::fold`] these interrupts are the vCPU's.
    pub fn fill(&mut self, cpu: usize) -> Lists {
        let (chosen, waiting) = self.choose(cpu);
        let mut lists = Lists { registers: [0; LISTS], hcr: if waiting > self.lists { UNDERFLOW } else { 0 } };
        for (slot, intid) in chosen.iter().enumerate() {
            if let Some(interrupt) = intid.and_then(|intid| self.interrupt(cpu, intid)) {
                lists.registers[slot] = list_register(interrupt) | u64::from(intid.unwrap_or(0));
                interrupt.latch &= !interrupt.edge;
                interrupt.holder = Some(cpu);
                interrupt.listed = true;
            }
        }
        if let Some(redistributor) = self.private.get_mut(cpu) {
            redistributor.listed = chosen;
        }
        lists
    }

    /// Takes the list registers back from `cpu` after an exit: what was taken is consumed, what is active stays active.
    pub fn fold(&mut self, cpu: usize, registers: &[u64; LISTS]) {
        let listed = self.private.get_mut(cpu).map(|redistributor| core::mem::take(&mut redistributor.listed));
        for (intid, register) in listed.unwrap_or_default().into_iter().zip(registers) {
            let Some(interrupt) = intid.and_then(|intid| self.interrupt(cpu, intid)) else { continue };
            let pending = register & LR_PENDING != 0;
            interrupt.active = register & LR_ACTIVE != 0;
            // An SGI that arrived while the vCPU ran has set the latch: never overwrite it.
            interrupt.latch = if interrupt.edge { interrupt.latch || pending } else { interrupt.latch && pending };
            interrupt.listed = false;
            interrupt.holder = interrupt.active.then_some(cpu);
        }
    }

    /// The interrupts for `cpu`'s list registers, and how many there would be with endless ones.
    fn choose(&self, cpu: usize) -> ([Option<u32>; LISTS], usize) {
        let mut ranked = [(u16::MAX, 0u32); FIRST_SPI as usize + SPIS];
        let mut count = 0;
        let own = self.private.get(cpu).map(|redistributor| &redistributor.interrupts[..]).unwrap_or_default();
        for (interrupt, intid) in own.iter().chain(&self.shared).zip(0u32..) {
            let mine = intid < FIRST_SPI || interrupt.holder.unwrap_or(interrupt.target) == cpu;
            if mine && (interrupt.active || (self.enabled && interrupt.deliverable())) {
                let rank = u16::from(interrupt.priority) | u16::from(!interrupt.active) << 8;
                ranked[count] = (rank, intid);
                count += 1;
            }
        }
        ranked[..count].sort_unstable();
        let mut chosen = [None; LISTS];
        for (slot, (_, intid)) in chosen.iter_mut().zip(&ranked[..count]).take(self.lists) {
            *slot = Some(*intid);
        }
        (chosen, count)
    }

    fn interrupt(&mut self, cpu: usize, intid: u32) -> Option<&mut Interrupt> {
        match intid.checked_sub(FIRST_SPI) {
            Some(shared) => self.shared.get_mut(shared as usize),
            None => self.private.get_mut(cpu)?.interrupts.get_mut(intid as usize),
        }
    }
}

/// The list register of an interrupt, without its number. A level interrupt that is active is not pending as well: its
/// line is sampled again at the end of interrupt.
fn list_register(interrupt: &Interrupt) -> u64 {
    let pending = interrupt.deliverable() && (interrupt.edge || !interrupt.active);
    u64::from(interrupt.priority & PRIORITY_BITS) << LR_PRIORITY
        | if interrupt.group1 { LR_GROUP1 } else { 0 }
        | if interrupt.active { LR_ACTIVE } else { 0 }
        | if pending { LR_PENDING } else { 0 }
        | if interrupt.edge { 0 } else { LR_EOI }
}

#[cfg(test)]
mod tests;
