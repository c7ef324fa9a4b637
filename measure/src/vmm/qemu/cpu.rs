//! `-cpu`: what of the host's processor the VM gets.

use crate::Error;
use crate::vmm::words::{number, parts, switch};
use crate::vmm::{Host, Pmu, within};

/// What is asked of the processor; `None` for what the host has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Breakpoints.
    pub breakpoints: Option<u8>,
    /// Watchpoints.
    pub watchpoints: Option<u8>,
    /// Counters of the PMU.
    pub counters: Option<u8>,
    /// Whether there is a PMU.
    pub pmu: Option<bool>,
    /// Longest SVE vector in bits, 0 without SVE.
    pub sve: Option<u16>,
    /// Shortest SVE vector in bits that is switched off, and with it all longer ones.
    pub sve_below: Option<u16>,
}

/// Properties that nobody sees in a Realm's measurement.
const HARMLESS: [&str; 3] = ["kvm-no-adjvtime", "kvm-steal-time", "migratable"];

impl Cpu {
    /// Reads one `-cpu`.
    pub fn read(&mut self, text: &str) -> Result<(), Error> {
        for (name, value) in parts(text) {
            let option = format!("-cpu {name}");
            match (name.as_str(), value.as_deref()) {
                ("host", None) => {}
                ("num-breakpoints", Some(value)) => self.breakpoints = Some(number(&option, value)?),
                ("num-watchpoints", Some(value)) => self.watchpoints = Some(number(&option, value)?),
                ("num-pmu-counters", Some(value)) => self.counters = Some(number(&option, value)?),
                ("pmu", Some(value)) => self.pmu = Some(switch(&option, value)?),
                ("sve", Some(value)) if switch(&option, value)? => self.sve = self.sve.filter(|bits| *bits > 0),
                ("sve", Some(_)) => self.sve = Some(0),
                (name, Some(value)) if name.starts_with("sve") => self.vector(&option, name, value)?,
                (name, _) if HARMLESS.contains(&name) => {}
                (_, None) => return Err(Error::option(option, "a Realm's processor is `host`")),
                _ => return Err(Error::option(option, "this property is not supported: it could change the RIM")),
            }
        }
        Ok(())
    }

    /// `sve512=on`: vectors up to 512 bits; `sve512=off`: only shorter ones (QEMU, docs/system/arm/cpu-features.rst).
    fn vector(&mut self, option: &str, name: &str, value: &str) -> Result<(), Error> {
        let bits: u16 = number(option, name.trim_start_matches("sve"))?;
        if bits == 0 || bits > 2048 || !bits.is_multiple_of(128) {
            return Err(Error::option(option, format!("expected a multiple of 128 up to 2048, found {bits}")));
        }
        if switch(option, value)? {
            self.sve = Some(self.sve.unwrap_or(0).max(bits));
        } else {
            self.sve_below = Some(self.sve_below.unwrap_or(bits).min(bits));
        }
        Ok(())
    }

    /// What the VM gets of `host`.
    pub fn of(&self, host: &Host) -> Result<Host, Error> {
        let asked = |option, asked: Option<u8>, has: Option<u8>| {
            asked.map_or(Ok(has), |asked| within(option, asked, has).map(Some))
        };
        Ok(Host {
            breakpoints: asked("-cpu num-breakpoints", self.breakpoints, host.breakpoints)?,
            watchpoints: asked("-cpu num-watchpoints", self.watchpoints, host.watchpoints)?,
            pmu: self.pmu(host.pmu)?,
            sve: self.sve(host.sve)?,
            ipa_width: host.ipa_width,
        })
    }

    fn pmu(&self, host: Option<Pmu>) -> Result<Option<Pmu>, Error> {
        let has = match host {
            Some(Pmu::Counters(count)) => Some(count),
            Some(Pmu::Off) | None => None,
        };
        match (self.pmu, host, self.counters) {
            (Some(false), ..) => Ok(Some(Pmu::Off)),
            (Some(true), Some(Pmu::Off), _) => Err(Error::option("-cpu pmu", "the host has no PMU")),
            (None, Some(Pmu::Off), _) => Ok(Some(Pmu::Off)),
            // Without pmu=on, whether there is a PMU depends on the host.
            (None, None, _) => Ok(None),
            (_, _, Some(count)) => within("-cpu num-pmu-counters", count, has).map(|count| Some(Pmu::Counters(count))),
            (_, host, None) => Ok(host),
        }
    }

    fn sve(&self, host: Option<u16>) -> Result<Option<u16>, Error> {
        let asked = match self.sve {
            Some(bits) => Some(within("-cpu sve", bits, host)?),
            None => host,
        };
        let Some(below) = self.sve_below else { return Ok(asked) };
        // The longest vector that is left is a power of two below, as architecture and KVM want.
        let left = if below <= 128 { 0 } else { 1 << (u16::BITS - 1 - (below - 1).leading_zeros()) };
        Ok(asked.map(|bits| if bits >= below { left } else { bits }))
    }
}
