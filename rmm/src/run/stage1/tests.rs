use super::{Regime, address_size};
use crate::rec::context::RecContext;
use zerocopy::FromZeros;

const TAGGED_LOW: u64 = 0xAA00_0000_0000_0000;
const HIGH: u64 = 0xFFFF_FFFF_FFFF_F000;
const DS: u64 = 1 << 59;

fn regime(tcr: u64, address: u64) -> Option<Regime> {
    let mut context = RecContext::new_zeroed();
    (context.el1.tcr, context.el1.ttbr0, context.el1.ttbr1) = (tcr, 0xF0F0_0000_8000_003F, 0x1234_0000_9000_1061);
    Regime::of(&context, address)
}

fn granule(tcr: u64, address: u64) -> u32 {
    regime(tcr, address).unwrap().granule
}

#[test]
fn bit_55_tells_which_half_an_address_is_in() {
    // T0SZ 25, T1SZ 16, TG0 4 KiB, TG1 64 KiB.
    const TCR: u64 = 25 | 16 << 16 | 3 << 30;
    for (address, base, bits, granule) in [
        (0, 0x8000_0020, 39, 12),
        (TAGGED_LOW, 0x8000_0020, 39, 12),
        (HIGH, 0x9000_1060, 48, 16),
        (1 << 55, 0x9000_1060, 48, 16),
    ] {
        let found = regime(TCR, address).unwrap();
        assert_eq!((found.base, found.bits, found.granule), (base, bits, granule), "{address:#x}");
    }
}

#[test]
fn granules_have_a_code_of_their_own_in_each_half() {
    const OTHER_0: u64 = 3 << 30 | 16 << 16;
    const OTHER_1: u64 = 1 << 14 | 16;
    for (code, size) in [(0, 12), (1, 16), (2, 14)] {
        assert_eq!(granule(code << 14 | 25 | OTHER_0, 0), size, "TG0 {code}");
    }
    for (code, size) in [(1, 14), (2, 12), (3, 16)] {
        assert_eq!(granule(code << 30 | 25 << 16 | OTHER_1, HIGH), size, "TG1 {code}");
    }
}

#[test]
fn widths_that_no_table_resolves_are_no_regime() {
    for (size, is) in [(11, false), (12, true), (51, true), (52, false), (63, false)] {
        assert_eq!(regime(size, 0).is_some(), is, "T0SZ {size}");
        assert_eq!(regime(size << 16, HIGH).is_some(), is, "T1SZ {size}");
    }
}

#[test]
fn first_level_is_that_of_the_architecture() {
    for (code, levels) in [
        (0, [(52, -1), (49, -1), (48, 0), (40, 0), (39, 1), (31, 1), (30, 2), (22, 2), (21, 3)]),
        (2, [(52, 0), (48, 0), (47, 1), (37, 1), (36, 2), (26, 2), (25, 3), (15, 3), (20, 3)]),
        (1, [(52, 1), (48, 1), (43, 1), (42, 2), (30, 2), (29, 3), (17, 3), (25, 3), (32, 2)]),
    ] {
        for (bits, level) in levels {
            assert_eq!(regime(code << 14 | (64 - bits), 0).unwrap().start(), level, "{code} {bits}");
        }
    }
}

#[test]
fn descriptors_are_found_by_the_bits_of_their_level() {
    // Every index of four levels is different, and what lies above the address is no part of the first.
    let address = TAGGED_LOW | 0x11 << 39 | 0x22 << 30 | 0x33 << 21 | 0x44 << 12 | 0xFFF;
    let small = regime(16, address).unwrap();
    assert_eq!([0, 1, 2, 3].map(|level| small.offset(level, address) >> 3), [0x11, 0x22, 0x33, 0x44]);
    let address = HIGH & !0xFFFF_FFFF_FFFF | 0x1F << 42 | 0x222 << 29 | 0x333 << 16 | 0xFFFF;
    let large = regime(3 << 30 | 16 << 16, address).unwrap();
    assert_eq!([1, 2, 3].map(|level| large.offset(level, address)), [0x1F << 3, 0x222 << 3, 0x333 << 3]);
    let address = TAGGED_LOW | 1 << 47 | 0x123 << 36 | 0x234 << 25 | 0x345 << 14;
    let middle = regime(2 << 14 | 16, address).unwrap();
    assert_eq!([0, 1, 2, 3].map(|level| middle.offset(level, address) >> 3), [1, 0x123, 0x234, 0x345]);
}

#[test]
fn addresses_in_descriptors_have_the_form_of_the_granule() {
    // Each bit that may be of an address, in a descriptor by itself: where it goes.
    let goes = |tcr: u64, bit: u32| regime(tcr, 0).unwrap().output(1 << bit);
    for bit in 0..64 {
        let here = |within: bool| if within { 1_u64 << bit } else { 0 };
        assert_eq!(goes(16, bit), here((12..48).contains(&bit)), "4 KiB, {bit}");
        assert_eq!(goes(2 << 14 | 16, bit), here((14..48).contains(&bit)), "16 KiB, {bit}");
        let large = if (12..16).contains(&bit) { 1 << (bit + 36) } else { here((16..48).contains(&bit)) };
        assert_eq!(goes(1 << 14 | 16, bit), large, "64 KiB, {bit}");
        let wide = if (8..10).contains(&bit) { 1 << (bit + 42) } else { here((12..50).contains(&bit)) };
        assert_eq!(goes(DS | 16, bit), wide, "4 KiB of 52 bits, {bit}");
    }
    let all = |tcr| regime(tcr, 0).unwrap().output(u64::MAX);
    assert_eq!([all(16), all(1 << 14 | 16)], [0xFFFF_FFFF_F000, 0xF_FFFF_FFFF_0000]);
    assert_eq!([all(DS | 16), all(DS | 2 << 14 | 16)], [0xF_FFFF_FFFF_F000, 0xF_FFFF_FFFF_C000]);
}

#[test]
fn status_of_an_address_size_fault_has_its_level() {
    assert_eq!([-1, 0, 1, 2, 3].map(address_size), [0x29, 0, 1, 2, 3]);
}
