//! A split virtqueue, read from memory that a hostile guest writes meanwhile (virtio 1.2, 2.7).
//!
//! Every number is read once, into a copy, and bounded: a chain is at most as long as the queue, and a queue that
//! breaks the rules is broken until the device is reset.

use alloc::vec::Vec;
use core::sync::atomic::{Ordering, fence};

/// Most entries that a queue of ours has.
pub const SIZE_MAX: u16 = 64;

const DESCRIPTOR: u64 = 16;
const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;
const NO_INTERRUPT: u16 = 1;

/// An address that a device may not touch: private memory, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Private {
    /// The address of the Realm.
    pub address: u64,
}

/// A device's way to the Realm's shared memory.
pub trait Dma {
    /// Copies bytes out of shared memory.
    ///
    /// # Errors
    /// [`Private`] with the first page that is not shared.
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Private>;
    /// Copies bytes into shared memory.
    ///
    /// # Errors
    /// [`Private`] with the first page that is not shared.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Private>;
}

/// Why a queue cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It lies in, or points to, memory that is not shared.
    Private(Private),
    /// The driver made more available than the queue holds.
    Index {
        /// How many entries.
        found: u16,
    },
    /// A descriptor's number is not below the queue's size.
    Descriptor {
        /// The number.
        found: u16,
    },
    /// A chain longer than the queue, that is, a loop.
    Loop,
    /// A descriptor of a table of descriptors, which was not negotiated.
    Indirect,
}

impl From<Private> for Broken {
    fn from(private: Private) -> Self {
        Broken::Private(private)
    }
}

/// One buffer of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Address in the Realm.
    pub address: u64,
    /// Bytes.
    pub len: u32,
    /// The device writes it; else it reads it.
    pub write: bool,
}

/// A chain of buffers that the driver made available.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Number of its first descriptor.
    pub head: u16,
    /// Its buffers, at most as many as the queue has entries.
    pub buffers: Vec<Buffer>,
}

/// A queue as the driver has set it up.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    /// Entries: a power of two up to [`SIZE_MAX`].
    pub size: u16,
    /// The driver has enabled it.
    pub enabled: bool,
    /// Descriptor table.
    pub descriptors: u64,
    /// Available ring (driver area).
    pub driver: u64,
    /// Used ring (device area).
    pub device: u64,
    taken: u16,
    used: u16,
}

impl Default for Queue {
    fn default() -> Self {
        Self { size: SIZE_MAX, enabled: false, descriptors: 0, driver: 0, device: 0, taken: 0, used: 0 }
    }
}

impl Queue {
    /// Says whether a size is one that this queue may have.
    #[must_use]
    pub fn accepts(size: u16) -> bool {
        size.is_power_of_two() && size <= SIZE_MAX
    }

    /// Takes the next chain that the driver has made available.
    ///
    /// # Errors
    /// [`Broken`]: the driver breaks the rules.
    pub fn take(&mut self, dma: &mut dyn Dma) -> Result<Option<Chain>, Broken> {
        let available = half(dma, self.driver.wrapping_add(2))?;
        let waiting = available.wrapping_sub(self.taken);
        if waiting == 0 {
            return Ok(None);
        }
        if waiting > self.size {
            return Err(Broken::Index { found: waiting });
        }
        // The index is read before the entry that it promises.
        fence(Ordering::SeqCst);
        let slot = u64::from(self.taken % self.size);
        let head = half(dma, self.driver.wrapping_add(4 + 2 * slot))?;
        let chain = self.chain(dma, head)?;
        self.taken = self.taken.wrapping_add(1);
        Ok(Some(chain))
    }

    /// Gives a chain back with the number of bytes that were written to it; whether the driver wants an interrupt.
    ///
    /// # Errors
    /// [`Broken`]: the rings are not in shared memory.
    pub fn give(&mut self, dma: &mut dyn Dma, head: u16, written: u32) -> Result<bool, Broken> {
        let slot = u64::from(self.used % self.size);
        let mut element = [0; 8];
        element[..4].copy_from_slice(&u32::from(head).to_le_bytes());
        element[4..].copy_from_slice(&written.to_le_bytes());
        dma.write(self.device.wrapping_add(4 + 8 * slot), &element)?;
        self.used = self.used.wrapping_add(1);
        // The entry is there before the index that promises it, and the index before the look at the driver's wish.
        fence(Ordering::SeqCst);
        dma.write(self.device.wrapping_add(2), &self.used.to_le_bytes())?;
        fence(Ordering::SeqCst);
        Ok(half(dma, self.driver)? & NO_INTERRUPT == 0)
    }

    fn chain(&self, dma: &mut dyn Dma, head: u16) -> Result<Chain, Broken> {
        let mut chain = Chain { head, buffers: Vec::new() };
        let mut number = head;
        for _ in 0..self.size {
            if number >= self.size {
                return Err(Broken::Descriptor { found: number });
            }
            let mut bytes = [0; DESCRIPTOR as usize];
            dma.read(self.descriptors.wrapping_add(DESCRIPTOR * u64::from(number)), &mut bytes)?;
            let [a0, a1, a2, a3, a4, a5, a6, a7, l0, l1, l2, l3, f0, f1, n0, n1] = bytes;
            let flags = u16::from_le_bytes([f0, f1]);
            if flags & INDIRECT != 0 {
                return Err(Broken::Indirect);
            }
            chain.buffers.push(Buffer {
                address: u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
                len: u32::from_le_bytes([l0, l1, l2, l3]),
                write: flags & WRITE != 0,
            });
            if flags & NEXT == 0 {
                return Ok(chain);
            }
            number = u16::from_le_bytes([n0, n1]);
        }
        Err(Broken::Loop)
    }
}

fn half(dma: &mut dyn Dma, address: u64) -> Result<u16, Private> {
    let mut bytes = [0; 2];
    dma.read(address, &mut bytes)?;
    Ok(u16::from_le_bytes(bytes))
}

#[cfg(test)]
pub(super) mod tests;
