//! `allod-guest`: inside a Realm.
//!
//! As an ordinary program it fetches the Realm's token: `allod-guest attest --nonce HEX` prints it in hexadecimal. As
//! process 1 of an initramfs it makes a guest of the kernel alone: it mounts what is needed, loads the modules that it
//! finds, says `ready` on the second console and answers what it is asked there.
//!
//! Whoever speaks on the second console is the host, which is not trusted: lines are bounded, and nothing it can ask
//! for is a secret.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod hex;
mod init;
mod log;
mod modules;
mod protocol;
mod tsm;

use std::io::Write;
use std::process::ExitCode;

const USAGE: &str =
    "usage: allod-guest attest --nonce HEX    (32 to 64 bytes; prints the Realm's token in hexadecimal)";
/// Exit status of a wrong use.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    if std::process::id() == 1 {
        init::run();
    }
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["attest", "--nonce", nonce] => attest(nonce),
        ["--help" | "-h"] => print(USAGE),
        _ => complain(WRONG_USE, USAGE),
    }
}

fn attest(nonce: &str) -> ExitCode {
    let Some(challenge) = hex::decode(nonce) else {
        return complain(WRONG_USE, "expected the nonce in hexadecimal");
    };
    match tsm::token(&challenge) {
        Ok(token) => print(&hex::encode(&token)),
        Err(error) => complain(1, &error),
    }
}

fn print(text: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(status: u8, text: &str) -> ExitCode {
    // There is nowhere left to say that saying it failed.
    let _ = writeln!(std::io::stderr(), "allod-guest: {text}");
    ExitCode::from(status)
}
