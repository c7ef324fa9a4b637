//! Where images stand.

use crate::Error;

/// KiB in bytes.
pub const KIB: u64 = 1 << 10;
/// MiB in bytes.
pub const MIB: u64 = 1 << 20;
/// GiB in bytes.
pub const GIB: u64 = 1 << 30;

/// The end of an image that must not reach beyond `limit`.
pub fn end(what: &'static str, start: u64, size: u64, limit: u64) -> Result<u64, Error> {
    let end = start.saturating_add(size);
    if end > limit { Err(Error::NoRoom { what, end, limit }) } else { Ok(end) }
}

/// The next multiple of `unit`, or the last address where there is none.
pub fn up(value: u64, unit: u64) -> u64 {
    value.checked_next_multiple_of(unit).unwrap_or(u64::MAX - u64::MAX % unit)
}
