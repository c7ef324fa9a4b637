//! Other people's programs, run with their failures turned into sentences.

use crate::Done;
use std::path::Path;
use std::process::{Command, Stdio};

/// The Rust targets that the images need.
const TARGETS: [&str; 3] =
    ["aarch64-unknown-none-softfloat", "aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl"];

/// Runs a command with its output on ours; a status other than success is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Done {
    let status = command.status().map_err(|error| format!("{}: {error}", name(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", line(command)).into()) }
}

/// Runs a command and answers what it printed on stdout; its stderr is part of the error when it fails.
pub(crate) fn output(command: &mut Command) -> Done<String> {
    let out = command.stdin(Stdio::null()).output().map_err(|error| format!("{}: {error}", name(command)))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    Err(format!("{} failed ({}): {}", line(command), out.status, String::from_utf8_lossy(&out.stderr).trim()).into())
}

/// `cargo`, the one that runs us, at the repository's root.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::room::root());
    // What cargo set for us describes xtask, not what is built next.
    for (key, _) in std::env::vars_os() {
        let key = key.to_string_lossy();
        if key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*key);
        }
    }
    cargo
}

/// Adds the Rust targets that are missing, by rustup.
pub(crate) fn rust_targets() -> Done {
    let sysroot = output(Command::new("rustc").current_dir(crate::room::root()).args(["--print", "sysroot"]))?;
    let rustlib = Path::new(sysroot.trim()).join("lib/rustlib");
    let missing: Vec<&str> = TARGETS.into_iter().filter(|target| !rustlib.join(target).join("lib").exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("rust     adding {}", missing.join(", "));
    run(Command::new("rustup").current_dir(crate::room::root()).args(["target", "add"]).args(&missing))
}

/// The SHA-256 of a file, in hex.
pub(crate) fn sha256(path: &Path) -> Done<String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes)))
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    std::iter::once(command.get_program().to_string_lossy()).chain(args).collect::<Vec<_>>().join(" ")
}
