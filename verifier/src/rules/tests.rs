use super::pattern::is_like;
use super::*;

const HEAD: &str = "profile = \"allod-boot-rules-1\"\nhash = \"sha-256\"\n";
const RULE: &str = "[[rule]]\nname = \"a\"\nregister = \"REM0\"\ntype = \"EV_SEPARATOR\"\n";

fn parse(rest: &str) -> Result<Rules, String> {
    Rules::parse(format!("{HEAD}{rest}").as_bytes()).map_err(|error| error.to_string())
}

fn refused(rest: &str) -> String {
    assert!(parse(RULE).is_ok(), "control");
    parse(rest).expect_err("has to be refused")
}

#[test]
fn a_rule_is_read() {
    let rules = parse(&format!("{RULE}times = \"2..\"\ngroup = \"g\"\nsubject = \"s*\"\n")).expect("good");
    let [rule] = &rules.rules[..] else { panic!("one rule") };
    assert_eq!((rule.name.as_str(), rule.register.as_str(), rule.times), ("a", "REM0", Times { least: 2, most: None }));
    assert_eq!((rule.group.as_deref(), rule.subject.as_deref()), (Some("g"), Some("s*")));
    assert_eq!(rule.demands(), "value 00000000", "what a separator has to be");
    assert_eq!(rules.hash, Algorithm::Sha256);
}

#[test]
fn one_value_is_a_list_of_one() {
    let one = parse(&format!("{RULE}text = \"x\"\n")).expect("good");
    let list = parse(&format!("{RULE}text = [\"x\"]\n")).expect("good");
    assert_eq!(one, list);
}

#[test]
fn times_are_a_number_or_a_range() {
    let times = |text: &str| parse(&format!("{RULE}times = {text}\n")).map(|rules| rules.rules[0].times);
    assert_eq!(parse(RULE).map(|rules| rules.rules[0].times), Ok(Times::ONCE));
    assert_eq!(times("3"), Ok(Times { least: 3, most: Some(3) }));
    assert_eq!(times("\"3\""), Ok(Times { least: 3, most: Some(3) }));
    assert_eq!(times("\"0..1\""), Ok(Times { least: 0, most: Some(1) }));
    assert_eq!(times("\"1..\""), Ok(Times { least: 1, most: None }));
    assert!(times("0").is_ok_and(Times::never));
    for bad in ["\"2..1\"", "\"..1\"", "\"x\"", "-1", "\"1...2\"", "\"\""] {
        assert!(times(bad).is_err(), "{bad}");
    }
    let told = [(1, Some(1)), (0, Some(2)), (1, None)].map(|(least, most)| Times { least, most }.to_string());
    assert_eq!(told, ["1", "0 to 2", "1 or more"]);
}

#[test]
fn files_of_another_form_are_refused() {
    let error = |file: &[u8]| Rules::parse(file).expect_err("has to be refused").to_string();
    assert!(error(format!("profile = \"x\"\nhash = \"sha-256\"\n{RULE}").as_bytes()).contains("expected profile"));
    assert!(
        error(format!("profile = \"{PROFILE}\"\nhash = \"md5\"\n{RULE}").as_bytes()).contains("hash: expected sha-1")
    );
    assert!(error(HEAD.as_bytes()).contains("at least one rule"));
    assert!(error(b"\xff").contains("UTF-8"));
    assert!(error(&vec![b'#'; MAX_FILE + 1]).contains("expected at most"));
    assert!(error(RULE.as_bytes()).contains("profile"), "{}", error(RULE.as_bytes()));
}

#[test]
fn rules_that_are_broken_are_refused_by_name() {
    assert!(refused(&RULE.replace("REM0", "REM4")).contains("rule \"a\": register: expected"));
    assert!(refused(&RULE.replace("REM0", "PCR24")).contains("register"));
    assert!(refused(&RULE.replace("EV_SEPARATOR", "EV_NONSENSE")).contains("rule \"a\": type: expected"));
    assert!(refused(&RULE.replace("EV_SEPARATOR", "EV_NO_ACTION")).contains("type"), "extends nothing");
    assert!(refused(&RULE.replace("EV_SEPARATOR", "EV_IPL")).contains("expected digest, text, like, value or utf16"));
    assert!(refused(&format!("{RULE}{RULE}")).contains("expected a name of its own"));
    assert!(refused(&format!("{RULE}colour = \"red\"\n")).contains("colour"));
    assert!(refused(&RULE.replace("name = \"a\"\n", "")).contains("name"));
    for (line, field) in [("digest = \"00\"", "digest"), ("digest = \"zz\"", "digest"), ("digest = []", "digest")] {
        assert!(refused(&format!("{RULE}{line}\n")).contains(field), "{line}");
    }
    for line in ["text = []", "like = []", "utf16 = []", "value = []", "value = \"0\"", "any = true\ntext = \"x\""] {
        assert!(refused(&format!("{RULE}{line}\n")).contains("expected"), "{line}");
    }
    let forbidden = format!("{}times = 0\n", RULE.replace("EV_SEPARATOR", "EV_IPL"));
    assert!(parse(&forbidden).is_ok(), "what must not occur need not be said more exactly");
}

#[test]
fn patterns_fit_the_whole_text() {
    for (pattern, text) in [
        ("", ""),
        ("*", ""),
        ("*", "anything"),
        ("a*c", "abc"),
        ("a*c", "ac"),
        ("a*c", "acbc"),
        ("*b*", "abc"),
        ("file:*/grub.cfg", "file:(hd0)/EFI/grub.cfg"),
        ("**", "x"),
    ] {
        assert!(is_like(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in
        [("", "a"), ("a", ""), ("a*c", "abcd"), ("a*c", "a"), ("*b", "abc"), ("a", "ab"), ("a*b*c", "acb")]
    {
        assert!(!is_like(pattern, text), "{pattern} {text}");
    }
    let long = "a".repeat(20_000);
    assert!(!is_like(&format!("{}b", "a*".repeat(20)), &long), "no explosion");
}
