//! `allod run`: starts the emulated machine and launches a Realm on it.
use crate::Done;

#[derive(clap::Args)]
pub struct Args {}

/// Runs `allod run`.
pub fn main(_args: Args) -> Done {
    Err("not built yet".into())
}
