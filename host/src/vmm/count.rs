//! How often vCPUs left, and why.

use super::Normal;
use super::event::Event;

/// Exits by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Interrupts of the Normal world.
    pub irq: u64,
    /// Faults on private memory.
    pub private: u64,
    /// Private granules given after activation.
    pub granted: u64,
    /// Faults on shared memory.
    pub shared: u64,
    /// Accesses to emulated registers.
    pub mmio: u64,
    /// Of these: to the interrupt controller.
    pub gic: u64,
    /// Changes of RIPAS.
    pub ripas: u64,
    /// Software-generated interrupts.
    pub sgi: u64,
    /// PSCI calls.
    pub psci: u64,
    /// Host calls.
    pub host_call: u64,
    /// WFI and WFE.
    pub wfx: u64,
    /// System errors.
    pub serror: u64,
}

impl Counts {
    /// Every count with its name.
    #[must_use]
    pub fn all(&self) -> [(&'static str, u64); 12] {
        [
            ("irq", self.irq),
            ("private", self.private),
            ("granted", self.granted),
            ("shared", self.shared),
            ("mmio", self.mmio),
            ("gic", self.gic),
            ("ripas", self.ripas),
            ("sgi", self.sgi),
            ("psci", self.psci),
            ("host_call", self.host_call),
            ("wfx", self.wfx),
            ("serror", self.serror),
        ]
    }

    /// Adds another vCPU's counts.
    pub fn add(&mut self, other: &Counts) {
        self.irq += other.irq;
        self.private += other.private;
        self.granted += other.granted;
        self.shared += other.shared;
        self.mmio += other.mmio;
        self.gic += other.gic;
        self.ripas += other.ripas;
        self.sgi += other.sgi;
        self.psci += other.psci;
        self.host_call += other.host_call;
        self.wfx += other.wfx;
        self.serror += other.serror;
    }

    /// Sends them as the `exit` event.
    pub fn send<N: Normal>(&self, machine: &N) {
        let event = Event::new("exit");
        self.all().iter().fold(event, |event, (name, value)| event.number(name, *value)).send(machine);
    }
}
