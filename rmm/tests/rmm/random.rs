//! Random commands of a hostile host: what is refused changes nothing, no page is in two hands, nothing stops the RMM.

use crate::host::*;
use abi::rmi::{Status, fid};
use std::sync::Arc;
use zerocopy::IntoBytes;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn of(&mut self, values: &[u64]) -> u64 {
        values[self.below(values.len() as u64) as usize]
    }

    fn granule(&mut self) -> u64 {
        let spare = page(40 + self.below(8));
        self.of(&[
            RD,
            ROOTS,
            ROOTS + 4096,
            L2,
            L3,
            DATA,
            DATA + 4096,
            REC,
            REC + 4096,
            REC + 8192,
            REC1,
            NORMAL,
            spare,
            spare,
        ])
    }

    fn ipa(&mut self) -> u64 {
        let base = self.of(&[RAM, RAM, RAM, SHARED, 0]);
        base + self.of(&[0, 0, 0x1000, 0x2000, 0x20_0000, 0x4000_0000, 0x123])
    }

    fn command(&mut self) -> (u32, [u64; 5]) {
        let functions = [
            fid::GRANULE_DELEGATE,
            fid::GRANULE_UNDELEGATE,
            fid::DATA_CREATE,
            fid::DATA_CREATE_UNKNOWN,
            fid::DATA_DESTROY,
            fid::REALM_ACTIVATE,
            fid::REALM_CREATE,
            fid::REALM_DESTROY,
            fid::REC_CREATE,
            fid::REC_DESTROY,
            fid::RTT_CREATE,
            fid::RTT_DESTROY,
            fid::RTT_MAP_UNPROTECTED,
            fid::RTT_READ_ENTRY,
            fid::RTT_UNMAP_UNPROTECTED,
            fid::PSCI_COMPLETE,
            fid::RTT_FOLD,
            fid::RTT_INIT_RIPAS,
            fid::RTT_SET_RIPAS,
            fid::REC_ENTER,
            fid::REC_ENTER,
            fid::RTT_SET_RIPAS,
        ];
        let destroys = [
            fid::GRANULE_UNDELEGATE,
            fid::DATA_DESTROY,
            fid::REALM_DESTROY,
            fid::REC_DESTROY,
            fid::REALM_ACTIVATE,
            fid::RTT_DESTROY,
        ];
        let mut function = functions[self.below(functions.len() as u64) as usize];
        if destroys.contains(&function) && self.below(4) != 0 {
            // Building takes many steps in order, so it is tried more often.
            function = self.of(&[fid::GRANULE_DELEGATE, fid::RTT_CREATE, fid::REC_CREATE].map(u64::from)) as u32;
        }
        let rd = if self.below(8) == 0 { self.granule() } else { RD };
        let (ipa, level) = (self.ipa(), self.of(&[1, 2, 3, 3]));
        let top = ipa + self.of(&[0x1000, 0x20_0000, 0x4000_0000]);
        let stray = self.below(16) == 0;
        let params = if stray { self.granule() } else { page(if function == fid::REALM_CREATE { 81 } else { 82 }) };
        let arguments = match function {
            fid::GRANULE_DELEGATE | fid::GRANULE_UNDELEGATE => [page(self.below(50)), 0, 0, 0, 0],
            fid::DATA_CREATE => [rd, self.granule(), ipa, NORMAL, self.below(3)],
            fid::DATA_CREATE_UNKNOWN => [rd, self.granule(), ipa, 0, 0],
            fid::REALM_CREATE => [rd, params, 0, 0, 0],
            fid::REC_CREATE => [rd, REC, params, 0, 0],
            fid::DATA_DESTROY => [rd, ipa, 0, 0, 0],
            fid::REALM_DESTROY | fid::REALM_ACTIVATE => [rd, 0, 0, 0, 0],
            fid::REC_DESTROY => [REC, 0, 0, 0, 0],
            fid::REC_ENTER => [self.of(&[REC, REC1, RD]), RUN, 0, 0, 0],
            fid::PSCI_COMPLETE => [REC, self.of(&[REC1, REC1, RD, REC]), self.of(&[0, 0, 1, u64::MAX]), 0, 0],
            fid::RTT_CREATE => [rd, self.granule(), ipa, level, 0],
            fid::RTT_INIT_RIPAS => [rd, ipa, top, 0, 0],
            fid::RTT_SET_RIPAS => [rd, REC, RAM, RAM + 0x1000, 0],
            _ => [rd, ipa, level, NORMAL | 0xD8, 0],
        };
        (function, arguments)
    }
}

/// Where a walk begins.
#[derive(Clone, Copy)]
enum Start {
    Nothing,
    New,
    Active,
}

fn host(start: Start) -> Host {
    let host = Host::new();
    match start {
        Start::Nothing => {}
        Start::New => {
            host.create_realm(0);
            host.delegate(&[L2, L3, DATA]);
            host.ok(fid::RTT_CREATE, &[RD, L2, RAM, 2]);
            host.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
            host.delegate(&[page(6), page(7), REC, REC + 4096, REC + 8192]);
            host.ok(fid::RTT_CREATE, &[RD, page(6), SHARED, 2]);
            host.ok(fid::RTT_CREATE, &[RD, page(7), SHARED, 3]);
        }
        Start::Active => host.build(&Options { hash: 0, second_rec: true }),
    }
    host.write_normal(page(81), Host::realm_params(0).as_bytes());
    host.write_normal(page(82), Host::rec_params(0, REC, 1).as_bytes());
    host
}

/// Calls, with a Realm that does something too if it is entered.
fn step(host: &Host, random: &mut Random) -> (u32, Status) {
    let (function, arguments) = random.command();
    if function == fid::REC_ENTER {
        let (base, ripas) = (if random.below(2) == 0 { RAM } else { random.ipa() }, random.below(3));
        let call = match random.below(3) {
            0 => vec![u64::from(abi::psci::CPU_ON_64), random.below(3), RAM, 5],
            1 => vec![u64::from(abi::rsi::fid::HOST_CALL), base],
            _ => vec![u64::from(abi::rsi::fid::IPA_STATE_SET), base, base + 0x1000, ripas, 1],
        };
        host.machine().script.lock().unwrap().clear();
        host.machine().then(move |context| {
            context.x[..call.len()].copy_from_slice(&call);
            sync(0x17 << 26)
        });
    }
    let status = host.status(function, &arguments);
    (function, status)
}

#[test]
fn refused_command_changes_nothing() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut successes = std::collections::BTreeSet::new();
    for round in 0..60 {
        let host = host([Start::Nothing, Start::New, Start::Active][round % 3]);
        for _ in 0..300 {
            let before = host.machine().snapshot();
            let (function, status) = step(&host, &mut random);
            if status == Status::Success {
                successes.insert(function);
            } else {
                assert!(before == host.machine().snapshot(), "{function:#x}");
            }
        }
    }
    // The walk is worth something only if it gets everywhere.
    assert!(successes.len() == 20, "only {successes:x?}");
}

#[test]
fn four_cpus_at_once_neither_wait_for_ever_nor_share_a_page() {
    let host = Arc::new(host(Start::Active));
    let cpus = (1..=4).map(|cpu| {
        let host = Arc::clone(&host);
        std::thread::spawn(move || {
            let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ cpu);
            for _ in 0..20_000 {
                step(&host, &mut random);
            }
        })
    });
    cpus.collect::<Vec<_>>().into_iter().for_each(|cpu| cpu.join().unwrap());
}
