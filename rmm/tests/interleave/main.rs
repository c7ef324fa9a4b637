//! Commands on several CPUs in every order that a scheduler of shuttle's tries: no page in two hands, no waiting for ever, one
//! winner where there can be one, and everything agrees afterwards.
//!
//! `ALLOD_INTERLEAVINGS` says how many of each.

// The crate goes by the name that the rest of the workspace calls it by.
extern crate allod_rmm as rmm;

mod machine;

use abi::rmi::{RealmParams, RecParams, fid};
use machine::{BASE, Machine, PAGES};
use rmm::Rmm;
use rmm::address::Pa;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::Arc;
use shuttle::{Config, Runner, thread};
use std::collections::HashSet;
use zerocopy::{FromZeros, IntoBytes};

const SUCCESS: u64 = 0;
const INPUT: u64 = 1;
const REC_IN_USE: u64 = 3;

const fn page(number: u64) -> u64 {
    BASE + number * 4096
}

const RD: u64 = page(0);
const ROOT: u64 = page(1);
const L2: u64 = page(2);
const L3: u64 = page(3);
const DATA: u64 = page(4);
/// RECs, each before its two parts.
const REC: u64 = page(5);
const REC1: u64 = page(8);
/// Delegated.
const SPARE: u64 = page(12);
const SPARE1: u64 = page(13);
const SPARE2: u64 = page(14);
const SPARE3: u64 = page(15);
/// The Normal world's.
const NORMAL: u64 = page(30);
const PARAMS: u64 = page(31);
const RUN: u64 = page(32);
const RUN1: u64 = page(33);
const OTHER_PARAMS: u64 = page(34);

type Call = (u32, Vec<u64>);

struct Host {
    rmm: Rmm<Machine>,
}

impl Host {
    fn call(&self, (function, arguments): &Call) -> u64 {
        let mut registers = [0; 8];
        registers[0] = u64::from(*function);
        registers[1..=arguments.len()].copy_from_slice(arguments);
        self.rmm.handle(registers)[0]
    }

    fn ok(&self, function: u32, arguments: &[u64]) {
        assert_eq!(self.call(&(function, arguments.to_vec())), SUCCESS, "{function:#x}");
    }

    fn write(&self, pa: u64, bytes: &[u8]) {
        let copy = |page: &mut rmm::platform::Page| page.0[..bytes.len()].copy_from_slice(bytes);
        self.rmm.platform().normal(Pa::new(pa).unwrap(), copy).unwrap();
    }

    /// A realm with two RECs, tables and a page at 0, and four granules to spare.
    fn with_realm() -> Self {
        let host = Self { rmm: Rmm::new(Machine::new()) };
        (0..16).for_each(|number| host.ok(fid::GRANULE_DELEGATE, &[page(number)]));
        host.write(PARAMS, realm(1, ROOT).as_bytes());
        host.ok(fid::REALM_CREATE, &[RD, PARAMS]);
        host.ok(fid::RTT_CREATE, &[RD, L2, 0, 2]);
        host.ok(fid::RTT_CREATE, &[RD, L3, 0, 3]);
        host.ok(fid::DATA_CREATE, &[RD, DATA, 0, NORMAL, 0]);
        for (index, rec) in [(0, REC), (1, REC1)] {
            host.write(PARAMS, rec_params(index, [rec + 4096, rec + 8192]).as_bytes());
            host.ok(fid::REC_CREATE, &[RD, rec, PARAMS]);
        }
        host
    }

    fn active() -> Self {
        let host = Self::with_realm();
        host.ok(fid::REALM_ACTIVATE, &[RD]);
        host
    }

    fn realm_calls(&self, registers: &[u64]) {
        self.rmm.platform().calls.lock().unwrap().push_back(registers.to_vec());
    }

