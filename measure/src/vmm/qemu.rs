//! QEMU's `virt` machine with an `rme-guest` (branches for RMM 1.0).

mod cpu;
mod device;
mod line;
mod map;
mod tree;

use abi::measurement::Hash;

use super::place::{self, MIB, up};
use super::{Files, Host, Ready, Warning};
use crate::Error;
use crate::blob::Blob;
use crate::kernel::Kernel;
use crate::launch::{Entry, Launch, Placed, kvm_entries};
pub use cpu::Cpu;
pub use device::Tmm;
pub use map::{Map, RAM};

/// Where the measurement log stands above the tree, and its size.
const LOG: (u64, u64) = (MIB, 64 << 10);
/// Where the initial RAM disk stands above the start of RAM if there is enough of it.
const INITRD: u64 = 128 * MIB;

/// A VM as QEMU's command line describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qemu {
    /// Bytes of RAM.
    pub memory: u64,
    /// Bytes of RAM with what may be plugged in later.
    pub max_memory: u64,
    /// Slots for memory that may be plugged in later.
    pub slots: u64,
    /// vCPUs.
    pub cpus: u32,
    /// Whether the GIC has an ITS.
    pub its: bool,
    /// Hash algorithm of the measurements.
    pub hash: Hash,
    /// Personalization value.
    pub rpv: [u8; 64],
    /// Whether there is room for a measurement log.
    pub log: bool,
    /// The kernel's command line.
    pub append: Option<String>,
    /// What is asked of the processor.
    pub cpu: Cpu,
    /// The files that are loaded.
    pub files: Files,
    /// What was noticed while the command line was read.
    pub warnings: Vec<Warning>,
}

impl Default for Qemu {
    /// A VM of which nothing is said.
    fn default() -> Qemu {
        Qemu {
            memory: 128 * MIB,
            max_memory: 0,
            slots: 0,
            cpus: 1,
            its: true,
            hash: Hash::Sha512,
            rpv: [0; 64],
            log: false,
            append: None,
            cpu: Cpu::default(),
            files: Files::default(),
            warnings: Vec::new(),
        }
    }
}

/// Where the parts of a VM stand.
struct Parts {
    images: Vec<Placed<'static>>,
    initrd: Option<(u64, u64)>,
    dtb: u64,
    entry: Entry,
}

impl Qemu {
    /// Reads QEMU's command line, without the program's name.
    ///
    /// # Errors
    /// [`Error::Option`] names the first option that is not known not to change the VM, and [`Error::Missing`] what is not
    /// said.
    pub fn parse(words: &[String]) -> Result<Qemu, Error> {
        let (qemu, said) = line::parse(words)?;
        said.realm()?;
        Ok(qemu)
    }

    /// Makes the VM ready to be measured.
    ///
    /// # Errors
    /// Parts that do not fit, files that cannot be read, and what the host lacks or nobody said of it.
    pub fn ready(mut self, host: &Host) -> Result<Ready, Error> {
        if self.memory == 0 || !self.memory.is_multiple_of(MIB) {
            return Err(Error::option("-m", format!("expected whole MiB, found {} bytes", self.memory)));
        }
        let map = Map::new(self.memory, self.max_memory, self.slots);
        let params = self.cpu.of(host)?.params(map.ipa_width, self.hash)?;
        let Parts { mut images, initrd, dtb: base, entry } = self.parts()?;
        let log = self.log.then(|| (base.saturating_add(LOG.0), LOG.1));
        let dtb = match &self.files.dtb {
            Some(path) => {
                self.warnings.push(Warning::TreeIsRewritten);
                super::tree_of(path)?
            }
            None => {
                self.warnings.push(Warning::OwnTree);
                self.tree(&map, initrd, log, params.pmu.is_some())?
            }
        };
        let limit = RAM.saturating_add(self.memory);
        place::end("device tree", base, dtb.len() as u64, limit)?;
        if let Some((start, size)) = log {
            place::end("measurement log", start, size, limit)?;
            place::end("device tree", base, dtb.len() as u64, start)?;
        }
        if self.cpus > super::CLUSTER {
            self.warnings.push(Warning::ManyCpus);
        }
        images.push(Placed { what: "device tree", ipa: base, blob: super::owned(dtb.clone()) });
        let unmeasured = log.map(|(start, size)| start..start + size);
        let entries = kvm_entries(map.ipa_width);
        let launch = Launch { params, ram: RAM..limit, entries, images, entry, unmeasured, rpv: self.rpv };
        Ok(Ready { launch, dtb, warnings: self.warnings })
    }

    /// Kernel and initrd in RAM and started directly, or firmware that gets them later.
    fn parts(&mut self) -> Result<Parts, Error> {
        let mut parts = Parts { images: Vec::new(), initrd: None, dtb: RAM, entry: Entry { pc: RAM, x0: 0 } };
        let limit = RAM.saturating_add(self.memory);
        match &self.files.kernel {
            Some(path) => {
                let Kernel { image, blob, .. } = Kernel::open(path)?;
                let start = RAM + image.text_offset;
                let end = place::end("kernel", start, image.image_size, limit)?;
                let initrd = up(end.max(RAM + INITRD.min(self.memory / 2)), 4096);
                parts.images.push(Placed { what: "kernel", ipa: start, blob });
                parts.entry.pc = start;
                if image.text_offset != 0 {
                    self.warnings.push(Warning::TextOffset);
                }
                let end = self.initrd(&mut parts, initrd, limit)?;
                parts.dtb = up(end, 2 * MIB);
                parts.entry.x0 = parts.dtb;
            }
            None if self.files.initrd.is_some() => {
                return Err(Error::option("-initrd", "there is no -kernel that it would be loaded for"));
            }
            None if self.files.firmware.is_none() => {
                return Err(Error::Missing {
                    what: "the command line of QEMU has neither -kernel nor -bios: the VM would start nothing that can be measured",
                });
            }
            None => {}
        }
        if let Some(path) = &self.files.firmware {
            if self.files.kernel.is_some() {
                self.warnings.push(Warning::KernelOutside);
            }
            let blob = Blob::file(path)?;
            place::end("firmware", 0, blob.length().unwrap_or(0), map::FIRMWARE_END)?;
            parts.images = vec![Placed { what: "firmware", ipa: 0, blob }];
            (parts.dtb, parts.entry) = (RAM, Entry { pc: 0, x0: 0 });
        }
        Ok(parts)
    }

    /// Places the initial RAM disk; answers where it ends, or would.
    fn initrd(&self, parts: &mut Parts, start: u64, limit: u64) -> Result<u64, Error> {
        let Some(path) = &self.files.initrd else { return Ok(start) };
        let blob = Blob::file(path)?;
        let end = place::end("initrd", start, blob.length().unwrap_or(0), limit)?;
        parts.initrd = Some((start, end));
        parts.images.push(Placed { what: "initrd", ipa: start, blob });
        Ok(end)
    }
}

/// Whether a command line of QEMU is for virtCCA; also where the rest of it is not understood.
#[must_use]
pub fn is_tmm(words: &[String]) -> bool {
    words.iter().any(|word| word.starts_with("tmm-guest") || word.split(',').any(|part| part == "kvm-type=cvm"))
}

/// Reads the command line of QEMU with a `tmm-guest`, for virtCCA.
pub(crate) fn parse_tmm(words: &[String]) -> Result<(Qemu, Tmm), Error> {
    let (qemu, said) = line::parse(words)?;
    Ok((qemu, said.tmm()?))
}
