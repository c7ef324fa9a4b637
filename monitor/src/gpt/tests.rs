extern crate std;

use super::{Before, GPCCR_OFF, GPCCR_ON, Gpi, L0_WORDS, L1_OFFSET, L1_WORDS, Layout, Tables, stale};
use abi::el3::Status;
use abi::map;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use std::vec::Vec;

const DRAM_SIZE: u64 = 0x6000_0000;
const FREE: u64 = 0x4300_0000;

/// Memory for tables, filled with what a careless builder would leave.
struct Memory(Vec<AtomicU64>, Vec<AtomicU64>, Layout);

impl Memory {
    fn new() -> Memory {
        let layout = Layout::new(DRAM_SIZE).unwrap();
        let words = |n| (0..n).map(|_| AtomicU64::new(0x7777_7777_7777_7777)).collect();
        Memory(words(L0_WORDS), words(layout.l1_words()), layout)
    }

    fn tables(&self) -> Tables<'_> {
        Tables::new(&self.0, &self.1, &self.2, Gpi::Realm)
    }

    fn built(&self) -> Tables<'_> {
        let tables = self.tables();
        tables.build(&self.2, map::GPT + L1_OFFSET);
        tables
    }
}

#[test]
fn layout_gives_every_region_of_the_memory_map_to_its_owner() {
    let memory = Memory::new();
    let tables = memory.built();
    let owners = [
        (0, Gpi::Root),
        (0x03ff_f000, Gpi::Root),
        (0x0400_0000, Gpi::Any),
        (map::GICD, Gpi::Any),
        (map::UART0, Gpi::Any),
        (map::UART1, Gpi::Root),
        (map::UART1 + 0x1000, Gpi::Any),
        (map::SECURE_GPIO, Gpi::Root),
        (map::SECURE_RAM, Gpi::Root),
        (0x0eff_f000, Gpi::Root),
        (0x1000_0000, Gpi::Any),
        (map::DRAM, Gpi::NonSecure),
        (map::RMM, Gpi::Realm),
        (map::RMM_SHARED, Gpi::Realm),
        (map::RMM_END, Gpi::NonSecure),
        (map::DRAM + DRAM_SIZE - 0x1000, Gpi::NonSecure),
        (map::DRAM + DRAM_SIZE, Gpi::None),
        (0xbfff_f000, Gpi::None),
    ];
    for (pa, gpi) in owners {
        assert_eq!(tables.gpi(pa), Some(gpi), "{pa:#x}");
    }
    assert_eq!(tables.gpi(0xc000_0000), None);
}

#[test]
fn level_0_points_to_the_tables_of_dram_and_opens_the_rest() {
    let memory = Memory::new();
    memory.built();
    let l0 = |n: usize| memory.0[n].load(Ordering::Relaxed);
    assert_eq!(l0(0), 0x0e22_0003);
    assert_eq!(l0(2), 0x0e26_0003);
    assert_eq!(l0(3), 0xf1);
    assert_eq!(l0(1023), 0xf1);
    assert_eq!(memory.1.len(), 3 * L1_WORDS);
}

#[test]
fn layout_refuses_dram_that_does_not_hold_the_rmm_or_has_no_room_in_the_tables() {
    assert!(Layout::new(map::RMM_END - map::DRAM).is_none());
    assert!(Layout::new(64 << 30).is_some());
    assert!(Layout::new(128 << 30).is_none());
    assert!(Layout::new(u64::MAX).is_none());
}

#[test]
fn delegation_moves_one_granule_there_and_back_and_no_neighbour() {
    let memory = Memory::new();
    let tables = memory.built();
    assert_eq!(tables.delegate(FREE), Ok(()));
    assert_eq!(tables.gpi(FREE), Some(Gpi::Realm));
    assert_eq!(tables.gpi(FREE + 0x1000), Some(Gpi::NonSecure));
    assert_eq!(tables.gpi(FREE - 0x1000), Some(Gpi::NonSecure));
    assert_eq!(tables.undelegate(FREE), Ok(()));
    assert_eq!(tables.gpi(FREE), Some(Gpi::NonSecure));
}

#[test]
fn delegation_refuses_wrong_states_and_wrong_addresses_and_changes_nothing() {
    let memory = Memory::new();
    let tables = memory.built();
    tables.delegate(FREE).unwrap();
    let before: Vec<u64> = memory.1.iter().map(|word| word.load(Ordering::Relaxed)).collect();
    assert_eq!(tables.delegate(FREE), Err(Status::BadPas));
    assert_eq!(tables.undelegate(FREE + 0x1000), Err(Status::BadPas));
    let firmware_or_nothing = [
        FREE + 1,
        0,
        map::UART0,
        map::SECURE_RAM,
        map::DRAM,
        map::RMM,
        map::RMM_SHARED,
        map::DRAM + DRAM_SIZE,
        1 << 40,
        !0xfff,
    ];
    for pa in firmware_or_nothing {
        assert_eq!(tables.delegate(pa), Err(Status::BadAddress), "{pa:#x}");
        assert_eq!(tables.undelegate(pa), Err(Status::BadAddress), "{pa:#x}");
    }
    let after: Vec<u64> = memory.1.iter().map(|word| word.load(Ordering::Relaxed)).collect();
    assert_eq!(before, after);
}

