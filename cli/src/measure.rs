//! `allod measure`: the values that a token must show, from files alone.

use std::path::PathBuf;
use std::process::ExitCode;

use measure::direct::expect;
use serde_json::json;

use crate::{Done, platform, vm};

/// What is measured.
#[derive(clap::Subcommand)]
pub enum Command {
    /// The measurements of a kernel that boots directly as a Realm.
    Direct(Box<Direct>),
    /// The components of a platform that runs this firmware in this configuration.
    Platform(Platform),
}

/// Arguments of `allod measure direct`.
#[derive(clap::Args)]
pub struct Direct {
    #[command(flatten)]
    vm: vm::Args,
    /// Print a reference file for `allod verify` instead of the RIM.
    #[arg(long)]
    json: bool,
}

/// Arguments of `allod measure platform`.
#[derive(clap::Args)]
pub struct Platform {
    /// The built boot image.
    #[arg(long, value_name = "FILE")]
    boot: PathBuf,
    /// The monitor, signed or as built; as built its version and signer may be any.
    #[arg(long, value_name = "FILE")]
    monitor: PathBuf,
    /// The RMM, likewise.
    #[arg(long, value_name = "FILE")]
    rmm: PathBuf,
    #[command(flatten)]
    config: platform::Config,
    /// Print a reference file for `allod verify` instead of a table.
    #[arg(long)]
    json: bool,
}

/// Runs `allod measure`.
pub fn main(command: Command) -> Done {
    match command {
        Command::Direct(args) => direct(&args),
        Command::Platform(args) => measure_platform(&args),
    }
}

fn direct(args: &Direct) -> Done {
    let vm = args.vm.load()?;
    let expected = expect(&vm.images(), &vm.config)?;
    if args.json {
        let reference = json!({ "profile": measure::PROFILE, "realm": expected.json() });
        println!("{reference:#}");
    } else {
        println!("{}", evidence::hex::encode(&expected.rim));
    }
    Ok(ExitCode::SUCCESS)
}

fn measure_platform(args: &Platform) -> Done {
    let (boot, monitor, rmm) =
        (platform::read(&args.boot)?, platform::read(&args.monitor)?, platform::read(&args.rmm)?);
    let (hardware, firmware) = args.config.records()?;
    let files = measure::platform::Files {
        boot: &boot,
        monitor: &monitor,
        rmm: &rmm,
        hardware: &hardware,
        firmware: &firmware,
    };
    let expected = measure::platform::expect(&files)?;
    if args.json {
        let reference = json!({ "profile": measure::PROFILE, "platform": expected.json() });
        println!("{reference:#}");
    } else {
        for component in &expected.components {
            let version = component.version.as_deref().unwrap_or("any");
            println!("{:<10} {} {version}", component.kind, evidence::hex::encode(&component.measurement));
        }
    }
    Ok(ExitCode::SUCCESS)
}
