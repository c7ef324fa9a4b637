//! What of DRAM may hold another boot's secrets is cleared before granule protection starts anew.

use crate::protection;
use abi::map;
use core::ops::Range;
use monitor::gpt::{Layout, Tables, stale};

/// Wipes, then builds the tables and their record anew. `placed` is the RMM's image, which stays.
///
/// # Safety
/// DRAM is mapped and nothing but CPU 0 runs; protection is off.
pub unsafe fn start_clean(tables: &Tables<'_>, layout: &Layout, placed: Range<u64>) {
    // SAFETY: nobody else runs.
    let record = unsafe { protection::record() };
    stale(tables, record.before(layout), placed, |range| {
        if let Some(range) = defended(range) {
            // SAFETY: the range is DRAM that nobody uses: the RMM's image and what the loader placed are left out.
            unsafe { cpu::page::clear(range.start as usize, (range.end - range.start) as usize) }
        }
    });
    record.suspend();
    tables.build(layout, map::GPT + monitor::gpt::L1_OFFSET);
    record.set(layout);
}

/// The build without this defence wipes only the RMM's own memory, which it could not start without.
fn defended(range: Range<u64>) -> Option<Range<u64>> {
    if !cfg!(feature = "without-reset-wipe") {
        return Some(range);
    }
    let own = range.start.max(map::RMM)..range.end.min(map::RMM_END);
    (own.start < own.end).then_some(own)
}