#[test]
fn every_owner_that_the_hardware_knows_is_read_and_no_other() {
    let memory = Memory::new();
    let tables = memory.built();
    let known =
        [(0, Gpi::None), (8, Gpi::Secure), (9, Gpi::NonSecure), (10, Gpi::Root), (11, Gpi::Realm), (15, Gpi::Any)];
    for code in 0..16 {
        // The third of sixteen; its neighbours are another's.
        memory.1[(FREE >> 16) as usize].store(0x9999_9999_9999_9099 | code << 8, Ordering::Relaxed);
        let owner = known.iter().find(|(known, _)| *known == code).map(|(_, owner)| *owner);
        assert_eq!(tables.gpi(FREE + 0x2000), owner, "{code}");
        assert_eq!(tables.gpi(FREE + 0x1000), Some(Gpi::NonSecure));
    }
}

#[test]
fn control_register_says_what_the_tables_are() {
    // PPS 40 bits, IRGN and ORGN write-back, SH inner, PGS 4 KiB; GPC.
    let fields = [(0, 0b010), (8, 0b01), (10, 0b01), (12, 0b11), (14, 0b00)];
    assert_eq!(GPCCR_OFF, fields.iter().map(|(at, value)| value << at).sum::<u64>());
    assert_eq!(GPCCR_ON, GPCCR_OFF + (1 << 16));
}

#[test]
fn census_counts_what_the_tables_say() {
    let memory = Memory::new();
    let tables = memory.built();
    let all = (map::DRAM + DRAM_SIZE - map::RMM_END) / 4096;
    assert_eq!(tables.census(), (all, 0));
    tables.delegate(FREE).unwrap();
    tables.delegate(map::DRAM + DRAM_SIZE - 0x1000).unwrap();
    assert_eq!(tables.census(), (all, 2));
}

#[test]
fn cpus_that_change_granules_of_one_word_at_once_lose_no_update() {
    let memory = Memory::new();
    let tables = memory.built();
    std::thread::scope(|scope| {
        for cpu in 0..4 {
            scope.spawn(move || {
                let pa = FREE + cpu * 0x1000;
                for _ in 0..1000 {
                    tables.delegate(pa).unwrap();
                    tables.undelegate(pa).unwrap();
                }
                tables.delegate(pa).unwrap();
            });
        }
    });
    let word = memory.1[(FREE >> 16) as usize].load(Ordering::Relaxed);
    assert_eq!(word, 0x9999_9999_9999_bbbb);
}

fn wiped(tables: &Tables<'_>, before: Before) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    stale(tables, before, map::RMM..map::RMM + 0x1234, |range| ranges.push(range));
    ranges
}

#[test]
fn after_a_reset_what_was_not_normal_is_wiped_but_for_the_new_rmm() {
    let memory = Memory::new();
    let tables = memory.built();
    let own = map::RMM + 0x1234..map::RMM_END;
    assert_eq!(wiped(&tables, Before::Recorded), core::slice::from_ref(&own));
    for pa in [FREE, FREE + 0x1000, map::NORMAL_WORLD, map::DRAM + DRAM_SIZE - 0x1000] {
        tables.delegate(pa).unwrap();
    }
    let last = map::DRAM + DRAM_SIZE;
    let expected = [own, FREE..FREE + 0x2000, map::NORMAL_WORLD..map::NORMAL_WORLD + 0x1000, last - 0x1000..last];
    assert_eq!(wiped(&tables, Before::Recorded), expected);
}

#[test]
fn a_corrupt_entry_in_the_record_is_wiped_too() {
    let memory = Memory::new();
    let tables = memory.built();
    memory.1[(FREE >> 16) as usize].store(0x9999_9999_9999_9997, Ordering::Relaxed);
    assert!(wiped(&tables, Before::Recorded).contains(&(FREE..FREE + 0x1000)));
}

#[test]
fn without_a_record_all_but_what_was_just_loaded_is_wiped() {
    let memory = Memory::new();
    let expected = [map::RMM + 0x1234..0x4200_0000, 0x4201_0000..0x6000_0000, 0x6340_0000..map::DRAM + DRAM_SIZE];
    assert_eq!(wiped(&memory.tables(), Before::Unknown), expected);
}

#[test]
fn a_machine_that_was_just_switched_on_has_nothing_to_wipe() {
    assert!(wiped(&Memory::new().tables(), Before::Switched).is_empty());
}

#[test]
fn an_rmm_that_fills_its_place_leaves_nothing_there_to_wipe() {
    let memory = Memory::new();
    let tables = memory.built();
    stale(&tables, Before::Recorded, map::RMM..map::RMM_END, |range| panic!("{range:x?}"));
}

#[test]
fn dram_may_end_within_a_word_of_the_tables() {
    let mut memory = Memory::new();
    memory.2 = Layout::new(DRAM_SIZE - 0xd000).unwrap();
    let tables = memory.built();
    let end = map::DRAM + DRAM_SIZE - 0xd000;
    assert_eq!([3, 2, 1].map(|n| tables.gpi(end - n * 0x1000)), [Some(Gpi::NonSecure); 3]);
    assert!((0..0x10).all(|n| tables.gpi(end + n * 0x1000) == Some(Gpi::None)));
}
