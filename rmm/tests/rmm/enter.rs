//! RMI_REC_ENTER: its conditions, and every kind of exit.

use crate::host::*;
use abi::rmi::{ExitReason, RecExit, Status, enter, fid};
use rmm::platform::Exit;
use std::sync::atomic::Ordering;
use zerocopy::IntoBytes;

const DATA_ABORT: u64 = 0x24 << 26;
const INSTRUCTION_ABORT: u64 = 0x20 << 26;
const TRANSLATION_3: u64 = 7;
const PERMISSION_3: u64 = 0xF;
const ISV: u64 = 1 << 24;
const WNR: u64 = 1 << 6;

fn sysreg(op0: u64, op1: u64, crn: u64, crm: u64, op2: u64, rt: u64, read: bool) -> u64 {
    0x18 << 26 | 1 << 25 | op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | u64::from(read)
}

#[test]
fn entry_has_its_conditions() {
    let host = Host::new();
    host.build(&Options { hash: 0, second_rec: true });
    host.delegate(&[SPARE]);
    host.refused(fid::REC_ENTER, &[REC, SPARE], Status::Input);
    host.refused(fid::REC_ENTER, &[RD, RUN], Status::Input);
    host.refused(fid::REC_ENTER, &[REC + 1, RUN], Status::Input);
    host.refused(fid::REC_ENTER, &[REC1, RUN], Status::Rec);
    let bad = |fill: fn(&mut abi::rmi::RecEnter)| assert_eq!(host.enter(REC, fill).0, Status::Rec);
    bad(|enter| enter.flags = enter::EMUL_MMIO);
    bad(|enter| enter.gicv3_hcr = 1);
    bad(|enter| enter.gicv3_lrs[0] = 1 << 62 | 1 << 61 | 27);
    bad(|enter| enter.gicv3_lrs[0] = 1 << 62 | 1 << 48 | 27);
    bad(|enter| enter.gicv3_lrs[0] = 1 << 62 | 1 << 40 | 27);
    bad(|enter| enter.gicv3_lrs[0] = 1 << 62 | 1020);
    bad(|enter| enter.gicv3_lrs[..2].copy_from_slice(&[1 << 62 | 27, 1 << 63 | 27]));
    assert_eq!(host.enter(REC, |enter| enter.gicv3_lrs[3] = 1 << 62 | 1 << 41 | 8192).0, Status::Success);
}

#[test]
fn new_realm_does_not_run() {
    let host = Host::new();
    host.create_realm(0);
    host.create_rec(0, REC, 1);
    assert_eq!(host.enter(REC, |_| {}).0, Status::Realm(0));
}

#[test]
fn virtual_interrupts_come_back_as_they_were_left() {
    let host = Host::with_realm();
    host.machine().then(|context| {
        assert_eq!(context.gic.hcr, 0x8101 | 0x82);
        assert_eq!(context.gic.lrs[..2], [1 << 62 | 27, 0]);
        context.gic.lrs[0] = 0;
        context.gic.misr = 1;
        context.gic.vmcr = 0xF0;
        context.gic.hcr |= 3 << 27;
        Exit::Irq
    });
    let (_, exit) = host.enter(REC, |enter| {
        enter.gicv3_hcr = 0x82;
        enter.gicv3_lrs[0] = 1 << 62 | 27;
        enter.gicv3_lrs[4] = 1 << 62 | 99;
    });
    assert_eq!((exit.gicv3_lrs, exit.gicv3_misr, exit.gicv3_vmcr), ([0; 16], 1, 0xF0));
    assert_eq!(exit.gicv3_hcr, 0x82 | 3 << 27);
}

#[test]
fn exit_shows_nothing_of_the_vcpu_on_an_interrupt() {
    let host = Host::with_realm();
    host.machine().then(|context| {
        context.x = [0x5EC7; 31];
        Exit::Irq
    });
    let exit = host.run();
    assert_eq!(exit.exit_reason, ExitReason::Irq as u8);
    assert!(exit.as_bytes()[1..0x300].iter().all(|&byte| byte == 0));
}

