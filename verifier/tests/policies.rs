//! What policies make of verdicts: stock ones and one's own, on both families, each refusal beside its control.

#[allow(dead_code, reason = "each test file uses its own part")]
mod boot;
mod maker;
mod vector;

use allod_verifier::rego::{Decision, Refusal, Ruling, Source, document, evaluate};
use allod_verifier::rules::{Rules, draft};
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, References, Status, Step, Verdict, verify_with_log};
use evidence::eventlog::{Algorithm, EventLog};
use maker::token::{Maker, array, bytes, set};
use maker::virtcca::{Second, chain, first, first_token};
use maker::{CHALLENGE, NOW, Signer, key, key521};
use serde_json::{Value, json};
use std::time::Duration;

fn hex(text: &str) -> Vec<u8> {
    evidence::hex::decode(text).expect("hexadecimal")
}

/// Evidence and what it is judged by.
struct Judged {
    token: Vec<u8>,
    log: Option<Vec<u8>>,
    anchors: Anchors,
    references: References,
    policy: Policy,
}

impl Judged {
    fn new(token: Vec<u8>, anchors: Anchors, references: &[&str]) -> Self {
        let mut all = References::new();
        references.iter().for_each(|it| all.add(it.as_bytes()).expect("a reference"));
        Self { token, log: None, anchors, references: all, policy: Policy::default() }
    }

    fn before(&self) -> Verdict {
        let nonce = Nonce::new(&CHALLENGE).expect("64 bytes");
        let (anchors, references) = (&self.anchors, &self.references);
        let case = Case { anchors, nonce, at: NOW, references, policy: &self.policy };
        verify_with_log(&self.token, self.log.as_deref(), &case)
    }

    fn document(&self) -> Value {
        document(&self.before(), self.log.as_deref(), NOW).expect("an authentic token")
    }

    fn by(&self, source: &Source) -> Verdict {
        let result = evaluate(source, &self.document(), Duration::from_secs(20));
        self.before().ruled(&[Ruling::new(source, result)], &self.policy)
    }

    fn stock(&self, name: &str) -> Verdict {
        self.by(&Source::stock(name).expect("a stock policy"))
    }
}

/// The reference of a Realm of which the RIM is known.
const RIM: &str = r#"{"profile": "allod-reference-1", "realm": {"hash": "sha-256",
    "rim": "1111111111111111111111111111111111111111111111111111111111111111"}}"#;

fn cca(maker: &Maker, realm: &str) -> Judged {
    Judged::new(maker.token(), maker::good_anchors(), &[maker::token::PLATFORM_REFERENCE, realm])
}

fn with_rems(rems: [Vec<u8>; 4]) -> Maker {
    let mut maker = Maker::default();
    set(&mut maker.realm, 44239, array(&rems.map(|it| bytes(&it))));
    maker
}

fn found(verdict: &Verdict) -> String {
    let check = verdict.checks().iter().find(|check| check.step == Step::Policy).expect("a policy was asked");
    check.found.clone().expect("it said something")
}

fn own(rules: &str) -> Source {
    Source::new("own.rego", format!("package allod\n{rules}").into_bytes()).expect("text")
}

/// The log of the boot in docs/eventlog.md, its measurements, and rules that admit it and nothing else.
fn booted(events: &[boot::Step]) -> (Vec<u8>, [Vec<u8>; 4]) {
    let log = boot::log(events);
    let parsed = EventLog::parse(&log).expect("a log");
    let rems = allod_verifier::replay::rems(&parsed, Algorithm::Sha256).expect("it replays");
    (log, rems)
}

fn rules() -> Rules {
    let (log, _) = booted(&boot::boot());
    let text = draft(&EventLog::parse(&log).expect("a log"), Algorithm::Sha256);
    Rules::parse(text.as_bytes()).expect("rules")
}

/// A Realm that booted these events, and whose RIM is all that is known.
fn realm_with(events: &[boot::Step]) -> Judged {
    let (log, rems) = booted(events);
    Judged { log: Some(log), ..cca(&with_rems(rems), RIM) }
}

