//! What other hosts launch: a VMM's command line becomes a [`Launch`].
//!
//! Layouts, trees and orders are those of the Realm VM specification of Veraison's cca-realm-measurements (0.3), which
//! kvmtool's and QEMU's branches for RMM 1.0 follow. Whatever could change the VM and is not known is refused by its name.

pub mod kvmtool;
pub(crate) mod place;
pub mod qemu;
mod tree;
mod warning;
mod words;

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use abi::measurement::Hash;

use crate::Error;
use crate::blob::{self, Blob};
use crate::launch::Launch;
use crate::rim::Params;
pub use warning::Warning;

/// What processor, RMM and hypervisor of the host offer, which shows in the RIM; `None` where nobody said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Breakpoints, 2 to 64.
    pub breakpoints: Option<u8>,
    /// Watchpoints, 2 to 64.
    pub watchpoints: Option<u8>,
    /// Longest SVE vector in bits, 0 without SVE.
    pub sve: Option<u16>,
    /// Its PMU.
    pub pmu: Option<Pmu>,
    /// Widest address of a Realm in bits.
    pub ipa_width: Option<u8>,
}

/// A PMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pmu {
    /// None.
    Off,
    /// One with so many counters, at most 31.
    Counters(u8),
}

/// Hosts that are known by name: `-cpu max` of QEMU 8.2 and later, and Arm's FVP as shrinkwrap configures it.
pub const HOSTS: [(&str, Host); 2] = [("qemu-max", host(6, 4, 2048, 6)), ("fvp", host(16, 16, 512, 8))];

const fn host(breakpoints: u8, watchpoints: u8, sve: u16, counters: u8) -> Host {
    Host {
        breakpoints: Some(breakpoints),
        watchpoints: Some(watchpoints),
        sve: Some(sve),
        pmu: Some(Pmu::Counters(counters)),
        ipa_width: Some(52),
    }
}

/// The files that a VMM loads into a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The kernel.
    pub kernel: Option<PathBuf>,
    /// The initial RAM disk.
    pub initrd: Option<PathBuf>,
    /// Firmware.
    pub firmware: Option<PathBuf>,
    /// The device tree; `None` for the one that this crate makes.
    pub dtb: Option<PathBuf>,
}

impl Files {
    /// Puts the files of `own` in the places of those that a VMM's command line names.
    ///
    /// # Errors
    /// [`Error::Option`] for a file that the command line does not load: the VM would boot without it.
    pub fn replace(&mut self, own: &Files) -> Result<(), Error> {
        for (slot, own, option) in [
            (&mut self.kernel, &own.kernel, "--kernel"),
            (&mut self.initrd, &own.initrd, "--initrd"),
            (&mut self.firmware, &own.firmware, "--firmware"),
        ] {
            match (slot, own) {
                (slot @ Some(_), Some(own)) => *slot = Some(own.clone()),
                (None, Some(_)) => {
                    return Err(Error::option(
                        option,
                        "the VMM's command line loads no such file: the VM would boot without it",
                    ));
                }
                (_, None) => {}
            }
        }
        self.dtb = own.dtb.clone().or_else(|| self.dtb.take());
        Ok(())
    }
}

/// A VM that can be measured.
#[derive(Debug)]
pub struct Ready {
    /// How it is launched.
    pub launch: Launch<'static>,
    /// The device tree, as it stands in its memory.
    pub dtb: Vec<u8>,
    /// What whoever relies on the RIM should know.
    pub warnings: Vec<Warning>,
}

impl Host {
    /// RmiRealmParams of a Realm whose addresses are `ipa_width` bits wide.
    fn params(&self, ipa_width: u8, hash: Hash) -> Result<Params, Error> {
        if let Some(most) = self.ipa_width.filter(|most| *most < ipa_width) {
            let why = format!("expected at least {ipa_width} bits for this VM, found {most}");
            return Err(Error::option("IPA width of the host", why));
        }
        let debug = |registers: Option<u8>, missing| {
            let registers = registers.ok_or(Error::Missing { what: missing })?;
            match registers {
                2..=64 => Ok(registers - 1),
                _ => Err(Error::option("breakpoints or watchpoints", format!("expected 2 to 64, found {registers}"))),
            }
        };
        Ok(Params {
            ipa_width,
            sve: self.vector()?,
            num_bps: debug(self.breakpoints, "breakpoints of the host are not known: give --host or --breakpoints")?,
            num_wps: debug(self.watchpoints, "watchpoints of the host are not known: give --host or --watchpoints")?,
            pmu: self.counters()?,
            hash,
        })
    }

    fn vector(&self) -> Result<Option<u8>, Error> {
        let bits = self.sve.ok_or(Error::Missing {
            what: "the host's SVE is not known: give --host, --sve-vl BITS (0 for none), or switch SVE off in the VMM's command line",
        })?;
        match bits {
            0 => Ok(None),
            bits if bits <= 2048 && bits.is_multiple_of(128) => Ok(Some((bits / 128 - 1) as u8)),
            bits => {
                Err(Error::option("SVE vector length", format!("expected a multiple of 128 up to 2048, found {bits}")))
            }
        }
    }

    fn counters(&self) -> Result<Option<u8>, Error> {
        match self.pmu {
            None => Err(Error::Missing {
                what: "the host's PMU is not known: give --host, --pmu-counters COUNT|off, or switch it off in the VMM's command line",
            }),
            Some(Pmu::Off) => Ok(None),
            Some(Pmu::Counters(count)) if count <= 31 => Ok(Some(count)),
            Some(Pmu::Counters(count)) => {
                Err(Error::option("PMU counters", format!("expected at most 31, found {count}")))
            }
        }
    }
}

/// Processors of one cluster: the others' numbers are no longer their addresses.
const CLUSTER: u32 = 16;

/// Most bytes of a device tree (Linux, booting.rst).
const TREE_MOST: u64 = 2 << 20;

/// Reads a device tree that is given.
pub(crate) fn tree_of(path: &Path) -> Result<Vec<u8>, Error> {
    let (file, length) = blob::open(path)?;
    let refused = |why: String| Error::File { path: path.to_path_buf(), why };
    let mut tree = Vec::new();
    file.take(TREE_MOST + 1).read_to_end(&mut tree).map_err(|why| refused(why.to_string()))?;
    let word = |at: usize| tree.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_be_bytes(*word));
    match (word(0), word(4)) {
        _ if length > TREE_MOST => Err(refused(format!("expected at most {TREE_MOST} bytes, found {length}"))),
        (Some(0xD00D_FEED), Some(size)) if u64::from(size) <= length => Ok(tree),
        (Some(0xD00D_FEED), Some(size)) => Err(refused(format!("expected a tree of {size} bytes, found {length}"))),
        _ => Err(refused("expected a flattened device tree, found another file".to_string())),
    }
}

/// Bytes of a tree that is kept elsewhere too.
pub(crate) fn owned(bytes: Vec<u8>) -> Blob<'static> {
    Blob::exactly(bytes.len() as u64, Cursor::new(bytes))
}

/// What may be asked of the host: not more than it has.
fn within<T: PartialOrd + std::fmt::Display + Copy>(option: &str, asked: T, has: Option<T>) -> Result<T, Error> {
    match has {
        Some(has) if asked > has => {
            Err(Error::option(option, format!("expected at most the host's {has}, found {asked}")))
        }
        _ => Ok(asked),
    }
}

#[cfg(test)]
mod tests;
