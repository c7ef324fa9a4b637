//! Aborts: what the host is told of each, and what not; what it may emulate, and what becomes of it.

use crate::host::*;
use abi::rmi::{ExitReason, RecExit, Status, enter, fid};
use rmm::platform::{Access, Exit};

const DATA_ABORT: u64 = 0x24 << 26;
const INSTRUCTION_ABORT: u64 = 0x20 << 26;
const IL: u64 = 1 << 25;
const ISV: u64 = 1 << 24;
const SSE: u64 = 1 << 21;
const SF: u64 = 1 << 15;
const S1PTW: u64 = 1 << 7;
const WNR: u64 = 1 << 6;
const TRANSLATION_3: u64 = 7;
const PERMISSION_3: u64 = 0xF;
/// Every bit of a syndrome but class and status.
const ALL: u64 = 0x3FF_FFC0;
/// SET, FnV and EA.
const ERROR: u64 = 0b11 << 11 | 1 << 10 | 1 << 9;
/// What lies in the Realm's memory without a page behind it.
const MISSING: u64 = RAM + 0x9000;

fn exit_of(host: &Host, exit: Exit) -> RecExit {
    host.machine().then(move |_| exit);
    host.run()
}

fn goes_on(host: &Host, exit: Exit) {
    assert_eq!(exit_of(host, exit).exit_reason, ExitReason::Irq as u8);
}

fn map_shared(host: &Host, desc: u64) {
    host.delegate(&[page(50), page(51)]);
    host.ok(fid::RTT_CREATE, &[RD, page(50), SHARED, 2]);
    host.ok(fid::RTT_CREATE, &[RD, page(51), SHARED, 3]);
    host.ok(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, desc]);
}

#[test]
fn syndrome_is_shown_as_far_as_it_is_the_hosts_affair() {
    let host = Host::with_realm();
    let shown = |esr: u64, ipa| exit_of(&host, abort(esr | TRANSLATION_3, 0x10, ipa)).esr;
    assert_eq!(shown(DATA_ABORT | ALL, MISSING), DATA_ABORT | ERROR | TRANSLATION_3);
    let instruction = INSTRUCTION_ABORT | ERROR & !(1 << 10) | TRANSLATION_3;
    assert_eq!(shown(INSTRUCTION_ABORT | ALL, MISSING), instruction);
    let emulatable = DATA_ABORT | ISV | 0b11 << 22 | SF | ERROR | WNR | TRANSLATION_3;
    assert_eq!(shown(DATA_ABORT | ALL, SHARED), emulatable);
    assert_eq!(shown(DATA_ABORT | ALL & !ISV, SHARED), DATA_ABORT | IL | ERROR | TRANSLATION_3);
}

#[test]
fn address_of_a_fault_is_that_of_hpfar_and_nothing_beside_it() {
    let host = Host::with_realm();
    // NS, and bits that are reserved.
    let hpfar = (SHARED + 0x3000) >> 8 | 1 << 63 | 0xF;
    let exit = exit_of(&host, Exit::Sync { esr: DATA_ABORT | ISV | TRANSLATION_3, far: 0x10, hpfar });
    assert_eq!(exit.hpfar, (SHARED + 0x3000) >> 8);
    // An address above the realm's: bit 51 is told apart, too.
    let hpfar = 1 << 43;
    goes_on(&host, Exit::Sync { esr: DATA_ABORT | TRANSLATION_3, far: 0x10, hpfar });
    assert_eq!(host.context(REC, |context| context.el1.esr), 0x25 << 26);
}

#[test]
fn a_load_shows_the_host_no_register() {
    let host = Host::with_realm();
    host.machine().then(|context| {
        context.x = [0x5EC7; 31];
        abort(DATA_ABORT | ISV | 5 << 16 | TRANSLATION_3, 0x10, SHARED)
    });
    assert_eq!(host.run().gprs, [0; 31]);
}

#[test]
fn a_store_is_shown_in_its_size_and_changes_no_register() {
    const VALUE: u64 = 0x8182_8384_8586_8788;
    let host = Host::with_realm();
    for (size, value) in [(0, 0x88), (1, 0x8788), (2, 0x8586_8788), (3, VALUE)] {
        host.machine().then(move |context| {
            context.x[5] = VALUE;
            abort(DATA_ABORT | ISV | size << 22 | 5 << 16 | WNR | TRANSLATION_3, 0x10, SHARED)
        });
        assert_eq!(host.run().gprs[0], value);
        let after = host.result();
        host.enter(REC, |enter| (enter.flags, enter.gprs[0]) = (enter::EMUL_MMIO, 0x77));
        assert_eq!(after.lock().unwrap()[5], VALUE);
    }
}

/// What a load of 2^`size` bytes puts into a register (Arm ARM, ISS of a data abort: SAS, SSE, SF).
fn loaded(size: u64, signed: bool, wide: bool, value: u64) -> u64 {
    let extended = match (size, signed) {
        (0, false) => u64::from(value as u8),
        (0, true) => value as i8 as u64,
        (1, false) => u64::from(value as u16),
        (1, true) => value as i16 as u64,
        (2, false) => u64::from(value as u32),
        (2, true) => value as i32 as u64,
        _ => value,
    };
    if wide { extended } else { u64::from(extended as u32) }
}

