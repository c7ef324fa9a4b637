//! Granules: what each page of tracked memory is, who holds it, and the proofs of holding (RMM 1.0, A2.2).
//!
//! One atomic word per granule carries its state, a lock, a count of references and, for a REC, the realm and index it
//! belongs to. State and lock being one word, a granule in the wrong state is refused *without waiting*: a command that
//! names the same granule twice, or a realm's own table as data, cannot wait for itself.
//!
//! Order in which claims may wait for each other: RD, then REC (several in ascending address), then DATA. Delegated and
//! undelegated granules are never waited for: one that another command holds is on its way to another state. A realm's
//! tables have no lock of their own, the RD's claim covers them all.

use crate::address::Pa;
use crate::platform::{Platform, Word};
use abi::rmi::Status;

/// State of a granule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    /// The Normal world's; also every granule's state at boot.
    Undelegated = 0,
    /// The Realm world's, used for nothing, all zero.
    Delegated = 1,
    /// A realm's descriptor; references: its RECs.
    Rd = 2,
    /// A vCPU; references: 1 while it runs.
    Rec = 3,
    /// Part of a REC.
    RecAux = 4,
    /// A translation table.
    Rtt = 5,
    /// A page of a realm's memory.
    Data = 6,
}

impl State {
    const fn of(word: u64) -> Option<Self> {
        Some(match word & STATE {
            0 => Self::Undelegated,
            1 => Self::Delegated,
            2 => Self::Rd,
            3 => Self::Rec,
            4 => Self::RecAux,
            5 => Self::Rtt,
            6 => Self::Data,
            _ => return None,
        })
    }

    const fn word(self) -> u64 {
        self as u64
    }

    /// Whether a claim waits for another one of the same state.
    const fn waits(self) -> bool {
        !matches!(self, Self::Undelegated | Self::Delegated)
    }
}

const STATE: u64 = 0b111;
const LOCKED: u64 = 1 << 3;
const REFERENCE: u64 = 1 << 4;
const REFERENCES: u64 = 0x3FF << 4;
const INDEX_SHIFT: u32 = 14;
const INDEX: u64 = 0x3FF << INDEX_SHIFT;
const OWNER_SHIFT: u32 = 24;

/// The greatest count of references to one granule, hence of RECs in a realm, and the greatest index of a REC.
pub const MAX_REFERENCES: u64 = REFERENCES / REFERENCE;

/// Why a granule cannot be claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Not aligned, or not tracked memory.
    Address,
    /// Tracked, but in another state than asked for.
    State,
    /// A REC that runs.
    InUse,
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Address | Refusal::State => Self::Input,
            Refusal::InUse => Self::Rec,
        }
    }
}

/// Proof that this CPU alone may touch a granule's content.
///
/// No two values for the same granule exist at a time: one is made for a claim's lock, for the one run of a REC, or for
/// a granule that belongs to one of these (a REC's auxiliary granules).
#[derive(Debug)]
pub struct Held(Pa);

impl Held {
    /// Gives the granule's address.
    pub const fn pa(&self) -> Pa {
        self.0
    }

    /// Makes the proof for a granule that belongs to the REC given, `part` in its list of auxiliary granules. The caller
    /// makes it once for each part, and drops it before the REC's own proof.
    pub(crate) const fn part(_: &mut Self, part: Pa) -> Self {
        Self(part)
    }
}

/// Proof that a granule is a translation table of a realm whose RD this CPU holds.
#[derive(Debug)]
pub struct Table(Pa);

impl Table {
    /// Makes the proof; for the walk, which starts at the RD's root tables and follows table entries.
    pub(crate) const fn new(pa: Pa) -> Self {
        Self(pa)
    }

    /// Gives the granule's address.
    pub const fn pa(&self) -> Pa {
        self.0
    }
}

/// Proof that a granule is assigned to a realm whose RD this CPU holds, as data.
///
/// vCPUs of that realm may read and write it at the same time.
#[derive(Debug)]
pub struct RealmPage(Pa);

impl RealmPage {
    /// Makes the proof; for the walk.
    pub(crate) const fn new(pa: Pa) -> Self {
        Self(pa)
    }

    /// Gives the granule's address.
    pub const fn pa(&self) -> Pa {
        self.0
    }
}

/// The right to a granule in a known state. Dropping it gives the granule back as it then is.
#[derive(Debug)]
pub struct Claim<'p, W: Word> {
    word: &'p W,
    held: Held,
    /// State, index and owner that the word gets with the release.
    release: u64,
}