    /// Everything agrees, and nobody holds anything.
    fn audit(&self) {
        let mut marked = HashSet::new();
        let granules = (0..PAGES).map(|number| Pa::new(page(number)).unwrap());
        let realm_world = |pa| self.rmm.platform().is_realm(pa);
        self.rmm.audit(granules, realm_world, |pa| !marked.insert(pa.get())).unwrap();
    }
}

fn realm(vmid: u16, root: u64) -> RealmParams {
    let mut params = RealmParams::new_zeroed();
    (params.s2sz, params.num_bps, params.num_wps, params.vmid) = (32, 1, 1, vmid);
    (params.rtt_base, params.rtt_level_start, params.rtt_num_start) = (root, 1, 1);
    params
}

fn rec_params(index: u64, aux: [u64; 2]) -> RecParams {
    let mut params = RecParams::new_zeroed();
    (params.flags, params.mpidr, params.num_aux) = (1, index, 2);
    params.aux[..2].copy_from_slice(&aux);
    params
}

/// Makes the calls of each CPU, in many interleavings, and judges the statuses.
fn race(prepare: fn() -> Host, cpus: &[&[Call]], judge: fn(&[Vec<u64>])) {
    let count = std::env::var("ALLOD_INTERLEAVINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let cpus: Vec<Vec<Call>> = cpus.iter().map(|calls| calls.to_vec()).collect();
    let once = move || {
        let host = Arc::new(prepare());
        let start = |calls: &Vec<Call>| {
            let (host, calls) = (Arc::clone(&host), calls.clone());
            thread::spawn(move || calls.iter().map(|call| host.call(call)).collect::<Vec<u64>>())
        };
        let running: Vec<_> = cpus.iter().map(start).collect();
        let statuses: Vec<Vec<u64>> = running.into_iter().map(|cpu| cpu.join().unwrap()).collect();
        host.audit();
        judge(&statuses);
    };
    // Pages of parameters lie on the stack.
    let config = || {
        let mut config = Config::new();
        config.stack_size = 1 << 20;
        config
    };
    Runner::new(RandomScheduler::new(count), config()).run(once.clone());
    Runner::new(PctScheduler::new(3, count), config()).run(once);
}

fn successes(statuses: &[Vec<u64>]) -> usize {
    statuses.iter().flatten().filter(|status| **status == SUCCESS).count()
}

fn c(function: u32, arguments: &[u64]) -> Call {
    (function, arguments.to_vec())
}

#[test]
fn a_granule_is_delegated_and_undelegated_by_one_at_a_time() {
    let to = c(fid::GRANULE_DELEGATE, &[NORMAL]);
    let from = c(fid::GRANULE_UNDELEGATE, &[NORMAL]);
    race(Host::with_realm, &[&[to.clone(), from.clone()], &[to.clone(), from.clone()], &[to, from]], |statuses| {
        assert!(successes(statuses) >= 1);
        assert!(statuses.iter().flatten().all(|status| [SUCCESS, INPUT].contains(status)));
    });
}

#[test]
fn a_granule_has_one_taker() {
    fn prepare() -> Host {
        let host = Host::with_realm();
        host.write(PARAMS, rec_params(2, [SPARE, SPARE2]).as_bytes());
        host.write(OTHER_PARAMS, realm(2, SPARE).as_bytes());
        host
    }
    let cpus: [&[Call]; 5] = [
        &[c(fid::RTT_CREATE, &[RD, SPARE, 0x20_0000, 3])],
        &[c(fid::REC_CREATE, &[RD, SPARE1, PARAMS])],
        &[c(fid::REALM_CREATE, &[SPARE3, OTHER_PARAMS])],
        &[c(fid::DATA_CREATE_UNKNOWN, &[RD, SPARE, 0x1000])],
        &[c(fid::GRANULE_UNDELEGATE, &[SPARE])],
    ];
    race(prepare, &cpus, |statuses| assert_eq!(successes(statuses), 1, "{statuses:x?}"));
}

#[test]
fn a_vmid_has_one_realm() {
    fn prepare() -> Host {
        let host = Host::with_realm();
        host.write(PARAMS, realm(7, SPARE1).as_bytes());
        host.write(OTHER_PARAMS, realm(7, SPARE3).as_bytes());
        host
    }
    let cpus: [&[Call]; 2] =
        [&[c(fid::REALM_CREATE, &[SPARE, PARAMS])], &[c(fid::REALM_CREATE, &[SPARE2, OTHER_PARAMS])]];
    race(prepare, &cpus, |statuses| assert_eq!(successes(statuses), 1, "{statuses:x?}"));
}

#[test]
fn a_rec_is_entered_once_or_destroyed() {
    let cpus: [&[Call]; 3] =
        [&[c(fid::REC_ENTER, &[REC, RUN])], &[c(fid::REC_ENTER, &[REC, RUN1])], &[c(fid::REC_DESTROY, &[REC])]];
    race(Host::active, &cpus, |statuses| {
        let [one, other, destroyed] = [statuses[0][0], statuses[1][0], statuses[2][0]];
        assert!([SUCCESS, REC_IN_USE].contains(&destroyed), "{statuses:x?}");
        assert!([one, other].iter().all(|it| [SUCCESS, INPUT, REC_IN_USE].contains(it)), "{statuses:x?}");
        // What is destroyed is not entered afterwards, and somebody always comes through.
        assert!(successes(statuses) >= 1);
        assert!(destroyed == SUCCESS || ![one, other].contains(&INPUT), "{statuses:x?}");
    });
}

#[test]
fn two_recs_that_ask_for_each_other_are_both_answered() {
    fn prepare() -> Host {
        let host = Host::active();
        for (rec, other) in [(REC, 1), (REC1, 0)] {
            host.realm_calls(&[u64::from(abi::psci::AFFINITY_INFO_64), other, 0]);
            host.ok(fid::REC_ENTER, &[rec, RUN]);
        }
        host
    }
    let cpus: [&[Call]; 2] = [&[c(fid::PSCI_COMPLETE, &[REC, REC1, 0])], &[c(fid::PSCI_COMPLETE, &[REC1, REC, 0])]];
    race(prepare, &cpus, |statuses| assert_eq!(successes(statuses), 2, "{statuses:x?}"));
}

/// The second REC is off, and the first has asked for it to be turned on.
fn waiting_for_cpu_on() -> Host {
    let host = Host::active();
    host.realm_calls(&[u64::from(abi::psci::CPU_OFF)]);
    host.ok(fid::REC_ENTER, &[REC1, RUN1]);
    host.realm_calls(&[u64::from(abi::psci::CPU_ON_64), 1, 0, 9]);
    host.ok(fid::REC_ENTER, &[REC, RUN]);
    host
}

#[test]
fn a_rec_that_is_off_is_not_taken_to_run_while_its_entry_is_refused() {
    let enter = c(fid::REC_ENTER, &[REC1, RUN1]);
    let cpus: [&[Call]; 2] = [&[c(fid::PSCI_COMPLETE, &[REC, REC1, 0]), enter.clone()], &[enter]];
    race(waiting_for_cpu_on, &cpus, |statuses| {
        assert_eq!(statuses[0][0], SUCCESS);
        let entries = [statuses[0][1], statuses[1][0]];
        assert!(entries.iter().all(|it| [SUCCESS, REC_IN_USE].contains(it)), "{statuses:x?}");
        // It was turned on: had the caller been told that it was on already, nobody could enter it.
        assert!(entries.contains(&SUCCESS), "{statuses:x?}");
    });
}

#[test]
fn a_rec_is_turned_on_while_it_is_entered_or_destroyed() {
    let cpus: [&[Call]; 3] = [
        &[c(fid::PSCI_COMPLETE, &[REC, REC1, 0])],
        &[c(fid::REC_ENTER, &[REC1, RUN1])],
        &[c(fid::REC_DESTROY, &[REC1])],
    ];
    race(waiting_for_cpu_on, &cpus, |statuses| assert!(successes(statuses) >= 1, "{statuses:x?}"));
}

#[test]
fn tables_fold_and_unfold_under_those_who_walk_them() {
    fn prepare() -> Host {
        let host = Host::active();
        // The Realm asks what is there, and has its configuration written.
        host.realm_calls(&[u64::from(abi::rsi::fid::IPA_STATE_GET), 0, 0x3000]);
        host.realm_calls(&[u64::from(abi::rsi::fid::REALM_CONFIG), 0]);
        host
    }
    let cpus: [&[Call]; 4] = [
        &[
            c(fid::RTT_CREATE, &[RD, SPARE, 0x20_0000, 3]),
            c(fid::RTT_FOLD, &[RD, 0x20_0000, 3]),
            c(fid::RTT_CREATE, &[RD, SPARE, 0x20_0000, 3]),
        ],
        &[c(fid::DATA_CREATE_UNKNOWN, &[RD, SPARE1, 0x20_0000]), c(fid::DATA_DESTROY, &[RD, 0x20_0000])],
        &[c(fid::RTT_READ_ENTRY, &[RD, 0x20_0000, 3]), c(fid::RTT_DESTROY, &[RD, 0x20_0000, 3])],
        &[c(fid::REC_ENTER, &[REC, RUN])],
    ];
    race(prepare, &cpus, |statuses| {
        assert_eq!(statuses[3], [SUCCESS]);
        assert_eq!(statuses[2][0], SUCCESS, "an entry can always be read");
    });
}

#[test]
fn memory_is_taken_from_under_a_realm_that_uses_it() {
    fn prepare() -> Host {
        let host = Host::active();
        host.realm_calls(&[u64::from(abi::rsi::fid::HOST_CALL), 0]);
        host.ok(fid::REC_ENTER, &[REC, RUN]);
        host.realm_calls(&[u64::from(abi::rsi::fid::REALM_CONFIG), 0]);
        host.realm_calls(&[u64::from(abi::rsi::fid::IPA_STATE_SET), 0, 0x1000, 0, 0]);
        host
    }
    let cpus: [&[Call]; 3] = [
        &[c(fid::REC_ENTER, &[REC, RUN]), c(fid::REC_ENTER, &[REC, RUN])],
        &[c(fid::DATA_DESTROY, &[RD, 0]), c(fid::GRANULE_UNDELEGATE, &[DATA])],
        &[c(fid::RTT_SET_RIPAS, &[RD, REC, 0, 0x1000]), c(fid::REC_ENTER, &[REC1, RUN1])],
    ];
    race(prepare, &cpus, |statuses| assert_eq!(statuses[1], [SUCCESS, SUCCESS], "{statuses:x?}"));
}

#[test]
fn a_realm_ends_or_goes_on_growing() {
    fn prepare() -> Host {
        let host = Host::with_realm();
        host.ok(fid::REC_DESTROY, &[REC]);
        host.ok(fid::REC_DESTROY, &[REC1]);
        host.ok(fid::DATA_DESTROY, &[RD, 0]);
        host.ok(fid::RTT_DESTROY, &[RD, 0, 3]);
        host.ok(fid::RTT_DESTROY, &[RD, 0, 2]);
        host.write(PARAMS, rec_params(2, [SPARE1, SPARE2]).as_bytes());
        host
    }
    let cpus: [&[Call]; 4] = [
        &[c(fid::REALM_DESTROY, &[RD])],
        &[c(fid::RTT_CREATE, &[RD, SPARE, 0, 2])],
        &[c(fid::REC_CREATE, &[RD, SPARE3, PARAMS])],
        &[c(fid::REALM_ACTIVATE, &[RD])],
    ];
    race(prepare, &cpus, |statuses| {
        let destroyed = statuses[0][0] == SUCCESS;
        let grown = statuses[1][0] == SUCCESS || statuses[2][0] == SUCCESS;
        // A table, or a REC, and the realm's end exclude each other.
        assert!(destroyed != grown, "{statuses:x?}");
    });
}
