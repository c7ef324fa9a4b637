//! What a hostile host tries in several steps: pages in two hands, stale translations, realms mixed up, answers to calls
//! that nobody made.

use crate::fake::{Event, Fake};
use crate::host::*;
use abi::rmi::{ExitReason, RealmParams, RecRun, Status, enter, fid};
use abi::{psci, rsi};
use rmm::address::Pa;
use rmm::platform::{Exit, Scope};
use std::sync::Arc;
use zerocopy::{FromZeros, IntoBytes};

const L2_SIZE: u64 = 1 << 21;
const ATTRIBUTES: u64 = 0xD8;
const UNPROTECTED_STORE: u64 = 0x24 << 26 | 1 << 24 | 5 << 16 | 1 << 6 | 7;

/// Makes a second realm and a REC of it, and gives both.
fn second_realm(host: &Host) -> (u64, u64) {
    let (rd, roots, rec) = (page(60), page(62), page(64));
    host.delegate(&[rd, roots, roots + 4096, rec, rec + 4096, rec + 8192]);
    let params = RealmParams { rtt_base: roots, vmid: 8, ..Host::realm_params(0) };
    host.write_normal(NORMAL, params.as_bytes());
    host.ok(fid::REALM_CREATE, &[rd, NORMAL]);
    host.write_normal(NORMAL, Host::rec_params(0, rec, 1).as_bytes());
    host.ok(fid::REC_CREATE, &[rd, rec, NORMAL]);
    (rd, rec)
}

#[test]
fn no_part_of_a_realm_is_given_back_or_used_twice() {
    let host = Host::with_realm();
    host.delegate(&[SPARE]);
    let parts = [RD, ROOTS, ROOTS + 4096, L2, L3, DATA, DATA + 4096, REC, REC + 4096, REC + 8192];
    for part in parts {
        host.refused(fid::GRANULE_DELEGATE, &[part], Status::Input);
        host.refused(fid::GRANULE_UNDELEGATE, &[part], Status::Input);
        host.refused(fid::DATA_CREATE_UNKNOWN, &[RD, part, RAM + 0x2000], Status::Input);
        host.refused(fid::RTT_CREATE, &[RD, part, RAM + L2_SIZE, 3], Status::Input);
        host.refused(fid::REC_ENTER, &[REC, part], Status::Input);
        host.refused(fid::REALM_CREATE, &[SPARE, part], Status::Input);
        host.refused(fid::REALM_CREATE, &[part, NORMAL], Status::Input);
        if part != RD {
            host.refused(fid::REALM_DESTROY, &[part], Status::Input);
            host.refused(fid::DATA_DESTROY, &[part, RAM], Status::Input);
        }
        if part != REC {
            host.refused(fid::REC_DESTROY, &[part], Status::Input);
            host.refused(fid::REC_ENTER, &[part, RUN], Status::Input);
        }
    }
}

#[test]
fn translations_leave_the_tlbs_after_the_tables_and_before_the_page() {
    let host = Host::with_realm();
    let page_of = |base| Event::Invalidated(Scope::Range { base, size: 4096 });
    let block_of = |base| Event::Invalidated(Scope::Range { base, size: L2_SIZE });
    host.machine().done();
    host.ok(fid::DATA_DESTROY, &[RD, RAM]);
    assert_eq!(host.machine().done(), [Event::Entry(L3, 0, false), page_of(RAM), Event::Wiped(DATA)]);
    // The Realm gives up the other page: out of the tables and the TLBs before the host may take it.
    host.smc(&[u64::from(rsi::fid::IPA_STATE_SET), RAM + 0x1000, RAM + 0x2000, 0, 0]);
    host.run();
    host.ok(fid::RTT_SET_RIPAS, &[RD, REC, RAM + 0x1000, RAM + 0x2000]);
    assert_eq!(host.machine().done(), [Event::Entry(L3, 1, false), page_of(RAM + 0x1000)]);
    // It was not in the TLBs any more.
    host.ok(fid::DATA_DESTROY, &[RD, RAM + 0x1000]);
    assert_eq!(host.machine().done(), [Event::Entry(L3, 1, false), Event::Wiped(DATA + 4096)]);
    host.ok(fid::RTT_DESTROY, &[RD, RAM, 3]);
    assert_eq!(host.machine().done(), [Event::Entry(L2, 0, false), block_of(RAM), Event::Wiped(L3)]);
    host.ok(fid::RTT_DESTROY, &[RD, RAM, 2]);
    host.ok(fid::REC_DESTROY, &[REC]);
    host.machine().done();
    host.ok(fid::REALM_DESTROY, &[RD]);
    let wiped = [ROOTS, ROOTS + 4096, RD].map(Event::Wiped);
    assert_eq!(host.machine().done(), [vec![Event::Invalidated(Scope::All)], wiped.to_vec()].concat());
}

