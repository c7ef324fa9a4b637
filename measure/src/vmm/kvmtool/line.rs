//! kvmtool's command line.

use std::path::PathBuf;

use super::Kvmtool;
use crate::Error;
use crate::vmm::words::{Words, hash, number, rpv, size};

/// Long names of options that have a letter.
const LETTERS: [(char, &str); 8] = [
    ('c', "cpus"),
    ('m', "mem"),
    ('k', "kernel"),
    ('i', "initrd"),
    ('p', "params"),
    ('f', "firmware"),
    ('d', "disk"),
    ('n', "network"),
];

/// Options with a value that show in no RIM.
const WITH_VALUE: [&str; 9] =
    ["name", "dev", "tty", "hugetlbfs", "loglevel", "vcpu-affinity", "debug-iodelay", "vfio-pci", "dump-dtb"];

/// Options without a value, likewise.
const WITHOUT_VALUE: [&str; 9] = [
    "debug",
    "debug-single-step",
    "debug-ioport",
    "debug-mmio",
    "no-pvtime",
    "disable-mte",
    "no-dhcp",
    "restricted_mem",
    "restricted-mem",
];

/// Options without a value that are read.
const SWITCHES: [&str; 8] =
    ["realm", "pmu", "disable-sve", "measurement-log", "balloon", "rng", "force-pci", "nodefaults"];

/// Virtio devices, and how they are reached.
#[derive(Default)]
struct Devices {
    mmio: bool,
    count: u32,
    networks: u32,
    no_default_network: bool,
}

#[derive(Default)]
struct Said {
    realm: bool,
    cpus: Option<u32>,
    memory: Option<u64>,
    devices: Devices,
}

pub fn parse(words: &[String]) -> Result<Kvmtool, Error> {
    let mut vm = Kvmtool::new(0, 0);
    let mut said = Said::default();
    let mut words = Words::new(words);
    while let Some(word) = words.next() {
        let (name, value) = name(word)?;
        if WITHOUT_VALUE.contains(&name) {
            continue;
        }
        if SWITCHES.contains(&name) {
            switch(&mut vm, &mut said, name);
            continue;
        }
        let value = value.map_or_else(|| words.value(word), Ok)?;
        option(&mut vm, &mut said, name, value)?;
    }
    if !said.realm {
        return Err(Error::Missing { what: "the command line of kvmtool makes no Realm: expected --realm" });
    }
    vm.cpus = said
        .cpus
        .ok_or(Error::Missing { what: "kvmtool takes as many vCPUs as the host has: expected --cpus COUNT" })?;
    vm.memory =
        said.memory.ok_or(Error::Missing { what: "kvmtool takes memory as the host has it: expected --mem SIZE" })?;
    vm.mmio = said.devices.mmio();
    Ok(vm)
}

/// The long name of the option that a word is, and the value in the same word.
fn name(word: &str) -> Result<(&str, Option<&str>), Error> {
    if let Some(long) = word.strip_prefix("--") {
        return Ok(long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value))));
    }
    let mut letters = word.strip_prefix('-').unwrap_or_default().chars();
    let letter = letters.next();
    let long = LETTERS.iter().find(|(it, _)| letter == Some(*it));
    let (_, long) =
        long.ok_or_else(|| Error::option(word, "this is not known: it could change the VM that is measured"))?;
    let rest = letters.as_str();
    Ok((long, (!rest.is_empty()).then(|| rest.strip_prefix('=').unwrap_or(rest))))
}

fn switch(vm: &mut Kvmtool, said: &mut Said, name: &str) {
    match name {
        "realm" => said.realm = true,
        "pmu" => vm.pmu = true,
        "disable-sve" => vm.sve_off = true,
        "measurement-log" => vm.log = true,
        "nodefaults" => said.devices.no_default_network = true,
        "force-pci" => said.devices.mmio = false,
        _ => said.devices.count += 1,
    }
}

fn option(vm: &mut Kvmtool, said: &mut Said, name: &str, value: &str) -> Result<(), Error> {
    let option = format!("--{name}");
    let file = || Some(PathBuf::from(value));
    match name {
        "cpus" => said.cpus = Some(number(&option, value)?),
        "mem" => said.memory = Some(memory(&option, value)?),
        "kernel" => vm.files.kernel = file(),
        "initrd" => vm.files.initrd = file(),
        "firmware" => vm.files.firmware = file(),
        "dtb" => vm.files.dtb = file(),
        "params" => vm.params = value.to_string(),
        "firmware-address" => vm.firmware_address = address(&option, value)?,
        "measurement-algo" => vm.hash = hash(&option, value)?,
        "realm-pv" => vm.rpv = rpv(&option, value.as_bytes())?,
        "pmu-counters" => vm.counters = Some(number(&option, value)?),
        "sve-max-vl" | "sve-vl" => vm.sve = Some(number(&option, value)?),
        "irqchip" => vm.its = irqchip(&option, value)?,
        "virtio-transport" => said.devices.mmio = transport(&option, value)?,
        "console" => said.devices.count += u32::from(value == "virtio"),
        "disk" | "9p" | "vsock" => said.devices.count += 1,
        "network" => said.devices.network(value)?,
        "flash" => return Err(Error::option(option, "a Realm has no flash: firmware is given by --firmware")),
        name if WITH_VALUE.contains(&name) => {}
        _ => return Err(Error::option(option, "this option is not known: it could change the VM that is measured")),
    }
    Ok(())
}

fn memory(option: &str, value: &str) -> Result<u64, Error> {
    match value.split_once('@') {
        None => size(option, value),
        Some(_) => Err(Error::option(option, "another address of RAM than 0x80000000 is not supported")),
    }
}

fn address(option: &str, value: &str) -> Result<u64, Error> {
    let hex = value.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16).ok());
    let address = hex.unwrap_or_else(|| value.parse().ok());
    address.ok_or_else(|| Error::option(option, format!("expected an address, found {value:?}")))
}

fn irqchip(option: &str, value: &str) -> Result<bool, Error> {
    match value {
        "gicv3" => Ok(false),
        "gicv3-its" => Ok(true),
        _ => Err(Error::option(option, format!("expected gicv3 or gicv3-its, found {value:?}"))),
    }
}

fn transport(option: &str, value: &str) -> Result<bool, Error> {
    match value {
        "pci" => Ok(false),
        "mmio" => Ok(true),
        _ => Err(Error::option(option, format!("expected pci or mmio, found {value:?}"))),
    }
}

impl Devices {
    fn network(&mut self, value: &str) -> Result<(), Error> {
        let mut none = false;
        for part in value.split(',') {
            match part.split_once('=') {
                Some(("mode", "none")) => none = true,
                Some(("trans", way)) if transport("--network trans", way)? != self.mmio => {
                    return Err(Error::option(
                        "--network trans",
                        "another transport than --virtio-transport says is not supported",
                    ));
                }
                _ => {}
            }
        }
        self.no_default_network |= none;
        self.networks += u32::from(!none);
        Ok(())
    }

    /// Devices that stand in the tree: kvmtool adds a network where none is named.
    fn mmio(&self) -> u32 {
        let default = u32::from(self.networks == 0 && !self.no_default_network);
        if self.mmio { self.count + self.networks + default } else { 0 }
    }
}

#[cfg(test)]
mod tests;
