//! A Realm from images to its end, in software: the host, the monitor and the RMM that ship, and a scripted Realm.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use abi::measurement::Hash;
use abi::rsi::{CHANGE_DESTROYED, fid};
use abi::{GRANULE_U64, psci};
use allod_stories::realm::{Refused, bytes, call, measurement, power_off, set_ripas, token};
use allod_stories::reference::{anchors, references};
use allod_stories::run::{boot_script, config, kernel, program, run};
use host::plan::{BLOCK, Images, RAM};
use host::vmm::{Access, Normal, Stop};
use machine::guest::Cpu;
use machine::{Board, Event, Machine};
use measure::direct::expect;
use verifier::{Case, Nonce, Policy, Status, Step, verify};

const INITRD: &[u8] = b"an initial RAM disk";
/// A page of RAM that nothing of the images is in.
const FREE_PAGE: u64 = RAM + 3 * BLOCK;
const RIPAS_EMPTY: u64 = 0;
const RIPAS_RAM: u64 = 1;
/// The bit of unprotected addresses in a space of 33 bits.
const SHARED: u64 = 1 << 32;
const DRAM: u64 = 4096;

/// Boots a machine, runs one Realm with this script on its first vCPU to the end, and checks that nothing is left.
fn story(cpus: u32, body: impl Fn(&mut Cpu) + Clone + Send + Sync + 'static) -> Option<Stop> {
    let board = Board::new(DRAM);
    let machine = Machine::new(&board);
    let kernel = kernel();
    boot_script(&machine, body);
    let images = Images { kernel: &kernel, initrd: INITRD };
    let stop =
        run(&machine, &images, &config(cpus, Hash::Sha256)).expect("the host builds, runs and destroys the Realm");
    assert_eq!(machine.census(), (DRAM, 0), "every granule is the Normal world's again");
    stop
}

#[test]
fn the_rim_that_the_rmm_holds_is_the_one_that_was_predicted() {
    for hash in [Hash::Sha256, Hash::Sha512] {
        let board = Board::new(DRAM);
        let machine = Machine::new(&board);
        let (kernel, config) = (kernel(), config(1, hash));
        let images = Images { kernel: &kernel, initrd: INITRD };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        boot_script(&machine, move |cpu| {
            *told.lock().unwrap() = measurement(cpu, 0).unwrap()[..hash.size()].to_vec();
            power_off(cpu);
        });
        assert_eq!(run(&machine, &images, &config), Ok(Some(Stop::SystemOff)));
        assert_eq!(*seen.lock().unwrap(), expect(&images, &config).unwrap().rim);
        assert_eq!(machine.census().1, 0);
    }
}

#[test]
fn a_realm_finds_its_images_where_the_plan_put_them() {
    let stop = story(1, |cpu| {
        assert_eq!(bytes(cpu, cpu.x0, 4).unwrap(), 0xd00d_feed_u32.to_be_bytes(), "x0 is the device tree");
        let image = kernel();
        assert_eq!(bytes(cpu, RAM, image.len() as u64).unwrap(), image);
        assert_eq!(bytes(cpu, RAM + 0x8000, INITRD.len() as u64).unwrap(), INITRD);
        power_off(cpu);
    });
    assert_eq!(stop, Some(Stop::SystemOff));
}

#[test]
fn an_attested_realm_is_affirmed_and_a_changed_one_is_not() {
    let board = Board::new(DRAM);
    let machine = Machine::new(&board);
    let (kernel, config) = (kernel(), config(1, Hash::Sha256));
    let images = Images { kernel: &kernel, initrd: INITRD };
    let (send, receive) = channel();
    boot_script(&machine, move |cpu| {
        send.send(token(cpu, &[0x77; 64], FREE_PAGE).unwrap()).unwrap();
        power_off(cpu);
    });
    assert_eq!(run(&machine, &images, &config), Ok(Some(Stop::SystemOff)));
    let token = receive.recv().unwrap();
    let anchors = anchors(&board.identity);
    let judge = |initrd: &[u8], nonce: &[u8]| {
        let expected = expect(&Images { kernel: &kernel, initrd }, &config).unwrap();
        let references = references(&board.identity, &expected);
        let nonce = Nonce::new(nonce).unwrap();
        verify(&token, &Case { anchors: &anchors, nonce, at: 0, references: &references, policy: &Policy::default() })
    };
    let verdict = judge(INITRD, &[0x77; 64]);
    assert!(verdict.affirms(), "{:#?}", verdict.checks());
    let tampered = judge(b"an initial RAM disc", &[0x77; 64]);
    assert_eq!(tampered.failed().map(|check| (check.step, check.status)), Some((Step::Rim, Status::Failed)));
    let replayed = judge(INITRD, &[0x78; 64]);
    assert_eq!(replayed.failed().map(|check| check.step), Some(Step::Nonce));
}

#[test]
fn memory_comes_when_it_is_touched_and_is_no_one_elses() {
    let board = Board::new(DRAM);
    let machine = Machine::new(&board);
    let kernel = kernel();
    boot_script(&machine, |cpu| {
        for page in 0..40 {
            let ipa = FREE_PAGE + page * GRANULE_U64;
            assert_eq!(cpu.load(ipa), Ok(0));
            cpu.store(ipa + 8, !ipa).unwrap();
        }
        (0..40).map(|page| FREE_PAGE + page * GRANULE_U64).for_each(|ipa| assert_eq!(cpu.load(ipa + 8), Ok(!ipa)));
        assert!(matches!(cpu.load(RAM - 8), Err(Event::Exception { .. })), "below RAM there is nothing");
        power_off(cpu);
    });
    let images = Images { kernel: &kernel, initrd: INITRD };
    let config = config(1, Hash::Sha256);
    let plan = host::plan::plan(&images, &config).unwrap();
    let exposed = allod_stories::run::with_vm(&machine, &images, &plan, |vm| {
        machine.on_cpu(0, || vm.run(0));
        let all = board.dram().step_by(abi::GRANULE);
        let private: Vec<u64> = all.filter(|pa| machine.probe(Access::Read, *pa).is_some()).collect();
        let open = |access: Access| private.iter().filter(|pa| machine.probe(access, **pa).is_none()).count();
        (private.len() as u64, machine.census().1, open(Access::Write) + open(Access::Execute))
    });
    let (private, delegated, open) = exposed.unwrap();
    assert_eq!((private, open), (delegated, 0), "what is delegated faults, and nothing else does");
    assert!(private > 40, "the Realm has memory, tables and RECs: {private}");
    assert_eq!(machine.census().1, 0);
}

