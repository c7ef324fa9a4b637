use super::Space;

fn fits(width: u64, limit: u64, start: i64, roots: u64) -> bool {
    Space::new(width, limit, start, roots, 0x4200_0000).is_some()
}

#[test]
fn shapes_are_those_of_the_architecture() {
    for (width, start, roots) in
        [(32, 1, 1), (32, 2, 4), (34, 2, 16), (39, 1, 1), (40, 1, 2), (43, 1, 16), (40, 0, 1), (48, 0, 1)]
    {
        assert!(fits(width, 48, start, roots), "{width} {start} {roots}");
        assert!(!fits(width, width - 1, start, roots), "{width} is wider than what is offered");
        for other in [0, roots - 1, roots + 1, roots * 2, u64::MAX] {
            assert!(!fits(width, 48, start, other), "{width} {start} {other}");
        }
    }
    for (width, start, roots) in
        [(31, 1, 1), (35, 2, 32), (44, 1, 32), (39, 0, 1), (49, 0, 1), (49, 0, 2), (32, 3, 2048), (40, -1, 1)]
    {
        assert!(!fits(width, 52, start, roots), "{width} {start} {roots}");
    }
}

#[test]
fn level_0_is_not_for_narrow_processors() {
    assert!(fits(40, 44, 0, 1));
    assert!(!fits(40, 42, 0, 1));
    assert!(fits(40, 42, 1, 2));
}

#[test]
fn first_tables_are_aligned_to_all_of_them_and_describable() {
    let at = |base| Space::new(34, 48, 2, 16, base).is_some();
    assert!(at(0x4200_0000) && !at(0x4200_8000) && !at(0x4200_0800) && !at(1 << 48));
}

#[test]
fn control_register_of_stage_2_is_put_together_from_the_shape_and_the_processor() {
    let vtcr = |width, start, roots, pa_bits, vmid_bits| {
        Space::new(width, 48, start, roots, 0x4200_0000).unwrap().vtcr(pa_bits, vmid_bits)
    };
    // RES1, NSA, TG0 of 4 KiB; SH0 inner; ORGN0 and IRGN0 write-back.
    let fixed = 1 << 31 | 1 << 30 | 0b11 << 12 | 0b01 << 10 | 0b01 << 8;
    for (pa_bits, ps) in [(32, 0), (36, 1), (40, 2), (42, 3), (44, 4), (48, 5), (52, 5)] {
        assert_eq!(vtcr(40, 1, 2, pa_bits, 8), fixed | ps << 16 | 1 << 6 | 24, "{pa_bits}");
    }
    for (width, start, roots, sl0) in [(48, 0, 1, 2), (39, 1, 1, 1), (32, 2, 4, 0)] {
        assert_eq!(vtcr(width, start, roots, 48, 16), fixed | 1 << 19 | 5 << 16 | sl0 << 6 | (64 - width), "{start}");
    }
}

#[test]
fn first_tables_are_found_side_by_side() {
    let space = Space::new(40, 48, 1, 2, 0x4200_0000).unwrap();
    assert_eq!(space.base(), 0x4200_0000);
    let holds = |address| space.holds_root(address);
    assert!(holds(0x4200_0000) && holds(0x4200_1000) && !holds(0x4200_2000) && !holds(0x41FF_F000));
}
