//! The triples of a CoMID: who they are about and what they say, by the rules of the young layouts.

use super::environment::Environment;
use super::measurement::{CRYPTO_KEYS, DIGESTS, Measurement, NAME, Of, RAW_MASK, RAW_VALUE, VERSION, shown, signer};
use super::read::{identifier, major};
use super::{
    AttestKey, Component, KeyText, Layout, Platform, Realm, Refusal, Rotpk, Subject, TAG_BYTES, TAG_PKIX_KEY, old,
};
use crate::cbor::{Key, MAJOR_TAG, Reader};
use crate::malformed::Malformed;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Numbers of the kinds of triples (draft-ietf-rats-corim, triples-map).
const REFERENCE_VALUES: u64 = 0;
const ATTEST_KEYS: u64 = 3;

/// What has been read from the CoMIDs of a CoRIM.
#[derive(Default)]
pub struct Comid {
    /// The layout that the profile implies; without a profile each triple tells its own.
    pub layout: Option<Layout>,
    pub subject: Option<Subject>,
    /// Whether a triple without a profile had the young layout.
    pub young: bool,
    pub platforms: Vec<Platform>,
    pub realms: Vec<Realm>,
    pub keys: Vec<AttestKey>,
}

impl Comid {
    /// Reads a CoMID to its end.
    pub fn read(&mut self, mut reader: Reader<'_>) -> Result<(), Refusal> {
        let platforms = self.platforms.len();
        let realms = self.realms.len();
        reader.map_with(|key, value| match key {
            Key::Uint(1) => value.map_with(|key, value| match key {
                Key::Uint(0) => identifier(value).map(drop),
                _ => Ok(value.skip()?),
            }),
            Key::Uint(4) => value.map_with(|key, value| self.triples(key, value)),
            _ => Ok(value.skip()?),
        })?;
        reader.end()?;
        // One triple describes a whole platform or Realm; alternatives stand in CoMIDs of their own.
        let platforms: Vec<_> = self.platforms.iter().skip(platforms).map(|it| it.implementation_id).collect();
        if repeats(&platforms) {
            return Err(Refusal::Again { of: "platform" });
        }
        let realms: Vec<_> = self.realms.iter().skip(realms).map(|it| &it.rim.bytes).collect();
        if repeats(&realms) { Err(Refusal::Again { of: "realm" }) } else { Ok(()) }
    }

    fn triples(&mut self, key: Key<'_>, value: &mut Reader<'_>) -> Result<(), Refusal> {
        match key {
            Key::Uint(REFERENCE_VALUES) => value.array_with(|triple| self.reference(triple)),
            Key::Uint(ATTEST_KEYS) => value.array_with(|triple| self.attest_key(triple)),
            Key::Uint(number) => Err(Refusal::Triples { number }),
            _ => Err(Refusal::Triples { number: u64::MAX }),
        }
    }

    fn reference(&mut self, triple: &mut Reader<'_>) -> Result<(), Refusal> {
        let (environment, measurements) = split(triple, Measurement::read)?;
        let old = match self.layout {
            Some(layout) => layout == Layout::Old,
            None => !self.is_young(measurements.iter().any(Measurement::is_young)),
        };
        let subject =
            self.subject.unwrap_or(match (old, environment.is_old_platform() || !environment.has_instance()) {
                (true, true) => Subject::Platform,
                (true, false) => Subject::Realm,
                (false, _) if measurements.iter().any(Measurement::is_of_realm) => Subject::Realm,
                (false, _) => Subject::Platform,
            });
        match (subject, old) {
            (Subject::Platform, true) => self.platforms.push(old::platform(&environment, &measurements)?),
            (Subject::Realm, true) => self.realms.push(old::realm(&environment, &measurements)?),
            (Subject::Platform, false) => {
                let draft = self.layout == Some(Layout::Draft04);
                self.platforms.push(platform(&environment, &measurements, draft)?);
            }
            (Subject::Realm, false) => self.realms.push(realm(&environment, &measurements)?),
        }
        Ok(())
    }

    /// Notes the layout of a triple that no profile tells.
    fn is_young(&mut self, young: bool) -> bool {
        self.young |= young;
        young
    }

