//! Entries into RECs (RMM 1.0, A4, B4.3.15).

use super::answer::{Conditions, Divergence, INPUT, Outcome, REC, diverge, judge, realm};
use super::gic::Gic;
use super::page::word;
use super::rec::Abort;
use super::rsi::Page;
use super::space::{Ripas, size};
use super::vcpu::{Expected, Next, Reg};
use super::{Entry as TableEntry, GRANULE, Image, Life, Model, NS_ATTRIBUTES, State};
use crate::guest::{Event, Op};

const EMUL_MMIO: u64 = 1;
const INJECT_SEA: u64 = 2;
const TRAP_WFI: u64 = 4;
const RIPAS_RESPONSE: u64 = 16;
const FLAGS_AT: usize = 0;
const GPRS_AT: usize = 0x200;
const EXIT_AT: usize = 0x800;
/// Permissions in a descriptor.
const READ: u64 = 1 << 6;
const WRITE: u64 = 1 << 7;
/// Fault status of a synchronous external abort.
const SEA: u64 = 0x10;

/// Reasons of an exit.
pub(super) mod reason {
    pub const SYNC: u8 = 0;
    pub const IRQ: u8 = 1;
    pub const PSCI: u8 = 3;
    pub const RIPAS_CHANGE: u8 = 4;
    pub const HOST_CALL: u8 = 5;
}

/// An entry, as it went.
pub struct Entry<'e> {
    /// x0 to x7 of the command.
    pub x: [u64; 8],
    /// Whether an interrupt was pending for the CPU all the while.
    pub irq: bool,
    /// What the vCPU's program saw, and what it did then.
    pub seen: &'e [(Event, Op)],
    /// The page of entry and exit after the command.
    pub run: Option<&'e Image>,
}

/// An exit, as it must be.
#[derive(Debug)]
pub struct Exit {
    pub reason: u8,
    pub esr: u64,
    /// Bits of the syndrome that nothing tells.
    pub esr_unknown: u64,
    pub far: u64,
    pub hpfar: u64,
    pub gprs: [Reg; 31],
    pub ripas: [u64; 3],
    pub imm: u64,
}

impl Exit {
    pub fn of(reason: u8) -> Exit {
        let gprs = [Reg::Is(0); 31];
        Exit { reason, esr: 0, esr_unknown: 0, far: 0, hpfar: 0, gprs, ripas: [0; 3], imm: 0 }
    }

    /// A data abort at an address of the Realm's.
    pub fn fault(ipa: u64, level: i64) -> Exit {
        let status = 4 + level.cast_unsigned();
        Exit { esr: 0x24 << 26 | status, hpfar: (ipa & !(GRANULE - 1)) >> 8, ..Exit::of(reason::SYNC) }
    }

    /// An access of eight bytes to the host's memory that the host may answer.
    fn emulatable(ipa: u64, status: u64, store: Option<u64>) -> Exit {
        const ISV: u64 = 1 << 24;
        const DOUBLEWORD: u64 = 3 << 22;
        const SF: u64 = 1 << 15;
        let write = u64::from(store.is_some()) << 6;
        let mut exit = Exit::fault(ipa, 0);
        exit.esr = 0x24 << 26 | ISV | DOUBLEWORD | SF | write | status;
        exit.far = ipa % GRANULE;
        exit.gprs[0] = Reg::Is(store.unwrap_or(0));
        exit
    }
}

/// What an operation comes to.
pub enum Step {
    /// The program goes on.
    Next(Expected),
    /// The REC exits, and goes on so.
    Exit(Box<Exit>, Next),
}

impl Step {
    pub fn exit(exit: Exit, next: Next) -> Step {
        Step::Exit(Box::new(exit), next)
    }
}

