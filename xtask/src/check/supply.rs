//! Who else's code is in it: cargo-deny's bans, licences and sources, by the rules of `deny.toml`.

use crate::{Done, room, tool};
use std::path::PathBuf;
use std::process::Command;

/// Runs cargo-deny, built under `target/` if this machine has none.
pub(super) fn check() -> Done {
    let program = provision()?;
    let root = room::root();
    let mut deny = Command::new(program);
    deny.current_dir(&root).args(["--log-level", "error", "--locked", "check", "bans", "licenses", "sources"]);
    tool::output(&mut deny).map(drop)
}

fn provision() -> Done<PathBuf> {
    let ours = room::target("tools/bin/cargo-deny");
    for program in [PathBuf::from("cargo-deny"), ours.clone()] {
        if tool::output(Command::new(&program).arg("--version")).is_ok() {
            return Ok(program);
        }
    }
    println!("  building cargo-deny under target/tools; this takes some minutes, once");
    let mut install = tool::cargo();
    install.args(["install", "--quiet", "--locked", "cargo-deny", "--root"]).arg(room::target("tools"));
    tool::run(&mut install)?;
    Ok(ours)
}