#[test]
fn the_stock_policy_of_cca_lets_registers_of_zeros_go_without_reference() {
    let judged = cca(&Maker::default(), RIM);
    assert_eq!(judged.before().outcome(), Outcome::Warning, "without the policy");
    let verdict = judged.stock("cca");
    assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
    assert_eq!(found(&verdict), "allowed; may stay undone: log, rem, rpv");
    let [policy] = verdict.policies() else { panic!("one policy") };
    assert_eq!((policy.name.as_str(), policy.sha256.len()), ("cca", 64));
    let report = serde_json::to_value(&verdict).expect("a report");
    assert_eq!(report["policies"], json!([{ "name": "cca", "sha256": policy.sha256 }]));

    let extended = [vec![0; 32], vec![0x77; 32], vec![0; 32], vec![0; 32]];
    let verdict = cca(&with_rems(extended), RIM).stock("cca");
    assert_eq!(verdict.outcome(), Outcome::Contraindicated);
    assert!(found(&verdict).starts_with("rem 1: neither a reference nor a log with rules explains it"));
}

#[test]
fn the_stock_policy_of_cca_demands_what_a_token_has_to_show() {
    let denied = |maker: &Maker, references: [&str; 2], reason: &str| {
        let verdict = Judged::new(maker.token(), maker::good_anchors(), &references).stock("cca");
        assert_eq!(verdict.outcome(), Outcome::Contraindicated);
        assert!(found(&verdict).contains(reason), "{}", found(&verdict));
    };
    let platform = maker::token::PLATFORM_REFERENCE;
    denied(&Maker::default(), [platform, platform], "rim: expected to be done and to hold, found not-done");
    denied(&Maker::default(), [RIM, RIM], "component: expected to be done and to hold, found not-done");
    let mut open = Maker::default();
    set(&mut open.platform, 2395, maker::token::uint(0x4000));
    denied(&open, [platform, RIM], "lifecycle: expected a secured platform");
    assert!(cca(&Maker::default(), RIM).stock("cca").affirms(), "the control");
}

#[test]
fn a_log_with_rules_explains_every_register() {
    let mut judged = realm_with(&boot::boot());
    judged.policy.rules = Some(rules());
    let verdict = judged.stock("cca");
    assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");

    judged.policy.rules = None;
    let verdict = judged.stock("cca");
    assert_eq!(verdict.outcome(), Outcome::Contraindicated, "a log without rules explains nothing");

    judged.policy.rules = Some(rules());
    judged.log = None;
    let verdict = judged.before();
    let check = verdict.checks().iter().find(|check| check.step == Step::LogRules).expect("in the report");
    assert_eq!((check.status, verdict.outcome()), (Status::NotDone, Outcome::Warning), "rules without a log");
    assert_eq!(judged.stock("cca").outcome(), Outcome::Contraindicated);
}

#[test]
fn rules_name_what_they_do_not_admit() {
    let mut events = boot::boot();
    let line = format!("{} init=/bin/sh", boot::LINE);
    let at = events.iter().position(|it| it.data.starts_with(b"kernel_cmdline")).expect("a command line");
    events[at] = boot::Step::line("kernel_cmdline", &line);
    let mut judged = realm_with(&events);
    assert_ne!(judged.before().outcome(), Outcome::Contraindicated, "the log is true");
    judged.policy.rules = Some(rules());
    let verdict = judged.before();
    assert_eq!((verdict.outcome(), maker::failed(&verdict).as_deref()), (Outcome::Contraindicated, Some("log-rules")));
    let found = verdict.failed().and_then(|it| it.found.clone()).expect("a finding");
    assert!(found.contains("init=/bin/sh"), "{found}");

    judged.log = Some(boot::log(&boot::boot()));
    let verdict = judged.before();
    assert_eq!(maker::failed(&verdict).as_deref(), Some("log"), "a log that is admitted and is not the Realm's");
    let check = verdict.checks().iter().find(|check| check.step == Step::LogRules).expect("in the report");
    assert_eq!(check.status, Status::NotDone);

    let mut other = rules();
    other.hash = Algorithm::Sha384;
    let mut judged = realm_with(&boot::boot());
    judged.policy.rules = Some(other);
    let verdict = judged.before();
    assert_eq!(maker::failed(&verdict).as_deref(), Some("log-rules"), "digests that the token does not vouch for");
}

#[test]
fn policies_see_the_events_that_the_token_vouches_for() {
    let demand = own(&format!(
        r#"default allow := false
        allow if {{
            some event in input.log.events
            event.subject == "kernel_cmdline"
            event.text == "{}"
            event.measured
        }}"#,
        boot::LINE
    ));
    let mut judged = realm_with(&boot::boot());
    let document = judged.document();
    let first = &document["log"]["events"][0];
    assert_eq!(
        (&first["register"], &first["rem"], &first["type"]),
        (&json!("REM0"), &json!(0), &json!("EV_S_CRTM_VERSION")),
        "{first:#}"
    );
    assert!(found(&judged.by(&demand)).starts_with("allowed"));
    let mut events = boot::boot();
    events.retain(|it| !it.data.starts_with(b"kernel_cmdline"));
    assert_eq!(found(&realm_with(&events).by(&demand)), "allow is false");
    judged.log = Some(boot::log(&events));
    assert_eq!(judged.document()["log"], Value::Null, "a log that is not the Realm's");
}

