//! Other people's event logs, read in place: entries and ends as an independent reader found them.
//!
//! `ALLOD_VECTORS` names the folder; without it, `shared/vectors` beside the workspace is tried.

use allod_evidence::eventlog::{Event, EventLog, EventType, Numbering, Table};
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join("eventlog")
}

fn read(name: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(folder().join(name)).ok();
    if bytes.is_none() {
        println!("SKIPPED: no vectors; set ALLOD_VECTORS ({name} not tried)");
    }
    bytes
}

fn words(log: &EventLog<'_>, number: usize) -> String {
    Event::decode(&log.entries()[number]).expect("decodes").to_string()
}

#[test]
fn logs_of_others_have_the_entries_that_others_found() {
    let Some(list) = read("expected-replay.json") else { return };
    let expected: Value = serde_json::from_slice(&list).expect("JSON");
    let expected = expected.as_object().expect("an object");
    assert!(expected.len() >= 20, "vectors are incomplete");
    for (name, expected) in expected {
        let bytes = read(name).expect("the vector is there");
        let log = EventLog::parse(&bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(Some(log.entries().len() as u64), expected["entries"].as_u64(), "{name}: entries");
        assert_eq!(Some(log.end().at as u64), expected["end_offset"].as_u64(), "{name}: end");
        let header = u64::from(log.entries()[0].register);
        assert_eq!(Some(header), expected["header_index"].as_u64(), "{name}: header");
        assert_eq!(log.end().residue, None, "{name}: residue");
        assert_eq!(log.numbering() == Numbering::Tpm, name.starts_with("tpm"), "{name}: numbering");
    }
}

/// Events that their writers got wrong: a certificate of an old shim with bytes behind it.
const BROKEN: [(&str, usize); 1] = [("tpm-gcp-debian10-sha1.bin", 23)];

#[test]
fn every_event_of_every_log_is_put_into_words() {
    let Ok(files) = std::fs::read_dir(folder()) else {
        println!("SKIPPED: no vectors; set ALLOD_VECTORS (event logs not tried)");
        return;
    };
    let mut events = 0;
    for file in files {
        let path = file.expect("a file").path();
        let name = path.file_name().and_then(|it| it.to_str()).expect("a name").to_string();
        if !name.ends_with(".bin") || name.contains("acpi") || name.contains("quote") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("the vector is there");
        let log = EventLog::parse(&bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        for entry in log.entries() {
            let decoded = Event::decode(entry);
            let broken = BROKEN.contains(&(name.as_str(), entry.number));
            assert_eq!(decoded.is_err(), broken, "{name}: event {}: {decoded:?}", entry.number);
            assert!(decoded.is_err() || !matches!(decoded, Ok(Event::Unknown(_))), "{name}: event {}", entry.number);
            events += 1;
        }
    }
    println!("{events} events");
    assert!(events > 1000, "vectors are incomplete");
}

#[test]
fn a_secure_boot_of_debian_reads_as_it_was() {
    let Some(bytes) = read("arm64-shim-grub214-secureboot.bin") else { return };
    let log = EventLog::parse(&bytes).expect("well formed");
    for (number, expected) in [
        (1, "firmware version \"2026.08+ds-2\""),
        (3, "SecureBoot is on"),
        (4, "PK holds 1 × X.509 certificate (Debian UEFI Secure Boot (PK/KEK key))"),
        (7, "dbx holds 443 × SHA-256 hash"),
        (13, "BootOrder is 0002 0000 0001"),
        (25, "db holds the certificate of Microsoft Corporation UEFI CA 2011"),
        (30, "SbatLevel is \"sbat,1,2025021800\\nshim,4\\ngrub,5\\n\""),
        (32, "MokListRT holds the certificate of Debian Secure Boot CA"),
        (33, "image of 3073472 bytes at 0x45270018, from \\EFI\\BOOT\\grubaa64.efi"),
        (36, "GRUB executes: set timeout=0"),
        (44, "image of 41164736 bytes at 0x7d1992a0, from memory, without device path"),
        (45, "GRUB passes to the kernel: /boot/vmlinuz-7.3-cloud-arm64 console=ttyAMA0 ro quiet"),
        (50, "the initrd as the kernel loads it \"Linux initrd\""),
        (54, "Exit Boot Services Returned with Success"),
    ] {
        assert_eq!(words(&log, number), expected);
    }
}

#[test]
fn a_vmms_account_of_a_realm_reads_as_it_was() {
    let Some(bytes) = read("cca-realm-vmm-bootlog.bin") else { return };
    let log = EventLog::parse(&bytes).expect("well formed");
    assert_eq!(words(&log, 1), "\"KERNEL\", 45783552 bytes at 0x80000000");
    assert_eq!(words(&log, 3), "\"DTB\", 65536 bytes at 0x8fe00000");
    assert!(log.entries().iter().skip(1).all(|entry| entry.kind == EventType::POST_CODE2 && entry.register == 0));
}

#[test]
fn a_tables_log_is_named_after_it() {
    let (Some(table), Some(log)) = (read("ccel-ovmf-tdx-direct.acpi.bin"), read("ccel-ovmf-tdx-direct-unpadded.bin"))
    else {
        return;
    };
    let both = [table.clone(), log.clone()].concat();
    assert_eq!(EventLog::parse(&both).expect("well formed").numbering().name(1), "RTMR0");
    let (alone, rest) = Table::parse(&table).expect("a table");
    assert_eq!((alone.length, rest.len(), &alone.oem), (0x10000, 0, b"INTEL "));
    assert_eq!(alone.covers(&log), Ok(()));
}
