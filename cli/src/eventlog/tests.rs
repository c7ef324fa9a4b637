//! `allod eventlog` as people call it: what it answers with, and with which status.

use super::*;
use clap::Parser;

/// A folder of its own for a test, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("allod-eventlog-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.to_str().expect("a path in UTF-8").into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(args: &[&str]) -> Command {
    let cli = crate::Cli::try_parse_from(["allod", "eventlog"].iter().chain(args)).expect("a command");
    let crate::Command::Eventlog(command) = cli.command else { panic!("another command") };
    command
}

/// The exit status; 2 for an error, as `allod` answers it.
fn status(args: &[&str]) -> u8 {
    let codes = [0, 2, CONTRAINDICATED, MALFORMED];
    let code = main(command(args)).unwrap_or(ExitCode::from(2));
    codes.into_iter().find(|it| ExitCode::from(*it) == code).expect("a documented status")
}

fn digest(data: &[u8]) -> Vec<u8> {
    replay::hash(Algorithm::Sha256, &[data]).expect("known")
}

fn event(register: u32, kind: u32, data: &[u8]) -> Vec<u8> {
    let start = [register, kind, 1].map(u32::to_le_bytes).concat();
    [start, vec![0x0b, 0], digest(data), (data.len() as u32).to_le_bytes().to_vec(), data.to_vec()].concat()
}

/// A log of one separator and one action.
fn good() -> Vec<u8> {
    let start = [1u32, 3, 0, 0, 0, 0, 0, 33].map(u32::to_le_bytes).concat();
    let header = b"Spec ID Event03\0\0\0\0\0\0\x02\0\x02\x01\0\0\0\x0b\0\x20\0\0".to_vec();
    [start, header, event(1, 4, &[0; 4]), event(2, 0x8000_0007, b"step")].concat()
}

fn table(kind: u8) -> Vec<u8> {
    let mut table = b"CCEL\x38\0\0\0\x01\0".to_vec();
    table.resize(36, 0);
    table.push(kind);
    table.resize(40, 0);
    table.extend(0x1_0000u64.to_le_bytes());
    table.extend([0; 8]);
    table[9] = table.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte));
    table
}

const RULES: &str = "profile = \"allod-boot-rules-1\"\nhash = \"sha-256\"\n\
    [[rule]]\nname = \"end\"\nregister = \"REM0\"\ntype = \"EV_SEPARATOR\"\n\
    [[rule]]\nname = \"step\"\nregister = \"REM1\"\ntype = \"EV_EFI_ACTION\"\ntext = \"step\"\n";
const REM0: &str = "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969";

#[test]
fn good_logs_are_explained_replayed_checked_and_drafted() {
    let folder = Folder::new("good");
    let log = folder.file("log", &good());
    let rules = folder.file("rules.toml", RULES.as_bytes());
    for json in [&[][..], &["--json"]] {
        for args in [
            &["explain", &log, "--digests"][..],
            &["replay", &log],
            &["check", &log, "--rules", &rules],
            &["draft", &log],
        ] {
            let json = if args.contains(&"--digests") { &[] } else { json };
            assert_eq!(status(&[args, json].concat()), 0, "{args:?}");
        }
    }
    for kind in ["cca", "virtcca", "tdx", "tpm"] {
        assert_eq!(status(&["replay", &log, "--as", kind]), 0, "{kind}");
    }
}

#[test]
fn what_is_no_log_is_malformed() {
    let folder = Folder::new("malformed");
    let bytes = good();
    let cut = folder.file("cut", &bytes[..bytes.len() - 1]);
    let rules = folder.file("rules.toml", RULES.as_bytes());
    assert_eq!(status(&["explain", &cut]), MALFORMED);
    assert_eq!(status(&["explain", &cut, "--json"]), MALFORMED);
    assert_eq!(status(&["replay", &cut]), MALFORMED);
    assert_eq!(status(&["check", &cut, "--rules", &rules]), MALFORMED);
    assert_eq!(status(&["explain", &folder.file("table", &table(4))]), MALFORMED, "a table alone");
}

