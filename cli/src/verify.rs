//! `allod verify`: evidence to verdict (owned by helper verify).
use crate::Done;

#[derive(clap::Args)]
pub struct Args {}

/// Runs `allod verify`.
pub fn main(_args: Args) -> Done {
    Err("not built yet".into())
}
