//! What commands take away is gone for the Realm at once: each wipe and each invalidation of the RMM is missed by a test here. The
//! machine helps: its TLB forgets only what it is told to, and nothing is wiped, and no entry replaced, that a TLB still has.

use abi::GRANULE_U64;
use machine::model::{fid, size};
use machine::{Event, Op, World};

use crate::stage::*;

const BASE: u64 = HALF + SIZE_1;
/// Words of [`NORMAL`], as the host has them and as a Realm makes them.
const WORD: u64 = 0x1234;
const OTHER: u64 = 0x4321;

/// What the active realm finds at an address: a word, or that the host or nobody answers.
fn load(stage: &Stage<'_>, ipa: u64) -> Option<u64> {
    assert_eq!(stage.enter(FRESH, &[Op::Load { ipa }])[0], 0);
    stage.seen().into_iter().find_map(|event| match event {
        Event::Loaded(value) => Some(value),
        _ => None,
    })
}

fn ok(stage: &Stage<'_>, x: &[u64]) {
    assert_eq!(stage.call(x)[0], 0, "{x:#x?}");
}

fn is_zero(stage: &Stage<'_>, granule: u64) {
    let zero = stage.machine.board().access(granule, World::Realm, |page| page.0.iter().all(|byte| *byte == 0));
    assert_eq!(zero, Ok(true), "{granule:#x} holds something");
}

/// Puts a word into the page that the active realm and the host share, at [`HALF`].
fn share(stage: &Stage<'_>) {
    stage.write(NORMAL, &vec![(0, WORD)]);
    assert_eq!(load(stage, HALF), Some(WORD));
}

#[test]
fn a_page_that_is_destroyed_is_wiped_and_out_of_reach() {
    let board = board();
    let stage = Stage::new(&board);
    assert_eq!(stage.enter(FRESH, &[Op::Store { ipa: 0, value: WORD }])[0], 0);
    assert_eq!(load(&stage, 0), Some(WORD));
    let [status, data, ..] = stage.call(&[fid::DATA_DESTROY, ACTIVE, 0]);
    assert_eq!(status, 0);
    is_zero(&stage, data);
    assert_eq!(load(&stage, 0), None);
}

#[test]
fn a_page_that_is_not_ram_any_more_is_out_of_reach() {
    let board = board();
    let stage = Stage::new(&board);
    assert_eq!(load(&stage, 0), Some(0));
    const IPA_STATE_SET: u64 = 0xC400_0197;
    assert_eq!(stage.enter(CALLER, &[Op::Smc(vec![IPA_STATE_SET, 0, GRANULE_U64, 0, 0])])[0], 0);
    ok(&stage, &[fid::RTT_SET_RIPAS, ACTIVE, CALLER, 0, GRANULE_U64]);
    assert_eq!(load(&stage, 0), None);
}

#[test]
fn what_the_host_unmaps_is_out_of_reach() {
    let board = board();
    let stage = Stage::new(&board);
    share(&stage);
    ok(&stage, &[fid::RTT_UNMAP_UNPROTECTED, ACTIVE, HALF, 3]);
    assert_eq!(load(&stage, HALF), None);
}

#[test]
fn what_a_destroyed_table_mapped_is_out_of_reach() {
    let board = board();
    let stage = Stage::new(&board);
    share(&stage);
    let [status, table, ..] = stage.call(&[fid::RTT_DESTROY, ACTIVE, HALF, 3]);
    assert_eq!(status, 0);
    is_zero(&stage, table);
    assert_eq!(load(&stage, HALF), None);
}

/// A block of the host's, in which [`NORMAL`] is: `BASE` and a table for what is of level 2 below it.
fn block(stage: &Stage<'_>) -> u64 {
    let inside = NORMAL & (size(2) - 1);
    stage.write(NORMAL, &vec![(0, WORD)]);
    ok(stage, &[fid::RTT_CREATE, ACTIVE, SPARE, BASE, 2]);
    ok(stage, &[fid::RTT_MAP_UNPROTECTED, ACTIVE, BASE, 2, (NORMAL - inside) | ATTRIBUTES]);
    assert_eq!(load(stage, BASE + inside), Some(WORD));
    BASE + inside
}