#[test]
fn a_load_is_cut_and_extended_for_every_size_and_sign() {
    let host = Host::with_realm();
    for value in [0x8182_8384_8586_8788, 0x0102_0304_0506_0708, 0x7F80_7F80_7F80_7F80, 0x80FF_80FF_80FF_80FF] {
        for (size, signed, wide) in (0..16_u64).map(|n| (n & 3, n & 4 != 0, n & 8 != 0)) {
            let kind = size << 22 | if signed { SSE } else { 0 } | if wide { SF } else { 0 };
            exit_of(&host, abort(DATA_ABORT | ISV | kind | 5 << 16 | TRANSLATION_3, 0x10, SHARED));
            let after = host.result();
            host.enter(REC, |enter| (enter.flags, enter.gprs[0]) = (enter::EMUL_MMIO, value));
            let found = after.lock().unwrap()[5];
            assert_eq!(found, loaded(size, signed, wide, value), "{size} {signed} {wide} {value:#x}");
        }
    }
}

#[test]
fn programs_of_32_bits_are_not_emulated() {
    let host = Host::with_realm();
    host.context(REC, |context| context.pstate = 0x10);
    let exit = exit_of(&host, abort(DATA_ABORT | ISV | 5 << 16 | TRANSLATION_3, 0x10, SHARED));
    assert_eq!((exit.esr, exit.far), (DATA_ABORT | TRANSLATION_3, 0));
    assert_eq!(host.enter(REC, |enter| enter.flags = enter::EMUL_MMIO).0, Status::Rec);
}

#[test]
fn only_what_a_mapping_forbids_is_emulated_where_there_is_one() {
    let host = Host::with_realm();
    map_shared(&host, NORMAL | 0x58);
    let emulated = |esr: u64| exit_of(&host, abort(DATA_ABORT | ISV | esr, 0x10, SHARED)).esr & ISV != 0;
    *host.machine().translated.lock().unwrap() = Some(SHARED);
    assert!(emulated(WNR | PERMISSION_3));
    // An access flag fault is none of these.
    assert!(!emulated(0xB));
    goes_on(&host, abort(DATA_ABORT | ISV | TRANSLATION_3, 0x10, SHARED));
}

#[test]
fn permission_fault_asks_stage_1_for_the_access_that_was_made() {
    let host = Host::with_realm();
    for (esr, pstate, access, el0) in [
        (DATA_ABORT | WNR, 5, Access::Write, false),
        (DATA_ABORT | WNR, 0, Access::Write, true),
        (DATA_ABORT, 5, Access::Read, false),
        (DATA_ABORT, 4, Access::Read, false),
        (INSTRUCTION_ABORT | WNR, 0, Access::Read, true),
    ] {
        host.context(REC, |context| context.pstate = pstate);
        goes_on(&host, abort(esr | PERMISSION_3, 0xBAD_0000, SHARED));
        let asked = std::mem::take(&mut *host.machine().asked.lock().unwrap());
        assert_eq!(asked, [(0xBAD_0000, access, el0)]);
    }
    // On a walk of stage 1 the hardware tells the address.
    let exit = exit_of(&host, abort(DATA_ABORT | S1PTW | PERMISSION_3, 0xBAD_0000, SHARED));
    assert_eq!((exit.exit_reason, exit.hpfar), (ExitReason::Sync as u8, SHARED >> 8));
    assert!(host.machine().asked.lock().unwrap().is_empty());
}

#[test]
fn permission_fault_where_nothing_forbids_is_tried_again() {
    let host = Host::with_realm();
    for ipa in [RAM, MISSING, SHARED] {
        *host.machine().translated.lock().unwrap() = Some(ipa);
        goes_on(&host, abort(DATA_ABORT | ISV | WNR | PERMISSION_3, 0xBAD_0000, 0));
    }
}

#[test]
fn instructions_are_not_run_where_memory_is_not_to_be_run() {
    let host = Host::with_realm();
    map_shared(&host, NORMAL | 0x58);
    *host.machine().translated.lock().unwrap() = Some(SHARED);
    goes_on(&host, abort(INSTRUCTION_ABORT | PERMISSION_3, 0xBAD_0000, 0));
    assert_eq!(host.context(REC, |context| context.el1.esr), 0x21 << 26 | 1 << 9 | 0x10);
}

#[test]
fn an_error_of_memory_is_told_and_one_that_can_be_recovered_from_is_the_realms_too() {
    const EXTERNAL: [u64; 6] = [0x10, 0x13, 0x14, 0x15, 0x16, 0x17];
    for (severity, injected) in [(0b00, true), (0b11, false)] {
        for (class, status) in [DATA_ABORT, INSTRUCTION_ABORT].into_iter().flat_map(|c| EXTERNAL.map(|s| (c, s))) {
            let host = Host::with_realm();
            let esr = class | ALL & !(0b11 << 11) | severity << 11 | status;
            let exit = exit_of(&host, abort(esr, 0x10, RAM));
            let shown = class | severity << 11 | 1 << 10 | 1 << 9 | status;
            assert_eq!((exit.exit_reason, exit.esr, exit.hpfar), (ExitReason::Sync as u8, shown, 0));
            assert_eq!(host.context(REC, |context| context.el1.esr != 0), injected, "{status:#x}");
        }
    }
}

#[test]
#[should_panic(expected = "uncontainable external abort")]
fn an_error_that_may_have_spread_stops_the_rmm() {
    exit_of(&Host::with_realm(), abort(DATA_ABORT | 0b10 << 11 | 0x10, 0x10, RAM));
}

#[test]
#[should_panic(expected = "granule protection fault")]
fn a_realms_tables_out_of_the_realm_world_stop_the_rmm() {
    exit_of(&Host::with_realm(), abort(DATA_ABORT | 0x27, 0x10, RAM));
}

#[test]
fn an_answer_by_an_abort_is_taken_after_an_unprotected_access_alone() {
    let host = Host::with_realm();
    exit_of(&host, abort(DATA_ABORT | TRANSLATION_3, 0x10, MISSING));
    host.enter(REC, |enter| enter.flags = enter::INJECT_SEA);
    assert_eq!(host.context(REC, |context| (context.el1.esr, context.pc)), (0, RAM));
}
