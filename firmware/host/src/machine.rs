//! What the VMM asks of the machine, answered on the processor.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use abi::{GRANULE, map};
use cpu::lock::Lock;
use cpu::{barrier, page};
use host::vmm::pool::Pool;
use host::vmm::{Access, Normal, Woken, tree};

use crate::{firmware, fwcfg, interrupts, note, probe, serial};

/// First byte after the window in which this image lies.
const OWN_END: u64 = map::LOADER_WINDOWS[1].1;

/// The Normal world's machine.
pub struct Machine {
    pool: Lock<Option<Pool>>,
    end: AtomicU64,
    cpus: AtomicUsize,
}

/// The one machine.
pub static MACHINE: Machine =
    Machine { pool: Lock::new(None), end: AtomicU64::new(map::DRAM), cpus: AtomicUsize::new(1) };

impl Machine {
    /// Asks how large the machine is; fills the pool with free DRAM. Once, by CPU 0.
    pub fn open(&self) {
        // SAFETY: QEMU's device tree stays where it is, and nobody writes it.
        let tree = unsafe { core::slice::from_raw_parts(map::DRAM as *const u8, map::DEVICE_TREE_SIZE as usize) };
        let end = tree::memory(tree).filter(|ram| ram.start == map::DRAM).map_or(OWN_END, |ram| ram.end);
        self.end.store(end, Ordering::Release);
        self.cpus.store(fwcfg::cpus().clamp(1, map::MAX_CPUS), Ordering::Release);
        let mut pool = Pool::new(map::DRAM..end);
        pool.add(map::LOADER_WINDOWS[0].1..map::NORMAL_WORLD.min(end));
        pool.add(OWN_END..end);
        *self.pool.take() = Some(pool);
    }

    /// Counts on the first `cpus` CPUs alone: the others did not answer.
    pub fn keep(&self, cpus: usize) {
        self.cpus.store(cpus, Ordering::Release);
    }

    /// Takes zeroed memory for a file.
    pub fn take_bytes(&self, bytes: u64) -> Option<Range<u64>> {
        let range = self.pool.take().as_mut()?.take_bytes(bytes)?;
        clear(range.start, (range.end - range.start) as usize);
        Some(range)
    }
}

impl Normal for Machine {
    fn smc(&self, function: u32, arguments: [u64; 5]) -> [u64; 5] {
        firmware::call(function, arguments)
    }

    fn read(&self, address: u64, bytes: &mut [u8]) {
        // SAFETY: `address` is in a page of the pool, which no reference points to; the guest may write it meanwhile,
        // and then the copy is torn, which the VMM expects.
        unsafe { page::copy(bytes.as_mut_ptr() as usize, address as usize, bytes.len()) }
    }

    fn write(&self, address: u64, bytes: &[u8]) {
        // SAFETY: as for `read`.
        unsafe { page::copy(address as usize, bytes.as_ptr() as usize, bytes.len()) }
    }

    fn load(&self, address: u64) -> u64 {
        // SAFETY: as for `read`; the VMM asks for aligned doublewords.
        unsafe { (address as *const u64).read_volatile() }
    }

    fn store(&self, address: u64, value: u64) {
        // SAFETY: as for `load`.
        unsafe { (address as *mut u64).write_volatile(value) }
    }

    fn alloc(&self, pages: usize) -> Option<u64> {
        let address = self.pool.take().as_mut()?.take(pages)?;
        clear(address, pages * GRANULE);
        Some(address)
    }

    fn free(&self, address: u64, pages: usize) {
        if let Some(pool) = self.pool.take().as_mut() {
            pool.give(address, pages);
        }
    }

    fn dram(&self) -> Range<u64> {
        map::DRAM..self.end.load(Ordering::Acquire)
    }

    fn cpus(&self) -> usize {
        self.cpus.load(Ordering::Acquire)
    }

    fn kick(&self, cpu: usize) {
        interrupts::kick(cpu);
    }

    fn acknowledge(&self) -> Woken {
        Woken { input: interrupts::take() }
    }

    fn wait(&self) {
        barrier::wait_for_interrupt();
    }

    fn output(&self, channel: u8, bytes: &[u8]) {
        serial::send(channel, bytes);
    }

    fn input(&self) -> Option<(u8, Vec<u8>)> {
        serial::next()
    }

    fn probe(&self, access: Access, address: u64) -> Option<u64> {
        probe::probe(access, address)
    }

    fn device_write(&self, address: u64) -> bool {
        fwcfg::write_signature(address)
    }

    fn reset_with_note(&self, granules: &[Range<u64>]) {
        note::leave(granules);
        firmware::power(abi::psci::SYSTEM_RESET)
    }
}

fn clear(address: u64, bytes: usize) {
    // SAFETY: the range has just been taken from the pool: nobody refers to it.
    unsafe { page::clear(address as usize, bytes) }
}
