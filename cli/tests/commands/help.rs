//! The examples of the program's help, run as they stand there wherever a test can make the files that they name.

use super::page::maker;
use super::{Folder, allod, image, program, said};
use std::process::Command;

/// Examples for machines, keys and files that no test has, each with what it needs.
const ELSEWHERE: [(&str, &str); 13] = [
    ("allod run ", "the emulated machine"),
    ("allod measure direct --profile qemu --host qemu-max --domain", "somebody's domain"),
    ("allod measure platform ", "built firmware"),
    ("allod platform flash ", "built firmware"),
    ("allod verify token.cbor", "a machine's certificates: docs/verify.md does it, and is tried"),
    ("allod anchors import ", "the certificates that Huawei publishes"),
    ("allod anchors add cpak.jwk", "a platform's key"),
    ("allod eventlog explain /sys", "a Realm"),
    ("allod inspect result.jwt --key", "a verifier's key"),
    ("allod reference sign ", "a signer's key"),
    ("allod reference show platform.signed", "a signer's key"),
    ("allod reference convert ", "files of other tools"),
    ("allod reference merge ", "files of other tools"),
];

/// Every path of words that is a command that people see.
fn commands(folder: &Folder, path: &[String], all: &mut Vec<(Vec<String>, String)>) {
    let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
    words.push("--help");
    let (help, status) = said(&allod(folder, &words));
    assert_eq!(status, Some(0), "{path:?}");
    let listed = help.split_once("\nCommands:\n").map(|(_, list)| list.split("\n\n").next().unwrap_or_default());
    let names = listed.unwrap_or_default().lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> = names.filter_map(|line| line.split_whitespace().next()).map(str::to_string).collect();
    for name in names.iter().filter(|name| *name != "help") {
        commands(folder, &[path, std::slice::from_ref(name)].concat(), all);
    }
    all.push((path.to_vec(), help));
}

/// The lines of the examples in a help text, with continued ones joined.
fn examples(help: &str) -> Vec<String> {
    let joined = help.replace("\\\n", " ");
    let typed = |line: &str| {
        let line = line.trim().trim_start_matches("Example: ");
        line.starts_with("allod ").then(|| line.to_string())
    };
    joined.lines().filter_map(typed).collect()
}

/// Files by the names that the examples have for them.
fn files(folder: &Folder) {
    folder.write("Image", image());
    folder.write("initrd.img", [b"070701".repeat(100), vec![0; 100]].concat());
    for name in ["monitor.bin", "rmm.bin"] {
        folder.write(name, [0x1F, 0x20, 0x03, 0xD5].repeat(1024));
    }
    let tree = ["measure", "direct", "--profile", "qemu", "--host", "qemu-max", "--kernel", "Image"];
    assert!(allod(folder, &[&tree[..], &["--output-dtb", "virt.dtb"]].concat()).status.success());
    folder.write("realm.json", allod(folder, &["measure", "direct", "--kernel", "Image", "--json"]).stdout);
    let made = Command::new(maker()).args(["cca", ".", "realm.json", "--boot"]).current_dir(&folder.0).status();
    assert!(made.expect("the maker of evidence runs").success());
    folder.write("root.pem", std::fs::read(folder.0.join("root.der")).expect("a certificate"));
    let corim = allod(folder, &["reference", "create", "platform.json", "--output", "platform.corim"]);
    assert!(corim.status.success(), "{}", String::from_utf8_lossy(&corim.stderr));
    folder.write("rules.toml", allod(folder, &["eventlog", "draft", "ccel.bin"]).stdout);
}

/// The registers of the log, as the examples call them.
fn registers(folder: &Folder) -> Vec<(String, String)> {
    let replay = ["eventlog", "replay", "ccel.bin", "--as", "cca", "--hash", "sha-256", "--json"];
    let (json, _) = said(&allod(folder, &replay));
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let registers = value["registers"]["sha-256"].as_object().expect("registers").clone();
    registers.into_iter().map(|(name, value)| (name, value.as_str().expect("hexadecimal").to_string())).collect()
}

#[test]
fn the_examples_of_the_help_run() {
    let folder = Folder::new("help");
    files(&folder);
    let mut all = Vec::new();
    commands(&folder, &[], &mut all);
    assert!(all.len() > 25, "{} commands were found", all.len());
    let without: Vec<&Vec<String>> = all.iter().filter(|(_, help)| examples(help).is_empty()).map(|it| &it.0).collect();
    assert!(without.is_empty(), "no example: {without:?}");
    let mut lines: Vec<String> = all.iter().flat_map(|(_, help)| examples(help)).collect();
    lines.sort_by_key(|line| ORDER.iter().position(|it| line.starts_with(it)).unwrap_or(ORDER.len()));
    let path = program().parent().expect("a folder").display().to_string();
    let path = format!("{path}:{}", std::env::var("PATH").unwrap_or_default());
    let registers = registers(&folder);
    let (mut tried, mut seen) = (0, std::collections::BTreeSet::new());
    for line in lines.iter().filter(|line| !ELSEWHERE.iter().any(|(start, _)| line.starts_with(start))) {
        if !seen.insert(line) {
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-ec", line]).current_dir(&folder.0).env("PATH", &path).envs(registers.clone());
        let output = shell.output();
        let output = output.expect("a shell");
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        tried += 1;
    }
    assert!(tried >= 15, "{tried} examples were run");
}

/// What makes files that other examples read comes first.
const ORDER: [&str; 6] = [
    "allod platform init",
    "allod platform sign",
    "allod measure",
    "allod anchors add",
    "allod reference create",
    "allod policy",
];
