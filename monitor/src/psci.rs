//! Power State Coordination Interface 1.1 for the Normal world (Arm DEN0022).

use abi::map::MAX_CPUS;
use abi::psci::{self, Status};
use abi::smccc;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// A PSCI call with its arguments by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the specification's argument names")]
pub enum Call {
    Version,
    CpuSuspend { power_state: u64 },
    CpuOff,
    CpuOn { target_cpu: u64, entry_point_address: u64, context_id: u64 },
    AffinityInfo { target_affinity: u64, lowest_affinity_level: u64 },
    MigrateInfoType,
    SystemOff,
    SystemReset,
    Features { function: u32 },
}

impl Call {
    /// Reads a call; `None` if it is not offered. The 32-bit forms have 32-bit arguments.
    #[must_use]
    pub fn parse(fid: u32, x1: u64, x2: u64, x3: u64) -> Option<Call> {
        let short = |x: u64| x & 0xffff_ffff;
        Some(match fid {
            psci::VERSION => Call::Version,
            psci::CPU_SUSPEND_32 | psci::CPU_SUSPEND_64 => Call::CpuSuspend { power_state: short(x1) },
            psci::CPU_OFF => Call::CpuOff,
            psci::CPU_ON_32 => {
                Call::CpuOn { target_cpu: short(x1), entry_point_address: short(x2), context_id: short(x3) }
            }
            psci::CPU_ON_64 => Call::CpuOn { target_cpu: x1, entry_point_address: x2, context_id: x3 },
            psci::AFFINITY_INFO_32 => {
                Call::AffinityInfo { target_affinity: short(x1), lowest_affinity_level: short(x2) }
            }
            psci::AFFINITY_INFO_64 => Call::AffinityInfo { target_affinity: x1, lowest_affinity_level: short(x2) },
            psci::MIGRATE_INFO_TYPE => Call::MigrateInfoType,
            psci::SYSTEM_OFF => Call::SystemOff,
            psci::SYSTEM_RESET => Call::SystemReset,
            psci::FEATURES => Call::Features { function: x1 as u32 },
            _ => return None,
        })
    }
}

/// PSCI_FEATURES: success with no flags for what is offered, SMCCC_VERSION included.
#[must_use]
pub fn features(function: u32) -> u64 {
    let offered = function == smccc::VERSION || Call::parse(function, 0, 0, 0).is_some();
    if offered { Status::Success.word() } else { Status::NotSupported.word() }
}

/// MIGRATE_INFO_TYPE: there is no Trusted OS to migrate.
pub const NO_MIGRATION: u64 = 2;

/// Power state of a CPU, as AFFINITY_INFO answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Power {
    /// Runs.
    On = 0,
    /// Parked.
    Off = 1,
    /// Told to start, and has not entered the Normal world yet.
    OnPending = 2,
}

/// Where a CPU starts in the Normal world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Address of the first instruction.
    pub entry: u64,
    /// What x0 holds.
    pub context: u64,
}

struct Cpu {
    power: AtomicU8,
    entry: AtomicU64,
    context: AtomicU64,
}

impl Cpu {
    const fn new(power: Power, start: Start) -> Cpu {
        Cpu {
            power: AtomicU8::new(power as u8),
            entry: AtomicU64::new(start.entry),
            context: AtomicU64::new(start.context),
        }
    }
}

/// The power states of all CPUs.
pub struct Psci {
    cpus: [Cpu; MAX_CPUS],
    number: usize,
}

impl Psci {
    /// CPU 0 of `number` is on its way to `start`, the others are off.
    #[must_use]
    pub const fn new(number: usize, start: Start) -> Psci {
        let first = Cpu::new(Power::OnPending, start);
        let off = Start { entry: 0, context: 0 };
        Psci { cpus: [first, Cpu::new(Power::Off, off), Cpu::new(Power::Off, off), Cpu::new(Power::Off, off)], number }
    }

    /// How many CPUs the machine has.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// Turns `target` on at `start`, and gives the number of the CPU to wake.
    ///
    /// # Errors
    /// The status of CPU_ON: `InvalidParameters` for no CPU of this machine, `AlreadyOn`, `OnPending`.
    pub fn turn_on(&self, target: u64, start: Start) -> Result<usize, Status> {
        let (number, cpu) = self.find(target)?;
        // The word is claimed by OnPending: only the claimant writes where to start, and the CPU looks after the wake.
        let claim =
            cpu.power.compare_exchange(Power::Off as u8, Power::OnPending as u8, Ordering::AcqRel, Ordering::Acquire);
        match claim {
            Ok(_) => {
                cpu.context.store(start.context, Ordering::Relaxed);
                cpu.entry.store(start.entry, Ordering::Release);
                Ok(number)
            }
            Err(on) if on == Power::On as u8 => Err(Status::AlreadyOn),
            Err(_) => Err(Status::OnPending),
        }
    }

    /// AFFINITY_INFO of `target`, at affinity level 0 only.
    ///
    /// # Errors
    /// `InvalidParameters` for no CPU of this machine or a level other than 0.
    pub fn affinity_info(&self, target: u64, level: u64) -> Result<Power, Status> {
        let (_, cpu) = self.find(target)?;
        if level != 0 {
            return Err(Status::InvalidParameters);
        }
        Ok(power(cpu))
    }

    /// Where CPU `number`, which has been woken, is to start; `None` if nobody turned it on.
    #[must_use]
    pub fn pending(&self, number: usize) -> Option<Start> {
        let cpu = self.cpus.get(number)?;
        let entry = cpu.entry.load(Ordering::Acquire);
        (power(cpu) == Power::OnPending && entry != 0)
            .then(|| Start { entry, context: cpu.context.load(Ordering::Relaxed) })
    }

    /// Notes that CPU `number` enters the Normal world.
    pub fn started(&self, number: usize) {
        self.note(number, Power::On);
    }

    /// Notes that CPU `number` parks.
    pub fn stopped(&self, number: usize) {
        if let Some(cpu) = self.cpus.get(number) {
            cpu.entry.store(0, Ordering::Relaxed);
        }
        self.note(number, Power::Off);
    }

    fn note(&self, number: usize, power: Power) {
        if let Some(cpu) = self.cpus.get(number) {
            cpu.power.store(power as u8, Ordering::Release);
        }
    }

    /// Finds a CPU by its affinity: level 0 is its number, all else zero.
    fn find(&self, target: u64) -> Result<(usize, &Cpu), Status> {
        let number = usize::try_from(target).map_err(|_| Status::InvalidParameters)?;
        let cpu = self.cpus.get(..self.number).and_then(|cpus| cpus.get(number));
        cpu.map(|cpu| (number, cpu)).ok_or(Status::InvalidParameters)
    }
}

fn power(cpu: &Cpu) -> Power {
    match cpu.power.load(Ordering::Acquire) {
        0 => Power::On,
        2 => Power::OnPending,
        _ => Power::Off,
    }
}

#[cfg(test)]
mod tests;