impl Model {
    /// Judges an entry into a REC, and does what it does. Gives whether it was entered.
    ///
    /// # Errors
    /// [`Divergence`] where the answer, what the program saw or the exit is none that the specification admits.
    pub fn enter(&mut self, entry: &Entry<'_>, answer: &[u64; 5]) -> Result<bool, Divergence> {
        let [_, rec, run, ..] = entry.x;
        let outcome = self.may_enter(rec, run, answer[0] == 0);
        let entered = outcome.is_ok();
        judge(outcome, &entry.x, answer)?;
        if !entered {
            if !entry.seen.is_empty() {
                diverge!("the REC ran although it was refused: {:x?}", entry.seen);
            }
            return Ok(false);
        }
        let before = self.image(run);
        let exit = self.run(rec, &before, entry)?;
        let Some(after) = entry.run else { diverge!("the page of entry and exit is the Normal world's") };
        if after[..EXIT_AT] != self.image(run)[..EXIT_AT] {
            diverge!("the host's half of the page of entry and exit changed");
        }
        compare(&exit, &Gic::read(&before[..], &self.limits), &after[EXIT_AT..])?;
        self.learn(run, after);
        Ok(true)
    }

    fn may_enter(&self, rec: u64, run: u64, accepted: bool) -> Outcome {
        let mut conditions = Conditions::default();
        conditions.when(!self.is_normal(run), INPUT).when(self.is_not(rec, State::Rec), INPUT).refuse()?;
        let run = self.image(run);
        let target = &self.recs[&rec];
        let flags = word(&run[..], FLAGS_AT);
        let life = self.realms[&target.owner].life;
        let sea = flags & INJECT_SEA != 0;
        conditions
            .when(life == Life::New, realm(0))
            .when(life == Life::SystemOff, realm(1))
            .when(!target.runnable || target.pending.is_some(), REC)
            .when(!Gic::read(&run[..], &self.limits).is_valid(&self.limits), REC)
            .when(flags & EMUL_MMIO != 0 && !sea && target.abort.is_none(), REC)
            .may(sea && target.abort.is_none(), REC)
            .settle(accepted)?;
        Ok(vec![])
    }

    /// Runs the vCPU until it exits.
    fn run(&mut self, rec: u64, run: &Image, entry: &Entry<'_>) -> Result<Exit, Divergence> {
        if let Some(exit) = self.complete(rec, run) {
            if !entry.seen.is_empty() {
                diverge!("the REC ran although a call of the host's could not be answered: {:x?}", entry.seen);
            }
            return Ok(exit);
        }
        let mut seen = entry.seen.iter();
        let trap_wfi = word(&run[..], FLAGS_AT) & TRAP_WFI != 0;
        if entry.irq {
            return self.interrupted(rec, entry.seen);
        }
        let exit = loop {
            let op = self.begin(rec, &mut seen)?;
            match self.step(rec, &op, trap_wfi)? {
                Step::Next(expected) => self.rec(rec).vcpu.next = Next::Event(expected),
                Step::Exit(exit, next) => {
                    self.rec(rec).vcpu.next = next;
                    break *exit;
                }
            }
        };
        match seen.next() {
            Some(more) => diverge!("the REC ran on after it had to exit ({exit:x?}): {more:x?}"),
            None => Ok(exit),
        }
    }

