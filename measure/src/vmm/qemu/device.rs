//! `-device`, `-object` and `-machine`: what of them shows in the RIM.

use abi::measurement::Hash;

use super::Qemu;
use crate::Error;
use crate::vmm::Warning;
use crate::vmm::words::{hash, number, parts, rpv_base64, switch};

/// Devices behind PCI or another bus that a guest enumerates: they stand in no tree.
const ENUMERATED: [&str; 37] = [
    "virtconsole",
    "virtserialport",
    "virtio-blk-pci",
    "virtio-blk-pci-non-transitional",
    "virtio-net-pci",
    "virtio-net-pci-non-transitional",
    "virtio-serial-pci",
    "virtio-serial-pci-non-transitional",
    "virtio-scsi-pci",
    "virtio-scsi-pci-non-transitional",
    "virtio-9p-pci",
    "virtio-9p-pci-non-transitional",
    "virtio-fs-pci",
    "vhost-user-fs-pci",
    "vhost-user-blk-pci",
    "vhost-vsock-pci",
    "vhost-vsock-pci-non-transitional",
    "virtio-rng-pci",
    "virtio-rng-pci-non-transitional",
    "virtio-balloon-pci",
    "virtio-balloon-pci-non-transitional",
    "virtio-gpu-pci",
    "virtio-keyboard-pci",
    "virtio-tablet-pci",
    "virtio-mouse-pci",
    "scsi-hd",
    "scsi-cd",
    "pcie-root-port",
    "pcie-pci-bridge",
    "pci-bridge",
    "nvme",
    "e1000e",
    "qemu-xhci",
    "usb-kbd",
    "usb-tablet",
    "vfio-pci",
    "vfio-pci-nohotplug",
];

/// Devices of which it is known that they change tree or memory, with what they do.
const CHANGING: [(&str, &str); 8] = [
    ("virtio-iommu-pci", "it adds an IOMMU to the device tree"),
    ("arm-smmuv3", "it adds an IOMMU to the device tree"),
    ("tpm-tis-device", "it adds a TPM to the device tree"),
    ("pc-dimm", "it adds memory"),
    ("nvdimm", "it adds memory"),
    ("virtio-mem-pci", "it adds memory"),
    ("loader", "it writes into the VM's memory before it starts"),
    ("guest-loader", "it writes into the VM's memory before it starts"),
];

/// Backends of devices, of random numbers and of the host's own affairs.
const BACKENDS: [&str; 13] = [
    "memory-backend-ram",
    "memory-backend-memfd",
    "memory-backend-file",
    "iothread",
    "iommufd",
    "rng-random",
    "rng-builtin",
    "rng-egd",
    "secret",
    "tls-creds-x509",
    "throttle-group",
    "main-loop",
    "thread-context",
];

/// `-device`: only what is known to stand in no tree.
pub fn device(text: &str) -> Result<(), Error> {
    let kind = if text.trim_start().starts_with('{') { json_driver(text) } else { parts(text).swap_remove(0) };
    let kind = match kind {
        (name, Some(value)) if name == "driver" => value,
        (name, _) => name,
    };
    // On this machine QEMU takes `virtio-blk` for `virtio-blk-pci`, and so for its kin.
    let behind_pci = format!("{kind}-pci");
    let kind = if kind.starts_with("virtio-") && is_known(&behind_pci) { behind_pci } else { kind };
    if ENUMERATED.contains(&kind.as_str()) {
        return Ok(());
    }
    let why =
        CHANGING.iter().find(|(name, _)| *name == kind).map_or("it is not known to leave the RIM as it is", |it| it.1);
    Err(Error::option(format!("-device {kind}"), format!("this device is not supported: {why}")))
}

fn is_known(kind: &str) -> bool {
    ENUMERATED.contains(&kind) || CHANGING.iter().any(|(name, _)| *name == kind)
}

/// The driver in the form of JSON, which libvirt writes.
fn json_driver(text: &str) -> (String, Option<String>) {
    let device: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let driver = device.as_ref().and_then(|device| device.get("driver")).and_then(|driver| driver.as_str());
    ("driver".to_string(), Some(driver.unwrap_or("without a driver").to_string()))
}

/// What makes a VM confidential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guest {
    /// A Realm of Arm CCA, by its identifier.
    Rme(String),
    /// A VM of virtCCA.
    Tmm(Tmm),
}

/// A `tmm-guest` of virtCCA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tmm {
    /// Bits of an SVE vector, 0 without SVE.
    pub sve: u16,
    /// Counters of the PMU, 0 without a PMU.
    pub counters: u8,
    /// Hash algorithm.
    pub hash: Hash,
}

/// What the machine says of the VM being confidential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The identifier of the object that makes it so.
    pub guest: Option<String>,
    /// Whether its type is virtCCA's.
    pub cvm: bool,
}

