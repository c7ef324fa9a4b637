//! One Realm from images to its end, on the machine in software, by the host that ships.

use std::thread;

use abi::GRANULE;
use abi::measurement::Hash;
use host::config::Config;
use host::plan::{Images, Plan, RAM, plan};
use host::vmm::{Error, Normal, Sources, Stop, Vm};
use machine::Machine;
use machine::guest::{Cpu, script};

/// A kernel in name only: a header, and bytes that nothing runs. A vCPU that starts at its address runs a script.
#[must_use]
pub fn kernel() -> Vec<u8> {
    let mut kernel: Vec<u8> = (0..3 * GRANULE + 100).map(|n| (n % 253) as u8).collect();
    kernel[..64].fill(0);
    kernel[16..24].copy_from_slice(&0x8000u64.to_le_bytes());
    kernel[56..60].copy_from_slice(b"ARM\x64");
    kernel
}

/// A small VM with `cpus` vCPUs.
#[must_use]
pub fn config(cpus: u32, hash: Hash) -> Config {
    let cmdline = "console=hvc0".to_string();
    Config { memory: 32 << 20, cpus, hash, rpv: [0x5a; 64], cmdline, realms: 1, attack: None }
}

/// Puts a script where the plan's kernel starts.
pub fn boot_script(machine: &Machine<'_>, body: impl Fn(&mut Cpu) + Clone + Send + Sync + 'static) {
    program(machine, RAM, body);
}

/// Puts a script at an address.
pub fn program(machine: &Machine<'_>, entry: u64, body: impl Fn(&mut Cpu) + Clone + Send + Sync + 'static) {
    machine.program(
        entry,
        Box::new(move || {
            let body = body.clone();
            script(move |cpu| body(cpu))
        }),
    );
}

/// Builds a Realm, runs it on as many CPUs as the machine has until it stops, and destroys it; why it stopped.
///
/// # Errors
/// What the host could not do.
pub fn run(machine: &Machine<'_>, images: &Images<'_>, config: &Config) -> Result<Option<Stop>, Error> {
    let plan = plan(images, config).expect("a VM that can be planned");
    with_vm(machine, images, &plan, |vm| {
        thread::scope(|scope| {
            for cpu in 0..machine.cpus() {
                scope.spawn(move || {
                    let _stop = StopOnPanic(vm);
                    machine.on_cpu(cpu, || vm.run(cpu));
                });
            }
        });
        vm.stopped()
    })
}

/// Lets the other CPUs end when one has failed.
struct StopOnPanic<'v, 'm, 'b>(&'v Vm<'m, Machine<'b>>);

impl Drop for StopOnPanic<'_, '_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(Stop::Fault);
        }
    }
}

/// Builds a Realm, gives it to `f`, and destroys it.
///
/// # Errors
/// What the host could not do.
pub fn with_vm<R>(
    machine: &Machine<'_>,
    images: &Images<'_>,
    plan: &Plan,
    f: impl FnOnce(&Vm<'_, Machine<'_>>) -> R,
) -> Result<R, Error> {
    let (kernel, initrd, dtb) = (file(machine, images.kernel), file(machine, images.initrd), file(machine, &plan.dtb));
    let sources = Sources { kernel: kernel.0, initrd: initrd.0, dtb: dtb.0 };
    let mut vm = Vm::new(machine, plan, None)?;
    let built = vm.build(plan, &sources);
    let result = built.map(|()| f(&vm));
    vm.destroy()?;
    [kernel, initrd, dtb].into_iter().for_each(|(address, pages)| machine.free(address, pages));
    result
}

/// Puts a file into granules of the Normal world's: its address, and how many they are.
fn file(machine: &Machine<'_>, bytes: &[u8]) -> (u64, usize) {
    let pages = bytes.len().div_ceil(GRANULE).max(1).next_power_of_two();
    let address = machine.alloc(pages).expect("room for a file");
    machine.write(address, bytes);
    (address, pages)
}
