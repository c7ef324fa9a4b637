//! `cargo xtask`: provisions QEMU and the guest kernel, builds every image, runs the demo and the tests, checks the
//! repository's own rules, and makes the tarball. It uses no crate of ours: what it runs, it runs as a user would.
#![forbid(unsafe_code)]

mod apt;
mod check;
mod images;
mod initrd;
mod kernel;
mod mirror;
mod qemu;
mod room;
mod tool;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What every step answers: its value, or one sentence about what stood in the way.
pub(crate) type Done<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, provisions and checks Allod")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch what a build and a run need: Rust targets, QEMU, the guest kernel.
    Provision,
    /// Build firmware, guest tool, initramfs and `allod`.
    Build,
    /// Check format, lints, layering, unsafe code, rules of writing, and whose code is used.
    Check,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Provision => provision().map(|_| ExitCode::SUCCESS),
        Command::Build => images::build().map(|_| ExitCode::SUCCESS),
        Command::Check => check::check().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        ExitCode::FAILURE
    })
}

fn provision() -> Done {
    tool::rust_targets()?;
    let qemu = qemu::provision()?;
    println!("qemu     {} ({})", qemu.version, room::shown(&qemu.program));
    kernel::provision()?.print();
    Ok(())
}
