//! Unpacks a kernel file, so that the host and the measurement see the same raw `Image`.

use std::borrow::Cow;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use abi::GRANULE;
use flate2::read::GzDecoder;
use host::image::{Image, Packing, packing};
use ruzstd::decoding::StreamingDecoder;

use crate::Error;
use crate::blob::{self, Blob};

/// Most bytes that a kernel may unpack to where it is held whole.
pub const UNPACKED_MAX: u64 = 512 << 20;

/// Bytes that are read from a kernel at a time.
const PIECE: usize = 16 * GRANULE;

/// A kernel whose header has been read and whose bytes are yet to be.
#[derive(Debug)]
pub struct Kernel {
    /// What its header promises.
    pub image: Image,
    /// How its file is packed.
    pub packing: Packing,
    /// The raw `Image`.
    pub blob: Blob<'static>,
}

impl Kernel {
    /// Opens a kernel file of any packing and reads no more than its header.
    ///
    /// # Errors
    /// A file that cannot be opened or unpacked, or that holds no kernel.
    pub fn open(path: &Path) -> Result<Kernel, Error> {
        let (mut file, length) = blob::open(path)?;
        let start = head(&mut file).map_err(|why| Error::Read { what: "kernel", why })?;
        let packing = packing(&start);
        if packing == Packing::Raw {
            let image = Image::parse_head(&start, Some(length)).map_err(Error::Host)?;
            let rest = BufReader::with_capacity(PIECE, file);
            return Ok(Kernel { image, packing, blob: Blob::exactly(length, Cursor::new(start).chain(rest)) });
        }
        let (mut unpacked, method) = unpacker(packing, &start, length, file)?;
        let start = head(&mut unpacked).map_err(|why| Error::unpack(method, why))?;
        // Both formats guard against being cut short; that there is not too much shows when it is read.
        let image = Image::parse_head(&start, None).map_err(Error::Host)?;
        let rest = BufReader::with_capacity(PIECE, unpacked);
        Ok(Kernel { image, packing, blob: Blob::at_most(image.image_size, Cursor::new(start).chain(rest)) })
    }
}

/// Gives the raw `Image` in a kernel file: as it is, out of gzip, or out of an EFI zboot application (gzip or zstd). What
/// comes out may still be no kernel: [`Image::parse`] says so.
///
/// # Errors
/// [`Error::Unpack`] names what is broken.
pub fn unpack(file: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let packing = packing(file);
    if packing == Packing::Raw {
        return Ok(Cow::Borrowed(file));
    }
    let (unpacked, method) = unpacker(packing, file, file.len() as u64, Cursor::new(file))?;
    let mut bytes = Vec::new();
    let read = unpacked.take(UNPACKED_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|why| Error::unpack(method, why.to_string()))?;
    if bytes.len() as u64 > UNPACKED_MAX {
        return Err(Error::unpack(method, format!("expected at most {UNPACKED_MAX} bytes, found more")));
    }
    Ok(Cow::Owned(bytes))
}

/// Unpacks a file of `length` bytes that begins with `head`; names the method.
fn unpacker<'a>(
    packing: Packing,
    head: &[u8],
    length: u64,
    mut file: impl Read + Seek + 'a,
) -> Result<(Box<dyn Read + 'a>, &'static str), Error> {
    let Payload { start, size, zstd } = match packing {
        Packing::Zboot => zboot(head, length)?,
        Packing::Raw | Packing::Gzip => Payload { start: 0, size: length, zstd: false },
    };
    file.seek(SeekFrom::Start(start)).map_err(|why| Error::Read { what: "kernel", why: why.to_string() })?;
    let packed = BufReader::with_capacity(PIECE, file.take(size));
    if !zstd {
        // What follows the compressed data (zboot appends the unpacked size) is not read.
        return Ok((Box::new(GzDecoder::new(packed)), "gzip"));
    }
    let decoder = StreamingDecoder::new(packed).map_err(|why| Error::unpack("zstd", why.to_string()))?;
    Ok((Box::new(decoder), "zstd"))
}

/// Where the compressed kernel is in a file.
struct Payload {
    start: u64,
    size: u64,
    zstd: bool,
}

/// Linux `drivers/firmware/efi/libstub/zboot-header.S`: payload's offset at 8, its size at 12, its method's name at 24.
fn zboot(head: &[u8], length: u64) -> Result<Payload, Error> {
    let header = head.get(..56).ok_or(Error::unpack("EFI zboot", "the header is cut"))?;
    let word = |at: usize| header.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b));
    let (start, size) = (u64::from(word(8)), u64::from(word(12)));
    if start + size > length {
        return Err(Error::unpack("EFI zboot", "the payload is cut"));
    }
    let method = header.get(24..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    match method {
        b"gzip" => Ok(Payload { start, size, zstd: false }),
        b"zstd" | b"zstd22" => Ok(Payload { start, size, zstd: true }),
        other => Err(Error::unpack("EFI zboot", format!("unknown method {:?}", String::from_utf8_lossy(other)))),
    }
}

/// The first granule, or all where there is less.
fn head(reader: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut head = Vec::new();
    reader.take(GRANULE as u64).read_to_end(&mut head).map_err(|why| why.to_string())?;
    Ok(head)
}

#[cfg(test)]
mod tests;
