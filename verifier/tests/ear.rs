//! Attestation results: never better than what was checked, the same when they are read again, and nobody else's.

mod maker;
mod vector;

use allod_verifier::ear::{Aspect, Context, Ear, Jws, Refusal, Spelling, Tier, Vector};
use allod_verifier::{Anchors, Case, Nonce, Outcome, Policy, References, Step, Verdict, verify};
use maker::token::{Maker, bytes, set};
use maker::{CHALLENGE, NOW, Signer, good_anchors, good_references, judge, judge_by, key, key521, virtcca};
use serde_json::{Value, json};

fn context(policy: &Policy, spelling: Spelling) -> Context<'_> {
    Context { spelling, at: NOW, nonce: &CHALLENGE[..48], policy, raw_evidence: Some(b"evidence") }
}

fn ear(verdict: &Verdict) -> Ear {
    Ear::of(verdict, &context(&Policy::default(), Spelling::Deployed))
}

fn values(ear: &Ear, part: &str) -> (Tier, [i8; 8]) {
    let appraisal = ear.submods.get(part).expect("the part");
    let vector = appraisal.vector.expect("a vector");
    (appraisal.status, Aspect::ALL.map(|aspect| vector.get(aspect)))
}

fn faulty(fault: impl FnOnce(&mut Maker)) -> Verdict {
    let mut maker = Maker::default();
    fault(&mut maker);
    judge(&maker.token())
}

/// Nothing is known of what to expect.
fn unreferenced() -> Verdict {
    judge_by(&Maker::default().token(), &good_anchors(), &References::new(), NOW)
}

#[test]
fn a_good_token_affirms_both_parts_and_claims_no_more_than_was_checked() {
    let ear = ear(&judge(&Maker::default().token()));
    assert_eq!(values(&ear, "CCA_SSD_PLATFORM"), (Tier::Affirming, [2, 2, 3, 0, 2, 2, 0, 0]));
    // The profile of this token does not say how memory is encrypted, and so nothing is claimed of that.
    assert_eq!(values(&ear, "CCA_REALM"), (Tier::Affirming, [2, 2, 2, 0, 0, 0, 0, 0]));
    assert_eq!((ear.submods.len(), ear.status(), ear.issued_at), (2, Tier::Affirming, NOW as i64));
    let claims = ear.to_json();
    let realm = &claims["submods"]["CCA_REALM"];
    assert_eq!(realm["ear.status"], "affirming");
    assert_eq!(realm["ear.veraison.annotated-evidence"]["cca-realm-hash-algo-id"], "sha-256");
    assert_eq!(realm["ear.veraison.policy-claims"]["problem"], Value::Null);
    assert_eq!(
        claims["submods"]["CCA_SSD_PLATFORM"]["ear.veraison.annotated-evidence"]["cca-platform-lifecycle"],
        0x3000
    );
}

