//! A libvirt domain as the command line of QEMU that it stands for, as far as that shows in a RIM.
//!
//! libvirt passes more than this: devices behind PCI, names, what the host does. What is known not to show is passed over,
//! what shows is carried over, and all the rest is refused by its path.

use roxmltree::{Document, Node};

use super::{Error, HARMLESS, find, is, value};

/// Elements of the domain that show in no RIM, beside [`HARMLESS`].
const QUIET: [&str; 11] = [
    "currentMemory",
    "memoryBacking",
    "iothreads",
    "cputune",
    "numatune",
    "blkiotune",
    "memtune",
    "clock",
    "pm",
    "sysinfo",
    "perf",
];

/// Devices that a guest finds behind PCI, or that are the host's.
const DEVICES: [&str; 20] = [
    "emulator",
    "disk",
    "interface",
    "controller",
    "console",
    "channel",
    "filesystem",
    "hostdev",
    "input",
    "graphics",
    "video",
    "audio",
    "sound",
    "rng",
    "memballoon",
    "vsock",
    "redirdev",
    "hub",
    "serial",
    "smartcard",
];

/// Devices that stand in the device tree: they may be there where the tree is given.
const IN_TREE: [&str; 2] = ["tpm", "iommu"];

const QEMU: &str = "http://libvirt.org/schemas/domain/qemu/1.0";

/// What a domain's security makes of the VM.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    Realm,
    Tmm,
}

/// The command line of a domain, whose device tree is given apart from it or not.
///
/// # Errors
/// [`Error`]: no XML, something missing, or the first thing that could change the RIM and is not known not to.
pub fn command_line(xml: &str, tree_given: bool) -> Result<Vec<String>, Error> {
    let document = Document::parse(xml).map_err(|why| Error::Xml { why: why.to_string() })?;
    let root = document.root_element();
    if !root.has_tag_name("domain") {
        return Err(unsupported(root, root.tag_name().name().to_string()));
    }
    elements(root, tree_given)?;
    let mut words = vec!["-machine".to_string(), machine(root)?];
    let text = |path| find(root, path).map(|node| node.text().unwrap_or_default().trim().to_string());
    let required = |path| text(path).filter(|text| !text.is_empty()).ok_or(Error::Missing { path });
    is("domain/os/type", &required("domain/os/type")?, "hvm")?;
    words.extend(["-m".to_string(), format!("{}B", value::memory(root)?)]);
    words.extend(["-smp".to_string(), value::cpus(root)?.to_string()]);
    words.extend(["-cpu".to_string(), "host".to_string()]);
    for (option, path) in [
        ("-kernel", "domain/os/kernel"),
        ("-initrd", "domain/os/initrd"),
        ("-append", "domain/os/cmdline"),
        ("-bios", "domain/os/loader"),
        ("-dtb", "domain/os/dtb"),
    ] {
        words
            .extend(text(path).filter(|text| !text.is_empty()).into_iter().flat_map(|text| [option.to_string(), text]));
    }
    if security(root)? == Security::Realm {
        words.extend(["-object".to_string(), realm(root)?]);
    }
    words.extend(own_words(root)?);
    Ok(words)
}

fn unsupported(node: Node<'_, '_>, path: String) -> Error {
    Error::Unsupported { path, line: node.document().text_pos_at(node.range().start).row }
}

/// Refuses elements that are not known.
fn elements(root: Node<'_, '_>, tree_given: bool) -> Result<(), Error> {
    let read = ["memory", "vcpu", "os", "features", "cpu", "devices", "launchSecurity"];
    let mut seen: Vec<&str> = Vec::new();
    for child in root.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let plain = child.tag_name().namespace().is_none();
        let path = format!("domain/{name}");
        if !plain {
            if child.tag_name().namespace() == Some(QEMU) && matches!(name, "commandline" | "capabilities") {
                continue;
            }
            return Err(unsupported(child, path));
        }
        if HARMLESS.contains(&name) || QUIET.contains(&name) {
            continue;
        }
        if !read.contains(&name) {
            return Err(unsupported(child, path));
        }
        if seen.contains(&name) {
            return Err(Error::Duplicate { path, line: child.document().text_pos_at(child.range().start).row });
        }
        seen.push(name);
        inner(child, tree_given)?;
    }
    Ok(())
}

