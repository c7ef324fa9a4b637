//! The list of failure conditions: each is checked somewhere and shown by a test, and the map made of it is what it says.

use super::none_found;
use crate::{Done, room};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

const LIST: &str = "docs/conditions.toml";
const MAP: &str = "docs/spec-map.md";

/// What every condition has.
const KEYS: [&str; 6] = ["command", "id", "says", "x0", "at", "test"];
/// Conditions that it comes before.
const BEFORE: &str = "before";

const HEAD: &str = "# Where each condition of RMM 1.0 is checked, and what shows it

Made from `docs/conditions.toml` by `cargo xtask spec-map`; `cargo xtask check` fails when it is stale, when a function or a
test that it names does not exist, and when a condition has no test. Names of conditions are those of Arm DEN0137 1.0-rel0
(B4.3, B5.3, B6.3). A test asserts the exact x0, the outputs, and that a digest of all granules (word, protection, content) is
what it was; then the same call without the fault, which succeeds. Where the specification says which of two conditions comes
first, the column *before* does too; a test puts every pair of faults that have places of their own into one call.

RMI_VERSION, RMI_FEATURES, RSI_VERSION, RSI_FEATURES, RSI_ATTESTATION_TOKEN_INIT, and the calls of PSCI that are not listed have
no failure conditions.
";

/// A condition: its values, in the order of [`KEYS`], and those that it comes before.
#[derive(Default)]
struct Condition {
    values: [String; KEYS.len()],
    before: String,
}

impl Condition {
    fn get(&self, key: &str) -> &str {
        KEYS.iter().position(|it| *it == key).map_or("", |index| &self.values[index])
    }

    fn name(&self) -> String {
        format!("{}.{}", self.get("command"), self.get("id"))
    }
}

/// Checks the list, what it names, and the map.
pub(super) fn check() -> Done {
    let conditions = read()?;
    let mut found: Vec<String> = conditions.iter().flat_map(wrong).collect();
    let mut seen = BTreeSet::new();
    found.extend(
        conditions
            .iter()
            .map(Condition::name)
            .filter(|name| !seen.insert(name.clone()))
            .map(|name| format!("{name}: listed twice")),
    );
    for condition in &conditions {
        let known = |other: &&str| !seen.contains(&format!("{}.{other}", condition.get("command")));
        let others = condition.before.split_whitespace().filter(known);
        found.extend(others.map(|other| format!("{}: comes before {other}, which is none", condition.name())));
    }
    if fs::read_to_string(room::root().join(MAP)).unwrap_or_default() != map(&conditions) {
        found.push(format!("{MAP} is stale: cargo xtask spec-map"));
    }
    println!("  {} conditions", conditions.len());
    none_found(found)
}

/// Writes the map.
pub(crate) fn write_map() -> Done {
    fs::write(room::root().join(MAP), map(&read()?))?;
    println!("{MAP}");
    Ok(())
}

fn read() -> Done<Vec<Condition>> {
    parse(&fs::read_to_string(room::root().join(LIST)).map_err(|error| format!("{LIST}: {error}"))?)
}

/// Reads tables of strings, one on each line: as much of TOML as the list needs.
fn parse(text: &str) -> Done<Vec<Condition>> {
    let mut all: Vec<Condition> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let bad = || format!("{LIST}:{number}: {line}");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[condition]]" {
            all.push(Condition::default());
            continue;
        }
        let (key, value) = line.split_once(" = ").ok_or_else(bad)?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).ok_or_else(bad)?;
        let last = all.last_mut().ok_or_else(bad)?;
        match KEYS.iter().position(|it| *it == key) {
            Some(index) => last.values[index] = value.into(),
            None if key == BEFORE => last.before = value.into(),
            None => return Err(bad().into()),
        }
    }
    Ok(all)
}

fn wrong(condition: &Condition) -> Vec<String> {
    let name = condition.name();
    let missing = KEYS.iter().filter(|key| condition.get(key).is_empty());
    let mut found: Vec<String> = missing.map(|key| format!("{name}: no {key}")).collect();
    for (key, test) in [("at", false), ("test", true)] {
        let place = condition.get(key);
        if !place.is_empty() && !exists(place, test) {
            found.push(format!("{name}: {key} = {place}: not found"));
        }
    }
    found
}

/// Says whether "file: function" exists, and whether it is a test if it has to be one.
fn exists(place: &str, test: bool) -> bool {
    let Some((file, function)) = place.split_once(": ") else { return false };
    let Ok(text) = fs::read_to_string(room::root().join(file)) else { return false };
    defines(&text, function, test)
}

fn defines(text: &str, function: &str, test: bool) -> bool {
    text.match_indices(&format!("fn {function}")).any(|(at, found)| {
        let after = text[at + found.len()..].chars().next();
        let before = text[..at].trim_end();
        matches!(after, Some('(' | '<')) && (!test || before.ends_with("#[test]"))
    })
}

fn map(conditions: &[Condition]) -> String {
    let mut text = String::from(HEAD);
    let mut command = "";
    for condition in conditions {
        if condition.get("command") != command {
            command = condition.get("command");
            let _ = write!(text, "\n## {command}\n\n| Condition | Met when | x0 | Before | Checked in | Shown by |\n");
            text.push_str("|---|---|---|---|---|---|\n");
        }
        let [id, says, x0, at, test] = ["id", "says", "x0", "at", "test"].map(|key| condition.get(key));
        let before = condition.before.replace(' ', ", ");
        let _ = writeln!(text, "| {id} | {says} | {x0} | {before} | `{}` | `{}` |", short(at), short(test));
    }
    text
}

/// A place, file and function, as one word.
fn short(place: &str) -> String {
    place.replace(": ", "::")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "# words\n\n[[condition]]\ncommand = \"A\"\nid = \"b\"\nsays = \"c\"\nx0 = \"d\"\n\
                       before = \"e f\"\nat = \"xtask/src/main.rs: main\"\ntest = \"g: h\"\n";

    #[test]
    fn a_list_is_read_and_what_is_none_is_refused() {
        let all = parse(ONE).unwrap();
        assert_eq!((all.len(), all[0].name(), all[0].before.as_str()), (1, "A.b".into(), "e f"));
        for bad in ["x", "a = \"b\"", "[[condition]]\na = b", "[[condition]]\ncolour = \"b\""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_condition_without_a_test_is_found() {
        let all = parse(ONE).unwrap();
        assert_eq!(wrong(&all[0]), ["A.b: test = g: h: not found"]);
        let none = parse(&ONE.replace("test = \"g: h\"\n", "")).unwrap();
        assert_eq!(wrong(&none[0]), ["A.b: no test"]);
    }

    #[test]
    fn the_list_of_this_repository_holds() {
        check().unwrap();
    }

    #[test]
    fn a_test_is_one_that_runs() {
        assert!(defines("#[test]\nfn a() {}", "a", true));
        assert!(!defines("fn a() {}", "a", true) && !defines("#[test]\nfn ab() {}", "a", true));
        assert!(defines("pub fn a<P>(p: P) {}", "a", false));
    }
}
