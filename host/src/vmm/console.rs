//! A virtio console with one port (virtio 1.2, 5.3): queue 0 to the guest, queue 1 from it.

use alloc::collections::VecDeque;

use super::queue::{Broken, Dma, Queue};

/// Queue that carries bytes to the guest.
pub const RECEIVE: usize = 0;
/// Queue that carries bytes from the guest.
pub const TRANSMIT: usize = 1;
/// Number of queues.
pub const QUEUES: usize = 2;

/// Most bytes that wait for the guest; more are dropped, for the outside can send without end.
const WAITING_MAX: usize = 1 << 16;
/// Bytes that are copied at once; also the most bytes of one frame to the outside.
const CHUNK: usize = 1024;
/// Most bytes of a chain that are looked at: a hostile length does not make the host copy for ever.
const CHAIN_MAX: usize = 1 << 16;

/// A console and the channel that it speaks on.
#[derive(Debug)]
pub struct Console {
    channel: u8,
    waiting: VecDeque<u8>,
}

impl Console {
    /// A console on a channel (docs/architecture.md §5).
    #[must_use]
    pub fn new(channel: u8) -> Self {
        Self { channel, waiting: VecDeque::new() }
    }

    /// The channel that it speaks on.
    #[must_use]
    pub fn channel(&self) -> u8 {
        self.channel
    }

    /// Keeps bytes for the guest.
    pub fn feed(&mut self, bytes: &[u8]) {
        let room = WAITING_MAX.saturating_sub(self.waiting.len());
        self.waiting.extend(bytes.iter().take(room));
    }

    /// Sends what the guest has made available; whether it wants an interrupt.
    ///
    /// # Errors
    /// [`Broken`]: the driver breaks the rules.
    pub fn transmit(
        &mut self,
        queue: &mut Queue,
        dma: &mut dyn Dma,
        out: &mut dyn FnMut(u8, &[u8]),
    ) -> Result<bool, Broken> {
        let mut interrupt = false;
        // At most the queue's size in one go: a guest that keeps adding cannot keep the host here.
        for _ in 0..queue.size {
            let Some(chain) = queue.take(dma)? else { break };
            let mut left = CHAIN_MAX;
            for buffer in chain.buffers.iter().filter(|buffer| !buffer.write) {
                let len = usize::try_from(buffer.len).unwrap_or(CHAIN_MAX).min(left);
                self.send(dma, buffer.address, len, out)?;
                left -= len;
            }
            interrupt |= queue.give(dma, chain.head, 0)?;
        }
        Ok(interrupt)
    }

    /// Hands waiting bytes to the guest as far as it has buffers; whether it wants an interrupt.
    ///
    /// # Errors
    /// [`Broken`]: the driver breaks the rules.
    pub fn receive(&mut self, queue: &mut Queue, dma: &mut dyn Dma) -> Result<bool, Broken> {
        let mut interrupt = false;
        for _ in 0..queue.size {
            if self.waiting.is_empty() {
                break;
            }
            let Some(chain) = queue.take(dma)? else { break };
            let mut written = 0;
            for buffer in chain.buffers.iter().filter(|buffer| buffer.write) {
                written += self.fill(dma, buffer.address, buffer.len)?;
            }
            interrupt |= queue.give(dma, chain.head, written)?;
        }
        Ok(interrupt)
    }

    fn send(&self, dma: &mut dyn Dma, address: u64, len: usize, out: &mut dyn FnMut(u8, &[u8])) -> Result<(), Broken> {
        let mut bytes = [0; CHUNK];
        for offset in (0..len).step_by(CHUNK) {
            let part = &mut bytes[..CHUNK.min(len - offset)];
            dma.read(address.wrapping_add(offset as u64), part)?;
            out(self.channel, part);
        }
        Ok(())
    }

    fn fill(&mut self, dma: &mut dyn Dma, address: u64, len: u32) -> Result<u32, Broken> {
        let take = self.waiting.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        let (front, back) = self.waiting.as_slices();
        let first = front.get(..take).unwrap_or(front);
        let second = back.get(..take - first.len()).unwrap_or_default();
        dma.write(address, first)?;
        dma.write(address.wrapping_add(first.len() as u64), second)?;
        self.waiting.drain(..take);
        Ok(u32::try_from(take).unwrap_or(0))
    }
}