#[test]
fn emulated_load_is_cut_and_extended() {
    let host = Host::with_realm();
    // LDRSH w5, of 16 bits, into a 32-bit register.
    let esr = DATA_ABORT | 1 << 25 | ISV | 1 << 22 | 1 << 21 | 5 << 16 | TRANSLATION_3;
    host.machine().then(move |_| abort(esr, 0xFFFF_8000_0000_0123, SHARED + 0x3000));
    let exit = host.run();
    assert_eq!(exit.esr, DATA_ABORT | ISV | 1 << 22 | TRANSLATION_3);
    assert_eq!((exit.far, exit.hpfar, exit.gprs[0]), (0x123, (SHARED + 0x3000) >> 8, 0));
    let after = host.result();
    host.enter(REC, |enter| (enter.flags, enter.gprs[0]) = (enter::EMUL_MMIO, 0xABCD_8001));
    assert_eq!(after.lock().unwrap()[5], 0xFFFF_8001);
    assert_eq!(host.context(REC, |context| context.pc), RAM + 4);
    assert_eq!(host.enter(REC, |enter| enter.flags = enter::EMUL_MMIO).0, Status::Rec);
}

#[test]
fn emulated_store_shows_its_value_and_no_more() {
    let host = Host::with_realm();
    let esr = DATA_ABORT | ISV | 5 << 16 | WNR | TRANSLATION_3;
    host.machine().then(move |context| {
        context.x[5] = 0x1234_5678;
        abort(esr, 0x10, SHARED)
    });
    let exit = host.run();
    assert_eq!((exit.esr, exit.gprs[0]), (DATA_ABORT | ISV | WNR | TRANSLATION_3, 0x78));
}

#[test]
fn host_may_answer_an_unprotected_access_with_an_abort() {
    let host = Host::with_realm();
    let esr = DATA_ABORT | ISV | 5 << 16 | TRANSLATION_3;
    host.context(REC, |context| context.el1.vbar = 0x1000_0000);
    host.machine().then(move |_| abort(esr, 0xABC, SHARED));
    host.run();
    host.enter(REC, |enter| enter.flags = enter::INJECT_SEA | enter::EMUL_MMIO);
    host.context(REC, |context| {
        assert_eq!((context.pc, context.el1.elr, context.el1.far), (0x1000_0200, RAM, 0xABC));
        assert_eq!(context.el1.esr, 0x25 << 26 | 1 << 9 | 0x10);
        assert_eq!((context.x[5], context.el1.spsr), (0, 0x3C5));
    });
}

#[test]
fn access_that_cannot_be_emulated_is_shown_without_its_offset() {
    let host = Host::with_realm();
    host.machine().then(|_| abort(DATA_ABORT | 1 << 25 | TRANSLATION_3, 0x10, SHARED));
    let exit = host.run();
    assert_eq!((exit.esr, exit.far, exit.hpfar), (DATA_ABORT | 1 << 25 | TRANSLATION_3, 0, SHARED >> 8));
    assert_eq!(host.enter(REC, |enter| enter.flags = enter::EMUL_MMIO).0, Status::Rec);
    host.machine().reading.lock().unwrap().hides_il = true;
    host.machine().then(|_| abort(DATA_ABORT | 1 << 25 | TRANSLATION_3, 0x10, SHARED));
    assert_eq!(host.run().esr, DATA_ABORT | TRANSLATION_3, "the suite's reading");
}

#[test]
fn protected_memory_is_asked_of_the_host_only_where_there_is_ram() {
    let host = Host::with_realm();
    host.machine().then(|_| abort(DATA_ABORT | ISV | 3 << 16 | TRANSLATION_3, 0x10, RAM + 0x9000));
    let exit = host.run();
    assert_eq!((exit.esr, exit.far, exit.hpfar), (DATA_ABORT | TRANSLATION_3, 0, (RAM + 0x9000) >> 8));
    host.machine().then(|_| abort(INSTRUCTION_ABORT | TRANSLATION_3, 0x10, RAM + 0x9000));
    assert_eq!(host.run().esr, INSTRUCTION_ABORT | TRANSLATION_3);
    // Empty, outside, and instructions from unprotected memory are the Realm's own affair.
    for (esr, ipa, fault) in [
        (DATA_ABORT, 0, 0x25 << 26 | 1 << 9 | 0x10),
        (INSTRUCTION_ABORT, 0, 0x21 << 26 | 1 << 9 | 0x10),
        (INSTRUCTION_ABORT, SHARED, 0x21 << 26 | 1 << 9 | 0x10),
        (DATA_ABORT, 1 << 40, 0x25 << 26),
        (INSTRUCTION_ABORT, 1 << 41, 0x21 << 26),
    ] {
        host.machine().then(move |_| abort(esr | TRANSLATION_3, 0x10, ipa));
        assert_eq!(host.run().exit_reason, ExitReason::Irq as u8);
        assert_eq!(host.context(REC, |context| context.el1.esr), fault);
    }
}

