//! The machine and the model side by side.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use abi::map;
use host::vmm::Normal;
use machine::guest::{Event, Op, Program};
use machine::model::{self, GRANULE, Image, Limits, Model, RecEntry, Walk, fid, size};
use machine::{Board, Machine, World as Side};
use rmm::granule::State;

use crate::command::{Command, Words, name};

/// The first granule that can be delegated.
pub const BASE: u64 = map::RMM_END;
const SUSPEND: u64 = 0xC400_0001;
const RSI_VERSION: u64 = 0xC400_0190;
const CPU_ON: u64 = 0xC400_0003;
const AFFINITY_INFO: u64 = 0xC400_0004;
/// Where a vCPU's first instruction is named in its parameters.
const PC_AT: usize = 0x200;
/// More operations than any entry has.
const TOO_MANY: usize = 500;

/// What the program of every vCPU does, and what it has seen.
#[derive(Default)]
struct Script {
    ops: VecDeque<Op>,
    seen: Vec<(Event, Op)>,
}

type Shared = Arc<Mutex<Script>>;

fn lock(script: &Shared) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program that does what the script says, and then suspends.
struct Scripted(Shared);

impl Program for Scripted {
    fn next(&mut self, event: Event) -> Op {
        let mut script = lock(&self.0);
        assert!(script.seen.len() < TOO_MANY, "the Realm does not exit");
        // The same instruction would fault at the vector again, and not be told from one done again.
        let op = match event {
            Event::Exception { .. } => Some(Op::Smc(vec![RSI_VERSION, 0x1_0000])),
            _ => script.ops.pop_front(),
        };
        let op = op.unwrap_or_else(|| Op::Smc(vec![SUSPEND]));
        script.seen.push((event, op.clone()));
        op
    }
}

fn kind(op: &Op) -> &'static str {
    match op {
        Op::Smc(_) => "smc",
        Op::Load { .. } => "load",
        Op::Store { .. } => "store",
        Op::Wfi => "wfi",
    }
}

/// Both, after the same commands.
pub struct World<'b> {
    pub machine: Machine<'b>,
    pub model: Model,
    script: Shared,
    digest: Option<u64>,
    /// What programs have done, and what came of it.
    pub tally: BTreeMap<(String, u64), u64>,
    /// Whether only answers are compared.
    pub hasty: bool,
}

