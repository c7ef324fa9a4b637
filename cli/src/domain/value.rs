//! Values in a domain, read strictly.

use abi::measurement::Hash;
use base64ct::{Base64, Encoding};
use roxmltree::Node;

use super::{Error, find};

fn bad(path: &str, expected: &'static str, found: &str) -> Error {
    Error::Value { path: path.to_string(), expected, found: found.to_string() }
}

/// `memory` in bytes; `currentMemory` may only repeat it, since nothing gives the rest back.
pub fn memory(root: Node<'_, '_>) -> Result<u64, Error> {
    let memory = find(root, "domain/memory").ok_or(Error::Missing { path: "domain/memory" })?;
    let bytes = size("domain/memory", memory)?;
    if let Some(current) = find(root, "domain/currentMemory") {
        let path = "domain/currentMemory";
        if size(path, current)? != bytes {
            return Err(bad(path, "as much as domain/memory", current.text().unwrap_or_default()));
        }
    }
    Ok(bytes)
}

/// A number with libvirt's units: KiB where none is named, powers of 1000 for KB, MB and the like.
fn size(path: &str, node: Node<'_, '_>) -> Result<u64, Error> {
    let unit = match node.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KB" => 1000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        other => return Err(bad(&format!("{path}/@unit"), "b, KB, KiB, MB, MiB, GB or GiB", other)),
    };
    let text = node.text().unwrap_or_default().trim();
    let number = text.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    number.ok_or_else(|| bad(path, "a decimal number", text))
}

/// `vcpu`; its `current` may only repeat it, since no CPU is plugged in later.
pub fn cpus(root: Node<'_, '_>) -> Result<u32, Error> {
    let vcpu = find(root, "domain/vcpu").ok_or(Error::Missing { path: "domain/vcpu" })?;
    let text = vcpu.text().unwrap_or_default().trim();
    match vcpu.attribute("current") {
        Some(current) if current != text => return Err(bad("domain/vcpu/@current", "as many as domain/vcpu", current)),
        _ => {}
    }
    text.parse().map_err(|_| bad("domain/vcpu", "a decimal number", text))
}

/// `measurement-algo`, or QEMU's own spelling of it.
pub fn hash(root: Node<'_, '_>) -> Result<Hash, Error> {
    let paths = ["domain/launchSecurity/measurement-algo", "domain/launchSecurity/measurement-algorithm"];
    let [one, other] = paths.map(|path| find(root, path));
    if let (Some(_), Some(again)) = (one, other) {
        let line = again.document().text_pos_at(again.range().start).row;
        return Err(Error::Duplicate { path: paths[1].to_string(), line });
    }
    let Some(node) = one.or(other) else { return Ok(Hash::Sha256) };
    let name = node.text().unwrap_or_default().trim();
    host::config::hash(name).ok_or_else(|| bad(paths[0], "sha256 or sha512", name))
}

/// `personalization-value`: 128 hex digits, or base64 of at most 64 bytes, zeros after them.
pub fn rpv(text: &str) -> Result<[u8; 64], Error> {
    let bytes = evidence::hex::decode(text).filter(|bytes| bytes.len() == 64).or_else(|| Base64::decode_vec(text).ok());
    let mut rpv = [0; 64];
    let slot = bytes.as_deref().and_then(|bytes| Some((rpv.get_mut(..bytes.len())?, bytes)));
    let (to, from) = slot.ok_or_else(|| {
        bad("domain/launchSecurity/personalization-value", "base64 of at most 64 bytes, or 128 hex digits", text)
    })?;
    to.copy_from_slice(from);
    Ok(rpv)
}
