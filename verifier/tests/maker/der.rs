//! DER, as much as a certificate needs (X.690).

pub fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..=0x7F => vec![tag, length as u8],
        0x80..=0xFF => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}

pub fn sequence(items: &[&[u8]]) -> Vec<u8> {
    tagged(0x30, &items.concat())
}

/// An unsigned number from its big-endian bytes, in the shortest form.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let short = &bytes[first..];
    let sign: &[u8] = if short[0] & 0x80 == 0 { &[] } else { &[0] };
    tagged(0x02, &[sign, short].concat())
}

pub fn oid(content: &[u8]) -> Vec<u8> {
    tagged(0x06, content)
}

pub fn bits(unused: u8, content: &[u8]) -> Vec<u8> {
    tagged(0x03, &[&[unused], content].concat())
}

/// A time in full, such as `20260101000000Z`, in the form of its century (RFC 5280 §4.1.2.5).
pub fn time(text: &str) -> Vec<u8> {
    if text < "2050" { tagged(0x17, &text.as_bytes()[2..]) } else { tagged(0x18, text.as_bytes()) }
}

/// A name of one common name.
pub fn name(text: &str) -> Vec<u8> {
    let attribute = sequence(&[&oid(&[0x55, 0x04, 0x03]), &tagged(0x0C, text.as_bytes())]);
    sequence(&[&tagged(0x31, &attribute)])
}

pub fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { tagged(0x01, &[0xFF]) } else { vec![] };
    sequence(&[&oid(id), &critical, &tagged(0x04, value)])
}
