//! Translation tables: unfold and fold, unprotected mappings, RIPAS, what is destroyed, what leaves the TLBs.

use crate::host::*;
use abi::rmi::{Status, fid};
use rmm::platform::Scope;

const L1_SIZE: u64 = 1 << 30;
const L2_SIZE: u64 = 1 << 21;
/// Normal write-back, read and write: what KVM uses.
const ATTRIBUTES: u64 = 0xD8;

fn entry(host: &Host, ipa: u64, level: u64) -> [u64; 4] {
    host.ok(fid::RTT_READ_ENTRY, &[RD, ipa, level])
}

/// A new realm with tables of level 2 and 3 at [`RAM`].
fn with_tables() -> Host {
    let host = Host::new();
    host.create_realm(0);
    host.delegate(&[L2, L3]);
    host.ok(fid::RTT_CREATE, &[RD, L2, RAM, 2]);
    host.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
    host
}

#[test]
fn x4_stays_the_callers_where_it_is_no_output() {
    const KEPT: u64 = 0x5ca1_ab1e;
    let host = Host::with_realm();
    for function in fid::VERSION..=fid::RTT_SET_RIPAS + 1 {
        let kept = if function == fid::RTT_READ_ENTRY { 0 } else { KEPT };
        assert_eq!(host.call(function, &[RD, 1, 1, KEPT])[4], kept, "{function:#x}, refused or without arguments");
    }
    assert_eq!(host.call(fid::GRANULE_DELEGATE, &[SPARE, 0, 0, KEPT]), [0, 0, 0, 0, KEPT]);
    assert_eq!(host.call(fid::DATA_DESTROY, &[RD, RAM, 0, KEPT])[..2], [0, DATA]);
    assert_eq!(host.call(fid::RTT_READ_ENTRY, &[RD, RAM + 0x2000, 3, KEPT]), [0, 3, 0, 0, 1]);
}

#[test]
fn entries_read_as_the_specification_shows_them() {
    let host = Host::with_realm();
    assert_eq!(entry(&host, RAM, 3), [3, 1, DATA, 1]);
    assert_eq!(entry(&host, RAM + 0x2000, 3), [3, 0, 0, 1]);
    assert_eq!(entry(&host, RAM, 2), [2, 2, L3, 0]);
    assert_eq!(entry(&host, 0, 3), [1, 0, 0, 0]);
    assert_eq!(entry(&host, SHARED, 3), [1, 0, 0, 0]);
    host.refused(fid::RTT_READ_ENTRY, &[RD, RAM + 4096, 2], Status::Input);
    host.refused(fid::RTT_READ_ENTRY, &[RD, 1 << 40, 3], Status::Input);
    host.refused(fid::RTT_READ_ENTRY, &[RD, 0, 0], Status::Input);
    host.refused(fid::RTT_READ_ENTRY, &[RD, 0, 4], Status::Input);
    host.refused(fid::RTT_READ_ENTRY, &[RD, 0, u64::MAX], Status::Input);
}

#[test]
fn table_is_put_only_where_a_leaf_is() {
    let host = with_tables();
    host.delegate(&[SPARE]);
    host.refused(fid::RTT_CREATE, &[RD, SPARE, RAM, 3], Status::Rtt(2));
    host.refused(fid::RTT_CREATE, &[RD, SPARE, RAM + L1_SIZE, 3], Status::Rtt(1));
    host.refused(fid::RTT_CREATE, &[RD, SPARE, RAM, 1], Status::Input);
    host.refused(fid::RTT_CREATE, &[RD, SPARE, RAM, 4], Status::Input);
    host.refused(fid::RTT_CREATE, &[RD, SPARE, RAM + 4096, 3], Status::Input);
    host.refused(fid::RTT_CREATE, &[RD, SPARE, 1 << 40, 2], Status::Input);
    host.refused(fid::RTT_CREATE, &[RD, L3, RAM + L2_SIZE, 3], Status::Input);
    host.refused(fid::RTT_CREATE, &[RD, RD, RAM + L2_SIZE, 3], Status::Input);
}

