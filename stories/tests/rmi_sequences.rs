//! Any sequence of commands: one that is refused changes nothing, no granule is ever in two hands, and at the end every
//! granule comes back.

use std::collections::BTreeMap;
use std::mem::offset_of;

use abi::rmi::{RealmParams, RecExit, RecParams, RecRun, fid};
use abi::{GRANULE_U64, map, psci, rsi};
use host::vmm::{Access, Normal};
use machine::guest::{Event, Op};
use machine::{Board, Machine};
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::{collection, prop_oneof};
use rmm::granule::State;
use zerocopy::{FromZeros, IntoBytes};

/// Granules of the machine; those from [`NORMAL`] on stay the host's.
const GRANULES: u64 = 48;
const NORMAL: u64 = 40;
const SUCCESS: u64 = 0;
/// A space of 32 bits: level 2, four root tables.
const WIDTH: u8 = 32;
const HALF: u64 = 1 << 31;
const ROOTS: u64 = 4;
/// Where the vCPUs' program is.
const ENTRY: u64 = 0x1000;

const fn granule(number: u64) -> u64 {
    map::RMM_END + number * GRANULE_U64
}

/// The host's pages: parameters of two realms that fit and one that does not, of two RECs and one that does not, the page
/// of entries, and a source.
const REALM_PAGES: [u64; 3] = [granule(40), granule(41), granule(42)];
const REC_PAGES: [u64; 3] = [granule(43), granule(44), granule(45)];
const RUN: u64 = granule(46);
const SOURCE: u64 = granule(47);

fn realm_params(roots: u64, vmid: u16, width: u8) -> RealmParams {
    RealmParams {
        s2sz: width,
        num_bps: 1,
        num_wps: 1,
        vmid,
        rtt_base: roots,
        rtt_level_start: 2,
        rtt_num_start: ROOTS as u32,
        ..RealmParams::new_zeroed()
    }
}

fn rec_params(index: u64, aux: [u64; 2]) -> RecParams {
    let mut params = RecParams { flags: 1, mpidr: index, pc: ENTRY, num_aux: 2, ..RecParams::new_zeroed() };
    params.aux[..2].copy_from_slice(&aux);
    params
}

fn prepare(machine: &Machine<'_>) {
    machine.write(REALM_PAGES[0], realm_params(granule(4), 1, WIDTH).as_bytes());
    machine.write(REALM_PAGES[1], realm_params(granule(8), 2, WIDTH).as_bytes());
    machine.write(REALM_PAGES[2], realm_params(granule(8), 1, 31).as_bytes());
    machine.write(REC_PAGES[0], rec_params(0, [granule(20), granule(21)]).as_bytes());
    machine.write(REC_PAGES[1], rec_params(1, [granule(22), granule(23)]).as_bytes());
    machine.write(REC_PAGES[2], rec_params(2, [granule(24), granule(24)]).as_bytes());
    machine.write(SOURCE, &[0xa5; 4096]);
    machine.program(ENTRY, Box::new(|| Box::new(Wanderer(0))));
}

/// A vCPU that touches memory and calls here and there, and now and then certainly exits.
struct Wanderer(usize);

impl machine::Program for Wanderer {
    fn next(&mut self, _: Event) -> Op {
        let smc = |function: u32, arguments: &[u64]| Op::Smc([&[function.into()], arguments].concat());
        self.0 += 1;
        match self.0 % 9 {
            1 => smc(rsi::fid::IPA_STATE_SET, &[0x2000, 0x40_0000, 0, 1]),
            2 => smc(psci::CPU_ON_64, &[1, ENTRY, 0]),
            3 => smc(psci::CPU_SUSPEND_64, &[]),
            4 => smc(rsi::fid::IPA_STATE_SET, &[0, 0x40_0000, 1, 1]),
            5 => Op::Store { ipa: HALF | 0x1000, value: 9 },
            6 => smc(rsi::fid::HOST_CALL, &[0x1000]),
            7 => smc(rsi::fid::REALM_CONFIG, &[0x2000]),
            8 => Op::Store { ipa: 0x20_0000, value: 7 },
            _ => Op::Load { ipa: 0x2000 },
        }
    }
}

/// Function identifier and arguments. [`ASKED`] stands for what the last exit asked for.
type Command = [u64; 6];
/// Stands for base and top of the change of RIPAS that the last exit asked for.
const ASKED: u64 = 0xA5ED;

fn rd() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 0..1u64, 4 => 1..2u64, 1 => 0..GRANULES].prop_map(granule)
}

