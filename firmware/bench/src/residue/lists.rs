//! List registers and active priorities of the virtual interrupt controller: a run of a vCPU clears the Normal world's, as it
//! gives its own with the entry and gets them with the exit (RMM 1.0, A6.1); no other command touches them.

use abi::rmi::RecRun;
use cpu::{barrier, read, write};

/// An interrupt of the vCPU's, as a list register has it, with a priority.
const INTERRUPT: u64 = 0x80 << 48 | 27;
const GROUP1: u64 = 1 << 60;
const PENDING: u64 = 1 << 62 | GROUP1;
const ACTIVE: u64 = 1 << 63 | GROUP1;

/// What a vCPU is given in the first list register.
pub const GIVEN: u64 = PENDING | INTERRUPT;

/// Plants interrupts that a Realm would see: pending, of group 1 and the highest priority; and priorities as active.
pub fn plant() {
    write!(ich_lr0_el2, PENDING | 100);
    write!(ich_lr1_el2, PENDING | 101);
    write!(ich_lr2_el2, PENDING | 102);
    write!(ich_lr3_el2, PENDING | 103);
    write!(ich_ap0r0_el2, 1 << 9);
    write!(ich_ap1r0_el2, 1 << 10);
    barrier::isb();
}

/// Gives what the registers have.
pub fn all() -> [u64; 6] {
    [
        read!(ich_lr0_el2),
        read!(ich_lr1_el2),
        read!(ich_lr2_el2),
        read!(ich_lr3_el2),
        read!(ich_ap0r0_el2),
        read!(ich_ap1r0_el2),
    ]
}

/// Sees that the registers are as they were, or, after a run of a vCPU, that nothing is left in them.
pub fn check(given: [u64; 6], ran: bool) {
    let (left, found) = (if ran { [0; 6] } else { given }, all());
    assert!(given.iter().all(|register| *register != 0), "list registers take nothing: {given:x?}");
    assert!(found == left, "list registers and active priorities {found:x?}, not {left:x?}");
}

/// Gives the vCPU the list registers that it left, which hold nothing but the interrupt that it was given: active, until it
/// has ended it.
///
/// # Safety
/// The page is this image's, and the RMM is done with it.
pub unsafe fn hand_on(run: *mut RecRun, active: bool) {
    // SAFETY: as the caller says.
    let lists = unsafe { (*run).exit.gicv3_lrs };
    let [first, others @ ..] = lists;
    let expected = if active { ACTIVE | INTERRUPT } else { GROUP1 | INTERRUPT };
    assert!(first == expected && others == [0; 15], "the vCPU's list registers {lists:x?}, {active}");
    // SAFETY: as the caller says.
    unsafe { (*run).enter.gicv3_lrs = lists };
}
