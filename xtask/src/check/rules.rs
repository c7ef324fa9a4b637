//! The rules of writing that a machine can check.

use super::none_found;
use super::source::{self, Source};
use crate::{Done, room};
use std::fs;

/// No file is longer than this.
const LONGEST: usize = 700;

/// Crates whose product code never panics on what others send.
const CALM: [&str; 3] = ["monitor", "rmm", "rot"];

/// What such code does not say. A debug assertion or a compile-time check is not meant.
const PANICS: [&str; 6] = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "unwrap_unchecked", "process::exit"];

/// Module names that say nothing.
const EMPTY_NAMES: [&str; 5] = ["utils", "common", "types", "hal", "helpers"];

/// Hosts that a file may name: a licence's, Arm's profile names, the namespaces of XML, what Huawei's
/// certificates name, examples, and this machine to itself.
const HOSTS: [&str; 8] = [
    "www.apache.org",
    "arm.com",
    "libvirt.org",
    "www.w3.org",
    "support.huawei.com",
    "127.0.0.1",
    "localhost",
    "relaxng.org",
];

/// Checks every rule.
pub(super) fn check() -> Done {
    let sources = source::rust()?;
    let mut found: Vec<String> = sources.iter().flat_map(in_source).collect();
    // What a fuzzer made is no text of ours, even where it can be read.
    let ours = |path: &&String| !path.ends_with("Cargo.lock") && !path.starts_with("fuzz/corpus/");
    for path in source::files("")?.iter().filter(ours) {
        let Ok(text) = fs::read_to_string(room::root().join(path)) else { continue };
        found.extend(in_text(path, &text));
    }
    none_found(found)
}

fn in_source(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > LONGEST {
        found.push(format!("{}: {lines} lines, more than {LONGEST}", source.path));
    }
    let name = source.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).unwrap_or_default();
    if EMPTY_NAMES.contains(&name) {
        found.push(format!("{}: a name that says nothing", source.path));
    }
    let everywhere = ["#[ignore", "todo!(", "unimplemented!("];
    found.extend(places(source, &source.code, &everywhere));
    if CALM.contains(&source.room()) {
        found.extend(places(source, source.product(), &PANICS));
        found.extend(places(source, source.product(), &["#[cfg(feature", "cfg!(test)", "#[cfg(not(test"]));
    }
    found
}

fn places(source: &Source, code: &str, words: &[&str]) -> Vec<String> {
    let lines = code.lines().enumerate();
    let hits =
        lines.filter_map(|(at, line)| words.iter().find(|word| line.contains(**word)).map(|word| (at + 1, word)));
    hits.map(|(line, word)| format!("{}:{line}: {word}", source.path)).collect()
}

/// Paths of one machine and hosts of registries and mirrors have no place in a file.
fn in_text(path: &str, text: &str) -> Vec<String> {
    let folders = ["work", "root", "home", "Users"].map(|folder| format!("/{folder}/"));
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(folder) = folders.iter().find(|folder| mentions(line, folder)) {
            found.push(format!("{path}:{}: a path of one machine ({folder})", at + 1));
        }
        found.extend(hosts(line).map(|host| format!("{path}:{}: the host {host}", at + 1)));
    }
    found
}

/// The folder at a path's beginning, not as a part of a longer one.
fn mentions(line: &str, folder: &str) -> bool {
    let begins =
        |at: usize| line[..at].chars().next_back().is_none_or(|c| !(c.is_alphanumeric() || "._-/}*".contains(c)));
    line.match_indices(folder).any(|(at, _)| begins(at))
}

fn hosts(line: &str) -> impl Iterator<Item = &str> {
    let uris = line.match_indices("://").map(move |(at, mark)| &line[at + mark.len()..]);
    uris.filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c))).unwrap_or(rest.len());
        let host = rest[..end].trim_end_matches('.');
        let known = HOSTS.contains(&host) || host.ends_with(".example") || !host.contains('.');
        (!known).then_some(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_own_paths_are_found_and_longer_ones_are_not() {
        let own = format!("see /{}/me/x", "home");
        assert!(mentions(&own, &format!("/{}/", "home")));
        assert!(!mentions("target/work/x", &format!("/{}/", "work")));
    }

    #[test]
    fn hosts_are_found_and_examples_are_not() {
        let line = format!("https:{}mirror.real.org/x and http://a.example/y", "//");
        assert_eq!(hosts(&line).collect::<Vec<_>>(), ["mirror.real.org"]);
    }
}
