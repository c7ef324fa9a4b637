//! What a Realm asks for: RSI, PSCI, SMCCC.

use crate::host::*;
use abi::rmi::{ExitReason, Status, enter, fid};
use abi::{psci, rsi};

fn f(function: u32) -> u64 {
    u64::from(function)
}

#[test]
fn unknown_calls_are_answered_and_never_leave() {
    let host = Host::with_realm();
    for function in [0x8600_FF01, 0x8400_0050, 0x8000_0001, 0xC400_0153, 0xC400_01A5, 0x8400_0006] {
        let x = host.service(&[function, 11, 12, 13, 14]);
        assert_eq!((x[0], x[4]), (u64::MAX, 14), "{function:#x}");
    }
    assert_eq!(host.service(&[0x8000_0000])[0], 0x1_0004);
    assert_eq!(host.service(&[f(psci::VERSION)])[0], 0x1_0001);
    assert_eq!(host.context(REC, |context| context.pc), RAM + 8 * 4);
}

#[test]
fn sve_hint_of_the_identifier_is_ignored() {
    let host = Host::with_realm();
    let x = host.service(&[f(rsi::fid::VERSION) | 1 << 16, 0x1_0000]);
    assert_eq!(x[..4], [0, 0x1_0000, 0x1_0000, 0]);
    assert_eq!(host.service(&[f(rsi::fid::VERSION), 0x1_0001])[..3], [1, 0x1_0000, 0x1_0000]);
    assert_eq!(host.service(&[f(rsi::fid::FEATURES), 5])[..2], [0, 0]);
}

#[test]
fn realm_learns_its_configuration() {
    let host = Host::with_realm();
    assert_eq!(host.service(&[f(rsi::fid::REALM_CONFIG), RAM])[0], 0);
    host.machine().peek(DATA, |page| {
        assert_eq!(page.0[0], 40);
        assert_eq!(page.0[1..16], [0; 15]);
        assert_eq!(page.0[0x200..0x240], [9; 64]);
        assert_eq!(page.0[0x240..], [0; 0xDC0]);
    });
    assert_eq!(host.service(&[f(rsi::fid::REALM_CONFIG), RAM + 8])[0], 1);
    assert_eq!(host.service(&[f(rsi::fid::REALM_CONFIG), SHARED])[0], 1);
    assert_eq!(host.service(&[f(rsi::fid::REALM_CONFIG), 0])[0], 1);
}

#[test]
fn call_with_a_missing_page_leaves_and_is_made_again() {
    let host = Host::with_realm();
    let page = RAM + 0x7000;
    host.smc(&[f(rsi::fid::REALM_CONFIG), page]);
    let exit = host.run();
    assert_eq!((exit.exit_reason, exit.esr, exit.far, exit.hpfar), (0, 0x24 << 26 | 7, 0, page >> 8));
    assert_eq!(host.context(REC, |context| (context.pc, context.x[0])), (RAM, f(rsi::fid::REALM_CONFIG)));
    host.delegate(&[SPARE]);
    host.ok(fid::DATA_CREATE_UNKNOWN, &[RD, SPARE, page]);
    host.machine().script.lock().unwrap().clear();
    assert_eq!(host.service(&[f(rsi::fid::REALM_CONFIG), page])[0], 0);
    host.machine().peek(SPARE, |page| assert_eq!(page.0[0], 40));
}

#[test]
fn measurements_have_bounds() {
    let host = Host::with_realm();
    assert_eq!(host.service(&[f(rsi::fid::MEASUREMENT_READ), 5])[0], 1);
    for (index, size) in [(0, 8), (5, 8), (1, 65), (u64::MAX, 8), (1, u64::MAX)] {
        assert_eq!(host.service(&[f(rsi::fid::MEASUREMENT_EXTEND), index, size])[0], 1, "{index} {size}");
    }
}

#[test]
fn host_call_passes_registers_both_ways() {
    let host = Host::with_realm();
    let call = RAM + 0x100;
    host.machine().peek(DATA, |page| {
        page.0[0x100..0x102].copy_from_slice(&0xABCD_u16.to_le_bytes());
        page.0[0x108..0x110].copy_from_slice(&77_u64.to_le_bytes());
    });
    let after = host.smc(&[f(rsi::fid::HOST_CALL), call]);
    let exit = host.run();
    assert_eq!((exit.exit_reason, exit.imm, exit.gprs[0]), (ExitReason::HostCall as u8, 0xABCD, 77));
    host.enter(REC, |enter| enter.gprs[30] = 0x1234);
    assert_eq!(after.lock().unwrap()[..4], [0; 4]);
    host.machine().peek(DATA, |page| assert_eq!(page.0[0x1F8..0x200], 0x1234_u64.to_le_bytes()));
    assert_eq!(host.service(&[f(rsi::fid::HOST_CALL), call + 8])[0], 1);
}