    fn attest_key(&mut self, triple: &mut Reader<'_>) -> Result<(), Refusal> {
        let (environment, keys) = split(triple, key)?;
        if self.subject == Some(Subject::Realm) {
            return Err(Refusal::Triples { number: ATTEST_KEYS });
        }
        let old = match self.layout {
            Some(layout) => layout == Layout::Old,
            None => !self.is_young(environment.is_young_platform()),
        };
        let implementation_id = environment.implementation(old)?;
        let instance_id = environment.platform_instance()?;
        let [(tag, text)] = keys.as_slice() else { return Err(Refusal::Keys { found: keys.len() }) };
        let key = match *tag {
            TAG_PKIX_KEY if text.starts_with("-----BEGIN PUBLIC KEY-----") => KeyText::Pem((*text).to_string()),
            TAG_BYTES if old || self.layout.is_none() => KeyText::Jwk((*text).to_string()),
            _ => return Err(Refusal::KeyForm { expected: "a public key in PEM with tag 554" }),
        };
        self.keys.push(AttestKey { implementation_id, instance_id, key });
        Ok(())
    }
}

fn repeats<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(index, it)| list.iter().take(index).any(|earlier| earlier == it))
}

/// Reads `[environment, [item, …]]`.
fn split<'b, T>(
    triple: &mut Reader<'b>,
    item: impl Fn(&mut Reader<'b>) -> Result<T, Refusal>,
) -> Result<(Environment<'b>, Vec<T>), Refusal> {
    let wrong = || Refusal::from(Malformed::Value { claim: "triple", expected: "an environment and a list" });
    let (mut environment, mut items) = (None, None);
    triple.array_with(|part| {
        if environment.is_none() {
            environment = Some(Environment::read(part)?);
            return Ok(());
        }
        let mut list = Vec::new();
        part.array_with(|each| {
            list.push(item(each)?);
            Ok::<_, Refusal>(())
        })?;
        if items.replace(list).is_some() { Err(wrong()) } else { Ok(()) }
    })?;
    environment.zip(items).ok_or_else(wrong)
}

