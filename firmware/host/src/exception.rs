//! Exceptions: only a probe may make one.

use cpu::read;
use cpu::vectors::Frame;

use crate::probe;

cpu::vectors!("host_vectors":
    "host_exception" "host_exception" "host_exception" "host_exception"
    "host_exception" "host_exception" "host_exception" "host_exception"
    "host_exception" "host_exception" "host_exception" "host_exception"
    "host_exception" "host_exception" "host_exception" "host_exception");

cpu::exception!("host_exception", "el2", handle);

extern "C" fn handle(frame: &mut Frame) {
    let esr = read!(esr_el2);
    match probe::landing(esr) {
        Some(landing) => frame.elr = landing,
        None => panic!("exception {esr:#x} at {:#x}, address {:#x}", frame.elr, read!(far_el2)),
    }
}
