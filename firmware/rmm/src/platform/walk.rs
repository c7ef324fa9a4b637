//! The RMI of test builds: a walk over everything that the RMM holds (`rmm::audit`), on the live machine.
//!
//! The Normal world calls it while it makes no other call, on any CPU.

use super::Machine;
use crate::memory;
use abi::{map, rmi};
use cpu::lock::Lock;
use rmm::Rmm;
use rmm::address::Pa;
use rmm::audit::{Census, Flaw};
use rmm::platform::{Platform, Word};

/// A bit for every granule that there could be a word for.
const MARKS: usize = (map::RMM_END - map::RMM) as usize / 8 / 64;

static MARKED: Lock<[u64; MARKS]> = Lock::new([0; MARKS]);

/// Handles a command as the RMM does, and one more.
pub fn handle(rmm: &Rmm<Machine>, registers: [u64; 8]) -> [u64; 5] {
    let [function, pa, word, offset, content, ..] = registers;
    if rmi::fid_of(function) != rmi::WALK {
        return rmm.handle(registers);
    }
    let spoilt = Pa::new(pa).filter(|_| cfg!(feature = "walk-spoilt"));
    let spoil = || spoilt.into_iter().for_each(|pa| spoil(rmm.platform(), pa, word, offset, content));
    spoil();
    let found = walk(rmm);
    spoil();
    match found {
        Ok(census) => answer(census),
        Err(flaw) => wrong(flaw),
    }
}

fn walk(rmm: &Rmm<Machine>) -> Result<Census, Flaw> {
    let machine = rmm.platform();
    let mut marked = MARKED.take();
    marked.fill(0);
    let granules = machine.banks.iter().flat_map(|bank| (bank.base..bank.base + bank.size).step_by(abi::GRANULE));
    rmm.audit(granules.filter_map(Pa::new), is_realm_world, |pa| {
        let Some(number) = machine.index(pa.get()) else { return true };
        let Some(bits) = marked.get_mut(number / 64) else { return true };
        let before = *bits;
        *bits |= 1 << (number % 64);
        *bits == before
    })
}

/// Says whose a granule is, by an access: granule protection itself is EL3's to read. What is not the Normal world's has to be
/// ours, or the RMM stops with the fault.
fn is_realm_world(pa: Pa) -> bool {
    memory::copy_out(pa.get() + memory::NORMAL_ALIAS, &mut [0; 8]).is_err()
        && memory::copy_out(pa.get(), &mut [0; 8]).is_ok()
}

/// Turns bits of a granule's word, and of what it holds; the same again undoes it.
fn spoil(machine: &Machine, pa: Pa, word: u64, offset: u64, content: u64) {
    if let Some(granule) = machine.granule(pa) {
        let seen = granule.load();
        // Nobody else changes it meanwhile.
        let _ = granule.compare_exchange(seen, seen ^ word);
    }
    if content != 0 {
        let mut bytes = [0; 8];
        let at = pa.get() + offset % abi::GRANULE_U64;
        let read = memory::copy_out(at, &mut bytes);
        let turned = u64::from_le_bytes(bytes) ^ content;
        // SAFETY: no command is under way, so that nobody has a reference.
        let _ = read.and_then(|()| unsafe { memory::copy_in(at, &turned.to_le_bytes()) });
    }
}

fn answer([undelegated, delegated, rd, rec, aux, rtt, data]: Census) -> [u64; 5] {
    let pair = |low: u64, high: u64| low | high << 32;
    [0, pair(undelegated, delegated), pair(rd, rec), pair(aux, rtt), data]
}

fn wrong(flaw: Flaw) -> [u64; 5] {
    let at = |pa: Pa| pa.get();
    match flaw {
        Flaw::Word(pa) => [1, at(pa), 0, 0, 0],
        Flaw::Protection(pa) => [2, at(pa), 0, 0, 0],
        Flaw::Content(pa) => [3, at(pa), 0, 0, 0],
        Flaw::Shared(pa) => [4, at(pa), 0, 0, 0],
        Flaw::Lost(pa) => [5, at(pa), 0, 0, 0],
        Flaw::Named(pa) => [6, at(pa), 0, 0, 0],
        Flaw::Owner(pa) => [7, at(pa), 0, 0, 0],
        Flaw::Count(pa) => [8, at(pa), 0, 0, 0],
        Flaw::Entry(pa, index) => [9, at(pa), index as u64, 0, 0],
        Flaw::Vmids => [10, 0, 0, 0, 0],
    }
}
