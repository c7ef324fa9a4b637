//! Commands at random: most fit the state that they meet, some almost, some not at all.

// Named by path: `examples/soak.rs` is another place from which this file is reached.
#[path = "generate/pick.rs"]
mod pick;
#[path = "generate/plan.rs"]
mod plan;
#[path = "generate/single.rs"]
mod single;

use std::collections::VecDeque;

use machine::model::{Model, State};

use crate::command::{Command, Words};
use crate::random::Random;

/// Realms alive at once, unless the host is mad.
const REALMS: usize = 3;
/// Granules that the host keeps.
const KEPT: usize = 10;
/// Width, start level and number of first tables, how often.
const SPACES: [(u64, [u64; 3]); 10] = [
    (5, [32, 1, 1]),
    (4, [32, 2, 4]),
    (2, [33, 1, 1]),
    (2, [34, 2, 16]),
    (2, [40, 0, 1]),
    (2, [40, 1, 2]),
    (1, [41, 1, 4]),
    (1, [43, 1, 16]),
    (1, [48, 0, 1]),
    (1, [33, 2, 8]),
];
/// The same, none of which fits.
const NO_SPACES: [[u64; 3]; 12] = [
    [31, 2, 2],
    [49, 0, 1],
    [39, 0, 1],
    [44, 1, 16],
    [35, 2, 16],
    [32, 2, 1],
    [32, 1, 4],
    [32, 3, 16],
    [48, 0, 0],
    [32, u64::MAX, 1],
    [40, 4, 1],
    [0, 1, 1],
];

/// The page of parameters of a realm that fits.
pub fn plain_realm(rtt_base: u64) -> Words {
    realm([32, 1, 1], 1, rtt_base)
}

/// The page of parameters of a realm.
pub fn realm([width, start, roots]: [u64; 3], vmid: u64, rtt_base: u64) -> Words {
    vec![(0x8, width), (0x18, 1), (0x20, 2), (0x800, vmid), (0x808, rtt_base), (0x810, start), (0x818, roots)]
}

/// Makes commands, one after the other.
pub struct Generator {
    pub random: Random,
    /// What was decided before.
    planned: VecDeque<Command>,
    /// The next place where no program has yet been.
    next_pc: u64,
    /// Whether the first block of 2 MB is kept to be given to a Realm as a whole.
    whole_block: bool,
}

pub fn call(x0: u64, arguments: &[u64]) -> Command {
    let mut x = [0; 6];
    x[0] = x0;
    x[1..=arguments.len()].copy_from_slice(arguments);
    Command::Call { x, page: None }
}

type Make = fn(&mut Generator, &Model) -> Command;

impl Generator {
    pub fn new(seed: u64, whole_block: bool) -> Generator {
        Generator { random: Random(seed), planned: VecDeque::new(), next_pc: 0x1_0000, whole_block }
    }

    /// The next command, given what the model knows.
    pub fn next(&mut self, model: &Model) -> Command {
        if let Some(command) = self.planned.pop_front() {
            return command;
        }
        if self.random.chance(25) && model.recs.values().any(|rec| rec.pending.is_some()) {
            return self.psci_complete(model);
        }
        if self.random.chance(25) && model.recs.values().any(|rec| rec.request.is_some()) {
            return self.set_ripas(model);
        }
        let makes: [(u64, Make); 29] = [
            (if self.count(model, State::Delegated) < 40 { 40 } else { 3 }, Generator::delegate),
            (3, Generator::undelegate),
            (if model.realms.len() < REALMS { 12 } else { 1 }, Generator::realm_create),
            (2, Generator::realm_activate),
            (1, Generator::realm_destroy),
            (14, Generator::rtt_create),
            (5, Generator::rtt_destroy),
            (5, Generator::rtt_fold),
            (3, Generator::rtt_read_entry),
            (6, Generator::map_unprotected),
            (4, Generator::unmap_unprotected),
            (10, Generator::init_ripas),
            (2, Generator::set_ripas),
            (10, Generator::data_create),
            (8, Generator::data_create_unknown),
            (6, Generator::data_destroy),
            (5, Generator::rec_create),
            (1, Generator::rec_destroy),
            (22, Generator::enter),
            (1, Generator::psci_complete),
            (1, Generator::simple),
            (1, Generator::garbage),
            (u64::from(self.random.chance(20)), Generator::map_run),
            (if self.whole_block { 8 } else { 1 }, Generator::fill),
            (1, Generator::drain),
            (2, Generator::fold_up),
            (2, Generator::begin),
            (3, Generator::reach),
            (8, Generator::build),
        ];
        let make = self.random.weighted(&makes);
        let command = make(self, model);
        self.hinted(command)
    }

    /// Now and then with the hint of the host's that it has no SVE state.
    fn hinted(&mut self, mut command: Command) -> Command {
        if let Command::Call { x, .. } = &mut command
            && self.random.chance(2)
        {
            x[0] |= 1 << 16;
        }
        command
    }
}
