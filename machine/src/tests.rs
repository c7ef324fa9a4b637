//! The machine itself: that it forbids, remembers and notices what the stories rely on.

use abi::rmi::fid;
use abi::{GRANULE_U64, map};
use rmm::platform::Scope;
use rmm::rec::context::RealmContext;

use crate::mmu::Tlb;
use crate::{Board, Fault, Machine, World};

const fn granule(number: u64) -> u64 {
    map::RMM_END + number * GRANULE_U64
}

fn delegate(machine: &Machine<'_>, number: u64) {
    assert_eq!(machine.call([fid::GRANULE_DELEGATE.into(), granule(number), 0, 0, 0, 0, 0, 0])[0], 0);
}

#[test]
fn a_delegated_granule_is_the_realm_worlds_alone_and_wiped() {
    let board = Board::new(8);
    let machine = Machine::new(&board);
    let (pa, first) = (granule(3), |page: &mut rmm::platform::Page| page.0[0]);
    board.access(pa, World::Normal, |page| page.0[0] = 7).unwrap();
    assert_eq!(board.access(pa, World::Realm, first), Err(Fault { pa, by: World::Realm }));
    delegate(&machine, 3);
    assert_eq!(board.access(pa, World::Normal, first), Err(Fault { pa, by: World::Normal }));
    assert_eq!(board.access(pa, World::Realm, first), Ok(0));
    assert_eq!(machine.census(), (8, 1));
}

#[test]
fn protection_is_remembered_until_it_is_invalidated() {
    let board = Board::new(8);
    assert_eq!(board.check(granule(1), World::Normal), Ok(()));
    board.tables().delegate(granule(1)).unwrap();
    assert_eq!(board.check(granule(1), World::Normal), Ok(()), "a CPU that was not told uses what it knows");
    board.forget(granule(1));
    assert!(board.check(granule(1), World::Normal).is_err());
}

#[test]
fn addresses_outside_dram_are_nobodys() {
    let board = Board::new(8);
    for pa in [granule(8), map::UART1, map::SECURE_RAM, !0xfff] {
        assert!(board.check(pa, World::Normal).is_err() && board.check(pa, World::Realm).is_err(), "{pa:#x}");
    }
    assert!(board.check(map::RMM, World::Normal).is_err(), "the RMM's own memory is not the host's");
}

#[test]
fn the_digest_sees_words_protection_and_content() {
    let board = Board::new(8);
    let machine = Machine::new(&board);
    let mut seen = vec![machine.digest()];
    assert_eq!(machine.digest(), seen[0]);
    board.access(granule(2), World::Normal, |page| page.0[4095] = 1).unwrap();
    seen.push(machine.digest());
    delegate(&machine, 4);
    seen.push(machine.digest());
    assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);
}

/// A realm of 32 bits whose page 0 is granule 6, through a level 2 table at granule 4 and a level 3 table at granule 5.
fn realm(board: &Board, machine: &Machine<'_>) -> RealmContext {
    (4..7).for_each(|number| delegate(machine, number));
    entry(board, 4, granule(5) | 3);
    entry(board, 5, granule(6) | 3 | 3 << 6);
    RealmContext { vttbr: granule(4) | 1 << 48, vtcr: 32, vector_quadwords: 0, pmu: 0 }
}

fn entry(board: &Board, table: u64, value: u64) {
    board.access(granule(table), World::Realm, |page| page.0[..8].copy_from_slice(&value.to_le_bytes())).unwrap();
}

#[test]
fn translations_are_remembered_until_they_are_invalidated() {
    let board = Board::new(8);
    let machine = Machine::new(&board);
    let (realm, tlb) = (realm(&board, &machine), Tlb::default());
    let translate = |ipa| tlb.translate(&board, &realm, ipa, true).map(|found| found.pa);
    assert_eq!(translate(0x18), Ok(granule(6)));
    entry(&board, 5, 0);
    assert_eq!(translate(0), Ok(granule(6)), "stale");
    tlb.invalidate(&realm, Scope::Range { base: 0x1000, size: 0x1000 });
    tlb.invalidate(&RealmContext { vttbr: granule(4) | 2 << 48, ..realm }, Scope::All);
    assert_eq!(translate(0), Ok(granule(6)), "neither another page's nor another realm's");
    tlb.invalidate(&realm, Scope::Range { base: 0, size: 0x1000 });
    assert_eq!(translate(0), Err(0b100 | 3), "translation fault, level 3");
    assert_eq!(translate(1 << 32), Err(0), "address size fault");
    assert_eq!(translate(0x20_0000), Err(0b100 | 2), "translation fault, level 2");
}

#[test]
fn a_page_that_may_only_be_read_is_not_written() {
    let board = Board::new(8);
    let machine = Machine::new(&board);
    let (realm, tlb) = (realm(&board, &machine), Tlb::default());
    entry(&board, 5, granule(6) | 3 | 1 << 6);
    assert!(tlb.translate(&board, &realm, 0, false).is_ok());
    assert_eq!(tlb.translate(&board, &realm, 0, true).map(|found| found.pa), Err(0b1100 | 3));
}

#[test]
#[should_panic(expected = "leaves the Realm world unwiped")]
fn a_granule_that_is_not_wiped_does_not_leave() {
    let board = Board::new(8);
    let machine = Machine::new(&board);
    delegate(&machine, 4);
    entry(&board, 4, 1);
    machine.call([fid::GRANULE_UNDELEGATE.into(), granule(4), 0, 0, 0, 0, 0, 0]);
}
