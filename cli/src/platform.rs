//! `allod platform`: manufacture of a machine and its firmware (owned by helper rot).
use crate::Done;

#[derive(clap::Subcommand)]
pub enum Command {}

/// Runs `allod platform`.
pub fn main(command: Command) -> Done {
    match command {}
}
