use super::{Call, Power, Psci, Start, features};
use abi::psci::{self, Status};
use abi::smccc;

const START: Start = Start { entry: 0x6000_0000, context: 7 };

fn machine() -> Psci {
    let psci = Psci::new(3, Start { entry: 0x6000_0000, context: 0x4000_0000 });
    psci.started(0);
    psci
}

#[test]
fn cpu_is_off_then_pending_then_on_then_off() {
    let psci = machine();
    assert_eq!(psci.affinity_info(1, 0), Ok(Power::Off));
    assert_eq!(psci.pending(1), None);
    assert_eq!(psci.turn_on(1, START), Ok(1));
    assert_eq!(psci.affinity_info(1, 0), Ok(Power::OnPending));
    assert_eq!(psci.turn_on(1, START), Err(Status::OnPending));
    assert_eq!(psci.pending(1), Some(START));
    psci.started(1);
    assert_eq!(psci.affinity_info(1, 0), Ok(Power::On));
    assert_eq!(psci.pending(1), None);
    assert_eq!(psci.turn_on(1, START), Err(Status::AlreadyOn));
    psci.stopped(1);
    assert_eq!(psci.affinity_info(1, 0), Ok(Power::Off));
    assert_eq!(psci.pending(1), None, "a parked CPU must not start at its old entry");
    let other = Start { entry: 0x7000_0000, context: 8 };
    assert_eq!(psci.turn_on(1, other), Ok(1));
    assert_eq!(psci.pending(1), Some(other));
}

#[test]
fn first_cpu_is_on_its_way_from_the_start() {
    let start = Start { entry: 0x6000_0000, context: 0x4000_0000 };
    let psci = Psci::new(1, start);
    assert_eq!(psci.pending(0), Some(start));
    psci.started(0);
    assert_eq!(psci.turn_on(0, START), Err(Status::AlreadyOn));
}

#[test]
fn affinities_of_no_cpu_are_refused() {
    let psci = machine();
    for target in [3, 0x100, 0x1_0001, 1 << 32, 0x8000_0001, u64::MAX] {
        assert_eq!(psci.turn_on(target, START), Err(Status::InvalidParameters), "{target:#x}");
        assert_eq!(psci.affinity_info(target, 0), Err(Status::InvalidParameters), "{target:#x}");
    }
    assert_eq!(psci.affinity_info(1, 1), Err(Status::InvalidParameters));
}

#[test]
fn arguments_of_32_bit_forms_are_32_bits() {
    let high = 0xffff_ffff_0000_0000;
    let call = Call::parse(psci::CPU_ON_32, high | 1, high | 0x6000_0000, high | 9);
    assert_eq!(call, Some(Call::CpuOn { target_cpu: 1, entry_point_address: 0x6000_0000, context_id: 9 }));
    let call = Call::parse(psci::CPU_ON_64, high | 1, high | 0x6000_0000, high | 9);
    assert_eq!(
        call,
        Some(Call::CpuOn { target_cpu: high | 1, entry_point_address: high | 0x6000_0000, context_id: high | 9 })
    );
}

#[test]
fn features_name_what_is_offered() {
    for function in [
        psci::VERSION,
        psci::CPU_SUSPEND_64,
        psci::CPU_OFF,
        psci::CPU_ON_32,
        psci::CPU_ON_64,
        psci::AFFINITY_INFO_64,
        psci::MIGRATE_INFO_TYPE,
        psci::SYSTEM_OFF,
        psci::SYSTEM_RESET,
        psci::FEATURES,
        smccc::VERSION,
    ] {
        assert_eq!(features(function), 0, "{function:#x}");
    }
    for function in [0x8400_0005, 0x8400_000b, 0xc400_0000, 0x8600_ff01, 0] {
        assert_eq!(features(function), u64::MAX, "{function:#x}");
    }
}

#[test]
fn only_one_of_many_cpus_turns_another_on() {
    extern crate std;
    let psci = machine();
    let turned = std::thread::scope(|scope| {
        let threads: std::vec::Vec<_> = (0..4)
            .map(|n| {
                scope.spawn({
                    let psci = &psci;
                    move || psci.turn_on(2, Start { entry: 4 + 4 * n, context: n })
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).filter(Result::is_ok).count()
    });
    assert_eq!(turned, 1);
    let start = psci.pending(2).unwrap();
    assert_eq!(start.entry, 4 + 4 * start.context, "entry and context are of one caller");
}
