//! Waits, SErrors and virtual interrupts: what passes between host, RMM and Realm, bit by bit.

use crate::fake::Fake;
use crate::host::*;
use abi::rmi::{ExitReason, Status, enter};
use rmm::platform::Exit;

const WFX: u64 = 0x01 << 26;
const IL: u64 = 1 << 25;
const SERROR: u64 = 0x2F << 26;
const IDS: u64 = 1 << 24;
const VSE: u64 = 1 << 8;
const PENDING: u64 = 1 << 62;

#[test]
fn a_wait_shows_its_register_only_if_it_has_one() {
    let host = Host::with_realm();
    // TI: WFI, WFE, WFIT, WFET; RV: the register's number is valid.
    for (kind, valid) in (0..4).flat_map(|kind| [(kind, 0), (kind, 1 << 2)]) {
        host.machine().then(move |context| {
            context.x = [0x5EC7; 31];
            context.x[9] = 0x7777;
            sync(WFX | IL | 0x1FF_FC00 | 9 << 5 | valid | kind)
        });
        let (_, exit) = host.enter(REC, |enter| enter.flags = enter::TRAP_WFI | enter::TRAP_WFE);
        let shown = if kind & 0b10 != 0 && valid != 0 { 0x7777 } else { 0 };
        assert_eq!((exit.esr, exit.gprs[0]), (WFX | kind, shown), "{kind} {valid}");
        assert!(exit.gprs[1..].iter().all(|&register| register == 0));
    }
}

/// Has the machine raise an SError with a severity and more bits: the syndrome that the host sees, whether one is
/// pending in the Realm, and its syndrome.
fn error(severity: u64, more: u64) -> (u64, bool, u64) {
    let host = Host::with_realm();
    host.machine().then(move |_| Exit::SError { esr: SERROR | IL | severity << 10 | more | 0x11 });
    let exit = host.run();
    assert_eq!(exit.exit_reason, ExitReason::SError as u8);
    host.context(REC, |context| (exit.esr, context.hcr & VSE != 0, context.vsesr))
}

#[test]
fn an_error_is_the_realms_if_it_can_deal_with_it() {
    const RESERVED: u64 = 0x1FF_FFC0 & !IDS & !(0b111 << 10) & !(1 << 9);
    for (severity, own) in [(0b001, true), (0b011, true), (0b010, false), (0b110, false)] {
        for more in [0, RESERVED | 1 << 9] {
            let syndrome = severity << 10 | more | 0x11;
            let shown = SERROR | severity << 10 | more & 1 << 9 | 0x11;
            assert_eq!(error(severity, more), (shown, own, if own { syndrome } else { 0 }), "{severity}");
        }
    }
}

#[test]
#[should_panic(expected = "uncontainable SError")]
fn an_error_of_no_known_severity_stops_the_rmm() {
    error(0b011, IDS);
}

#[test]
#[should_panic(expected = "uncontainable SError")]
fn an_error_that_may_have_spread_stops_the_rmm() {
    error(0, 0);
}

#[test]
#[should_panic(expected = "uncontainable SError")]
fn an_error_without_a_severity_stops_the_rmm() {
    error(0b011, 2);
}

/// Whether the RMM takes a list register, and others beside it.
fn takes(host: &Host, registers: &[u64]) -> bool {
    host.enter(REC, |enter| enter.gicv3_lrs[..registers.len()].copy_from_slice(registers)).0 == Status::Success
}

#[test]
fn two_list_registers_are_twins_only_if_both_are_in_use() {
    let host = Host::with_realm();
    assert!(takes(&host, &[27, PENDING | 27, 27]));
    assert!(!takes(&host, &[PENDING | 27, 27, PENDING | 27]));
    assert!(takes(&host, &[PENDING | 27, PENDING | 28, 1 << 63 | 29]));
    // An unused one may hold anything.
    assert!(takes(&host, &[!(3 << 62)]));
}

/// A processor of so many bits of priority and of interrupt numbers.
fn gic(priority_bits: u64, id_bits: u64) -> Host {
    let vtr = (priority_bits - 1) << 29 | 0b100 << 26 | u64::from(id_bits == 24) << 23 | 3;
    let host = Host::on(Fake::of(|features| features.ich_vtr = vtr));
    host.build(&Options { hash: 0, second_rec: false });
    host
}

#[test]
fn a_priority_has_the_bits_of_the_processor() {
    for bits in 5..=8 {
        let host = gic(bits, 16);
        for bit in 0..8 {
            assert_eq!(takes(&host, &[PENDING | 1 << (48 + bit) | 27]), bit >= 8 - bits, "{bits} {bit}");
        }
    }
}

#[test]
fn an_interrupt_number_is_one_that_the_processor_has() {
    for bits in [16, 24] {
        let host = gic(5, bits);
        for (number, known) in
            [(0, true), (1019, true), (1020, false), (8191, false), (8192, true), (0xFFFF, true), (1 << bits, false)]
        {
            assert_eq!(takes(&host, &[PENDING | number]), known, "{bits} {number}");
        }
        assert_eq!(takes(&host, &[PENDING | 1 << 16]), bits == 24);
        assert_eq!(takes(&host, &[PENDING | 0xFF_FFFF]), bits == 24);
    }
}

#[test]
fn the_host_sets_its_own_bits_of_the_virtual_cpu_interface_and_no_other() {
    let host = Host::with_realm();
    for bit in 0..64 {
        let (status, exit) = host.enter(REC, |enter| enter.gicv3_hcr = 1 << bit);
        let own = (1..8).contains(&bit) || bit == 14;
        assert_eq!(status == Status::Success, own, "{bit}");
        assert_eq!(exit.gicv3_hcr, if own { 1 << bit } else { 0 });
    }
}
