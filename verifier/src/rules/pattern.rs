//! Patterns for names and lines.

/// Says whether the whole of `text` is like `pattern`, in which `*` stands for any run of characters.
#[must_use]
pub fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut next) = (0, 0);
    // Where to go on if what follows the last star does not fit: the star, and how much of the text it has taken.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(at) {
        match pattern.get(next) {
            Some(b'*') => {
                retry = Some((next, at));
                next += 1;
            }
            Some(expected) if expected == byte => (at, next) = (at + 1, next + 1),
            _ => {
                let Some((star, taken)) = retry else { return false };
                retry = Some((star, taken + 1));
                (at, next) = (taken + 1, star + 1);
            }
        }
    }
    pattern.iter().skip(next).all(|byte| *byte == b'*')
}
