//! Pages as the command writes them: they say everything, and nothing in them does anything.

use super::tests::{Machine, NONCE, reference_file, wrapped};
use super::*;
use clap::Parser;
use serde_json::Value;
use verifier::replay::{hash, rems};

/// What a hostile guest or machine writes: any of it would show if it were not taken as text.
pub(super) const HOSTILE: &str =
    "</td></style><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";
/// As long as the component's name that it stands for.
const HOSTILE_KIND: &str = "<b>x</b>\"";

/// A page, and what has to be on it.
pub(super) struct Sample {
    pub name: &'static str,
    pub html: String,
    /// The report in JSON.
    pub report: Value,
    /// Events of its log.
    pub events: usize,
}

/// An event of a log: register, type, what is hashed, what stands in it.
type Event<'a> = (u32, u32, Vec<u8>, Vec<u8>);

fn log(events: &[Event<'_>]) -> Vec<u8> {
    let mut bytes = [1u32.to_le_bytes(), 3u32.to_le_bytes()].concat();
    bytes.extend([0; 20]);
    bytes.extend(33u32.to_le_bytes());
    bytes.extend(b"Spec ID Event03\0\0\0\0\0\0\x02\0\x02\x01\0\0\0\x0b\0\x20\0\0");
    for (register, kind, hashed, data) in events {
        bytes.extend([*register, *kind, 1].map(u32::to_le_bytes).concat());
        bytes.extend([0x0b, 0]);
        bytes.extend(hash(evidence::eventlog::Algorithm::Sha256, &[hashed]).expect("known"));
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
    }
    bytes
}

fn boot(line: &str) -> Vec<u8> {
    const SEPARATOR: u32 = 4;
    const IPL: u32 = 0xd;
    const ACTION: u32 = 0x8000_0007;
    let text = |text: &str| (ACTION, text.as_bytes().to_vec(), text.as_bytes().to_vec());
    let (action, words, same) = text("Calling EFI Application from Boot Option");
    let (_, shout, again) = text(line);
    let command = format!("kernel_cmdline: {line}\0").into_bytes();
    log(&[
        (1, SEPARATOR, vec![0; 4], vec![0; 4]),
        (2, action, words, same),
        (2, SEPARATOR, vec![0; 4], vec![0; 4]),
        (3, IPL, line.as_bytes().to_vec(), command),
        (3, IPL, vec![7; 32], b"file: /boot/vmlinuz\0".to_vec()),
        (4, ACTION, shout, again),
    ])
}

fn replayed(log: &[u8]) -> [Vec<u8>; 4] {
    let log = evidence::eventlog::EventLog::parse(log).expect("a log");
    rems(&log, evidence::eventlog::Algorithm::Sha256).expect("registers")
}

fn write(machine: &Machine, name: &str, content: &[u8]) -> String {
    let path = machine.folder.join(name);
    std::fs::write(&path, content).expect("written");
    path.to_str().expect("a path in UTF-8").to_string()
}

/// Runs `allod verify` on files of a machine's folder.
pub(super) fn run(machine: &Machine, words: &[&str]) -> ExitCode {
    let nonce = hex::encode(&NONCE);
    let (root, endorsements) = (machine.root(), machine.endorsements());
    let fixed = ["allod", "verify", "--nonce", &nonce, "--anchor", root.to_str().expect("UTF-8"), "--endorsements"];
    let fixed = [&fixed[..], &[endorsements.to_str().expect("UTF-8")]].concat();
    let cli = crate::Cli::try_parse_from([&fixed[..], words].concat()).expect("a command");
    let crate::Command::Verify(args) = cli.command else { panic!("another command") };
    main(args).expect("a verdict")
}

fn sample(machine: &Machine, name: &'static str, token: &[u8], words: &[&str], events: usize) -> Sample {
    let token = write(machine, &format!("{name}.cbor"), token);
    let (page, ear) = (machine.folder.join("page.html"), machine.folder.join("ear.json"));
    let (page, ear) = (page.to_str().expect("UTF-8"), ear.to_str().expect("UTF-8"));
    run(machine, &[&[token.as_str(), "--report", page, "--ear", ear], words].concat());
    let html = std::fs::read_to_string(page).expect("a page");
    let ear: Value = serde_json::from_slice(&std::fs::read(ear).expect("a result")).expect("JSON");
    Sample { name, html, report: ear, events }
}

/// Pages of every kind: one that affirms, one on which everything is hostile, one of no token.
pub(super) fn samples(name: &str) -> Vec<Sample> {
    let machine = Machine::new(name);
    let good_log = boot("/boot/vmlinuz console=ttyAMA0 ro quiet");
    let registers = replayed(&good_log);
    let mut reference = reference_file(b"rmm");
    reference["realm"]["rems"] = registers.iter().map(|rem| Value::from(hex::encode(rem))).collect();
    let good = write(&machine, "good.json", reference.to_string().as_bytes());
    let platform = machine.platform_half(b"rmm", 0x3000);
    let realm = machine.realm_half(&[&registers[0], &registers[1], &registers[2], &registers[3]]);
    let log = write(&machine, "good.bin", &good_log);
    let affirming = sample(&machine, "good", &wrapped(&platform, &realm), &["--reference", &good, "--log", &log], 7);
    reference["platform"]["components"][0]["type"] = HOSTILE.into();
    let hostile = write(&machine, "hostile.json", reference.to_string().as_bytes());
    let token = wrapped(&machine.swapped(&platform, "HW_CONFIG", HOSTILE_KIND), &realm);
    let log = write(&machine, "hostile.bin", &boot(HOSTILE));
    let hostile = sample(&machine, "host<i>le", &token, &["--reference", &hostile, "--log", &log], 7);
    let malformed = sample(&machine, "malformed", b"\xd9\x01\x8f\xa0", &[], 0);
    vec![affirming, hostile, malformed]
}

/// The checks in a result, those of both parts once.
pub(super) fn labels(sample: &Sample) -> Vec<String> {
    let submods = sample.report["submods"].as_object().expect("parts");
    let checks =
        submods.values().flat_map(|it| it["ear.veraison.policy-claims"]["allod-checks"].as_array().expect("checks"));
    let label = |check: &Value| {
        let subject = check["subject"].as_str().map(|it| format!(" {it}")).unwrap_or_default();
        format!("{}{subject}", check["step"].as_str().expect("a step"))
    };
    let mut labels: Vec<String> = checks.map(label).collect();
    labels.sort();
    labels.dedup();
    labels
}

/// Every element of a page.
const TAGS: [&str; 44] = [
    "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "div", "span",
    "p", "h1", "h2", "h3", "b", "i", "em", "small", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody",
    "tr", "th", "td", "details", "summary", "svg", "defs", "symbol", "circle", "path", "use", "g", "rect", "text",
];

/// What stands between angle brackets. Quotes in attributes are escaped, and brackets too.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next())
}

