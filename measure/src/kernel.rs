//! Unpacks a kernel file, so that the host and the measurement see the same raw `Image`.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::GzDecoder;
use host::image::{Packing, packing};
use ruzstd::decoding::StreamingDecoder;

use crate::Error;

/// Most bytes that a kernel may unpack to.
pub const UNPACKED_MAX: u64 = 512 << 20;

/// Gives the raw `Image` in a kernel file: as it is, out of gzip, or out of an EFI zboot application (gzip or zstd). What
/// comes out may still be no kernel: [`host::image::Image::parse`] says so.
///
/// # Errors
/// [`Error::Unpack`] names what is broken.
pub fn unpack(file: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    match packing(file) {
        Packing::Raw => Ok(Cow::Borrowed(file)),
        Packing::Gzip => gunzip(file).map(Cow::Owned),
        Packing::Zboot => zboot(file).map(Cow::Owned),
    }
}

/// Linux `drivers/firmware/efi/libstub/zboot-header.S`: payload's offset at 8, its size at 12, its method's name at 24.
fn zboot(file: &[u8]) -> Result<Vec<u8>, Error> {
    let header = file.get(..56).ok_or(Error::unpack("EFI zboot", "the header is cut"))?;
    let word = |at: usize| header.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b));
    let (start, size) = (word(8) as usize, word(12) as usize);
    let payload = start.checked_add(size).and_then(|end| file.get(start..end));
    let payload = payload.ok_or(Error::unpack("EFI zboot", "the payload is cut"))?;
    let method = header.get(24..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    match method {
        b"gzip" => gunzip(payload),
        b"zstd" | b"zstd22" => unzstd(payload),
        other => Err(Error::unpack("EFI zboot", format!("unknown method {:?}", String::from_utf8_lossy(other)))),
    }
}

/// What follows the compressed data (zboot appends the unpacked size) is not read.
fn gunzip(file: &[u8]) -> Result<Vec<u8>, Error> {
    read(GzDecoder::new(file)).map_err(|why| Error::unpack("gzip", why))
}

fn unzstd(file: &[u8]) -> Result<Vec<u8>, Error> {
    let decoder = StreamingDecoder::new(file).map_err(|why| Error::unpack("zstd", why.to_string()))?;
    read(decoder).map_err(|why| Error::unpack("zstd", why))
}

fn read(decoder: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    decoder.take(UNPACKED_MAX + 1).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    if bytes.len() as u64 > UNPACKED_MAX {
        return Err(format!("expected at most {UNPACKED_MAX} bytes, found more"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