#[test]
fn permission_fault_is_located_by_stage_1() {
    let host = Host::with_realm();
    let esr = DATA_ABORT | ISV | WNR | 2 << 16 | PERMISSION_3;
    // Stage 1 does not map the address any more: the vCPU just runs on.
    host.machine().then(move |_| abort(esr, 0x10, 0xBAD_0000));
    assert_eq!(host.run().exit_reason, ExitReason::Irq as u8);
    host.delegate(&[page(50), page(51)]);
    host.ok(fid::RTT_CREATE, &[RD, page(50), SHARED, 2]);
    host.ok(fid::RTT_CREATE, &[RD, page(51), SHARED, 3]);
    host.ok(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, NORMAL | 0x58]);
    *host.machine().translated.lock().unwrap() = Some(SHARED);
    host.machine().then(move |_| abort(esr, 0x10, 0xBAD_0000));
    let exit = host.run();
    assert_eq!((exit.esr, exit.hpfar, exit.far), (DATA_ABORT | ISV | WNR | PERMISSION_3, SHARED >> 8, 0x10));
}

#[test]
fn realm_whose_own_tables_are_taken_away_gets_an_abort_and_the_rmm_goes_on() {
    const WALK_OF_STAGE_1: u64 = 1 << 7;
    let host = Host::with_realm();
    // Its stage 1 tables are in memory that the host has made the Realm world's, or another's: granule protection, on a walk.
    for level in 0..4 {
        for (esr, fault) in [(DATA_ABORT, 0x25 << 26 | 1 << 9 | 0x10), (INSTRUCTION_ABORT, 0x21 << 26 | 1 << 9 | 0x10)]
        {
            host.machine().then(move |_| abort(esr | WALK_OF_STAGE_1 | 0x24 | level, 0x10, SHARED));
            assert_eq!(host.run().exit_reason, ExitReason::Irq as u8);
            assert_eq!(host.context(REC, |context| context.el1.esr), fault);
        }
    }
}

#[test]
fn waits_leave_when_the_host_wants_them() {
    let host = Host::with_realm();
    host.machine().then(|context| {
        assert_eq!(context.hcr, 1 << 13);
        sync(1 << 26 | 1 << 25)
    });
    let (_, exit) = host.enter(REC, |enter| enter.flags = enter::TRAP_WFI);
    assert_eq!((exit.exit_reason, exit.esr), (0, 1 << 26));
    assert_eq!(host.context(REC, |context| context.pc), RAM + 4);
    host.machine().then(|context| {
        assert_eq!(context.hcr, 1 << 14);
        context.x[9] = 0x7777;
        sync(1 << 26 | 1 << 25 | 9 << 5 | 0b111)
    });
    let (_, exit) = host.enter(REC, |enter| enter.flags = enter::TRAP_WFE);
    assert_eq!((exit.esr, exit.gprs[0]), (1 << 26 | 0b11, 0x7777));
    assert_eq!(host.context(REC, |context| context.pc), RAM + 8);
    // The short form of AArch32.
    host.machine().then(|_| sync(1 << 26));
    host.enter(REC, |enter| enter.flags = enter::TRAP_WFI);
    assert_eq!(host.context(REC, |context| context.pc), RAM + 10);
}

#[test]
fn interrupts_between_vcpus_are_the_hosts_to_send() {
    let host = Host::with_realm();
    host.machine().then(|context| {
        context.x[7] = 0x10_0001;
        sync(sysreg(3, 0, 12, 11, 5, 7, false))
    });
    let exit = host.run();
    assert_eq!((exit.exit_reason, exit.gprs[0]), (0, 0x10_0001));
    assert_eq!(exit.esr, sysreg(3, 0, 12, 11, 5, 0, false) & !(1 << 25));
    assert_eq!(host.context(REC, |context| context.pc), RAM + 4);
}