fn image(words: &Words) -> Image {
    let mut image = Box::new([0; GRANULE as usize]);
    for (at, value) in words {
        image[*at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    image
}

fn state(of: model::State) -> State {
    match of {
        model::State::Undelegated => State::Undelegated,
        model::State::Delegated => State::Delegated,
        model::State::Rd => State::Rd,
        model::State::Rec => State::Rec,
        model::State::RecAux => State::RecAux,
        model::State::Rtt => State::Rtt,
        model::State::Data => State::Data,
    }
}

/// What the software machine's processor has, and what the RMM has chosen.
pub fn limits() -> Limits {
    static LIMITS: OnceLock<Limits> = OnceLock::new();
    *LIMITS.get_or_init(|| {
        let board = Board::new(16);
        let machine = Machine::new(&board);
        let [_, features, ..] = machine.call([fid::FEATURES, 0, 0, 0, 0, 0, 0, 0]);
        let call = |x0, x1, x2| machine.call([x0, x1, x2, 0, 0, 0, 0, 0]);
        for number in 0..2 {
            assert_eq!(call(fid::GRANULE_DELEGATE, BASE + number * GRANULE, 0)[0], 0);
        }
        machine.write(BASE + 2 * GRANULE, &image(&crate::generate::plain_realm(BASE + GRANULE))[..]);
        assert_eq!(call(fid::REALM_CREATE, BASE, BASE + 2 * GRANULE)[0], 0);
        let [status, aux_count, ..] = call(fid::REC_AUX_COUNT, BASE, 0);
        assert!(status == 0 && aux_count <= 16);
        Limits {
            s2sz: 48,
            sve_vl: Some(1),
            pmu_counters: Some(4),
            num_bps: 5,
            num_wps: 3,
            num_lrs: 3,
            max_recs_order: features >> 38 & 0xF,
            vmid_bits: 8,
            aux_count,
            priority_bits: 5,
        }
    })
}

impl<'b> World<'b> {
    pub fn new(board: &'b Board) -> World<'b> {
        let device_tree = map::DRAM..map::DRAM + map::DEVICE_TREE_SIZE;
        World {
            machine: Machine::new(board),
            model: Model::new(limits(), board.dram(), device_tree),
            script: Shared::default(),
            digest: None,
            tally: BTreeMap::new(),
            hasty: false,
        }
    }

    /// Does a command on both.
    ///
    /// # Errors
    /// What differs.
    pub fn apply(&mut self, command: &Command) -> Result<[u64; 5], String> {
        let answer = match command {
            Command::Call { x, page } => {
                if let Some((pa, words)) = page {
                    self.write(*pa, words);
                }
                let [x0, x1, x2, x3, x4, x5] = *x;
                self.call([x0, x1, x2, x3, x4, x5, 0, 0])?
            }
            Command::Enter { rec, run, page, irq, ops } => self.enter([*rec, *run], page, *irq, ops)?,
        };
        if !self.hasty {
            self.granules()?;
        }
        Ok(answer)
    }

    fn write(&mut self, pa: u64, words: &Words) {
        if self.model.is_normal(pa) {
            let image = image(words);
            self.machine.write(pa, &image[..]);
            self.model.learn(pa, &image);
            self.digest = None;
        }
        let starts = words.iter().filter(|(at, _)| *at == PC_AT).map(|(_, pc)| *pc);
        starts.for_each(|pc| self.program(pc));
    }

    fn program(&self, pc: u64) {
        let script = self.script.clone();
        self.machine.program(pc, Box::new(move || Box::new(Scripted(script.clone()))));
    }

    /// Calls the machine; what it finds wrong itself it says by a panic.
    fn raw(&self, x: [u64; 8]) -> Result<[u64; 5], String> {
        catch_unwind(AssertUnwindSafe(|| self.machine.call(x))).map_err(|why| {
            let text = why.downcast_ref::<String>().cloned();
            let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_string()));
            format!("the machine stopped: {}", text.unwrap_or_default())
        })
    }

    fn call(&mut self, x: [u64; 8]) -> Result<[u64; 5], String> {
        let before = self.digest();
        let answer = self.raw(x)?;
        self.model.rmi(&x, &answer).map_err(|why| why.to_string())?;
        self.settle(before, answer[0])?;
        if answer[0] == 0 && !self.hasty {
            self.around(x)?;
        }
        Ok(answer)
    }

    fn digest(&mut self) -> u64 {
        if self.hasty {
            self.digest = None;
            return 0;
        }
        *self.digest.get_or_insert_with(|| self.machine.digest())
    }

    /// A refused command changes nothing.
    fn settle(&mut self, before: u64, status: u64) -> Result<(), String> {
        if status == 0 || self.hasty {
            self.digest = None;
            return Ok(());
        }
        if self.machine.digest() == before { Ok(()) } else { Err(format!("refused with {status:#x}, with effect")) }
    }

    fn enter(&mut self, [rec, run]: [u64; 2], page: &Words, irq: bool, ops: &[Op]) -> Result<[u64; 5], String> {
        self.write(run, page);
        let ops: VecDeque<Op> = ops.iter().map(|op| self.clear(rec, op)).collect();
        for op in &ops {
            if let Op::Smc(x) = op
                && x[0] == CPU_ON
            {
                self.program(x[2]);
            }
        }
        *lock(&self.script) = Script { ops, seen: vec![] };
        let x = [fid::REC_ENTER, rec, run, 0, 0, 0, 0, 0];
        let before = self.digest();
        if irq {
            self.machine.kick(0);
        }
        let answer = self.raw(x);
        self.machine.acknowledge();
        let answer = answer?;
        let seen = std::mem::take(&mut lock(&self.script).seen);
        let after = self.model.is_normal(run).then(|| self.content(run, Side::Normal)).transpose()?;
        let entry = RecEntry { x, irq, seen: &seen, run: after.as_ref() };
        self.model.enter(&entry, &answer).map_err(|why| format!("{why}\n  the program: {seen:x?}"))?;
        self.note(&seen);
        if let Some(after) = after.filter(|_| answer[0] == 0) {
            *self.tally.entry(("  exit".into(), after[0x800].into())).or_default() += 1;
        }
        self.settle(before, answer[0])?;
        for pa in self.model.unknown.clone() {
            let page = self.content(pa, Side::Realm)?;
            self.model.learn(pa, &page);
        }
        Ok(answer)
    }

    fn note(&mut self, seen: &[(Event, Op)]) {
        for pair in seen.windows(2) {
            let key = match (&pair[0].1, &pair[1].0) {
                (Op::Smc(x), Event::Returned(result)) => (format!("  smc {:x}", x[0]), result[0]),
                (op, Event::Exception { esr }) => (format!("  {}", kind(op)), *esr),
                (op, Event::Protected) => (format!("  {} protected", kind(op)), 0),
                (op, _) => (format!("  {}", kind(op)), 0),
            };
            *self.tally.entry(key).or_default() += 1;
        }
    }

    /// An operation, or another in place of one of which the specification does not say what it does.
    fn clear(&self, rec: u64, op: &Op) -> Op {
        match op {
            Op::Smc(x) if [CPU_ON, AFFINITY_INFO].contains(&x[0]) => {
                let unclear = self.model.recs.contains_key(&rec) && self.model.is_unclear(rec, x[1]);
                if unclear { Op::Smc(vec![RSI_VERSION, 0x1_0000]) } else { op.clone() }
            }
            _ => op.clone(),
        }
    }

    fn content(&self, pa: u64, by: Side) -> Result<Image, String> {
        let copy = self.machine.board().access(pa, by, |page| Box::new(page.0));
        copy.map_err(|fault| format!("protection is not as the granule's state says: {fault:x?}"))
    }

    /// Every granule is what the model takes it for.
    fn granules(&self) -> Result<(), String> {
        for (pa, wanted) in &self.model.granules {
            let found = self.machine.state(*pa);
            if found != Some(state(*wanted)) {
                return Err(format!("granule {pa:#x} is {found:?}, and must be {wanted:?}"));
            }
        }
        Ok(())
    }

    /// The entries that a command named, at each level, and the realm's measurement.
    fn around(&mut self, [x0, rd, a, b, ..]: [u64; 8]) -> Result<(), String> {
        let Some(realm) = self.model.realms.get(&rd) else { return Ok(()) };
        let ipa = match x0 {
            fid::DATA_CREATE | fid::DATA_CREATE_UNKNOWN | fid::RTT_CREATE | fid::RTT_SET_RIPAS => b,
            _ => a,
        };
        if realm.space.contains(ipa) {
            for level in realm.space.start..=3 {
                self.entry(rd, ipa / size(level) * size(level), level)?;
            }
        }
        self.measured(rd)
    }

    /// The RIM stands in the RD, wherever that may be.
    fn measured(&self, rd: u64) -> Result<(), String> {
        let rim = self.model.realms[&rd].measurements[0];
        let page = self.content(rd, Side::Realm)?;
        let found = page.windows(rim.len()).any(|bytes| bytes == rim);
        if found { Ok(()) } else { Err(format!("the RIM of {rd:#x} is not the fold of what it was made of")) }
    }

    fn entry(&mut self, rd: u64, ipa: u64, level: i64) -> Result<(), String> {
        let x = [fid::RTT_READ_ENTRY, rd, ipa, level.cast_unsigned(), 0, 0, 0, 0];
        let answer = self.raw(x)?;
        let judged = self.model.rmi(&x, &answer);
        judged.map_err(|why| format!("afterwards {} {:x?} = {answer:x?}: {why}", name(x[0]), &x[1..4]))
    }

    /// Compares all that can be seen: every entry of every table, every measurement, every byte of memory.
    ///
    /// # Errors
    /// What differs.
    pub fn everything(&mut self) -> Result<(), String> {
        let tables = self
            .model
            .realms
            .iter()
            .flat_map(|(rd, realm)| realm.space.tables.keys().map(|(level, base)| (*rd, *level, *base)));
        let tables: Vec<(u64, i64, u64)> = tables.collect();
        for (rd, level, base) in tables {
            for index in 0..512 {
                self.entry(rd, Walk { level, base, index }.first(), level)?;
            }
        }
        for rd in self.model.realms.keys() {
            self.measured(*rd)?;
        }
        self.machine.audit().map_err(|flaw| format!("the RMM's own state: {flaw:x?}"))?;
        self.memory()
    }

    fn memory(&self) -> Result<(), String> {
        for (pa, state) in &self.model.granules {
            let by = match state {
                model::State::Undelegated => Side::Normal,
                model::State::Data | model::State::Delegated => Side::Realm,
                _ => continue,
            };
            if self.content(*pa, by)? != self.model.image(*pa) {
                return Err(format!("the content of {pa:#x} ({state:?}) is not what was written there"));
            }
        }
        Ok(())
    }
}
