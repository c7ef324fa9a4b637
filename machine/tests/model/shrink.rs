//! The shortest list of commands that still fails: pieces are left out, ever smaller ones.

/// Leaves out what is not needed for `fails`.
pub fn shrink<T: Clone>(mut list: Vec<T>, fails: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut piece = list.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let before = list.len();
        while at < list.len() {
            let mut shorter = list.clone();
            shorter.drain(at..(at + piece).min(list.len()));
            if fails(&shorter) { list = shorter } else { at += piece }
        }
        if piece == 1 && list.len() == before {
            return list;
        }
        piece = piece.div_ceil(2).max(1);
    }
}

#[test]
fn only_what_is_needed_is_left() {
    let list: Vec<u32> = (0..1000).collect();
    assert_eq!(shrink(list, |list| list.contains(&17) && list.contains(&901)), [17, 901]);
}
