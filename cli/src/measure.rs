//! `allod measure`: reference values from files (owned by helpers hostlib/rot).
use crate::Done;

#[derive(clap::Subcommand)]
pub enum Command {}

/// Runs `allod measure`.
pub fn main(command: Command) -> Done {
    match command {}
}
