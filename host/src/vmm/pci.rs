//! PCI bus 0 of the Realm: its configuration space (ECAM) and the memory of its functions, all virtio consoles.

use alloc::vec::Vec;

use super::console::Console;
use super::queue::Dma;

mod config;
mod transport;

use transport::Transport;

/// Bits of an ECAM offset below the slot's number.
const SLOT_SHIFT: u32 = 15;
/// What a load returns where no device answers.
const NOTHING: u64 = u64::MAX;

/// What a device reaches as it serves its queues.
pub struct Outside<'a> {
    /// The Realm's shared memory.
    pub dma: &'a mut dyn Dma,
    /// Where bytes go with their channel.
    pub out: &'a mut dyn FnMut(u8, &[u8]),
}

/// The bus with its devices: slot 0 is hvc0, slot 1 is hvc1.
#[derive(Debug)]
pub struct Bus {
    slots: Vec<Transport>,
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus {
    /// The two consoles after reset.
    #[must_use]
    pub fn new() -> Self {
        let consoles = [Console::new(b'C'), Console::new(b'A')];
        Self { slots: consoles.into_iter().map(Transport::new).collect() }
    }

    /// Reads `size` bytes (1, 2 or 4) at `offset` in configuration space.
    #[must_use]
    pub fn read_config(&self, offset: u64, size: u64) -> u64 {
        match self.function(offset) {
            Some((slot, register)) => self.slots.get(slot).map_or(NOTHING, |t| t.read_config(register, size)),
            None => NOTHING,
        }
    }

    /// Writes `size` bytes at `offset` in configuration space.
    pub fn write_config(&mut self, offset: u64, size: u64, value: u64) {
        let Some((slot, register)) = self.function(offset) else { return };
        if let Some(transport) = self.slots.get_mut(slot) {
            transport.write_config(register, size, value);
        }
    }

    /// Reads `size` bytes of a function's memory; all ones where none is.
    pub fn read_memory(&mut self, address: u64, size: u64) -> u64 {
        let found = self.slots.iter_mut().find_map(|t| t.claims(address).map(|offset| (t, offset)));
        found.map_or(NOTHING, |(transport, offset)| transport.read(offset, size))
    }

    /// Writes `size` bytes of a function's memory; a notification is served before this returns.
    pub fn write_memory(&mut self, address: u64, size: u64, value: u64, outside: &mut Outside<'_>) {
        let found = self.slots.iter_mut().find_map(|t| t.claims(address).map(|offset| (t, offset)));
        if let Some((transport, offset)) = found {
            transport.write(offset, size, value, outside);
        }
    }

    /// Hands bytes of a channel to the console that speaks on it.
    pub fn feed(&mut self, channel: u8, bytes: &[u8], outside: &mut Outside<'_>) {
        for transport in self.slots.iter_mut().filter(|t| t.channel() == channel) {
            transport.feed(bytes, outside);
        }
    }

    /// INTA of each slot, in order.
    pub fn lines(&self) -> impl Iterator<Item = bool> + '_ {
        self.slots.iter().map(Transport::interrupt)
    }

    /// Slot and register of an offset in configuration space; functions other than 0 do not exist.
    fn function(&self, offset: u64) -> Option<(usize, usize)> {
        let slot = usize::try_from(offset >> SLOT_SHIFT).ok()?;
        let register = usize::try_from(offset & ((1 << SLOT_SHIFT) - 1)).ok()?;
        (register < 4096 && slot < self.slots.len()).then_some((slot, register))
    }
}

#[cfg(test)]
mod tests;