fn first_generation() -> Judged {
    Judged::new(first_token(&first()), maker::virtcca::anchors(&chain(key, &Signer::Rsa)), &[RIM])
}

#[test]
fn virtccas_first_generation_affirms_only_by_the_policy_that_says_so() {
    let judged = first_generation();
    let verdict = judged.stock("virtcca");
    assert_eq!(verdict.outcome(), Outcome::Warning, "{verdict:#?}");
    assert!(found(&verdict).contains("the platform's firmware is not attested"));
    let verdict = judged.stock("virtcca-unattested-platform");
    assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
    assert!(found(&verdict).contains("the platform's firmware is not attested"), "it says so all the same");
    let undone = verdict.checks().iter().filter(|check| check.status == Status::NotDone).map(|check| check.step);
    assert!(undone.into_iter().any(|step| step == Step::Component), "and shows what was not done");
    assert_eq!(judged.stock("cca").outcome(), Outcome::Contraindicated);
}

#[test]
fn virtccas_second_generation_affirms_by_its_stock_policy() {
    let second = || Second::default().token();
    let anchors = || maker::virtcca::anchors(&chain(key521, &key521(3)));
    let judged = Judged::new(second(), anchors(), &[maker::virtcca::PLATFORM_REFERENCE, RIM]);
    let verdict = judged.stock("virtcca");
    assert_eq!(verdict.outcome(), Outcome::Affirming, "{verdict:#?}");
    let unattested = judged.stock("virtcca-unattested-platform");
    assert_eq!(unattested.outcome(), Outcome::Contraindicated, "it is for the first generation alone");
    let judged = Judged::new(second(), anchors(), &[RIM]);
    assert_eq!(judged.stock("virtcca").outcome(), Outcome::Contraindicated, "no reference of the platform");
}

#[test]
fn both_families_have_one_shape() {
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let cca = cca(&Maker::default(), RIM).document();
    let second = Judged::new(Second::default().token(), maker::virtcca::anchors(&chain(key521, &key521(3))), &[RIM]);
    let (first, second) = (first_generation().document(), second.document());
    assert_eq!(
        (&cca["family"], &first["family"], &second["family"]),
        (&json!("cca"), &json!("virtcca-1"), &json!("virtcca-2"))
    );
    for other in [&first, &second] {
        assert_eq!(keys(other), keys(&cca));
        assert_eq!(keys(&other["realm"]), keys(&cca["realm"]));
    }
    assert_eq!(keys(&second["platform"]), keys(&cca["platform"]));
    assert_eq!(first["platform"], Value::Null);
    assert_eq!(cca["platform"]["lifecycle"], json!({ "state": "secured", "number": 0x3000 }));
    assert_eq!(cca["steps"]["rim"], "ok");
}