#[test]
fn a_block_that_becomes_a_table_and_a_block_again_is_forgotten_both_times() {
    let board = board();
    let stage = Stage::new(&board);
    let ipa = block(&stage);
    ok(&stage, &[fid::RTT_CREATE, ACTIVE, SPARES[0], BASE, 3]);
    assert_eq!(load(&stage, ipa), Some(WORD));
    let [status, table, ..] = stage.call(&[fid::RTT_FOLD, ACTIVE, BASE, 3]);
    assert_eq!((status, table), (0, SPARES[0]));
    is_zero(&stage, table);
    assert_eq!(load(&stage, ipa), Some(WORD));
    ok(&stage, &[fid::RTT_UNMAP_UNPROTECTED, ACTIVE, BASE, 2]);
    assert_eq!(load(&stage, ipa), None, "the whole block is forgotten");
}

#[test]
fn nothing_of_a_source_that_faults_stays() {
    let board = board();
    let stage = Stage::new(&board);
    assert_eq!(stage.call(&[fid::DATA_CREATE, NEW, SPARE, 3 * GRANULE_U64, STOLEN, 0])[0], 1);
    is_zero(&stage, SPARE);
}

#[test]
fn nothing_of_a_rec_stays() {
    let board = board();
    let stage = Stage::new(&board);
    assert_eq!(stage.realm_call(&[0xC400_0194, 1, 2, 3, 4, 5, 6, 7])[0], 0, "a token is begun");
    ok(&stage, &[fid::REC_DESTROY, CALLER]);
    (0..=stage.aux).for_each(|number| is_zero(&stage, CALLER + number * GRANULE_U64));
}

/// A realm that dies with a mapping in its first table, and one that gets its VMID and the same granules.
#[test]
fn nothing_of_a_realm_stays() {
    let board = board();
    let stage = Stage::new(&board);
    let (rd, root, rec) = (SPARE, SPARES[0], SPARES[1]);
    let aux: Vec<u64> = SPARES[2..].iter().copied().take(stage.aux as usize).collect();
    stage.write(NORMAL, &vec![(0, WORD)]);
    for (mapped, found) in [(true, Some(OTHER)), (false, None)] {
        let mut words = realm(9, root);
        // 39 bits from level 1 on: the first table maps blocks of 1 GiB.
        words.retain(|(at, _)| ![0x8, 0x810].contains(at));
        words.extend([(0x8, 39), (0x810, 1)]);
        stage.write(PARAMS, &words);
        ok(&stage, &[fid::REALM_CREATE, rd, PARAMS]);
        let half = HALF >> 1;
        let inside = NORMAL & (size(1) - 1);
        if mapped {
            ok(&stage, &[fid::RTT_MAP_UNPROTECTED, rd, half, 1, (NORMAL - inside) | ATTRIBUTES]);
        }
        stage.write(PARAMS, &rec_words(0, true, FRESH, &aux));
        ok(&stage, &[fid::REC_CREATE, rd, rec, PARAMS]);
        ok(&stage, &[fid::REALM_ACTIVATE, rd]);
        stage.write(NORMAL, &vec![(0, OTHER)]);
        assert_eq!(stage.enter(rec, &[Op::Load { ipa: half + inside }])[0], 0);
        let seen = stage.seen().into_iter().find_map(|event| match event {
            Event::Loaded(value) => Some(value),
            _ => None,
        });
        assert_eq!(seen, found);
        ok(&stage, &[fid::REC_DESTROY, rec]);
        ok(&stage, &[fid::REALM_DESTROY, rd]);
        [rd, root].into_iter().for_each(|granule| is_zero(&stage, granule));
    }
}
