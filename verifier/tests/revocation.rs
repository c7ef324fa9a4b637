//! Lists of revoked certificates: who is on one is refused, and what cannot be told is shown as that.

mod maker;

use allod_verifier::certificate::Unreadable;
use allod_verifier::{Anchors, Check, Outcome, Status, Step, Verdict};
use maker::token::Maker;
use maker::{
    Certificate, NOW, RevocationList, anchors, der, failed, good_references, judge_by, key, leaf, list, root, sub,
};

fn with_lists(anchors: Anchors, lists: &[&RevocationList]) -> Anchors {
    let mut anchors = anchors;
    lists.iter().for_each(|list| anchors.add_revocations(&list.der()).expect("a list that can be read"));
    anchors
}

fn judged(anchors: &Anchors) -> Verdict {
    judge_by(&Maker::default().token(), anchors, &good_references(), NOW)
}

/// What a good token comes to under these lists.
fn under(lists: &[&RevocationList]) -> Verdict {
    judged(&with_lists(anchors(&sub_may_revoke(root()), &[&sub_may_revoke(sub()), &leaf()]), lists))
}

/// An authority that may sign lists too.
fn sub_may_revoke(authority: Certificate) -> Certificate {
    Certificate { usage: Some(0x06), ..authority }
}

fn step(verdict: &Verdict) -> &Check {
    verdict.checks().iter().find(|check| check.step == Step::Revocation).expect("the step is always shown")
}

fn found(verdict: &Verdict) -> String {
    step(verdict).found.clone().unwrap_or_default()
}

#[test]
fn a_revoked_platform_key_is_refused() {
    let verdict = under(&[&list()]);
    assert_eq!(
        (verdict.outcome(), step(&verdict).status),
        (Outcome::Affirming, Status::Ok),
        "the control: {verdict:#?}"
    );
    let mut revoked = list();
    revoked.revoked = vec![6, 7];
    let verdict = under(&[&revoked]);
    assert_eq!((verdict.outcome(), failed(&verdict).as_deref()), (Outcome::Contraindicated, Some("revocation")));
    assert!(found(&verdict).contains("CN=cpak, number 07, revoked since 2026-11-05"), "{}", found(&verdict));
    assert!(verdict.platform().is_none(), "what is not authentic says nothing");
    revoked.revoked = vec![6, 8];
    assert_eq!(under(&[&revoked]).outcome(), Outcome::Affirming, "other numbers are others");
    let both = under(&[&list(), &RevocationList { revoked: vec![7], ..list() }]);
    assert_eq!(failed(&both).as_deref(), Some("revocation"), "no other list can clear it");
}

#[test]
fn a_revoked_authority_is_refused() {
    let sub = Certificate { serial: 9, ..sub_may_revoke(sub()) };
    let anchors = || anchors(&sub_may_revoke(root()), &[&sub, &leaf()]);
    let roots = |revoked| RevocationList { issuer: "root", signer: key(1), revoked, ..list() };
    assert_eq!(
        judged(&with_lists(anchors(), &[&list(), &roots(vec![7])])).outcome(),
        Outcome::Affirming,
        "the control"
    );
    let verdict = judged(&with_lists(anchors(), &[&list(), &roots(vec![9])]));
    assert_eq!(failed(&verdict).as_deref(), Some("revocation"));
    assert!(found(&verdict).contains("CN=sub, number 09"), "{}", found(&verdict));
}

#[test]
fn a_stale_list_clears_nobody_and_still_revokes() {
    for (this_update, next_update) in [
        ("20260101000000Z", Some("20260201000000Z")),
        ("20270101000000Z", Some("20270201000000Z")),
        ("20261101000000Z", None),
    ] {
        let stale = RevocationList { this_update, next_update, ..list() };
        let verdict = under(&[&stale]);
        assert_eq!((verdict.outcome(), step(&verdict).status), (Outcome::Warning, Status::NotDone));
        assert!(found(&verdict).contains("the list of CN=sub holds from 20"), "{}", found(&verdict));
        assert_eq!(under(&[&stale, &list()]).outcome(), Outcome::Affirming, "beside a current one it does no harm");
        let revoked = RevocationList { revoked: vec![7], ..stale };
        assert_eq!(failed(&under(&[&revoked])).as_deref(), Some("revocation"));
    }
}

