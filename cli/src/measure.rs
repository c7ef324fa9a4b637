//! `allod measure`: the values that a token must show, from files alone.

use std::process::ExitCode;

use measure::direct::expect;
use serde_json::json;

use crate::{Done, vm};

/// What is measured.
#[derive(clap::Subcommand)]
pub enum Command {
    /// The measurements of a kernel that boots directly as a Realm.
    Direct(Box<Direct>),
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

/// Runs `allod measure`.
pub fn main(command: Command) -> Done {
    match command {
        Command::Direct(args) => direct(&args),
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
