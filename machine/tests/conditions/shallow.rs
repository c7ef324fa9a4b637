//! Levels that a realm has no tables of, as its first are of level 2: the other realms here begin at level 0, where no level is left
//! out.

use machine::model::{GRANULE, fid};

use crate::stage::*;

const INPUT: u64 = 1;
const RD: u64 = SPARE;
/// Four tables side by side.
const ROOTS: u64 = SPARES[3];
const TABLE: u64 = SPARES[0];
const MIDDLE: u64 = 1 << 31;

fn shallow(stage: &Stage<'_>) {
    let mut words = realm(9, ROOTS);
    words.retain(|(at, _)| ![0x8, 0x810, 0x818].contains(at));
    words.extend([(0x8, 32), (0x810, 2), (0x818, 4)]);
    assert_eq!(ROOTS % (4 * GRANULE), 0);
    stage.write(PARAMS, &words);
    assert_eq!(stage.call(&[fid::REALM_CREATE, RD, PARAMS])[0], 0);
}

/// A command, its level put in where it belongs.
fn with_level(name: u64, level: u64) -> Vec<u64> {
    match name {
        fid::RTT_CREATE => vec![name, RD, TABLE, 0, level],
        fid::RTT_DESTROY | fid::RTT_FOLD | fid::RTT_READ_ENTRY => vec![name, RD, 0, level],
        fid::RTT_UNMAP_UNPROTECTED => vec![name, RD, MIDDLE, level],
        _ => vec![name, RD, MIDDLE, level, ATTRIBUTES],
    }
}

#[test]
fn a_level_above_the_first_tables_is_refused_as_input() {
    let board = board();
    let stage = Stage::new(&board);
    shallow(&stage);
    let below = [fid::RTT_CREATE, fid::RTT_FOLD, fid::RTT_CREATE, fid::RTT_DESTROY].map(|name| (name, 3));
    let at = [fid::RTT_READ_ENTRY, fid::RTT_MAP_UNPROTECTED, fid::RTT_UNMAP_UNPROTECTED].map(|name| (name, 2));
    for (name, least) in below.into_iter().chain(at) {
        for level in 0..least {
            let before = stage.machine.digest();
            let call = with_level(name, level);
            assert_eq!(stage.call(&call), [INPUT, 0, 0, 0, kept_x4(&call)], "{name:#x} of level {level}");
            assert_eq!(stage.machine.digest(), before, "{name:#x} of level {level} has an effect");
        }
        assert_eq!(stage.call(&with_level(name, least))[0], 0, "the control of {name:#x}");
    }
}