#[test]
fn only_the_issuers_own_list_counts() {
    let forged = RevocationList { signer: key(9), revoked: vec![7], ..list() };
    let verdict = under(&[&forged]);
    assert_eq!((verdict.outcome(), step(&verdict).status), (Outcome::Warning, Status::NotDone));
    assert!(found(&verdict).contains("not signed by it"), "{}", found(&verdict));
    assert_eq!(under(&[&forged, &list()]).outcome(), Outcome::Affirming);
    let roots = RevocationList { issuer: "root", signer: key(1), revoked: vec![7], ..list() };
    let root = Certificate { serial: 5, ..sub_may_revoke(root()) };
    let sub = Certificate { serial: 5, ..sub_may_revoke(sub()) };
    let verdict = judged(&with_lists(anchors(&root, &[&sub, &leaf()]), &[&roots]));
    assert_eq!(step(&verdict).status, Status::NotDone, "the root's list says nothing of the leaf");
    assert!(found(&verdict).contains("no list for CN=cpak"), "{}", found(&verdict));
    let plain = judged(&with_lists(anchors(&maker::root(), &[&maker::sub(), &leaf()]), &[&list()]));
    assert_eq!(step(&plain).status, Status::NotDone, "an authority that may not sign lists has none");
}

#[test]
fn a_certificate_that_names_a_list_must_be_on_a_current_one() {
    let named = Certificate { list: Some("http://lists.example/crl"), ..leaf() };
    let anchors = || anchors(&sub_may_revoke(root()), &[&sub_may_revoke(sub()), &named]);
    let verdict = judged(&anchors());
    assert_eq!((verdict.outcome(), step(&verdict).status), (Outcome::Warning, Status::NotDone));
    assert!(found(&verdict).contains("http://lists.example/crl"), "{}", found(&verdict));
    assert_eq!(judged(&with_lists(anchors(), &[&list()])).outcome(), Outcome::Affirming);
    let verdict = under(&[]);
    assert_eq!(step(&verdict).status, Status::NotApplicable, "where nobody publishes a list there is none to consult");
    assert_eq!(verdict.outcome(), Outcome::Affirming);
}

#[test]
fn a_pinned_key_cannot_be_looked_up() {
    let identity = allod_verifier::certificate::Identity {
        implementation_id: maker::IMPLEMENTATION,
        instance_id: maker::instance(&key(3)),
    };
    let mut anchors = Anchors::new();
    anchors.pin(identity, key(3).verifying());
    assert_eq!(step(&judged(&anchors)).status, Status::NotApplicable);
    let verdict = judged(&with_lists(anchors, &[&list()]));
    assert_eq!((verdict.outcome(), step(&verdict).status), (Outcome::Warning, Status::NotDone));
}

#[test]
fn a_list_that_says_less_than_it_seems_to_is_not_read() {
    let read = |list: &RevocationList| Anchors::new().add_revocations(&list.der()).err();
    let with = |id: u8, critical: bool| {
        let extension = der::extension(&[0x55, 0x1D, id], critical, &der::integer(&[1]));
        RevocationList { more: vec![extension], ..list() }
    };
    assert_eq!(read(&with(20, false)), None, "a number");
    assert_eq!(read(&with(27, true)), Some(Unreadable::Critical), "a list of changes");
    assert_eq!(read(&with(28, true)), Some(Unreadable::Critical), "a list of some certificates");
    let twice = der::extension(&[0x55, 0x1D, 20], false, &der::integer(&[1]));
    assert_eq!(read(&RevocationList { more: vec![twice.clone(), twice], ..list() }), Some(Unreadable::Extension));
    let mut long = list().der();
    long.push(0);
    assert_eq!(Anchors::new().add_revocations(&long).err(), Some(Unreadable::Encoding));
    assert_eq!(Anchors::new().add_revocations(&leaf().der()).err(), Some(Unreadable::Encoding), "a certificate");
}
