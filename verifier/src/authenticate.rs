//! The first stage: whose token it is, and that it was made for this challenge.

use crate::anchors::{Anchors, Endorsed};
use crate::certificate::Identity;
use crate::chain::moment;
use crate::check::{Check, Step};
use crate::key::{Key, hash};
use crate::verdict::{Outcome, Verdict};
use evidence::hex::encode;
use evidence::{Claims, Parts, Token};
use subtle::ConstantTimeEq;

/// Length of the challenge in a realm token, in bytes.
const CHALLENGE: usize = 64;
/// Length of the shortest challenge that is fresh enough, in bytes (configfs-tsm takes no shorter one either).
const SHORTEST: usize = 32;

/// A challenge: 32 to 64 bytes, padded with zeros to the 64 of the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce([u8; CHALLENGE]);

impl Nonce {
    /// Takes 32 to 64 bytes; another number of them is `None`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut padded = [0; CHALLENGE];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        (bytes.len() >= SHORTEST).then_some(Self(padded))
    }
}

/// A token whose signatures, chain, binding and challenge hold: what it says was said by the endorsed platform.
/// Whether that is good news is for [`Authentic::appraise`] to tell.
#[derive(Clone, Debug)]
pub struct Authentic<'b> {
    pub(crate) claims: Claims<'b>,
    pub(crate) checks: Vec<Check>,
}

impl<'b> Authentic<'b> {
    /// What the platform and the RMM say.
    #[must_use]
    pub fn claims(&self) -> &Claims<'b> {
        &self.claims
    }
}

/// A token that is not authentic, or of nobody known; its claims are gone.
#[derive(Clone, Debug)]
pub struct Refused {
    outcome: Outcome,
    checks: Vec<Check>,
}

impl From<Refused> for Verdict {
    fn from(refused: Refused) -> Self {
        Self::refused(refused.outcome, refused.checks)
    }
}

/// The step from a token to an authentic one.
pub trait Authenticate<'b> {
    /// Judges chain, signatures, binding and challenge, `at` being the time in seconds since 1970.
    ///
    /// # Errors
    /// [`Refused`], with every check up to the one that failed, and the rest as not done.
    fn authenticate(self, anchors: &Anchors, nonce: &Nonce, at: u64) -> Result<Authentic<'b>, Refused>;
}

impl<'b> Authenticate<'b> for Token<'b> {
    fn authenticate(self, anchors: &Anchors, nonce: &Nonce, at: u64) -> Result<Authentic<'b>, Refused> {
        let mut checks = Vec::new();
        let judged = self.authenticate_with(|parts| judge(parts, anchors, nonce, at, &mut checks));
        match judged {
            Ok((claims, ())) => Ok(Authentic { claims, checks }),
            Err(failed) => {
                let outcome = match failed.step {
                    Step::TrustAnchor => Outcome::NoTrustAnchor,
                    _ => Outcome::Contraindicated,
                };
                Err(Refused { outcome, checks: completed(checks, *failed) })
            }
        }
    }
}

/// The list of checks up to the one that failed, and the rest as not reached.
pub(crate) fn completed(mut checks: Vec<Check>, failed: Check) -> Vec<Check> {
    let after = failed.step;
    checks.push(failed);
    checks.extend(Step::ALL.into_iter().filter(|step| *step > after).map(|step| Check::not_reached(step, after)));
    checks
}

type Judged = Result<Check, Box<Check>>;

fn judge(
    parts: &Parts<'_, '_>,
    anchors: &Anchors,
    nonce: &Nonce,
    at: u64,
    checks: &mut Vec<Check>,
) -> Result<(), Box<Check>> {
    let profiles = format!("{}; {}", parts.alleged.platform.profile.name(), parts.alleged.realm.profile.name());
    checks.push(Check::ok(Step::Structure, profiles));
    let (endorsed, found) = trust_anchor(parts, anchors)?;
    checks.push(found);
    checks.push(chain(&endorsed, anchors, at)?);
    checks.push(platform_signature(parts, endorsed.key())?);
    checks.push(realm_signature(parts)?);
    checks.push(binding(parts)?);
    checks.push(challenge(parts, nonce)?);
    Ok(())
}