#[test]
fn a_page_shows_every_check_and_event_and_stands_alone() {
    for sample in samples("pages") {
        let Sample { name, html, events, .. } = &sample;
        for label in labels(&sample) {
            let shown = label.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let shown = shown.replace('"', "&quot;").replace('\'', "&#39;");
            assert!(html.contains(&format!("data-check=\"{shown}\"")), "{name}: {label}");
        }
        assert_eq!(html.matches("data-event=").count(), *events, "{name}");
        // Nothing is asked for from elsewhere, and nothing runs: no such tags or attributes are there at all.
        for tag in tags(html) {
            let name = tag.split([' ', '/']).find(|it| !it.is_empty()).unwrap_or_default();
            assert!(TAGS.contains(&name), "{}: <{tag}>", sample.name);
            // What stands in quotes is text.
            let bare: String = tag.split('"').step_by(2).collect();
            let runs = [" src=", " on", " style=", " srcset=", " action="].iter().find(|it| bare.contains(**it));
            assert_eq!(runs, None, "{}: <{tag}>", sample.name);
        }
        assert!(!html.contains("url(") && !html.contains("@import"), "{name}");
        let links = html.matches("href=").count();
        assert_eq!(links, html.matches("href=\"#").count(), "{name}: links lead into the page itself");
        assert!(html.contains("default-src 'none'") && html.ends_with("</html>\n"), "{name}");
    }
}

