//! CBOR as a tree, to be changed one field at a time.

/// An item; what is within a byte string is seen as well, if it is CBOR.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Number(u8, u64),
    Bytes(Vec<u8>),
    Nested(Box<Item>),
    Text(Vec<u8>),
    Array(Vec<Item>),
    Map(Vec<(Item, Item)>),
    Tag(u64, Box<Item>),
    Simple(u8),
}

/// Every token that differs from this one in a single field: taken away, given twice, replaced, lengthened, shortened,
/// changed, or exchanged with its neighbour.
pub fn variants(token: &[u8]) -> Vec<Vec<u8>> {
    let (tree, rest) = read(token).expect("CBOR");
    assert!(rest.is_empty() && write(&tree) == token, "the tree is the token");
    let list = changed(&tree);
    list.iter().map(write).filter(|variant| variant != token).collect()
}

fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let length = match first & 31 {
        short @ 0..=23 => return Some((first >> 5, u64::from(short), rest)),
        long @ 24..=27 => 1 << (long - 24),
        _ => return None,
    };
    let (number, rest) = rest.split_at_checked(length)?;
    Some((first >> 5, number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)), rest))
}

fn read(bytes: &[u8]) -> Option<(Item, &[u8])> {
    let (major, number, mut rest) = head(bytes)?;
    let item = match major {
        0 | 1 => Item::Number(major, number),
        2 | 3 => {
            let (content, after) = rest.split_at_checked(number as usize)?;
            rest = after;
            match read(content) {
                _ if major == 3 => Item::Text(content.to_vec()),
                // A digest may happen to be CBOR: only what is made of parts is looked into.
                Some((inner @ (Item::Map(_) | Item::Tag(..) | Item::Nested(_)), [])) => Item::Nested(Box::new(inner)),
                _ => Item::Bytes(content.to_vec()),
            }
        }
        4 => {
            let mut list = Vec::new();
            for _ in 0..number {
                let (item, after) = read(rest)?;
                list.push(item);
                rest = after;
            }
            Item::Array(list)
        }
        5 => {
            let mut entries = Vec::new();
            for _ in 0..number {
                let (key, after) = read(rest)?;
                let (value, after) = read(after)?;
                entries.push((key, value));
                rest = after;
            }
            Item::Map(entries)
        }
        6 => {
            let (item, after) = read(rest)?;
            rest = after;
            Item::Tag(number, Box::new(item))
        }
        _ => Item::Simple(number as u8),
    };
    Some((item, rest))
}

fn write_head(major: u8, number: u64) -> Vec<u8> {
    let (lead, big) = (major << 5, number.to_be_bytes());
    match number {
        0..=23 => vec![lead | number as u8],
        24..=0xFF => vec![lead | 24, number as u8],
        0x100..=0xFFFF => [&[lead | 25], &big[6..]].concat(),
        0x1_0000..=0xFFFF_FFFF => [&[lead | 26], &big[4..]].concat(),
        _ => [&[lead | 27], &big[..]].concat(),
    }
}

fn write(item: &Item) -> Vec<u8> {
    let string = |major, content: &[u8]| [write_head(major, content.len() as u64), content.to_vec()].concat();
    match item {
        Item::Number(major, number) => write_head(*major, *number),
        Item::Bytes(content) => string(2, content),
        Item::Nested(inner) => string(2, &write(inner)),
        Item::Text(content) => string(3, content),
        Item::Array(list) => [write_head(4, list.len() as u64), list.iter().flat_map(write).collect()].concat(),
        Item::Map(entries) => {
            let pairs = entries.iter().flat_map(|(key, value)| [write(key), write(value)].concat()).collect();
            [write_head(5, entries.len() as u64), pairs].concat()
        }
        Item::Tag(number, inner) => [write_head(6, *number), write(inner)].concat(),
        Item::Simple(number) => write_head(7, u64::from(*number)),
    }
}

/// An item with one change anywhere within.
fn changed(item: &Item) -> Vec<Item> {
    let mut list = replacements(item);
    match item {
        Item::Nested(inner) => list.extend(changed(inner).into_iter().map(|it| Item::Nested(Box::new(it)))),
        Item::Tag(number, inner) => list.extend(changed(inner).into_iter().map(|it| Item::Tag(*number, Box::new(it)))),
        Item::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                list.extend(changed(inner).into_iter().map(|it| Item::Array(put(items, at, it))));
            }
            list.extend(rearranged(items).into_iter().map(Item::Array));
        }
        Item::Map(entries) => {
            for (at, (key, value)) in entries.iter().enumerate() {
                let keys = changed(key).into_iter().map(|it| (it, value.clone()));
                let values = changed(value).into_iter().map(|it| (key.clone(), it));
                list.extend(keys.chain(values).map(|entry| Item::Map(put(entries, at, entry))));
            }
            list.extend(rearranged(entries).into_iter().map(Item::Map));
        }
        _ => {}
    }
    list
}

fn put<T: Clone>(list: &[T], at: usize, item: T) -> Vec<T> {
    let mut list = list.to_vec();
    list[at] = item;
    list
}

/// Each part taken away, given twice, and exchanged with the next; and all of them gone.
fn rearranged<T: Clone>(list: &[T]) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    for at in 0..list.len() {
        let (mut without, mut twice, mut swapped) = (list.to_vec(), list.to_vec(), list.to_vec());
        without.remove(at);
        twice.insert(at, list[at].clone());
        swapped.swap(at, (at + 1) % list.len());
        all.extend([without, twice, swapped]);
    }
    all
}

/// What may stand in an item's place.
fn replacements(item: &Item) -> Vec<Item> {
    let mut list = vec![
        Item::Number(0, 0),
        Item::Number(1, 0),
        Item::Bytes(vec![]),
        Item::Text(vec![]),
        Item::Array(vec![]),
        Item::Map(vec![]),
        Item::Simple(22),
        Item::Tag(0, Box::new(item.clone())),
        Item::Nested(Box::new(item.clone())),
        Item::Array(vec![item.clone()]),
    ];
    match item {
        Item::Number(major, number) => {
            list.extend([Item::Number(*major, number.wrapping_add(1)), Item::Number(*major, number.wrapping_sub(1))]);
            list.push(Item::Number(1 - major, *number));
        }
        Item::Bytes(content) => list.extend(resized(content).into_iter().map(Item::Bytes)),
        Item::Text(content) => list.extend(resized(content).into_iter().map(Item::Text)),
        Item::Tag(number, inner) => list.extend([Item::Tag(number + 1, inner.clone()), (**inner).clone()]),
        _ => {}
    }
    list
}

/// Shorter, longer, and of the same length but changed.
fn resized(content: &[u8]) -> Vec<Vec<u8>> {
    let mut list = vec![[content, b"x"].concat(), [b"x", content].concat(), [content, &[0]].concat()];
    if let Some((last, start)) = content.split_last() {
        list.extend([start.to_vec(), [start, &[last ^ 1]].concat(), vec![0; content.len()]]);
    }
    list
}
