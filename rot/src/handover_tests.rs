use super::*;

const TOKEN: [u8; 5] = [0xD2, 0x84, 1, 2, 3];

fn made() -> Handover {
    let rak = RakBytes { private: &[1; 48], x: &[2; 48], y: &[3; 48] };
    let hardware = Hardware { dram_base: map::DRAM, dram_size: 2 << 30, cpus: 4 };
    let firmware = Firmware { debug: true, trace: 5 };
    let rmm = Placed { base: map::RMM, size: 0x8000, entry: map::RMM + 0x40 };
    Handover::new(&rak, &TOKEN, 0x5000, &hardware, &firmware, &rmm).unwrap()
}

#[test]
fn what_boot_writes_the_monitor_reads() {
    let written = made();
    let mut page = [0xAA; 8192];
    page[..LENGTH].copy_from_slice(written.as_bytes());
    let read = Handover::read(&page).unwrap();
    assert_eq!(read.rak_private(), &[1; 48]);
    assert_eq!(read.rak_public(), (&[2; 48], &[3; 48]));
    assert_eq!(read.token(), TOKEN);
    assert_eq!(read.lifecycle(), 0x5000);
    assert_eq!(read.hardware(), Hardware { dram_base: 0x4000_0000, dram_size: 2 << 30, cpus: 4 });
    assert_eq!(read.firmware(), Firmware { debug: true, trace: 5 });
    assert_eq!(read.rmm(), Placed { base: 0x4010_0000, size: 0x8000, entry: 0x4010_0040 });
}

#[test]
fn every_field_out_of_range_is_refused() {
    // Offset of a little-endian word, and a value that it must not have.
    let wrong = [(0, 0), (8, 1), (160, 0x10000), (168, 2), (176, 8), (184, 0), (192, 3 << 20), (200, 0), (200, 5)];
    let wrong_rmm = [
        (208, 0x4020_0000),
        (216, 0),
        (216, u64::MAX),
        (224, 0x4010_7FFE),
        (224, 0x4010_0042),
        (224, 0),
        (232, 0),
        (232, 4097),
    ];
    for (offset, value) in wrong.into_iter().chain(wrong_rmm) {
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(made().as_bytes());
        bytes[offset..offset + 8].copy_from_slice(&u64::to_le_bytes(value));
        assert!(Handover::read(&bytes).is_err(), "{value:#x} at {offset}");
    }
    assert_eq!(
        Handover::read(&[0; 16]).err(),
        Some(Refusal::Length { what: "hand-over", expected: LENGTH as u64, found: 16 })
    );
}

#[test]
fn wiping_leaves_nothing() {
    let mut handover = made();
    handover.zeroize();
    assert!(handover.as_bytes().iter().all(|&byte| byte == 0));
}
