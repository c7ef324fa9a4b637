//! A libvirt domain with `launchSecurity type='cca'` as a way to say what to launch.
//!
//! What makes the VM is read; what cannot change it (names, metadata, what the host does when it ends) is passed over; all
//! the rest is refused by its path, since a VM that is not the one described would be measured as another.

use std::fmt;
use std::path::PathBuf;

use abi::measurement::Hash;
use roxmltree::{Document, Node};

mod line;
mod value;

pub use line::command_line;

/// What a domain says of its VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Bytes of RAM.
    pub memory: u64,
    /// vCPUs.
    pub cpus: u32,
    /// The kernel's file.
    pub kernel: PathBuf,
    /// The initial RAM disk's file.
    pub initrd: Option<PathBuf>,
    /// Kernel command line.
    pub cmdline: String,
    /// `measurement-algo`, SHA-256 where it is not said.
    pub hash: Hash,
    /// `personalization-value`, zero padded to 64 bytes.
    pub rpv: [u8; 64],
}

/// Why a domain is not launched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The file is no XML.
    Xml {
        /// What the reader said.
        why: String,
    },
    /// An element or attribute that would change the VM and is not supported, or is not known.
    Unsupported {
        /// Its path, attributes as `@name`.
        path: String,
        /// Its line.
        line: u32,
    },
    /// An element that may be there once is there again.
    Duplicate {
        /// Its path.
        path: String,
        /// Its line.
        line: u32,
    },
    /// Something that must be there is not.
    Missing {
        /// Its path.
        path: &'static str,
    },
    /// A value that is not supported.
    Value {
        /// Its path.
        path: String,
        /// What is supported.
        expected: &'static str,
        /// The value.
        found: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Xml { why } => write!(f, "domain: expected XML: {why}"),
            Error::Unsupported { path, line } => {
                write!(f, "domain: line {line}: {path} is not supported: the VM would not be the one described")
            }
            Error::Duplicate { path, line } => write!(f, "domain: line {line}: {path} is there twice"),
            Error::Missing { path } => write!(f, "domain: {path} is missing"),
            Error::Value { path, expected, found } => write!(f, "domain: {path}: expected {expected}, found {found:?}"),
        }
    }
}

impl std::error::Error for Error {}

/// Elements that cannot change the VM, whatever they hold: names, notes, and the host's own affairs.
const HARMLESS: [&str; 11] = [
    "name",
    "uuid",
    "title",
    "description",
    "metadata",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "on_lockfailure",
    "resource",
    "seclabel",
];

/// What an element may have: its attributes with the values that are supported (none listed: any), and its children.
struct Shape {
    path: &'static str,
    attributes: &'static [(&'static str, &'static [&'static str])],
    children: &'static [&'static str],
}

const fn shape(
    path: &'static str,
    attributes: &'static [(&'static str, &'static [&'static str])],
    children: &'static [&'static str],
) -> Shape {
    Shape { path, attributes, children }
}

/// Every element that is supported. Only `devices/controller` may be there more than once.
const SHAPES: [Shape; 24] = [
    shape(
        "domain",
        &[("type", &["kvm", "qemu"]), ("id", &[])],
        &["memory", "currentMemory", "vcpu", "os", "features", "cpu", "clock", "devices", "launchSecurity"],
    ),
    shape("domain/memory", &[("unit", &[])], &[]),
    shape("domain/currentMemory", &[("unit", &[])], &[]),
    shape("domain/vcpu", &[("placement", &[]), ("current", &[])], &[]),
    shape("domain/os", &[], &["type", "kernel", "initrd", "cmdline"]),
    shape("domain/os/type", &[("arch", &["aarch64"]), ("machine", &[])], &[]),
    shape("domain/os/kernel", &[], &[]),
    shape("domain/os/initrd", &[], &[]),
    shape("domain/os/cmdline", &[], &[]),
    shape("domain/features", &[], &["gic"]),
    shape("domain/features/gic", &[("version", &["3"]), ("its", &["off"])], &[]),
    shape("domain/cpu", &[("mode", &["host-passthrough"]), ("check", &["none"]), ("migratable", &["off"])], &[]),
    shape("domain/clock", &[("offset", &["utc"])], &[]),
    shape("domain/devices", &[], &["emulator", "console", "controller", "memballoon"]),
    shape("domain/devices/emulator", &[], &[]),
    shape("domain/devices/console", &[("type", &["pty", "stdio"])], &["target"]),
    shape("domain/devices/console/target", &[("type", &["virtio"]), ("port", &["0"])], &[]),
    shape(
        "domain/devices/controller",
        &[("type", &["pci", "virtio-serial"]), ("index", &["0"]), ("model", &["pcie-root", "virtio"])],
        &[],
    ),
    shape("domain/devices/memballoon", &[("model", &["none"])], &[]),
    shape(
        "domain/launchSecurity",
        &[("type", &["cca"]), ("measurement-log", &["no"])],
        &["measurement-algo", "measurement-algorithm", "personalization-value", "measurement-log"],
    ),
    shape("domain/launchSecurity/measurement-algo", &[], &[]),
    shape("domain/launchSecurity/measurement-algorithm", &[], &[]),
    shape("domain/launchSecurity/personalization-value", &[], &[]),
    shape("domain/launchSecurity/measurement-log", &[("state", &["off"])], &[]),
];

