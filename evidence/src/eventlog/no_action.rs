//! Entries that inform and extend nothing.

use super::reader::Reader;
use super::text::{Shown, readable, until_nul};
use super::{Guid, Refusal, spec_id};
use alloc::vec::Vec;
use core::fmt;

/// What an `EV_NO_ACTION` entry says (profile 1.06, 10.4; the VMM's own from the Realm measurement log of QEMU and
/// kvmtool). None of it is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAction<'a> {
    /// The header of a crypto-agile log.
    Header,
    /// The header of an older log, by its signature.
    OldHeader(&'a [u8]),
    /// From which locality a TPM was started: PCR 0 begins with this number in its last byte.
    StartupLocality(u8),
    /// Where the firmware's reference manifest is to be found (NIST SP 800-155): its number, and the manufacturer's
    /// texts where the form has them.
    ReferenceManifest(u32, Guid, Vec<&'a [u8]>),
    /// Which VMM made the Realm.
    Vmm {
        /// Its name.
        name: &'a [u8],
        /// Its version.
        version: &'a [u8],
        /// Size of the VM's memory in bytes, where it says it.
        memory: Option<u64>,
        /// Number of virtual processors, where it says it.
        processors: Option<u32>,
    },
    /// The device tree of the Realm, in bytes.
    DeviceTree(usize),
    /// Anything else.
    Other(&'a [u8]),
}

/// Size in bytes of the signature that all of them begin with.
const SIGNATURE: usize = 16;

impl<'a> NoAction<'a> {
    /// Reads the data of an event that begins at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if what follows a known signature is not of its form.
    pub(crate) fn read(bytes: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let Ok(signature) = reader.array::<SIGNATURE>("signature") else { return Ok(Self::Other(bytes)) };
        match &signature {
            spec_id::SIGNATURE => Ok(Self::Header),
            b"Spec ID Event00\0" | b"Spec ID Event02\0" => Ok(Self::OldHeader(until_nul(bytes))),
            b"StartupLocality\0" => {
                let locality = reader.u8("a locality")?;
                reader.finish()?;
                Ok(Self::StartupLocality(locality))
            }
            b"SP800-155 Event\0" | b"SP800-155 Event2" | b"SP800-155 Event3" => Self::manifest(&mut reader),
            b"VM VERSION\0\0\0\0\0\0" => Self::vmm(&mut reader),
            b"DTB\0\0\0\0\0\0\0\0\0\0\0\0\0" => Ok(Self::DeviceTree(reader.rest().len())),
            _ => Ok(Self::Other(bytes)),
        }
    }

    fn manifest(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let vendor = reader.u32("vendor id")?;
        let manifest = Guid(reader.array("a reference manifest")?);
        let mut texts = Vec::new();
        // Manufacturer, model and version of the platform, then the firmware's manufacturer; the first form has none.
        while texts.len() < 4 && !reader.rest().is_empty() {
            let length = reader.u8("length of a text")?;
            texts.push(until_nul(reader.take(length.into(), "a text")?));
        }
        Ok(Self::ReferenceManifest(vendor, manifest, texts))
    }

    fn vmm(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let name = until_nul(reader.take(32, "name of a VMM")?);
        let version = until_nul(reader.take(40, "version of a VMM")?);
        // QEMU and kvmtool: memory and processors; a longer form has the log's address and size in front of them.
        if reader.rest().len() >= 28 {
            reader.take(16, "place of the log")?;
        }
        let memory = reader.u64("size of memory").ok();
        let processors = reader.u32("number of processors").ok();
        Ok(Self::Vmm { name, version, memory, processors })
    }
}

impl fmt::Display for NoAction<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => out.write_str("header of the log"),
            Self::OldHeader(signature) => write!(out, "header \"{}\"", Shown(&readable(signature))),
            Self::StartupLocality(locality) => write!(out, "the TPM was started from locality {locality}"),
            Self::ReferenceManifest(vendor, manifest, texts) => {
                write!(out, "reference manifest {manifest} of vendor {vendor}")?;
                texts.iter().try_for_each(|text| write!(out, ", \"{}\"", Shown(&readable(text))))
            }
            Self::Vmm { name, version, memory, processors } => {
                write!(out, "made by {} {}", Shown(&readable(name)), Shown(&readable(version)))?;
                memory.iter().try_for_each(|memory| write!(out, ", {memory} bytes of memory"))?;
                processors.iter().try_for_each(|count| write!(out, ", {count} processors"))
            }
            Self::DeviceTree(length) => write!(out, "device tree of {length} bytes"),
            Self::Other(bytes) => write!(out, "\"{}\"", Shown(&readable(bytes))),
        }
    }
}
