//! The board: memory, the granule protection tables that lie in it, and who the machine is.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use abi::{GRANULE_U64, map};
use monitor::gpt::{Gpi, L0_WORDS, L1_OFFSET, Layout, Tables};
use rmm::address::GRANULE;
use rmm::platform::Page;

use crate::Identity;

/// The worlds that access memory under granule protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// The host, and a Realm at its unprotected addresses.
    Normal,
    /// The RMM, and a Realm at its protected addresses.
    Realm,
}

/// Granule protection, or the end of memory, forbade an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Physical address of the granule.
    pub pa: u64,
    /// Who accessed it.
    pub by: World,
}

/// Everything that outlives a boot.
pub struct Board {
    /// Who the machine is, and the token that says so.
    pub identity: Identity,
    layout: Layout,
    l0: Vec<AtomicU64>,
    l1: Vec<AtomicU64>,
    /// A granule that nobody has written is absent, and zero.
    pub(crate) pages: Vec<Mutex<Option<Box<Page>>>>,
    /// What CPUs remember of granule protection, right or stale, until it is invalidated.
    protection: Mutex<HashMap<u64, Option<Gpi>>>,
    shared: Mutex<[u8; GRANULE]>,
}

/// Takes a lock that a panicking test may have poisoned: the first panic is what counts.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    /// Makes a board with `granules` granules of DRAM after the RMM's region, all Non-secure.
    ///
    /// # Panics
    /// If that is no machine that the monitor can protect.
    #[must_use]
    pub fn new(granules: u64) -> Board {
        let size = map::RMM_END - map::DRAM + granules * GRANULE_U64;
        let layout = Layout::new(size).expect("DRAM that the granule protection tables cover");
        let zeros = |words| (0..words).map(|_| AtomicU64::new(0)).collect();
        let board = Board {
            identity: Identity::new(),
            l0: zeros(L0_WORDS),
            l1: zeros(layout.l1_words()),
            layout,
            pages: (0..size / GRANULE_U64).map(|_| Mutex::new(None)).collect(),
            protection: Mutex::default(),
            shared: Mutex::new([0; GRANULE]),
        };
        board.tables().build(&board.layout, map::GPT + L1_OFFSET);
        board
    }

    /// DRAM that the Normal world may use and delegate.
    #[must_use]
    pub fn dram(&self) -> Range<u64> {
        map::RMM_END..self.layout.dram_end
    }

    /// The granule protection tables.
    #[must_use]
    pub fn tables(&self) -> Tables<'_> {
        Tables::new(&self.l0, &self.l1, &self.layout, Gpi::Realm)
    }

    /// Checks an access by what CPUs remember of granule protection.
    ///
    /// # Errors
    /// [`Fault`] where the granule is another world's.
    pub fn check(&self, pa: u64, by: World) -> Result<(), Fault> {
        let granule = pa & !(GRANULE_U64 - 1);
        let found = *lock(&self.protection).entry(granule).or_insert_with(|| self.tables().gpi(granule));
        let needed = match by {
            World::Normal => Gpi::NonSecure,
            World::Realm => Gpi::Realm,
        };
        if found == Some(needed) { Ok(()) } else { Err(Fault { pa: granule, by }) }
    }

    /// Runs `f` on a granule's bytes.
    ///
    /// # Errors
    /// [`Fault`] where the granule is another world's, or no memory.
    pub fn access<R>(&self, pa: u64, by: World, f: impl FnOnce(&mut Page) -> R) -> Result<R, Fault> {
        self.check(pa, by)?;
        let index = pa.checked_sub(map::DRAM).map(|offset| offset / GRANULE_U64);
        let page = index.and_then(|index| self.pages.get(usize::try_from(index).ok()?)).ok_or(Fault { pa, by })?;
        Ok(f(lock(page).get_or_insert_with(|| Box::new(Page([0; GRANULE])))))
    }

    /// Makes CPUs forget what they remember of a granule's protection.
    pub(crate) fn forget(&self, pa: u64) {
        lock(&self.protection).remove(&(pa & !(GRANULE_U64 - 1)));
    }

    /// The page shared between monitor and RMM.
    pub(crate) fn shared(&self) -> MutexGuard<'_, [u8; GRANULE]> {
        lock(&self.shared)
    }
}