#[test]
fn unprotected_mappings_leave_the_tlbs_with_their_table() {
    let host = Host::new();
    host.create_realm(0);
    host.delegate(&[L2, L3]);
    host.ok(fid::RTT_CREATE, &[RD, L2, SHARED, 2]);
    host.ok(fid::RTT_CREATE, &[RD, L3, SHARED, 3]);
    host.ok(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED + 0x5000, 3, NORMAL | ATTRIBUTES]);
    host.machine().done();
    host.ok(fid::RTT_DESTROY, &[RD, SHARED, 3]);
    let all_of_it = Event::Invalidated(Scope::Range { base: SHARED, size: L2_SIZE });
    assert_eq!(host.machine().done(), [Event::Entry(L2, 0, false), all_of_it, Event::Wiped(L3)]);
}

#[test]
fn memory_in_a_block_is_as_much_the_realms_as_in_pages() {
    const FIRST: u64 = page(512);
    let host = Host::on(Fake::with_pages(1024));
    host.create_realm(0);
    host.delegate(&[L2, L3]);
    host.ok(fid::RTT_CREATE, &[RD, L2, RAM, 2]);
    host.ok(fid::RTT_INIT_RIPAS, &[RD, RAM, RAM + L2_SIZE]);
    host.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
    for n in 0..512 {
        host.delegate(&[FIRST + n * 4096]);
        host.ok(fid::DATA_CREATE_UNKNOWN, &[RD, FIRST + n * 4096, RAM + n * 4096]);
    }
    host.machine().done();
    assert_eq!(host.ok(fid::RTT_FOLD, &[RD, RAM, 3])[0], L3);
    let whole = Event::Invalidated(Scope::Range { base: RAM, size: L2_SIZE });
    let break_before_make = [Event::Entry(L2, 0, false), whole, Event::Entry(L2, 0, true)];
    assert_eq!(host.machine().done(), [&break_before_make[..], &[Event::Wiped(L3)]].concat());
    assert_eq!(host.ok(fid::RTT_READ_ENTRY, &[RD, RAM, 3]), [2, 1, FIRST, 1]);
    // Its pages are still the realm's, one by one, and a block is not taken from it whole.
    host.refused(fid::GRANULE_UNDELEGATE, &[FIRST + 0x7000], Status::Input);
    host.refused(fid::DATA_DESTROY, &[RD, RAM], Status::Rtt(2));
    host.refused(fid::RTT_DESTROY, &[RD, RAM, 2], Status::Rtt(2));
    host.refused(fid::REALM_DESTROY, &[RD], Status::Realm(0));
    host.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
    assert_eq!(host.machine().done(), break_before_make);
    for n in 0..512 {
        assert_eq!(host.ok(fid::RTT_READ_ENTRY, &[RD, RAM + n * 4096, 3]), [3, 1, FIRST + n * 4096, 1]);
        assert_eq!(host.ok(fid::DATA_DESTROY, &[RD, RAM + n * 4096])[0], FIRST + n * 4096);
        host.ok(fid::GRANULE_UNDELEGATE, &[FIRST + n * 4096]);
    }
    host.ok(fid::RTT_DESTROY, &[RD, RAM, 3]);
}

#[test]
fn memory_out_of_order_or_not_aligned_stays_in_pages() {
    let host = Host::on(Fake::with_pages(1100));
    host.create_realm(0);
    host.delegate(&[L2, L3]);
    host.ok(fid::RTT_CREATE, &[RD, L2, RAM, 2]);
    host.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
    // Page 513 is the first: consecutive, but nothing that a block could map.
    for n in 0..512 {
        host.delegate(&[page(513 + n)]);
        host.ok(fid::DATA_CREATE_UNKNOWN, &[RD, page(513 + n), RAM + n * 4096]);
    }
    assert_eq!(host.status(fid::RTT_FOLD, &[RD, RAM, 3]), Status::Rtt(3));
    for n in 0..512 {
        host.ok(fid::DATA_DESTROY, &[RD, RAM + n * 4096]);
    }
    // Aligned, but two pages have changed places.
    host.delegate(&[page(512)]);
    for n in 0..512 {
        let from = if n == 100 || n == 101 { 201 - n } else { n };
        host.ok(fid::DATA_CREATE_UNKNOWN, &[RD, page(512 + from), RAM + n * 4096]);
    }
    assert_eq!(host.status(fid::RTT_FOLD, &[RD, RAM, 3]), Status::Rtt(3));
}

