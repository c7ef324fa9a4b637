//! One boot of a board: calls go from the Normal world to the monitor, to the RMM, and back.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Mutex;

use abi::el3::REQ_COMPLETE;
use abi::smccc;
use host::vmm::pool::Pool;
use monitor::core::Phase;
use monitor::{Core, Next, World};
use rmm::Rmm;

use crate::board::{Board, lock};
use crate::el2::El2;
use crate::guest::Maker;

thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
}

/// The CPU that this thread is.
pub(crate) fn current() -> usize {
    CPU.get()
}

/// A board that has booted.
pub struct Machine<'b> {
    pub(crate) board: &'b Board,
    pub(crate) rmm: Rmm<El2<'b>>,
    pub(crate) pool: Mutex<Pool>,
    pub(crate) sent: Mutex<Vec<(u8, Vec<u8>)>>,
    pub(crate) received: Mutex<VecDeque<(u8, Vec<u8>)>>,
}

impl<'b> Machine<'b> {
    /// Boots the firmware on a board.
    ///
    /// # Panics
    /// If the RMM does not boot.
    #[must_use]
    pub fn new(board: &'b Board) -> Machine<'b> {
        let rmm = Rmm::new(El2::new(board));
        rmm.boot().expect("the RMM gets its key and the platform token");
        let mut pool = Pool::new(board.dram());
        pool.add(board.dram());
        let machine =
            Machine { board, rmm, pool: Mutex::new(pool), sent: Mutex::default(), received: Mutex::default() };
        machine.report_boot();
        machine
    }

    /// The board.
    #[must_use]
    pub fn board(&self) -> &'b Board {
        self.board
    }

    /// Puts a program at an address: a vCPU that starts there runs it.
    pub fn program(&self, entry: u64, make: Maker) {
        lock(&self.rmm.platform().programs).insert(entry, make);
    }

    /// Runs `f` on this thread as CPU `cpu`.
    pub fn on_cpu<R>(&self, cpu: usize, f: impl FnOnce() -> R) -> R {
        let before = CPU.replace(cpu);
        let result = f();
        CPU.set(before);
        result
    }

    /// Makes a call of the Normal world: x0 to x7, and what x0 to x4 then are.
    ///
    /// # Panics
    /// If the monitor does with a call what no call of the Normal world asks for.
    pub fn call(&self, registers: [u64; 8]) -> [u64; 5] {
        let el2 = self.rmm.platform();
        let mut core = Core::new(current());
        core.phase = Phase::Idle;
        core.normal.set(&registers);
        let mut next = el2.monitor.smc(&el2.root, &mut core, World::Normal);
        if next == Next::Switch(World::Realm) {
            let [x0, x1, x2, x3, x4, x5, x6, x7, ..] = core.realm.0;
            let [r0, r1, r2, r3, r4] = self.rmm.handle([x0, x1, x2, x3, x4, x5, x6, x7]);
            core.realm.set(&[REQ_COMPLETE.into(), r0, r1, r2, r3, r4]);
            next = el2.monitor.smc(&el2.root, &mut core, World::Realm);
            assert_eq!(next, Next::Switch(World::Normal), "the RMM's answer does not reach the Normal world");
        } else {
            assert_eq!(next, Next::Same, "{:#x} has another end", registers[0]);
        }
        let [x0, x1, x2, x3, x4, ..] = core.normal.0;
        [x0, x1, x2, x3, x4]
    }

    /// Granules that can be delegated, and those of them that are not Non-secure: counted in the tables themselves.
    #[must_use]
    pub fn census(&self) -> (u64, u64) {
        let [_, granules, not_normal, ..] = self.call([smccc::GPT_CENSUS.into(), 0, 0, 0, 0, 0, 0, 0]);
        (granules, not_normal)
    }

    /// What the host has sent to the outside so far, frame by frame.
    #[must_use]
    pub fn sent(&self) -> Vec<(u8, Vec<u8>)> {
        lock(&self.sent).clone()
    }

    /// Sends bytes from the outside to the host.
    pub fn send(&self, channel: u8, bytes: &[u8]) {
        lock(&self.received).push_back((channel, bytes.to_vec()));
        self.rmm.platform().interrupts.send(0);
    }

    /// The monitor forwards nothing until the RMM has told it of a good boot.
    fn report_boot(&self) {
        let el2 = self.rmm.platform();
        let mut core = Core::new(0);
        core.realm.set(&[abi::el3::BOOT_COMPLETE.into(), 0]);
        let next = el2.monitor.smc(&el2.root, &mut core, World::Realm);
        assert_eq!(next, Next::Switch(World::Normal), "the RMM's boot does not end");
    }
}
