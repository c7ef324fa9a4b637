//! What the reader accepts, and each thing it refuses.

use super::*;
use alloc::vec;

fn skip_all(bytes: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes, 0);
    reader.skip()?;
    reader.end()
}

#[test]
fn numbers_in_longer_encodings_are_accepted() {
    for bytes in [&[0x05][..], &[0x18, 5], &[0x19, 0, 5], &[0x1A, 0, 0, 0, 5], &[0x1B, 0, 0, 0, 0, 0, 0, 0, 5]] {
        assert_eq!(Reader::new(bytes, 0).uint(), Ok(5));
    }
    assert_eq!(Reader::new(&[0x39, 0, 34], 0).int(), Ok(-35));
    assert_eq!(Reader::new(&[0x5A, 0, 0, 0, 1, 7], 0).bytes(), Ok(&[7][..]));
}

#[test]
fn every_kind_of_item_is_passed_over() {
    let item = [
        0x8A, 0x00, 0x20, 0x41, 0xFF, 0x61, b'a', 0xA1, 0x01, 0x80, 0xC1, 0x01, 0xF5, 0xF9, 0, 0, 0xFA, 0, 0, 0, 0,
        0xFB, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    assert_eq!(skip_all(&item), Ok(()));
    for end in 0..item.len() {
        assert!(skip_all(&item[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn indefinite_lengths_are_refused() {
    for bytes in [&[0x5F, 0x41, 1, 0xFF][..], &[0x7F, 0x61, b'a', 0xFF], &[0x9F, 0xFF], &[0xBF, 0xFF]] {
        assert_eq!(skip_all(bytes), Err(Malformed::Indefinite { at: 0 }));
    }
    assert_eq!(Reader::new(&[0xBF, 0xFF], 0).map(|_, _| Ok(())), Err(Malformed::Indefinite { at: 0 }));
}

#[test]
fn duplicate_keys_are_refused_whatever_their_encoding() {
    assert_eq!(skip_all(&[0xA2, 0x01, 0x00, 0x02, 0x00]), Ok(()));
    assert_eq!(skip_all(&[0xA2, 0x01, 0x00, 0x18, 0x01, 0x00]), Err(Malformed::Duplicate { at: 3 }));
    assert_eq!(skip_all(&[0xA2, 0x61, b'a', 0x00, 0x61, b'a', 0x00]), Err(Malformed::Duplicate { at: 4 }));
    assert_eq!(skip_all(&[0x81, 0xA2, 0x20, 0x00, 0x20, 0x00]), Err(Malformed::Duplicate { at: 4 }));
}

#[test]
fn trailing_bytes_are_refused() {
    assert_eq!(skip_all(&[0x00, 0x00]), Err(Malformed::Trailing { at: 1, count: 1 }));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| {
        let mut bytes = vec![0x81; depth];
        bytes.push(0x00);
        bytes
    };
    assert_eq!(skip_all(&nested(16)), Ok(()));
    assert_eq!(skip_all(&nested(17)), Err(Malformed::TooDeep { at: 16, limit: 16 }));
    assert!(matches!(skip_all(&nested(60_000)), Err(Malformed::TooDeep { .. })));
    assert!(matches!(skip_all(&vec![0xC1; 60_000]), Err(Malformed::TooDeep { .. })));
}

#[test]
fn lengths_beyond_the_input_are_refused() {
    let huge = [0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00];
    assert_eq!(skip_all(&huge), Err(Malformed::Length { at: 0, declared: u64::MAX, left: 1 }));
    let mut map = huge;
    map[0] = 0xBB;
    assert_eq!(skip_all(&map), Err(Malformed::Length { at: 0, declared: u64::MAX, left: 1 }));
    let mut string = huge;
    string[0] = 0x5B;
    assert!(matches!(skip_all(&string), Err(Malformed::Cbor { .. })));
    assert_eq!(skip_all(&[0xA1, 0x01]), Err(Malformed::Length { at: 0, declared: 1, left: 1 }));
}

#[test]
fn negative_keys_keep_their_value() {
    let mut keys = vec![];
    let map = [0xA3, 0x20, 0x00, 0x22, 0x00, 0x3B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00];
    let done = Reader::new(&map, 0).map(|key, value| {
        keys.push(key);
        value.skip()
    });
    assert_eq!(done, Ok(()));
    assert_eq!(keys, [Key::Nint(0), Key::Nint(2), Key::Nint(u64::MAX)]);
}

#[test]
fn arbitrary_bytes_never_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut accepted = 0;
    for round in 0..200_000_u32 {
        let bytes: [u8; 12] = core::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        let mut reader = Reader::new(&bytes, 0);
        if reader.skip().is_ok() {
            accepted += 1;
            assert!(reader.at() <= bytes.len(), "round {round}");
        }
    }
    assert!(accepted > 1000, "the bytes must reach beyond the first item: {accepted}");
}

#[test]
fn every_head_is_read_as_another_decoder_reads_it() {
    let mut agreed = 0;
    for (first, second) in (0..=u8::MAX).flat_map(|first| (0..=u8::MAX).map(move |second| (first, second))) {
        let mut input = [0x61; 300];
        input[..2].copy_from_slice(&[first, second]);
        let ours = || Reader::new(&input, 0);
        let decoder = || minicbor::Decoder::new(&input);
        assert_eq!(ours().uint().ok(), decoder().u64().ok().filter(|_| first < 0x20), "{first:#x} {second:#x}");
        assert_eq!(ours().int().ok(), decoder().int().ok().map(i128::from), "{first:#x} {second:#x}");
        assert_eq!(ours().bytes().ok(), decoder().bytes().ok(), "{first:#x} {second:#x}");
        assert_eq!(ours().text().ok(), decoder().str().ok(), "{first:#x} {second:#x}");
        assert_eq!(ours().bool().ok(), decoder().bool().ok(), "{first:#x} {second:#x}");
        assert_eq!(ours().tag().ok(), decoder().tag().ok().map(|tag| tag.as_u64()), "{first:#x} {second:#x}");
        agreed += usize::from(ours().skip().is_ok());
    }
    assert!(agreed > 0x1800, "{agreed} of them are items");
}
