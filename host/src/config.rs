//! The configuration of a VM, and the text that carries it to the host.
//!
//! The text is one `key value` a line, the value verbatim to the line's end, every line ended by `\n`; fw_cfg brings it
//! as [`FILE`] (docs/architecture.md §5). `rpv` is 128 hex digits. `attack` may be absent, every other key is there once.

use alloc::format;
use alloc::string::{String, ToString};
use core::str::FromStr;

use abi::measurement::Hash;

use crate::Error;

/// Name of the fw_cfg file that holds the text.
pub const FILE: &str = "opt/allod/config";
/// Name of the fw_cfg file that holds the kernel.
pub const KERNEL_FILE: &str = "opt/allod/kernel";
/// Name of the fw_cfg file that holds the initial RAM disk.
pub const INITRD_FILE: &str = "opt/allod/initrd";

/// Memory of a VM is a multiple of this many bytes, so that it is measured in whole level 2 entries.
pub const MEMORY_UNIT: u64 = 2 << 20;
/// Least memory of a VM, in bytes.
pub const MEMORY_MIN: u64 = 32 << 20;
/// Most memory of a VM, in bytes.
pub const MEMORY_MAX: u64 = 256 << 30;
/// Most vCPUs of a VM: as many as one Aff0 numbers.
pub const CPUS_MAX: u32 = 16;
/// Most bytes of a command line; arm64 Linux keeps 2,048 with the terminating zero.
pub const CMDLINE_MAX: usize = 2047;
/// Most Realms that one boot of the machine runs.
pub const REALMS_MAX: u32 = 1000;

/// What the VM is, and what the host does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of RAM: a multiple of [`MEMORY_UNIT`] from [`MEMORY_MIN`] to [`MEMORY_MAX`].
    pub memory: u64,
    /// vCPUs, 1 to [`CPUS_MAX`].
    pub cpus: u32,
    /// Hash algorithm of the RIM and the REMs.
    pub hash: Hash,
    /// Realm personalization value, 64 bytes; in the token, not in the RIM.
    pub rpv: [u8; 64],
    /// Kernel command line: no control characters, at most [`CMDLINE_MAX`] bytes.
    pub cmdline: String,
    /// How many Realms run one after another in one boot, 1 to [`REALMS_MAX`].
    pub realms: u32,
    /// What the host does to the Realm besides running it.
    pub attack: Option<Attack>,
}

/// Attacks that the Normal-world host itself carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Read, write and execute a Realm granule.
    Peek,
    /// Reset the machine with a live Realm, then look for what is left of it.
    ResetPeek,
    /// Let a device write to a Realm granule and to secure RAM.
    Dma,
}

impl Attack {
    /// Every attack with the name that people give it.
    pub const ALL: [(Attack, &'static str); 3] =
        [(Attack::Peek, "peek"), (Attack::ResetPeek, "reset-peek"), (Attack::Dma, "dma")];

    /// The name that people give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Attack::Peek => "peek",
            Attack::ResetPeek => "reset-peek",
            Attack::Dma => "dma",
        }
    }
}

/// A value with the key it belongs to, so that a refusal can name both.
struct Field<'a> {
    key: &'static str,
    value: &'a str,
}

/// Values as they are found, each at most once.
#[derive(Default)]
struct Fields<'a>([Option<&'a str>; KEYS.len()]);

const KEYS: [&str; 7] = ["memory", "cpus", "hash", "rpv", "cmdline", "realms", "attack"];

impl Config {
    /// Reads the text of [`FILE`].
    ///
    /// # Errors
    /// Unknown, doubled and missing keys and values that no VM can have, each by name.
    pub fn parse(text: &[u8]) -> Result<Config, Error> {
        let text = core::str::from_utf8(text).map_err(|e| Error::NotText { valid: e.valid_up_to() })?;
        let fields = Fields::read(text)?;
        let config = Config {
            memory: fields.get("memory")?.number()?,
            cpus: fields.get("cpus")?.number()?,
            hash: fields.get("hash")?.hash()?,
            rpv: fields.get("rpv")?.rpv()?,
            cmdline: fields.get("cmdline")?.value.to_string(),
            realms: fields.get("realms")?.number()?,
            attack: fields.get("attack").ok().map(|field| field.attack()).transpose()?,
        };
        config.check()?;
        Ok(config)
    }

