//! The walk over everything: it finds what is wrong, and nothing where nothing is.

use crate::fake::PAGES;
use crate::host::*;
use abi::rmi::fid;
use rmm::address::Pa;
use rmm::audit::{Census, Flaw};
use std::collections::HashSet;

fn audit(host: &Host) -> Result<Census, Flaw> {
    let granules = (0..PAGES as u64).map(|number| Pa::new(page(number)).unwrap());
    let mut marked = HashSet::new();
    host.rmm.audit(granules, |pa| host.machine().is_realm(pa.get()), |pa| !marked.insert(pa.get()))
}

fn pa(address: u64) -> Pa {
    Pa::new(address).unwrap()
}

/// Writes an entry behind the RMM's back, and gives what it was.
fn poke(host: &Host, table: u64, index: usize, value: u64) -> u64 {
    host.machine().peek(table, |page| {
        let entry = &mut page.0.as_chunks_mut::<8>().0[index];
        u64::from_le_bytes(std::mem::replace(entry, value.to_le_bytes()))
    })
}

#[test]
fn what_the_rmm_holds_agrees() {
    let host = Host::new();
    assert_eq!(audit(&host), Ok([PAGES as u64, 0, 0, 0, 0, 0, 0]));
    host.build(&Options { hash: 0, second_rec: true });
    // RD, two RECs of two parts, two first tables and two more, two pages of data.
    assert_eq!(audit(&host), Ok([PAGES as u64 - 13, 0, 1, 2, 4, 4, 2]));
    host.delegate(&[SPARE]);
    assert_eq!(audit(&host), Ok([PAGES as u64 - 14, 1, 1, 2, 4, 4, 2]));
}

#[test]
fn a_flaw_is_found_where_it_is() {
    let host = Host::with_realm();
    host.delegate(&[SPARE]);
    let sound = audit(&host).unwrap();
    let with = |table: u64, index: usize, value: u64, flaw: Flaw| {
        let before = poke(&host, table, index, value);
        assert_eq!(audit(&host), Err(flaw));
        poke(&host, table, index, before);
        assert_eq!(audit(&host), Ok(sound));
    };
    let data = poke(&host, L3, 0, 0);
    poke(&host, L3, 0, data);
    with(SPARE, 7, 1, Flaw::Content(pa(SPARE)));
    with(L3, 0, 0, Flaw::Lost(pa(DATA)));
    with(L3, 5, data, Flaw::Shared(pa(DATA)));
    with(L3, 0, data - DATA + SPARE, Flaw::Named(pa(SPARE)));
    with(L3, 0, data - DATA + RD, Flaw::Named(pa(RD)));
    // Unprotected entries among the protected ones, and the other way round.
    with(L3, 9, 1 << 5, Flaw::Entry(pa(L3), 9));
    with(ROOTS + 4096, 9, 0, Flaw::Entry(pa(ROOTS + 4096), 9));
    let index_of_ram = (RAM >> 30) as usize;
    with(ROOTS, index_of_ram, 0, Flaw::Lost(pa(L2)));
    with(ROOTS, index_of_ram + 1, L2 | 3, Flaw::Shared(pa(L2)));
    let owner = |rec: u64| host.machine().peek(rec, |page| rmm::rec::Rec::of(page).index ^= 1);
    owner(REC);
    assert_eq!(audit(&host), Err(Flaw::Owner(pa(REC))));
    owner(REC);
    assert_eq!(audit(&host), Ok(sound));
    host.ok(fid::REC_DESTROY, &[REC]);
    assert!(audit(&host).is_ok());
}
