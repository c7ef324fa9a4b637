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
fn what_is_not_known_is_refused() {
    for bad in [
        "",
        "[]",
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
