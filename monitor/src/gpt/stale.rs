//! What of DRAM may hold another boot's secrets and is wiped before anything runs.

use super::{Gpi, Tables};
use abi::{GRANULE_U64, map};
use core::ops::Range;

/// Gives `wipe` each range of DRAM that must be wiped: with `recorded` the granules that were not Non-secure in the
/// tables as the last boot left them, otherwise all of DRAM but what QEMU has just loaded.
///
/// `placed` is the RMM's image that boot has just put in its place; it stays. Without a record the device tree and
/// the loader's windows stay, which nobody but the Normal world has written since the machine was switched on.
pub fn stale(tables: &Tables<'_>, recorded: bool, placed: Range<u64>, mut wipe: impl FnMut(Range<u64>)) {
    let dram = map::DRAM..tables.delegable_end;
    if recorded {
        let stays = [placed];
        runs(tables, dram, |run| gaps(run, &stays, &mut wipe));
    } else {
        let [low, image] = map::LOADER_WINDOWS;
        let stays = [map::DRAM..map::DRAM + map::DEVICE_TREE_SIZE, placed, low.0..low.1, image.0..image.1];
        gaps(dram, &stays, &mut wipe);
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
