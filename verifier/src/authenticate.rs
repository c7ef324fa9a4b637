//! The first stage: whose token it is, and that it was made for this challenge.

use crate::anchors::{Anchors, Endorsed, Wanted};
use crate::cache;
use crate::certificate::Identity;
use crate::chain::moment;
use crate::check::{Check, Status, Step};
use crate::key::{Fault, Key, fixed_width, hash};
use crate::log::held;
use crate::replay::{Extension, REMS};
use crate::revocation::{Standing, standing};
use crate::rules::Rules;
use crate::test_keys;
use crate::verdict::{Outcome, Verdict};
use evidence::cose::{Algorithm, Sign1};
use evidence::hex::encode;
use evidence::key::PublicKey;
use evidence::{Claims, Family, Hash, Malformed, Parts, PlatformClaims, RealmHalf, Token};
use subtle::ConstantTimeEq;

/// Length of the challenge in a realm token, in bytes.
const CHALLENGE: usize = 64;
/// Size of the modulus of virtCCA's device keys, in bits.
const DEVICE_KEY_BITS: usize = 4096;
/// First byte of a signature in DER: a SEQUENCE.
const SEQUENCE: u8 = 0x30;
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

    /// Whether a claim is this challenge, padded as far as it is shorter than it may be.
    fn is(&self, claim: &[u8]) -> bool {
        let mut padded = [0; CHALLENGE];
        let Some(start) = padded.get_mut(..claim.len()) else { return false };
        start.copy_from_slice(claim);
        bool::from(padded.ct_eq(&self.0))
    }
}

/// A token whose signatures, chain, binding and challenge hold: what it says was said by the endorsed platform.
/// Whether that is good news is for [`Authentic::appraise`] to tell.
#[derive(Clone, Debug)]
pub struct Authentic<'b> {
    pub(crate) claims: Claims<'b>,
    pub(crate) checks: Vec<Check>,
    /// Of the Realm's devices, if it has any.
    pub(crate) devices: Option<Check>,
    /// Of the event log, if one was given.
    pub(crate) log: Option<Check>,
    /// Of that log against rules, if both were given.
    pub(crate) rules: Option<Check>,
}

impl<'b> Authentic<'b> {
    /// What the platform and the RMM say.
    #[must_use]
    pub fn claims(&self) -> &Claims<'b> {
        &self.claims
    }

    /// Compares the extensible measurements with those that an event log comes to when it is replayed with the Realm's
    /// hash algorithm, or takes note of why it comes to none. The report says if the extensions were padded.
    #[must_use]
    pub fn with_log(self, replayed: Result<([Vec<u8>; REMS], Extension), String>) -> Self {
        let list = |rems: &mut dyn Iterator<Item = String>| rems.collect::<Vec<_>>().join(" ");
        let found = list(&mut self.claims.realm.rems.iter().map(|rem| encode(rem)));
        let log = match replayed {
            Ok((rems, extension)) => {
                let log = Check::compare(Step::Log, Some(list(&mut rems.iter().map(|rem| encode(rem)))), found);
                let padded = |found| format!("{found} (each extension padded to 64 bytes)");
                if extension == Extension::Padded { Check { found: log.found.map(padded), ..log } } else { log }
            }
            Err(why) => Check::failed(Step::Log, "a log that gives the extensible measurements", why),
        };
        Self { log: Some(log), ..self }
    }

    /// Takes note of how the log, which [`Self::with_log`] compared with the token, fares under rules.
    #[must_use]
    pub fn with_rules(self, log: &[u8], rules: &Rules) -> Self {
        let replays = self.log.as_ref().is_some_and(|check| check.status == Status::Ok);
        let hash = self.claims.realm.hash;
        let check = if replays { held(log, rules, hash) } else { Check::not_reached(Step::LogRules, Step::Log) };
        Self { rules: Some(check), ..self }
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
            Ok((claims, devices)) => Ok(Authentic { claims, checks, devices, log: None, rules: None }),
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
) -> Result<Option<Check>, Box<Check>> {
    checks.push(structure(parts));
    checks.push(profile(parts.alleged));
    let realm_key = realm_key(parts.alleged);
    let endorsed = platform(parts, realm_key.as_ref(), anchors, at, checks)?;
    checks.push(realm_signature(parts, realm_key.as_ref(), anchors)?);
    checks.push(binding(parts, realm_key.as_ref(), endorsed)?);
    checks.push(challenge(parts.alleged, nonce)?);
    Ok(devices(parts))
}

