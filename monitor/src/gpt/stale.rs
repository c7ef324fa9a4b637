//! What of DRAM may hold another boot's secrets and is wiped before anything runs.

use super::{Gpi, Tables};
use abi::{GRANULE_U64, map};
use core::ops::Range;

/// What is known of memory when the monitor starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The machine was switched on with all of RAM zero: not even the record's place has been written.
    Switched,
    /// The tables are the last boot's, which a reset ended.
    Recorded,
    /// Anything else: a reset in the middle of the start, or RAM that is not zero when the machine is switched on.
    Unknown,
}

/// Gives `wipe` each range of DRAM that must be wiped: the granules that were not Non-secure in the tables as the last
/// boot left them, or, when that is not known, all of DRAM but what QEMU has just loaded.
///
/// `placed` is the RMM's image that boot has just put in its place; it stays. Without a record the device tree and
/// the loader's windows stay, too, which have been the Normal world's since the machine was switched on.
pub fn stale(tables: &Tables<'_>, before: Before, placed: Range<u64>, mut wipe: impl FnMut(Range<u64>)) {
    let dram = map::DRAM..tables.delegable_end;
    match before {
        Before::Switched => {}
        Before::Recorded => {
            let stays = [placed];
            runs(tables, dram, |run| gaps(run, &stays, &mut wipe));
        }
        Before::Unknown => {
            let [low, image] = map::LOADER_WINDOWS;
            let stays = [map::DRAM..map::DRAM + map::DEVICE_TREE_SIZE, placed, low.0..low.1, image.0..image.1];
            gaps(dram, &stays, &mut wipe);
        }
    }
}

/// Gives each longest run of granules that are not Non-secure.
fn runs(tables: &Tables<'_>, within: Range<u64>, mut give: impl FnMut(Range<u64>)) {
    let mut start = None;
    let mut pa = within.start;
    while pa < within.end {
        let normal = tables.gpi(pa) == Some(Gpi::NonSecure);
        match (normal, start) {
            (false, None) => start = Some(pa),
            (true, Some(from)) => {
                give(from..pa);
                start = None;
            }
            _ => {}
        }
        pa += GRANULE_U64;
    }
    if let Some(from) = start {
        give(from..within.end);
    }
}

/// Gives what of `range` lies in none of `stays`, which are in ascending order and do not overlap.
fn gaps(range: Range<u64>, stays: &[Range<u64>], give: &mut impl FnMut(Range<u64>)) {
    let mut from = range.start;
    for stay in stays {
        let to = stay.start.min(range.end);
        if from < to {
            give(from..to);
        }
        from = from.max(stay.end);
    }
    if from < range.end {
        give(from..range.end);
    }
}
