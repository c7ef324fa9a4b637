//! QEMU's fw_cfg by DMA (QEMU docs/specs/fw_cfg): the VM's files, and the number of CPUs.

use core::cell::UnsafeCell;

use abi::map::FW_CFG;
use alloc::vec;
use alloc::vec::Vec;
use cpu::barrier;
use cpu::mmio::write32;

const SIGNATURE: u16 = 0x00;
const CPUS: u16 = 0x05;
const DIRECTORY: u16 = 0x19;
const DMA: usize = 0x10;
const ERROR: u32 = 1;
const READ: u32 = 1 << 1;
const SELECT: u32 = 1 << 3;
const ENTRY: usize = 64;
const NAME: usize = 8;
/// More files than QEMU ever offers.
const FILES_MAX: u32 = 4096;

/// A file by its name.
#[derive(Clone, Copy, Debug)]
pub struct File {
    key: u16,
    /// Bytes.
    pub size: u64,
}

/// FWCfgDmaAccess: all big endian.
#[repr(C, align(16))]
struct Command {
    control: [u8; 4],
    length: [u8; 4],
    address: [u8; 8],
}

/// The control word that QEMU writes back, read by volatile loads.
struct Answer(UnsafeCell<Command>);

/// Lets the device write `length` bytes of item `key`, from its first on, to `address`; whether it says that it did.
fn read(key: u16, address: u64, length: u32) -> bool {
    let control = u32::from(key) << 16 | SELECT | READ;
    let command =
        Command { control: control.to_be_bytes(), length: length.to_be_bytes(), address: address.to_be_bytes() };
    let answer = Answer(UnsafeCell::new(command));
    let at = answer.0.get() as u64;
    barrier::dsb();
    // SAFETY: fw_cfg is there; the command names memory that the caller lets the device write. The second write starts
    // it, and it is done when that write is.
    unsafe {
        write32(FW_CFG as usize + DMA, ((at >> 32) as u32).to_be());
        write32(FW_CFG as usize + DMA + 4, (at as u32).to_be());
    }
    barrier::dsb();
    loop {
        // SAFETY: `answer` lives on this stack; the device has changed it behind the compiler's back.
        let control = u32::from_be_bytes(unsafe { answer.0.get().cast::<[u8; 4]>().read_volatile() });
        if control & !ERROR == 0 {
            return control == 0;
        }
    }
}

fn bytes<const N: usize>(key: u16) -> [u8; N] {
    let cell = UnsafeCell::new([0; N]);
    read(key, cell.get() as u64, N as u32);
    // SAFETY: the array is this function's; the device is done with it.
    unsafe { cell.get().read_volatile() }
}

/// Number of CPUs.
pub fn cpus() -> usize {
    usize::from(u16::from_le_bytes(bytes(CPUS)))
}

/// Finds a file by its name.
pub fn find(name: &str) -> Option<File> {
    let count = u32::from_be_bytes(bytes(DIRECTORY)).min(FILES_MAX);
    let directory = item(DIRECTORY, 4 + count as usize * ENTRY);
    let entry = directory.get(4..)?.chunks_exact(ENTRY).find(|entry| {
        let padded = entry.get(NAME..).unwrap_or_default();
        padded.iter().position(|byte| *byte == 0).and_then(|end| padded.get(..end)) == Some(name.as_bytes())
    })?;
    let (size, rest) = entry.split_first_chunk()?;
    let key = rest.first_chunk()?;
    Some(File { key: u16::from_be_bytes(*key), size: u64::from(u32::from_be_bytes(*size)) })
}

/// A small file's bytes.
pub fn contents(file: File) -> Vec<u8> {
    item(file.key, file.size as usize)
}

/// Copies a file to physical memory that is nobody's reference.
pub fn load(file: File, address: u64) -> bool {
    read(file.key, address, file.size as u32)
}

/// Lets the device write its signature, four bytes, to any address: whether it says that it did.
pub fn write_signature(address: u64) -> bool {
    read(SIGNATURE, address, 4)
}

fn item(key: u16, length: usize) -> Vec<u8> {
    let mut buffer = vec![0; length];
    read(key, buffer.as_mut_ptr() as u64, length as u32);
    buffer
}