/// Reads a key: its tag and its text, which some tools put into bytes.
fn key<'b>(reader: &mut Reader<'b>) -> Result<(u64, &'b str), Refusal> {
    let wrong = Refusal::KeyForm { expected: "a public key in PEM with tag 554" };
    if major(reader) != Some(MAJOR_TAG) {
        return Err(wrong);
    }
    let tag = reader.tag()?;
    match tag {
        TAG_PKIX_KEY => Ok((tag, reader.text()?)),
        TAG_BYTES => core::str::from_utf8(reader.bytes()?).map(|text| (tag, text)).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

fn platform(environment: &Environment<'_>, list: &[Measurement<'_>], draft: bool) -> Result<Platform, Refusal> {
    environment.no_instance("none beside reference values of a platform")?;
    let mut found = Platform {
        implementation_id: environment.implementation(false)?,
        components: Vec::new(),
        config: None,
        manufacturing_config: None,
        rotpks: Vec::new(),
    };
    for measurement in list {
        match measurement.key()? {
            Of::Text("cca.software-component") => found.components.push(component(measurement)?),
            Of::Text("cca.platform-config") => {
                measurement.only("cca.platform-config", &[RAW_VALUE, RAW_MASK])?;
                put("cca.platform-config", &mut found.config, measurement.masked("cca.platform-config")?)?;
            }
            Of::Text("cca.platform-manufacturing-config") if draft => {
                measurement.only("cca.platform-manufacturing-config", &[RAW_VALUE, RAW_MASK])?;
                let value = measurement.masked("cca.platform-manufacturing-config")?;
                put("cca.platform-manufacturing-config", &mut found.manufacturing_config, value)?;
            }
            Of::Text(name) if draft && rotpk_place(name).is_some() => found.rotpks.push(rotpk(name, measurement)?),
            other => return Err(Refusal::Key { found: shown(other) }),
        }
    }
    let places: Vec<_> = found.rotpks.iter().map(|it| it.place.as_str()).collect();
    if repeats(&places) { Err(Refusal::Twice { of: "cca.rotpk" }) } else { described(found) }
}

/// A platform of which nothing is said would admit everything.
pub fn described(platform: Platform) -> Result<Platform, Refusal> {
    if platform.components.is_empty() { Err(Refusal::NoValue { of: "platform's components" }) } else { Ok(platform) }
}

/// Fills a place that only one measurement may fill.
pub fn put<T>(of: &'static str, place: &mut Option<T>, value: T) -> Result<(), Refusal> {
    if place.replace(value).is_some() { Err(Refusal::Twice { of }) } else { Ok(()) }
}

fn component(measurement: &Measurement<'_>) -> Result<Component, Refusal> {
    let of = "cca.software-component";
    if measurement.digests.is_empty() {
        return Err(Refusal::NoDigests { of });
    }
    measurement.only(of, &[VERSION, DIGESTS, NAME, CRYPTO_KEYS])?;
    let [key] = measurement.keys.as_slice() else { return Err(Refusal::Signers { found: measurement.keys.len() }) };
    Ok(Component {
        name: measurement.name.map(ToString::to_string),
        version: measurement.version.map(ToString::to_string),
        digests: measurement.digests.clone(),
        signer_id: signer(key)?,
    })
}

/// The place that a key `cca.rotpk.CM.<0-7>.<0-5>` or `cca.rotpk.DM.…` names, without its prefix.
pub fn rotpk_place(name: &str) -> Option<&str> {
    let place = name.strip_prefix("cca.rotpk.")?;
    let mut parts = place.split('.');
    let known = matches!(parts.next()?, "CM" | "DM")
        && matches!(parts.next()?.as_bytes(), [b'0'..=b'7'])
        && matches!(parts.next()?.as_bytes(), [b'0'..=b'5'])
        && parts.next().is_none();
    known.then_some(place)
}

fn rotpk(name: &str, measurement: &Measurement<'_>) -> Result<Rotpk, Refusal> {
    measurement.only("cca.rotpk", &[CRYPTO_KEYS])?;
    let [key] = measurement.keys.as_slice() else { return Err(Refusal::Keys { found: measurement.keys.len() }) };
    Ok(Rotpk { place: rotpk_place(name).unwrap_or_default().to_string(), hash: signer(key)? })
}

fn realm(environment: &Environment<'_>, list: &[Measurement<'_>]) -> Result<Realm, Refusal> {
    environment.no_instance("none beside reference values of a Realm")?;
    let id = environment.rim(false)?;
    let (mut rim, mut rpv) = (None, None);
    let mut rems = [None, None, None, None];
    for measurement in list {
        match measurement.key()? {
            Of::Text("cca.rim") => {
                measurement.only("cca.rim", &[DIGESTS])?;
                put("cca.rim", &mut rim, measurement.digest("cca.rim")?)?;
            }
            Of::Text("cca.rpv") => {
                measurement.only("cca.rpv", &[RAW_VALUE])?;
                put("cca.rpv", &mut rpv, personalization(&measurement.masked("cca.rpv")?.value)?)?;
            }
            Of::Text(name) => {
                let unknown = || Refusal::Key { found: name.to_string() };
                let place = rem_index(name, "cca.rem").and_then(|index| rems.get_mut(index)).ok_or_else(unknown)?;
                measurement.only("cca.rem", &[DIGESTS])?;
                put("cca.rem", place, measurement.digest("cca.rem")?)?;
            }
            other => return Err(Refusal::Key { found: shown(other) }),
        }
    }
    named(Realm { rim: rim.ok_or(Refusal::NoRim)?, rems, rpv }, id)
}

/// A Realm whose initial measurement is what it is named by.
pub fn named(realm: Realm, id: &[u8]) -> Result<Realm, Refusal> {
    if realm.rim.bytes == id { Ok(realm) } else { Err(Refusal::RimDiffers) }
}

/// The number of a register, of which the name is `prefix` and one of 0 to 3.
pub fn rem_index(name: &str, prefix: &str) -> Option<usize> {
    match name.strip_prefix(prefix)?.as_bytes() {
        [digit @ b'0'..=b'3'] => Some(usize::from(digit.wrapping_sub(b'0'))),
        _ => None,
    }
}

/// A personalization value, filled up with zeros to 64 bytes as a VMM does.
pub fn personalization(bytes: &[u8]) -> Result<[u8; 64], Refusal> {
    let wrong = Refusal::Rpv { found: bytes.len() };
    let mut filled = [0; 64];
    match filled.get_mut(..bytes.len()) {
        Some(place) if !place.is_empty() => place.copy_from_slice(bytes),
        _ => return Err(wrong),
    }
    Ok(filled)
}
