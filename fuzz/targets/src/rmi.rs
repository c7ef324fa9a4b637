//! Commands of the host's, structures and all, on the RMM and on the reference model of it.

use machine::Board;

use crate::generate::Generator;
use crate::random::Random;
use crate::selected;
use crate::world::World;

/// Granules of the machine.
pub(crate) const GRANULES: u64 = 96;
/// Most commands of one input: some choices stand for hundreds.
pub(crate) const MOST: usize = 700;

/// Takes one input: the first byte selects how closely the two are compared, each of the others chooses.
///
/// # Panics
/// If the RMM does not answer as its model does, or if their states differ.
pub fn run(input: &[u8]) {
    let Some((selector, choices)) = selected(input) else { return };
    let board = Board::new(GRANULES);
    let mut world = World::new(&board);
    // Every command's effect on all of memory is looked at in one input of eight; at the end it always is.
    world.hasty = selector & 7 != 0;
    let mut generator = Generator::new(u64::from(selector >> 3), false);
    generator.random = Random::of(choices);
    for _ in 0..MOST {
        if generator.random.is_spent() {
            break;
        }
        let command = generator.next(&world.model);
        if let Err(why) = world.apply(&command) {
            panic!("{command:?}: {why}");
        }
    }
    if let Err(why) = world.everything() {
        panic!("at the end: {why}");
    }
}