/// Claims the granule at `address` if it is in `state` (and, for a REC, does not run).
pub fn claim<P: Platform>(platform: &P, address: u64, state: State) -> Result<Claim<'_, P::Word>, Refusal> {
    let pa = Pa::new(address).ok_or(Refusal::Address)?;
    let word = platform.granule(pa).ok_or(Refusal::Address)?;
    loop {
        let seen = word.load();
        if State::of(seen) != Some(state) {
            return Err(Refusal::State);
        }
        if state == State::Rec && seen & REFERENCES != 0 {
            return Err(Refusal::InUse);
        }
        if seen & LOCKED != 0 {
            if !state.waits() {
                return Err(Refusal::State);
            }
            word.pause();
        } else if word.compare_exchange(seen, seen | LOCKED).is_ok() {
            return Ok(Claim { word, held: Held(pa), release: seen & !(LOCKED | REFERENCES) });
        }
    }
}

impl<'p, W: Word> Claim<'p, W> {
    /// Gives the granule's address.
    pub const fn pa(&self) -> Pa {
        self.held.pa()
    }

    /// Gives access to the content.
    pub const fn held(&mut self) -> &mut Held {
        &mut self.held
    }

    /// Releases the granule in another state.
    pub fn become_state(mut self, state: State) {
        self.release = state.word();
    }

    /// Releases the granule as REC `index` of the realm at `owner`.
    pub fn become_rec(mut self, owner: Pa, index: u64) {
        self.release = State::Rec.word() | (index << INDEX_SHIFT) & INDEX | (owner.get() >> 12) << OWNER_SHIFT;
    }

    /// Counts the references to the granule.
    pub fn references(&self) -> u64 {
        (self.word.load() & REFERENCES) / REFERENCE
    }

    /// Adds a reference, if the count can carry it.
    pub fn retain(&self) -> bool {
        let mut seen = self.word.load();
        while seen & REFERENCES != REFERENCES {
            match self.word.compare_exchange(seen, seen.wrapping_add(REFERENCE)) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Turns the claim on an idle REC into its run: a reference, not a lock.
    pub fn into_running(self) -> Option<Running<'p, W>> {
        self.retain().then(|| Running { word: self.word, held: Held(self.pa()) })
    }
}

impl<W: Word> Drop for Claim<'_, W> {
    fn drop(&mut self) {
        let mut seen = self.word.load();
        // References come and go while the lock is held.
        while let Err(now) = self.word.compare_exchange(seen, self.release | seen & REFERENCES) {
            seen = now;
        }
    }
}

/// A REC in use by this CPU: other commands find it running and do not wait for it.
#[derive(Debug)]
pub struct Running<'p, W: Word> {
    word: &'p W,
    held: Held,
}

impl<W: Word> Running<'_, W> {
    /// Gives access to the content.
    pub const fn held(&mut self) -> &mut Held {
        &mut self.held
    }
}

impl<W: Word> Drop for Running<'_, W> {
    fn drop(&mut self) {
        drop_reference(self.word);
    }
}

fn drop_reference<W: Word>(word: &W) {
    let mut seen = word.load();
    while seen & REFERENCES != 0 {
        match word.compare_exchange(seen, seen.wrapping_sub(REFERENCE)) {
            Ok(_) => return,
            Err(now) => seen = now,
        }
    }
}

/// Takes back a reference to the granule at `pa` that [`Claim::retain`] added.
pub fn release<P: Platform>(platform: &P, pa: Pa) {
    if let Some(word) = platform.granule(pa) {
        drop_reference(word);
    }
}

/// What can be told of a REC without claiming it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecIdentity {
    /// The realm's RD.
    pub owner: Pa,
    /// Index in the realm.
    pub index: u64,
}

/// Tells whose REC the granule at `address` is.
pub fn identify<P: Platform>(platform: &P, address: u64) -> Result<RecIdentity, Refusal> {
    let pa = Pa::new(address).ok_or(Refusal::Address)?;
    let word = platform.granule(pa).ok_or(Refusal::Address)?.load();
    if State::of(word) != Some(State::Rec) {
        return Err(Refusal::State);
    }
    Ok(RecIdentity { owner: Pa::containing(word >> OWNER_SHIFT << 12), index: (word & INDEX) >> INDEX_SHIFT })
}

/// A granule word, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Described {
    /// The state.
    pub state: State,
    /// Whether a CPU holds the granule.
    pub locked: bool,
    /// References to it.
    pub references: u64,
}

/// Tells what a granule's word says; nothing of one that is not tracked, or of a word without a state.
pub fn describe<P: Platform>(platform: &P, pa: Pa) -> Option<Described> {
    let word = platform.granule(pa)?.load();
    let references = (word & REFERENCES) / REFERENCE;
    Some(Described { state: State::of(word)?, locked: word & LOCKED != 0, references })
}

/// Checks that `address` is a granule of tracked memory that is the Normal world's.
///
/// That may change at once: every access to it may still fault.
pub fn normal<P: Platform>(platform: &P, address: u64) -> Result<Pa, Refusal> {
    let pa = Pa::new(address).ok_or(Refusal::Address)?;
    let word = platform.granule(pa).ok_or(Refusal::Address)?;
    if State::of(word.load()) == Some(State::Undelegated) { Ok(pa) } else { Err(Refusal::State) }
}
