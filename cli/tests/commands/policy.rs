//! Policies that would take everything are refused within their limits, each beside one that takes a little.

use super::{Folder, allod, said};
use std::time::{Duration, Instant};

const HEAD: &str = "package allod\n\nallow := true\n\n";

/// What `allod policy check` says of these rules, and how long it takes.
fn check(name: &str, rules: &str) -> (String, Option<i32>, Duration) {
    let folder = Folder::new(name);
    folder.write("p.rego", format!("{HEAD}{rules}"));
    folder.write("input.json", r#"{"at": 1}"#);
    let start = Instant::now();
    let (text, status) = said(&allod(&folder, &["policy", "check", "p.rego", "--input", "input.json"]));
    (text, status, start.elapsed())
}

fn refused(name: &str, rules: &str, reason: &str, control: &str) {
    let (text, status, time) = check(name, rules);
    assert_eq!(status, Some(11), "{text}");
    assert!(text.contains(reason), "{name}: {text}");
    // Two seconds of a processor, for which it may have to wait.
    assert!(time < Duration::from_secs(150), "{name} took {time:?}");
    let (text, status, _) = check(name, control);
    assert_eq!(status, Some(0), "the control of {name}: {text}");
}

const TIME: &str = "✗ expected a decision within 2000 ms, found none";
const MEMORY: &str = "✗ expected a decision within 512 MiB of memory, found none";
const DEPTH: &str = "✗ expected a decision within the depth of the stack, found none";

#[test]
fn an_endless_computation_is_refused() {
    let rules = |end: u32| {
        format!(
            "r := numbers.range(1, {end})\n\ndeny contains \"x\" if \
             count([1 | some a in r; some b in r; some c in r; a + b == c]) == 0\n"
        )
    };
    refused("endless", &rules(4000), TIME, &rules(4));
}

#[test]
fn a_comprehension_of_exponential_size_is_refused() {
    let rules = |count: u32| {
        let names: Vec<String> = (0..count).map(|it| format!("a{it}")).collect();
        let choices: Vec<String> = names.iter().map(|it| format!("some {it} in r")).collect();
        let set = format!("{{[{}] | {}}}", names.join(", "), choices.join("; "));
        format!("r := {{0, 1}}\n\ndeny contains \"x\" if count({set}) == 0\n")
    };
    let (text, status, _) = check("exponential", &rules(24));
    assert_eq!(status, Some(11), "{text}");
    assert!(text.contains(TIME) || text.contains(MEMORY), "{text}");
    assert_eq!(check("exponential", &rules(4)).1, Some(0), "the control");
}

#[test]
fn giant_strings_and_arrays_are_refused() {
    let doubled = |times: u32| {
        let lines: String = (1..=times).map(|n| format!("s{n} := concat(\"\", [s{0}, s{0}])\n", n - 1)).collect();
        format!("s0 := \"0123456789abcdef\"\n{lines}deny contains \"x\" if count(s{times}) == 0\n")
    };
    refused("strings", &doubled(32), MEMORY, &doubled(8));
    let range = |end: u64| format!("deny contains \"x\" if count(numbers.range(1, {end})) == 0\n");
    refused("range", &range(1_000_000_000), MEMORY, &range(10));
    let padded = |width: u32| format!("deny contains \"x\" if sprintf(\"%0{width}d\", [1]) == \"\"\n");
    refused("sprintf", &padded(999_999_999), MEMORY, &padded(9));
}

#[test]
fn deep_recursion_is_refused() {
    let chain = |length: u32| {
        let lines: String = (1..length).map(|n| format!("r{n} := r{} + 1\n", n - 1)).collect();
        format!("r0 := 1\n{lines}deny contains \"x\" if r{} == 0\n", length - 1)
    };
    refused("chain", &chain(9000), DEPTH, &chain(20));
    let endless = "f(n) := f(n + 1)\n\ndeny contains \"x\" if f(1) == 2\n";
    refused("recursion", endless, DEPTH, "f(n) := n + 1\n\ndeny contains \"x\" if f(1) == 1\n");
}

#[test]
fn nothing_of_the_surroundings_reaches_a_policy() {
    let (text, status, _) = check("runtime", "deny contains \"x\" if opa.runtime().env.PATH\n");
    assert!(status == Some(11) && text.contains("opa.runtime"), "{text}");
    let (text, status, _) = check("zone", "deny contains \"x\" if time.clock([0, \"Local\"])[0] == 25\n");
    assert!(status == Some(11) && text.contains("time.clock is not the same every time"), "{text}");
}

#[test]
fn stock_policies_are_listed_shown_and_read() {
    let folder = Folder::new("stock");
    let (list, status) = said(&allod(&folder, &["policy", "list"]));
    assert_eq!(status, Some(0));
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["cca", "virtcca", "virtcca-unattested-platform"]);
    for name in names {
        let shown = allod(&folder, &["policy", "show", name]);
        folder.write("shown.rego", &shown.stdout);
        let (of_file, _) = said(&allod(&folder, &["policy", "check", "shown.rego", "--json"]));
        let (of_name, _) = said(&allod(&folder, &["policy", "check", name, "--json"]));
        let digest = |json: &str| {
            let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
            value["policy"]["sha256"].as_str().map(str::to_string).expect("a digest")
        };
        assert_eq!(digest(&of_file), digest(&of_name), "{name}");
    }
    assert_eq!(allod(&folder, &["policy", "check", "none.rego"]).status.code(), Some(2), "no such file");
}

#[test]
fn what_a_policy_says_is_its_exit_status() {
    let exits = |rules: &str| check("status", rules).1;
    assert_eq!(exits(""), Some(0));
    assert_eq!(exits("warn contains \"look\"\n"), Some(10));
    assert_eq!(exits("deny contains \"no\"\n"), Some(11));
    assert_eq!(exits("allow := false\n"), Some(11));
    assert_eq!(exits("allow if {\n"), Some(11));
}

/// The policy that docs/policy.md shows.
fn shown() -> String {
    let page = include_str!("../../../docs/policy.md");
    let start = page.find("    package allod").expect("a policy");
    let lines = page[start..].lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or_default())).collect()
}

#[test]
fn the_policy_of_the_documentation_does_what_it_says() {
    let folder = Folder::new("shown");
    folder.write("p.rego", shown());
    let exits = |family: &str, implementation: &str, line: &str| {
        let input = serde_json::json!({
            "family": family, "platform": { "implementation_id": implementation },
            "log": { "events": [{ "subject": "kernel_cmdline", "text": line }] },
        });
        folder.write("input.json", input.to_string());
        allod(&folder, &["policy", "check", "p.rego", "--input", "input.json"]).status.code()
    };
    let ours = "7f454c4602010100000000000000000003003e00010000005058000000000000";
    assert_eq!(exits("cca", ours, "/vmlinuz ro quiet"), Some(0));
    assert_eq!(exits("cca", ours, "/vmlinuz ro init=/bin/sh"), Some(11));
    assert_eq!(exits("virtcca-2", ours, "/vmlinuz ro quiet"), Some(11));
    assert_eq!(exits("cca", &"00".repeat(32), "/vmlinuz ro quiet"), Some(11));
}