fn trust_anchor<'a>(parts: &Parts<'_, '_>, anchors: &'a Anchors) -> Result<(Endorsed<'a>, Check), Box<Check>> {
    let platform = &parts.alleged.platform;
    let identity = Identity { implementation_id: platform.implementation_id, instance_id: platform.instance_id };
    match anchors.select(&identity) {
        Ok(endorsed) => Ok((endorsed, Check::ok(Step::TrustAnchor, identity.to_string()))),
        Err(none) => {
            let expected = format!("one endorsed key for {identity}");
            Err(Box::new(Check::failed(Step::TrustAnchor, expected, format!("{none}{}", at_hand(anchors)))))
        }
    }
}

/// The platforms that there are keys for: a few, for a reader who mixed two up.
fn at_hand(anchors: &Anchors) -> String {
    const SHOWN: usize = 3;
    let list: Vec<String> = anchors.identities().take(SHOWN).map(ToString::to_string).collect();
    if list.is_empty() { String::new() } else { format!("; endorsed are {}", list.join("; ")) }
}

fn chain(endorsed: &Endorsed<'_>, anchors: &Anchors, at: u64) -> Judged {
    if endorsed.is_pinned() {
        return Ok(Check::ok(Step::Chain, "none needed: the key is pinned"));
    }
    match anchors.path(endorsed, at) {
        Ok(path) => {
            let names: Vec<&str> = path.iter().map(|it| it.subject()).collect();
            Ok(Check::ok(Step::Chain, names.join(" ← ")))
        }
        Err(broken) => {
            let expected = format!("a path to a trusted root, valid at {}", moment(at));
            Err(Box::new(Check::failed(Step::Chain, expected, broken.to_string())))
        }
    }
}

fn platform_signature(parts: &Parts<'_, '_>, key: &Key) -> Judged {
    let half = parts.platform;
    signature(Step::PlatformSignature, key, half, "by the endorsed key")
}

fn realm_signature(parts: &Parts<'_, '_>) -> Judged {
    let key = Key::from_point(&parts.alleged.realm.rak_point).map_err(|fault| {
        Check::failed(Step::RealmSignature, "a realm public key on P-256 or P-384", fault.to_string())
    })?;
    signature(Step::RealmSignature, &key, parts.realm, "by the realm attestation key")
}

fn signature(step: Step, key: &Key, half: &evidence::cose::Sign1<'_>, by: &str) -> Judged {
    let algorithm = key.algorithm();
    match key.verify(half.algorithm(), &half.signed_bytes(), half.signature()) {
        Ok(()) => Ok(Check::ok(step, format!("{algorithm} {by}"))),
        Err(fault) => Err(Box::new(Check::failed(step, format!("{algorithm} {by}"), fault.to_string()))),
    }
}

fn binding(parts: &Parts<'_, '_>) -> Judged {
    let realm = &parts.alleged.realm;
    let stated = parts.alleged.platform.binding;
    let computed = hash(realm.rak_hash, realm.rak);
    let described = format!("{} {}", realm.rak_hash, encode(&computed));
    if bool::from(computed.ct_eq(stated)) {
        return Ok(Check::ok(Step::Binding, described));
    }
    let expected = format!("the platform to vouch for the realm attestation key: {described}");
    Err(Box::new(Check::failed(Step::Binding, expected, encode(stated))))
}

fn challenge(parts: &Parts<'_, '_>, nonce: &Nonce) -> Judged {
    let found = &parts.alleged.realm.challenge;
    if bool::from(found.ct_eq(&nonce.0)) {
        return Ok(Check::ok(Step::Nonce, encode(found)));
    }
    Err(Box::new(Check::failed(Step::Nonce, encode(&nonce.0), encode(found))))
}
