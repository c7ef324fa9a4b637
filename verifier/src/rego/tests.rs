//! What policies may say and use: each refusal beside its control.

use super::*;
use crate::check::Step;
use serde_json::json;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(20);
const HEAD: &str = "package allod\n\ndefault allow := false\n\n";

fn source(text: &str) -> Source {
    Source::new("p.rego", text.as_bytes().to_vec()).expect("text")
}

fn asked(text: &str) -> Result<Decision, Refusal> {
    evaluate(&source(text), &json!({ "at": 1_795_305_600, "family": "cca" }), TIME)
}

/// What becomes of a policy with the usual head.
fn ruled(rules: &str) -> Result<Decision, Refusal> {
    asked(&format!("{HEAD}{rules}"))
}

#[test]
fn a_policy_allows_denies_warns_notes_and_lets_steps_stay_undone() {
    let decision = ruled(
        r#"allow if input.family == "cca"
        deny contains "no" if input.family != "cca"
        warn contains "perhaps"
        note contains "so it is"
        may_miss contains "rem"
        may_miss contains "log""#,
    )
    .expect("a decision");
    let (warn, note) = (vec!["perhaps".to_string()], vec!["so it is".to_string()]);
    assert_eq!(decision, Decision { allow: true, deny: vec![], warn, note, may_miss: vec![Step::Log, Step::Rem] });
    assert!(decision.allows());
    let decision = ruled("allow := true\ndeny contains \"b\"\ndeny contains \"a\"").expect("a decision");
    assert_eq!((decision.allows(), decision.deny), (false, vec!["a".into(), "b".into()]));
}

#[test]
fn a_policy_that_says_nothing_denies() {
    assert_eq!(ruled(""), Ok(Decision::default()));
    assert!(!Decision::default().allows());
    assert_eq!(asked("package allod\nallow if input.family == \"other\""), Err(Refusal::Undefined));
    assert_eq!(asked("package allod\ndeny contains \"x\" if false"), Err(Refusal::Undefined));
    assert_eq!(asked("package allod\nallow if input.family == \"cca\"").map(|it| it.allows()), Ok(true), "the control");
}

#[test]
fn values_of_other_types_are_refused() {
    let refused = |rules: &str, rule: &str, found: &str| match asked(&format!("package allod\n{rules}")) {
        Err(Refusal::Kind { rule: of, found: it, .. }) => assert_eq!((of.as_str(), it.as_str()), (rule, found)),
        other => panic!("{rules}: {other:?}"),
    };
    refused("allow := \"true\"", "allow", "\"true\"");
    refused("allow := 1", "allow", "1");
    refused("allow contains \"x\"", "allow", "[\"x\"]");
    refused("allow := true\ndeny := true", "deny", "true");
    refused("allow := true\ndeny := [\"x\"]", "deny", "[\"x\"]");
    refused("allow := true\ndeny contains 7", "deny", "7");
    refused("allow := true\nwarn := \"x\"", "warn", "\"x\"");
    refused("allow := true\nmay_miss contains {\"step\": \"rem\"}", "may_miss", "{\"step\":\"rem\"}");
    assert!(asked("package allod\nallow := true").is_ok_and(|it| it.allows()), "the control");
}

#[test]
fn only_steps_may_be_missed() {
    let refused = ruled("allow := true\nmay_miss contains \"everything\"");
    assert_eq!(refused, Err(Refusal::Step { found: "everything".into() }));
    assert!(ruled("allow := true\nmay_miss contains \"revocation\"").is_ok(), "the control");
}

#[test]
fn what_is_no_policy_is_refused() {
    assert!(matches!(asked("package allod\nallow if {"), Err(Refusal::Syntax(_))));
    assert!(matches!(asked(""), Err(Refusal::Syntax(_))));
    let other = asked("package other\ndefault allow := true");
    assert_eq!(other, Err(Refusal::Package { found: "other".into() }));
    let below = asked("package allod.below\ndefault allow := true");
    assert_eq!(below, Err(Refusal::Package { found: "allod.below".into() }));
    let limit = MAX_SOURCE;
    let found = limit + 1;
    assert_eq!(Source::new("p", vec![b' '; found]), Err(Refusal::TooLong { limit, found }));
    assert!(Source::new("p", vec![b' '; limit]).is_ok(), "the control");
    assert_eq!(Source::new("p", vec![0xff]), Err(Refusal::Text));
}