#[test]
fn pages_say_how_it_ended() {
    let pages = samples("ends");
    for (page, outcome) in pages.iter().zip(["affirming", "contraindicated", "malformed"]) {
        assert!(page.html.contains(&format!("data-verdict=\"{outcome}\"")), "{}", page.name);
    }
    assert!(
        pages[0].html.contains("exactly the token&#39;s measurements") || pages[0].html.contains("exactly the token's")
    );
    assert!(pages[1].html.contains("do not believe what stands below"));
    assert!(pages[2].html.contains("nobody stands for it") && !pages[2].html.contains("class=\"components\""));
}

#[test]
fn a_result_is_written_and_signed() {
    use verifier::ear::{Ear, Tier};
    let machine = Machine::new("results");
    let log = boot("quiet");
    let registers = replayed(&log);
    let realm = machine.realm_half(&[&registers[0], &registers[1], &registers[2], &registers[3]]);
    let token = write(&machine, "token.cbor", &wrapped(&machine.platform_half(b"rmm", 0x3000), &realm));
    let mut reference = reference_file(b"rmm");
    reference["realm"]["rems"] = registers.iter().map(|rem| Value::from(hex::encode(rem))).collect();
    let reference = write(&machine, "reference.json", reference.to_string().as_bytes());
    let file = machine.folder.join("ear");
    let file = file.to_str().expect("UTF-8");
    let judged = |words: &[&str]| run(&machine, &[&[token.as_str(), "--ear", file], words].concat());
    let read = || std::fs::read_to_string(file).expect("a result");
    for (form, profile) in
        [("deployed", "tag:github.com,2023:veraison/ear"), ("draft", "tag:ietf.org,2026:rats/ear#03")]
    {
        assert_eq!(judged(&["--ear-form", form, "--reference", &reference]), ExitCode::SUCCESS);
        let ear = Ear::from_json(read().as_bytes()).expect("a result");
        assert_eq!((ear.profile.as_str(), ear.status(), &ear.raw_evidence), (profile, Tier::Affirming, &None));
    }
    assert_eq!(judged(&["--ear-evidence"]), ExitCode::from(10), "nothing is known of what to expect");
    let ear = Ear::from_json(read().as_bytes()).expect("a result");
    assert_eq!(ear.status(), Tier::Warning);
    assert_eq!(ear.raw_evidence.as_deref(), Some(&std::fs::read(&token).expect("the token")[..]));
    for curve in ["P-256", "P-384", "P-521"] {
        let width = match curve {
            "P-256" => 32,
            "P-384" => 48,
            _ => 66,
        };
        let mut scalar = vec![1; width];
        scalar[0] = 0;
        use base64ct::{Base64UrlUnpadded, Encoding};
        let d = Base64UrlUnpadded::encode_string(&scalar);
        let key =
            write(&machine, "key.json", format!("{{\"kty\":\"EC\",\"crv\":\"{curve}\",\"d\":\"{d}\"}}").as_bytes());
        assert_eq!(judged(&["--ear-key", &key, "--reference", &reference]), ExitCode::SUCCESS);
        let key = crate::reference::signer::SigningKey::read(Path::new(&key)).expect("a key");
        let ear = Ear::open(&read(), &key.public().expect("a public half")).expect("signed by the key");
        assert_eq!(ear.status(), Tier::Affirming);
        let jwk = verifier::ear::public_jwk(&key.public().expect("a public half")).expect("a key on a curve");
        let public = write(&machine, "public.json", jwk.to_string().as_bytes());
        assert_eq!(inspected(&[file, "--key", &public]), ExitCode::SUCCESS);
        let changed = write(&machine, "changed.jwt", read().replacen('.', "A.", 1).as_bytes());
        assert_eq!(inspected(&[&changed, "--key", &public]), ExitCode::from(12), "its header is none now");
        let other = machine.root();
        assert_eq!(inspected(&[file, "--key", other.to_str().expect("UTF-8")]), ExitCode::from(11), "another's key");
    }
}

fn inspected(words: &[&str]) -> ExitCode {
    let cli = crate::Cli::try_parse_from([&["allod", "inspect"], words].concat()).expect("a command");
    let crate::Command::Inspect(args) = cli.command else { panic!("another command") };
    crate::inspect::main(&args).expect("an answer")
}