    /// Writes the text that [`Config::parse`] reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("memory {}\ncpus {}\nhash {}\nrpv ", self.memory, self.cpus, hash_name(self.hash));
        for byte in self.rpv {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push_str(&format!("\ncmdline {}\nrealms {}\n", self.cmdline, self.realms));
        if let Some(attack) = self.attack {
            text.push_str(&format!("attack {}\n", attack.name()));
        }
        text
    }

    /// Refuses values outside what [`Config`]'s fields say.
    ///
    /// # Errors
    /// [`Error::BadValue`] with the first of them.
    pub fn check(&self) -> Result<(), Error> {
        let memory = (MEMORY_MIN..=MEMORY_MAX).contains(&self.memory) && self.memory.is_multiple_of(MEMORY_UNIT);
        let cmdline = self.cmdline.len() <= CMDLINE_MAX && !self.cmdline.chars().any(char::is_control);
        let field = |key, expected, found: String| Err(Error::BadValue { key, expected, found });
        if !memory {
            return field("memory", "bytes, a multiple of 2 MiB from 32 MiB to 256 GiB", self.memory.to_string());
        }
        if !(1..=CPUS_MAX).contains(&self.cpus) {
            return field("cpus", "1 to 16", self.cpus.to_string());
        }
        if !cmdline {
            return field("cmdline", "at most 2047 bytes, no control characters", self.cmdline.clone());
        }
        if !(1..=REALMS_MAX).contains(&self.realms) {
            return field("realms", "1 to 1000", self.realms.to_string());
        }
        Ok(())
    }
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::default();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(Error::Unfinished);
        }
        for line in text.split_terminator('\n') {
            let (key, value) = line.split_once(' ').ok_or_else(|| Error::NoValue { line: line.to_string() })?;
            let (key, slot) = (KEYS.iter().zip(&mut fields.0))
                .find(|(known, _)| **known == key)
                .ok_or_else(|| Error::UnknownKey { key: key.to_string() })?;
            if slot.replace(value).is_some() {
                return Err(Error::Duplicate { key });
            }
        }
        Ok(fields)
    }

    fn get(&self, key: &'static str) -> Result<Field<'a>, Error> {
        let value = KEYS.iter().zip(self.0).find_map(|(known, value)| value.filter(|_| *known == key));
        value.map(|value| Field { key, value }).ok_or(Error::Missing { key })
    }
}

impl Field<'_> {
    fn bad(&self, expected: &'static str) -> Error {
        Error::BadValue { key: self.key, expected, found: self.value.to_string() }
    }

    /// Decimal digits alone: a sign or a leading zero would give one number two spellings.
    fn number<T: FromStr + ToString>(&self) -> Result<T, Error> {
        let number: Option<T> = self.value.parse().ok();
        number.filter(|n| n.to_string() == self.value).ok_or_else(|| self.bad("a decimal number"))
    }

    fn hash(&self) -> Result<Hash, Error> {
        hash(self.value).ok_or_else(|| self.bad("sha256 or sha512"))
    }

    fn rpv(&self) -> Result<[u8; 64], Error> {
        let digits = self.value.as_bytes();
        let mut rpv = [0; 64];
        for (byte, pair) in rpv.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = core::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
            let parsed = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *byte = parsed.ok_or_else(|| self.bad("128 hex digits"))?;
        }
        if digits.len() == 2 * rpv.len() { Ok(rpv) } else { Err(self.bad("128 hex digits")) }
    }

    fn attack(&self) -> Result<Attack, Error> {
        let known = Attack::ALL.iter().find(|(_, name)| *name == self.value);
        known.map(|(attack, _)| *attack).ok_or_else(|| self.bad("peek, reset-peek or dma"))
    }
}

/// Reads the name of a hash algorithm as people write it: `sha256` or `sha512`.
#[must_use]
pub fn hash(name: &str) -> Option<Hash> {
    [Hash::Sha256, Hash::Sha512].into_iter().find(|hash| hash_name(*hash) == name)
}

/// The name of a hash algorithm as people write it.
#[must_use]
pub fn hash_name(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha256 => "sha256",
        Hash::Sha512 => "sha512",
    }
}

#[cfg(test)]
mod tests;
