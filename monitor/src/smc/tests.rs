extern crate std;

use crate::fake::{Fake, booted, monitor};
use crate::{Core, Monitor, Next, Registers, World};
use abi::map;
use abi::psci::Status;

const UNKNOWN: u64 = u64::MAX;

/// Registers of which no two are alike.
fn marked(base: u64) -> Registers {
    Registers(core::array::from_fn(|n| base + n as u64))
}

fn call(monitor: &Monitor<'_>, hw: &Fake, core: &mut Core, arguments: &[u64]) -> Next {
    core.normal.set(arguments);
    monitor.smc(hw, core, World::Normal)
}

#[test]
fn rmi_carries_x0_to_x7_in_and_x1_to_x5_out_and_nothing_else_either_way() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    core.normal = marked(0x1000);
    core.realm = marked(0x2000);
    assert_eq!(call(&monitor, &hw, &mut core, &[0xc400_0158]), Next::Switch(World::Realm));
    let mut expected = marked(0x2000);
    expected.set(&[0xc400_0158, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007]);
    assert_eq!(core.realm, expected);

    core.realm.set(&[0xc400_018f, 10, 11, 12, 13, 14, 15, 16]);
    assert_eq!(monitor.smc(&hw, &mut core, World::Realm), Next::Switch(World::Normal));
    let mut expected = marked(0x1000);
    expected.set(&[10, 11, 12, 13, 14]);
    assert_eq!(core.normal, expected);
}

#[test]
fn rmi_is_unknown_before_the_rmm_has_booted() {
    let (hw, monitor) = (Fake::new(), monitor(0));
    let mut core = Core::new(0);
    assert_eq!(call(&monitor, &hw, &mut core, &[0xc400_0150, 0x10000]), Next::Same);
    assert_eq!(core.normal.0[..2], [UNKNOWN, 0x10000]);
}

#[test]
fn unknown_calls_change_x0_alone() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    for fid in [0xc400_018f, 0xc400_0190, 0xc400_01b0, 0xc600_0000, 0x8400_0005] {
        core.normal = marked(0x1000);
        let before = core.realm.clone();
        assert_eq!(call(&monitor, &hw, &mut core, &[fid]), Next::Same);
        let mut expected = marked(0x1000);
        expected.set(&[UNKNOWN]);
        assert_eq!((core.normal.clone(), core.realm.clone()), (expected, before), "{fid:#x}");
    }
}

#[test]
fn cpu_on_wakes_a_cpu_at_a_normal_world_address_only() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    monitor.gpt.delegate(0x5000_0000).unwrap();
    let realm_and_devices = [0x5000_0000, map::RMM, map::SECURE_RAM, 0, map::UART0, 0x6000_0002, 1 << 40];
    for entry in realm_and_devices {
        assert_eq!(call(&monitor, &hw, &mut core, &[0xc400_0003, 1, entry, 0]), Next::Same);
        assert_eq!(core.normal.0[0], Status::InvalidAddress.word(), "{entry:#x}");
    }
    assert!(hw.woken.borrow().is_empty());
    assert_eq!(call(&monitor, &hw, &mut core, &[0xc400_0003, 1, 0x6000_0000, 5]), Next::Same);
    assert_eq!((core.normal.0[0], &hw.woken.borrow()[..]), (0, &[1][..]));
    assert_eq!(call(&monitor, &hw, &mut core, &[0xc400_0003, 1, 0x6000_0000, 5]), Next::Same);
    assert_eq!(core.normal.0[0], Status::OnPending.word());
}

#[test]
fn power_calls_say_what_the_cpu_does_next() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    assert_eq!(call(&monitor, &hw, &mut core, &[0x8400_0008]), Next::PowerOff);
    assert_eq!(call(&monitor, &hw, &mut core, &[0x8400_0009]), Next::Reset);
    assert_eq!(call(&monitor, &hw, &mut core, &[0xc400_0001, 0]), Next::Standby);
    assert_eq!(core.normal.0[0], 0);
    assert_eq!(call(&monitor, &hw, &mut core, &[0xc400_0001, 1 << 16]), Next::Same);
    assert_eq!(core.normal.0[0], Status::InvalidParameters.word());
    assert_eq!(call(&monitor, &hw, &mut core, &[0x8400_0002]), Next::Park);
    let mut other = Core::new(1);
    assert_eq!(call(&monitor, &hw, &mut other, &[0xc400_0004, 0, 0]), Next::Same);
    assert_eq!(other.normal.0[0], 1, "CPU 0 is off now");
}

#[test]
fn queries_answer_versions_and_features() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    for (arguments, answer) in [
        ([0x8400_0000, 0], 0x1_0001),
        ([0x8000_0000, 0], 0x1_0004),
        ([0x8000_0001, 0x8000_0000], 0),
        ([0x8000_0001, 0x8000_3fff], UNKNOWN),
        ([0x8400_0006, 0], 2),
        ([0x8400_000a, 0xc400_0003], 0),
        ([0x8400_000a, 0x8400_0012], UNKNOWN),
    ] {
        assert_eq!(call(&monitor, &hw, &mut core, &arguments), Next::Same);
        assert_eq!(core.normal.0[0], answer, "{arguments:x?}");
    }
}

#[test]
fn census_tells_the_normal_world_how_many_granules_are_not_its_own() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, 0);
    monitor.gpt.delegate(0x5000_0000).unwrap();
    assert_eq!(call(&monitor, &hw, &mut core, &[0xc300_0000]), Next::Same);
    assert_eq!(core.normal.0[..3], [0, (0xa000_0000 - 0x4200_0000) / 4096, 1]);
}

#[test]
fn power_calls_are_traced_when_asked() {
    let hw = Fake::new();
    let (monitor, mut core) = booted(&hw, map::TRACE_EL3);
    let _ = call(&monitor, &hw, &mut core, &[0xc400_0004, 1, 0, 3, 4]);
    assert_eq!(hw.lines.borrow()[..], ["T el3 0 c4000004 1 0 3 4 -> 1 1 0 3 4"]);
}
