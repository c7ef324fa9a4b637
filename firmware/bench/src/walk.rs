//! The RMM's own walk over everything that it holds, which test builds of it make when asked: with Realms alive and without,
//! and with granules spoilt to see that it finds what is wrong.

use crate::call::timed;
use crate::memory::page;
use crate::realm::{self, delegated};
use crate::residue::{self, AUX, DATA, LEVEL3, Mode, RD, REC};
use crate::{dismantle, uart};
use abi::{rmi, smccc};
use core::fmt::Write;

/// Granules of the pool that nothing else here uses.
const FREE: u64 = 0x7f0;
const SPARE: u64 = 0x7f1;
/// All that anything here uses.
const POOL: u64 = 0x800;

/// Granules that are undelegated, delegated, RDs, RECs, parts of RECs, tables and data.
pub type Census = [u64; 7];

/// Bits of a granule's word, and of what it holds, that the RMM is to turn before it walks.
struct Spoil {
    what: &'static str,
    number: u64,
    /// The granule at which that is found.
    found: u64,
    word: u64,
    offset: u64,
    content: u64,
}

const fn word(what: &'static str, number: u64, word: u64) -> Spoil {
    Spoil { what, number, found: number, word, offset: 0, content: 0 }
}

const fn content(what: &'static str, number: u64, found: u64, offset: u64, content: u64) -> Spoil {
    Spoil { what, number, found, word: 0, offset, content }
}

/// One for each thing that can be wrong, in the order of their numbers, but for VMIDs, which are in no granule. A word is: state in bits 0 to 2, lock 3, references 4 to 13, index from 14 on.
const SPOILS: [Spoil; 9] = [
    word("locked", DATA, 1 << 3),
    word("delegated-by-word", FREE + 2, 1),
    content("dirty", FREE, FREE, 0x800, 0x100),
    content("named-twice", LEVEL3, DATA, 8, 1 << 12),
    word("nobodys-data", FREE, 1 ^ 6),
    word("part-is-data", AUX, 4 ^ 6),
    word("other-index", REC, 1 << 14),
    word("one-rec-more", RD, 3 << 4),
    content("no-place", LEVEL3, LEVEL3, 9 * 8, 1 << 5),
];

/// Has the RMM walk. The error is the number of what is wrong, and where.
fn walk(spoil: &Spoil) -> Result<Census, (u64, u64)> {
    let x = [u64::from(rmi::WALK), page(spoil.number), spoil.word, spoil.offset, spoil.content, 0];
    let ([x0, x1, x2, x3, x4], _) = timed(x);
    let halves = |pair: u64| (pair & u64::from(u32::MAX), pair >> 32);
    let ((undelegated, delegated), (rd, rec), (aux, rtt)) = (halves(x1), halves(x2), halves(x3));
    if x0 == 0 { Ok([undelegated, delegated, rd, rec, aux, rtt, x4]) } else { Err((x0, x1)) }
}

/// Has the RMM walk, and prints what it counted. Nothing may be wrong.
pub fn census(when: &str) -> Census {
    let census = walk(&word("", 0, 0));
    let _ = writeln!(uart(), "bench walk {when} {census:x?}");
    census.unwrap_or_default()
}

/// Walks before, between and after what Realms do, and tells.
pub fn check() {
    if walk(&word("", 0, 0)) == Err((smccc::NOT_SUPPORTED, 0)) {
        let _ = writeln!(uart(), "bench walk unknown");
        return;
    }
    let first = census("first");
    realm::measure();
    residue::open();
    residue::build(Mode::Plain);
    census("built");
    residue::run(Mode::Plain);
    delegated(FREE);
    census("ran");
    for spoil in &SPOILS {
        let _ = match walk(spoil) {
            Ok(_) => writeln!(uart(), "bench spoilt {} 0 false", spoil.what),
            Err((flaw, at)) => writeln!(uart(), "bench spoilt {} {flaw} {}", spoil.what, at == page(spoil.found)),
        };
    }
    residue::take_down(Mode::Plain);
    census("one");
    dismantle::all(0..POOL, page(SPARE));
    let same = census("last") == first;
    let _ = writeln!(uart(), "bench walk same {same}");
}
