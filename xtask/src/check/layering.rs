//! Arrows go down only: which room may use which (DESIGN.md §3, docs/architecture.md).

use super::none_found;
use crate::{Done, tool};
use serde_json::Value;

/// Every crate of ours with those of ours that it may use. `stories` and `fuzz/targets` may use anything.
const ARROWS: [(&str, &[&str]); 18] = [
    ("allod-abi", &[]),
    ("allod-rot", &["allod-abi"]),
    ("allod-monitor", &["allod-abi"]),
    ("allod-rmm", &["allod-abi"]),
    ("allod-host", &["allod-abi"]),
    ("fw-cpu", &["allod-abi"]),
    ("fw-boot", &["allod-abi", "allod-rot", "fw-cpu"]),
    ("fw-monitor", &["allod-abi", "allod-rot", "allod-monitor", "fw-cpu"]),
    ("fw-rmm", &["allod-abi", "allod-rmm", "fw-cpu"]),
    ("fw-host", &["allod-abi", "allod-host", "fw-cpu"]),
    ("fw-bench", &["allod-abi", "fw-cpu"]),
    ("allod-machine", &["allod-abi", "allod-monitor", "allod-rmm", "allod-host", "allod-rot"]),
    ("allod-evidence", &["allod-abi"]),
    ("allod-measure", &["allod-abi", "allod-host", "allod-rot", "allod-evidence"]),
    ("allod-verifier", &["allod-abi", "allod-evidence"]),
    ("allod-guest", &["allod-abi", "allod-evidence"]),
    ("allod", &["allod-abi", "allod-measure", "allod-verifier", "allod-evidence", "allod-host", "allod-rot"]),
    ("xtask", &[]),
];

/// May depend on anything; nothing in this workspace may depend on them.
const STORIES: &str = "allod-stories";
const FUZZ: &str = "allod-fuzz-targets";

/// Crates that have no Cargo features: the program that is tested is the program that ships.
const FEATURELESS: [&str; 3] = ["allod-monitor", "allod-rmm", "allod-rot"];

/// Crates that the RMM must not link: it has its tokens signed, and holds no key.
const NOT_IN_RMM: [&str; 4] = ["p384", "ecdsa", "elliptic-curve", "primeorder"];

/// The library in C, and the only rooms of ours that it may reach: what judges evidence, and what runs that. None of
/// them is in a Realm or in what a Realm trusts.
const IN_C: &str = "aws-lc-sys";
const MAY_LINK_C: [&str; 4] = ["allod-verifier", "allod", STORIES, FUZZ];

/// Compares `cargo metadata` with the table.
pub(super) fn check() -> Done {
    let text = tool::output(tool::cargo().args(["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata has no packages")?;
    let mut found: Vec<String> = packages.iter().flat_map(|package| wrong(package, packages)).collect();
    found.extend(rmm_links()?);
    found.extend(c_reaches(packages)?);
    none_found(found)
}

fn wrong(package: &Value, all: &[Value]) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    let allowed = ARROWS.iter().find(|(room, _)| *room == name).map(|(_, uses)| *uses);
    if allowed.is_none() && !is_above(name) {
        found.push(format!("{name} is no room of the table: a new room is a reviewed decision"));
    }
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let used = dependency["name"].as_str().unwrap_or_default();
        let ours = all.iter().any(|package| package["name"] == used);
        if ours && !is_above(name) && !allowed.unwrap_or_default().contains(&used) {
            found.push(format!("{name} uses {used}: no such arrow"));
        }
    }
    let features = package["features"].as_object().map_or(0, serde_json::Map::len);
    if FEATURELESS.contains(&name) && features > 0 {
        found.push(format!("{name} has Cargo features"));
    }
    found
}

fn is_above(name: &str) -> bool {
    [STORIES, FUZZ].contains(&name)
}

fn rmm_links() -> Done<Vec<String>> {
    let args = ["tree", "--package", "fw-rmm", "--edges", "normal", "--prefix", "none", "--locked"];
    let tree = tool::output(tool::cargo().args(args).args(["--target", super::BARE]))?;
    let linked = tree.lines().filter_map(|line| line.split_whitespace().next());
    let wrong = linked.filter(|name| NOT_IN_RMM.contains(name));
    Ok(wrong.map(|name| format!("fw-rmm links {name}: the RMM holds no key")).collect())
}

fn c_reaches(all: &[Value]) -> Done<Vec<String>> {
    let args = ["tree", "--workspace", "--invert", IN_C, "--edges", "normal,build", "--prefix", "none", "--locked"];
    let tree = tool::output(tool::cargo().args(args))?;
    let mut reached: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    reached.sort_unstable();
    reached.dedup();
    let ours = reached.into_iter().filter(|name| all.iter().any(|package| package["name"] == *name));
    let wrong = ours.filter(|name| !MAY_LINK_C.contains(name));
    Ok(wrong.map(|name| format!("{name} links {IN_C}: there is C in the verifier alone")).collect())
}
