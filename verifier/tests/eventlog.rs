//! Event logs against other people's registers, and against rules: the example of docs/eventlog.md admits the boot that
//! it describes, and every other boot is refused by name.
//!
//! `ALLOD_VECTORS` names the folder of recordings; without it, `shared/vectors` beside the workspace is tried.

mod boot;

use allod_verifier::replay::{Agreement, Unreplayable, hash, registers, rems};
use allod_verifier::rules::{Finding, Report, Rules, draft};
use boot::*;
use evidence::eventlog::{Algorithm, Entry, EventLog, Numbering};
use evidence::hex::{decode, encode};
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

fn hex(text: &str) -> Vec<u8> {
    decode(text).expect("hexadecimal")
}

/// Every log of the folder.
fn logs() -> Vec<(String, Vec<u8>)> {
    let Ok(files) = std::fs::read_dir(folder()) else {
        println!("SKIPPED: no vectors; set ALLOD_VECTORS (event logs not tried)");
        return Vec::new();
    };
    let named = files.map(|file| file.expect("a file").path());
    let logs = named.filter(|path| path.extension().is_some_and(|it| it == "bin"));
    let read = |path: PathBuf| {
        let name = path.file_name().and_then(|it| it.to_str()).expect("a name").to_string();
        (name, std::fs::read(path).expect("readable"))
    };
    logs.map(read).filter(|(name, _)| !name.contains("acpi") && !name.contains("quote")).collect()
}

#[test]
fn logs_of_others_lead_to_the_registers_that_others_found() {
    let Some(list) = read("expected-replay.json") else { return };
    let expected: Value = serde_json::from_slice(&list).expect("JSON");
    let mut compared = 0;
    for (name, expected) in expected.as_object().expect("an object") {
        let bytes = read(name).expect("the vector is there");
        let log = EventLog::parse(&bytes).expect("well formed");
        for (bank, wanted) in expected["registers"].as_object().expect("banks") {
            let algorithm = Algorithm::from_name(bank).expect("a known bank");
            let wanted = wanted.as_object().expect("registers");
            let found = match registers(&log, algorithm) {
                // Banks that the header lists and no event has: they give no registers, where others find none.
                Err(Unreplayable::NoDigest { .. }) if wanted.is_empty() => continue,
                found => found.unwrap_or_else(|error| panic!("{name}: {error}")),
            };
            let found: Vec<(String, String)> =
                found.iter().map(|(it, value)| (it.to_string(), encode(value))).collect();
            assert_eq!(found.len(), wanted.len(), "{name}: {bank}");
            for (register, value) in found {
                assert_eq!(Some(value.as_str()), wanted[&register].as_str(), "{name}: {bank}: {register}");
                compared += 1;
            }
        }
    }
    println!("{compared} registers");
    assert!(compared > 200, "vectors are incomplete");
}

/// Recordings beside the values that the TPM itself had.
const RECORDED: [&str; 4] =
    ["arm64-direct", "arm64-shim-grub214", "arm64-shim-grub214-secureboot", "arm64-uki-sdstub262"];

#[test]
fn recordings_lead_to_what_the_tpm_had_and_to_what_rems_would_hold() {
    for name in RECORDED {
        let (Some(bytes), Some(companion)) = (read(&format!("{name}.bin")), read(&format!("{name}.json"))) else {
            return;
        };
        let companion: Value = serde_json::from_slice(&companion).expect("JSON");
        let log = EventLog::parse(&bytes).expect("well formed");
        for (bank, pcrs) in companion["pcr"].as_object().expect("banks") {
            let algorithm = Algorithm::from_name(bank).expect("a known bank");
            let found = registers(&log, algorithm).expect("replays");
            for (pcr, value) in pcrs.as_object().expect("registers") {
                let number: u32 = pcr.parse().expect("a number");
                let zeroes = vec![0; algorithm.size()];
                let found = found.get(&number).unwrap_or(&zeroes);
                assert_eq!(Some(encode(found).as_str()), value.as_str(), "{name}: {bank}: PCR {pcr}");
            }
        }
        for (bank, fold) in companion["cc_fold"].as_object().expect("folds") {
            let Some(fold) = fold.as_object() else { continue };
            let found = rems(&log, Algorithm::from_name(bank).expect("a known bank")).expect("replays");
            for (index, rem) in ["rem0", "rem1", "rem2"].into_iter().enumerate() {
                assert_eq!(Some(encode(&found[index]).as_str()), fold[rem].as_str(), "{name}: {bank}: {rem}");
            }
        }
    }
}

