//! Where an image was loaded from.

use super::reader::Reader;
use super::text::{Shown, utf16};
use super::{Guid, Refusal};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// A device path (UEFI 2.10, 10.3): nodes from the root of the machine to a file. A log's path is a hint; the digest is
/// over the image alone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DevicePath {
    nodes: Vec<String>,
}

const HARDWARE: u8 = 1;
const ACPI: u8 = 2;
const MESSAGING: u8 = 3;
const MEDIA: u8 = 4;
const BIOS: u8 = 5;
const END: u8 = 0x7f;
/// Size in bytes of what stands in front of each node's own fields.
const NODE_HEADER: usize = 4;

impl DevicePath {
    /// Reads one path, or several that follow each other, up to the last byte of `bytes`, which begin at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if a node is cut short or the end node is missing.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let mut path = Self::default();
        let mut ended = true;
        while !reader.rest().is_empty() {
            let at = reader.at();
            let kind = reader.u8("type of a path node")?;
            let subtype = reader.u8("sub-type of a path node")?;
            let length = usize::from(reader.u16("length of a path node")?);
            let fields = length.checked_sub(NODE_HEADER).ok_or(Refusal::Value {
                at: at.saturating_add(2),
                what: "length of a path node",
                expected: "at least 4",
                found: length as u64,
            })?;
            let fields = reader.take(fields, "a path node")?;
            ended = kind == END && subtype == 0xff;
            path.nodes.extend(node(kind, subtype, fields));
        }
        if ended {
            Ok(path)
        } else {
            Err(Refusal::Bytes { at: reader.at(), expected: "the end node of a device path" })
        }
    }

    /// Whether it has no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl fmt::Display for DevicePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.nodes.iter().enumerate().try_for_each(|(index, node)| {
            let slash = if index > 0 && !node.starts_with('\\') { "/" } else { "" };
            write!(out, "{slash}{node}")
        })
    }
}

/// One node in the text form of UEFI 2.10, 10.6, or with its bytes where the form is not known. The end has none.
fn node(kind: u8, subtype: u8, fields: &[u8]) -> Option<String> {
    if kind == END {
        return (subtype != 0xff).then(|| ";".to_string());
    }
    let mut reader = Reader::new(fields, 0);
    let known = match kind {
        HARDWARE => hardware(subtype, &mut reader),
        ACPI => acpi(subtype, &mut reader),
        MESSAGING => messaging(subtype, &mut reader),
        MEDIA => media(subtype, &mut reader),
        BIOS => Ok(Some("BBS".to_string())),
        _ => Ok(None),
    };
    let unknown = || format!("Path({kind},{subtype},{})", crate::hex::encode(fields));
    Some(known.ok().flatten().unwrap_or_else(unknown))
}

fn hardware(subtype: u8, reader: &mut Reader<'_>) -> Result<Option<String>, Refusal> {
    Ok(match subtype {
        1 => {
            let function = reader.u8("function")?;
            Some(format!("Pci({:#x},{function:#x})", reader.u8("device")?))
        }
        3 => {
            let kind = reader.u32("memory type")?;
            let start = reader.u64("start")?;
            Some(format!("MemoryMapped({kind:#x},{start:#x},{:#x})", reader.u64("end")?))
        }
        4 => Some(format!("VenHw({})", Guid(reader.array("GUID")?).named())),
        5 => Some(format!("Ctrl({:#x})", reader.u32("controller")?)),
        _ => None,
    })
}

fn acpi(subtype: u8, reader: &mut Reader<'_>) -> Result<Option<String>, Refusal> {
    const PCI_ROOT: u32 = 0x0a03_41d0;
    const PCIE_ROOT: u32 = 0x0a08_41d0;
    if subtype != 1 {
        return Ok(None);
    }
    let device = reader.u32("hardware id")?;
    let unit = reader.u32("unit id")?;
    Ok(Some(match device {
        PCI_ROOT => format!("PciRoot({unit:#x})"),
        PCIE_ROOT => format!("PcieRoot({unit:#x})"),
        other => format!("Acpi(PNP{:04X},{unit:#x})", other >> 16),
    }))
}

fn messaging(subtype: u8, reader: &mut Reader<'_>) -> Result<Option<String>, Refusal> {
    Ok(match subtype {
        2 => {
            let target = reader.u16("target")?;
            Some(format!("Scsi({target:#x},{:#x})", reader.u16("unit")?))
        }
        5 => {
            let port = reader.u8("port")?;
            Some(format!("USB({port:#x},{:#x})", reader.u8("interface")?))
        }
        11 => Some(format!("MAC({})", crate::hex::encode(reader.take(6, "address")?))),
        12 => Some("IPv4".to_string()),
        13 => Some("IPv6".to_string()),
        17 => Some(format!("Unit({:#x})", reader.u8("unit")?)),
        18 => {
            let port = reader.u16("port")?;
            let multiplier = reader.u16("multiplier")?;
            Some(format!("Sata({port:#x},{multiplier:#x},{:#x})", reader.u16("unit")?))
        }
        23 => {
            let namespace = reader.u32("namespace")?;
            Some(format!("NVMe({namespace:#x},{})", crate::hex::encode(reader.take(8, "EUI-64")?)))
        }
        24 => Some(format!("Uri({})", Shown(&super::text::readable(reader.remainder())))),
        26 => Some(format!("SD({:#x})", reader.u8("slot")?)),
        29 => Some(format!("eMMC({:#x})", reader.u8("slot")?)),
        _ => None,
    })
}

fn media(subtype: u8, reader: &mut Reader<'_>) -> Result<Option<String>, Refusal> {
    Ok(match subtype {
        1 => Some(hard_disk(reader)?),
        2 => Some(format!("CDROM({:#x})", reader.u32("boot entry")?)),
        3 => Some(format!("VenMedia({})", Guid(reader.array("GUID")?).named())),
        4 => utf16(reader.remainder()).map(|path| Shown(path.trim_end_matches('\0')).to_string()),
        6 => Some(format!("FvFile({})", Guid(reader.array("GUID")?).named())),
        7 => Some(format!("Fv({})", Guid(reader.array("GUID")?).named())),
        8 => {
            reader.u32("reserved bytes")?;
            let start = reader.u64("start")?;
            Some(format!("Offset({start:#x},{:#x})", reader.u64("end")?))
        }
        9 => Some("RamDisk".to_string()),
        _ => None,
    })
}

fn hard_disk(reader: &mut Reader<'_>) -> Result<String, Refusal> {
    let number = reader.u32("partition number")?;
    let start = reader.u64("first block")?;
    let size = reader.u64("number of blocks")?;
    let signature: [u8; 16] = reader.array("signature")?;
    reader.u8("partition format")?;
    Ok(match reader.u8("signature type")? {
        2 => format!("HD({number},GPT,{},{start:#x},{size:#x})", Guid(signature)),
        1 => {
            let [a, b, c, d, ..] = signature;
            format!("HD({number},MBR,{:#010x},{start:#x},{size:#x})", u32::from_le_bytes([a, b, c, d]))
        }
        _ => format!("HD({number},{start:#x},{size:#x})"),
    })
}
