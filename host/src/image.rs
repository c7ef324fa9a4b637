//! The kernel file: the header of a raw arm64 `Image`, and what is said of a file that is none.
//!
//! Layouts: Linux `Documentation/arch/arm64/booting.rst` (the 64-byte header), and Microsoft PE/COFF (the sections of a
//! kernel with an EFI stub, which alone tell how long the file must be).

use core::fmt;

use crate::Error;

const HEADER: usize = 64;
const MAGIC: (usize, &[u8]) = (56, b"ARM\x64");
const GZIP: (usize, &[u8]) = (0, &[0x1f, 0x8b]);
const ZBOOT: (usize, &[u8]) = (4, b"zimg");
const BIG_ENDIAN: u64 = 1;
const GRANULE: u64 = 4096;
const BLOCK: u64 = 2 << 20;

/// What the header of a raw arm64 `Image` promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where the image is loaded, in bytes above an address aligned to 2 MiB.
    pub text_offset: u64,
    /// Memory that the kernel takes from its first byte on, in bytes, its BSS included.
    pub image_size: u64,
}

/// How a kernel file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// A raw `Image`.
    Raw,
    /// `Image.gz`.
    Gzip,
    /// An EFI application that unpacks itself (`vmlinuz.efi`).
    Zboot,
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packing::Raw => "a raw Image",
            Packing::Gzip => "gzip",
            Packing::Zboot => "EFI zboot",
        })
    }
}

impl Image {
    /// Reads the header of a raw `Image` (booting.rst, "Call the kernel image").
    ///
    /// # Errors
    /// [`Error`] names what was expected and found. A file that is cut short is noticed by its PE sections; a kernel
    /// built without an EFI stub has none, and then only a cut header is noticed.
    pub fn parse(file: &[u8]) -> Result<Image, Error> {
        Image::parse_head(file, Some(file.len() as u64))
    }

    /// Reads the header of a raw `Image` of which only the first granule is at hand, and of which nobody may know the
    /// length in bytes yet.
    ///
    /// # Errors
    /// As for [`Image::parse`]; without a length, a file that is cut short or too long is not noticed.
    pub fn parse_head(file: &[u8], length: Option<u64>) -> Result<Image, Error> {
        match packing(file) {
            Packing::Raw => {}
            packed => return Err(Error::KernelPacked(packed)),
        }
        let header =
            file.get(..HEADER).ok_or(Error::KernelTruncated { expected: HEADER as u64, found: file.len() as u64 })?;
        if !matches(header, MAGIC) {
            return Err(Error::NotKernel { found: array(header, MAGIC.0).unwrap_or_default() });
        }
        let expected = end_of_sections(file).unwrap_or(0);
        if let Some(found) = length.filter(|found| *found < expected) {
            return Err(Error::KernelTruncated { expected, found });
        }
        let image = Image { text_offset: word(header, 8), image_size: word(header, 16) };
        image.check(word(header, 24), length.unwrap_or(0))
    }

    fn check(self, flags: u64, file: u64) -> Result<Image, Error> {
        if flags & BIG_ENDIAN != 0 {
            return Err(Error::KernelBigEndian);
        }
        if self.image_size == 0 || self.image_size < file {
            return Err(Error::KernelSize { file, found: self.image_size });
        }
        if self.text_offset >= BLOCK || !self.text_offset.is_multiple_of(GRANULE) {
            return Err(Error::KernelOffset { found: self.text_offset });
        }
        Ok(self)
    }
}

/// Tells how a file is packed, by its magic alone; what is neither gzip nor zboot is called raw.
#[must_use]
pub fn packing(file: &[u8]) -> Packing {
    if matches(file, GZIP) {
        Packing::Gzip
    } else if matches(file, ZBOOT) {
        Packing::Zboot
    } else {
        Packing::Raw
    }
}

/// Where the last PE section ends in the file; `None` without an EFI stub.
fn end_of_sections(file: &[u8]) -> Option<u64> {
    let pe = u32::from_le_bytes(array(file, 60)?) as usize;
    if array::<2>(file, 0)? != *b"MZ" || array::<4>(file, pe)? != *b"PE\0\0" {
        return None;
    }
    let sections = usize::from(u16::from_le_bytes(array(file, pe.checked_add(6)?)?));
    let optional = usize::from(u16::from_le_bytes(array(file, pe.checked_add(20)?)?));
    let first = pe.checked_add(24)?.checked_add(optional)?;
    (0..sections)
        .map(|n| {
            let section = first.checked_add(n.checked_mul(40)?)?;
            let size = u32::from_le_bytes(array(file, section.checked_add(16)?)?);
            let start = u32::from_le_bytes(array(file, section.checked_add(20)?)?);
            Some(u64::from(size) + u64::from(start))
        })
        .max()
        .flatten()
}

fn matches(file: &[u8], (at, magic): (usize, &[u8])) -> bool {
    file.get(at..).is_some_and(|rest| rest.starts_with(magic))
}

fn array<const N: usize>(file: &[u8], at: usize) -> Option<[u8; N]> {
    file.get(at..)?.first_chunk().copied()
}

fn word(header: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(header, at).unwrap_or_default())
}

#[cfg(test)]
mod tests;