#[test]
fn a_log_leads_to_the_registers_of_its_quote() {
    let (Some(bytes), Some(quote)) =
        (read("ccel-ovmf-tdx-ubuntu-grub-linux62.bin"), read("ccel-ovmf-tdx-ubuntu-grub-linux62.tdquote.bin"))
    else {
        return;
    };
    let log = EventLog::parse(&bytes).expect("well formed").with_numbering(Some(Numbering::Cc(2.into())));
    assert_eq!(log.numbering().name(1), "RTMR0");
    let found = rems(&log, Algorithm::Sha384).expect("replays");
    // Quote header 48 bytes, then 328 bytes of report in front of the registers (TDX DCAP quote, version 4).
    let rtmr = |index: usize| &quote[376 + 48 * index..][..48];
    assert_eq!((&found[0][..], &found[1][..]), (rtmr(0), rtmr(1)));
    assert_ne!(&found[2][..], rtmr(2), "the running system extended it");
}

#[test]
fn a_sha_1_log_replays() {
    let Some(bytes) = read("tpm-gcp-debian10-sha1.bin") else { return };
    let log = EventLog::parse(&bytes).expect("well formed");
    let found = registers(&log, Algorithm::Sha1).expect("replays");
    // A separator alone, as every SHA-1 bank of the other recordings has it.
    assert_eq!(encode(&found[&3]), "b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236");
    assert_eq!(log.entries().len(), 25);
}

/// Events whose writers got it wrong, with their numbers: an old shim logged bytes behind a certificate.
const DIFFER: [(&str, usize); 1] = [("tpm-gcp-debian10-sha1.bin", 23)];

#[test]
fn digests_of_others_are_over_what_their_events_say() {
    let (mut agree, mut apart) = (0, 0);
    for (name, bytes) in logs() {
        let log = EventLog::parse(&bytes).expect("well formed");
        for entry in log.entries() {
            let agreement = Agreement::of(entry);
            let differs = matches!(agreement, Agreement::Differs(_));
            assert_eq!(
                differs,
                DIFFER.contains(&(name.as_str(), entry.number)),
                "{name}: {}: {agreement}",
                entry.number
            );
            agree += usize::from(agreement == Agreement::Agrees);
            apart += usize::from(agreement == Agreement::Apart);
        }
    }
    println!("{agree} events agree, {apart} do not hold what was hashed");
}

#[test]
fn a_draft_admits_its_own_boot() {
    for (name, bytes) in logs() {
        let log = EventLog::parse(&bytes).expect("well formed");
        let algorithm = *log.algorithms().first().expect("a bank");
        let text = draft(&log, algorithm);
        let extended = log.entries().iter().filter(|entry| entry.kind.is_extended()).count();
        if extended == 0 {
            continue;
        }
        let rules = Rules::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let report = rules.check(&log);
        let lies = |it: &&Finding| !it.event().is_some_and(|event| DIFFER.contains(&(name.as_str(), event)));
        assert_eq!(report.findings.iter().find(lies), None, "{name}");
        assert_eq!((report.admitted.len(), report.unpinned.len()), (extended, 0), "{name}");
    }
}

/// The attempts to leave boot services, in any number and order and in two registers: what a rule admits more than once
/// is what stands right behind it there.
#[test]
fn a_draft_admits_every_order_of_leaving_boot_services() {
    let texts = ["Invocation", "Returned with Failure", "Returned with Success"];
    let event = |number: usize| {
        let register = if number < texts.len() { 1 } else { 2 };
        let text = format!("Exit Boot Services {}", texts[number % texts.len()]);
        Step::whole(register, ACTION, text.as_bytes())
    };
    for order in 0..6_usize.pow(5) {
        let steps: Vec<Step> = (0..5).map(|place| event(order / 6_usize.pow(place) % 6)).collect();
        let bytes = log(&steps);
        let log = EventLog::parse(&bytes).expect("well formed");
        let text = draft(&log, Algorithm::Sha256);
        let report = Rules::parse(text.as_bytes()).expect("rules").check(&log);
        assert_eq!((report.findings, report.admitted.len()), (vec![], 5), "{order}:\n{text}");
    }
}

