//! `cargo xtask`: provisions QEMU and the guest kernel, builds every image, runs the demo and the tests, checks the
//! repository's own rules, and makes the tarball. It uses no crate of ours: what it runs, it runs as a user would.
#![forbid(unsafe_code)]

mod apt;
mod barriers;
mod bench;
mod check;
mod chromium;
mod demo;
mod dist;
mod fuzz;
mod images;
mod initrd;
mod kernel;
mod mirror;
mod musl;
mod qemu;
mod room;
mod soak;
mod suite;
mod tool;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What every step answers: its value, or one sentence about what stood in the way.
pub(crate) type Done<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, provisions, tests and checks Allod")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boot Debian's kernel as a Realm, attest it, and print the verdict; 0 only if it affirms.
    Demo {
        /// Arguments of `allod run`, such as `--attack NAME`, `--json`, `--cpus 4`, `--console`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run every test: cargo's, then the stories and attacks on QEMU.
    Test {
        /// Only the stories whose names contain this.
        only: Option<String>,
    },
    /// Check format, lints, layering, unsafe code, rules of writing, and whose code is used.
    Check,
    /// Write docs/spec-map.md: where each condition of the specification is checked, and what shows it.
    SpecMap,
    /// Fetch what a build and a run need: Rust targets, QEMU, the guest kernel.
    Provision,
    /// Build firmware, guest tool, initramfs and `allod`.
    Build,
    /// Build the firmware alone: the same sources give the same bytes, wherever they lie.
    Firmware {
        /// Where to write boot.bin, monitor.bin, rmm.bin and host.bin [default: target/allod/firmware].
        #[arg(long, value_name = "DIR")]
        out: Option<std::path::PathBuf>,
        /// Another reading of the specification for the RMM: `hide-il` or `pad-measurements` (docs/rmm.md).
        #[arg(long, value_name = "READING", requires = "out")]
        reading: Vec<String>,
    },
    /// Measure.
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
    /// Run the RMM beside its model, by commands at random.
    Soak(soak::Soak),
    /// Throw bytes at every parser and commands at the RMM, under libFuzzer.
    Fuzz(fuzz::Fuzz),
    /// Make the tarball.
    Dist,
}

#[derive(Subcommand)]
enum Bench {
    /// Each stage of the demo, beside the same kernel as a plain Normal-world guest.
    Demo {
        /// How many times; medians are printed.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
        runs: u32,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// What each call of the firmware takes, in instructions and in time.
    Rmm {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// What judging evidence takes: tokens, event logs, images, the start of `allod verify`, and its size.
    Verify {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let done = |it: Done| it.map(|()| ExitCode::SUCCESS);
    let code = match Cli::parse().command {
        Command::Demo { args } => demo::demo(&args),
        Command::Test { only } => done(suite::test(only.as_deref())),
        Command::Check => done(check::check()),
        Command::SpecMap => done(check::conditions::write_map()),
        Command::Provision => done(provision()),
        Command::Firmware { out, reading } => done(firmware(out, &reading)),
        Command::Build => images::build().map(|_| ExitCode::SUCCESS),
        Command::Bench { what: Bench::Demo { runs, json } } => done(bench::demo(runs, json)),
        Command::Bench { what: Bench::Rmm { json } } => done(bench::rmm(json)),
        Command::Bench { what: Bench::Verify { json } } => done(bench::verify(json)),
        Command::Soak(asked) => done(soak::soak(&asked)),
        Command::Fuzz(asked) => done(fuzz::fuzz(&asked)),
        Command::Dist => done(pack()),
    };
    code.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        ExitCode::FAILURE
    })
}

/// Fetches what is missing, and says on stderr what there is.
pub(crate) fn provision() -> Done {
    tool::rust_targets()?;
    let qemu = qemu::provision()?;
    eprintln!("qemu     {} ({})", qemu.version, room::shown(&qemu.program));
    kernel::provision()?.print();
    musl::provision(musl::Arch::here())
}

/// Builds the firmware into `out`.
fn firmware(out: Option<std::path::PathBuf>, reading: &[String]) -> Done {
    tool::rust_targets()?;
    let reading: Vec<&str> = reading.iter().map(String::as_str).collect();
    images::firmware(&out.unwrap_or_else(|| room::target("allod/firmware")), &reading)
}

fn pack() -> Done {
    provision()?;
    let images = images::build()?;
    for arch in musl::Arch::ALL {
        let path = dist::write(&images, arch, &images::allod(arch)?)?;
        println!("{} sha256:{}", room::shown(&path), tool::sha256(&path)?);
    }
    Ok(())
}
