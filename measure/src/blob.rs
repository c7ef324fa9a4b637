//! Where the bytes of an image come from: a piece at a time, so that no image is ever held whole.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use abi::GRANULE;

use crate::Error;

/// Bytes that are read from a file at a time.
const PIECE: usize = 16 * GRANULE;

/// Bytes that are read once, from first to last.
pub struct Blob<'a> {
    reader: Box<dyn BufRead + 'a>,
    length: Length,
}

#[derive(Clone, Copy, Debug)]
enum Length {
    Exactly(u64),
    AtMost(u64),
}

impl<'a> Blob<'a> {
    /// Bytes at hand.
    #[must_use]
    pub fn bytes(bytes: &'a [u8]) -> Blob<'a> {
        Blob { reader: Box::new(bytes), length: Length::Exactly(bytes.len() as u64) }
    }

    /// `length` bytes of another reader.
    pub fn exactly(length: u64, reader: impl BufRead + 'a) -> Blob<'a> {
        Blob { reader: Box::new(reader), length: Length::Exactly(length) }
    }

    /// Bytes of another reader, at most `length`.
    pub fn at_most(length: u64, reader: impl BufRead + 'a) -> Blob<'a> {
        Blob { reader: Box::new(reader), length: Length::AtMost(length) }
    }

    /// A regular file.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be opened or has no length.
    pub fn file(path: &Path) -> Result<Blob<'static>, Error> {
        let (file, length) = open(path)?;
        Ok(Blob::exactly(length, BufReader::with_capacity(PIECE, file)))
    }

    /// How many bytes there are, where that is known without reading them.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self.length {
            Length::Exactly(length) => Some(length),
            Length::AtMost(_) => None,
        }
    }

    /// Gives one granule after the other to `visit`, the first `skip` bytes of the first one and the rest of the last one
    /// zeros. Answers how many bytes there were.
    ///
    /// # Errors
    /// [`Error::Read`], and [`Error::Length`] where there are not as many bytes as expected.
    pub fn granules(
        mut self,
        what: &'static str,
        skip: usize,
        mut visit: impl FnMut(&[u8; GRANULE]),
    ) -> Result<u64, Error> {
        let (mut page, mut filled, mut total) = ([0; GRANULE], skip % GRANULE, 0u64);
        loop {
            let piece = self.reader.fill_buf().map_err(|why| Error::Read { what, why: why.to_string() })?;
            if piece.is_empty() {
                break;
            }
            let used = if filled == 0 && piece.len() >= GRANULE {
                let (whole, _) = piece.as_chunks();
                whole.iter().for_each(&mut visit);
                whole.len() * GRANULE
            } else {
                let used = piece.len().min(GRANULE - filled);
                page[filled..filled + used].copy_from_slice(&piece[..used]);
                filled += used;
                used
            };
            self.reader.consume(used);
            total += used as u64;
            self.length.bounds(what, total)?;
            if filled == GRANULE {
                visit(&page);
                (page, filled) = ([0; GRANULE], 0);
            }
        }
        if filled > 0 && total > 0 {
            visit(&page);
        }
        match self.length {
            Length::Exactly(expected) if expected != total => Err(Error::Length { what, expected, found: total }),
            _ => Ok(total),
        }
    }
}

impl Length {
    fn bounds(self, what: &'static str, found: u64) -> Result<(), Error> {
        let (Length::Exactly(expected) | Length::AtMost(expected)) = self;
        if found > expected { Err(Error::Length { what, expected, found }) } else { Ok(()) }
    }
}

/// Opens a regular file.
pub(crate) fn open(path: &Path) -> Result<(File, u64), Error> {
    let error = |why: String| Error::File { path: path.to_path_buf(), why };
    let file = File::open(path).map_err(|why| error(why.to_string()))?;
    let about = file.metadata().map_err(|why| error(why.to_string()))?;
    if !about.is_file() {
        return Err(error("expected a regular file, found another kind".to_string()));
    }
    Ok((file, about.len()))
}

impl fmt::Debug for Blob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
