//! The ledger of what the compiler cannot check: unsafe blocks and lines of assembly, crate by crate.

use super::none_found;
use super::source::{self, Source};
use crate::{Done, room};
use std::collections::BTreeMap;
use std::fs;

/// The only folder where unsafe code may stand.
const FIRMWARE: &str = "firmware/";

/// What must stand in the first file of every other crate.
const FORBID: &str = "#![forbid(unsafe_code)]";

/// Rooms that a Realm has to trust.
const TRUSTED: [&str; 8] =
    ["abi", "rot", "monitor", "rmm", "firmware/cpu", "firmware/boot", "firmware/monitor", "firmware/rmm"];

/// The most product lines that the trusted rooms may have.
const TRUSTED_LINES: usize = 15_000;

#[derive(Default)]
struct Account {
    lines: usize,
    unsafe_blocks: usize,
    asm_lines: usize,
}

/// Prints the ledger. Unsafe code outside the firmware is an error, as is a trusted base that has grown too large.
pub(super) fn check() -> Done {
    let sources = source::rust()?;
    let mut ledger: BTreeMap<&str, Account> = BTreeMap::new();
    for source in &sources {
        let account = ledger.entry(source.room()).or_default();
        account.lines += source.product().lines().filter(|line| !line.trim().is_empty()).count();
        account.unsafe_blocks += unsafe_uses(&source.code);
        account.asm_lines += asm_lines(source);
    }
    let assembly = source::files(".s")?.into_iter().chain(source::files(".S")?).collect::<Vec<_>>();
    for path in &assembly {
        let room = path.split("/src/").next().unwrap_or_default();
        let text = fs::read_to_string(room::root().join(path))?;
        ledger.entry(room).or_default().asm_lines += text.lines().filter(|line| instruction(line)).count();
    }
    print(&ledger);
    let mut found = outside(&sources);
    let trusted: usize = TRUSTED.iter().filter_map(|room| ledger.get(room)).map(|account| account.lines).sum();
    println!("  trusted by a Realm: {trusted} lines of at most {TRUSTED_LINES}");
    if trusted > TRUSTED_LINES {
        found.push(format!("the trusted rooms have {trusted} product lines"));
    }
    none_found(found)
}

fn print(ledger: &BTreeMap<&str, Account>) {
    println!("  {:<20} {:>6} {:>7} {:>4}", "room", "lines", "unsafe", "asm");
    for (room, account) in ledger.iter().filter(|(room, _)| !room.is_empty()) {
        println!("  {room:<20} {:>6} {:>7} {:>4}", account.lines, account.unsafe_blocks, account.asm_lines);
    }
}

fn outside(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.path.starts_with(FIRMWARE)) {
        if unsafe_uses(&source.code) > 0 {
            found.push(format!("{}: unsafe code outside {FIRMWARE}", source.path));
        }
        let root = ["src/lib.rs", "src/main.rs"].iter().any(|name| source.path == format!("{}/{name}", source.room()));
        if root && !source.text.contains(FORBID) {
            found.push(format!("{}: without {FORBID}", source.path));
        }
    }
    found
}

/// How often the word `unsafe` opens something: a block, a function, an implementation, an attribute.
fn unsafe_uses(code: &str) -> usize {
    let words = code.match_indices("unsafe").filter(|(at, word)| {
        let before = code[..*at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let after = code[at + word.len()..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_');
        !before && !after
    });
    words.count()
}

/// Lines with a template string inside `asm!`, `global_asm!` and `naked_asm!`.
fn asm_lines(source: &Source) -> usize {
    let starts = source.code.match_indices("asm!(").map(|(at, word)| at + word.len());
    let spans = starts.map(|start| (start, start + closing(&source.code[start..])));
    let lines = |(start, end): (usize, usize)| {
        let text = source.text.get(start..end).unwrap_or_default();
        text.lines()
            .filter(|line| line.trim_start().starts_with('"') || (line.contains('"') && !line.contains('=')))
            .count()
    };
    spans.map(lines).sum()
}

/// Where the parenthesis that is already open closes.
fn closing(code: &str) -> usize {
    let mut depth = 1;
    for (at, c) in code.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

fn instruction(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//") && !line.starts_with('.') && !line.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_counts() {
        assert_eq!(unsafe_uses("#![forbid(unsafe_code)] fn not_unsafe() {}"), 0);
        assert_eq!(unsafe_uses("unsafe { a() } unsafe impl X for Y {}"), 2);
    }

    #[test]
    fn lines_of_a_template_count() {
        let text = "asm!(\n  \"mrs {0}, x\",\n  \"isb\",\n  out(reg) v,\n  options(nomem),\n);";
        let code = "asm!(\n             ,\n       ,\n  out(reg) v,\n  options(nomem),\n);";
        let source = Source { path: "a/src/b.rs".into(), text: text.into(), code: code.into(), declared_test: false };
        assert_eq!(asm_lines(&source), 2);
    }
}
