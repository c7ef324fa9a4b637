//! Reference files are read strictly, and several add up.

use allod_verifier::References;
use allod_verifier::reference::Unusable;

fn add(files: &[&str]) -> Result<References, Unusable> {
    let mut references = References::new();
    files.iter().try_for_each(|file| references.add(file.as_bytes()))?;
    Ok(references)
}

fn platform(fields: &str) -> String {
    format!(r#"{{"profile": "allod-reference-1", "platform": {{{fields}}}}}"#)
}

fn realm(fields: &str) -> String {
    format!(r#"{{"profile": "allod-reference-1", "realm": {{{fields}}}}}"#)
}

const RIM: &str = r#""rim": "1111111111111111111111111111111111111111111111111111111111111111""#;

#[test]
fn a_whole_file_is_read() {
    let references = add(&[&realm(RIM), &platform(r#""config": "c0FFee", "lifecycle": ["secured"]"#)]).expect("read");
    assert_eq!(references.realm.and_then(|it| it.rim), Some(vec![0x11; 32]));
    assert_eq!(references.platform.and_then(|it| it.config), Some(vec![0xC0, 0xFF, 0xEE]));
}

#[test]
fn what_is_no_json_is_said_to_be_none() {
    for bad in ["", "[]", "\u{1}", "key: value"] {
        assert!(matches!(add(&[bad]), Err(Unusable::Form)), "{bad}");
    }
    assert!(matches!(add(&["{\"profile\""]), Err(Unusable::Json(_))), "the control");
    assert!(add(&[&format!("\n {}", realm(RIM))]).is_ok());
}

#[test]
fn what_is_not_known_is_refused() {
    for bad in [
        "{}",
        r#"{"profile": "allod-reference-1", "platform": {}, "more": 1}"#,
        &realm(r#""rimm": "11""#),
        &realm(&format!("{RIM}, {RIM}")),
        &platform(r#""components": [{"type": "RMM"}]"#),
        &platform(r#""components": [{"type": "RMM", "measurement": "00", "sig": "00"}]"#),
        &format!("{} x", realm(RIM)),
    ] {
        assert!(matches!(add(&[bad]), Err(Unusable::Json(_))), "{bad}");
    }
    assert!(matches!(add(&[r#"{"profile": "other", "platform": {}}"#]), Err(Unusable::Profile { .. })));
    assert!(matches!(add(&[r#"{"profile": "allod-reference-1"}"#]), Err(Unusable::Empty)));
    assert!(matches!(add(&[&" ".repeat(2 << 20)]), Err(Unusable::TooLong { .. })));
}

#[test]
fn values_are_of_their_form() {
    let short = "00".repeat(31);
    for bad in [
        realm(&format!(r#""rim": "{short}""#)),
        realm(r#""rim": "xyz""#),
        realm(r#""hash": "md5""#),
        realm(&format!(r#""rems": ["{0}", "{0}", "{0}"]"#, "00".repeat(32))),
        realm(&format!(r#""rpv": "{}""#, "00".repeat(32))),
        platform(&format!(r#""implementation_id": "{short}""#)),
        platform(r#""lifecycle": ["open"]"#),
        platform(&format!(r#""components": [{{"measurement": "{short}"}}]"#)),
    ] {
        assert!(matches!(add(&[&bad]), Err(Unusable::Value { .. })), "{bad}");
    }
}

#[test]
fn files_add_up_and_may_not_contradict_each_other() {
    let component = |kind: &str, digit: &str| {
        platform(&format!(r#""components": [{{"type": "{kind}", "measurement": "{}"}}]"#, digit.repeat(64)))
    };
    let count = |files: &[&str]| add(files).map(|it| it.platform.and_then(|it| it.components).map_or(0, |it| it.len()));
    assert_eq!(count(&[&component("RMM", "1"), &component("BOOT", "2")]).expect("both"), 2);
    assert_eq!(count(&[&component("RMM", "1"), &component("RMM", "1")]).expect("the same"), 1);
    let contradiction = count(&[&component("RMM", "1"), &component("RMM", "2")]);
    assert!(matches!(contradiction, Err(Unusable::Conflict { field: "components" })));
    assert!(add(&[&realm(RIM), &realm(RIM)]).is_ok());
    let other = RIM.replace("11", "22");
    assert!(matches!(add(&[&realm(RIM), &realm(&other)]), Err(Unusable::Conflict { field: "rim" })));
}

#[test]
fn a_mask_of_another_length_admits_nothing() {
    let admits = |mask: &str, found: &[u8]| {
        let fields = format!(r#""config": "c0ffee", "config_mask": "{mask}""#);
        let references = add(&[&platform(&fields)]).expect("a reference");
        references.platform.expect("a platform").admits_config(found)
    };
    assert!(admits("ff0000", &[0xC0, 0, 0]), "the control: one byte counts");
    assert!(!admits("ff0000", &[0xC1, 0, 0]));
    for mask in ["", "ff", "ff00", "ff000000"] {
        assert!(!admits(mask, &[0xC0, 0xFF, 0xEE]) && !admits(mask, &[0xC0, 0, 0]), "{mask}");
    }
}

#[test]
fn values_of_virtcca_are_read_in_every_form() {
    let rim = "B2".repeat(32);
    let rems: Vec<String> = (0..4).map(|index| format!("0{index}").repeat(32)).collect();
    let flat = format!(r#"{{"rim": "{rim}", "rem": ["{}"], "hash_alg": "sha-256"}}"#, rems.join("\", \""));
    let named: Vec<String> = (0..4).map(|at| format!(r#""vcca.cvm.rem.{at}": "{}""#, rems[at])).collect();
    let named = format!(r#"{{"vcca.cvm.rim": "{rim}", {}}}"#, named.join(", "));
    let within = serde_json::json!({ "refs": named }).to_string();
    let line = format!("RIM-HASH: {rim}\n");
    for (file, measured) in [(&flat, true), (&named, true), (&within, true), (&line, false)] {
        let realm = add(&[file]).expect("read").realm.expect("a Realm");
        assert_eq!(realm.rim.as_deref(), Some(&[0xB2; 32][..]), "{file}");
        assert_eq!(realm.rem(3), measured.then_some(&[3; 32][..]), "{file}");
        assert_eq!(realm.hash.map(|it| it.name()), Some("sha-256"));
    }
    for bad in [
        "RIM-HASH: B2".to_string(),
        flat.replace("sha-256", "md5"),
        flat.replace("\"rem\"", "\"remm\""),
        flat.replace(&rems[3], "03"),
        named.replace("rem.3", "rem.4"),
        named.replace(&rim, "xy"),
        r#"{"rim": 1}"#.to_string(),
    ] {
        assert!(matches!(add(&[&bad]), Err(Unusable::Value { .. })), "{bad}");
    }
    let two = add(&[&line, &format!("RIM-HASH: {}", "B3".repeat(32))]);
    assert!(matches!(two, Err(Unusable::Conflict { field: "rim" })));
}
