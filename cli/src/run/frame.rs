//! Frames on the host's serial port (docs/architecture.md §5): `0x1F channel len_lo len_hi payload`, raw text between.

const MARK: u8 = 0x1F;

/// A raw line that is longer comes in pieces.
const LONGEST_LINE: usize = 4096;

/// A piece of what the host sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A frame: its channel and payload.
    Frame(u8, Vec<u8>),
    /// A line outside frames, without its line end: what a program prints that has lost its footing.
    Raw(String),
}

/// Turns bytes, in whatever portions they come, into pieces.
#[derive(Default)]
pub struct Decoder {
    frame: Option<Vec<u8>>,
    raw: Vec<u8>,
}

impl Decoder {
    /// Takes the next bytes and answers the pieces that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        bytes.iter().filter_map(|byte| self.take(*byte)).collect()
    }

    /// The last raw line, if the sender fell silent in the middle of it.
    pub fn rest(&mut self) -> Option<Piece> {
        (!self.raw.is_empty()).then(|| self.line())
    }

    fn take(&mut self, byte: u8) -> Option<Piece> {
        match &mut self.frame {
            None if byte == MARK => self.frame = Some(Vec::new()),
            None if byte == b'\n' => return (!self.raw.is_empty()).then(|| self.line()),
            None if byte != b'\r' => {
                self.raw.push(byte);
                return (self.raw.len() >= LONGEST_LINE).then(|| self.line());
            }
            None => {}
            Some(frame) => {
                frame.push(byte);
                if frame.len() >= 3 && frame.len() - 3 == usize::from(u16::from_le_bytes([frame[1], frame[2]])) {
                    let payload = frame.split_off(3);
                    let channel = frame[0];
                    self.frame = None;
                    return Some(Piece::Frame(channel, payload));
                }
            }
        }
        None
    }

    fn line(&mut self) -> Piece {
        Piece::Raw(String::from_utf8_lossy(&std::mem::take(&mut self.raw)).into_owned())
    }
}

/// Frames a payload for a channel; one too long for a frame is cut into several.
pub fn encode(channel: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 4);
    for part in payload.chunks(usize::from(u16::MAX)) {
        let [low, high] = u16::try_from(part.len()).unwrap_or(u16::MAX).to_le_bytes();
        bytes.extend([MARK, channel, low, high]);
        bytes.extend(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_however_they_are_cut() {
        let sent =
            [encode(b'E', b"{}"), b"panic: x\r\n".to_vec(), encode(b'C', b"\x1f\n"), encode(b'L', b"l")].concat();
        let mut decoder = Decoder::default();
        let got: Vec<Piece> = sent.iter().flat_map(|byte| decoder.feed(&[*byte])).collect();
        let expected = [
            Piece::Frame(b'E', b"{}".to_vec()),
            Piece::Raw("panic: x".into()),
            Piece::Frame(b'C', b"\x1f\n".to_vec()),
            Piece::Frame(b'L', b"l".to_vec()),
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn an_empty_frame_is_a_frame() {
        assert_eq!(Decoder::default().feed(&[MARK, b'Q', 0, 0]), [Piece::Frame(b'Q', vec![])]);
    }

    #[test]
    fn a_long_payload_becomes_several_frames() {
        let pieces = Decoder::default().feed(&encode(b'C', &[7; 70_000]));
        let lengths: Vec<usize> = pieces
            .iter()
            .map(|piece| if let Piece::Frame(b'C', payload) = piece { payload.len() } else { 0 })
            .collect();
        assert_eq!(lengths, [65_535, 4_465]);
    }
}