#[test]
fn a_page_that_was_given_up_faults() {
    let stop = story(1, |cpu| {
        cpu.store(FREE_PAGE, 0x5ec7e7).unwrap();
        set_ripas(cpu, FREE_PAGE, FREE_PAGE + GRANULE_U64, RIPAS_EMPTY, CHANGE_DESTROYED).unwrap();
        let stopped = cpu.load(FREE_PAGE);
        assert!(matches!(stopped, Err(Event::Exception { esr }) if esr & 0x3f == 0x10), "{stopped:x?}");
        power_off(cpu);
    });
    assert_eq!(stop, Some(Stop::SystemOff));
}

#[test]
fn sharing_and_unsharing_leave_no_stale_translation() {
    let stop = story(1, |cpu| {
        let (base, top) = (FREE_PAGE, FREE_PAGE + GRANULE_U64);
        for round in 1..4 {
            cpu.store(base, 0x5ec7e7).unwrap();
            set_ripas(cpu, base, top, RIPAS_EMPTY, CHANGE_DESTROYED).unwrap();
            assert_eq!(cpu.load(base | SHARED), Ok(0), "round {round}: the host's page is not the private one");
            cpu.store(base | SHARED, round).unwrap();
            set_ripas(cpu, base, top, RIPAS_RAM, CHANGE_DESTROYED).unwrap();
            assert_eq!(cpu.load(base), Ok(0), "round {round}: the private page is a new one");
        }
        power_off(cpu);
    });
    assert_eq!(stop, Some(Stop::SystemOff));
}

#[test]
fn four_vcpus_start_each_other_and_share_memory() {
    const SECOND: u64 = RAM + 0x1000;
    let board = Board::new(DRAM);
    let machine = Machine::new(&board);
    let kernel = kernel();
    program(&machine, SECOND, |cpu| {
        let number = cpu.x0;
        cpu.store(FREE_PAGE + 8 * number, 100 + number).unwrap();
        let returned = cpu.smc(&[psci::CPU_OFF.into()]);
        panic!("CPU_OFF returned: {returned:?}");
    });
    boot_script(&machine, |cpu| {
        for number in 1..4 {
            call(cpu, psci::CPU_ON_64, &[number, SECOND, number]).unwrap();
        }
        for number in 1..4 {
            while cpu.load(FREE_PAGE + 8 * number) != Ok(100 + number) {}
            while call(cpu, psci::AFFINITY_INFO_64, &[number, 0]) != Err(Refused::Status(1)) {}
        }
        power_off(cpu);
    });
    let images = Images { kernel: &kernel, initrd: INITRD };
    assert_eq!(run(&machine, &images, &config(4, Hash::Sha256)), Ok(Some(Stop::SystemOff)));
    assert_eq!(machine.census().1, 0);
}

#[test]
fn ten_realms_run_one_after_another_and_know_nothing_of_each_other() {
    let board = Board::new(DRAM);
    let machine = Machine::new(&board);
    let kernel = kernel();
    boot_script(&machine, |cpu| {
        assert_eq!(cpu.load(FREE_PAGE), Ok(0), "what another Realm wrote is not here");
        cpu.store(FREE_PAGE, u64::MAX).unwrap();
        assert_eq!(measurement(cpu, 1).unwrap(), [0; 64]);
        call(cpu, fid::MEASUREMENT_EXTEND, &[1, 8, 1, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        assert_ne!(measurement(cpu, 1).unwrap(), [0; 64]);
        power_off(cpu);
    });
    for _ in 0..10 {
        let images = Images { kernel: &kernel, initrd: INITRD };
        assert_eq!(run(&machine, &images, &config(2, Hash::Sha512)), Ok(Some(Stop::SystemOff)));
        assert_eq!(machine.census(), (DRAM, 0));
    }
}

#[test]
fn reset_is_told_apart_from_power_off() {
    let stop = story(1, |cpu| {
        let returned = cpu.smc(&[psci::SYSTEM_RESET.into()]);
        panic!("SYSTEM_RESET returned: {returned:?}");
    });
    assert_eq!(stop, Some(Stop::Reset));
}

#[test]
fn calls_that_are_not_offered_are_answered_and_never_exit() {
    let stop = story(1, |cpu| {
        for function in [0xC400_0150_u64, 0xC400_01B0, 0x8600_FF01, 0x8400_0050, 0xC500_0020] {
            assert_eq!(
                cpu.smc(&[function, 1, 2, 3, 0x1234]).map(|x| (x[0], x[4])),
                Ok((u64::MAX, 0x1234)),
                "{function:#x}"
            );
        }
        assert_eq!(call(cpu, fid::VERSION, &[0x1_0000]).map(|x| (x[0], x[1])), Ok((0x1_0000, 0x1_0000)));
        assert_eq!(call(cpu, psci::VERSION, &[]), Err(Refused::Status(0x1_0001)));
        power_off(cpu);
    });
    assert_eq!(stop, Some(Stop::SystemOff));
}