impl Domain {
    /// Reads a libvirt domain.
    ///
    /// # Errors
    /// [`Error`]: no XML, something missing, or the first thing that is not supported, by its path and line.
    pub fn parse(xml: &str) -> Result<Domain, Error> {
        let document = Document::parse(xml).map_err(|why| Error::Xml { why: why.to_string() })?;
        let root = document.root_element();
        check(root, root.tag_name().name())?;
        let text = |path| find(root, path).map(|node| node.text().unwrap_or_default().trim());
        let required = |path| text(path).filter(|text| !text.is_empty()).ok_or(Error::Missing { path });
        is("domain/os/type", required("domain/os/type")?, "hvm")?;
        machine(root)?;
        attributes(root)?;
        Ok(Domain {
            memory: value::memory(root)?,
            cpus: value::cpus(root)?,
            kernel: PathBuf::from(required("domain/os/kernel")?),
            initrd: text("domain/os/initrd").map(PathBuf::from),
            cmdline: text("domain/os/cmdline").unwrap_or_default().to_string(),
            hash: value::hash(root)?,
            rpv: text("domain/launchSecurity/personalization-value").map_or(Ok([0; 64]), value::rpv)?,
        })
    }
}

/// Refuses what is in `node` and below it and has no shape.
fn check(node: Node<'_, '_>, path: &str) -> Result<(), Error> {
    let line = |node: Node<'_, '_>| node.document().text_pos_at(node.range().start).row;
    let unsupported = |path: String| Error::Unsupported { path, line: line(node) };
    let shape = SHAPES.iter().find(|shape| shape.path == path && node.tag_name().namespace().is_none());
    let shape = shape.ok_or_else(|| unsupported(path.to_string()))?;
    for attribute in node.attributes() {
        let path = format!("{path}/@{}", attribute.name());
        let known = shape.attributes.iter().find(|(name, _)| *name == attribute.name());
        let (_, values) = known.ok_or_else(|| unsupported(path.clone()))?;
        if !values.is_empty() && !values.contains(&attribute.value()) {
            return Err(unsupported(format!("{path}='{}'", attribute.value())));
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let plain = child.tag_name().namespace().is_none();
        if path == "domain" && plain && HARMLESS.contains(&name) {
            continue;
        }
        let path = format!("{path}/{name}");
        if !shape.children.contains(&name) {
            return Err(Error::Unsupported { path, line: line(child) });
        }
        if seen.contains(&name) && name != "controller" {
            return Err(Error::Duplicate { path, line: line(child) });
        }
        seen.push(name);
        check(child, &path)?;
    }
    Ok(())
}

/// The element at a path of [`SHAPES`].
fn find<'a, 'b>(root: Node<'a, 'b>, path: &str) -> Option<Node<'a, 'b>> {
    path.split('/').skip(1).try_fold(root, |node, name| node.children().find(|child| child.has_tag_name(name)))
}

fn is(path: &str, found: &str, expected: &'static str) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Value { path: path.to_string(), expected, found: found.to_string() })
}

/// `virt` or one of its versions: the machine's own tree is not used, so its version does not show.
fn machine(root: Node<'_, '_>) -> Result<(), Error> {
    let path = "domain/os/type/@machine";
    match find(root, "domain/os/type").and_then(|node| node.attribute("machine")) {
        None => Ok(()),
        Some(name) if name == "virt" || name.starts_with("virt-") => Ok(()),
        Some(name) => is(path, name, "virt"),
    }
}

/// A domain without `launchSecurity type='cca'` asks for no Realm, and a console without a target is a PL011.
fn attributes(root: Node<'_, '_>) -> Result<(), Error> {
    let has = |element, attribute, missing| match find(root, element) {
        Some(node) if node.has_attribute(attribute) => Ok(()),
        _ => Err(Error::Missing { path: missing }),
    };
    has("domain/launchSecurity", "type", "domain/launchSecurity/@type")?;
    if find(root, "domain/devices/console").is_none() {
        return Ok(());
    }
    has("domain/devices/console/target", "type", "domain/devices/console/target/@type")
}

#[cfg(test)]
mod tests;
