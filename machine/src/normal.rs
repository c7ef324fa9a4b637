//! The Normal world: what the host's VMM asks of the machine it runs on.

use std::ops::Range;

use abi::{GRANULE, GRANULE_U64, map};
use host::vmm::{Access, Normal, Woken};

use crate::board::{World, lock};
use crate::machine::{Machine, current};

impl Machine<'_> {
    /// Runs `f` on a granule of the Normal world's.
    fn own<R>(&self, address: u64, f: impl FnOnce(&mut [u8; GRANULE]) -> R) -> R {
        let done = self.board.access(address, World::Normal, |page| f(&mut page.0));
        done.unwrap_or_else(|fault| panic!("the host touched what is not its own: {fault:x?}"))
    }

    /// Pieces of a range, none of which crosses a granule: address, and where in the range it begins and ends.
    fn pieces(address: u64, length: usize) -> impl Iterator<Item = (u64, Range<usize>)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let here = address + at as u64;
            let room = GRANULE - (here % GRANULE_U64) as usize;
            let piece = at..length.min(at + room);
            at = piece.end;
            (!piece.is_empty()).then_some((here, piece))
        })
    }
}

impl Normal for Machine<'_> {
    fn smc(&self, function: u32, arguments: [u64; 5]) -> [u64; 5] {
        let [x1, x2, x3, x4, x5] = arguments;
        self.call([function.into(), x1, x2, x3, x4, x5, 0, 0])
    }

    fn read(&self, address: u64, bytes: &mut [u8]) {
        for (at, piece) in Self::pieces(address, bytes.len()) {
            let offset = (at % GRANULE_U64) as usize;
            self.own(at, |page| bytes[piece.clone()].copy_from_slice(&page[offset..offset + piece.len()]));
        }
    }

    fn write(&self, address: u64, bytes: &[u8]) {
        for (at, piece) in Self::pieces(address, bytes.len()) {
            let offset = (at % GRANULE_U64) as usize;
            self.own(at, |page| page[offset..offset + piece.len()].copy_from_slice(&bytes[piece.clone()]));
        }
    }

    fn load(&self, address: u64) -> u64 {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn store(&self, address: u64, value: u64) {
        self.write(address, &value.to_le_bytes());
    }

    fn alloc(&self, pages: usize) -> Option<u64> {
        let first = lock(&self.pool).take(pages)?;
        (first..).step_by(GRANULE).take(pages).for_each(|address| self.own(address, |page| page.fill(0)));
        Some(first)
    }

    fn free(&self, address: u64, pages: usize) {
        lock(&self.pool).give(address, pages);
    }

    fn dram(&self) -> Range<u64> {
        self.board.dram()
    }

    fn cpus(&self) -> usize {
        map::MAX_CPUS
    }

    fn kick(&self, cpu: usize) {
        self.rmm.platform().interrupts.send(cpu);
    }

    fn acknowledge(&self) -> Woken {
        self.rmm.platform().interrupts.take(current());
        Woken { input: current() == 0 && !lock(&self.received).is_empty() }
    }

    fn wait(&self) {
        self.rmm.platform().interrupts.wait(current());
    }

    fn output(&self, channel: u8, bytes: &[u8]) {
        lock(&self.sent).push((channel, bytes.to_vec()));
    }

    fn input(&self) -> Option<(u8, Vec<u8>)> {
        lock(&self.received).pop_front()
    }

    /// A granule protection fault, as ESR_EL2 says it: exception class and status of the Arm ARM, D24.2.
    fn probe(&self, access: Access, address: u64) -> Option<u64> {
        const GPF: u64 = 0b10_1000;
        let class = match access {
            Access::Read | Access::Write => 0x25,
            Access::Execute => 0x21,
        };
        let write = u64::from(access == Access::Write) << 6;
        self.board.check(address, World::Normal).err().map(|_| class << 26 | 1 << 25 | write | GPF)
    }

    /// No device of this machine reaches memory on its own.
    fn device_write(&self, _address: u64) -> bool {
        false
    }

    /// This machine's reset is a new [`Machine`] on the same board: there is no note to leave.
    fn reset_with_note(&self, _granules: &[Range<u64>]) {}
}