#[test]
fn no_policy_makes_a_verdict_better_but_by_naming_steps() {
    let permissive = own(r#"allow := true
        may_miss := {"structure", "trust-anchor", "nonce", "rim", "log", "component", "policy"}"#);
    let wrong = RIM.replace("11", "12");
    let verdict = cca(&Maker::default(), &wrong).by(&permissive);
    assert_eq!((verdict.outcome(), maker::failed(&verdict).as_deref()), (Outcome::Contraindicated, Some("rim")));

    let silent = own("allow := true");
    let judged = cca(&Maker::default(), RIM);
    assert_eq!(judged.by(&silent).outcome(), judged.before().outcome());
    let mut good = cca(&Maker::default(), RIM);
    good.references = maker::good_references();
    assert!(good.by(&silent).affirms(), "the control");
    let denies = own("default allow := false\nmay_miss contains \"rem\"");
    let verdict = good.by(&denies);
    assert_eq!((verdict.outcome(), found(&verdict).as_str()), (Outcome::Contraindicated, "allow is false"));
    let warns = own("allow := true\nwarn contains \"look\"");
    assert_eq!(good.by(&warns).outcome(), Outcome::Warning);
}

#[test]
fn every_policy_has_to_allow() {
    let judged = cca(&Maker::default(), RIM);
    let stock = Source::stock("cca").expect("a policy");
    let ask = |source: &Source| Ruling::new(source, evaluate(source, &judged.document(), Duration::from_secs(20)));
    let also = |other: &Source| judged.before().ruled(&[ask(&stock), ask(other)], &judged.policy);
    assert!(also(&own("allow := true")).affirms(), "the control");
    for rules in ["default allow := false", "allow := true\ndeny contains \"no\"", "allow := 7", "allow if {"] {
        let verdict = also(&own(rules));
        assert_eq!((verdict.outcome(), verdict.policies().len()), (Outcome::Contraindicated, 2), "{rules}");
    }
}

#[test]
fn a_policy_that_could_not_be_asked_contraindicates() {
    let judged = cca(&Maker::default(), RIM);
    let source = own("allow := true");
    let ruled = |result: Result<Decision, Refusal>| {
        let policy =
            Policy { may_stay_undone: vec![Step::Policy, Step::Rem, Step::Log, Step::Rpv], ..Policy::default() };
        judged.before().ruled(&[Ruling::new(&source, result)], &policy)
    };
    let allowed = Decision { allow: true, ..Decision::default() };
    assert!(ruled(Ok(allowed)).affirms(), "the control");
    for refusal in [Refusal::Time { limit: 1 }, Refusal::Memory { limit: 1 }, Refusal::Depth, Refusal::Undefined] {
        assert_eq!(ruled(Err(refusal)).outcome(), Outcome::Contraindicated);
    }
}

#[test]
fn no_policy_is_asked_about_what_is_not_authentic() {
    let mut judged = cca(&Maker::default(), RIM);
    judged.anchors = Anchors::new();
    let before = judged.before();
    assert_eq!(document(&before, None, NOW), None);
    let source = own("allow := true");
    let verdict = before
        .clone()
        .ruled(&[Ruling::new(&source, Ok(Decision { allow: true, ..Decision::default() }))], &judged.policy);
    assert_eq!(verdict, before);
}

/// What a stock policy makes of somebody else's token, and what it says.
fn stock_of(vector: &vector::Vector, references: &References, name: &str) -> (Outcome, String) {
    let source = Source::stock(name).expect("a stock policy");
    let before = vector.judge(&vector.token, references);
    let document = document(&before, None, NOW).expect("an authentic token");
    let ruling = Ruling::new(&source, evaluate(&source, &document, Duration::from_secs(20)));
    // Devices of a platform have evidence of their own, which no stock policy knows of.
    let policy = Policy { may_stay_undone: vec![Step::Extension], ..Policy::default() };
    let verdict = before.ruled(&[ruling], &policy);
    (verdict.outcome(), found(&verdict))
}

#[test]
fn the_stock_policy_of_cca_knows_other_peoples_tokens_of_every_profile() {
    let Some(folder) = vector::vectors("attestation", 6) else { return };
    for (name, key_file) in [
        ("cca-tokens/legacy-tfrmm.cbor", "keys/ta-tfa.json"),
        ("cca-tokens/mixed-legacy-platform-2023-realm.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-cmw907.cbor", "keys/evcli-ec256.json"),
        ("cca-tokens/p2023-tfa-13components.cbor", "keys/ta-tfa.json"),
        ("derived/p2024-all-claims-tag399.cbor", "keys/evcli-ec256.json"),
        ("derived/p2026-delegated-cmw907.cbor", "keys/ta-tfa.json"),
    ] {
        let vector = vector::Vector::arm(&folder, name, key_file);
        let (outcome, said) = stock_of(&vector, &vector.echo(), "cca");
        let replaceable = said.contains("can be replaced while it runs");
        assert_eq!(outcome, if replaceable { Outcome::Warning } else { Outcome::Affirming }, "{name}: {said}");
        assert_eq!(stock_of(&vector, &References::new(), "cca").0, Outcome::Contraindicated, "{name}: no references");
        assert_eq!(stock_of(&vector, &vector.echo(), "virtcca").0, Outcome::Contraindicated, "{name}");
    }
}

#[test]
fn the_stock_policies_of_virtcca_know_a_real_machines_token() {
    let Some(folder) = vector::vectors("virtcca", 1) else { return };
    let vector = vector::Vector::virtcca(&folder);
    let of = |name: &str| stock_of(&vector, &vector.echo(), name).0;
    assert_eq!(of("virtcca"), Outcome::Warning);
    assert_eq!(of("virtcca-unattested-platform"), Outcome::Affirming);
    assert_eq!(of("cca"), Outcome::Contraindicated);
    let (outcome, said) = stock_of(&vector, &References::new(), "virtcca-unattested-platform");
    assert_eq!(outcome, Outcome::Contraindicated, "{said}");
}