#[test]
fn host_call_stays_pending_while_its_page_is_gone() {
    let host = Host::with_realm();
    let after = host.smc(&[f(rsi::fid::HOST_CALL), RAM]);
    assert_eq!(host.run().exit_reason, ExitReason::HostCall as u8);
    host.ok(fid::DATA_DESTROY, &[RD, RAM]);
    let (status, exit) = host.enter(REC, |enter| enter.gicv3_lrs[0] = 1 << 62 | 1 << 60 | 27);
    assert_eq!((status, exit.exit_reason, exit.esr), (Status::Success, 0, 0x24 << 26 | 7));
    assert_eq!(exit.gicv3_lrs[0], 1 << 62 | 1 << 60 | 27);
    assert_eq!(*after.lock().unwrap(), [0xDEAD; 31]);
}

#[test]
fn change_of_ripas_goes_through_the_host() {
    let host = Host::with_realm();
    let (base, top) = (RAM, RAM + 0x3000);
    let after = host.smc(&[f(rsi::fid::IPA_STATE_SET), base, top, 0, 1]);
    let exit = host.run();
    assert_eq!((exit.exit_reason, exit.ripas_base, exit.ripas_top, exit.ripas_value), (4, base, top, 0));
    host.refused(fid::RTT_SET_RIPAS, &[RD, REC, base + 0x1000, top], Status::Input);
    host.refused(fid::RTT_SET_RIPAS, &[RD, REC, base, top + 0x1000], Status::Input);
    host.refused(fid::RTT_SET_RIPAS, &[RD, REC, base, top - 1], Status::Input);
    host.machine().invalidated.lock().unwrap().clear();
    assert_eq!(host.ok(fid::RTT_SET_RIPAS, &[RD, REC, base, top - 0x1000])[0], top - 0x1000);
    assert_eq!(host.machine().invalidated.lock().unwrap().len(), 1);
    assert_eq!(host.ok(fid::RTT_SET_RIPAS, &[RD, REC, top - 0x1000, top])[0], top);
    host.run();
    assert_eq!(after.lock().unwrap()[..4], [0, top, 0, 0]);
    host.refused(fid::RTT_SET_RIPAS, &[RD, REC, base, top], Status::Input);
    let x = host.service(&[f(rsi::fid::IPA_STATE_GET), base, top + 0x1000]);
    assert_eq!(x[..4], [0, top, 0, 0]);
}

#[test]
fn host_may_refuse_ram_but_not_its_absence() {
    let host = Host::with_realm();
    for (value, response) in [(1, 1), (0, 0)] {
        let after = host.smc(&[f(rsi::fid::IPA_STATE_SET), RAM, RAM + 0x1000, value, 0]);
        host.run();
        host.enter(REC, |enter| enter.flags = enter::RIPAS_RESPONSE);
        assert_eq!(after.lock().unwrap()[..4], [0, RAM, response, 0]);
    }
    for call in [[RAM, RAM, 1], [RAM + 1, RAM + 0x1000, 1], [RAM, SHARED + 0x1000, 1], [RAM, RAM + 0x1000, 2]] {
        assert_eq!(host.service(&[f(rsi::fid::IPA_STATE_SET), call[0], call[1], call[2], 0])[0], 1);
    }
}

#[test]
fn destroyed_memory_changes_only_if_the_realm_says_so() {
    let host = Host::with_realm();
    host.ok(fid::DATA_DESTROY, &[RD, RAM]);
    host.smc(&[f(rsi::fid::IPA_STATE_SET), RAM, RAM + 0x1000, 1, 0]);
    host.run();
    host.refused(fid::RTT_SET_RIPAS, &[RD, REC, RAM, RAM + 0x1000], Status::Rtt(3));
    host.run();
    host.smc(&[f(rsi::fid::IPA_STATE_SET), RAM, RAM + 0x1000, 1, 1]);
    host.run();
    assert_eq!(host.ok(fid::RTT_SET_RIPAS, &[RD, REC, RAM, RAM + 0x1000])[0], RAM + 0x1000);
}

#[test]
fn ripas_of_addresses_without_tables_is_empty_and_reaches_on() {
    let host = Host::with_realm();
    assert_eq!(host.service(&[f(rsi::fid::IPA_STATE_GET), 0x0900_0000, 0x0900_1000])[..3], [0, 0x0900_1000, 0]);
    assert_eq!(host.service(&[f(rsi::fid::IPA_STATE_GET), 0, RAM + 0x1000])[..3], [0, RAM, 0]);
    assert_eq!(host.service(&[f(rsi::fid::IPA_STATE_GET), RAM, RAM + 0x1000])[..3], [0, RAM + 0x1000, 1]);
    assert_eq!(host.service(&[f(rsi::fid::IPA_STATE_GET), SHARED, SHARED + 0x1000])[0], 1);
}

