//! The layout before 2025, as the endorsements that are in the field have it.

use super::comid::{described, named, personalization, put, rem_index};
use super::environment::Environment;
use super::measurement::{DIGESTS, Measurement, Of, RAW_MASK, RAW_VALUE, REGISTERS, one, shown, signer};
use super::{Component, Platform, Realm, Refusal};
use alloc::string::ToString;
use alloc::vec::Vec;

/// Reads the reference values of a platform: components by tag 601, the configuration by tag 602.
pub fn platform(environment: &Environment<'_>, list: &[Measurement<'_>]) -> Result<Platform, Refusal> {
    environment.no_instance("none beside reference values of a platform")?;
    let implementation_id = environment.implementation(true)?;
    let (mut components, mut config) = (Vec::new(), None);
    for measurement in list {
        match measurement.key()? {
            Of::OldComponent { label, version, signer: id } => {
                let of = "component (601)";
                if measurement.digests.is_empty() {
                    return Err(Refusal::NoDigests { of });
                }
                measurement.only(of, &[DIGESTS])?;
                components.push(Component {
                    name: label.map(ToString::to_string),
                    version: version.map(ToString::to_string),
                    digests: measurement.digests.clone(),
                    signer_id: signer(id.ok_or(Refusal::Signers { found: 0 })?)?,
                });
            }
            Of::OldConfig => {
                measurement.only("configuration (602)", &[RAW_VALUE, RAW_MASK])?;
                put("configuration (602)", &mut config, measurement.masked("configuration (602)")?)?;
            }
            other => return Err(Refusal::Key { found: shown(other) }),
        }
    }
    let (manufacturing_config, rotpks) = (None, Vec::new());
    described(Platform { implementation_id, components, config, manufacturing_config, rotpks })
}

/// Reads the reference values of a Realm: one measurement without a key, with integrity registers.
pub fn realm(environment: &Environment<'_>, list: &[Measurement<'_>]) -> Result<Realm, Refusal> {
    let id = environment.rim(true)?;
    let [measurement] = list else { return Err(Refusal::NoRim) };
    if measurement.has_key() {
        return Err(Refusal::Key { found: shown(measurement.key()?) });
    }
    measurement.only("realm", &[RAW_VALUE, REGISTERS])?;
    let mut rim = None;
    let mut rems = [None, None, None, None];
    for (name, digests) in &measurement.registers {
        if *name == "rim" {
            rim = Some(one("rim", digests)?);
            continue;
        }
        let unknown = || Refusal::Key { found: (*name).to_string() };
        let place = rem_index(name, "rem").and_then(|index| rems.get_mut(index)).ok_or_else(unknown)?;
        put("rem", place, one("rem", digests)?)?;
    }
    let rpv = measurement.masked("personalization value").ok();
    let rpv = rpv.map(|value| personalization(&value.value)).transpose()?;
    named(Realm { rim: rim.ok_or(Refusal::NoRim)?, rems, rpv }, id)
}
