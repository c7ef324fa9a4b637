//! Components both ways: none that the reference does not know, and none of the reference's missing.

use crate::check::{Check, Step};
use crate::reference::ComponentReference;
use evidence::hex::encode;
use evidence::platform::Component;

/// Compares the components of a token with those of a reference, one check for each, in the token's order and then those
/// that the token does not have.
pub fn compare(references: &[ComponentReference], found: &[Component<'_>]) -> Vec<Check> {
    let mut left: Vec<&ComponentReference> = references.iter().collect();
    // Exact matches first: two components of one type must not take each other's reference.
    let exact: Vec<Option<&ComponentReference>> =
        found.iter().map(|component| take(&mut left, |reference| admits(reference, component))).collect();
    let mut checks: Vec<Check> = found
        .iter()
        .zip(exact)
        .map(|(component, exact)| match exact {
            Some(reference) => {
                Check { expected: Some(reference.to_string()), ..Check::ok(Step::Component, described(component)) }
            }
            None => {
                differing(take(&mut left, |it| it.kind.is_some() && it.kind.as_deref() == component.kind), component)
            }
        })
        .zip(found)
        .map(|(check, component)| check.of(name(component.kind)))
        .collect();
    let missing = left.into_iter().map(|reference| {
        Check::failed(Step::Component, reference.to_string(), "no such component").of(name(reference.kind.as_deref()))
    });
    checks.extend(missing);
    checks
}

/// The checks when there is no reference: what was found, and that nobody said what to expect.
pub fn unknown(found: &[Component<'_>]) -> Vec<Check> {
    found.iter().map(|it| Check::no_reference(Step::Component, described(it)).of(name(it.kind))).collect()
}

fn differing(reference: Option<&ComponentReference>, component: &Component<'_>) -> Check {
    let expected = reference.map_or_else(|| "no such component".to_string(), ToString::to_string);
    Check::failed(Step::Component, expected, described(component))
}

fn take<'r>(
    left: &mut Vec<&'r ComponentReference>,
    wanted: impl Fn(&ComponentReference) -> bool,
) -> Option<&'r ComponentReference> {
    left.iter().position(|reference| wanted(reference)).map(|index| left.remove(index))
}

/// Whether a component is the one of a reference; what the reference leaves open may be anything.
fn admits(reference: &ComponentReference, component: &Component<'_>) -> bool {
    let same = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
    // Lengths tell the algorithms apart, so that one digest never passes for another's.
    reference.measurements().any(|it| it == component.measurement)
        && same(&reference.kind, component.kind)
        && same(&reference.version, component.version)
        && reference.signer_id.as_deref().is_none_or(|wanted| wanted == component.signer_id)
}

fn described(component: &Component<'_>) -> String {
    let measurement = encode(component.measurement);
    let version = component.version.map(|it| format!(", version {}", it.escape_debug())).unwrap_or_default();
    format!("{measurement}{version}, signer {}", encode(component.signer_id))
}

fn name(kind: Option<&str>) -> String {
    kind.map_or_else(|| "(no type)".to_string(), |kind| kind.escape_debug().to_string())
}
