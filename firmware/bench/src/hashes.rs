//! Known answers: hashing by the processor's instructions gives what portable code gives, and leaves every vector register
//! as it was.

use crate::residue;
use crate::row::{REPEATS, Row};
use core::hint::black_box;
use cpu::sha2::{Keep, sha256, sha512};
use sha2::{Digest, Sha256, Sha512};

/// Longer than any padding, and one page.
const SHORT: usize = 300;

/// Hashes texts of every length around a block's, whole and in two parts cut anywhere around one, and a page.
pub fn agree() {
    let text: [u8; abi::GRANULE] = core::array::from_fn(|n| (n * 7 + (n >> 8)) as u8);
    residue::plant_vectors();
    for length in (0..SHORT).chain([text.len()]) {
        let text = &text[..length];
        for cut in [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129] {
            let (first, second) = text.split_at(cut.min(length));
            let parts = [first, second];
            assert!(
                sha256(&parts, Keep::Sve)[..] == Sha256::digest(text)[..],
                "SHA-256 of {length} bytes, cut at {cut}"
            );
            assert!(
                sha512(&parts, Keep::Sve)[..] == Sha512::digest(text)[..],
                "SHA-512 of {length} bytes, cut at {cut}"
            );
        }
    }
    residue::vectors_kept("hashing");
    assert!(sha256(&[&text], Keep::Simd)[..] == Sha256::digest(text)[..], "SHA-256, without SVE");
    assert!(sha512(&[&text], Keep::Simd)[..] == Sha512::digest(text)[..], "SHA-512, without SVE");
}

/// Measures the hashing of a page at this level, by instructions and by portable code.
pub fn measure() {
    let page = [0x5a; abi::GRANULE];
    let keep = Keep::Sve;
    time("sha256_instructions", || black_box(sha256(&[&page], keep))[0]);
    time("sha256_portable", || black_box(Sha256::digest(page))[0]);
    time("sha512_instructions", || black_box(sha512(&[&page], keep))[0]);
    time("sha512_portable", || black_box(Sha512::digest(page))[0]);
}

fn time(name: &'static str, hash: impl Fn() -> u8) {
    let mut row = Row::new(name);
    for _ in 0..REPEATS {
        let before = cpu::read!(cntpct_el0);
        hash();
        row.add(cpu::read!(cntpct_el0).wrapping_sub(before));
    }
    row.print();
}
