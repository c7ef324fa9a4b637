//! `allod measure`: the values that a token must show, from files alone.

mod corim;
mod direct;
mod host;
mod source;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::{Done, platform};

/// What is measured.
#[derive(clap::Subcommand)]
pub enum Command {
    /// The measurements of a VM that is launched directly, from its files and the words that launch it.
    Direct(Box<direct::Direct>),
    /// The components of a platform that runs this firmware in this configuration.
    Platform(Platform),
}

/// Arguments of `allod measure platform`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: allod measure platform --boot boot.bin --monitor monitor.bin --rmm rmm.bin --json > platform.json"
)]
pub struct Platform {
    /// The built boot image.
    #[arg(long, value_name = "FILE", required_unless_present = "from_source")]
    boot: Option<PathBuf>,
    /// The monitor, signed or as built; as built its version and signer may be any.
    #[arg(long, value_name = "FILE", required_unless_present = "from_source")]
    monitor: Option<PathBuf>,
    /// The RMM, likewise.
    #[arg(long, value_name = "FILE", required_unless_present = "from_source")]
    rmm: Option<PathBuf>,
    /// A checkout of these sources: it is built, and what it gives stands for the three files. The same sources give the
    /// same bytes, wherever they lie.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["boot", "monitor", "rmm"])]
    from_source: Option<PathBuf>,
    #[command(flatten)]
    config: platform::Config,
    /// Print a reference file for `allod verify` instead of a table.
    #[arg(long)]
    json: bool,
}

/// Runs `allod measure`.
pub fn main(command: Command) -> Done {
    match command {
        Command::Direct(args) => args.run(),
        Command::Platform(args) => measure_platform(&args),
    }
}

fn measure_platform(args: &Platform) -> Done {
    let [boot, monitor, rmm] = args.images()?;
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

impl Platform {
    /// Boot, monitor and RMM, from files or from source.
    fn images(&self) -> Result<[Vec<u8>; 3], Box<dyn std::error::Error>> {
        let built = self.from_source.as_deref().map(source::Built::from).transpose()?;
        let read = |name: &str, file: &Option<PathBuf>| match (&built, file) {
            (Some(built), _) => platform::read(&built.image(name)),
            (None, Some(file)) => platform::read(file),
            (None, None) => Err(format!("--{name} is missing")),
        };
        Ok([read("boot", &self.boot)?, read("monitor", &self.monitor)?, read("rmm", &self.rmm)?])
    }
}
