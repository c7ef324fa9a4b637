//! The Realm's RAM as the host knows it: which pages are private, which are shared, and where shared ones stand.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use abi::{GRANULE, GRANULE_U64};

use super::Normal;
use super::queue::{Dma, Private};

/// What the host knows of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Private, no granule yet.
    Unassigned,
    /// Private, a vCPU's host is giving it a granule at this moment.
    Claimed,
    /// Private, with a granule.
    Assigned,
    /// Shared: the Realm uses it through its unprotected address.
    Shared,
}

/// A shared page's granule.
#[derive(Clone, Copy, Debug)]
pub struct Backing {
    /// Physical address.
    pub granule: u64,
    /// It is mapped at the unprotected address.
    pub mapped: bool,
}

/// The pages of the Realm's RAM. All addresses are without the bit that marks shared ones.
#[derive(Debug)]
pub struct Memory {
    ram: Range<u64>,
    pages: Vec<Page>,
    shared: BTreeMap<u64, Backing>,
}

impl Memory {
    /// RAM with every page private and unassigned.
    pub fn new(ram: Range<u64>) -> Self {
        let pages = usize::try_from(ram.end.saturating_sub(ram.start) / GRANULE_U64).unwrap_or(0);
        Self { ram, pages: vec![Page::Unassigned; pages], shared: BTreeMap::new() }
    }

    /// What is known of the page at `ipa`; `None` outside RAM.
    pub fn page(&self, ipa: u64) -> Option<Page> {
        self.index(ipa).and_then(|at| self.pages.get(at)).copied()
    }

    /// Notes that the page at `ipa` has a granule.
    pub fn assign(&mut self, ipa: u64) {
        self.set(ipa, Page::Assigned);
    }

    /// Notes a page's state.
    pub fn set(&mut self, ipa: u64, state: Page) {
        if let Some(page) = self.index(ipa).and_then(|at| self.pages.get_mut(at)) {
            *page = state;
        }
    }

    /// Claims the unassigned pages of the `window`-byte block around `ipa`, that of `ipa` first.
    pub fn claim(&mut self, ipa: u64, window: u64) -> Vec<u64> {
        let mut claimed = Vec::new();
        let page = ipa & !(GRANULE_U64 - 1);
        let block = ipa & !(window - 1);
        for at in core::iter::once(page).chain((block..block + window).step_by(GRANULE)) {
            if self.page(at) == Some(Page::Unassigned) {
                self.set(at, Page::Claimed);
                claimed.push(at);
            }
        }
        claimed
    }

    /// The last unassigned page of RAM.
    pub fn last_unassigned(&self) -> Option<u64> {
        let at = self.pages.iter().rposition(|page| *page == Page::Unassigned)?;
        Some(self.ram.start + at as u64 * GRANULE_U64)
    }

    /// The granule of the shared page at `ipa`, taken from `machine` at its first use.
    pub fn backing<N: Normal>(&mut self, machine: &N, ipa: u64) -> Option<&mut Backing> {
        let page = ipa & !(GRANULE_U64 - 1);
        if self.page(page) != Some(Page::Shared) {
            return None;
        }
        match self.shared.entry(page) {
            Entry::Occupied(entry) => Some(entry.into_mut()),
            Entry::Vacant(entry) => Some(entry.insert(Backing { granule: machine.alloc(1)?, mapped: false })),
        }
    }

    /// Takes out the granule of a page that is shared no longer.
    pub fn unback(&mut self, ipa: u64) -> Option<Backing> {
        self.shared.remove(&(ipa & !(GRANULE_U64 - 1)))
    }

    /// Takes out some shared page with its granule.
    pub fn unback_first(&mut self) -> Option<(u64, Backing)> {
        self.shared.pop_first()
    }

    /// RAM, as addresses of the Realm.
    pub fn ram(&self) -> Range<u64> {
        self.ram.clone()
    }

    fn index(&self, ipa: u64) -> Option<usize> {
        let offset = ipa.checked_sub(self.ram.start).filter(|_| ipa < self.ram.end)?;
        usize::try_from(offset / GRANULE_U64).ok()
    }
}

/// What a device sees of the Realm's memory: shared pages, at either of their addresses. A page that is still private
/// is refused, even where there is an unused granule of its own.
pub struct View<'a, N: Normal> {
    /// Where granules come from.
    pub machine: &'a N,
    /// The pages.
    pub memory: &'a mut Memory,
    /// Address bit that marks shared addresses.
    pub shared_bit: u64,
}

impl<N: Normal> View<'_, N> {
    /// Calls `each` with a physical address and a range of the buffer for each page that is touched.
    fn pages(&mut self, address: u64, len: usize, mut each: impl FnMut(&N, u64, Range<usize>)) -> Result<(), Private> {
        let mut done = 0;
        while done < len {
            let ipa = address.checked_add(done as u64).ok_or(Private { address })? & !self.shared_bit;
            let within = ipa % GRANULE_U64;
            let step = (len - done).min(GRANULE - within as usize);
            let backing = self.memory.backing(self.machine, ipa).ok_or(Private { address: ipa })?;
            each(self.machine, backing.granule + within, done..done + step);
            done += step;
        }
        Ok(())
    }
}

impl<N: Normal> Dma for View<'_, N> {
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Private> {
        self.pages(address, bytes.len(), |machine, from, range| {
            if let Some(part) = bytes.get_mut(range) {
                machine.read(from, part);
            }
        })
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Private> {
        self.pages(address, bytes.len(), |machine, to, range| {
            if let Some(part) = bytes.get(range) {
                machine.write(to, part);
            }
        })
    }
}
