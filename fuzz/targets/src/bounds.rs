//! How much memory and time a reader may take.

use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

/// What any reader may allocate, however short its input: tables, regular expressions, messages.
const FLOOR: usize = 256 * 1024;
/// Most time that one step may take, in seconds of the processor.
const SECONDS: f64 = 1.0;

/// Runs a step on foreign bytes. It may allocate [`FLOOR`] and `multiple` times the input's length, and take a second.
///
/// Memory is counted where the program's allocator is [`PeakAlloc`]; elsewhere it counts as none.
///
/// # Panics
/// If the step takes more of either.
pub fn within<R>(input: &[u8], multiple: usize, step: impl FnOnce() -> R) -> R {
    let (before, start) = (PeakAlloc.current_usage(), seconds());
    PeakAlloc.reset_peak_usage();
    let result = step();
    let taken = PeakAlloc.peak_usage().saturating_sub(before);
    let lasted = seconds() - start;
    let most = FLOOR + multiple * input.len();
    assert!(taken <= most, "{taken} bytes allocated for {} bytes of input, more than {most}", input.len());
    assert!(lasted <= SECONDS, "{lasted} s for {} bytes of input", input.len());
    result
}

fn seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
