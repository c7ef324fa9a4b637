//! `allod platform`: manufacture of a machine, and of the firmware that it runs.

mod certificate;
mod flash;
mod manufacture;
mod signer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use rot::config::{Firmware, Hardware};
use rot::image::{Kind, Statement};
use rot::version::Version;

use crate::Done;
use crate::run::{Calls, mask};

pub use flash::Parts;
pub use manufacture::{Machine, manufacture, otp};
pub use signer::sign;

/// What is made.
#[derive(Subcommand)]
pub enum Command {
    /// Manufacture a machine in a new folder: OTP, the keys of its authorities, its endorsements.
    Init(Init),
    /// Sign an image of monitor or RMM.
    Sign(Sign),
    /// Compose flash 0 from built files and a machine's OTP.
    Flash(Flash),
}

/// Arguments of `allod platform init`.
#[derive(Args)]
#[command(after_help = "Example: allod platform init machine")]
pub struct Init {
    /// The folder to make; it must not exist.
    dir: PathBuf,
    /// Lowest security version of firmware that the machine will run.
    #[arg(long, value_name = "N", default_value_t = 1)]
    lowest_version: u32,
}

/// Arguments of `allod platform sign`.
#[derive(Args)]
#[command(
    after_help = "Example: allod platform sign --key machine/ca/firmware-signer.pem --kind rmm rmm.bin rmm.signed"
)]
pub struct Sign {
    /// The firmware signer's private key, such as ca/firmware-signer.pem of a machine's folder.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the image is.
    #[arg(long)]
    kind: Image,
    /// Its version, for people and tokens.
    #[arg(long, value_name = "TEXT", default_value = env!("CARGO_PKG_VERSION"))]
    version: String,
    /// Its version for the rollback counter.
    #[arg(long, value_name = "N", default_value_t = 1)]
    security_version: u32,
    /// Where it is loaded [default: the one place of its kind].
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    load: Option<u64>,
    /// Where it is entered [default: its first byte].
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    entry: Option<u64>,
    /// The built image.
    input: PathBuf,
    /// The signed image to write.
    output: PathBuf,
}

/// What an image is.
#[derive(Clone, Copy, ValueEnum)]
pub enum Image {
    /// The monitor at EL3.
    Monitor,
    /// The Realm Management Monitor.
    Rmm,
}

/// Arguments of `allod platform flash`.
#[derive(Args)]
#[command(after_help = "\
Example: allod platform flash --dir machine --boot boot.bin --monitor monitor.signed --rmm rmm.signed --output flash.bin")]
pub struct Flash {
    /// The machine's folder.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The built boot image.
    #[arg(long, value_name = "FILE")]
    boot: PathBuf,
    /// The signed monitor.
    #[arg(long, value_name = "FILE")]
    monitor: PathBuf,
    /// The signed RMM.
    #[arg(long, value_name = "FILE")]
    rmm: PathBuf,
    #[command(flatten)]
    config: Config,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// The machine's configuration, which boot measures.
#[derive(Args, Clone)]
pub struct Config {
    /// DRAM: bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = crate::vm::size)]
    dram: u64,
    /// CPUs.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    cpus: u64,
    /// Debugging is allowed; the lifecycle becomes a debug one, which no verifier affirms.
    #[arg(long)]
    debug: bool,
    /// Calls that the monitor shows.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CALLS")]
    trace: Vec<Calls>,
}

impl Config {
    /// The configuration that boot will find in flash.
    pub fn records(&self) -> Result<(Hardware, Firmware), rot::Refusal> {
        let hardware = Hardware { dram_base: abi::map::DRAM, dram_size: self.dram, cpus: self.cpus }.check()?;
        let firmware = Firmware { debug: self.debug, trace: mask(&self.trace) }.check()?;
        Ok((hardware, firmware))
    }
}

/// Runs `allod platform`.
pub fn main(command: Command) -> Done {
    match command {
        Command::Init(args) => init(&args),
        Command::Sign(args) => sign_file(&args),
        Command::Flash(args) => compose(&args),
    }
}

fn init(args: &Init) -> Done {
    let machine = Machine::new(args.lowest_version)?;
    machine.write(&args.dir)?;
    println!("machine {} in {}", evidence::hex::encode(&machine.instance_id), args.dir.display());
    Ok(ExitCode::SUCCESS)
}

fn sign_file(args: &Sign) -> Done {
    let kind = match args.kind {
        Image::Monitor => Kind::Monitor,
        Image::Rmm => Kind::Rmm,
    };
    let load = args.load.unwrap_or(kind.base());
    let statement = Statement {
        kind,
        load,
        entry: args.entry.unwrap_or(load),
        security_version: args.security_version,
        version: Version::new(&args.version)?,
    };
    let image = signer::Signer::read(&args.key)?.image(&statement, &read(&args.input)?)?;
    write(&args.output, &image)?;
    Ok(ExitCode::SUCCESS)
}

fn compose(args: &Flash) -> Done {
    let (hardware, firmware) = args.config.records()?;
    let (boot, monitor, rmm) = (read(&args.boot)?, read(&args.monitor)?, read(&args.rmm)?);
    let otp = otp(&args.dir)?;
    let parts = Parts {
        boot: &boot,
        hardware: &hardware,
        firmware: &firmware,
        otp: otp.as_slice(),
        monitor: &monitor,
        rmm: &rmm,
    };
    manufacture::write_private(&args.output, &parts.compose()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a file; the error names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|why| format!("{}: {why}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|why| format!("{}: {why}", path.display()))
}

/// A number in decimal, or in hexadecimal after `0x`.
fn address(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "expected a number, or 0x and hexadecimal digits".into())
}

#[cfg(test)]
mod tests;