#[test]
fn unfold_then_fold_gives_back_the_leaf() {
    let host = with_tables();
    host.delegate(&[SPARE]);
    let block = RAM + L2_SIZE;
    host.ok(fid::RTT_INIT_RIPAS, &[RD, block, block + L2_SIZE]);
    let before = entry(&host, block, 2);
    assert_eq!(before, [2, 0, 0, 1]);
    host.ok(fid::RTT_CREATE, &[RD, SPARE, block, 3]);
    assert_eq!(entry(&host, block + 0x5000, 3), [3, 0, 0, 1]);
    assert_eq!(host.ok(fid::RTT_FOLD, &[RD, block, 3])[0], SPARE);
    assert_eq!(entry(&host, block, 2), before);
    host.ok(fid::GRANULE_UNDELEGATE, &[SPARE]);
}

#[test]
fn fold_needs_512_like_entries() {
    let host = with_tables();
    host.ok(fid::RTT_INIT_RIPAS, &[RD, RAM + 0x1000, RAM + 0x2000]);
    host.refused(fid::RTT_FOLD, &[RD, RAM, 3], Status::Rtt(3));
    host.refused(fid::RTT_FOLD, &[RD, RAM, 2], Status::Rtt(2));
    host.refused(fid::RTT_FOLD, &[RD, RAM + L2_SIZE, 3], Status::Rtt(2));
    host.refused(fid::RTT_FOLD, &[RD, RAM + L1_SIZE, 3], Status::Rtt(1));
}

#[test]
fn unprotected_blocks_unfold_and_fold_with_their_attributes() {
    let host = Host::new();
    host.create_realm(0);
    host.delegate(&[L2, L3]);
    host.ok(fid::RTT_CREATE, &[RD, L2, SHARED, 2]);
    host.ok(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 2, 0x8000_0000 | ATTRIBUTES]);
    assert_eq!(entry(&host, SHARED, 2), [2, 1, 0x8000_0000 | ATTRIBUTES, 0]);
    host.machine().invalidated.lock().unwrap().clear();
    host.ok(fid::RTT_CREATE, &[RD, L3, SHARED, 3]);
    assert_eq!(entry(&host, SHARED + 0x3000, 3), [3, 1, 0x8000_3000 | ATTRIBUTES, 0]);
    assert_eq!(*host.machine().invalidated.lock().unwrap(), [Scope::Range { base: SHARED, size: L2_SIZE }]);
    host.ok(fid::RTT_FOLD, &[RD, SHARED, 3]);
    assert_eq!(entry(&host, SHARED, 2), [2, 1, 0x8000_0000 | ATTRIBUTES, 0]);
    host.ok(fid::RTT_CREATE, &[RD, L3, SHARED, 3]);
    host.ok(fid::RTT_UNMAP_UNPROTECTED, &[RD, SHARED, 3]);
    host.ok(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, 0x8000_0000 | 0x98]);
    host.refused(fid::RTT_FOLD, &[RD, SHARED, 3], Status::Rtt(3));
    // Mappings of the Normal world's memory do not keep a table.
    assert_eq!(host.ok(fid::RTT_DESTROY, &[RD, SHARED, 3])[0], L3);
    assert_eq!(entry(&host, SHARED, 2), [2, 0, 0, 0]);
}

