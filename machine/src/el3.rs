//! EL3: the monitor's hardware, and its calls as the RMM makes them.

use std::fmt;
use std::sync::Mutex;

use abi::el3::Status;
use abi::map;
use monitor::core::Phase;
use monitor::{Core, Hardware, Monitor, Next, World};
use rmm::platform::El3Error;

use crate::board::{Board, lock};

/// What the monitor asks of the machine: here, the board's memory and a console.
pub struct Root<'b> {
    pub board: &'b Board,
    pub lines: Mutex<Vec<String>>,
}

impl Hardware for Root<'_> {
    fn invalidate(&self, pa: u64) {
        self.board.forget(pa);
    }

    fn wake(&self, _cpu: usize) {}

    fn read_shared(&self, offset: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.board.shared()[offset..offset + to.len()]);
    }

    fn write_shared(&self, offset: usize, from: &[u8]) {
        self.board.shared()[offset..offset + from.len()].copy_from_slice(from);
    }

    fn constant_time(&self, _on: bool) {}

    fn print(&self, line: fmt::Arguments<'_>) {
        lock(&self.lines).push(line.to_string());
    }
}

/// Makes a call of the RMM to EL3: x0 and up, and what x1 and x2 then are.
///
/// # Panics
/// If the monitor does not return to the RMM: these calls leave the world unchanged.
pub fn service(monitor: &Monitor<'_>, root: &Root<'_>, call: &[u64]) -> Result<[u64; 2], El3Error> {
    let mut core = Core::new(0);
    core.phase = Phase::Serving;
    core.realm.set(call);
    let next = monitor.smc(root, &mut core, World::Realm);
    assert_eq!(next, Next::Same, "{:#x} leaves the RMM", call[0]);
    let [x0, x1, x2, ..] = core.realm.0;
    match Status::from_word(x0) {
        Status::Ok => Ok([x1, x2]),
        Status::Again => Err(El3Error::Again),
        _ => Err(El3Error::Refused(x0.cast_signed())),
    }
}

/// Arguments that name the first `size` bytes of the shared page.
pub fn buffer(size: usize) -> [u64; 2] {
    [map::RMM_SHARED, size as u64]
}
