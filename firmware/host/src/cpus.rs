//! The other CPUs: turned on by PSCI, then handed one Realm after the other.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use abi::psci;
use cpu::barrier;
use cpu::lock::Lock;
use host::vmm::{Normal, Vm};

use crate::machine::{MACHINE, Machine};
use crate::{firmware, interrupts};

/// A Realm as all CPUs share it.
pub type Shared = Arc<Vm<'static, Machine>>;

/// The Realm that runs, with its number.
static JOB: Lock<Option<(usize, Shared)>> = Lock::new(None);
static UP: AtomicUsize = AtomicUsize::new(1);

unsafe extern "C" {
    static host_secondary_entry: u8;
}

/// Turns every other CPU on and waits until it is there; how many CPUs there are. At the first that the firmware does
/// not have it ends.
pub fn start() -> usize {
    let entry = &raw const host_secondary_entry as u64;
    let mut expected = 1;
    for cpu in 1..MACHINE.cpus() as u64 {
        let [status, ..] = firmware::call(psci::CPU_ON_64, [cpu, entry, cpu, 0, 0]);
        if status != psci::Status::Success.word() {
            break;
        }
        expected += 1;
    }
    while UP.load(Ordering::Acquire) < expected {
        core::hint::spin_loop();
    }
    expected
}

/// What a CPU other than 0 does: run its vCPU of each Realm.
pub fn serve(cpu: usize) -> ! {
    UP.fetch_add(1, Ordering::AcqRel);
    let mut done = 0;
    loop {
        interrupts::take();
        let job = JOB.take().clone().filter(|(number, _)| *number != done);
        match job {
            Some((number, vm)) => {
                vm.run(cpu);
                done = number;
            }
            None => barrier::wait_for_interrupt(),
        }
    }
}

/// Runs a Realm on all CPUs until it stops; gives it back when no CPU uses it any more.
pub fn run(number: usize, vm: Vm<'static, Machine>) -> Vm<'static, Machine> {
    let mut vm = Arc::new(vm);
    *JOB.take() = Some((number, vm.clone()));
    (1..MACHINE.cpus()).for_each(interrupts::kick);
    vm.run(0);
    *JOB.take() = None;
    loop {
        match Arc::try_unwrap(vm) {
            Ok(vm) => return vm,
            Err(shared) => vm = shared,
        }
        core::hint::spin_loop();
    }
}
