//! Hardware for tests: remembers what was asked of it.

extern crate std;

use crate::Hardware;
use core::cell::{Cell, RefCell};
use core::fmt;
use std::string::{String, ToString};
use std::vec::Vec;

#[derive(Default)]
pub struct Fake {
    pub invalidated: RefCell<Vec<u64>>,
    pub woken: RefCell<Vec<usize>>,
    pub shared: RefCell<Vec<u8>>,
    pub lines: RefCell<Vec<String>>,
    pub constant_time: Cell<bool>,
    pub was_constant_time: Cell<bool>,
}

impl Fake {
    pub fn new() -> Fake {
        Fake { shared: RefCell::new(std::vec![0; 4096]), ..Fake::default() }
    }
}

impl Hardware for Fake {
    fn invalidate(&self, pa: u64) {
        self.invalidated.borrow_mut().push(pa);
    }

    fn wake(&self, cpu: usize) {
        self.woken.borrow_mut().push(cpu);
    }

    fn read_shared(&self, offset: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.shared.borrow()[offset..offset + to.len()]);
    }

    fn write_shared(&self, offset: usize, from: &[u8]) {
        self.shared.borrow_mut()[offset..offset + from.len()].copy_from_slice(from);
    }

    fn constant_time(&self, on: bool) {
        self.was_constant_time.set(self.was_constant_time.get() | on);
        self.constant_time.set(on);
    }

    fn print(&self, line: fmt::Arguments<'_>) {
        self.lines.borrow_mut().push(line.to_string());
    }
}

/// A machine with 1.5 GiB of DRAM, two CPUs and a built granule protection table, in memory that is never freed.
pub fn monitor(trace: u64) -> crate::Monitor<'static> {
    use crate::gpt::{Gpi, L0_WORDS, L1_OFFSET, Layout, Tables};
    use crate::psci::{Psci, Start};
    use core::sync::atomic::AtomicU64;
    let layout = Layout::new(0x6000_0000).unwrap();
    let words = |n| (0..n).map(|_| AtomicU64::new(0)).collect::<Vec<_>>().leak();
    let gpt = Tables::new(words(L0_WORDS), words(layout.l1_words()), &layout, Gpi::Realm);
    gpt.build(&layout, abi::map::GPT + L1_OFFSET);
    let psci = Psci::new(2, Start { entry: abi::map::NORMAL_WORLD, context: abi::map::DRAM });
    crate::Monitor::new(gpt, psci, attest(), trace)
}

/// A token of 100 bytes and the key 0x0101…01.
pub fn attest() -> crate::attest::Attest<'static> {
    use p384::ecdsa::{SigningKey, VerifyingKey};
    let token: Vec<u8> = (0..100).collect();
    let private = [1; 48];
    let point = VerifyingKey::from(&SigningKey::from_slice(&private).unwrap()).to_sec1_point(false);
    let coordinate = |from: usize| <[u8; 48]>::try_from(&point.as_bytes()[from..from + 48]).unwrap();
    crate::attest::Attest::new(token.leak(), &private, &coordinate(1), &coordinate(49)).ok().unwrap()
}

/// CPU 0 after the RMM has booted well: the Normal world is about to run.
pub fn booted(hw: &Fake, trace: u64) -> (crate::Monitor<'static>, crate::Core) {
    use crate::{Next, World};
    let monitor = monitor(trace);
    let mut core = crate::Core::new(0);
    core.realm.set(&[u64::from(abi::el3::BOOT_COMPLETE), 0]);
    assert_eq!(monitor.smc(hw, &mut core, World::Realm), Next::Switch(World::Normal));
    (monitor, core)
}
