//! A host on that machine: builds realms, runs vCPUs, reads what it is told.

use crate::fake::{BASE, Fake};
use abi::rmi::{RealmParams, RecExit, RecParams, RecRun, Status, fid};
use rmm::Rmm;
use rmm::address::Pa;
use rmm::platform::Exit;
use rmm::rec::context::RecContext;
use std::sync::{Arc, Mutex};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// An address in the realm at which everything is built.
pub const RAM: u64 = 0x8000_0000;
/// The first unprotected address.
pub const SHARED: u64 = 1 << 39;

/// Pages of the machine, by number.
pub const fn page(n: u64) -> u64 {
    BASE + n * 4096
}

/// The RD of the realm.
pub const RD: u64 = page(0);
/// Its two root tables, which must be aligned to 8 KiB.
pub const ROOTS: u64 = page(2);
/// Its first table of level 2, for [`RAM`].
pub const L2: u64 = page(4);
/// Its first table of level 3.
pub const L3: u64 = page(5);
/// Its RECs, each followed by two auxiliary granules.
pub const REC: u64 = page(10);
/// A REC after the first.
pub const REC1: u64 = page(13);
/// Pages of data.
pub const DATA: u64 = page(20);
/// Pages to spare, delegated on demand.
pub const SPARE: u64 = page(40);
/// Pages that stay the Normal world's.
pub const NORMAL: u64 = page(80);
/// RmiRecRun.
pub const RUN: u64 = page(90);

pub struct Host {
    pub rmm: Rmm<Fake>,
}

/// Options of a realm, those of the known answers unless changed.
pub struct Options {
    pub hash: u8,
    pub second_rec: bool,
}

impl Host {
    pub fn new() -> Self {
        Self::on(Fake::new())
    }

    pub fn on(machine: Fake) -> Self {
        let rmm = Rmm::new(machine);
        rmm.boot().unwrap();
        Self { rmm }
    }

    pub fn machine(&self) -> &Fake {
        self.rmm.platform()
    }

    /// Calls, and gives x0 to x4.
    pub fn call(&self, function: u32, arguments: &[u64]) -> [u64; 5] {
        let mut registers = [0; 8];
        registers[0] = u64::from(function);
        registers[1..=arguments.len()].copy_from_slice(arguments);
        self.rmm.handle(registers)
    }

    /// Calls, and gives the status.
    pub fn status(&self, function: u32, arguments: &[u64]) -> Status {
        Status::from_word(self.call(function, arguments)[0]).unwrap()
    }

    /// Calls what must succeed.
    #[track_caller]
    pub fn ok(&self, function: u32, arguments: &[u64]) -> [u64; 4] {
        let [status, outputs @ ..] = self.call(function, arguments);
        assert_eq!(Status::from_word(status), Some(Status::Success), "{}", abi::rmi::name(function).unwrap());
        outputs
    }

    /// Calls what must be refused, and sees that it changed nothing.
    #[track_caller]
    pub fn refused(&self, function: u32, arguments: &[u64], status: Status) -> [u64; 4] {
        let before = self.machine().snapshot();
        let [answer, outputs @ ..] = self.call(function, arguments);
        assert_eq!(Status::from_word(answer), Some(status), "{}", abi::rmi::name(function).unwrap());
        assert!(before == self.machine().snapshot(), "a refused command changed something");
        outputs
    }

    pub fn delegate(&self, pages: &[u64]) {
        for &page in pages {
            self.ok(fid::GRANULE_DELEGATE, &[page]);
        }
    }

    pub fn write_normal(&self, pa: u64, bytes: &[u8]) {
        self.machine().normal(Pa::new(pa).unwrap(), |page| page.0[..bytes.len()].copy_from_slice(bytes)).unwrap();
    }

    pub fn realm_params(hash: u8) -> RealmParams {
        let mut params = RealmParams::new_zeroed();
        (params.s2sz, params.num_bps, params.num_wps, params.hash_algo) = (40, 5, 3, hash);
        (params.rtt_base, params.rtt_level_start, params.rtt_num_start) = (ROOTS, 1, 2);
        params.rpv = [9; 64];
        params.vmid = 7;
        params
    }

    pub fn rec_params(index: u64, rec: u64, flags: u64) -> RecParams {
        let mut params = RecParams::new_zeroed();
        (params.flags, params.mpidr, params.pc) = (flags, index, RAM);
        params.gprs[0] = 0x8100_0000;
        params.num_aux = 2;
        params.aux[..2].copy_from_slice(&[rec + 4096, rec + 8192]);
        params
    }

    pub fn create_realm(&self, hash: u8) {
        self.delegate(&[RD, ROOTS, ROOTS + 4096]);
        self.write_normal(NORMAL, Self::realm_params(hash).as_bytes());
        self.ok(fid::REALM_CREATE, &[RD, NORMAL]);
    }

