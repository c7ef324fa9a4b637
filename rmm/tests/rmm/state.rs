//! What the RMM gives a new vCPU, and what it keeps of granules: registers and words as they are.

use crate::host::*;
use abi::rmi::fid;
use rmm::address::Pa;
use rmm::granule::{MAX_REFERENCES, State, claim, describe, release};
use rmm::platform::Exit;
use rmm::rec::Rec;
use std::sync::atomic::Ordering;
use zerocopy::IntoBytes;

#[test]
fn a_new_vcpu_has_the_identity_of_its_parameters_and_the_registers_of_a_reset() {
    let host = Host::new();
    host.create_realm(0);
    host.create_rec(0, REC, 1);
    host.context(REC, |context| {
        assert_eq!((context.vmpidr, context.pstate, context.el1.sctlr), (1 << 31, 0x3C5, 0x00C5_0878));
        assert_eq!((context.pmu.pmcr, context.el1.mdscr), (1 << 6 | 1 << 5, 1 << 12));
    });
    assert_eq!(rmm::rec::vmpidr(0x1234_560F), 0x12_8034_560F);
    let realm = host.machine().peek(REC, |page| Rec::of(page).realm);
    assert_eq!(realm.vttbr, ROOTS | 7 << 48);
}

#[test]
fn an_index_has_its_bits_from_all_four_affinities() {
    use rmm::rec::{index_of_affinity, index_of_params};
    for (params, index) in
        [(0xF, 0xF), (0x100, 0x10), (0xFF00, 0xFF0), (0xFF_0000, 0xF_F000), (0xFF00_0000, 0xFF0_0000)]
    {
        assert_eq!(index_of_params(params), Some(index));
    }
    for bit in (4..8).chain(32..64) {
        assert_eq!(index_of_params(1 << bit), None, "{bit}");
    }
    assert_eq!(index_of_affinity(0x12_8034_560F), Some(0x123_456F));
    assert_eq!(index_of_affinity(0x10), None);
}

#[test]
fn a_reference_that_was_never_taken_is_not_given_back() {
    let host = Host::new();
    host.create_realm(0);
    let rd = Pa::new(RD).unwrap();
    let before = describe(host.machine(), rd).unwrap();
    release(host.machine(), rd);
    assert_eq!((describe(host.machine(), rd), before.state, before.references), (Some(before), State::Rd, 0));
    host.create_rec(0, REC, 1);
    assert_eq!(describe(host.machine(), rd).unwrap().references, 1);
    release(host.machine(), rd);
    assert_eq!(describe(host.machine(), rd), Some(before));
}

#[test]
fn each_timer_is_hidden_by_itself() {
    let host = Host::with_realm();
    host.machine().count.store(2000, Ordering::Relaxed);
    for asserted in 0..4_u64 {
        host.machine().then(move |context| {
            context.timers.cntv_ctl = asserted & 1;
            context.timers.cntp_ctl = asserted >> 1;
            Exit::Irq
        });
        // The host is told of the levels, then the vCPU runs on with what it knows.
        host.run();
        host.machine().then(move |context| {
            assert_eq!((context.timers.hide_virtual, context.timers.hide_physical), (asserted & 1, asserted >> 1));
            Exit::Fiq
        });
        assert_eq!(host.run().exit_reason, abi::rmi::ExitReason::Fiq as u8);
    }
}

#[test]
fn a_register_of_another_name_or_direction_does_not_exist() {
    let host = Host::with_realm();
    host.context(REC, |context| context.el1.vbar = 0x1000_0000);
    for ((op0, op1, crn, crm, op2), read) in [
        // Written: MIDR_EL1, ID_AA64PFR0_EL1. Read: ICC_PMR_EL1, ICC_SGI1R_EL1, ICC_DIR_EL1.
        ((3, 0, 0, 0, 0), false),
        ((3, 0, 0, 4, 0), false),
        ((3, 0, 4, 6, 0), true),
        ((3, 0, 12, 11, 5), true),
        ((3, 0, 12, 11, 1), true),
        // One bit beside a register that does.
        ((3, 1, 0, 4, 0), true),
        ((3, 2, 0, 4, 0), true),
        ((3, 4, 0, 4, 0), true),
        ((1, 0, 0, 4, 0), true),
        ((3, 0, 4, 6, 1), false),
        ((3, 0, 5, 2, 0), true),
    ] {
        let pc = host.context(REC, |context| context.pc);
        host.machine().then(move |context| {
            context.x[3] = 0x5EC7;
            sync(
                0x18 << 26
                    | 1 << 25
                    | op0 << 20
                    | op2 << 17
                    | op1 << 14
                    | crn << 10
                    | 3 << 5
                    | crm << 1
                    | u64::from(read),
            )
        });
        let after = host.result();
        let exit = host.run();
        assert_eq!(exit.exit_reason, abi::rmi::ExitReason::Irq as u8);
        assert!(exit.gprs.as_bytes().iter().all(|&byte| byte == 0));
        assert_eq!(after.lock().unwrap()[3], 0x5EC7, "{op0} {op1} {crn} {crm} {op2}");
        host.context(REC, |context| assert_eq!((context.el1.elr, context.el1.esr), (pc, 1 << 25)));
    }
    host.ok(fid::REC_DESTROY, &[REC]);
}

