//! The granules that all CPUs compete for, and what is thought of them: hints, so that commands have a chance. Nobody is sure.

use crate::memory::page;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Granules of the pool, by number: those that are competed for, the last of them as pages that the Normal world lends too.
pub const GRANULES: u64 = 164;
pub const LENT: u64 = 160;
/// A page of code, and what may become a table when a block is taken apart.
pub const SOURCE: u64 = 0x600;
pub const SPARE: u64 = 0x601;
/// 2 MiB of data, and where they are to the Realm.
pub const BLOCK: u64 = 0x400;
pub const BLOCK_IPA: u64 = 2 << 20;
/// Beyond all that may be delegated.
pub const LAST: u64 = 0x602;

/// What the Normal world writes into a granule before it delegates it.
pub const MARK: u64 = 0x5afe_5afe_5afe_5afe;

/// What a granule is thought to be.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    Undelegated,
    Delegated,
    /// An RD, of a realm that is new and of one that was activated.
    New,
    Active,
    Rec,
    Aux,
    Rtt,
    Data,
}

/// What is thought of a granule, and what goes with it: of an RD the next index of a REC; of a REC its RD, index and parts, the
/// change of RIPAS that it asked for, and the index less one of the REC that its call of PSCI is about.
pub struct Thought {
    role: AtomicU8,
    pub next: AtomicU64,
    pub rd: AtomicU64,
    index: AtomicU64,
    parts: [AtomicU64; 2],
    pub asks: AtomicU64,
    pub base: AtomicU64,
    pub top: AtomicU64,
}

static THOUGHTS: [Thought; GRANULES as usize] = [const {
    Thought {
        role: AtomicU8::new(0),
        next: AtomicU64::new(0),
        rd: AtomicU64::new(0),
        index: AtomicU64::new(0),
        parts: [const { AtomicU64::new(0) }; 2],
        asks: AtomicU64::new(0),
        base: AtomicU64::new(0),
        top: AtomicU64::new(0),
    }
}; GRANULES as usize];

/// The first of two pages of a CPU's own.
pub const fn private(cpu: u64) -> u64 {
    0x610 + 2 * cpu
}

/// Gives what is thought of the granule at an address, if it is one of those.
pub fn of(address: u64) -> Option<&'static Thought> {
    THOUGHTS.get((address.wrapping_sub(page(0)) >> 12) as usize)
}

/// Notes what a granule has become.
pub fn note(address: u64, role: Role) {
    if let Some(thought) = of(address) {
        thought.role.store(role as u8, Ordering::Relaxed);
    }
}

/// Notes that a granule has become a REC.
pub fn rec(address: u64, rd: u64, index: u64, parts: [u64; 2]) {
    note(address, Role::Rec);
    parts.into_iter().for_each(|part| note(part, Role::Aux));
    if let Some(rec) = of(address) {
        rec.rd.store(rd, Ordering::Relaxed);
        rec.index.store(index, Ordering::Relaxed);
        rec.asks.store(0, Ordering::Relaxed);
        rec.parts.iter().zip(parts).for_each(|(to, part)| to.store(part, Ordering::Relaxed));
    }
    if let Some(rd) = of(rd) {
        rd.next.store(index + 1, Ordering::Relaxed);
    }
}

/// Gives the granules that are thought to be a realm's RECs.
pub fn recs(rd: u64) -> impl Iterator<Item = u64> {
    let own = move |thought: &Thought| thought.rd.load(Ordering::Relaxed) == rd;
    (0..GRANULES).filter(move |n| is(*n, Role::Rec) && own(&THOUGHTS[*n as usize])).map(page)
}

/// Gives a REC that waits for an answer of PSCI, and the one that it asked about.
pub fn asking() -> Option<(u64, u64)> {
    let asks = |n: u64| THOUGHTS[n as usize].asks.load(Ordering::Relaxed);
    let caller = (0..GRANULES).find(|n| is(*n, Role::Rec) && asks(*n) != 0)?;
    let index = asks(caller) - 1;
    let rd = THOUGHTS[caller as usize].rd.load(Ordering::Relaxed);
    let target = recs(rd).find(|rec| of(*rec).is_some_and(|rec| rec.index.load(Ordering::Relaxed) == index))?;
    Some((page(caller), target))
}

fn is(number: u64, role: Role) -> bool {
    THOUGHTS[number as usize].role.load(Ordering::Relaxed) == role as u8
}

/// Notes that a REC is none any more.
pub fn no_rec(address: u64) {
    note(address, Role::Delegated);
    let parts = of(address).into_iter().flat_map(|rec| &rec.parts);
    parts.for_each(|part| note(part.load(Ordering::Relaxed), Role::Delegated));
}

/// Finds a granule that is thought to be in a role, from number `start` on.
pub fn find(role: Role, start: u64) -> Option<u64> {
    let numbers = (0..GRANULES).map(|n| (start + n) % GRANULES);
    let mut fitting = numbers.filter(|n| is(*n, role));
    fitting.next().map(page)
}

/// Sees that a word of a granule that the Realm world gave back is nothing but zero or the Normal world's own; it may be gone again.
pub fn came_back(address: u64) {
    // SAFETY: memory of the pool, to which there is no reference.
    let word = unsafe { cpu::guarded::read64(address as usize) };
    assert!(matches!(word, Err(_) | Ok(0 | MARK)), "granule {address:#x} came back with {word:x?}");
}

/// Sees that every granule is the Normal world's, and holds nothing of a Realm.
pub fn clean() {
    for number in (0..LENT).chain(BLOCK..BLOCK + 512) {
        for offset in (0..abi::GRANULE_U64).step_by(8) {
            // SAFETY: as above.
            let word = unsafe { cpu::guarded::read64((page(number) + offset) as usize) };
            assert!(matches!(word, Ok(0 | MARK)), "granule {number} has {word:x?} in the end");
        }
    }
}
