use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use abi::GRANULE;
use abi::measurement::Hash;
use zerocopy::IntoBytes;

use super::layout::address_space;
use super::{BLOCK, Data, Images, Plan, RAM, Source, Step, plan};
use crate::Error;
use crate::config::Config;
use crate::image::Image;

/// A kernel of `file` bytes, whose byte n is n mod 251 after the header.
fn kernel(file: usize, image_size: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..file).map(|n| (n % 251) as u8).collect();
    bytes[..64].fill(0);
    bytes[16..24].copy_from_slice(&image_size.to_le_bytes());
    bytes[24] = 0xa;
    bytes[56..60].copy_from_slice(b"ARM\x64");
    bytes
}

fn config(memory: u64) -> Config {
    let cmdline = "console=hvc0".to_string();
    Config { memory, cpus: 2, hash: Hash::Sha256, rpv: [7; 64], cmdline, realms: 1, attack: None }
}

fn data(plan: &Plan) -> Vec<Data> {
    plan.steps.iter().filter_map(|step| if let Step::Data(data) = step { Some(*data) } else { None }).collect()
}

#[test]
fn steps_come_in_the_order_that_is_measured() {
    let kernel = kernel(0x1801, 0x5000);
    let images = Images { kernel: &kernel, initrd: &[9; 10] };
    let plan = plan(&images, &config(64 << 20)).unwrap();
    let page = |ipa, source, offset, len| Step::Data(Data { ipa, source, offset, len, measured: true });
    let (first, rest) = plan.steps.split_at(7);
    assert_eq!(
        first,
        [
            Step::CreateRealm,
            Step::InitRipas { base: RAM, top: RAM + (64 << 20) },
            Step::Table { ipa: RAM, level: 3 },
            page(RAM, Source::Kernel, 0, 0x1000),
            page(RAM + 0x1000, Source::Kernel, 0x1000, 0x801),
            page(RAM + 0x5000, Source::Initrd, 0, 10),
            Step::Table { ipa: RAM + BLOCK, level: 3 },
        ]
    );
    assert_eq!(rest[0], page(RAM + BLOCK, Source::Dtb, 0, plan.dtb.len()));
    let [Step::Rec(boot), Step::Rec(other), Step::Activate] = rest[1..] else { panic!("{rest:?}") };
    assert_eq!((boot.pc, boot.gprs, boot.runnable), (RAM, [RAM + BLOCK, 0, 0, 0, 0, 0, 0, 0], true));
    assert_eq!((other.mpidr, other.pc, other.gprs, other.runnable), (1, 0, [0; 8], false));
    assert_eq!(plan.pages(), 4);
}

#[test]
fn pages_are_filled_from_their_source_and_zero_after_it() {
    let kernel = kernel(0x1801, 0x5000);
    let images = Images { kernel: &kernel, initrd: &[9; 10] };
    let plan = plan(&images, &config(64 << 20)).unwrap();
    let mut page = [0xff; GRANULE];
    let pages = data(&plan);
    plan.fill(&images, &pages[1], &mut page);
    assert_eq!(page[..0x801], kernel[0x1000..]);
    assert!(page[0x801..].iter().all(|byte| *byte == 0));
    plan.fill(&images, &pages[2], &mut page);
    assert_eq!((&page[..10], page[10]), (&[9; 10][..], 0));
    plan.fill(&images, &pages[3], &mut page);
    assert_eq!(page[..plan.dtb.len()], plan.dtb);
}

#[test]
fn no_initrd_means_no_pages_of_it() {
    let kernel = kernel(0x1000, 0x5000);
    let plan = plan(&Images { kernel: &kernel, initrd: &[] }, &config(64 << 20)).unwrap();
    assert!(data(&plan).iter().all(|data| data.source != Source::Initrd));
}

#[test]
fn what_does_not_fit_is_named() {
    let memory = 32 << 20;
    let small = kernel(0x1000, 0x1000);
    let refused =
        |kernel: &[u8], initrd: usize| plan(&Images { kernel, initrd: &vec![0; initrd] }, &config(memory)).map(|_| ());
    let no_room = |part, expected| Err(Error::NoRoom { part, expected, found: memory });
    assert_eq!(refused(&kernel(0x1000, memory + 1), 0), no_room("kernel", memory + 1));
    assert_eq!(refused(&kernel(0x1000, u64::MAX), 0), no_room("kernel", u64::MAX - RAM));
    assert_eq!(refused(&small, 0x1fff001), no_room("initrd", memory + 1));
    assert_eq!(refused(&small, 0x1e00001 - 0x1000), no_room("device tree", memory + BLOCK));
    assert_eq!(refused(&small, 0x1e00000 - 0x1000), Ok(()));
    assert_eq!(refused(&small[..63], 0), Err(Error::KernelTruncated { expected: 64, found: 63 }));
}

#[test]
fn text_offset_moves_the_kernel() {
    let image = Image { text_offset: 0x8_0000, image_size: 0x1000 };
    let layout = super::Layout::new(&image, 1, 64 << 20).unwrap();
    assert_eq!(layout.kernel, RAM + 0x8_0000..RAM + 0x8_1000);
    assert_eq!(layout.initrd, RAM + 0x8_1000..RAM + 0x8_1001);
}

#[test]
fn address_spaces_are_those_that_kvm_chooses() {
    for (ram_end, expected) in [
        (0x4200_0000, (33, 2, 8)),
        (1 << 32, (33, 2, 8)),
        ((1 << 32) + 1, (34, 2, 16)),
        ((1 << 33) + 1, (35, 1, 1)),
        ((256 << 30) + RAM, (40, 1, 2)),
    ] {
        assert_eq!(address_space(ram_end), expected, "{ram_end:#x}");
    }
}

#[test]
fn level_two_tables_stand_before_ripas_where_translation_starts_above() {
    let kernel = kernel(0x1000, 0x5000);
    let plan = plan(&Images { kernel: &kernel, initrd: &[] }, &config(8 << 30)).unwrap();
    assert_eq!((plan.realm.start_level, plan.realm.ipa_width), (1, 35));
    let tables: Vec<Step> = (1..9).map(|n| Step::Table { ipa: n << 30, level: 2 }).collect();
    assert_eq!(plan.steps[1..9], tables);
    assert_eq!(plan.steps[9], Step::InitRipas { base: RAM, top: RAM + (8 << 30) });
}

#[test]
fn params_carry_the_realm_and_nothing_else() {
    let kernel = kernel(0x1000, 0x5000);
    let plan = plan(&Images { kernel: &kernel, initrd: &[] }, &config(64 << 20)).unwrap();
    let params = plan.realm.params(3, 0x1234_5000);
    let expected: [(usize, &[u8]); 8] = [
        (0x8, &[33]),
        (0x18, &[1]),
        (0x20, &[1]),
        (0x400, &[7; 64]),
        (0x800, &[3]),
        (0x808, &[0, 0x50, 0x34, 0x12]),
        (0x810, &[2]),
        (0x818, &[8]),
    ];
    let mut image = [0; GRANULE];
    expected.iter().for_each(|(at, bytes)| image[*at..*at + bytes.len()].copy_from_slice(bytes));
    assert_eq!(params.as_bytes(), image);
    assert_eq!(plan.realm.shared_bit(), 1 << 32);
}
