//! Images that firmware or a loader started.

use super::reader::Reader;
use super::{DevicePath, Refusal};
use core::fmt;

/// `UEFI_IMAGE_LOAD_EVENT` (profile 1.06, 10.2). The digest of the event is the image's Authenticode digest; all of
/// this is a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it was loaded.
    pub address: u64,
    /// Its size in the file, in bytes.
    pub length: u64,
    /// Where it wants to be loaded.
    pub link_address: u64,
    /// Where it came from; empty if a loader had it in memory already, as shim has.
    pub path: DevicePath,
    /// Bytes behind the path; old versions of shim wrote some.
    pub excess: usize,
}

impl Image {
    /// Reads the data of an event that begins at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if it is cut short, or the path is none.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let address = reader.u64("address of an image")?;
        let length = reader.u64("length of an image")?;
        let link_address = reader.u64("link-time address of an image")?;
        let path = reader.u64("length of its device path")?;
        let at = reader.at();
        let path = DevicePath::read(reader.take_long(path, "device path of an image")?, at)?;
        Ok(Self { address, length, link_address, path, excess: reader.rest().len() })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes at {:#x}", self.length, self.address)?;
        if self.path.is_empty() {
            out.write_str(", from memory, without device path")?;
        } else {
            write!(out, ", from {}", self.path)?;
        }
        if self.excess > 0 { write!(out, ", and {} bytes behind it", self.excess) } else { Ok(()) }
    }
}
