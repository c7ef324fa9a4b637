//! kvmtool (branches for RMM 1.0).

mod line;
mod tree;

use abi::measurement::Hash;

use super::place::{self, GIB, KIB, MIB, up};
use super::{Files, Host, Pmu, Ready, Warning, within};
use crate::Error;
use crate::blob::Blob;
use crate::kernel::Kernel;
use crate::launch::{Entry, Launch, Placed, kvm_entries};
use host::image::Packing;

/// First byte of RAM.
pub const RAM: u64 = 2 * GIB;

/// Bytes that the device tree takes, zeros after its end.
const TREE: u64 = 64 * KIB;
/// Bytes that the measurement log takes.
const LOG: u64 = 64 * KIB;
/// Images below RAM's start are placed by this much of it.
const REACH: u64 = 256 * MIB;
const TREE_UNIT: u64 = 2 * MIB;
const INITRD_UNIT: u64 = 4;
/// What kvmtool puts before the kernel's command line.
const ADDED: &str = " console=hvc0 root=/dev/vda rw ";

/// A VM as kvmtool's command line describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kvmtool {
    /// Bytes of RAM.
    pub memory: u64,
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
    /// The kernel's command line without what kvmtool adds.
    pub params: String,
    /// Virtio devices that are not behind PCI.
    pub mmio: u32,
    /// Where firmware stands.
    pub firmware_address: u64,
    /// Whether there is a PMU.
    pub pmu: bool,
    /// Counters of the PMU; `None` for the host's.
    pub counters: Option<u8>,
    /// Whether SVE is switched off.
    pub sve_off: bool,
    /// Longest SVE vector in bits; `None` where it is not said.
    pub sve: Option<u16>,
    /// Whether PMU and SVE are as the host has them where they are not said, as cca-realm-measurements takes it.
    pub as_host: bool,
    /// The files that are loaded.
    pub files: Files,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

impl Kvmtool {
    /// A VM of which no more is said.
    #[must_use]
    pub fn new(memory: u64, cpus: u32) -> Kvmtool {
        Kvmtool {
            memory,
            cpus,
            its: true,
            hash: Hash::Sha256,
            rpv: [0; 64],
            log: false,
            params: String::new(),
            mmio: 0,
            firmware_address: RAM,
            pmu: false,
            counters: None,
            sve_off: false,
            sve: None,
            as_host: false,
            files: Files::default(),
            warnings: Vec::new(),
        }
    }

    /// Reads kvmtool's command line, without the program's name and `run`.
    ///
    /// # Errors
    /// [`Error::Option`] names the first option that is not known not to change the VM, and [`Error::Missing`] what is not
    /// said.
    pub fn parse(words: &[String]) -> Result<Kvmtool, Error> {
        line::parse(words)
    }

    /// Makes the VM ready to be measured.
    ///
    /// # Errors
    /// Parts that do not fit, files that cannot be read, and what the host lacks or nobody said of it.
    pub fn ready(mut self, host: &Host) -> Result<Ready, Error> {
        if self.memory == 0 || !self.memory.is_multiple_of(TREE_UNIT) {
            return Err(Error::option("--mem", format!("expected a multiple of 2 MiB, found {} bytes", self.memory)));
        }
        if !(1..=tree::MOST_CPUS).contains(&self.cpus) {
            return Err(Error::option("--cpus", format!("expected 1 to {}, found {}", tree::MOST_CPUS, self.cpus)));
        }
        let ram = RAM..RAM.saturating_add(self.memory);
        let params = self.features(host)?.params(ipa_width(ram.end), self.hash)?;
        let top = ram.end.min(RAM + REACH);
        let top = if self.log { top - LOG } else { top };
        let base = up(top.saturating_sub(TREE_UNIT + TREE), TREE_UNIT);
        if base < RAM {
            return Err(Error::NoRoom { what: "device tree", end: RAM + TREE_UNIT + TREE, limit: ram.end });
        }
        let (mut images, entry, initrd) = self.parts(base, ram.end)?;
        let log = self.log.then_some((top, LOG));
        let mut dtb = self.dtb(initrd, log, params.pmu.is_some())?;
        dtb.resize(TREE as usize, 0);
        if self.cpus > super::CLUSTER {
            self.warnings.push(Warning::ManyCpus);
        }
        images.push(Placed { what: "device tree", ipa: base, blob: super::owned(dtb.clone()) });
        let unmeasured = log.map(|(start, size)| start..start + size);
        let entries = kvm_entries(params.ipa_width);
        let launch = Launch { params, ram, entries, images, entry, unmeasured, rpv: self.rpv };
        Ok(Ready { launch, dtb, warnings: self.warnings })
    }

