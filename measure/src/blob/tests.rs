use std::io::{BufRead, BufReader, Cursor, Read};

use abi::GRANULE;

use super::Blob;
use crate::Error;

/// A reader that gives a few bytes at a time.
fn drops(bytes: &[u8]) -> impl BufRead {
    BufReader::with_capacity(7, Cursor::new(bytes.to_vec()).chain(&[][..]))
}

fn pages(blob: Blob<'_>, skip: usize) -> Vec<[u8; GRANULE]> {
    let mut pages = Vec::new();
    blob.granules("kernel", skip, |page| pages.push(*page)).unwrap();
    pages
}

#[test]
fn pieces_of_any_size_give_the_same_granules() {
    let bytes: Vec<u8> = (0..3 * GRANULE + 5).map(|n| (n * 7) as u8).collect();
    for skip in [0, 1, 4, GRANULE - 1] {
        let mut expected = vec![0; skip];
        expected.extend(&bytes);
        expected.resize(expected.len().next_multiple_of(GRANULE), 0);
        let whole = pages(Blob::bytes(&bytes), skip);
        assert_eq!(whole.concat(), expected, "{skip}");
        assert_eq!(pages(Blob::exactly(bytes.len() as u64, drops(&bytes)), skip), whole, "{skip}");
    }
    assert_eq!(pages(Blob::bytes(&[]), 5), Vec::<[u8; GRANULE]>::new());
}

#[test]
fn another_length_than_was_said_is_refused() {
    let bytes = [1; 100];
    let read = |blob: Blob<'_>| blob.granules("initrd", 0, |_| ());
    assert_eq!(read(Blob::exactly(100, &bytes[..])), Ok(100));
    assert_eq!(read(Blob::at_most(101, &bytes[..])), Ok(100));
    let refused = |expected| Err(Error::Length { what: "initrd", expected, found: 100 });
    assert_eq!(read(Blob::exactly(101, &bytes[..])), refused(101));
    assert_eq!(read(Blob::exactly(99, &bytes[..])), refused(99));
    assert_eq!(read(Blob::at_most(99, &bytes[..])), refused(99));
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let refused = Blob::file(&std::env::temp_dir()).unwrap_err();
    assert!(matches!(refused, Error::File { .. }), "{refused}");
    assert!(matches!(Blob::file(std::path::Path::new("/nonexistent")), Err(Error::File { .. })));
}
