//! `cargo xtask check`: what the repository promises about itself, checked.

pub(crate) mod conditions;
mod layering;
mod ledger;
mod rules;
mod source;
mod supply;

use crate::{Done, tool};

const BARE: &str = "aarch64-unknown-none-softfloat";
const BARE_CRATES: [&str; 6] = ["fw-cpu", "fw-boot", "fw-monitor", "fw-rmm", "fw-host", "fw-bench"];

/// One promise: its name, and the check that prints what it found or says what is broken.
type Promise = (&'static str, fn() -> Done);

const PROMISES: [Promise; 8] = [
    ("format", format),
    ("layering", layering::check),
    ("rules", rules::check),
    ("conditions", conditions::check),
    ("unsafe ledger", ledger::check),
    ("clippy, this machine", clippy),
    ("clippy, bare metal", clippy_bare),
    ("supply", supply::check),
];

/// Runs every check, and fails if any does.
pub(crate) fn check() -> Done {
    let mut broken = 0;
    for (name, promise) in PROMISES {
        match promise() {
            Ok(()) => println!("✓ {name}"),
            Err(error) => {
                broken += 1;
                println!("✗ {name}: {error}");
            }
        }
    }
    println!("{} passed, {broken} failed", PROMISES.len() - broken);
    if broken == 0 { Ok(()) } else { Err("a check failed".into()) }
}

fn format() -> Done {
    tool::run(tool::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Done {
    tool::run(tool::cargo().args(["clippy", "--quiet", "--locked", "--all-targets", "--", "-D", "warnings"]))
}

/// One by one, as they are built: together they would share the features that any of them asks for.
fn clippy_bare() -> Done {
    tool::rust_targets()?;
    for name in BARE_CRATES {
        let mut command = tool::cargo();
        command.args(["clippy", "--quiet", "--locked", "--profile", "firmware", "--target", BARE, "--package", name]);
        tool::run(command.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// An error of all the lines found, or none.
fn none_found(found: Vec<String>) -> Done {
    if found.is_empty() { Ok(()) } else { Err(format!("\n  {}", found.join("\n  ")).into()) }
}