    fn dtb(&mut self, initrd: Option<(u64, u64)>, log: Option<(u64, u64)>, has_pmu: bool) -> Result<Vec<u8>, Error> {
        let dtb = match &self.files.dtb {
            Some(path) => super::tree_of(path)?,
            None => {
                self.warnings.extend([Warning::OwnTree, Warning::AddedBootargs]);
                self.tree(initrd, log, has_pmu)?
            }
        };
        place::end("device tree", 0, dtb.len() as u64, TREE)?;
        Ok(dtb)
    }

    /// Kernel at the start of RAM, or firmware where it is wanted; the initial RAM disk right below the tree.
    #[expect(clippy::type_complexity, reason = "three answers, named where they are taken")]
    fn parts(&mut self, dtb: u64, end: u64) -> Result<(Vec<Placed<'static>>, Entry, Option<(u64, u64)>), Error> {
        let mut images = Vec::new();
        let (pc, below) = match (&self.files.kernel, &self.files.firmware) {
            (Some(path), None) => {
                let Kernel { image, packing, blob } = Kernel::open(path)?;
                let start = RAM + image.text_offset;
                if packing != Packing::Raw {
                    self.warnings.push(Warning::Packed);
                }
                if image.text_offset != 0 {
                    self.warnings.push(Warning::TextOffset);
                }
                let below = place::end("kernel", start, image.image_size, dtb)?;
                images.push(Placed { what: "kernel", ipa: start, blob });
                (start, below)
            }
            (None, Some(path)) => {
                let blob = Blob::file(path)?;
                let start = self.firmware_address;
                if start < RAM {
                    return Err(Error::option(
                        "--firmware-address",
                        format!("expected an address in RAM, found {start:#x}"),
                    ));
                }
                let below = place::end("firmware", start, blob.length().unwrap_or(0), end)?;
                images.push(Placed { what: "firmware", ipa: start, blob });
                (start, below)
            }
            (Some(_), Some(_)) => {
                return Err(Error::option("--firmware", "kvmtool takes a kernel or firmware, not both"));
            }
            (None, None) => {
                return Err(Error::Missing {
                    what: "the command line of kvmtool has neither --kernel nor --firmware: the VM would start nothing that can be measured",
                });
            }
        };
        let entry = Entry { pc, x0: dtb };
        let Some(path) = &self.files.initrd else { return Ok((images, entry, None)) };
        let blob = Blob::file(path)?;
        let length = blob.length().unwrap_or(0);
        let start = up(dtb.saturating_sub(length.saturating_add(INITRD_UNIT)), INITRD_UNIT);
        if start < below {
            return Err(Error::Overlap { what: "initrd", ipa: start, free: below });
        }
        images.push(Placed { what: "initrd", ipa: start, blob });
        // A tree does not name a RAM disk without bytes.
        Ok((images, entry, (length > 0).then_some((start, start + length))))
    }

    /// What the VM gets of `host`.
    fn features(&mut self, host: &Host) -> Result<Host, Error> {
        let (said_pmu, said_sve) = (self.pmu || self.as_host, self.sve.is_some() || self.as_host);
        let offered = |pmu| matches!(pmu, Some(Pmu::Counters(_)));
        if (!said_pmu && offered(host.pmu)) || (!said_sve && !self.sve_off && host.sve.is_some_and(|bits| bits > 0)) {
            self.warnings.push(Warning::FeaturesOff);
        }
        let pmu = match (said_pmu, host.pmu, self.counters) {
            (false, ..) => Some(Pmu::Off),
            (true, Some(Pmu::Counters(has)), Some(asked)) => {
                Some(Pmu::Counters(within("--pmu-counters", asked, Some(has))?))
            }
            (true, None, Some(asked)) => Some(Pmu::Counters(asked)),
            (true, Some(Pmu::Off), _) if self.pmu => return Err(Error::option("--pmu", "the host has no PMU")),
            (true, has, _) => has,
        };
        let sve = match (self.sve_off, said_sve, self.sve) {
            (true, ..) | (_, false, _) => Some(0),
            (_, _, Some(asked)) => Some(within("--sve-max-vl", asked, host.sve)?),
            _ => host.sve,
        };
        Ok(Host { pmu, sve, ..*host })
    }
}

/// At least 33 bits, for RAM below 4 GiB.
fn ipa_width(end: u64) -> u8 {
    let bits = u64::BITS - end.saturating_sub(1).leading_zeros();
    bits.max(32) as u8 + 1
}
