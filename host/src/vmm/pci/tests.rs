use super::{Bus, Outside};
use crate::vmm::queue::tests::{Guest, RINGS};
use alloc::vec::Vec;

const BAR: u64 = 0x1000_0000;
const SLOT: u64 = 1 << 15;

/// A bus whose slot 0 has its BAR at [`BAR`], memory accesses on.
fn mapped() -> Bus {
    let mut bus = Bus::new();
    bus.write_config(0x10, 4, BAR);
    bus.write_config(0x04, 2, 0b110);
    bus
}

/// Does to slot 0 what a driver does up to DRIVER_OK, with queue 0 and 1 on the test's rings.
fn started(bus: &mut Bus, guest: &mut Guest) {
    let mut write = |offset, size, value| {
        bus.write_memory(BAR + offset, size, value, &mut Outside { dma: guest, out: &mut |_, _| {} });
    };
    write(0x14, 1, 0);
    write(0x14, 1, 3);
    for (select, features) in [(0, 0), (1, 3)] {
        write(0x08, 4, select);
        write(0x0C, 4, features);
    }
    write(0x14, 1, 0xB);
    for queue in 0..2 {
        write(0x16, 2, queue);
        write(0x18, 2, 8);
        for (offset, ring) in [0x20, 0x28, 0x30].into_iter().zip(RINGS) {
            write(offset, 4, ring);
            write(offset + 4, 4, 0);
        }
        write(0x1C, 2, 1);
    }
    write(0x14, 1, 0xF);
}

#[test]
fn enumeration_finds_two_consoles_and_nothing_else() {
    let bus = Bus::new();
    for slot in 0..2 {
        assert_eq!(bus.read_config(slot * SLOT, 4), 0x1043_1AF4);
        assert_eq!(bus.read_config(slot * SLOT + 0x0E, 1), 0, "one function, no bridge");
        assert_eq!(bus.read_config(slot * SLOT + 0x3D, 1), 1, "INTA");
        assert_eq!(bus.read_config(slot * SLOT + 0x100, 4), 0, "no extended capability");
        assert_eq!(bus.read_config(slot * SLOT + 0x1000, 4) & 0xFFFF_FFFF, 0xFFFF_FFFF, "function 1");
    }
    assert_eq!(bus.read_config(2 * SLOT, 4) & 0xFFFF_FFFF, 0xFFFF_FFFF);
}

#[test]
fn the_bar_tells_its_size_and_moves() {
    let mut bus = Bus::new();
    bus.write_config(0x10, 4, 0xFFFF_FFFF);
    assert_eq!(bus.read_config(0x10, 4), 0xFFFF_C000);
    bus.write_config(0x10, 4, BAR);
    assert_eq!(bus.read_memory(BAR + 0x12, 2) & 0xFFFF, 0xFFFF, "memory accesses are off");
    bus.write_config(0x04, 2, 2);
    assert_eq!(bus.read_memory(BAR + 0x12, 2), 2, "queues");
}

#[test]
fn capabilities_name_the_four_windows() {
    let bus = Bus::new();
    assert_ne!(bus.read_config(0x06, 2) & 0x10, 0);
    let mut at = bus.read_config(0x34, 1);
    let mut kinds = Vec::new();
    while at != 0 {
        assert_eq!(bus.read_config(at, 1), 9);
        kinds.push((bus.read_config(at + 3, 1), bus.read_config(at + 8, 4), bus.read_config(at + 12, 4)));
        at = bus.read_config(at + 1, 1);
    }
    assert_eq!(kinds, [(1, 0, 0x40), (3, 0x1000, 4), (4, 0x2000, 12), (2, 0x3000, 8)]);
}

#[test]
fn a_driver_without_access_platform_is_refused() {
    let mut bus = mapped();
    let mut guest = Guest::new();
    let mut write = |bus: &mut Bus, offset, size, value| {
        bus.write_memory(BAR + offset, size, value, &mut Outside { dma: &mut guest, out: &mut |_, _| {} });
    };
    write(&mut bus, 0x08, 4, 1);
    write(&mut bus, 0x0C, 4, 1);
    write(&mut bus, 0x14, 1, 0xB);
    assert_eq!(bus.read_memory(BAR + 0x14, 1), 3);
}

#[test]
fn a_notification_sends_and_raises_inta_until_the_isr_is_read() {
    let (mut bus, mut guest) = (mapped(), Guest::new());
    started(&mut bus, &mut guest);
    guest.put(0x4000, b"hi");
    guest.describe(0, 0x4000, 2, 0, 0);
    guest.offer(0, 0);
    let mut sent = Vec::new();
    let mut out = |channel, bytes: &[u8]| sent.push((channel, Vec::from(bytes)));
    bus.write_memory(BAR + 0x3004, 2, 1, &mut Outside { dma: &mut guest, out: &mut out });
    assert_eq!(sent, [(b'C', Vec::from(b"hi"))]);
    assert_eq!(bus.lines().collect::<Vec<_>>(), [true, false]);
    assert_ne!(bus.read_config(0x06, 2) & 8, 0);
    assert_eq!(bus.read_memory(BAR + 0x1000, 1), 1);
    assert_eq!(bus.lines().collect::<Vec<_>>(), [false, false]);
}

#[test]
fn a_broken_queue_needs_a_reset_and_is_not_served_before() {
    let (mut bus, mut guest) = (mapped(), Guest::new());
    started(&mut bus, &mut guest);
    guest.put(RINGS[1] + 2, &100u16.to_le_bytes());
    let mut out = |_, _: &[u8]| {};
    bus.write_memory(BAR + 0x3004, 2, 1, &mut Outside { dma: &mut guest, out: &mut out });
    assert_eq!(bus.read_memory(BAR + 0x14, 1), 0x4F);
    assert_eq!(bus.read_memory(BAR + 0x1000, 1), 2);
    bus.write_memory(BAR + 0x14, 1, 0, &mut Outside { dma: &mut guest, out: &mut out });
    assert_eq!(bus.read_memory(BAR + 0x14, 1), 0);
}

#[test]
fn bytes_from_the_outside_reach_their_console() {
    let (mut bus, mut guest) = (mapped(), Guest::new());
    started(&mut bus, &mut guest);
    guest.describe(0, 0x5000, 16, 2, 0);
    guest.offer(0, 0);
    bus.feed(b'A', b"other", &mut Outside { dma: &mut guest, out: &mut |_, _| {} });
    assert_eq!(guest.half(RINGS[2] + 2), 0);
    bus.feed(b'C', b"line\n", &mut Outside { dma: &mut guest, out: &mut |_, _| {} });
    assert_eq!((guest.half(RINGS[2] + 2), &guest.0[0x4000..0x4005]), (1, &b"line\n"[..]));
    assert!(bus.lines().next().expect("slot 0"));
}

#[test]
fn wild_accesses_are_harmless() {
    let (mut bus, mut guest) = (mapped(), Guest::new());
    let mut out = |_, _: &[u8]| {};
    for offset in 0..0x4000 {
        for size in [1, 2, 4, 8] {
            bus.write_memory(BAR + offset, size, u64::MAX, &mut Outside { dma: &mut guest, out: &mut out });
            let _ = bus.read_memory(BAR + offset, size);
        }
    }
    for offset in (0..0x10_0000).step_by(61) {
        bus.write_config(offset, 8, u64::MAX);
        let _ = bus.read_config(offset, 8);
    }
}
