//! What to launch, as people say it on the command line: by options, or by a libvirt domain.

use std::fs;
use std::path::{Path, PathBuf};

use host::config::Config;
use measure::kernel::unpack;

use crate::domain::Domain;

type Error = Box<dyn std::error::Error>;

/// Command line of a kernel that nobody gave one: the first console, and a bounce pool that fits a small VM.
pub const CMDLINE: &str = "console=hvc0 swiotlb=8192";

/// A VM by options or by a domain, not by both.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// A libvirt domain with launchSecurity type='cca', instead of the options below.
    #[arg(long, value_name = "FILE.xml", conflicts_with_all = ["kernel", "initrd", "cmdline", "memory", "cpus", "hash", "rpv"])]
    pub domain: Option<PathBuf>,
    /// The kernel: an arm64 Image, raw, gzip or EFI zboot.
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// The initial RAM disk.
    #[arg(long, value_name = "FILE")]
    pub initrd: Option<PathBuf>,
    /// The kernel's command line.
    #[arg(long, value_name = "TEXT", default_value = CMDLINE)]
    pub cmdline: String,
    /// Memory: bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size)]
    pub memory: u64,
    /// Virtual CPUs [default: 1].
    #[arg(long, value_name = "COUNT")]
    pub cpus: Option<u32>,
    /// Hash of the Realm's measurements: sha256 or sha512.
    #[arg(long, value_name = "NAME", default_value = "sha256", value_parser = hash)]
    pub hash: abi::measurement::Hash,
    /// Realm personalization value: up to 128 hex digits, zero padded.
    #[arg(long, value_name = "HEX", default_value = "", value_parser = rpv)]
    pub rpv: Rpv,
}

/// A Realm personalization value.
pub type Rpv = [u8; 64];

/// A VM with its files read and its kernel unpacked.
#[derive(Clone, Debug)]
pub struct Vm {
    /// A raw arm64 `Image`.
    pub kernel: Vec<u8>,
    /// The initial RAM disk; empty for none.
    pub initrd: Vec<u8>,
    /// All the rest: one Realm, no attack.
    pub config: Config,
}

impl Args {
    /// Reads the domain and the files, and refuses what the machine cannot run.
    pub fn load(&self) -> Result<Vm, Error> {
        let domain = match &self.domain {
            Some(path) => domain(path)?,
            None => self.options()?,
        };
        let (kernel, initrd) = (domain.kernel.clone(), domain.initrd.clone());
        let config = configured(domain)?;
        let kernel = unpack(&read(&kernel)?)?.into_owned();
        let initrd = initrd.as_deref().map_or(Ok(Vec::new()), read)?;
        Ok(Vm { kernel, initrd, config })
    }

    fn options(&self) -> Result<Domain, Error> {
        Ok(Domain {
            memory: self.memory,
            cpus: self.cpus.unwrap_or(1),
            kernel: self.kernel.clone().ok_or("--kernel or --domain is missing")?,
            initrd: self.initrd.clone(),
            cmdline: self.cmdline.clone(),
            hash: self.hash,
            rpv: self.rpv,
        })
    }
}

/// The host's configuration of a VM, where the machine can run it.
pub fn configured(domain: Domain) -> Result<Config, Error> {
    let most = u32::try_from(abi::map::MAX_CPUS)?;
    if domain.cpus > most {
        return Err(format!("cpus: expected 1 to {most}, found {}", domain.cpus).into());
    }
    let Domain { memory, cpus, hash, rpv, cmdline, .. } = domain;
    let config = Config { memory, cpus, hash, rpv, cmdline, realms: 1, attack: None };
    config.check()?;
    Ok(config)
}

/// Reads a domain. Files that it names relatively stand beside it.
pub fn domain(path: &Path) -> Result<Domain, Error> {
    let mut domain = Domain::parse(&String::from_utf8(read(path)?)?)?;
    let beside = path.parent().unwrap_or(Path::new(""));
    domain.kernel = beside.join(&domain.kernel);
    domain.initrd = domain.initrd.map(|initrd| beside.join(initrd));
    Ok(domain)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|why| format!("{}: {why}", path.display()).into())
}

/// Reads a size: bytes, or with K, M or G.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    number.ok_or_else(|| "expected a number, with K, M or G if wanted".into())
}

/// Reads a hash algorithm's name.
pub fn hash(text: &str) -> Result<abi::measurement::Hash, String> {
    host::config::hash(text).ok_or_else(|| "expected sha256 or sha512".into())
}

/// Reads a personalization value.
pub fn rpv(text: &str) -> Result<Rpv, String> {
    let bytes = evidence::hex::decode(text);
    let mut rpv = [0; 64];
    let slot = bytes.as_deref().and_then(|bytes| Some((rpv.get_mut(..bytes.len())?, bytes)));
    let (to, from) = slot.ok_or("expected at most 128 hex digits, an even number of them")?;
    to.copy_from_slice(from);
    Ok(rpv)
}

#[cfg(test)]
mod tests;
