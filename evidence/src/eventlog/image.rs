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
}

impl Image {
    /// Reads the data of an event that begins at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if the path does not fill the rest of it exactly.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let address = reader.u64("address of an image")?;
        let length = reader.u64("length of an image")?;
        let link_address = reader.u64("link-time address of an image")?;
        let path = reader.u64("length of its device path")?;
        let at = reader.at();
        let path = DevicePath::read(reader.take_long(path, "device path of an image")?, at)?;
        reader.finish()?;
        Ok(Self { address, length, link_address, path })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes at {:#x}", self.length, self.address)?;
        if self.path.is_empty() {
            return out.write_str(", from memory, without device path");
        }
        write!(out, ", from {}", self.path)
    }
}
