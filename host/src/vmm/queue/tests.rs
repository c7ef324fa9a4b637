use super::{Broken, Buffer, Dma, Private, Queue};
use crate::vmm::console::Console;
use alloc::vec;
use alloc::vec::Vec;

/// Shared memory of a guest: 64 KiB at 0x1000, everything else private.
pub struct Guest(pub Vec<u8>);

const BASE: u64 = 0x1000;
/// Descriptor table, available ring and used ring of the test's queue.
pub const RINGS: [u64; 3] = [0x1000, 0x2000, 0x3000];

impl Guest {
    pub fn new() -> Self {
        Self(vec![0; 0x1_0000])
    }

    fn at(&self, address: u64, len: usize) -> Result<core::ops::Range<usize>, Private> {
        let start =
            address.checked_sub(BASE).and_then(|start| usize::try_from(start).ok()).ok_or(Private { address })?;
        let end = start.checked_add(len).filter(|end| *end <= self.0.len()).ok_or(Private { address })?;
        Ok(start..end)
    }

    pub fn put(&mut self, address: u64, bytes: &[u8]) {
        self.write(address, bytes).expect("test memory");
    }

    pub fn half(&mut self, address: u64) -> u16 {
        super::half(self, address).expect("test memory")
    }

    pub fn describe(&mut self, number: u64, address: u64, len: u32, flags: u16, next: u16) {
        let mut bytes = Vec::from(address.to_le_bytes());
        bytes.extend(len.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(next.to_le_bytes());
        self.put(RINGS[0] + 16 * number, &bytes);
    }

    pub fn offer(&mut self, slot: u64, head: u16) {
        self.put(RINGS[1] + 4 + 2 * slot, &head.to_le_bytes());
        self.put(RINGS[1] + 2, &(slot as u16 + 1).to_le_bytes());
    }
}

impl Dma for Guest {
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Private> {
        let range = self.at(address, bytes.len())?;
        bytes.copy_from_slice(&self.0[range]);
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Private> {
        let range = self.at(address, bytes.len())?;
        self.0[range].copy_from_slice(bytes);
        Ok(())
    }
}

fn queue() -> Queue {
    Queue { size: 8, enabled: true, descriptors: RINGS[0], driver: RINGS[1], device: RINGS[2], ..Queue::default() }
}

#[test]
fn a_chain_is_taken_and_given_back() {
    let (mut guest, mut queue) = (Guest::new(), queue());
    assert_eq!(queue.take(&mut guest), Ok(None));
    guest.describe(3, 0x4000, 5, super::NEXT, 1);
    guest.describe(1, 0x5000, 9, super::WRITE, 0);
    guest.offer(0, 3);
    let chain = queue.take(&mut guest).expect("whole").expect("one");
    let buffers = [Buffer { address: 0x4000, len: 5, write: false }, Buffer { address: 0x5000, len: 9, write: true }];
    assert_eq!((chain.head, &chain.buffers[..]), (3, &buffers[..]));
    assert_eq!(queue.give(&mut guest, chain.head, 7), Ok(true));
    assert_eq!((guest.half(RINGS[2] + 2), guest.half(RINGS[2] + 4), guest.half(RINGS[2] + 8)), (1, 3, 7));
    guest.put(RINGS[1], &1u16.to_le_bytes());
    assert_eq!(queue.give(&mut guest, 0, 0), Ok(false), "the driver wants no interrupt");
}

#[test]
fn hostile_rings_break_the_queue_and_nothing_else() {
    let broken = |prepare: &dyn Fn(&mut Guest, &mut Queue)| {
        let (mut guest, mut queue) = (Guest::new(), queue());
        prepare(&mut guest, &mut queue);
        queue.take(&mut guest)
    };
    let loops = |guest: &mut Guest, _: &mut Queue| {
        guest.describe(0, 0x4000, 1, super::NEXT, 0);
        guest.offer(0, 0);
    };
    assert_eq!(broken(&loops), Err(Broken::Loop));
    assert_eq!(broken(&|guest, _| guest.put(RINGS[1] + 2, &9u16.to_le_bytes())), Err(Broken::Index { found: 9 }));
    assert_eq!(broken(&|guest, _| guest.offer(0, 8)), Err(Broken::Descriptor { found: 8 }));
    let indirect = |guest: &mut Guest, _: &mut Queue| {
        guest.describe(0, 0x4000, 16, super::INDIRECT, 0);
        guest.offer(0, 0);
    };
    assert_eq!(broken(&indirect), Err(Broken::Indirect));
    let private = |_: &mut Guest, queue: &mut Queue| queue.driver = u64::MAX - 1;
    assert_eq!(broken(&private), Err(Broken::Private(Private { address: 0 })));
}

#[test]
fn a_console_sends_and_receives() {
    let (mut guest, mut queue) = (Guest::new(), queue());
    let mut console = Console::new(b'C');
    guest.put(0x4000, b"hello");
    guest.describe(0, 0x4000, 5, 0, 0);
    guest.offer(0, 0);
    let mut sent = Vec::new();
    let mut out = |channel, bytes: &[u8]| sent.push((channel, Vec::from(bytes)));
    assert_eq!(console.transmit(&mut queue, &mut guest, &mut out), Ok(true));
    assert_eq!(sent, [(b'C', Vec::from(b"hello"))]);

    let (mut guest, mut queue) = (Guest::new(), self::queue());
    console.feed(b"attest");
    assert_eq!(console.receive(&mut queue, &mut guest), Ok(false), "no buffer yet");
    guest.describe(0, 0x5000, 4, super::WRITE, 0);
    guest.offer(0, 0);
    assert_eq!(console.receive(&mut queue, &mut guest), Ok(true));
    assert_eq!(&guest.0[0x4000..0x4004], b"atte");
    assert_eq!(guest.half(RINGS[2] + 8), 4);
    guest.offer(1, 0);
    assert_eq!(console.receive(&mut queue, &mut guest), Ok(true));
    assert_eq!(&guest.0[0x4000..0x4002], b"st");
    assert_eq!(guest.half(RINGS[2] + 16), 2);
}

#[test]
fn a_console_does_not_read_private_memory() {
    let (mut guest, mut queue) = (Guest::new(), queue());
    guest.describe(0, 0xFFF0_0000, 64, 0, 0);
    guest.offer(0, 0);
    let mut out = |_, _: &[u8]| panic!("nothing may be sent");
    let outcome = Console::new(b'C').transmit(&mut queue, &mut guest, &mut out);
    assert_eq!(outcome, Err(Broken::Private(Private { address: 0xFFF0_0000 })));
}

#[test]
fn a_guest_that_shares_garbage_never_keeps_the_host() {
    // A small generator: every ring and descriptor is noise, and each call must end.
    let mut state = 1u64;
    for _ in 0..2000 {
        let mut guest = Guest::new();
        for byte in &mut guest.0[..0x3000] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (state >> 56) as u8 & (state >> 48) as u8;
        }
        let (mut queue, mut console) = (queue(), Console::new(b'C'));
        console.feed(b"bytes");
        let mut sent = 0;
        let _ = console.receive(&mut queue, &mut guest);
        let _ = console.transmit(&mut queue, &mut guest, &mut |_, bytes: &[u8]| sent += bytes.len());
        assert!(sent <= 8 << 16);
    }
}