    /// The vCPU's next operation: the program's, or again the one under way.
    fn begin<'s>(&mut self, rec: u64, seen: &mut impl Iterator<Item = &'s (Event, Op)>) -> Result<Op, Divergence> {
        let target = self.rec(rec);
        let expected = match (&target.vcpu.next, &target.vcpu.op) {
            (Next::Replay, Some(op)) => return Ok(op.clone()),
            (Next::Event(expected), _) => expected.clone(),
            (next, _) => diverge!("the REC cannot go on from {next:?}"),
        };
        let Some((event, op)) = seen.next() else { diverge!("the REC exited, and had to go on: {expected:x?}") };
        target.vcpu.accept(&expected, event)?;
        if let (Expected::Token(_), Event::Returned([0, ..])) = (&expected, event) {
            target.token = false;
        }
        target.vcpu.begin(op);
        Ok(op.clone())
    }

    /// An interrupt was pending: the program may have been asked for its next operation, which is not done.
    fn interrupted(&mut self, rec: u64, seen: &[(Event, Op)]) -> Result<Exit, Divergence> {
        if !seen.is_empty() {
            let mut rest = seen.iter();
            self.begin(rec, &mut rest)?;
            self.rec(rec).vcpu.next = Next::Replay;
            if let Some(more) = rest.next() {
                diverge!("the REC ran although an interrupt was pending: {more:x?}");
            }
        }
        Ok(Exit::of(reason::IRQ))
    }

    /// Does what the host has answered to the last exit. Gives the exit if the REC can then not run.
    fn complete(&mut self, rec: u64, run: &Image) -> Option<Exit> {
        let flags = word(&run[..], FLAGS_AT);
        let value = word(&run[..], GPRS_AT);
        let target = self.rec(rec);
        let (abort, request) = (target.abort.take(), target.request.take());
        match (&target.vcpu.next, abort) {
            (Next::Replay, Some(_)) if flags & INJECT_SEA != 0 => {
                target.vcpu.next = Next::Event(Expected::Exception(SEA));
            }
            (Next::Replay, Some(Abort { write: true })) if flags & EMUL_MMIO != 0 => {
                target.vcpu.next = Next::Event(Expected::Stored);
            }
            (Next::Replay, Some(_)) if flags & EMUL_MMIO != 0 => {
                target.vcpu.x[1] = value;
                target.vcpu.next = Next::Event(Expected::Loaded(Reg::Is(value)));
            }
            (Next::Ripas, _) => {
                let request = request?;
                let refused = flags & RIPAS_RESPONSE != 0 && request.ripas == Ripas::Ram && request.addr != request.top;
                let outputs = [Reg::Is(0), Reg::Is(request.addr), Reg::Is(u64::from(refused))];
                target.vcpu.next = Next::Event(target.vcpu.returned(&outputs));
            }
            (Next::HostCall, _) => return self.complete_host_call(rec, run),
            _ => {}
        }
        None
    }

    fn complete_host_call(&mut self, rec: u64, run: &Image) -> Option<Exit> {
        let ipa = self.rec(rec).host_call?;
        let page = self.page(rec, ipa & !(GRANULE - 1));
        match page {
            Page::Fault(exit) => return Some(*exit),
            Page::None => {}
            Page::At(pa) => {
                let offset = ipa % GRANULE;
                (0..31).for_each(|n| self.store(pa, offset + 8 + n * 8, word(&run[..], GPRS_AT + n as usize * 8)));
            }
        }
        let target = self.rec(rec);
        target.host_call = None;
        target.vcpu.next = Next::Event(target.vcpu.returned(&[Reg::Is(0)]));
        None
    }

    fn step(&mut self, rec: u64, op: &Op, trap_wfi: bool) -> Result<Step, Divergence> {
        Ok(match op {
            Op::Smc(_) => self.smc(rec),
            Op::Load { ipa } => self.touch(rec, *ipa, None),
            Op::Store { ipa, value } => self.touch(rec, *ipa, Some(*value)),
            Op::Wfi if trap_wfi => {
                let exit = Exit { esr: 0x01 << 26, ..Exit::of(reason::SYNC) };
                Step::exit(exit, Next::Event(Expected::Woken))
            }
            Op::Wfi => diverge!("this model does not wait"),
        })
    }

    /// An access of eight bytes to memory.
    fn touch(&mut self, rec: u64, ipa: u64, store: Option<u64>) -> Step {
        let owner = self.recs[&rec].owner;
        let space = &self.realms[&owner].space;
        if !space.contains(ipa) {
            return Step::Next(Expected::Exception(0));
        }
        let walk = space.walk(ipa, 3);
        let within = ipa % size(walk.level);
        match space.entry(&walk) {
            TableEntry::Assigned(Ripas::Ram, pa) => Step::Next(self.memory(pa + within, store)),
            TableEntry::Assigned(Ripas::Empty, _) | TableEntry::Unassigned(Ripas::Empty) => {
                Step::Next(Expected::Exception(SEA))
            }
            TableEntry::Assigned(..) | TableEntry::Unassigned(_) | TableEntry::Table => {
                Step::exit(Exit::fault(ipa, walk.level), Next::Replay)
            }
            TableEntry::UnassignedNs => {
                self.rec(rec).abort = Some(Abort { write: store.is_some() });
                let status = 4 + walk.level.cast_unsigned();
                Step::exit(Exit::emulatable(ipa, status, store), Next::Replay)
            }
            TableEntry::AssignedNs(desc) => self.touch_normal(rec, ipa, (desc, within), store),
        }
    }

    /// An access to memory of the host's, by its descriptor.
    fn touch_normal(&mut self, rec: u64, ipa: u64, (desc, within): (u64, u64), store: Option<u64>) -> Step {
        let permitted = desc & (if store.is_some() { WRITE } else { READ }) != 0;
        let at = (desc & !NS_ATTRIBUTES) + within;
        if !permitted {
            self.rec(rec).abort = Some(Abort { write: store.is_some() });
            let exit = Exit { esr_unknown: 0b11, ..Exit::emulatable(ipa, 0b1100, store) };
            return Step::exit(exit, Next::Replay);
        }
        let normal = self.is_normal(at & !(GRANULE - 1)) || self.untracked.contains(&at);
        Step::Next(if normal { self.memory(at, store) } else { Expected::Protected })
    }

    fn memory(&mut self, at: u64, store: Option<u64>) -> Expected {
        let (pa, offset) = (at & !(GRANULE - 1), at % GRANULE);
        match store {
            Some(value) => {
                self.store(pa, offset, value);
                Expected::Stored
            }
            None if self.unknown.contains(&pa) => Expected::Loaded(Reg::Any),
            None => Expected::Loaded(Reg::Is(self.load(pa, offset))),
        }
    }
}