fn rec() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 16..18u64, 1 => 0..GRANULES].prop_map(granule)
}

fn address() -> impl Strategy<Value = u64> {
    prop_oneof![
        16 => (24..32u64).prop_map(granule),
        8 => (0..GRANULES).prop_map(granule),
        1 => (0..GRANULES).prop_map(|number| granule(number) + 8),
        1 => prop_oneof![0..1u64, map::UART1..map::UART1 + 1, map::RMM..map::RMM + 1, u64::MAX..=u64::MAX],
    ]
}

fn ipa() -> impl Strategy<Value = u64> {
    let few = |pages: &'static [u64]| (0..pages.len()).prop_map(move |index| pages[index]);
    prop_oneof![
        12 => few(&[0, 0x1000, 0x2000, 0x20_0000, 0x20_1000]),
        3 => few(&[HALF, HALF | 0x1000, HALF | 0x20_0000]),
        1 => few(&[0x800, 0x4000_0000, HALF - 0x1000, 1 << 32, (1 << 32) - 0x1000, !0xFFF]),
    ]
}

fn shared() -> impl Strategy<Value = u64> {
    prop_oneof![4 => HALF..=HALF, 2 => (HALF | 0x1000)..=(HALF | 0x1000), 1 => ipa()]
}

fn top() -> impl Strategy<Value = u64> {
    (ipa(), 0..4usize).prop_map(|(ipa, which)| ipa.wrapping_add([0, 0x1000, 0x20_0000, 0x40_0000][which]))
}

fn level() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 3..4u64, 3 => 2..3u64, 1 => 0..2u64, 1 => 4..6u64, 1 => u64::MAX..=u64::MAX]
}

fn command() -> impl Strategy<Value = Command> {
    let one = |function: u32| move |a: u64| [function.into(), a, 0, 0, 0, 0];
    let two = |function: u32| move |(a, b): (u64, u64)| [function.into(), a, b, 0, 0, 0];
    let three = |function: u32| move |(a, b, c): (u64, u64, u64)| [function.into(), a, b, c, 0, 0];
    let four = |function: u32| move |(a, b, c, d): (u64, u64, u64, u64)| [function.into(), a, b, c, d, 0];
    let page =
        |pages: [u64; 3]| prop_oneof![8 => 0..1usize, 6 => 1..2usize, 1 => 2..3usize].prop_map(move |n| pages[n]);
    let building = prop_oneof![
        2 => (rd(), prop_oneof![9 => page(REALM_PAGES), 1 => address()]).prop_map(two(fid::REALM_CREATE)),
        1 => rd().prop_map(one(fid::REALM_ACTIVATE)),
        3 => (rd(), rec(), page(REC_PAGES)).prop_map(three(fid::REC_CREATE)),
        5 => (rd(), address(), ipa(), level()).prop_map(four(fid::RTT_CREATE)),
        2 => (rd(), ipa(), top()).prop_map(three(fid::RTT_INIT_RIPAS)),
        3 => (rd(), address(), ipa(), prop_oneof![9 => SOURCE..=SOURCE, 1 => address()], 0..3u64)
            .prop_map(|(a, b, c, d, e)| [fid::DATA_CREATE.into(), a, b, c, d, e]),
        3 => (rd(), address(), ipa()).prop_map(three(fid::DATA_CREATE_UNKNOWN)),
        2 => (rd(), shared(), level(), prop_oneof![5 => (SOURCE | 0xd8)..=(SOURCE | 0xd8), 1 => any::<u64>()])
            .prop_map(four(fid::RTT_MAP_UNPROTECTED)),
    ];
    let running = prop_oneof![
        6 => (rec(), prop_oneof![9 => RUN..=RUN, 1 => address()]).prop_map(two(fid::REC_ENTER)),
        2 => (rd(), rec(), ipa(), top()).prop_map(four(fid::RTT_SET_RIPAS)),
        3 => (rd(), rec()).prop_map(|(rd, rec)| [fid::RTT_SET_RIPAS.into(), rd, rec, ASKED, ASKED, 0]),
        2 => (rec(), rec(), prop_oneof![3 => 0..1u64, 1 => any::<u64>()]).prop_map(three(fid::PSCI_COMPLETE)),
        1 => (rd(), ipa(), level()).prop_map(three(fid::RTT_READ_ENTRY)),
        1 => rd().prop_map(one(fid::REC_AUX_COUNT)),
    ];
    let taking = prop_oneof![
        1 => rd().prop_map(one(fid::REALM_DESTROY)),
        1 => rec().prop_map(one(fid::REC_DESTROY)),
        2 => (rd(), ipa()).prop_map(two(fid::DATA_DESTROY)),
        1 => (rd(), ipa(), level()).prop_map(three(fid::RTT_DESTROY)),
        1 => (rd(), ipa(), level()).prop_map(three(fid::RTT_FOLD)),
        3 => (rd(), shared(), level()).prop_map(three(fid::RTT_UNMAP_UNPROTECTED)),
        2 => address().prop_map(one(fid::GRANULE_DELEGATE)),
        1 => address().prop_map(one(fid::GRANULE_UNDELEGATE)),
    ];
    let wild = any::<[u64; 6]>().prop_map(|[f, a, b, c, d, e]| [0xC400_0150 + f % 64, a, b, c, d, e]);
    prop_oneof![12 => building, 12 => running, 4 => taking, 1 => wild]
}