/// `-object`: what makes the VM confidential, and backends.
pub fn object(qemu: &mut Qemu, text: &str) -> Result<Option<Guest>, Error> {
    let (kind, parts) = if text.trim_start().starts_with('{') { json_object(text)? } else { plain_object(text) };
    match kind.as_str() {
        "rme-guest" => rme(qemu, parts).map(|id| Some(Guest::Rme(id))),
        "tmm-guest" => tmm(parts).map(|tmm| Some(Guest::Tmm(tmm))),
        kind if BACKENDS.contains(&kind) => Ok(None),
        _ => Err(Error::option(format!("-object {kind}"), "this object is not supported: it could change the VM")),
    }
}

/// The type of an object, and its properties.
type Object = (String, Vec<(String, Option<String>)>);

fn plain_object(text: &str) -> Object {
    let mut parts = parts(text);
    match parts.remove(0) {
        (name, Some(value)) if name == "qom-type" => (value, parts),
        (name, _) => (name, parts),
    }
}

/// An object in the form of JSON, which libvirt writes. Properties that are no texts, numbers or switches have no value
/// here: objects that are read have none.
fn json_object(text: &str) -> Result<Object, Error> {
    let refused = || Error::option("-object", "expected JSON with a qom-type");
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(|_| refused())?;
    let kind = members.remove("qom-type").and_then(|kind| kind.as_str().map(str::to_string)).ok_or_else(refused)?;
    let plain = |value| match value {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(on) => Some(if on { "on" } else { "off" }.to_string()),
        _ => None,
    };
    Ok((kind, members.into_iter().map(|(name, value)| (name, plain(value))).collect()))
}

fn rme(qemu: &mut Qemu, parts: Vec<(String, Option<String>)>) -> Result<String, Error> {
    let mut id = String::new();
    for (name, value) in parts {
        let option = format!("-object rme-guest,{name}");
        let value = value.ok_or_else(|| Error::option(&option, "expected a value"))?;
        match name.as_str() {
            "id" => id = value,
            "measurement-algorithm" | "measurement-algo" => qemu.hash = hash(&option, &value)?,
            "personalization-value" => qemu.rpv = rpv_base64(&option, &value)?,
            "measurement-log" => qemu.log = switch(&option, &value)?,
            _ => return Err(Error::option(option, "this property is not supported: it could change the VM")),
        }
    }
    Ok(id)
}

fn tmm(parts: Vec<(String, Option<String>)>) -> Result<Tmm, Error> {
    let mut tmm = Tmm { sve: 0, counters: 0, hash: Hash::Sha256 };
    for (name, value) in parts {
        let option = format!("-object tmm-guest,{name}");
        let value = value.ok_or_else(|| Error::option(&option, "expected a value"))?;
        match name.as_str() {
            "id" => {}
            "sve-vector-length" => tmm.sve = number(&option, &value)?,
            "num-pmu-counters" => tmm.counters = number(&option, &value)?,
            "measurement-algo" if value == "default" => tmm.hash = Hash::Sha256,
            "measurement-algo" => tmm.hash = hash(&option, &value)?,
            _ => return Err(Error::option(option, "this property is not supported: it could change the VM")),
        }
    }
    Ok(tmm)
}

/// Properties of the machine that show in no RIM. By `dumpdtb` QEMU writes its tree and ends.
const HARMLESS: [&str; 14] = [
    "accel",
    "acpi",
    "dump-guest-core",
    "dumpdtb",
    "dtb-randomness",
    "graphics",
    "kata-affinity",
    "kernel_irqchip",
    "kernel-irqchip",
    "mem-merge",
    "memory-backend",
    "ras",
    "usb",
    "hmat",
];

/// Properties that must be off, or as they are without being said.
const OFF: [&str; 4] = ["secure", "virtualization", "mte", "second-ns-uart-present"];

/// `-machine`.
pub fn machine(qemu: &mut Qemu, machine: &mut Machine, text: &str) -> Result<(), Error> {
    for (name, value) in parts(text) {
        let option = format!("-machine {name}");
        match (name.as_str(), value.as_deref()) {
            ("virt", None) | ("type", Some("virt")) => {}
            (name, None) if name.starts_with("virt-") => version(qemu, name),
            ("type", Some(name)) if name.starts_with("virt-") => version(qemu, name),
            ("gic-version", Some("3" | "host" | "max")) => {}
            ("its", Some(value)) => qemu.its = switch(&option, value)?,
            ("iommu", Some("none")) | ("highmem", Some("on")) => {}
            ("confidential-guest-support", Some(id)) => machine.guest = Some(id.to_string()),
            ("kvm-type", Some("cvm")) => machine.cvm = true,
            (name, Some("off")) if OFF.contains(&name) => {}
            (name, Some(_)) if HARMLESS.contains(&name) => {}
            (_, value) => {
                let value = value.map(|value| format!("={value}")).unwrap_or_default();
                return Err(Error::option(
                    format!("{option}{value}"),
                    "this is not supported: it could change the device tree",
                ));
            }
        }
    }
    Ok(())
}

fn version(qemu: &mut Qemu, name: &str) {
    if name != "virt-9.1" {
        qemu.warnings.push(Warning::Machine);
    }
}