#[test]
fn destroyed_page_that_comes_back_empty_is_not_shown_to_the_realm() {
    let host = Host::with_realm();
    host.ok(fid::DATA_DESTROY, &[RD, RAM]);
    host.ok(fid::DATA_CREATE_UNKNOWN, &[RD, DATA, RAM]);
    let descriptor = host.machine().peek(L3, |page| u64::from_le_bytes(page.0[..8].try_into().unwrap()));
    assert_eq!(descriptor & 1, 0, "the Realm reaches a page of zeroes where it had data");
    // Neither do its own calls take the page for what it was.
    host.smc(&[u64::from(rsi::fid::REALM_CONFIG), RAM]);
    assert_eq!(host.run().esr, 0x24 << 26 | 7);
}

#[test]
fn answer_to_an_access_is_taken_once_and_only_for_that_access() {
    let host = Host::with_realm();
    let emulated = |host: &Host| host.enter(REC, |enter| enter.flags = enter::EMUL_MMIO).0;
    // The vCPU ran since.
    host.machine().then(|_| abort(UNPROTECTED_STORE, 0, SHARED));
    host.run();
    host.run();
    assert_eq!(emulated(&host), Status::Rec);
    // What it did since was another thing: a call, a wait, an access to memory of its own.
    for exit in [0x17 << 26, 1 << 26 | 1 << 25, UNPROTECTED_STORE] {
        host.machine().then(|_| abort(UNPROTECTED_STORE, 0, SHARED));
        host.run();
        host.machine().then(move |context| {
            (context.x[0], context.x[1]) = (u64::from(psci::CPU_SUSPEND_64), 0);
            abort(exit, 0, RAM + 0x9000)
        });
        host.run();
        assert_eq!(emulated(&host), Status::Rec, "{exit:#x}");
    }
    // An abort is injected for no other exit either.
    host.context(REC, |context| context.el1.vbar = 0x1000_0000);
    host.machine().then(|_| abort(0x24 << 26 | 7, 0x10, RAM + 0x9000));
    host.run();
    let pc = host.context(REC, |context| context.pc);
    assert_eq!(host.enter(REC, |enter| enter.flags = enter::INJECT_SEA).0, Status::Success);
    assert_eq!(host.context(REC, |context| context.pc), pc);
}

#[test]
fn run_page_that_is_taken_away_meanwhile_costs_the_host_its_answer_and_no_more() {
    let host = Arc::new(Host::with_realm());
    let inner = Arc::clone(&host);
    host.write_normal(RUN, RecRun::new_zeroed().as_bytes());
    host.machine().then(move |context| {
        context.x[0] = 0x5EC7;
        inner.delegate(&[RUN]);
        Exit::Irq
    });
    assert_eq!(host.status(fid::REC_ENTER, &[REC, RUN]), Status::Input);
    host.machine().peek(RUN, |page| assert_eq!(page.0, [0; 4096]));
    host.ok(fid::GRANULE_UNDELEGATE, &[RUN]);
    // The REC is idle again, its state its own.
    assert_eq!(host.run().exit_reason, ExitReason::Irq as u8);
    assert_eq!(host.context(REC, |context| context.x[0]), 0x5EC7);
}

#[test]
fn host_call_whose_page_the_realm_gave_up_is_answered_without_it() {
    let host = Host::with_realm();
    let after = host.smc(&[u64::from(rsi::fid::HOST_CALL), RAM]);
    assert_eq!(host.run().exit_reason, ExitReason::HostCall as u8);
    // Another vCPU would do this; here the entry is made as RTT_SET_RIPAS leaves it: assigned and empty.
    host.machine().peek(L3, |page| page.0[..8].copy_from_slice(&(DATA | 1 << 4).to_le_bytes()));
    host.enter(REC, |enter| enter.gprs = [0xBAD; 31]);
    assert_eq!(after.lock().unwrap()[..4], [0; 4]);
    host.machine().peek(DATA, |page| assert!(page.0.iter().enumerate().all(|(i, &byte)| byte == i as u8)));
}