#[test]
fn host_chooses_only_its_part_of_a_descriptor() {
    let host = Host::new();
    host.create_realm(0);
    host.delegate(&[L2, L3]);
    host.ok(fid::RTT_CREATE, &[RD, L2, SHARED, 2]);
    host.ok(fid::RTT_CREATE, &[RD, L3, SHARED, 3]);
    for bit in [0, 1, 5, 8, 9, 10, 11, 48, 51, 52, 53, 54, 55, 63] {
        host.refused(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, NORMAL | ATTRIBUTES | 1 << bit], Status::Input);
    }
    host.refused(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, NORMAL | 0b100 << 2], Status::Input);
    host.refused(fid::RTT_MAP_UNPROTECTED, &[RD, RAM, 3, NORMAL], Status::Input);
    host.refused(fid::RTT_MAP_UNPROTECTED, &[RD, 1 << 40, 3, NORMAL], Status::Input);
    host.refused(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 0, 0], Status::Input);
    host.refused(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 2, 0], Status::Rtt(2));
    // Cacheable is Inner Shareable, the rest Outer; valid, Non-secure, never executable, accessed.
    for (memattr, shareability) in [(0b110, 0b11), (0b111, 0b11), (0b101, 0b10), (0b001, 0b10)] {
        host.ok(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, NORMAL | memattr << 2 | 0b01 << 6]);
        let descriptor = host.machine().peek(L3, |page| u64::from_le_bytes(page.0[..8].try_into().unwrap()));
        let expected = NORMAL | 0b11 | memattr << 2 | 0b01 << 6 | shareability << 8 | 1 << 10 | 0b10 << 53 | 1 << 55;
        assert_eq!(descriptor, expected);
        host.refused(fid::RTT_MAP_UNPROTECTED, &[RD, SHARED, 3, NORMAL], Status::Rtt(3));
        host.ok(fid::RTT_UNMAP_UNPROTECTED, &[RD, SHARED, 3]);
    }
    let [top, ..] = host.refused(fid::RTT_UNMAP_UNPROTECTED, &[RD, SHARED, 3], Status::Rtt(3));
    assert_eq!(top, SHARED + L2_SIZE);
}

#[test]
fn destroyed_memory_is_destroyed_in_the_realms_eyes() {
    let host = Host::with_realm();
    host.machine().invalidated.lock().unwrap().clear();
    host.ok(fid::DATA_DESTROY, &[RD, RAM]);
    assert_eq!(*host.machine().invalidated.lock().unwrap(), [Scope::Range { base: RAM, size: 4096 }]);
    assert_eq!(entry(&host, RAM, 3), [3, 0, 0, 2]);
    host.machine().peek(DATA, |page| assert_eq!(page.0, [0; 4096]));
    host.ok(fid::DATA_CREATE_UNKNOWN, &[RD, DATA, RAM]);
    assert_eq!(entry(&host, RAM, 3), [3, 1, DATA, 2]);
    let [_, top, ..] = host.refused(fid::DATA_DESTROY, &[RD, RAM + 0x2000], Status::Rtt(3));
    assert_eq!(top, RAM + L2_SIZE);
    let [_, top, ..] = host.refused(fid::DATA_DESTROY, &[RD, 0], Status::Rtt(1));
    assert_eq!(top, RAM);
    host.refused(fid::DATA_DESTROY, &[RD, SHARED], Status::Input);
}

#[test]
fn ripas_is_initialised_entry_by_entry_of_one_table() {
    let host = with_tables();
    assert_eq!(host.ok(fid::RTT_INIT_RIPAS, &[RD, RAM + 0x1000, RAM + 0x40_0000])[0], RAM + L2_SIZE);
    host.refused(fid::RTT_INIT_RIPAS, &[RD, RAM + L2_SIZE, RAM + L2_SIZE + 0x1000], Status::Rtt(2));
    host.refused(fid::RTT_INIT_RIPAS, &[RD, RAM + L2_SIZE + 0x1000, RAM + 2 * L2_SIZE], Status::Rtt(2));
    host.refused(fid::RTT_INIT_RIPAS, &[RD, RAM, RAM], Status::Input);
    host.refused(fid::RTT_INIT_RIPAS, &[RD, RAM, RAM + 1], Status::Input);
    host.refused(fid::RTT_INIT_RIPAS, &[RD, SHARED - 0x1000, SHARED + 0x1000], Status::Input);
    host.refused(fid::RTT_INIT_RIPAS, &[RD, 0, 0x1000], Status::Rtt(1));
}