/// Who has which granule, from what commands have answered alone.
struct Hands {
    states: BTreeMap<u64, State>,
    roots: BTreeMap<u64, u64>,
    recs: BTreeMap<u64, (u64, [u64; 2])>,
    data: BTreeMap<(u64, u64), u64>,
    tables: BTreeMap<(u64, u64, u64), u64>,
}

impl Hands {
    fn new() -> Hands {
        let states = (0..GRANULES).map(|number| (granule(number), State::Undelegated)).collect();
        Hands { states, roots: BTreeMap::new(), recs: BTreeMap::new(), data: BTreeMap::new(), tables: BTreeMap::new() }
    }

    /// A granule goes from one state to another: it must have been in the first.
    fn pass(&mut self, pa: u64, from: State, to: State) {
        let state = self.states.get_mut(&pa).unwrap_or_else(|| panic!("{pa:#x} is no granule of DRAM"));
        assert_eq!(*state, from, "granule {pa:#x} was in another hand");
        *state = to;
    }

    /// What a command that succeeded means.
    fn follow(&mut self, command: &Command, answer: &[u64; 5]) {
        let [_, a, b, c, d, _] = *command;
        let freed = answer[1];
        match command[0] as u32 {
            fid::GRANULE_DELEGATE => self.pass(a, State::Undelegated, State::Delegated),
            fid::GRANULE_UNDELEGATE => self.pass(a, State::Delegated, State::Undelegated),
            fid::REALM_CREATE => {
                let roots = if b == REALM_PAGES[0] { granule(4) } else { granule(8) };
                self.pass(a, State::Delegated, State::Rd);
                self.roots(roots, State::Delegated, State::Rtt);
                self.roots.insert(a, roots);
            }
            fid::REALM_DESTROY => {
                self.pass(a, State::Rd, State::Delegated);
                let roots = self.roots.remove(&a).expect("a realm has roots");
                self.roots(roots, State::Rtt, State::Delegated);
            }
            fid::REC_CREATE => {
                let aux = if c == REC_PAGES[0] { [granule(20), granule(21)] } else { [granule(22), granule(23)] };
                self.pass(b, State::Delegated, State::Rec);
                aux.into_iter().for_each(|pa| self.pass(pa, State::Delegated, State::RecAux));
                self.recs.insert(b, (a, aux));
            }
            fid::REC_DESTROY => {
                self.pass(a, State::Rec, State::Delegated);
                let (_, aux) = self.recs.remove(&a).expect("a REC has parts");
                aux.into_iter().for_each(|pa| self.pass(pa, State::RecAux, State::Delegated));
            }
            fid::DATA_CREATE | fid::DATA_CREATE_UNKNOWN => {
                self.pass(b, State::Delegated, State::Data);
                assert_eq!(self.data.insert((a, c), b), None, "two pages at {c:#x}");
            }
            fid::DATA_DESTROY => {
                self.pass(freed, State::Data, State::Delegated);
                assert_eq!(self.data.remove(&(a, b)), Some(freed));
            }
            fid::RTT_CREATE => {
                self.pass(b, State::Delegated, State::Rtt);
                assert_eq!(self.tables.insert((a, d, c), b), None, "two tables at {c:#x}");
            }
            fid::RTT_DESTROY | fid::RTT_FOLD => {
                self.pass(freed, State::Rtt, State::Delegated);
                assert_eq!(self.tables.remove(&(a, c, b)), Some(freed));
            }
            _ => {}
        }
    }

    fn roots(&mut self, first: u64, from: State, to: State) {
        (0..ROOTS).for_each(|n| self.pass(first + n * GRANULE_U64, from, to));
    }