#[test]
fn a_log_is_found_in_what_is_around_it() {
    use base64ct::{Base64, Encoding};
    let folder = Folder::new("around");
    let expected = format!("REM0={REM0}");
    let replayed = |bytes: &[u8]| status(&["replay", &folder.file("log", bytes), "--as", "cca", "--expect", &expected]);
    let bytes = good();
    let lines =
        Base64::encode_string(&bytes).as_bytes().chunks(64).map(<[u8]>::to_vec).collect::<Vec<_>>().join(&b'\n');
    let hexadecimal = hex::encode(&bytes) + "\n";
    let message = |token: &str, log: &[u8]| {
        let log = Base64::encode_string(log);
        let evidence = format!(r#"{{"vcca_token": "{token}", "logs": [{{"log_type": "CCEL", "log_data": "{log}"}}]}}"#);
        evidence.into_bytes()
    };
    // A map in a tag of tokens, of which no more is looked at for the log's sake.
    let token = Base64::encode_string(&[0xD9, 0x01, 0x8F, 0xA0]);
    for around in [bytes.clone(), lines, hexadecimal.into_bytes(), message(&token, &bytes)] {
        assert_eq!(replayed(&around), 0, "{}", String::from_utf8_lossy(&around));
    }
    let cut = &bytes[..bytes.len() - 1];
    let none = format!(r#"{{"vcca_token": "{token}"}}"#);
    for around in [hex::encode(cut).into_bytes(), message(&token, cut), none.into_bytes()] {
        assert_eq!(replayed(&around), MALFORMED, "{}", String::from_utf8_lossy(&around));
    }
}

#[test]
fn what_cannot_be_read_or_is_wrongly_asked_is_neither() {
    let folder = Folder::new("usage");
    let log = folder.file("log", &good());
    assert_eq!(status(&["explain", "no/such/file"]), 2);
    assert_eq!(status(&["check", &log, "--rules", &folder.file("rules.toml", b"nonsense")]), 2);
    assert_eq!(status(&["replay", &log, "--expect", "PCR1=00"]), 2, "not a register of this log");
    for args in [
        &["replay", "x", "--expect", "REM0"][..],
        &["replay", "x", "--expect", "REM0=zz"],
        &["check", "x"],
        &["replay", "x", "--hash", "md5"],
    ] {
        let parsed = crate::Cli::try_parse_from(["allod", "eventlog"].iter().chain(args));
        assert!(parsed.is_err(), "{args:?}");
    }
}

#[test]
fn registers_are_compared() {
    let folder = Folder::new("compare");
    let log = folder.file("log", &good());
    let rules = folder.file("rules.toml", RULES.as_bytes());
    let (right, wrong, zero) =
        (format!("REM0={REM0}"), format!("REM0={}", "00".repeat(32)), format!("REM3={}", "00".repeat(32)));
    for command in [&["replay", &log][..], &["replay", &log, "--as", "cca"], &["check", &log, "--rules", &rules]] {
        assert_eq!(status(&[command, &["--expect", &right, "--expect", &zero]].concat()), 0, "{command:?}");
        assert_eq!(
            status(&[command, &["--expect", &right, "--expect", &wrong]].concat()),
            CONTRAINDICATED,
            "{command:?}"
        );
    }
    assert_eq!(status(&["replay", &log, "--expect", "REM0=00"]), CONTRAINDICATED, "no bank of that length");
    assert_eq!(status(&["replay", &log, "--hash", "sha-384"]), CONTRAINDICATED, "no such bank");
}

#[test]
fn what_the_rules_do_not_admit_is_contraindicated() {
    let folder = Folder::new("rules");
    let rules = folder.file("rules.toml", RULES.as_bytes());
    let more = folder.file("more", &[good(), event(2, 0x8000_0007, b"other")].concat());
    assert_eq!(status(&["check", &more, "--rules", &rules]), CONTRAINDICATED);
    assert_eq!(status(&["check", &more, "--rules", &rules, "--json"]), CONTRAINDICATED);
    let mut changed = good();
    if let Some(last) = changed.last_mut() {
        *last = b'x';
    }
    assert_eq!(status(&["check", &folder.file("changed", &changed), "--rules", &rules]), CONTRAINDICATED);
    assert_eq!(status(&["explain", &folder.file("changed", &changed)]), 0, "is explained, and marked");
}

#[test]
fn a_table_of_its_own_names_the_registers() {
    let folder = Folder::new("table");
    let log = folder.file("log", &good());
    let tdx = folder.file("tdx", &table(2));
    let expect = format!("RTMR0={REM0}");
    assert_eq!(status(&["replay", &log, "--table", &tdx, "--expect", &expect]), 0);
    assert_eq!(status(&["explain", &log, "--table", &log]), MALFORMED, "no table");
    let long = folder.file("long", &[table(2), vec![0]].concat());
    assert_eq!(status(&["explain", &log, "--table", &long]), MALFORMED);
    let bytes = good();
    let parsed = EventLog::parse(&bytes).expect("well formed").with_numbering(Some(Numbering::Cc(CcType::Tdx)));
    let shown = show::Text { log: &parsed, digests: true, colours: false }.to_string();
    assert!(shown.contains("=    1  RTMR0  EV_SEPARATOR"), "{shown}");
    assert!(shown.contains("sha-256 df3f6198"), "{shown}");
}

#[test]
fn programs_get_all_of_it() {
    let bytes = good();
    let log = EventLog::parse(&bytes).expect("well formed");
    let json = show::json(&log);
    assert_eq!(json["profile"], "allod-eventlog-1");
    assert_eq!((&json["events"][2]["text"], &json["events"][2]["data"]), (&"step".into(), &"agrees".into()));
    assert_eq!(
        (&json["events"][1]["register_name"], &json["events"][1]["value"]),
        (&"REM0".into(), &"00000000".into())
    );
    assert_eq!(json["events"][1]["digests"]["sha-256"], hex::encode(&digest(&[0; 4])));
    let Command::Replay(args) = command(&["replay", "x", "--expect", &format!("REM0={REM0}")]) else {
        panic!("another command")
    };
    let replayed = Replayed::new(&args.input, &log, args.hash, &args.expect).expect("known registers");
    let json = show::replayed_json(&log, &replayed);
    assert_eq!((&json["registers"]["sha-256"]["REM0"], &json["compared"][0]["equal"]), (&REM0.into(), &true.into()));
}

#[test]
fn a_tpms_log_is_mapped_on_request() {
    let folder = Folder::new("tpm");
    let start = [0u32, 3, 0, 0, 0, 0, 0, 33].map(u32::to_le_bytes).concat();
    let header = b"Spec ID Event03\0\0\0\0\0\0\x02\0\x02\x01\0\0\0\x0b\0\x20\0\0".to_vec();
    let log = folder.file("log", &[start, header, event(7, 4, &[0; 4])].concat());
    assert_eq!(status(&["replay", &log, "--expect", &format!("PCR7={REM0}")]), 0);
    assert_eq!(status(&["replay", &log, "--expect", &format!("REM0={REM0}")]), 2, "it has none");
    assert_eq!(status(&["replay", &log, "--as", "cca", "--expect", &format!("REM0={REM0}")]), 0);
}

#[test]
fn the_help_shows_rules_that_work() {
    use clap::CommandFactory;
    let mut cli = crate::Cli::command();
    let check = cli.find_subcommand_mut("eventlog").and_then(|it| it.find_subcommand_mut("check")).expect("a command");
    let help = check.render_long_help().to_string();
    let lines = help
        .lines()
        .skip_while(|line| !line.contains("profile = "))
        .take_while(|line| !line.contains("allod eventlog draft"));
    let rules: String = lines.map(|line| format!("{line}\n")).collect();
    let rules = Rules::parse(rules.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{rules}"));
    assert_eq!(rules.rules.len(), 1);
}