#[test]
fn id_registers_hide_what_a_realm_cannot_use() {
    let host = Host::with_realm();
    let read = |crm, op2| {
        host.machine().then(move |_| sync(sysreg(3, 0, 0, crm, op2, 3, true)));
        let after = host.result();
        host.run();
        after.lock().unwrap()[3]
    };
    assert_eq!(read(4, 0), 0x1311_0010_2111_2222);
    assert_eq!(read(4, 1), 0x0000_0010_0000_0021);
    assert_eq!(read(5, 0), 0x0000_0000_1030_500A);
    assert_eq!(read(7, 0), 0x2100_0322_1020_1126);
    for (crm, op2) in [(0, 6), (1, 0), (2, 0), (4, 4), (4, 5), (4, 7), (5, 1), (6, 3), (7, 7), (8, 0)] {
        assert_eq!(read(crm, op2), 0, "{crm} {op2}");
    }
}

#[test]
fn errors_and_debug_state_of_the_machine_read_as_none_and_ignore_writes() {
    let host = Host::with_realm();
    // OSDLR_EL1; ERRIDR_EL1, ERRSELR_EL1, ERXFR_EL1, ERXMISC0_EL1.
    let registers = [(2, 0, 1, 3, 4), (3, 0, 5, 3, 0), (3, 0, 5, 3, 1), (3, 0, 5, 4, 0), (3, 0, 5, 5, 0)];
    for (n, (op0, op1, crn, crm, op2)) in registers.into_iter().enumerate() {
        for read in [true, false] {
            host.machine().then(move |context| {
                context.x[3] = 0x55;
                sync(sysreg(op0, op1, crn, crm, op2, 3, read))
            });
            let after = host.result();
            host.run();
            assert_eq!(after.lock().unwrap()[3], if read { 0 } else { 0x55 });
        }
        assert_eq!(host.context(REC, |context| context.pc), RAM + 8 * (n as u64 + 1));
    }
}

#[test]
fn what_a_realm_does_not_have_is_undefined_at_its_own_pc() {
    let host = Host::with_realm();
    host.context(REC, |context| context.el1.vbar = 0x1000_0000);
    // A PMU register, one of the LORegions', SVE, SME; an HVC, which returns past itself.
    let (pmu, lor) = (sysreg(3, 3, 9, 12, 0, 0, true), sysreg(3, 0, 10, 4, 3, 0, false));
    for (esr, back) in [(pmu, 0), (lor, 0), (0x19 << 26, 0), (0x1D << 26, 0), (0x16 << 26, 4)] {
        host.context(REC, |context| context.pc = RAM + 0x40 + back);
        host.machine().then(move |_| sync(esr));
        host.run();
        host.context(REC, |context| {
            assert_eq!((context.el1.elr, context.el1.esr, context.pc), (RAM + 0x40, 1 << 25, 0x1000_0200));
        });
    }
}

#[test]
fn timer_is_told_once_and_then_hidden() {
    let host = Host::with_realm();
    host.machine().then(|context| {
        (context.timers.cntv_ctl, context.timers.cntv_cval) = (1, 2000);
        Exit::Irq
    });
    let exit = host.run();
    assert_eq!((exit.cntv_ctl, exit.cntv_cval, exit.cntp_ctl), (1, 2000, 0));
    host.machine().count.store(2000, Ordering::Relaxed);
    // It has fired meanwhile: the host hears of it before the vCPU runs.
    host.machine().then(|context| {
        assert_eq!((context.timers.hide_virtual, context.timers.hide_physical), (1, 0));
        context.timers.cntv_ctl = 3;
        Exit::Irq
    });
    let exit: RecExit = host.run();
    assert_eq!((exit.exit_reason, exit.cntv_ctl), (ExitReason::Irq as u8, 5));
    assert_eq!(host.machine().script.lock().unwrap().len(), 1);
    assert_eq!(host.run().cntv_ctl, 7);
}

