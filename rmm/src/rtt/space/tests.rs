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
