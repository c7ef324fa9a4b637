//! What CPU 0 does from start to end: read the configuration, run the Realms, check the granules, tell the outside.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Display;

use abi::{GRANULE, GRANULE_U64, map};
use host::config::{self, Config};
use host::plan::{Images, Plan, plan};
use host::vmm::event::Event;
use host::vmm::{Access, Normal, Sources, Vm};

use crate::machine::MACHINE;
use crate::{cpus, fwcfg, note, probe};

/// What failed, and why.
struct Failure {
    step: &'static str,
    why: String,
}

fn failed(step: &'static str) -> impl Fn(&dyn Display) -> Failure {
    move |why| Failure { step, why: why.to_string() }
}

/// The whole session; a failure is sent as an event.
pub fn run() {
    MACHINE.open();
    let reset = note::check();
    if !reset {
        MACHINE.keep(cpus::start());
    }
    let dram = MACHINE.dram();
    let up = Event::new("host-up").number("cpus", MACHINE.cpus() as u64).number("dram", dram.end - dram.start);
    up.send(&MACHINE);
    if !reset {
        if let Err(Failure { step, why }) = realms() {
            Event::new("error").text("step", step).text("why", &why).send(&MACHINE);
        }
        check_granules();
    }
    Event::new("done").send(&MACHINE);
}

fn realms() -> Result<(), Failure> {
    let text = fwcfg::find(config::FILE).map(fwcfg::contents);
    let text = text.ok_or_else(|| failed("config")(&"expected fw_cfg file opt/allod/config, found none"))?;
    let config = Config::parse(&text).map_err(|error| failed("config")(&error))?;
    let kernel = load(config::KERNEL_FILE)?.ok_or_else(|| failed("kernel")(&"expected a kernel, found none"))?;
    let initrd = load(config::INITRD_FILE)?;
    let empty = Blob { address: 0, bytes: &[] };
    let initrd = initrd.unwrap_or(empty);
    let images = Images { kernel: kernel.bytes, initrd: initrd.bytes };
    let plan = plan(&images, &config).map_err(|error| failed("plan")(&error))?;
    let dtb = MACHINE.take_bytes(plan.dtb.len() as u64).ok_or_else(|| failed("dtb")(&"no memory"))?;
    MACHINE.write(dtb.start, &plan.dtb);
    let sources = Sources { kernel: kernel.address, initrd: initrd.address, dtb: dtb.start };
    (1..=config.realms as usize).try_for_each(|number| realm(number, &plan, &sources, &config))
}

fn realm(number: usize, plan: &Plan, sources: &Sources, config: &Config) -> Result<(), Failure> {
    Event::new("realm").number("index", number as u64 - 1).send(&MACHINE);
    let mut vm = Vm::new(&MACHINE, plan, config.attack).map_err(|error| failed("create")(&error))?;
    let built = vm.build(plan, sources).map_err(|error| failed("build")(&error));
    if built.is_ok() {
        Event::new("entered").send(&MACHINE);
        vm = cpus::run(number, vm);
        vm.counts().send(&MACHINE);
        let why = vm.stopped().map_or("unknown", |stop| stop.name());
        Event::new("stopped").text("why", why).send(&MACHINE);
    }
    let destroyed = vm.destroy().map_err(|error| failed("destroy")(&error));
    built.and(destroyed)
}

/// A file in memory.
struct Blob {
    address: u64,
    bytes: &'static [u8],
}

/// Loads a file into granules of its own, zeros after its last byte; `None` if there is none.
fn load(name: &'static str) -> Result<Option<Blob>, Failure> {
    let Some(file) = fwcfg::find(name) else { return Ok(None) };
    let range = MACHINE.take_bytes(file.size + GRANULE_U64);
    let range = range.ok_or_else(|| failed("load")(&format!("{name}: no memory for {} bytes", file.size)))?;
    if !fwcfg::load(file, range.start) {
        return Err(failed("load")(&format!("{name}: fw_cfg failed")));
    }
    // SAFETY: the range was taken for this file and is never given back or written again.
    let bytes = unsafe { core::slice::from_raw_parts(range.start as *const u8, file.size as usize) };
    Ok(Some(Blob { address: range.start, bytes }))
}

/// Reads every granule that can be delegated, as the table that protects them says; none may fault now.
fn check_granules() {
    let end = MACHINE.dram().end;
    let faulted = (map::RMM_END..end).step_by(GRANULE).filter(|granule| probe::probe(Access::Read, *granule).is_some());
    let not_ns = faulted.count() as u64;
    let granules = (end - map::RMM_END) / GRANULE_U64;
    Event::new("gpt-check").number("granules", granules).number("not_ns", not_ns).send(&MACHINE);
}
