//! A note in memory that outlives a reset: which granules were a Realm's when the host reset the machine.

use alloc::format;
use core::ops::Range;

use abi::{GRANULE, GRANULE_U64, map};
use host::config::Attack;
use host::vmm::attack::report;

use crate::machine::MACHINE;
use crate::probe;

const AT: u64 = map::LOADER_WINDOWS[0].0;
const END: u64 = map::LOADER_WINDOWS[0].1;
const MAGIC: u64 = u64::from_le_bytes(*b"WASREALM");
/// Most runs of granules that the window has room for.
const RUNS_MAX: usize = ((END - AT) / 16) as usize - 1;

/// Leaves the note.
pub fn leave(granules: &[Range<u64>]) {
    let runs = granules.len().min(RUNS_MAX);
    for (at, run) in (AT + 16..).step_by(16).zip(granules.iter().take(runs)) {
        put(at, run.start);
        put(at + 8, run.end);
    }
    put(AT + 8, runs as u64);
    put(AT, MAGIC);
}

/// If there is a note, reads what it names, tells what was found, and takes the note away.
pub fn check() -> bool {
    if probe::read(AT) != Some(MAGIC) {
        return false;
    }
    put(AT, 0);
    let runs = probe::read(AT + 8).unwrap_or(0).min(RUNS_MAX as u64) as usize;
    let mut found = Found::default();
    for at in (AT + 16..).step_by(16).take(runs) {
        let (start, end) = (probe::read(at).unwrap_or(0), probe::read(at + 8).unwrap_or(0));
        (start..end).step_by(GRANULE).for_each(|granule| found.look(granule));
    }
    let detail = format!(
        "after a reset {} granules of the Realm: {} readable and zero, {} faulted, {} with content",
        found.granules, found.zero, found.faulted, found.content
    );
    report(&MACHINE, Attack::ResetPeek, found.granules != 0 && found.content == 0, &detail, "[]");
    true
}

#[derive(Default)]
struct Found {
    granules: usize,
    zero: usize,
    faulted: usize,
    content: usize,
}

impl Found {
    fn look(&mut self, granule: u64) {
        self.granules += 1;
        let mut zero = true;
        for address in (granule..granule + GRANULE_U64).step_by(8) {
            match probe::read(address) {
                Some(value) => zero &= value == 0,
                None => {
                    self.faulted += 1;
                    return;
                }
            }
        }
        if zero { self.zero += 1 } else { self.content += 1 }
    }
}

fn put(address: u64, value: u64) {
    // SAFETY: the window is outside the pool, the image and the heap: nobody refers to it.
    unsafe { (address as *mut u64).write_volatile(value) }
}