#[test]
fn a_vcpu_has_room_for_all_vector_registers_at_their_longest() {
    use rmm::rec::context::{MAX_QUADWORDS, SimdContext};
    use zerocopy::FromZeros;
    let simd = SimdContext::new_zeroed();
    // 32 registers of 128 bits each quadword; 16 predicates and FFR of a bit for each byte of these.
    assert_eq!(size_of_val(&simd.z), 32 * 16 * MAX_QUADWORDS);
    assert_eq!(size_of_val(&simd.p), 17 * 2 * MAX_QUADWORDS);
}

#[test]
fn references_are_counted_one_by_one_to_the_last() {
    let host = Host::new();
    host.create_realm(0);
    assert_eq!(MAX_REFERENCES, 1023);
    let rd = claim(host.machine(), RD, State::Rd).unwrap();
    for count in 0..1023 {
        assert_eq!(rd.references(), count);
        assert!(rd.retain());
    }
    let full = describe(host.machine(), rd.pa()).unwrap();
    assert!(!rd.retain());
    assert_eq!((describe(host.machine(), rd.pa()), full.references, full.locked), (Some(full), 1023, true));
    drop(rd);
    assert_eq!(describe(host.machine(), Pa::new(RD).unwrap()).unwrap().references, 1023);
}

#[test]
fn a_vcpu_begins_in_the_byte_order_of_the_one_that_turned_it_on() {
    use rmm::rec::{context::RecContext, reset_by_psci};
    use zerocopy::FromZeros;
    let mut context = RecContext::new_zeroed();
    for (callers, own) in [(u64::MAX, 0x02C5_0878), (!(1 << 25), 0x00C5_0878)] {
        reset_by_psci(&mut context, RAM, 7, callers);
        assert_eq!((context.el1.sctlr, context.pc, context.x[0]), (own, RAM, 7));
    }
}

#[test]
fn descriptors_are_those_that_the_hardware_is_to_see() {
    let host = Host::with_realm();
    let entry =
        |table: u64, index: usize| host.machine().peek(table, |page| u64::from_le_bytes(page.0.as_chunks().0[index]));
    // Write-back by force, read and write, inner shareable, accessed, a page.
    assert_eq!(entry(L3, 1), (DATA + 4096) | 0b110 << 2 | 0b11 << 6 | 0b11 << 8 | 1 << 10 | 0b11);
    assert_eq!(entry(L2, 0), L3 | 0b11);
    host.delegate(&[page(50), page(51)]);
    host.ok(fid::RTT_CREATE, &[RD, page(50), SHARED, 2]);
    host.ok(fid::RTT_CREATE, &[RD, page(51), SHARED, 3]);
    // NS and XN; read alone; what is not cacheable is outer shareable.
    for (attributes, shareable) in [(0b110 << 2, 0b11), (0b111 << 2, 0b11), (0b101 << 2, 0b10), (0, 0b10)] {
        host.ok(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, NORMAL | 0b01 << 6 | attributes]);
        let mapped = NORMAL | 0b01 << 6 | attributes | shareable << 8 | 1 << 10 | 0b11 | 1 << 55 | 0b10 << 53;
        assert_eq!(entry(page(51), 0), mapped, "{attributes:#x}");
        host.ok(fid::RTT_UNMAP_UNPROTECTED, &[RD, SHARED, 3]);
    }
}

#[test]
fn a_host_that_does_not_refuse_a_change_to_ram_accepts_as_much_as_it_did() {
    let host = Host::with_realm();
    for (flags, response) in [(0, 0), (abi::rmi::enter::RIPAS_RESPONSE, 1)] {
        let after = host.smc(&[u64::from(abi::rsi::fid::IPA_STATE_SET), RAM, RAM + 0x1000, 1, 0]);
        assert_eq!(host.run().exit_reason, abi::rmi::ExitReason::RipasChange as u8);
        host.enter(REC, |enter| enter.flags = flags);
        assert_eq!(after.lock().unwrap()[..4], [0, RAM, response, 0]);
    }
}