fn example() -> Rules {
    let text = include_str!("../../docs/eventlog.md");
    let (_, behind) = text.split_once("```toml\n").expect("an example");
    let (toml, _) = behind.split_once("```").expect("the end of the example");
    Rules::parse(toml.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn check(steps: &[Step]) -> Report {
    let bytes = log(steps);
    let log = EventLog::parse(&bytes).expect("well formed");
    example().check(&log)
}

/// What the rules say of a boot that differs from the good one, whose check is the control.
fn findings(change: impl FnOnce(&mut Vec<Step>)) -> Vec<Finding> {
    assert_eq!(check(&boot()).findings, [], "control");
    let mut steps = boot();
    change(&mut steps);
    check(&steps).findings
}

/// The names of findings and of the rules they are about.
fn named(change: impl FnOnce(&mut Vec<Step>)) -> Vec<(&'static str, Option<String>)> {
    findings(change).iter().map(|it| (it.name(), it.rule().map(Into::into))).collect()
}

fn one(finding: &'static str, rule: &str) -> Vec<(&'static str, Option<String>)> {
    vec![(finding, Some(rule.into()))]
}

/// The place of the first event that fits.
fn place(steps: &[Step], fits: impl Fn(&Step) -> bool) -> usize {
    steps.iter().position(fits).expect("there is one")
}

fn starts_with(start: &[u8]) -> impl Fn(&Step) -> bool {
    move |step| step.data.starts_with(start)
}

fn is_kernel(step: &Step) -> bool {
    step.digest == hex(KERNEL)
}

#[test]
fn the_example_admits_its_boot() {
    let report = check(&boot());
    assert_eq!(report.findings, []);
    assert_eq!(report.admitted.len(), boot().len());
    assert_eq!(report.unpinned, [13], "the boot option, of which nothing is demanded");
}

#[test]
fn the_example_admits_a_recording_of_its_boot() {
    let Some(bytes) = read("arm64-shim-grub214.bin") else { return };
    let recorded = EventLog::parse(&bytes).expect("well formed");
    let steps: Vec<Step> = recorded.entries().iter().filter_map(|entry| step(entry)).collect();
    let report = check(&steps);
    assert_eq!(report.findings, []);
    assert_eq!(report.admitted.len(), steps.len());
}

/// The same event as a Realm's firmware would log it: one bank, measurement registers, two separators.
fn step(entry: &Entry<'_>) -> Option<Step> {
    let kept = match (entry.register, entry.kind.0) {
        (_, 3) | (0, 0x8000_0008) => false,
        (register, SEPARATOR) => register == 7 || register == 4,
        _ => true,
    };
    let register = if entry.register == 0 { 1 } else { Numbering::Tpm.measurement_register(entry.register) };
    let digest = entry.digest(Algorithm::Sha256)?.to_vec();
    kept.then(|| Step { register, kind: entry.kind.0, digest, data: entry.data.to_vec() })
}

#[test]
fn a_failed_attempt_to_leave_boot_services_is_admitted() {
    let mut steps = boot();
    let failed = [&b"Exit Boot Services Returned with Failure"[..], b"Exit Boot Services Invocation"];
    let at = steps.len() - 1;
    steps.splice(at..at, failed.map(|text| Step::whole(2, ACTION, text)));
    assert_eq!(check(&steps).findings, []);
}

#[test]
fn an_edited_command_line_is_named() {
    let edited = format!("{LINE} init=/bin/sh");
    let found = findings(|steps| {
        let at = place(steps, starts_with(b"kernel_cmdline"));
        steps[at] = Step::line("kernel_cmdline", &edited);
    });
    let [Finding::Differs { rule, expected, found: was, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((rule.as_str(), expected), ("kernel command line", &format!("{LINE:?}")));
    assert_eq!(was, &format!("{edited:?}"));
    let told = format!("✗ {}", found[0]);
    assert!(include_str!("../../docs/eventlog.md").contains(&told), "the documentation shows another: {told}");
    let options = named(|steps| {
        let at = place(steps, |step| step.kind == TAG);
        let digest = hash(Algorithm::Sha256, &[&utf16(&format!("BOOT_IMAGE={edited}\0"))]).expect("known");
        steps[at].digest = digest;
    });
    assert_eq!(options, one("differs", "load options"));
    let command = named(|steps| {
        let at = place(steps, starts_with(b"grub_cmd: linux"));
        steps[at] = Step::line("grub_cmd", &format!("linux {edited}"));
    });
    assert_eq!(command, one("differs", "GRUB commands"));
}

#[test]
fn words_that_were_not_hashed_are_named() {
    let found = findings(|steps| {
        let at = place(steps, starts_with(b"kernel_cmdline"));
        steps[at].data = Step::line("kernel_cmdline", "/boot/harmless").data;
    });
    assert!(matches!(&found[0], Finding::DigestDiffers { algorithm: Algorithm::Sha256, .. }), "{found:?}");
    assert!(found[0].to_string().contains("digest does not match data"));
    // The other way round: the words that the rules want over the digest of others.
    let found = named(|steps| {
        let at = place(steps, starts_with(b"kernel_cmdline"));
        steps[at].digest = Step::line("kernel_cmdline", "evil").digest;
    });
    assert_eq!(found[0].0, "digest-differs");
    assert_eq!(found[1..], one("differs", "kernel command line"));
}

#[test]
fn a_second_kernel_is_named() {
    let other = Step::image(&"ab".repeat(32));
    let again = |at: usize, what: Step| named(move |steps| steps.insert(place(steps, is_kernel) + at, what));
    let kernel = boot()[place(&boot(), is_kernel)].clone();
    assert_eq!(again(1, kernel), one("too-many", "kernel"), "the same again");
    assert_eq!(again(0, other.clone()), one("too-many", "kernel"), "another in front of it");
    let behind = again(1, other.clone());
    assert_eq!((behind.len(), behind[0].0), (1, "too-many"), "another behind it: {behind:?}");
    let instead = named(|steps| {
        let at = place(steps, is_kernel);
        steps[at] = other;
    });
    assert_eq!(instead, one("differs", "kernel"), "another in its place");
}

#[test]
fn separators_are_counted_and_kept_in_their_place() {
    let separator = || Step::whole(1, SEPARATOR, &[0; 4]);
    let first = |steps: &[Step]| place(steps, |step| step.kind == SEPARATOR);
    let rule = "end of the Secure Boot variables";
    assert_eq!(named(|steps| drop(steps.remove(first(steps)))), one("missing", rule));
    assert_eq!(named(|steps| steps.insert(first(steps), separator())), one("too-many", rule), "doubled");
    assert_eq!(named(|steps| steps.push(separator())), one("too-many", rule), "a second time, as EDK2 had it");
    let moved = named(|steps| {
        let separator = steps.remove(first(steps));
        steps.insert(1, separator);
    });
    assert!(moved.iter().all(|(finding, _)| *finding == "out-of-order") && !moved.is_empty(), "{moved:?}");
    let error = named(|steps| {
        let at = first(steps);
        steps[at] = Step::whole(1, SEPARATOR, &[0xff; 4]);
    });
    assert_eq!(error, one("differs", rule), "one that reports an error");
    let elsewhere = named(|steps| {
        let at = first(steps);
        steps[at].register = 3;
    });
    assert_eq!(elsewhere, [("not-admitted", None), ("missing", Some(rule.into()))], "in another register");
}

#[test]
fn a_log_that_was_cut_off_is_named() {
    let whole = boot();
    for length in 0..whole.len() {
        let report = check(&whole[..length]);
        let missing = |it: &Finding| it.name() == "missing" && it.rule() == Some("boot services were left");
        assert!(report.findings.iter().any(missing), "{length} events");
    }
    let mut bytes = log(&whole);
    bytes.extend([0xff; 40]);
    let filled = EventLog::parse(&bytes).expect("well formed");
    assert_eq!(example().check(&filled).findings, [], "control");
    let at = bytes.len();
    bytes.extend(b"\x03\0\0\0");
    let erased = EventLog::parse(&bytes).expect("well formed");
    assert_eq!(example().check(&erased).findings, [Finding::Residue { at }]);
}

#[test]
fn what_no_rule_is_about_is_named() {
    for step in [
        Step::whole(4, 5, b"anything in REM 3"),
        Step::known(2, 0x8000_0005, &"00".repeat(32), &[0; 32]),
        Step::whole(1, 0x1234, b"unknown type"),
        Step::known(3, IPL, &"00".repeat(32), b"/other/file\0"),
        Step::over(3, IPL, b".linux\0", &utf16(".linux\0")),
        Step::known(1, VERSION + 0x8000_0000, &"00".repeat(32), &[0; 3]),
    ] {
        assert_eq!(named(|steps| steps.push(step.clone())), [("not-admitted", None)], "{step:?}");
    }
}

#[test]
fn nothing_follows_the_end_of_boot_services() {
    let late = Step::image("46f3b299c655603255884ce16e4eb84cf2c374a0d89f9699e60df55df0ab75f2");
    let found = named(|steps| {
        let at = place(steps, |step| step.digest == late.digest);
        let grub = steps.remove(at);
        steps.push(grub);
    });
    assert_eq!(found, one("out-of-order", "GRUB"));
}

#[test]
fn secure_boot_and_its_keys_are_what_they_have_to_be() {
    let set = |name: &'static str, vendor: &'static str, value: &'static [u8]| {
        named(move |steps| {
            let data = variable(vendor, name, value);
            let at = place(steps, |step| step.kind == DRIVER_CONFIG && step.data[32..].starts_with(&utf16(name)));
            steps[at] = Step::whole(1, DRIVER_CONFIG, &data);
        })
    };
    assert_eq!(set("SecureBoot", GLOBAL, &[1]), one("differs", "Secure Boot"));
    assert_eq!(set("PK", GLOBAL, &[1]), one("differs", "PK"));
    assert_eq!(set("KEK", GLOBAL, &[1]), one("differs", "KEK"));
}

#[test]
fn every_event_that_is_left_out_is_missed() {
    let whole = boot();
    for (index, step) in whole.iter().enumerate() {
        let found = findings(|steps| drop(steps.remove(index)));
        let command = step.data.starts_with(b"grub_cmd: ") && *step != Step::line("grub_cmd", MENU);
        assert_eq!(found.is_empty(), command, "event {}: {found:?}", index + 1);
    }
}

#[test]
fn every_event_that_is_doubled_is_named() {
    let whole = boot();
    for (index, step) in whole.iter().enumerate() {
        let found = findings(|steps| steps.insert(index, step.clone()));
        let command = step.data.starts_with(b"grub_cmd: ") && *step != Step::line("grub_cmd", MENU);
        let option = step.kind == BOOT && step.data[32..].starts_with(&utf16("Boot0"));
        let invocation = step.data == b"Exit Boot Services Invocation";
        assert_eq!(found.is_empty(), command || option || invocation, "event {}: {found:?}", index + 1);
    }
}

#[test]
fn every_exchange_within_a_register_is_named() {
    let whole = boot();
    let in_group = |step: &Step| {
        let names: [&[u8]; 4] = [b"grub_cmd", b"kernel_cmdline", b"/boot/vmlinuz", b"/boot/initrd"];
        names.iter().any(|name| step.data.starts_with(name))
    };
    for (index, step) in whole.iter().enumerate() {
        let Some(other) = (index + 1..whole.len()).find(|it| whole[*it].register == step.register) else { continue };
        let found = findings(|steps| steps.swap(index, other));
        let free = *step == whole[other]
            || (in_group(step) && in_group(&whole[other]))
            || step.kind == FLAGS && whole[other].kind == FLAGS;
        assert_eq!(found.is_empty(), free, "events {} and {}: {found:?}", index + 1, other + 1);
    }
}

#[test]
fn every_flipped_bit_of_a_digest_is_named() {
    for (index, step) in boot().iter().enumerate() {
        let found = findings(|steps| steps[index].digest[7] ^= 0x10);
        let option = step.kind == BOOT && step.data[32..].starts_with(&utf16("Boot0"));
        assert!(!found.is_empty(), "event {}, of which {option} nothing is demanded", index + 1);
    }
}

#[test]
fn every_flipped_bit_of_what_was_hashed_is_named() {
    let whole = boot();
    for (index, step) in whole.iter().enumerate() {
        let bytes = log(std::slice::from_ref(step));
        let parsed = EventLog::parse(&bytes).expect("well formed");
        if Agreement::of(&parsed.entries()[1]) != Agreement::Agrees || step.data.starts_with(b"Mok") {
            continue;
        }
        // Vendor and name of a boot variable are not hashed, its value is; prefix and NUL of a line are not, its text is.
        let first = if step.kind == BOOT { step.data.len() - 4 } else { 0 };
        let last = if step.kind == IPL { step.data.len() - 1 } else { step.data.len() };
        for bit in first * 8..last * 8 {
            let found = findings_of_data(&whole, index, bit);
            assert!(!found.is_empty(), "event {}, bit {bit}", index + 1);
        }
    }
}

fn findings_of_data(whole: &[Step], index: usize, bit: usize) -> Vec<Finding> {
    let mut step = whole[index].clone();
    step.data[bit / 8] ^= 1 << (bit % 8);
    // Only this event: all others are missing, which is not what is asked.
    let bytes = log(&[step]);
    let parsed = EventLog::parse(&bytes).expect("well formed");
    let found = example_once().check(&parsed).findings;
    found.into_iter().filter(|it| it.event().is_some()).collect()
}

fn example_once() -> &'static Rules {
    static RULES: std::sync::OnceLock<Rules> = std::sync::OnceLock::new();
    RULES.get_or_init(example)
}

#[test]
fn what_must_not_occur_is_named() {
    let forbidding = "profile = \"allod-boot-rules-1\"\nhash = \"sha-256\"\n[[rule]]\nname = \"no option ROM\"\nregister = \
                      \"REM1\"\ntype = \"EV_EFI_BOOT_SERVICES_DRIVER\"\ntimes = 0\n[[rule]]\nname = \"step\"\nregister = \
                      \"REM1\"\ntype = \"EV_EFI_ACTION\"\ntext = \"step\"\n";
    let rules = Rules::parse(forbidding.as_bytes()).expect("good");
    let step = Step::whole(2, ACTION, b"step");
    let findings = |steps: &[Step]| {
        let bytes = log(steps);
        let parsed = EventLog::parse(&bytes).expect("well formed");
        rules.check(&parsed).findings
    };
    assert_eq!(findings(std::slice::from_ref(&step)), [], "control");
    let driver = Step::known(2, DRIVER, &"11".repeat(32), &[0; 32]);
    let found = findings(&[driver, step]);
    let [Finding::Forbidden { event: 1, rule, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(rule, "no option ROM");
}

#[test]
fn hints_do_not_meet_a_rule_for_text() {
    let with = |demand: &str| {
        let text = format!(
            "profile = \"allod-boot-rules-1\"\nhash = \"sha-256\"\n[[rule]]\nname = \"tables\"\nregister = \"REM0\"\n\
             type = \"EV_PLATFORM_CONFIG_FLAGS\"\n{demand}\n"
        );
        let rules = Rules::parse(text.as_bytes()).expect("good");
        let bytes = log(&[Step::known(1, FLAGS, &"22".repeat(32), b"ACPI DATA")]);
        let parsed = EventLog::parse(&bytes).expect("well formed");
        rules.check(&parsed).holds()
    };
    assert!(with(&format!("digest = \"{}\"", "22".repeat(32))), "control");
    assert!(!with("text = \"ACPI DATA\""), "the text is not what was hashed");
    assert!(!with("like = \"*\""));
}

#[test]
fn a_log_of_another_kind_is_named() {
    let rules = example();
    let Some(bytes) = read("arm64-shim-grub214.bin") else { return };
    let report = rules.check(&EventLog::parse(&bytes).expect("well formed"));
    let no_register = report.findings.iter().filter(|it| it.name() == "no-register").count();
    assert_eq!(no_register, rules.rules.len());
    assert!(report.admitted.is_empty());
}

#[test]
fn an_event_without_the_rules_digest_is_named() {
    let text = "profile = \"allod-boot-rules-1\"\nhash = \"sha-384\"\n[[rule]]\nname = \"end\"\nregister = \"REM0\"\n\
                type = \"EV_SEPARATOR\"\n";
    let rules = Rules::parse(text.as_bytes()).expect("good");
    let bytes = log(&[Step::whole(1, SEPARATOR, &[0; 4])]);
    let report = rules.check(&EventLog::parse(&bytes).expect("well formed"));
    let names: Vec<&str> = report.findings.iter().map(Finding::name).collect();
    assert_eq!(names, ["no-digest", "missing"]);
    let same = Rules::parse(text.replace("384", "256").as_bytes()).expect("good");
    assert!(same.check(&EventLog::parse(&bytes).expect("well formed")).holds(), "control");
}

#[test]
fn a_duplicate_separator_of_real_firmware_is_found() {
    let Some(bytes) = read("ccel-gcp-cos113-tdx-duplicate-separator.bin") else { return };
    let real = EventLog::parse(&bytes).expect("well formed");
    let text = draft(&real, Algorithm::Sha384);
    let (before, after) = text.split_once("[[rule]]\nname = \"separator 2\"").expect("two separators in the draft");
    let rest = after.split_once("\n\n[[rule]]").map_or("", |(_, rest)| rest);
    let once = format!("{before}[[rule]]{rest}");
    let found = Rules::parse(once.as_bytes()).expect("good").check(&real).findings;
    let [Finding::TooMany { rule, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(rule, "separator");
}
