use std::ops::Range;

use abi::GRANULE;
use abi::measurement::Hash;

use super::{Entry, Launch, Placed, kvm_entries, ripas};
use crate::blob::Blob;
use crate::rim::{Params, Rim};
use crate::{Error, Expected};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn covered(ram: Range<u64>, width: u8) -> Vec<Range<u64>> {
    ripas(ram, kvm_entries(width)).collect()
}

#[test]
fn levels_follow_the_width_as_kvm_chooses_them() {
    for (width, largest) in [
        (33, 1 << 21),
        (34, 1 << 21),
        (35, 1 << 30),
        (41, 1 << 30),
        (43, 1 << 30),
        (44, 1 << 39),
        (48, 1 << 39),
        (52, 1 << 39),
    ] {
        assert_eq!(kvm_entries(width)[0], largest, "{width}");
        assert_eq!(kvm_entries(width).last(), Some(&0x1000));
    }
}

#[test]
fn ram_is_covered_by_the_largest_entries() {
    assert_eq!(covered(GIB..2 * GIB, 41), vec![GIB..2 * GIB; 1]);
    assert_eq!(covered(GIB..GIB + 4 * MIB, 41).len(), 2);
    assert_eq!(covered(GIB..2 * GIB + 2 * MIB, 41), [GIB..2 * GIB, 2 * GIB..2 * GIB + 2 * MIB]);
    assert_eq!(covered(GIB..2 * GIB, 33).len(), 512);
    assert_eq!(covered(GIB..GIB + MIB, 41).len(), 256);
}

fn launch(images: Vec<Placed<'_>>) -> Result<Expected, Error> {
    let params = Params { ipa_width: 33, sve: None, num_bps: 1, num_wps: 1, pmu: None, hash: Hash::Sha256 };
    let entry = Entry { pc: GIB, x0: GIB + 0x5000 };
    let unmeasured = Some(GIB + 0x8000..GIB + 0xa000);
    Launch { params, ram: GIB..GIB + 2 * MIB, entries: kvm_entries(33), images, entry, unmeasured, rpv: [7; 64] }
        .measure()
}

fn placed<'a>(what: &'static str, ipa: u64, bytes: &'a [u8]) -> Placed<'a> {
    Placed { what, ipa, blob: Blob::bytes(bytes) }
}

#[test]
fn images_are_measured_in_ascending_order_between_ram_and_rec() {
    let (dtb, kernel) = ([2; 16], [1; GRANULE + 1]);
    let found = launch(vec![placed("device tree", GIB + 0x5004, &dtb), placed("kernel", GIB, &kernel)]).unwrap();
    let page = |at: usize, bytes: &[u8]| {
        let mut page = [0; GRANULE];
        page[at..at + bytes.len()].copy_from_slice(bytes);
        page
    };
    let params = Params { ipa_width: 33, sve: None, num_bps: 1, num_wps: 1, pmu: None, hash: Hash::Sha256 };
    let mut rim = Rim::new(&params);
    rim.ripas(GIB, GIB + 2 * MIB);
    rim.data(GIB, &[1; GRANULE]);
    rim.data(GIB + 0x1000, &page(0, &[1]));
    rim.data(GIB + 0x5000, &page(4, &dtb));
    rim.rec(GIB, &[GIB + 0x5000, 0, 0, 0, 0, 0, 0, 0]);
    rim.data_unmeasured(GIB + 0x8000);
    rim.data_unmeasured(GIB + 0x9000);
    assert_eq!(found.rim, rim.value());
    assert_eq!((found.rpv, found.rems[3].len()), ([7; 64], 32));
}

#[test]
fn images_in_the_same_granule_are_refused() {
    let refused = launch(vec![placed("kernel", GIB, &[1; GRANULE + 1]), placed("initrd", GIB + 0x1800, &[2])]);
    assert_eq!(refused, Err(Error::Overlap { what: "initrd", ipa: GIB + 0x1000, free: GIB + 0x2000 }));
    launch(vec![placed("kernel", GIB, &[1; GRANULE + 1]), placed("initrd", GIB + 0x2800, &[2])]).unwrap();
}