#[test]
fn realms_are_not_mixed_up() {
    let host = Host::new();
    host.build(&Options { hash: 0, second_rec: true });
    let (other, stranger) = second_realm(&host);
    // A change of RIPAS that one realm asked for is not another's.
    host.smc(&[u64::from(rsi::fid::IPA_STATE_SET), RAM, RAM + 0x1000, 0, 0]);
    host.run();
    host.refused(fid::RTT_SET_RIPAS, &[other, REC, RAM, RAM + 0x1000], Status::Rec);
    host.refused(fid::RTT_SET_RIPAS, &[RD, stranger, RAM, RAM + 0x1000], Status::Rec);
    host.run();
    // Nor is its second CPU: both are of index 0 or 1 in their realms.
    host.smc(&[u64::from(psci::CPU_ON_64), 1, RAM, 0]);
    host.run();
    for target in [stranger, REC, RD, REC1 + 1, 0, u64::MAX] {
        host.refused(fid::PSCI_COMPLETE, &[REC, target, 0], Status::Input);
    }
    host.refused(fid::PSCI_COMPLETE, &[stranger, REC1, 0], Status::Input);
    // The target is gone: the call is never answered, and the caller does not run.
    host.ok(fid::REC_DESTROY, &[REC1]);
    host.refused(fid::PSCI_COMPLETE, &[REC, REC1, 0], Status::Input);
    assert_eq!(host.enter(REC, |_| {}).0, Status::Rec);
    host.ok(fid::REC_DESTROY, &[REC]);
    // A realm that is new has no life but its own.
    assert_eq!(host.enter(stranger, |_| {}).0, Status::Realm(0));
    host.refused(fid::REALM_DESTROY, &[other], Status::Realm(0));
}

#[test]
fn arguments_far_outside_everything_are_refused_and_nothing_overflows() {
    let host = Host::with_realm();
    let far = [0, 1, 0xFFF, 1 << 40, 1 << 47, 1 << 48, 1 << 52, 1 << 63, !0xFFF, u64::MAX, i64::MIN as u64];
    let before = host.machine().snapshot();
    for function in fid::VERSION..=0xC400_018E {
        for a in far {
            for b in far {
                let answer = host.call(function, &[a, b, b, a, b]);
                let named = host.call(function, &[RD, b, a, b, a]);
                if ![fid::VERSION, fid::FEATURES, fid::REC_AUX_COUNT, fid::RTT_READ_ENTRY].contains(&function) {
                    assert_ne!(answer[0], 0, "{function:#x} {a:#x} {b:#x}");
                    assert_ne!(named[0], 0, "{function:#x} {a:#x} {b:#x}");
                }
            }
        }
    }
    assert!(before == host.machine().snapshot());
    for a in far {
        for b in far {
            for function in rsi::fid::VERSION..=rsi::fid::HOST_CALL {
                host.machine().script.lock().unwrap().clear();
                host.smc(&[u64::from(function), a, b, a, b]);
                host.run();
                host.machine().script.lock().unwrap().clear();
            }
            host.machine().then(move |_| Exit::Sync {
                esr: 0x24 << 26 | a & 0x3FF_FFFF & !(0x3 << 11) | 7,
                far: a,
                hpfar: b,
            });
            host.run();
        }
    }
}

#[test]
fn page_of_the_normal_world_that_changes_hands_under_a_command_is_a_refusal() {
    let host = Host::new();
    host.create_realm(0);
    host.delegate(&[L2, L3, DATA]);
    host.ok(fid::RTT_CREATE, &[RD, L2, RAM, 2]);
    host.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
    // EL3 has moved it, for whoever, and the RMM does not know: the access faults.
    rmm::platform::Platform::delegate(host.machine(), Pa::new(NORMAL).unwrap()).unwrap();
    host.refused(fid::DATA_CREATE, &[RD, DATA, RAM, NORMAL, 1], Status::Input);
    host.refused(fid::REALM_CREATE, &[DATA, NORMAL], Status::Input);
    host.refused(fid::REC_CREATE, &[RD, DATA, NORMAL], Status::Input);
    host.refused(fid::REC_ENTER, &[DATA, NORMAL], Status::Input);
    // It is not delegated a second time, either.
    host.refused(fid::GRANULE_DELEGATE, &[NORMAL], Status::Input);
}
