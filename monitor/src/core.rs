//! What EL3 keeps for one CPU, and who runs on it next.

/// General registers x0 to x30 of a world on a CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Registers(pub [u64; 31]);

impl Registers {
    /// All registers zero.
    pub const ZERO: Registers = Registers([0; 31]);

    /// Sets the first registers to `values`, leaving the others.
    pub fn set(&mut self, values: &[u64]) {
        self.0.iter_mut().zip(values).for_each(|(register, value)| *register = *value);
    }
}

/// The worlds below EL3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// The Non-secure security state: the host.
    Normal,
    /// The Realm security state: the RMM and its Realms.
    Realm,
    /// The Secure security state. Reserved: nothing runs in it and every call from it is unknown.
    Secure,
}

/// How far the RMM is on a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Entered, and has not reported the end of its boot.
    Booting,
    /// Waits for an RMI call.
    Idle,
    /// Serves an RMI call of the Normal world.
    Serving,
}

/// One CPU: both worlds' general registers while they do not run, and what the RMM is doing.
#[derive(Clone, Debug)]
pub struct Core {
    /// The Normal world's registers.
    pub normal: Registers,
    /// The Realm world's registers.
    pub realm: Registers,
    /// Number of the CPU.
    pub number: usize,
    /// How far the RMM is here.
    pub phase: Phase,
}

impl Core {
    /// A CPU on which nothing has run: the RMM is about to boot.
    #[must_use]
    pub const fn new(number: usize) -> Core {
        Core { normal: Registers::ZERO, realm: Registers::ZERO, number, phase: Phase::Booting }
    }
}

/// What the CPU does after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Returns to the caller.
    Same,
    /// Leaves the caller and runs the other world.
    Switch(World),
    /// Waits for an interrupt, then returns to the caller.
    Standby,
    /// Runs nothing until it is turned on again.
    Park,
    /// Powers the machine off.
    PowerOff,
    /// Resets the machine.
    Reset,
}