/// Refuses what is not known inside of an element of the domain.
fn inner(node: Node<'_, '_>, tree_given: bool) -> Result<(), Error> {
    let parent = node.tag_name().name();
    let mut seen: Vec<&str> = Vec::new();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let path = format!("domain/{parent}/{name}");
        let known = match parent {
            "os" => matches!(name, "type" | "kernel" | "initrd" | "cmdline" | "loader" | "dtb" | "boot" | "bootmenu"),
            "features" => matches!(name, "acpi" | "gic" | "pvspinlock") || hides_nothing(child),
            "cpu" => name == "topology" || (name == "numa" && tree_given),
            "devices" => DEVICES.contains(&name) || (IN_TREE.contains(&name) && tree_given),
            "launchSecurity" => matches!(
                name,
                "measurement-algo" | "measurement-algorithm" | "personalization-value" | "measurement-log"
            ),
            _ => false,
        };
        let repeated = parent != "devices" && name != "boot" && seen.contains(&name);
        if !known {
            return Err(unsupported(child, path));
        }
        if repeated || (name == "serial" && seen.contains(&"serial")) {
            return Err(Error::Duplicate { path, line: child.document().text_pos_at(child.range().start).row });
        }
        seen.push(name);
    }
    match (parent, node.attribute("mode")) {
        ("cpu", Some("host-passthrough") | None) => Ok(()),
        ("cpu", Some(mode)) => Err(unsupported(node, format!("domain/cpu/@mode='{mode}'"))),
        _ => Ok(()),
    }
}

/// Whether an element is `<kvm><hidden state='off'/></kvm>`, which says what is so without it.
fn hides_nothing(node: Node<'_, '_>) -> bool {
    let off = |child: Node<'_, '_>| child.has_tag_name("hidden") && child.attribute("state") == Some("off");
    node.has_tag_name("kvm") && node.children().filter(Node::is_element).all(off)
}

/// What is said of the machine, GIC and security included.
fn machine(root: Node<'_, '_>) -> Result<String, Error> {
    let kind = find(root, "domain/os/type").and_then(|node| node.attribute("machine")).unwrap_or("virt");
    let mut machine = format!("{kind},gic-version=3");
    if let Some(gic) = find(root, "domain/features/gic") {
        if let Some(version) = gic.attribute("version").filter(|version| !matches!(*version, "3" | "host")) {
            return Err(unsupported(gic, format!("domain/features/gic/@version='{version}'")));
        }
        if let Some(its) = gic.attribute("its") {
            machine.push_str(&format!(",its={its}"));
        }
    }
    if let Some(loader) = find(root, "domain/os/loader")
        && loader.attribute("type").is_some_and(|kind| kind != "rom")
    {
        return Err(unsupported(loader, "domain/os/loader/@type='pflash'".to_string()));
    }
    machine.push_str(match security(root)? {
        Security::Realm => ",confidential-guest-support=lsec0",
        Security::Tmm => ",kvm-type=cvm",
    });
    Ok(machine)
}

fn security(root: Node<'_, '_>) -> Result<Security, Error> {
    let path = "domain/launchSecurity/@type";
    let node = find(root, "domain/launchSecurity").ok_or(Error::Missing { path })?;
    match (node.attribute("type"), node.attribute("hisi-cca-enable")) {
        (Some("cvm"), _) | (Some("cca"), Some("yes")) => Ok(Security::Tmm),
        (Some("cca"), None | Some("no")) => Ok(Security::Realm),
        (Some(kind), _) => Err(unsupported(node, format!("{path}='{kind}'"))),
        (None, _) => Err(Error::Missing { path }),
    }
}

/// The `rme-guest` of a Realm; its hash is QEMU's default where none is named.
fn realm(root: Node<'_, '_>) -> Result<String, Error> {
    use base64ct::{Base64, Encoding};
    let mut object = "rme-guest,id=lsec0".to_string();
    let named = ["measurement-algo", "measurement-algorithm"].iter().any(|name| {
        let security = find(root, "domain/launchSecurity");
        security.is_some_and(|node| node.children().any(|child| child.has_tag_name(*name)))
    });
    if named {
        object.push_str(&format!(
            ",measurement-algorithm={}",
            match value::hash(root)? {
                abi::measurement::Hash::Sha256 => "sha256",
                abi::measurement::Hash::Sha512 => "sha512",
            }
        ));
    }
    if let Some(node) = find(root, "domain/launchSecurity/personalization-value") {
        let rpv = value::rpv(node.text().unwrap_or_default().trim())?;
        object.push_str(&format!(",personalization-value={}", Base64::encode_string(&rpv)));
    }
    let attribute = find(root, "domain/launchSecurity").and_then(|node| node.attribute("measurement-log"));
    let element = find(root, "domain/launchSecurity/measurement-log").and_then(|node| node.attribute("state"));
    if let Some(log) = attribute.or(element) {
        object.push_str(&format!(",measurement-log={log}"));
    }
    Ok(object)
}

/// Words that the domain adds to the command line itself.
fn own_words(root: Node<'_, '_>) -> Result<Vec<String>, Error> {
    let lines = root.children().filter(|node| node.has_tag_name((QEMU, "commandline")));
    let mut words = Vec::new();
    for child in lines.flat_map(|line| line.children()).filter(Node::is_element) {
        let name = child.tag_name().name();
        match (name, child.attribute("value")) {
            ("arg", Some(word)) => words.push(word.to_string()),
            _ => return Err(unsupported(child, format!("domain/qemu:commandline/{name}"))),
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests;