/// Whose the platform is, and that it signed its token: judged, or remembered from when this very token was judged by
/// these anchors and nothing had another validity. Answers the endorsed key if it was looked up.
fn platform<'a>(
    parts: &Parts<'_, '_>,
    realm_key: RealmKey<'_>,
    anchors: &'a Anchors,
    at: u64,
    checks: &mut Vec<Check>,
) -> Result<Option<&'a Key>, Box<Check>> {
    let known = anchors.known().zip(parts.platform.map(cache::id));
    if let Some(before) = known.and_then(|(known, id)| known.checks(&id, at)) {
        checks.extend_from_slice(&before);
        return Ok(None);
    }
    let begin = checks.len();
    let (endorsed, found) = trust_anchor(parts.alleged, realm_key, anchors)?;
    checks.push(found);
    let path = chain(&endorsed, anchors, at)?;
    checks.push(path.check);
    checks.push(revocation(&path.certificates, anchors, at)?);
    checks.push(platform_signature(parts, endorsed.key())?);
    if let Some((known, id)) = known {
        known.insert(id, checks.get(begin..).unwrap_or_default(), anchors.window(at));
    }
    Ok(Some(endorsed.key()))
}

/// Whether the token of a Realm's devices is the one that the Realm's claims are about. What is in it is not read.
fn devices(parts: &Parts<'_, '_>) -> Option<Check> {
    const ADVICE: &str = "have the devices' own evidence verified";
    let realm = &parts.alleged.realm;
    let stated = realm.devices_hash?;
    let token = parts.extras.iter().find(|it| it.is_device_token());
    let same = token.is_some_and(|it| bool::from(hash(realm.hash, it.content).ct_eq(stated)));
    let token = if same { "their token is beside this one" } else { "their token is not beside this one" };
    Some(Check::not_done(Step::Devices, format!("devices are assigned: {}; {token}", encode(stated)), ADVICE))
}

/// What was refused by [`Token::parse`], as the check that it failed.
pub(crate) fn malformed(malformed: &Malformed) -> Vec<Check> {
    let found = malformed.to_string();
    match malformed {
        Malformed::Profile { .. } | Malformed::Missing { .. } | Malformed::Size { .. } | Malformed::Value { .. } => {
            let structure = Check::ok(Step::Structure, "well-formed CBOR and COSE");
            completed(vec![structure], Check::failed(Step::Profile, "a profile that is known, and its claims", found))
        }
        _ => completed(Vec::new(), Check::failed(Step::Structure, "a CCA or virtCCA token", found)),
    }
}

fn structure(parts: &Parts<'_, '_>) -> Check {
    let extras = parts.extras.iter().map(|it| format!("{} ({}, {} bytes)", it.name(), it.key, it.content.len()));
    let extras: Vec<String> = extras.collect();
    let beside =
        if extras.is_empty() { String::new() } else { format!("; beside it, unsigned: {}", extras.join(", ")) };
    Check::ok(Step::Structure, format!("{}{beside}", parts.alleged.family))
}

fn profile(claims: &Claims<'_>) -> Check {
    let platform = claims.platform.as_ref().map_or("no platform token", |it| it.profile.name());
    Check::ok(Step::Profile, format!("{platform}; {}", claims.realm.profile.name()))
}

/// The key that a realm token carries, if it carries one; not known to be anybody's.
fn realm_key(claims: &Claims<'_>) -> Option<Result<Key, Fault>> {
    claims.realm.key.as_ref().map(|it| match &it.key {
        PublicKey::Point(point) => Key::from_point(point),
        PublicKey::Info(info) => Key::from_info(info),
    })
}

type RealmKey<'k> = Option<&'k Result<Key, Fault>>;

fn trust_anchor<'a>(
    claims: &Claims<'_>,
    realm_key: RealmKey<'_>,
    anchors: &'a Anchors,
) -> Result<(Endorsed<'a>, Check), Box<Check>> {
    let identity = claims.platform.as_ref().map(identity);
    let wanted = match &identity {
        Some(identity) if claims.family == Family::Cca => Wanted::Platform(identity),
        Some(identity) => Wanted::VirtCca2(identity),
        None => Wanted::VirtCca1(realm_key.and_then(|key| key.as_ref().ok())),
    };
    let endorsed = anchors
        .select(wanted)
        .map_err(|none| Check::failed(Step::TrustAnchor, wanted.to_string(), format!("{none}{}", at_hand(anchors))))?;
    if let Some(known) = published(endorsed.key(), anchors) {
        return Err(Box::new(Check::failed(Step::TrustAnchor, "a key that is secret", known)));
    }
    let found = match identity {
        Some(identity) => identity.to_string(),
        None => format!("device key {}", encode(&endorsed.key().fingerprint())),
    };
    Ok((endorsed, Check::ok(Step::TrustAnchor, found)))
}