#[test]
fn recoverable_error_becomes_the_realms_own() {
    let host = Host::with_realm();
    let esr = 0x2F << 26 | 1 << 25 | 0b011 << 10 | 0x11;
    host.machine().then(move |_| Exit::SError { esr });
    let exit = host.run();
    assert_eq!((exit.exit_reason, exit.esr), (ExitReason::SError as u8, 0x2F << 26 | 0b011 << 10 | 0x11));
    host.context(REC, |context| assert_eq!((context.hcr & 1 << 8, context.vsesr & 0x11), (1 << 8, 0x11)));
}

#[test]
fn running_rec_is_refused_without_waiting() {
    let host = std::sync::Arc::new(Host::with_realm());
    let inner = std::sync::Arc::clone(&host);
    host.machine().then(move |_| {
        assert_eq!(inner.status(fid::REC_ENTER, &[REC, page(91)]), Status::Rec);
        assert_eq!(inner.status(fid::REC_DESTROY, &[REC]), Status::Rec);
        assert_eq!(inner.status(fid::RTT_SET_RIPAS, &[RD, REC, RAM, RAM + 4096]), Status::Rec);
        assert_eq!(inner.status(fid::GRANULE_UNDELEGATE, &[REC + 4096]), Status::Input);
        // The rest of the realm goes on.
        assert_eq!(inner.status(fid::DATA_DESTROY, &[RD, RAM]), Status::Success);
        Exit::Irq
    });
    host.run();
    host.ok(fid::REC_DESTROY, &[REC]);
}

#[test]
fn address_size_fault_tells_the_level_of_the_realms_own_entry() {
    const VA: u64 = 0x0060_5678;
    const OUTSIDE: u64 = 1 << 40;
    // 30 bits of virtual addresses in granules of 4 KiB: tables of levels 2 and 3.
    const TCR: u64 = 34;
    let host = Host::with_realm();
    let entry = |table: u64, index: usize, value: u64| {
        host.machine().peek(table, |page| page.0.as_chunks_mut().0[index] = value.to_le_bytes());
    };
    let fault = |sctlr: u64, ttbr: u64| {
        host.context(REC, |context| {
            (context.el1.sctlr, context.el1.tcr, context.el1.ttbr0) = (sctlr, TCR, ttbr);
        });
        host.machine().then(|_| abort(DATA_ABORT | TRANSLATION_3, VA, OUTSIDE));
        assert_eq!(host.run().exit_reason, ExitReason::Irq as u8);
        host.context(REC, |context| {
            assert_eq!((context.el1.esr >> 26, context.el1.far), (0x25, VA));
            context.pstate = 0x3C5;
            context.el1.esr & 0x3F
        })
    };
    entry(DATA, 3, (RAM + 4096) | 3);
    entry(DATA + 4096, 5, OUTSIDE | 0x703);
    assert_eq!(fault(1, RAM), 3, "a page");
    assert_eq!(fault(0, RAM), 0, "stage 1 is off");
    assert_eq!(fault(1, OUTSIDE), 0, "the first table");
    assert_eq!(fault(1, SHARED), 0, "a table that is not the Realm's");
    entry(DATA, 3, ((RAM + 4096) | 3).swap_bytes());
    entry(DATA + 4096, 5, (OUTSIDE | 0x703_u64).swap_bytes());
    assert_eq!(fault(1 | 1 << 25, RAM), 3, "tables in the other byte order");
    entry(DATA, 3, OUTSIDE | 0x701);
    assert_eq!(fault(1, RAM), 2, "a block");
    entry(DATA, 3, OUTSIDE | 3);
    assert_eq!(fault(1, RAM), 2, "a table");
}

#[test]
fn what_the_host_has_given_meanwhile_is_no_exit() {
    let host = Host::with_realm();
    for class in [DATA_ABORT, INSTRUCTION_ABORT] {
        host.machine().then(move |_| abort(class | TRANSLATION_3, 0x10, RAM));
        assert_eq!(host.run().exit_reason, ExitReason::Irq as u8);
        host.machine().then(move |_| abort(class | TRANSLATION_3, 0x10, RAM + 0x2000));
        assert_eq!(host.run().exit_reason, ExitReason::Sync as u8);
    }
}
