//! `allod run`: starts the emulated machine, launches a Realm on it, has it attested and judges its token.
//!
//! Exit codes: 0 the verdict affirms (without `--verify`: the run came to its own end) · 1 the run failed (a crash, a
//! hang, a machine error) · 2 wrong use, or a file that cannot be read · 10 to 13 the verdict does not affirm, as
//! `allod verify` says it · 20 boot refused the firmware · 21 an attack succeeded · 22 the host refused the image ·
//! 23 an attack was refused that leaves no Realm to judge.

mod frame;
mod job;
pub mod judge;
mod normal_world;
mod qemu;
mod report;
mod session;
mod setup;
mod timeline;
mod trace;
mod tree;

use crate::Done;
use crate::attack::{self, Attack};
use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

pub use job::{Job, nonce};
pub use report::Report;
pub use session::Record;
pub use setup::Setup;

/// Exit codes, as the module's documentation lists them; those of a verdict are the verifier's.
pub mod exit {
    /// The verdict affirms, or a run without verdict came to its own end.
    pub const AFFIRMED: u8 = 0;
    /// A crash, a hang, a machine error.
    pub const FAILED: u8 = 1;
    /// Boot refused the firmware.
    pub const FIRMWARE_REFUSED: u8 = 20;
    /// An attack succeeded.
    pub const ATTACK_SUCCEEDED: u8 = 21;
    /// The host refused what was given as an image.
    pub const BAD_IMAGE: u8 = 22;
    /// An attack was refused that leaves no Realm to judge.
    pub const REFUSED: u8 = 23;
}

/// Calls that the firmware can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Calls {
    /// The host's calls to the RMM.
    Rmi,
    /// The Realm's calls to the RMM.
    Rsi,
    /// The RMM's calls to EL3.
    El3,
}

/// The mask of calls to trace.
pub fn mask(calls: &[Calls]) -> u64 {
    let bit = |call: &Calls| match call {
        Calls::Rmi => abi::map::TRACE_RMI,
        Calls::Rsi => abi::map::TRACE_RSI,
        Calls::El3 => abi::map::TRACE_EL3,
    };
    calls.iter().map(bit).fold(0, |mask, bit| mask | bit)
}

/// The command line of `allod run`.
#[derive(ClapArgs)]
#[group(skip)]
#[command(after_help = "\
Exit status: 0 the verdict affirms, or without --verify the run came to its own end · 1 a crash, a hang, a machine error ·
2 wrong use, or a file that cannot be read · 10 to 13 the verdict, as of `allod verify` · 20 boot refused the firmware ·
21 an attack succeeded · 22 the host refused the image · 23 an attack was refused that leaves no Realm to judge.

Example: allod run --firmware firmware --platform machine --kernel Image --initrd initrd.img --verify --token token.cbor")]
pub struct Args {
    /// Folder of boot.bin, monitor.bin, rmm.bin and host.bin [default: `firmware` beside this program].
    #[arg(long, value_name = "DIR")]
    firmware: Option<PathBuf>,
    /// Folder of the machine, as `allod platform init` made it.
    #[arg(long, value_name = "DIR", default_value = "machine")]
    platform: PathBuf,
    #[command(flatten)]
    vm: crate::vm::Args,
    /// Show the Realm's console, and pass on what is typed.
    #[arg(long)]
    console: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Wait for a debugger; the machine's lifecycle becomes "debug", which no verifier affirms.
    #[arg(long)]
    gdb: bool,
    /// Show calls between the worlds.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CALLS")]
    trace: Vec<Calls>,
    /// How many times the Realm is launched, one after another in one start of the machine.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    realms: u32,
    /// Attack the machine or the evidence, and say whether that was refused.
    #[arg(long, value_enum, conflicts_with = "gdb")]
    attack: Option<Attack>,
    /// Seconds until the machine is killed.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
    /// Have the Realm attested with a fresh nonce, and judge its token by values computed here from the same files.
    #[arg(long)]
    verify: bool,
    /// Write the token to a file.
    #[arg(long, value_name = "FILE", requires = "verify")]
    token: Option<PathBuf>,
    /// A line for the guest tool, such as `nproc` or `sleep 500`; may be given several times.
    #[arg(long, value_name = "LINE")]
    ask: Vec<String>,
    /// Leave the Realm running until it powers off by itself.
    #[arg(long)]
    stay: bool,
    /// QEMU 10.0 or newer.
    #[arg(long, value_name = "PROGRAM", default_value = "qemu-system-aarch64")]
    qemu: PathBuf,
    #[command(flatten)]
    normal: normal_world::Options,
}

/// Runs `allod run`.
pub fn main(args: Args) -> Done {
    if let Some(path) = &args.normal.normal_world {
        return normal_world::run(&args, &crate::platform::read(path)?);
    }
    let (attack, json) = (args.attack, args.json);
    let job = Job::new(args)?;
    let report = match attack {
        Some(attack) => attack::carry_out(attack, &job)?,
        None => report::Report::of(&job, job.run()?)?,
    };
    if json {
        println!("{}", report.json());
    } else {
        report.print();
    }
    Ok(ExitCode::from(report.exit()))
}
