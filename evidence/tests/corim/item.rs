//! CBOR to be written, of which nothing is right by itself.

use Item::{Array, Endless, Map, Number};

/// An item.
#[derive(Clone)]
pub enum Item {
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Item>),
    Map(Vec<(Item, Item)>),
    Endless(Vec<(Item, Item)>),
    Tag(u64, Box<Item>),
}

pub fn text(value: &str) -> Item {
    Item::Text(value.to_string())
}

pub fn raw(value: &[u8]) -> Item {
    Item::Bytes(value.to_vec())
}

pub fn tag(number: u64, value: Item) -> Item {
    Item::Tag(number, Box::new(value))
}

pub fn bytes560(value: &[u8]) -> Item {
    tag(560, raw(value))
}

impl Item {
    pub fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Number(value) if *value < 0 => head(out, 1, (-1 - value) as u64),
            Number(value) => head(out, 0, *value as u64),
            Self::Bytes(value) => {
                head(out, 2, value.len() as u64);
                out.extend(value);
            }
            Self::Text(value) => {
                head(out, 3, value.len() as u64);
                out.extend(value.bytes());
            }
            Array(items) => {
                head(out, 4, items.len() as u64);
                items.iter().for_each(|item| item.write(out));
            }
            Map(entries) => {
                head(out, 5, entries.len() as u64);
                pairs(out, entries);
            }
            Endless(entries) => {
                out.push(0xBF);
                pairs(out, entries);
                out.push(0xFF);
            }
            Self::Tag(number, inner) => {
                head(out, 6, *number);
                inner.write(out);
            }
        }
    }
}

fn pairs(out: &mut Vec<u8>, entries: &[(Item, Item)]) {
    for (key, value) in entries {
        key.write(out);
        value.write(out);
    }
}

/// Heads in a form that is longer than need be, which has to be read as well.
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    out.push(major << 5 | 26);
    out.extend((argument as u32).to_be_bytes());
}
