extern crate std;

use crate::core::Phase;
use crate::fake::{Fake, booted, monitor};
use crate::{Core, Next, World};
use abi::el3::{self, Status};
use abi::map;
use std::vec::Vec;

const GRANULE: u64 = 0x5000_0000;

/// Makes a call of the RMM and gives x0 to x2.
fn call(monitor: &crate::Monitor<'_>, hw: &Fake, core: &mut Core, arguments: &[u64]) -> [u64; 3] {
    core.realm.set(arguments);
    assert_eq!(monitor.smc(hw, core, World::Realm), Next::Same);
    [core.realm.0[0], core.realm.0[1], core.realm.0[2]]
}

#[test]
fn delegation_invalidates_every_success_and_no_refusal() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    let (delegate, undelegate) = (u64::from(el3::GTSI_DELEGATE), u64::from(el3::GTSI_UNDELEGATE));
    let steps = [
        (delegate, GRANULE, Status::Ok),
        (delegate, GRANULE, Status::BadPas),
        (delegate, map::RMM, Status::BadAddress),
        (undelegate, GRANULE, Status::Ok),
        (undelegate, GRANULE, Status::BadPas),
        (undelegate, map::RMM_SHARED, Status::BadAddress),
    ];
    for (fid, pa, status) in steps {
        assert_eq!(call(&monitor, &hw, &mut core, &[fid, pa])[0], status.word(), "{fid:#x} {pa:#x}");
    }
    assert_eq!(hw.invalidated.borrow()[..], [GRANULE, GRANULE]);
}

#[test]
fn boot_completes_once_and_a_failure_ends_rmi_for_good() {
    let (hw, monitor) = (Fake::new(), monitor(0));
    let mut cold = Core::new(0);
    cold.realm.set(&[u64::from(el3::BOOT_COMPLETE), 0]);
    assert_eq!(monitor.smc(&hw, &mut cold, World::Realm), Next::Switch(World::Normal));
    assert!(monitor.rmm_serves());
    assert_eq!(call(&monitor, &hw, &mut cold, &[u64::from(el3::BOOT_COMPLETE), 0])[0], u64::MAX);

    let mut warm = Core::new(1);
    warm.realm.set(&[u64::from(el3::BOOT_COMPLETE), (-4i64).cast_unsigned()]);
    assert_eq!(monitor.smc(&hw, &mut warm, World::Realm), Next::Switch(World::Normal));
    assert!(!monitor.rmm_serves());
    assert_eq!(hw.lines.borrow()[..], ["monitor: CPU 1: RMM failed to boot: -4"]);

    let mut again = Core::new(1);
    again.realm.set(&[u64::from(el3::BOOT_COMPLETE), 0]);
    assert_eq!(monitor.smc(&hw, &mut again, World::Realm), Next::Switch(World::Normal));
    assert!(!monitor.rmm_serves());
}

#[test]
fn results_are_taken_only_while_a_command_is_served() {
    let (hw, monitor) = (Fake::new(), monitor(0));
    let mut core = Core::new(0);
    assert_eq!(call(&monitor, &hw, &mut core, &[u64::from(el3::REQ_COMPLETE), 7])[0], u64::MAX);
    assert_eq!((core.phase, core.normal.0[0]), (Phase::Booting, 0));
    let (monitor, mut core) = booted(&hw, 0);
    assert_eq!(call(&monitor, &hw, &mut core, &[u64::from(el3::REQ_COMPLETE), 7])[0], u64::MAX);
    assert_eq!(core.phase, Phase::Idle);
}

#[test]
fn features_offer_signing_and_tell_the_trace_mask() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, map::TRACE_RSI);
    let features = u64::from(el3::FEATURES);
    assert_eq!(call(&monitor, &hw, &mut core, &[features, 0])[..2], [0, 1]);
    assert_eq!(call(&monitor, &hw, &mut core, &[features, 0x8000_0000])[..2], [0, map::TRACE_RSI]);
    assert_eq!(call(&monitor, &hw, &mut core, &[features, 1])[..2], [0, 0]);
}

#[test]
fn private_key_is_never_given() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    let asked = [u64::from(el3::GET_REALM_ATTEST_KEY), map::RMM_SHARED, 4096, 0];
    assert_eq!(call(&monitor, &hw, &mut core, &asked)[0], u64::MAX);
    assert!(hw.shared.borrow().iter().all(|byte| *byte == 0));
}

#[test]
fn told_lines_are_printed_by_the_mask() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, map::TRACE_RSI);
    let told = |kind| -> Vec<u64> { [u64::from(el3::TRACE), kind, 0xc400_0190, 1, 2, 3, 4, 5, 6, 7, 8, 9].to_vec() };
    for kind in [map::TRACE_RMI, map::TRACE_RSI, map::TRACE_EL3, 0] {
        assert_eq!(call(&monitor, &hw, &mut core, &told(kind))[0], 0);
    }
    assert_eq!(hw.lines.borrow()[..], ["T rsi 0 c4000190 1 2 3 4 -> 5 6 7 8 9"]);
}