/// Compares an exit with what it must be: each field, and nothing besides.
fn compare(exit: &Exit, gic: &Gic, given: &[u8]) -> Result<(), Divergence> {
    let mut rest = given.to_vec();
    let mut take = |at: usize| {
        let value = word(&rest, at);
        rest[at..at + 8].fill(0);
        value
    };
    let mut wanted = vec![
        (0, u64::from(exit.reason)),
        (0x108, exit.far),
        (0x110, exit.hpfar),
        (0x300, gic.hcr),
        (0x500, exit.ripas[0]),
        (0x508, exit.ripas[1]),
        (0x510, exit.ripas[2]),
        (0x600, exit.imm),
    ];
    wanted.extend((0..).zip(&gic.lrs).map(|(number, lr)| (0x308 + number * 8, *lr)));
    for (at, value) in wanted {
        let found = take(at);
        if found != value {
            diverge!("exit+{at:#x} is {found:#x}, and must be {value:#x} of {exit:x?}");
        }
    }
    let esr = take(0x100);
    if (esr ^ exit.esr) & !exit.esr_unknown != 0 {
        diverge!("exit.esr is {esr:#x}, and must be {:#x} of {exit:x?}", exit.esr);
    }
    for (number, reg) in exit.gprs.iter().enumerate() {
        let found = take(0x200 + number * 8);
        if !reg.admits(found) {
            diverge!("exit.gprs[{number}] is {found:#x}, and must be {reg:x?} of {exit:x?}");
        }
    }
    // The machine's own: maintenance, VMCR, timers.
    for at in [0x388, 0x390, 0x400, 0x408, 0x410, 0x418] {
        take(at);
    }
    match rest.iter().position(|byte| *byte != 0) {
        Some(at) => diverge!("exit+{at:#x} is not zero after {exit:x?}"),
        None => Ok(()),
    }
}
