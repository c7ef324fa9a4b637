//! QEMU's command line.

use std::path::PathBuf;

use super::Qemu;
use super::device::{self, Guest, Machine, Tmm};
use crate::Error;
use crate::vmm::words::{Words, number, parts, size};

/// Options with a value that show in no RIM: the host's own affairs, and backends of devices.
const WITH_VALUE: [&str; 29] = [
    "accel",
    "audiodev",
    "blockdev",
    "boot",
    "chardev",
    "d",
    "D",
    "display",
    "fsdev",
    "k",
    "L",
    "mon",
    "monitor",
    "msg",
    "name",
    "netdev",
    "nic",
    "overcommit",
    "parallel",
    "pidfile",
    "qmp",
    "qmp-pretty",
    "rtc",
    "run-with",
    "sandbox",
    "trace",
    "uuid",
    "vga",
    "vnc",
];

/// Options without a value, likewise.
const WITHOUT_VALUE: [&str; 10] = [
    "enable-kvm",
    "nographic",
    "nodefaults",
    "no-user-config",
    "no-reboot",
    "no-shutdown",
    "S",
    "s",
    "daemonize",
    "snapshot",
];

/// Options with a value that are read.
const READ: [&str; 16] = [
    "m", "smp", "cpu", "machine", "M", "object", "device", "append", "kernel", "initrd", "bios", "dtb", "drive",
    "serial", "numa", "global",
];

/// Why an option is refused that nobody has looked at.
const UNKNOWN: &str = "this option is not known: it could change the VM that is measured";

/// What the command line says in several places.
#[derive(Default)]
pub struct Said {
    machine: Machine,
    guest: Option<Guest>,
    smp: Smp,
    consoles: usize,
    numa: bool,
}

#[derive(Default)]
struct Smp {
    cpus: Option<u32>,
    most: Option<u32>,
    parts: Option<u32>,
}

pub fn parse(words: &[String]) -> Result<(Qemu, Said), Error> {
    let mut qemu = Qemu::default();
    let mut said = Said::default();
    let mut words = Words::new(words);
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            return Err(Error::option(word, "expected an option: disk images are named by -drive or -blockdev"));
        };
        if WITHOUT_VALUE.contains(&name) {
            continue;
        }
        if !READ.contains(&name) && !WITH_VALUE.contains(&name) {
            return Err(Error::option(word, UNKNOWN));
        }
        option(&mut qemu, &mut said, name, words.value(word)?)?;
    }
    qemu.cpus = said.smp.count()?;
    Ok((qemu, said))
}