fn identity(platform: &PlatformClaims<'_>) -> Identity {
    Identity { implementation_id: platform.implementation_id, instance_id: platform.instance_id }
}

/// What a key is called whose private half is published, unless such keys may pass.
fn published(key: &Key, anchors: &Anchors) -> Option<String> {
    let known = if anchors.test_keys_allowed() { None } else { test_keys::recognise(key) };
    known.map(|known| format!("{}: its private half is published", known.name))
}

/// The platforms that there are keys for: a few, for a reader who mixed two up.
fn at_hand(anchors: &Anchors) -> String {
    const SHOWN: usize = 3;
    let list: Vec<String> = anchors.identities().take(SHOWN).map(ToString::to_string).collect();
    if list.is_empty() { String::new() } else { format!("; endorsed are {}", list.join("; ")) }
}

/// The certificates from a key to its root, leaf first; none for a key that is pinned.
struct Path<'a> {
    certificates: Vec<&'a crate::certificate::Certificate>,
    check: Check,
}

fn chain<'a>(endorsed: &Endorsed<'a>, anchors: &'a Anchors, at: u64) -> Result<Path<'a>, Box<Check>> {
    if endorsed.is_pinned() {
        let check = Check::not_applicable(Step::Chain, "none needed: the key is pinned");
        return Ok(Path { certificates: Vec::new(), check });
    }
    match anchors.path(endorsed, at) {
        Ok(certificates) => {
            let names: Vec<&str> = certificates.iter().map(|it| it.subject()).collect();
            let check = Check::ok(Step::Chain, names.join(" ← "));
            Ok(Path { certificates, check })
        }
        Err(broken) => {
            let expected = format!("a path to a trusted root, valid at {}", moment(at));
            Err(Box::new(Check::failed(Step::Chain, expected, broken.to_string())))
        }
    }
}

fn revocation(path: &[&crate::certificate::Certificate], anchors: &Anchors, at: u64) -> Judged {
    const EXPECTED: &str = "no certificate of the path on a list of revoked ones";
    let step = Step::Revocation;
    if path.is_empty() {
        let why = "the key is pinned: there is no certificate to be looked up";
        return Ok(if anchors.revocations().is_empty() {
            Check::not_applicable(step, why)
        } else {
            Check::not_done(step, why, "give the certificates and their root instead of the key")
        });
    }
    match standing(path, anchors.revocations(), at) {
        Standing::Unlisted => Ok(Check::not_applicable(step, "no certificate says where a list is published")),
        Standing::Good { looked_up } => {
            Ok(Check { expected: Some(EXPECTED.into()), ..Check::ok(step, format!("{looked_up} looked up")) })
        }
        Standing::Unknown(why) => {
            let found: Vec<String> = why.iter().map(ToString::to_string).collect();
            Ok(Check::not_done(step, found.join("; "), "give the current list of every issuer that publishes one"))
        }
        Standing::Revoked { subject, serial, since } => {
            let found = format!("{subject}, number {serial}, revoked since {}", moment(since));
            Err(Box::new(Check::failed(step, EXPECTED, found)))
        }
    }
}

fn platform_signature(parts: &Parts<'_, '_>, key: &Key) -> Judged {
    let step = Step::PlatformSignature;
    match parts.platform {
        Some(half) => signature(step, key, half, parts.alleged.family, "by the endorsed key"),
        None => Ok(Check::not_applicable(step, "there is no platform token in this generation")),
    }
}

