//! The CBOR reader, driven by its input and held against another reader.

use crate::bounds::within;
use evidence::Malformed;
use evidence::cbor::Reader;

/// Levels of nesting at which this walk turns back.
const DEEP: u8 = 24;

/// Skips, walks and reads an item of CBOR; what is skipped to its end, minicbor takes for one item too.
pub fn run(input: &[u8]) {
    let strict = Reader::new(input, 0);
    if tried(input, &strict) {
        let mut other = minicbor::Decoder::new(input);
        other.skip().expect("what is skipped here is an item to other readers");
        assert_eq!(other.position(), input.len(), "and as long");
    }
    tried(input, &strict.admitting_indefinite());
}

/// Whether the input is one item.
fn tried(input: &[u8], reader: &Reader<'_>) -> bool {
    let _ = within(input, 8, || walk(&mut reader.clone(), DEEP));
    let encoded = within(input, 8, || reader.clone().encoded().map(<[u8]>::len));
    let mut skipped = reader.clone();
    let ended = within(input, 8, || skipped.skip().and_then(|()| skipped.end()));
    assert!(ended.is_err() || encoded == Ok(input.len()));
    ended.is_ok()
}

/// Reads whatever stands there by whichever method takes it.
fn walk(reader: &mut Reader<'_>, left: u8) -> Result<(), Malformed> {
    let Some(left) = left.checked_sub(1) else { return reader.skip() };
    let lead = reader.rest().first().copied().unwrap_or_default();
    match lead >> 5 {
        0 => reader.uint().map(drop),
        1 => reader.int().map(drop),
        2 if left % 2 == 0 => reader.bytes().map(drop),
        2 => reader.nested().and_then(|(_, mut inner)| walk(&mut inner, left)),
        3 => reader.text().map(drop),
        4 => reader.array(|item| walk(item, left)),
        5 => reader.map(|_, value| walk(value, left)),
        6 => reader.tag().and_then(|_| walk(reader, left)),
        _ if lead & 0x1E == 0x14 => reader.bool().map(drop),
        _ => reader.skip(),
    }
}
