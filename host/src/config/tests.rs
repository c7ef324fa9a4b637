use alloc::format;
use alloc::string::{String, ToString};

use abi::measurement::Hash;

use super::{Attack, Config};
use crate::Error;

fn config() -> Config {
    let mut rpv = [0; 64];
    rpv[0] = 0xab;
    Config {
        memory: 256 << 20,
        cpus: 4,
        hash: Hash::Sha512,
        rpv,
        cmdline: " console=hvc0  swiotlb=8192 ".to_string(),
        realms: 2,
        attack: Some(Attack::ResetPeek),
    }
}

fn edited(from: &str, to: &str) -> Result<Config, Error> {
    let text = config().text();
    assert!(text.contains(from), "{from:?} is not in {text:?}");
    Config::parse(text.replacen(from, to, 1).as_bytes())
}

#[test]
fn text_is_read_back_with_and_without_an_attack() {
    let with = config();
    let without = Config { attack: None, cmdline: String::new(), hash: Hash::Sha256, ..config() };
    assert_eq!(Config::parse(with.text().as_bytes()), Ok(with));
    assert_eq!(Config::parse(without.text().as_bytes()), Ok(without));
}

#[test]
fn every_key_is_there_once_and_known() {
    assert_eq!(edited("cpus 4\n", ""), Err(Error::Missing { key: "cpus" }));
    assert_eq!(edited("cpus 4\n", "cpus 4\ncpus 4\n"), Err(Error::Duplicate { key: "cpus" }));
    assert_eq!(edited("cpus 4", "Cpus 4"), Err(Error::UnknownKey { key: "Cpus".to_string() }));
    assert_eq!(edited("cpus 4", "cpus"), Err(Error::NoValue { line: "cpus".to_string() }));
    assert_eq!(edited("cpus 4\n", "\ncpus 4\n"), Err(Error::NoValue { line: String::new() }));
    assert_eq!(Config::parse(b""), Err(Error::Missing { key: "memory" }));
}

#[test]
fn a_cut_text_is_refused() {
    let text = config().text();
    assert_eq!(Config::parse(&text.as_bytes()[..text.len() - 1]), Err(Error::Unfinished));
    assert_eq!(Config::parse(b"cmdline \xff\n"), Err(Error::NotText { valid: 8 }));
}

#[test]
fn bad_values_are_named() {
    let long = format!("cmdline {}", "x".repeat(2048));
    for (from, to) in [
        ("memory 268435456", "memory 268435457"),
        ("memory 268435456", "memory 0"),
        ("memory 268435456", "memory 549755813888"),
        ("memory 268435456", "memory 99999999999999999999"),
        ("cpus 4", "cpus 0"),
        ("cpus 4", "cpus 17"),
        ("cpus 4", "cpus +4"),
        ("cpus 4", "cpus 04"),
        ("cpus 4", "cpus  4"),
        ("hash sha512", "hash SHA512"),
        ("rpv ab", "rpv +b"),
        ("rpv ab", "rpv "),
        ("rpv ab", "rpv abab"),
        ("realms 2", "realms 0"),
        ("attack reset-peek", "attack "),
        ("attack reset-peek", "attack none"),
        ("cmdline ", "cmdline \t"),
        ("cmdline  console=hvc0", &long),
    ] {
        let key = from.split(' ').next().unwrap_or_default();
        match edited(from, to) {
            Err(Error::BadValue { key: named, .. }) => assert_eq!(named, key, "{to:?}"),
            other => panic!("{to:?}: {other:?}"),
        }
    }
}

#[test]
fn attacks_have_one_name_each() {
    let names = ["peek", "reset-peek", "dma"];
    assert!(Attack::ALL.iter().map(|(attack, name)| (attack.name(), *name)).eq(names.iter().map(|n| (*n, *n))));
}