#[test]
fn errors_refuse_and_are_not_taken_for_no() {
    let error = |rules: &str| match ruled(rules) {
        Err(Refusal::Error(_) | Refusal::Syntax(_)) => {}
        other => panic!("{rules}: {other:?}"),
    };
    error("allow := true\ndeny contains \"x\" if to_number(\"y\") == 1");
    error("allow := true\ndeny contains \"x\" if 1 / 0 == 1");
    error("allow := true\ndeny contains \"x\" if no.such.function(1)");
    error("allow := true\nallow := false");
    assert!(ruled("allow := true\ndeny contains \"x\" if to_number(\"2\") == 1").is_ok_and(|it| it.allows()));
}

#[test]
fn a_policy_sees_the_same_every_time() {
    let now = ruled("allow if time.now_ns() == 1795305600000000000");
    assert!(now.is_ok_and(|it| it.allows()), "the time is the one of verification");
    for call in [
        "rand.intn(\"seed\", 10) >= 0",
        "time.clock([0, \"Local\"])[0] >= 0",
        "time.weekday(0) == \"Thursday\"",
        "time.date(0)[0] == 1970",
        "time.diff(0, 1)[0] == 0",
        "time.format(0) == \"\"",
        "time.add_date(0, 1, 1, 1) > 0",
    ] {
        let name = call.split('(').next().expect("a name");
        match ruled(&format!("allow if {call}")) {
            Err(Refusal::Error(why)) => assert!(why.contains(name) && why.contains("same every time"), "{why}"),
            other => panic!("{call}: {other:?}"),
        }
    }
    for call in
        ["http.send({\"method\": \"get\", \"url\": \"http://localhost\"})", "opa.runtime()", "uuid.rfc4122(\"x\")"]
    {
        assert!(ruled(&format!("allow if {call}")).is_err(), "{call}");
    }
    assert!(ruled("allow if time.parse_rfc3339_ns(\"2026-11-21T00:00:00Z\") < time.now_ns()").is_ok_and(|it| it.allow));
    let timeless = evaluate(&source(&format!("{HEAD}allow if time.now_ns() > 0")), &json!({}), TIME);
    assert!(matches!(timeless, Err(Refusal::Error(why)) if why.contains("time.now_ns")));
}

#[test]
fn an_endless_computation_ends() {
    let loops = |count: u32| {
        let range = format!("numbers.range(1, {count})");
        format!("{HEAD}allow if count([1 | some a in {range}; some b in {range}; some c in {range}; a + b == c]) > 0")
    };
    let limit = Duration::from_millis(300);
    assert_eq!(evaluate(&source(&loops(4000)), &json!({}), limit), Err(Refusal::Time { limit: 300 }));
    assert!(evaluate(&source(&loops(4)), &json!({}), TIME).is_ok_and(|it| it.allow), "the control");
}

#[test]
fn reasons_are_bounded_and_harmless_to_show() {
    let many = |count: u32| {
        ruled(&format!("allow := true\ndeny contains sprintf(\"%d\", [n]) if some n in numbers.range(1, {count})"))
    };
    assert_eq!(many(65), Err(Refusal::Verbose { rule: "deny".into() }));
    assert_eq!(many(64).map(|it| it.deny.len()), Ok(64), "the control");
    let long = "x".repeat(800);
    assert_eq!(
        ruled(&format!("allow := true\nwarn contains concat(\"\", [\"{long}\",\n\"{long}\"])")),
        Err(Refusal::Verbose { rule: "warn".into() })
    );
    let decision = ruled("allow := true\nnote contains \"\\u001b[31mred\\nnext\"").expect("a decision");
    assert_eq!(decision.note, ["\\u{1b}[31mred\\nnext"]);
}

#[test]
fn stock_policies_can_be_read_and_deny_what_they_are_not_told_of() {
    for stock in STOCK {
        let source = Source::stock(stock.name).expect("a policy");
        assert_eq!(read(&source), Ok(()), "{}", stock.name);
        for document in [json!({}), json!({ "family": "cca" }), json!({ "family": "virtcca-1" }), json!(null)] {
            let decision = evaluate(&source, &document, TIME);
            assert!(decision.is_ok_and(|it| !it.allow), "{} of {document}", stock.name);
        }
    }
    assert_eq!(Source::stock("none"), None);
}

#[test]
fn errors_say_where_on_one_line() {
    let Err(Refusal::Syntax(why)) = ruled("allow if {") else { panic!("no syntax error") };
    assert!(why.starts_with("p.rego:5:") && !why.contains('\\') && why.len() < 100, "{why}");
}