    fn check(&self, machine: &Machine<'_>) {
        for (pa, state) in &self.states {
            assert_eq!(machine.state(*pa), Some(*state), "granule {pa:#x}");
        }
        let delegated = self.states.values().filter(|state| **state != State::Undelegated).count();
        assert_eq!(machine.census(), (GRANULES, delegated as u64), "the granule table agrees");
    }
}

fn do_command(machine: &Machine<'_>, hands: &mut Hands, command: &Command) -> [u64; 5] {
    let [x0, x1, x2, mut x3, mut x4, x5] = *command;
    if (x3, x4) == (ASKED, ASKED) && machine.probe(Access::Read, RUN).is_none() {
        let asked = |field| machine.load(RUN + (offset_of!(RecRun, exit) + field) as u64);
        (x3, x4) = (asked(offset_of!(RecExit, ripas_base)), asked(offset_of!(RecExit, ripas_top)));
    }
    let before = machine.digest();
    let answer = machine.call([x0, x1, x2, x3, x4, x5, 0, 0]);
    if answer[0] == SUCCESS {
        hands.follow(command, &answer);
    } else {
        assert_eq!(machine.digest(), before, "{command:x?} was refused ({:#x}) and changed something", answer[0]);
    }
    hands.check(machine);
    answer
}

fn must(machine: &Machine<'_>, hands: &mut Hands, command: &[u64]) {
    let mut registers = [0; 6];
    registers[..command.len()].copy_from_slice(command);
    let answer = do_command(machine, hands, &registers);
    assert_eq!(answer[0], SUCCESS, "{command:x?}");
}

/// The first `depth` steps of a good life: a realm, its memory, its vCPUs, its activation.
fn begin(machine: &Machine<'_>, hands: &mut Hands, depth: usize) {
    let (rd, free) = (granule(0), |n: u64| granule(28 + n));
    let table = |n, ipa| vec![fid::RTT_CREATE.into(), rd, free(n), ipa, 3];
    let rec = |n: u64| vec![fid::REC_CREATE.into(), rd, granule(16 + n), REC_PAGES[n as usize]];
    let steps: [Vec<u64>; 9] = [
        vec![fid::REALM_CREATE.into(), rd, REALM_PAGES[0]],
        vec![fid::RTT_INIT_RIPAS.into(), rd, 0, 0x40_0000],
        table(0, 0),
        table(1, HALF),
        vec![fid::DATA_CREATE.into(), rd, free(2), 0x2000, SOURCE, 1],
        rec(0),
        rec(1),
        vec![fid::REALM_ACTIVATE.into(), rd],
        vec![fid::REC_ENTER.into(), granule(16), RUN],
    ];
    steps.iter().take(depth).for_each(|step| must(machine, hands, step));
}

/// Takes everything down in the one order that works: data, tables from the lowest, RECs, realms, granules.
fn take_down(machine: &Machine<'_>, hands: &mut Hands) {
    for (rd, ipa) in hands.data.keys().copied().collect::<Vec<_>>() {
        must(machine, hands, &[fid::DATA_DESTROY.into(), rd, ipa]);
    }
    for (rd, level, ipa) in hands.tables.keys().rev().copied().collect::<Vec<_>>() {
        must(machine, hands, &[fid::RTT_DESTROY.into(), rd, ipa, level]);
    }
    for rec in hands.recs.keys().copied().collect::<Vec<_>>() {
        must(machine, hands, &[fid::REC_DESTROY.into(), rec]);
    }
    for rd in hands.roots.keys().copied().collect::<Vec<_>>() {
        must(machine, hands, &[fid::REALM_DESTROY.into(), rd]);
    }
    for number in 0..GRANULES {
        if hands.states[&granule(number)] != State::Undelegated {
            must(machine, hands, &[fid::GRANULE_UNDELEGATE.into(), granule(number)]);
        }
    }
    assert_eq!(machine.census(), (GRANULES, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn refused_commands_change_nothing_and_granules_are_in_one_hand(
        depth in 0..10usize,
        commands in collection::vec(command(), 1..200),
    ) {
        let board = Board::new(GRANULES);
        let machine = Machine::new(&board);
        prepare(&machine);
        let mut hands = Hands::new();
        for number in 0..NORMAL {
            must(&machine, &mut hands, &[fid::GRANULE_DELEGATE.into(), granule(number)]);
        }
        begin(&machine, &mut hands, depth);
        for command in &commands {
            do_command(&machine, &mut hands, command);
        }
        take_down(&machine, &mut hands);
    }
}