#[test]
fn what_was_not_done_is_not_affirming() {
    let undone = ear(&unreferenced());
    assert_eq!(values(&undone, "CCA_SSD_PLATFORM"), (Tier::Warning, [2, 36, 33, 0, 0, 0, 0, 0]));
    assert_eq!(values(&undone, "CCA_REALM"), (Tier::Warning, [2, 36, 33, 0, 0, 0, 0, 0]));
    let anchors = good_anchors();
    let policy = Policy { may_stay_undone: Step::ALL.to_vec(), ..Policy::default() };
    let case = Case {
        anchors: &anchors,
        nonce: Nonce::new(&CHALLENGE).expect("64 bytes"),
        at: NOW,
        references: &References::new(),
        policy: &policy,
    };
    // What the caller lets stay undone holds nothing back, and is not claimed either.
    let excused = Ear::of(&verify(&Maker::default().token(), &case), &context(&policy, Spelling::Deployed));
    assert_eq!(values(&excused, "CCA_SSD_PLATFORM"), (Tier::Affirming, [2, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(values(&excused, "CCA_REALM"), (Tier::Affirming, [2, 0, 0, 0, 0, 0, 0, 0]));
    let policies = |ear: &Ear| ear.submods["CCA_REALM"].policies.clone();
    assert_ne!(policies(&excused), policies(&undone), "another policy has another name");
}

#[test]
fn what_failed_is_contraindicated_where_it_failed() {
    let part = |verdict: &Verdict, part: &str| values(&ear(verdict), part);
    let component = faulty(|it| set(&mut it.platform, 2401, bytes(&[1])));
    assert_eq!(part(&component, "CCA_SSD_PLATFORM"), (Tier::Contraindicated, [2, 96, 3, 0, 2, 2, 0, 0]));
    assert_eq!(part(&component, "CCA_REALM").0, Tier::Affirming);
    let open = faulty(|it| set(&mut it.platform, 2395, maker::token::uint(0x5000)));
    assert_eq!(part(&open, "CCA_SSD_PLATFORM"), (Tier::Contraindicated, [2, 2, 3, 0, 96, 96, 0, 0]));
    let image = faulty(|it| set(&mut it.realm, 44238, bytes(&[9; 32])));
    assert_eq!(part(&image, "CCA_REALM"), (Tier::Contraindicated, [2, 2, 96, 0, 0, 0, 0, 0]));
    assert_eq!(part(&image, "CCA_SSD_PLATFORM").0, Tier::Affirming);
}

#[test]
fn evidence_that_is_not_authentic_claims_nothing() {
    for (verdict, value) in [
        (faulty(|it| it.cpak = key(9)), Vector::all(99)),
        (faulty(|it| it.rak = key(9)), Vector::all(99)),
        (judge(b"no token"), Vector::all(1)),
    ] {
        for part in ["CCA_SSD_PLATFORM", "CCA_REALM"] {
            assert_eq!(values(&ear(&verdict), part), (Tier::Contraindicated, Aspect::ALL.map(|it| value.get(it))));
        }
    }
    let unknown = judge_by(&Maker::default().token(), &Anchors::new(), &good_references(), NOW);
    assert_eq!(values(&ear(&unknown), "CCA_REALM"), (Tier::Contraindicated, [97, 0, 0, 0, 0, 0, 0, 0]));
    let stale = faulty(|it| set(&mut it.realm, 10, bytes(&[9; 64])));
    assert_eq!(values(&ear(&stale), "CCA_REALM"), (Tier::Contraindicated, [96, 0, 0, 0, 0, 0, 0, 0]));
    for verdict in [unknown, stale] {
        let claims = ear(&verdict).to_json();
        let realm = &claims["submods"]["CCA_REALM"];
        assert_eq!(realm["ear.veraison.annotated-evidence"], Value::Null, "nobody stands for what it says");
        assert!(realm["ear.veraison.policy-claims"]["problem"].is_string());
    }
}

#[test]
fn a_result_ends_as_its_verdict_does() {
    let tier = |outcome| match outcome {
        Outcome::Affirming => Tier::Affirming,
        Outcome::Warning => Tier::Warning,
        Outcome::Contraindicated | Outcome::Malformed | Outcome::NoTrustAnchor => Tier::Contraindicated,
    };
    let bad = |claim: u64, value: Vec<u8>| faulty(|it| set(&mut it.platform, claim, value));
    for verdict in [
        judge(&Maker::default().token()),
        unreferenced(),
        judge(b""),
        bad(2395, maker::token::uint(0x6000)),
        bad(2396, bytes(&[9; 32])),
        bad(2401, bytes(&[])),
        faulty(|it| it.cpak = key(9)),
    ] {
        let ear = ear(&verdict);
        assert_eq!(ear.status(), tier(verdict.outcome()), "{verdict:#?}");
        assert!(ear.submods.values().all(|it| it.vector.is_some_and(|vector| vector.tier() <= it.status)));
    }
}

#[test]
fn virtcca_has_names_of_its_own() {
    let machine = virtcca::chain(|_| Signer::Rsa, &Signer::Rsa);
    let verdict =
        judge_by(&virtcca::first_token(&virtcca::first()), &virtcca::anchors(&machine), &virtcca::references(), NOW);
    let ear = ear(&verdict);
    assert_eq!(ear.submods.keys().collect::<Vec<_>>(), ["VIRTCCA_PLATFORM", "VIRTCCA_REALM"]);
    assert_eq!(values(&ear, "VIRTCCA_PLATFORM").1[5], 0, "nothing is claimed of its memory");
    assert_eq!(verdict.outcome(), Outcome::Warning);
    assert_eq!(ear.status(), Tier::Warning);
}

#[test]
fn both_spellings_say_the_same_and_are_read_again() {
    let policy = Policy::default();
    for verdict in [judge(&Maker::default().token()), unreferenced(), judge(b"")] {
        for spelling in Spelling::ALL {
            let ear = Ear::of(&verdict, &context(&policy, spelling));
            let text = ear.to_json().to_string();
            assert!(Ear::from_json(text.as_bytes()) == Ok(ear), "{text}");
            let (own, other) = match spelling {
                Spelling::Deployed => ("ear.", "ear_"),
                Spelling::Draft => ("ear_", "ear."),
            };
            let begins = |prefix: &str| text.contains(&format!("\"{prefix}status\""));
            assert!(begins(own) && !begins(other), "{text}");
        }
    }
}

#[test]
fn a_signed_result_is_believed_of_its_signer_alone() {
    let signers = [maker::signer::key256(1), key(1), key521(1)];
    let ear = ear(&judge(&Maker::default().token()));
    for signer in &signers {
        let public = signer.verifying();
        let token = ear.to_jws(&public, |message| signer.sign(message));
        assert!(Ear::open(&token, &public).as_ref() == Ok(&ear), "the control");
        for other in signers.iter().filter(|other| other.verifying() != public) {
            assert!(matches!(Ear::open(&token, &other.verifying()), Err(Refusal::Signature(_))));
        }
        let jws = Jws::parse(&token).expect("a token");
        assert_eq!(jws.algorithm(), public.algorithm());
        assert!(Ear::from_json(jws.alleged()).as_ref() == Ok(&ear));
        let step = token.len() / 150 + 1;
        for at in (0..token.len()).step_by(step) {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            // The last character of base64 has bits that stand for nothing; strict readers refuse those that are set.
            assert!(Ear::open(&changed, &public).is_err(), "character {at} changed");
        }
        assert_eq!(Ear::open(&format!("{token}."), &public), Err(Refusal::Compact));
    }
}

#[test]
fn headers_that_ask_for_something_else_are_refused() {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let signer = maker::signer::key256(1);
    let payload =
        Base64UrlUnpadded::encode_string(ear(&judge(&Maker::default().token())).to_json().to_string().as_bytes());
    let token = |header: &str| {
        let signed = format!("{}.{payload}", Base64UrlUnpadded::encode_string(header.as_bytes()));
        let signature = Base64UrlUnpadded::encode_string(&signer.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    };
    let open = |header: &str| Ear::open(&token(header), &signer.verifying());
    assert!(open(r#"{"alg":"ES256"}"#).is_ok(), "the control");
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, "{}", r#"{"alg":"ES256","crit":["b64"],"b64":false}"#] {
        assert!(matches!(open(header), Err(Refusal::Header(_))), "{header}");
    }
    assert!(matches!(open(r#"{"alg":"ES384"}"#), Err(Refusal::Signature(_))), "another algorithm than the key's");
    assert!(matches!(open(r#"{"alg":"ES256","alg":"none"}"#), Err(Refusal::Json(_))));
}

#[test]
fn results_that_are_none_are_refused() {
    let good = ear(&judge(&Maker::default().token())).to_json();
    let read = |value: &Value| Ear::from_json(value.to_string().as_bytes());
    assert!(read(&good).is_ok(), "the control");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        read(&value)
    };
    for member in ["eat_profile", "iat", "submods", "ear.verifier-id"] {
        let without = changed(&|it| drop(it.as_object_mut().expect("an object").remove(member)));
        assert!(without.is_err(), "without {member}");
    }
    let realm = |name: &'static str, value: Value| changed(&move |it| it["submods"]["CCA_REALM"][name] = value.clone());
    assert!(matches!(realm("ear.status", json!("fine")), Err(Refusal::Member { .. })));
    assert!(matches!(realm("ear.trustworthiness-vector", json!({"hardware": 128})), Err(Refusal::Member { .. })));
    assert!(matches!(realm("ear.trustworthiness-vector", json!({"hardwear": 2})), Err(Refusal::Member { .. })));
    assert!(matches!(realm("ear.trustworthiness-vector", json!({"hardware": 96})), Err(Refusal::Status { .. })));
    assert!(matches!(realm("ear.appraisal-policy-id", json!(7)), Err(Refusal::Member { .. })));
    assert!(matches!(changed(&|it| it["eat_profile"] = json!("tag:else.example,2026:x")), Err(Refusal::Profile(_))));
    assert!(matches!(changed(&|it| it["submods"] = json!({})), Err(Refusal::Member { .. })));
    let twice = good.to_string().replacen("\"iat\"", "\"iat\":1,\"iat\"", 1);
    assert!(matches!(Ear::from_json(twice.as_bytes()), Err(Refusal::Json(_))));
    assert!(Ear::from_json("[".repeat(100_000).as_bytes()).is_err(), "nested beyond any use");
}

#[test]
fn results_of_others_are_read_and_their_key_signs() {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use p256::ecdsa::signature::Signer as _;
    let Some(folder) = vector::vectors("attestation", 5) else { return };
    let read = |name: &str| std::fs::read(folder.join("ear").join(name)).expect("the vector is there");
    let key = |name: &str| serde_json::from_slice::<Value>(&read(name)).expect("JSON");
    let public = serde_json::from_value(key("pkey.json")).expect("a JSON Web Key");
    let public = allod_verifier::key::Key::from_jwk(&public).expect("a key");
    let private = Base64UrlUnpadded::decode_vec(key("skey.json")["d"].as_str().expect("a scalar")).expect("base64url");
    let private = p256::ecdsa::SigningKey::from_slice(&private).expect("a key");
    for (name, spelling, part, status, executables) in [
        ("ear-claims.json", Spelling::Deployed, "test", Tier::Affirming, None),
        ("ear-claims-tv-ok.json", Spelling::Deployed, "test", Tier::Affirming, Some(3)),
        ("trustee-example.token.json", Spelling::Deployed, "cpu0", Tier::Contraindicated, Some(33)),
        ("ear-json-1.diag", Spelling::Draft, "PSA", Tier::Contraindicated, Some(96)),
        ("ext-veraison-json-1.diag", Spelling::Draft, "PSA_IOT", Tier::Contraindicated, Some(96)),
    ] {
        let ear = Ear::from_json(&read(name)).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!((ear.spelling, ear.status()), (spelling, status), "{name}");
        let appraisal = &ear.submods[part];
        assert_eq!(appraisal.vector.map(|it| it.get(Aspect::Executables)), executables, "{name}");
        assert!(Ear::from_json(ear.to_json().to_string().as_bytes()) == Ok(ear.clone()), "{name}, written again");
        let token = ear.to_jws(&public, |message| {
            let signature: p256::ecdsa::Signature = private.sign(message);
            signature.to_bytes().to_vec()
        });
        assert!(Ear::open(&token, &public) == Ok(ear), "{name}, signed");
    }
}