#[test]
fn second_cpu_is_turned_on_by_realm_host_and_rmm_together() {
    let host = Host::new();
    host.build(&Options { hash: 0, second_rec: true });
    assert_eq!(host.enter(REC1, |_| {}).0, Status::Rec);
    let after = host.smc(&[f(psci::CPU_ON_64), 1, RAM + 0x40, 0x55]);
    let exit = host.run();
    assert_eq!(exit.exit_reason, ExitReason::Psci as u8);
    assert_eq!(exit.gprs[..5], [f(psci::CPU_ON_64), 1, RAM + 0x40, 0x55, 0]);
    assert_eq!(host.enter(REC, |_| {}).0, Status::Rec);
    host.refused(fid::PSCI_COMPLETE, &[REC, REC, 0], Status::Input);
    host.refused(fid::PSCI_COMPLETE, &[REC1, REC, 0], Status::Input);
    host.refused(fid::PSCI_COMPLETE, &[REC, REC1, 5], Status::Input);
    host.ok(fid::PSCI_COMPLETE, &[REC, REC1, 0]);
    host.refused(fid::PSCI_COMPLETE, &[REC, REC1, 0], Status::Input);
    host.run();
    assert_eq!(after.lock().unwrap()[..4], [0; 4]);
    let (pc, x0, sctlr) = host.context(REC1, |context| (context.pc, context.x[0], context.el1.sctlr));
    assert_eq!((pc, x0, sctlr), (RAM + 0x40, 0x55, 0x00C5_0878));
    assert_eq!(host.enter(REC1, |_| {}).0, Status::Success);
}

#[test]
fn cpu_that_is_on_is_not_turned_on_nor_denied() {
    let host = Host::new();
    host.build(&Options { hash: 0, second_rec: true });
    host.smc(&[f(psci::CPU_ON_64), 1, RAM, 0]);
    host.run();
    host.ok(fid::PSCI_COMPLETE, &[REC, REC1, 0]);
    host.run();
    let after = host.smc(&[f(psci::CPU_ON_64), 1, RAM, 0]);
    host.run();
    host.refused(fid::PSCI_COMPLETE, &[REC, REC1, psci::Status::Denied.word()], Status::Input);
    host.ok(fid::PSCI_COMPLETE, &[REC, REC1, 0]);
    host.run();
    assert_eq!(after.lock().unwrap()[0], psci::Status::AlreadyOn.word());
}

#[test]
fn host_may_deny_a_cpu_that_is_off_and_affinity_tells() {
    let host = Host::new();
    host.build(&Options { hash: 0, second_rec: true });
    let after = host.smc(&[f(psci::CPU_ON_64), 1, RAM, 0]);
    host.run();
    host.ok(fid::PSCI_COMPLETE, &[REC, REC1, psci::Status::Denied.word()]);
    host.run();
    assert_eq!(after.lock().unwrap()[0], psci::Status::Denied.word());
    let after = host.smc(&[f(psci::AFFINITY_INFO_64), 1, 0]);
    assert_eq!(host.run().exit_reason, ExitReason::Psci as u8);
    host.refused(fid::PSCI_COMPLETE, &[REC, REC1, psci::Status::Denied.word()], Status::Input);
    host.ok(fid::PSCI_COMPLETE, &[REC, REC1, 0]);
    host.run();
    assert_eq!(after.lock().unwrap()[0], 1);
    let refused = |call: &[u64]| host.service(call)[0] as i64;
    assert_eq!(refused(&[f(psci::AFFINITY_INFO_64), 1, 1]), -2);
    assert_eq!(refused(&[f(psci::AFFINITY_INFO_64), 2, 0]), -2);
    assert_eq!(refused(&[f(psci::AFFINITY_INFO_64), 0, 0]), 0);
    assert_eq!(refused(&[f(psci::CPU_ON_64), 0, RAM, 0]), -4);
    assert_eq!(refused(&[f(psci::CPU_ON_64), 7, RAM, 0]), -2);
    assert_eq!(refused(&[f(psci::CPU_ON_64), 1, SHARED, 0]), -9);
}

#[test]
fn realm_that_turned_itself_off_never_runs_again() {
    let host = Host::with_realm();
    host.smc(&[f(psci::SYSTEM_OFF)]);
    let exit = host.run();
    assert_eq!((exit.exit_reason, exit.gprs[0]), (ExitReason::Psci as u8, f(psci::SYSTEM_OFF)));
    assert_eq!(host.enter(REC, |_| {}).0, Status::Realm(1));
}

#[test]
fn cpu_that_turned_itself_off_is_not_entered() {
    let host = Host::with_realm();
    host.smc(&[f(psci::CPU_OFF), 5, 6]);
    let exit = host.run();
    assert_eq!((exit.exit_reason, &exit.gprs[..3]), (ExitReason::Psci as u8, &[f(psci::CPU_OFF), 0, 0][..]));
    assert_eq!(host.enter(REC, |_| {}).0, Status::Rec);
}
