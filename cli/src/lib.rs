//! `allod`: one command for people. Manufactures a platform, measures images, starts the emulated machine with a
//! Realm on it, and verifies what the Realm says about itself.
//!
//! All of it is here and not in the program, so that its readers of files can be tried by others than people.
#![forbid(unsafe_code)]

mod anchors;
mod attack;
pub mod domain;
mod eventlog;
pub mod inspect;
mod measure;
mod platform;
mod policy;
mod reference;
mod run;
mod verify;
mod vm;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The shortest way from a kernel and a token to a verdict; docs/verify.md goes it slowly.
const EXAMPLE: &str = "Example: allod measure direct --kernel Image --initrd initrd.img --json > realm.json
         allod verify token.cbor --nonce $NONCE --anchor root.pem --reference platform.json --reference realm.json";

#[derive(Parser)]
#[command(name = "allod", version, about = "Arm CCA Realms, launched, measured and verified", after_help = EXAMPLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, which lives as long as the program")]
enum Command {
    /// Manufacture a platform: its secret, keys, certificates; sign and assemble its firmware.
    #[command(subcommand, after_help = "Example: allod platform init machine")]
    Platform(platform::Command),
    /// Compute the values a token must show, from files alone.
    #[command(
        subcommand,
        after_help = "Example: allod measure direct --kernel Image --initrd initrd.img --json > realm.json"
    )]
    Measure(measure::Command),
    /// Judge a token against anchors, endorsements and references.
    Verify(verify::Args),
    /// Say what files are and explain what they say, verifying nothing.
    Inspect(inspect::Args),
    /// Keep a folder of whom to trust.
    #[command(subcommand, after_help = "Example: allod anchors add root.pem --store anchors")]
    Anchors(Box<anchors::Command>),
    /// Make, sign, show and convert reference values.
    #[command(
        subcommand,
        after_help = "Example: allod reference create realm.json --output realm.corim && allod reference show realm.corim"
    )]
    Reference(Box<reference::Command>),
    /// Explain, replay and check event logs of measured boots.
    #[command(subcommand, after_help = "Example: allod eventlog explain ccel.bin")]
    Eventlog(eventlog::Command),
    /// List, show and try out policies: what a verdict demands beside what every verification demands.
    #[command(subcommand, after_help = "Example: allod policy list")]
    Policy(policy::Command),
    /// Start the emulated machine and launch a Realm on it.
    Run(Box<run::Args>),
}

/// The exit status where whoever reads the output has left, as `head` does: as if by SIGPIPE, and no verdict.
const BY_SIGPIPE: u8 = 128 + 13;

/// The program. Each command answers its exit code, or an error that is printed and exits with 2 (a wrong use or a broken file).
#[must_use]
pub fn main() -> ExitCode {
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !reader_left(panic.payload()) {
            otherwise(panic)
        }
    }));
    // Unwound, not ended: a machine that runs is stopped.
    std::panic::catch_unwind(|| command(Cli::parse().command)).unwrap_or_else(|panic| {
        if reader_left(&*panic) { ExitCode::from(BY_SIGPIPE) } else { std::panic::resume_unwind(panic) }
    })
}

/// Whether a panic is that of the standard library's printing into a pipe that nobody reads.
fn reader_left(panic: &(dyn std::any::Any + Send)) -> bool {
    let words = panic.downcast_ref::<String>().map_or("", String::as_str);
    words.starts_with("failed printing to std") && words.contains("Broken pipe")
}

fn command(command: Command) -> ExitCode {
    let done = match command {
        Command::Platform(command) => platform::main(command),
        Command::Measure(command) => measure::main(command),
        Command::Verify(args) => verify::main(args),
        Command::Inspect(args) => inspect::main(&args),
        Command::Anchors(command) => anchors::main(*command),
        Command::Reference(command) => reference::main(*command),
        Command::Eventlog(command) => eventlog::main(command),
        Command::Policy(command) => policy::main(command),
        Command::Run(args) => run::main(*args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("allod: {error}");
        ExitCode::from(2)
    })
}

/// What a command answers: an exit code, or why it could not do its work.
pub(crate) type Done = Result<ExitCode, Box<dyn std::error::Error>>;

#[cfg(test)]
mod help_tests;
