//! Stage 2 translation of a Realm (Arm ARM, D8), and a TLB that forgets only what it is told to.

use std::collections::HashMap;
use std::sync::Mutex;

use abi::GRANULE_U64;
use rmm::platform::Scope;
use rmm::rec::context::RealmContext;

use crate::board::{Board, World, lock};

const VALID: u64 = 1;
const TABLE: u64 = 2;
const READ: u64 = 1 << 6;
const WRITE: u64 = 1 << 7;
const NS: u64 = 1 << 55;
const ADDRESS: u64 = 0x0000_FFFF_FFFF_F000;

/// Where a page of a Realm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Physical address of the granule.
    pub pa: u64,
    /// Whose memory it must be.
    pub world: World,
    /// Whether it may be read: what may only be written is none the less mapped.
    pub read: bool,
    /// Whether it may be written.
    pub write: bool,
}

/// Fault status of a data abort (ESR_ELx.ISS.DFSC).
pub type Status = u64;
const ADDRESS_SIZE: Status = 0b00_0000;
const TRANSLATION: Status = 0b00_0100;
const PERMISSION: Status = 0b00_1100;

/// The TLBs of all CPUs, for stage 2: one, which is the worst that they may be. It knows each translation's way there, as a TLB
/// that holds parts of walks does.
#[derive(Default)]
pub struct Tlb(Mutex<HashMap<(u64, u64), (Translation, Way)>>);

/// The physical addresses of the entries that led to a translation.
type Way = Vec<u64>;

impl Tlb {
    /// Translates the page of an IPA, by what is remembered before what the tables say.
    pub fn translate(&self, board: &Board, realm: &RealmContext, ipa: u64, write: bool) -> Result<Translation, Status> {
        let page = ipa & !(GRANULE_U64 - 1);
        // Held over the walk: an invalidation waits for walks that have begun.
        let mut remembered = lock(&self.0);
        let known = remembered.get(&(vmid(realm), page)).cloned();
        let (found, way) = match known {
            Some(known) => known,
            None => walk(board, realm, page)?,
        };
        if !(if write { found.write } else { found.read }) {
            return Err(PERMISSION | 3);
        }
        remembered.insert((vmid(realm), page), (found, way));
        Ok(found)
    }

    /// Says whether a translation came by the entry at a physical address.
    pub fn came_by(&self, entry: u64) -> bool {
        lock(&self.0).values().any(|(_, way)| way.contains(&entry))
    }

    /// Says whether a translation leads into a granule of the Realm world's, or came through it.
    pub fn uses(&self, granule: u64) -> bool {
        let inside = |pa: u64| pa & !(GRANULE_U64 - 1) == granule;
        let leads = |found: &Translation| found.world == World::Realm && inside(found.pa);
        lock(&self.0).values().any(|(found, way)| leads(found) || way.iter().any(|entry| inside(*entry)))
    }

    /// Forgets what `scope` names.
    pub fn invalidate(&self, realm: &RealmContext, scope: Scope) {
        let vmid = vmid(realm);
        lock(&self.0).retain(|(tag, ipa), _| {
            *tag != vmid
                || match scope {
                    Scope::All => false,
                    Scope::Range { base, size } => ipa.wrapping_sub(base) >= size,
                }
        });
    }
}

fn vmid(realm: &RealmContext) -> u64 {
    realm.vttbr >> 48
}

fn walk(board: &Board, realm: &RealmContext, ipa: u64) -> Result<(Translation, Way), Status> {
    let width = 64 - (realm.vtcr & 0x3F);
    let mut level = match realm.vtcr >> 6 & 3 {
        0 => 2,
        1 => 1,
        2 => 0,
        _ => 3,
    };
    if ipa >> width != 0 {
        return Err(ADDRESS_SIZE);
    }
    let mut table = realm.vttbr & ADDRESS & !1;
    // The root tables lie side by side: the first index may be larger than 511.
    let mut index = ipa >> shift(level);
    let mut way = Way::new();
    loop {
        let entry = read(board, table + index * 8);
        way.push(table + index * 8);
        let leaf = if level == 3 { entry & TABLE != 0 } else { entry & TABLE == 0 };
        match (entry & VALID != 0, leaf) {
            (false, _) => return Err(TRANSLATION | level),
            (true, false) if level == 3 => return Err(TRANSLATION | level),
            (true, true) => return Ok((leaf_of(entry, ipa, level), way)),
            (true, false) => {
                level += 1;
                table = entry & ADDRESS;
                index = ipa >> shift(level) & 511;
            }
        }
    }
}

fn leaf_of(entry: u64, ipa: u64, level: u64) -> Translation {
    let within = (1 << shift(level)) - 1;
    let world = if entry & NS != 0 { World::Normal } else { World::Realm };
    let pa = entry & ADDRESS & !within | ipa & within;
    Translation { pa, world, read: entry & READ != 0, write: entry & WRITE != 0 }
}

const fn shift(level: u64) -> u64 {
    12 + 9 * (3 - level)
}

/// Tables are read by the hardware's walker, in the Realm physical address space.
fn read(board: &Board, pa: u64) -> u64 {
    let offset = (pa % GRANULE_U64) as usize;
    let word = board.access(pa & !(GRANULE_U64 - 1), World::Realm, |page| {
        u64::from_le_bytes(page.0[offset..offset + 8].try_into().expect("eight bytes of a table"))
    });
    word.unwrap_or_else(|fault| panic!("a table walk faulted: {fault:x?}"))
}
