use super::*;
use crate::check::Step;

fn number(number: usize) -> Id {
    let mut id = [0; SHA256_OUTPUT_LEN];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

fn known(most: usize) -> Known {
    Known::new(NonZeroUsize::new(most).expect("not zero"))
}

const ALWAYS: Window = Window { first: 0, last: u64::MAX };

fn insert(known: &Known, entry: usize) {
    known.insert(number(entry), &[Check::ok(Step::Chain, entry.to_string())], ALWAYS);
}

fn has(known: &Known, entry: usize) -> bool {
    let checks = known.checks(&number(entry), 0);
    checks.is_some_and(|checks| checks[0].found == Some(entry.to_string()))
}

fn lengths(known: &Known) -> (usize, usize) {
    let ring = known.ring.lock().expect("no panic");
    (ring.places.len(), ring.entries.len())
}

#[test]
fn the_bound_holds_and_what_is_used_stays() {
    const MOST: usize = 8;
    let known = known(MOST);
    (0..MOST).for_each(|entry| insert(&known, entry));
    assert_eq!(lengths(&known), (MOST, MOST), "control: all fit");
    (MOST..100).for_each(|entry| {
        assert!(has(&known, 0), "used before each of the others");
        insert(&known, entry);
        assert_eq!(lengths(&known), (MOST, MOST));
    });
    assert!(has(&known, 99) && !has(&known, 1) && !has(&known, 90));
}

#[test]
fn one_place_is_enough_and_the_same_token_takes_no_other() {
    let one = known(1);
    for entry in [3, 3, 4, 3] {
        insert(&one, entry);
        assert!(has(&one, entry));
        assert_eq!(lengths(&one), (1, 1));
    }
    let two = known(2);
    insert(&two, 1);
    insert(&two, 2);
    insert(&two, 1);
    assert!(has(&two, 1) && has(&two, 2));
    assert_eq!(lengths(&two), (2, 2));
}

#[test]
fn nothing_holds_across_a_moment_at_which_validity_changes() {
    let spans = [(10, 20), (15, 40), (0, u64::MAX)];
    let around = |at| Window::around(at, spans.into_iter());
    let window = |first, last| Window { first, last };
    for (at, expected) in [
        (0, window(0, 9)),
        (9, window(0, 9)),
        (10, window(10, 14)),
        (14, window(10, 14)),
        (15, window(15, 20)),
        (20, window(15, 20)),
        (21, window(21, 40)),
        (41, window(41, u64::MAX)),
        (u64::MAX, window(41, u64::MAX)),
    ] {
        assert_eq!(around(at), expected, "at {at}");
    }
    assert_eq!(Window::around(5, std::iter::empty()), ALWAYS);
    let known = known(1);
    known.insert(number(1), &[], around(15));
    for (at, holds) in [(14, false), (15, true), (20, true), (21, false), (16, true)] {
        assert_eq!(known.checks(&number(1), at).is_some(), holds, "at {at}");
    }
}

#[test]
fn a_change_forgets_and_a_copy_keeps_its_own() {
    let mut value = Remembering::<u8>::default();
    assert!(value.known().is_none(), "nothing is remembered unless asked for");
    value.remember(NonZeroUsize::new(4));
    let know = |value: &Remembering<u8>| insert(value.known().expect("remembers"), 1);
    let knows = |value: &Remembering<u8>| has(value.known().expect("remembers"), 1);
    know(&value);
    let copy = value.clone();
    assert!(knows(&value) && knows(&copy));
    *value.change() = 7;
    assert!(*value == 7 && !knows(&value));
    assert!(*copy == 0 && knows(&copy));
    know(&value);
    value.remember(None);
    assert!(value.known().is_none());
}
