//! Takes down whatever stands, knowing nothing of it: of each granule every command is tried that could give it back.

use crate::call::timed;
use crate::memory::page;
use crate::realm::{UNPROTECTED, WIDTH};
use abi::rmi::fid;
use core::ops::Range;

const END: u64 = 1 << WIDTH;

/// RmiRttEntryState.
const ASSIGNED: u64 = 1;
const TABLE: u64 = 2;

/// Makes a call, and gives x0 to x4 of its answer.
pub fn call(function: u32, [x1, x2, x3, x4, x5]: [u64; 5]) -> [u64; 5] {
    timed([u64::from(function), x1, x2, x3, x4, x5]).0
}

/// Destroys what the granules of these numbers are, and undelegates them. `spare` is a granule that may become a table.
pub fn all(numbers: Range<u64>, spare: u64) {
    for rec in numbers.clone() {
        call(fid::REC_DESTROY, [page(rec), 0, 0, 0, 0]);
    }
    for rd in numbers.clone().map(page) {
        if call(fid::REC_AUX_COUNT, [rd, 0, 0, 0, 0])[0] == 0 {
            leaves(rd, spare);
            tables(rd, 3);
            tables(rd, 2);
            call(fid::REALM_DESTROY, [rd, 0, 0, 0, 0]);
        }
    }
    for number in numbers {
        call(fid::GRANULE_UNDELEGATE, [page(number), 0, 0, 0, 0]);
    }
}

/// Bytes that an entry of a level maps.
const fn size(level: u64) -> u64 {
    1 << (12 + 9 * (3 - level))
}

/// Gives level and state of the entry that a walk to a level ends at.
fn entry(rd: u64, ipa: u64, level: u64) -> (u64, u64) {
    let [status, reached, state, ..] = call(fid::RTT_READ_ENTRY, [rd, ipa, level, 0, 0]);
    assert!(status == 0 && (1..4).contains(&reached), "entry {ipa:#x} of {rd:#x}: {status:#x}, {reached}");
    (reached, state)
}

/// Destroys data, and unmaps what is the Normal world's; a block of data goes page by page.
fn leaves(rd: u64, spare: u64) {
    let mut ipa = 0;
    while ipa < END {
        let (level, state) = entry(rd, ipa, 3);
        match state {
            ASSIGNED if ipa >= UNPROTECTED => {
                call(fid::RTT_UNMAP_UNPROTECTED, [rd, ipa, level, 0, 0]);
            }
            ASSIGNED if level < 3 => {
                call(fid::GRANULE_DELEGATE, [spare, 0, 0, 0, 0]);
                let unfolded = call(fid::RTT_CREATE, [rd, spare, ipa, level + 1, 0])[0];
                assert!(unfolded == 0, "a block at {ipa:#x} of {rd:#x} does not unfold: {unfolded:#x}");
                continue;
            }
            ASSIGNED => {
                call(fid::DATA_DESTROY, [rd, ipa, 0, 0, 0]);
            }
            _ => {}
        }
        ipa += size(level);
    }
}

fn tables(rd: u64, level: u64) {
    let mut ipa = 0;
    while ipa < END {
        let (reached, state) = entry(rd, ipa, level - 1);
        if reached == level - 1 && state == TABLE {
            call(fid::RTT_DESTROY, [rd, ipa, level, 0, 0]);
        }
        ipa += size(reached);
    }
}