    pub fn create_rec(&self, index: u64, rec: u64, flags: u64) {
        self.delegate(&[rec, rec + 4096, rec + 8192]);
        self.write_normal(NORMAL, Self::rec_params(index, rec, flags).as_bytes());
        self.ok(fid::REC_CREATE, &[RD, rec, NORMAL]);
    }

    /// Builds the realm of the known answers.
    pub fn build(&self, options: &Options) {
        self.create_realm(options.hash);
        self.fill(options);
    }

    /// Makes a host with a realm of other parameters, active, one REC.
    pub fn with_realm_of(change: impl FnOnce(&mut RealmParams)) -> Self {
        let host = Self::new();
        let mut params = Self::realm_params(0);
        change(&mut params);
        host.delegate(&[RD, ROOTS, ROOTS + 4096]);
        host.write_normal(NORMAL, params.as_bytes());
        host.ok(fid::REALM_CREATE, &[RD, NORMAL]);
        host.fill(&Options { hash: 0, second_rec: false });
        host
    }

    /// Puts into a new realm what that of the known answers has.
    fn fill(&self, options: &Options) {
        self.delegate(&[L2, L3, DATA, DATA + 4096]);
        self.ok(fid::RTT_CREATE, &[RD, L2, RAM, 2]);
        assert_eq!(self.ok(fid::RTT_INIT_RIPAS, &[RD, RAM, RAM + 0x20_0000])[0], RAM + 0x20_0000);
        self.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
        let content: [u8; 4096] = std::array::from_fn(|i| i as u8);
        self.write_normal(NORMAL, &content);
        self.ok(fid::DATA_CREATE, &[RD, DATA, RAM, NORMAL, 1]);
        self.ok(fid::DATA_CREATE, &[RD, DATA + 4096, RAM + 4096, NORMAL, 0]);
        self.create_rec(0, REC, 1);
        if options.second_rec {
            self.create_rec(1, REC1, 0);
        }
        self.ok(fid::REALM_ACTIVATE, &[RD]);
    }

    /// Makes a host with the realm of the known answers, active, one REC.
    pub fn with_realm() -> Self {
        let host = Self::new();
        host.build(&Options { hash: 0, second_rec: false });
        host
    }

    /// Gives what the REC's registers are now.
    pub fn context<R>(&self, rec: u64, f: impl FnOnce(&mut RecContext) -> R) -> R {
        self.machine().peek(rec, |page| f(&mut rmm::rec::Rec::of(page).context))
    }

    /// Enters the REC with what `fill` says, and gives status and exit.
    pub fn enter(&self, rec: u64, fill: impl FnOnce(&mut abi::rmi::RecEnter)) -> (Status, RecExit) {
        let mut run = RecRun::new_zeroed();
        fill(&mut run.enter);
        self.write_normal(RUN, run.as_bytes());
        let status = self.status(fid::REC_ENTER, &[rec, RUN]);
        let exit = self.machine().normal(Pa::new(RUN).unwrap(), |page| RecRun::read_from_bytes(&page.0).unwrap().exit);
        (status, exit.unwrap())
    }

    /// Enters the first REC with nothing to say.
    #[track_caller]
    pub fn run(&self) -> RecExit {
        let (status, exit) = self.enter(REC, |_| {});
        assert_eq!(status, Status::Success);
        exit
    }

    /// Has the Realm make a call; its registers after it are found in the result once the vCPU runs on.
    pub fn smc(&self, registers: &[u64]) -> Arc<Mutex<[u64; 31]>> {
        let registers = registers.to_vec();
        self.machine().then(move |context| {
            context.x[..registers.len()].copy_from_slice(&registers);
            sync(0x17 << 26)
        });
        self.result()
    }

    /// Notes the registers at the next run, which an interrupt ends.
    pub fn result(&self) -> Arc<Mutex<[u64; 31]>> {
        let result = Arc::new(Mutex::new([0xDEAD; 31]));
        let seen = Arc::clone(&result);
        self.machine().then(move |context| {
            *seen.lock().unwrap() = context.x;
            Exit::Irq
        });
        result
    }

    /// Has the Realm make a call that is answered at once, and gives its registers.
    #[track_caller]
    pub fn service(&self, registers: &[u64]) -> [u64; 31] {
        let result = self.smc(registers);
        assert_eq!(self.run().exit_reason, abi::rmi::ExitReason::Irq as u8);
        *result.lock().unwrap()
    }
}

/// A synchronous exit without addresses.
pub const fn sync(esr: u64) -> Exit {
    Exit::Sync { esr, far: 0, hpfar: 0 }
}

/// An abort at an intermediate physical address.
pub const fn abort(esr: u64, far: u64, ipa: u64) -> Exit {
    Exit::Sync { esr, far, hpfar: (ipa & !0xFFF) >> 8 }
}