fn option(qemu: &mut Qemu, said: &mut Said, name: &str, value: &str) -> Result<(), Error> {
    let file = || Some(PathBuf::from(value));
    match name {
        "m" => memory(qemu, value)?,
        "smp" => said.smp.read(value)?,
        "cpu" => qemu.cpu.read(value)?,
        "machine" | "M" => device::machine(qemu, &mut said.machine, value)?,
        "object" => {
            let twice = device::object(qemu, value)?.is_some_and(|guest| said.guest.replace(guest).is_some());
            if twice {
                return Err(Error::option("-object", "expected one rme-guest or tmm-guest, found two"));
            }
        }
        "device" => device::device(value)?,
        "append" => qemu.append = Some(value.to_string()).filter(|text| !text.is_empty()),
        "kernel" => qemu.files.kernel = file(),
        "initrd" => qemu.files.initrd = file(),
        "bios" => qemu.files.firmware = file(),
        "dtb" => qemu.files.dtb = file(),
        "drive" => drive(value)?,
        "numa" => said.numa = true,
        // A timer of PCs, which kata sets on every machine.
        "global" if value.starts_with("kvm-pit.") => {}
        "global" => return Err(Error::option("-global", UNKNOWN)),
        "serial" => {
            said.consoles += 1;
            if said.consoles > 1 {
                return Err(Error::option(
                    "-serial",
                    "a second one adds another UART to the device tree: it is not supported",
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

/// A disk; flash is firmware, of which a Realm has none but `-bios`.
fn drive(value: &str) -> Result<(), Error> {
    let flash = parts(value).iter().any(|(name, value)| name == "if" && value.as_deref() == Some("pflash"));
    if flash {
        Err(Error::option("-drive if=pflash", "a Realm has no flash: firmware is given by -bios"))
    } else {
        Ok(())
    }
}

fn memory(qemu: &mut Qemu, value: &str) -> Result<(), Error> {
    for (name, value) in parts(value) {
        match (name.as_str(), value) {
            (text, None) => qemu.memory = size("-m", text)?,
            ("size", Some(text)) => qemu.memory = size("-m size", &text)?,
            ("slots", Some(text)) => qemu.slots = number("-m slots", &text)?,
            ("maxmem", Some(text)) => qemu.max_memory = size("-m maxmem", &text)?,
            (name, _) => return Err(Error::option(format!("-m {name}"), "expected size, slots or maxmem")),
        }
    }
    Ok(())
}

impl Said {
    /// What makes the VM a Realm is an object and the machine's naming it.
    pub fn realm(&self) -> Result<(), Error> {
        let option = "-machine confidential-guest-support";
        match (&self.machine.guest, &self.guest) {
            _ if self.machine.cvm => {
                Err(Error::option("-machine kvm-type", "cvm makes a VM of virtCCA: measure it as that"))
            }
            // virtCCA's tree is always given, and whatever stands in it is measured with it.
            _ if self.numa => Err(Error::option("-numa", "it changes the device tree: it is not supported")),
            (Some(named), Some(Guest::Rme(id))) if named == id => Ok(()),
            (Some(named), Some(Guest::Rme(id))) => {
                Err(Error::option(option, format!("expected the rme-guest's id {id:?}, found {named:?}")))
            }
            _ => Err(Error::Missing {
                what: "the command line of QEMU makes no Realm: expected -machine …,confidential-guest-support=ID and -object rme-guest,id=ID",
            }),
        }
    }

    /// What makes the VM one of virtCCA is its type and an object.
    pub fn tmm(self) -> Result<Tmm, Error> {
        match self.guest {
            Some(Guest::Tmm(tmm)) if self.machine.cvm => Ok(tmm),
            _ => Err(Error::Missing {
                what: "the command line of QEMU makes no VM of virtCCA: expected -machine …,kvm-type=cvm and -object tmm-guest,…",
            }),
        }
    }
}

impl Smp {
    fn read(&mut self, value: &str) -> Result<(), Error> {
        for (name, value) in parts(value) {
            let option = format!("-smp {name}");
            match (name.as_str(), value) {
                (text, None) => self.cpus = Some(number("-smp", text)?),
                ("cpus", Some(text)) => self.cpus = Some(number(&option, &text)?),
                // What this machine has one of.
                ("dies" | "modules" | "books" | "drawers", Some(text)) if text == "1" => {}
                ("maxcpus", Some(text)) => self.most = Some(number(&option, &text)?),
                ("sockets" | "clusters" | "cores" | "threads", Some(text)) => {
                    let part: u32 = number(&option, &text)?;
                    self.parts = Some(self.parts.unwrap_or(1).saturating_mul(part));
                }
                _ => return Err(Error::option(option, "expected cpus, maxcpus, sockets, clusters, cores or threads")),
            }
        }
        Ok(())
    }

    fn count(&self) -> Result<u32, Error> {
        let count = self.cpus.or(self.most).or(self.parts).unwrap_or(1);
        let whole = self.parts.is_none_or(|parts| parts != 0 && count.is_multiple_of(parts));
        if self.most.is_some_and(|most| most != count) {
            return Err(Error::option(
                "-smp maxcpus",
                "expected as many as cpus: a Realm's processors are all there from the start",
            ));
        }
        if !whole || !(1..=super::tree::MOST_CPUS).contains(&count) {
            return Err(Error::option(
                "-smp",
                format!("expected 1 to {} processors that fill the topology, found {count}", super::tree::MOST_CPUS),
            ));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
