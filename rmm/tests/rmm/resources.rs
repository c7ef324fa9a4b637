//! What a Realm is given of the processor by its parameters: it sees that, and nothing of the rest.

use crate::host::{Host, REC, sync};
use abi::rmi::{REALM_FLAG_PMU, REALM_FLAG_SVE};
use rmm::platform::Exit;
use rmm::rec::Rec;

type Name = (u64, u64, u64, u64, u64);

/// What the Realm reads from op0=3, op1=0, CRn=0.
fn id(host: &Host, crm: u64, op2: u64) -> u64 {
    access(host, (3, 0, 0, crm, op2), None)
}

/// One access to a register by x3: what is in x3 then.
fn access(host: &Host, (op0, op1, crn, crm, op2): Name, write: Option<u64>) -> u64 {
    let read = u64::from(write.is_none());
    host.machine().then(move |context| {
        context.x[3] = write.unwrap_or(0x55);
        sync(0x18 << 26 | 1 << 25 | op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | 3 << 5 | crm << 1 | read)
    });
    let after = host.result();
    host.run();
    let x = *after.lock().unwrap();
    x[3]
}

const SVE: u32 = 32;

#[test]
fn a_realm_with_sve_sees_it_and_one_without_does_not() {
    let with = Host::with_realm_of(|params| (params.flags, params.sve_vl) = (REALM_FLAG_SVE, 1));
    let without = Host::with_realm();
    assert_eq!([&with, &without].map(|host| id(host, 4, 0) >> SVE & 0xF), [1, 0]);
    assert_eq!([&with, &without].map(|host| id(host, 4, 4)), [0x0011_0110_0110_0121, 0]);
    let longest = |host: &Host| host.machine().peek(REC, |page| Rec::of(page).realm.vector_quadwords);
    assert_eq!([&with, &without].map(longest), [2, 0]);
}

const BVR: u64 = 4;
const BCR: u64 = 5;
const WVR: u64 = 6;
const WCR: u64 = 7;
const MDSCR: Name = (2, 0, 0, 2, 2);

#[test]
fn a_realm_has_as_many_breakpoints_and_watchpoints_as_it_was_given_and_they_are_its_own() {
    let host = Host::with_realm_of(|params| (params.num_bps, params.num_wps) = (2, 1));
    // DebugVer; three breakpoints, two of which know of contexts; two watchpoints.
    assert_eq!(id(&host, 5, 0), 0x1010_200A);
    for (kind, last, fields) in [(BVR, 2, u64::MAX), (BCR, 2, 0x20FF_E1E7), (WVR, 1, !3), (WCR, 1, 0x3F1F_FFFF)] {
        for number in 0..=last {
            access(&host, (2, 0, 0, number, kind), Some(!number));
        }
        for number in 0..=last {
            assert_eq!(access(&host, (2, 0, 0, number, kind), None), !number & fields, "{kind} {number}");
        }
    }
    let (bvr, wcr) = host.context(REC, |context| (context.debug.bvr, context.debug.wcr));
    assert_eq!((bvr[..4].to_vec(), wcr[2]), (vec![!0, !1, !2, 0], 0));
    access(&host, MDSCR, Some(u64::MAX));
    assert_eq!(access(&host, MDSCR, None), 1 << 15 | 1 << 13 | 1 << 12 | 1);
    assert_eq!(access(&host, (2, 0, 1, 1, 4), None), 8);
}

#[test]
fn breakpoints_that_a_realm_was_not_given_are_undefined() {
    let host = Host::with_realm_of(|params| (params.num_bps, params.num_wps) = (2, 1));
    host.context(REC, |context| context.el1.vbar = 0x1000_0000);
    for (number, kind) in [(3, BVR), (3, BCR), (2, WVR), (2, WCR), (15, WCR)] {
        let pc = host.context(REC, |context| context.pc);
        assert_eq!(access(&host, (2, 0, 0, number, kind), None), 0x55, "{kind} {number}");
        let undefined = host.context(REC, |context| (context.el1.elr, context.el1.esr));
        assert_eq!(undefined, (pc, 1 << 25), "{kind} {number}");
    }
}

#[test]
fn a_realm_with_performance_monitors_sees_them_and_one_without_does_not() {
    let with = Host::with_realm_of(|params| (params.flags, params.pmu_num_ctrs) = (REALM_FLAG_PMU, 6));
    let none_but_cycles = Host::with_realm_of(|params| params.flags = REALM_FLAG_PMU);
    let without = Host::with_realm();
    let hosts = [&with, &none_but_cycles, &without];
    assert_eq!(
        hosts.map(|host| id(host, 5, 0) & 0xF000_0000_0000_0F00),
        [0x1000_0000_0000_0600, 0x1000_0000_0000_0600, 0]
    );
    let counters = |host: &Host| host.machine().peek(REC, |page| Rec::of(page).realm.pmu);
    assert_eq!(hosts.map(counters), [7, 1, 0]);
}

#[test]
fn an_overflow_is_told_if_it_asks_for_an_interrupt() {
    let with = Host::with_realm_of(|params| (params.flags, params.pmu_num_ctrs) = (REALM_FLAG_PMU, 6));
    let without = Host::with_realm();
    let told = |host: &Host, (pmcr, enabled, interrupts, overflows): (u64, u64, u64, u64)| {
        host.machine().then(move |context| {
            let pmu = &mut context.pmu;
            (pmu.pmcr, pmu.enabled, pmu.interrupts, pmu.overflows) = (pmcr, enabled, interrupts, overflows);
            Exit::Irq
        });
        host.run().pmu_ovf_status
    };
    assert_eq!(told(&with, (1, 3, 2, 6)), 1);
    for quiet in [(0, 3, 2, 6), (1, 1, 2, 6), (1, 3, 1, 6), (1, 3, 2, 5)] {
        assert_eq!(told(&with, quiet), 0, "{quiet:?}");
    }
    assert_eq!(told(&without, (1, 3, 2, 6)), 0);
}