fn realm_signature(parts: &Parts<'_, '_>, realm_key: RealmKey<'_>, anchors: &Anchors) -> Judged {
    let step = Step::RealmSignature;
    let half = match parts.realm {
        RealmHalf::Signed(half) => half,
        RealmHalf::Unsigned(_) => {
            return Ok(Check::not_applicable(step, "none: the platform vouches for the claims themselves"));
        }
    };
    let refused =
        |found: String| Box::new(Check::failed(step, "a key of the kind that the token's family uses", found));
    let key = match realm_key {
        Some(Ok(key)) => key,
        Some(Err(fault)) => return Err(refused(fault.to_string())),
        None => return Err(refused("none".into())),
    };
    if parts.alleged.family == Family::VirtCca1 && key.modulus_bits() != Some(DEVICE_KEY_BITS) {
        return Err(refused(format!("a key for {key} of another size than RSA-4096")));
    }
    if let Some(known) = published(key, anchors) {
        return Err(Box::new(Check::failed(step, "a key that is secret", known)));
    }
    signature(step, key, half, parts.alleged.family, "by the realm attestation key")
}

fn signature(step: Step, key: &Key, half: &Sign1<'_>, family: Family, by: &str) -> Judged {
    let algorithm = key.algorithm();
    let bytes = plain(half.signature(), key, family);
    let verified = match &bytes {
        Some(bytes) => key.verify(half.algorithm(), &half.signed_bytes(), bytes),
        None => key.verify(half.algorithm(), &half.signed_bytes(), half.signature()),
    };
    match verified {
        Ok(()) => Ok(Check::ok(step, format!("{algorithm} {by}"))),
        Err(fault) => Err(Box::new(Check::failed(step, format!("{algorithm} {by}"), fault.to_string()))),
    }
}

/// Some firmware of virtCCA's second generation signs in DER: the two numbers of such a signature.
fn plain(signature: &[u8], key: &Key, family: Family) -> Option<Vec<u8>> {
    let width = key.scalar().filter(|_| family == Family::VirtCca2 && key.algorithm() == Algorithm::Es512)?;
    let is_der = signature.first() == Some(&SEQUENCE) && signature.len() != width.saturating_mul(2);
    is_der.then(|| fixed_width(signature, width)).flatten()
}

/// That the platform vouches for the realm token: by a hash of its key or of its claims, or by being its key.
fn binding(parts: &Parts<'_, '_>, realm_key: RealmKey<'_>, endorsed: Option<&Key>) -> Judged {
    let realm = &parts.alleged.realm;
    match (&parts.alleged.platform, parts.realm, &realm.key) {
        (Some(platform), RealmHalf::Signed(_), Some(key)) => {
            vouched(platform.binding, key.hash, key.bytes, "the realm attestation key")
        }
        (Some(platform), RealmHalf::Unsigned(claims), _) => {
            vouched(platform.binding, realm.hash, claims, "the Realm's claims")
        }
        _ => same_key(realm_key, endorsed),
    }
}

fn vouched(stated: &[u8], algorithm: Hash, bytes: &[u8], what: &str) -> Judged {
    let computed = hash(algorithm, bytes);
    let described = format!("{algorithm} {}", encode(&computed));
    if bool::from(computed.ct_eq(stated)) {
        return Ok(Check::ok(Step::Binding, described));
    }
    let expected = format!("the platform to vouch for {what}: {described}");
    Err(Box::new(Check::failed(Step::Binding, expected, encode(stated))))
}

/// That a token is signed by the very key that is endorsed: nothing else ties a first-generation token to a machine.
fn same_key(realm_key: RealmKey<'_>, endorsed: Option<&Key>) -> Judged {
    let name = |key: Option<&Key>| key.map_or_else(|| "none".to_string(), |key| encode(&key.fingerprint()));
    let found = realm_key.and_then(|key| key.as_ref().ok());
    match (found, endorsed) {
        (Some(key), Some(endorsed)) if key == endorsed => {
            Ok(Check::ok(Step::Binding, format!("the token's key is the certificate's: {}", name(found))))
        }
        _ => {
            let expected = format!("the token's key to be the certificate's: {}", name(endorsed));
            Err(Box::new(Check::failed(Step::Binding, expected, name(found))))
        }
    }
}

fn challenge(claims: &Claims<'_>, nonce: &Nonce) -> Judged {
    let own = claims.platform.as_ref().and_then(|it| it.challenge);
    let wrong = |found: &[u8]| Err(Box::new(Check::failed(Step::Nonce, encode(&nonce.0), encode(found))));
    match own {
        _ if !nonce.is(&claims.realm.challenge) => wrong(&claims.realm.challenge),
        Some(own) if !nonce.is(own) => wrong(own),
        _ => Ok(Check::ok(Step::Nonce, encode(&claims.realm.challenge))),
    }
}
