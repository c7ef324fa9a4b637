//! Virtio over PCI, modern (virtio 1.2, 4.1): registers of one console, its queues, and its interrupt.

use core::ops::Range;

use super::Outside;
use super::config::Config;
use crate::vmm::console::{Console, QUEUES, RECEIVE, TRANSMIT};
use crate::vmm::queue::{Broken, Queue};

/// Bytes of the one BAR.
pub const BAR_SIZE: u64 = 0x4000;
/// Common configuration.
pub const COMMON: Range<u64> = 0x0000..0x0040;
/// Interrupt status.
pub const ISR: Range<u64> = 0x1000..0x1004;
/// Device configuration: columns, rows, ports, emergency write; all zero.
pub const DEVICE: Range<u64> = 0x2000..0x200C;
/// Notifications.
pub const NOTIFY: Range<u64> = 0x3000..0x3008;
/// Distance between the notification registers of two queues.
pub const NOTIFY_STEP: u32 = 4;

const CONSOLE: u16 = 3;
/// Simple communication controller, other.
const CLASS: [u8; 2] = [0x07, 0x80];
/// VIRTIO_F_VERSION_1 and VIRTIO_F_ACCESS_PLATFORM: without the second a guest would point at private memory.
const FEATURES: u64 = 1 << 32 | 1 << 33;
const NO_VECTOR: u64 = 0xFFFF;
const STATUS_DRIVER_OK: u8 = 4;
const STATUS_FEATURES_OK: u8 = 8;
const STATUS_NEEDS_RESET: u8 = 64;
const ISR_QUEUE: u8 = 1;
const ISR_CONFIG: u8 = 2;

/// A console behind PCI.
#[derive(Debug)]
pub struct Transport {
    config: Config,
    console: Console,
    state: State,
}

/// What a reset of the device clears.
#[derive(Debug, Default)]
struct State {
    queues: [Queue; QUEUES],
    device_select: u32,
    driver_select: u32,
    driver_features: u64,
    queue_select: u16,
    status: u8,
    isr: u8,
}

impl Transport {
    pub fn new(console: Console) -> Self {
        Self { config: Config::new(CONSOLE, CLASS), console, state: State::default() }
    }

    pub fn channel(&self) -> u8 {
        self.console.channel()
    }

    pub fn read_config(&self, register: usize, size: u64) -> u64 {
        self.config.read(register, size, self.state.isr != 0)
    }

    pub fn write_config(&mut self, register: usize, size: u64, value: u64) {
        self.config.write(register, size, value);
    }

    /// INTA.
    pub fn interrupt(&self) -> bool {
        self.state.isr != 0 && self.config.intx()
    }

    /// The offset in the BAR, if an address lies in it.
    pub fn claims(&self, address: u64) -> Option<u64> {
        address.checked_sub(self.config.bar()?).filter(|offset| *offset < BAR_SIZE)
    }

    pub fn read(&mut self, offset: u64, size: u64) -> u64 {
        let value = match offset {
            offset if COMMON.contains(&offset) => self.state.common(offset & !3) >> (8 * (offset & 3)),
            offset if ISR.contains(&offset) => u64::from(core::mem::take(&mut self.state.isr)),
            _ => 0,
        };
        if size < 8 { value & ((1 << (8 * size)) - 1) } else { value }
    }

    pub fn write(&mut self, offset: u64, size: u64, value: u64, outside: &mut Outside<'_>) {
        match offset {
            offset if COMMON.contains(&offset) && size == 8 => {
                self.state.set_common(offset, value & 0xFFFF_FFFF);
                self.state.set_common(offset + 4, value >> 32);
            }
            offset if COMMON.contains(&offset) => self.state.set_common(offset, value),
            offset if NOTIFY.contains(&offset) => {
                self.serve(((offset - NOTIFY.start) / u64::from(NOTIFY_STEP)) as usize, outside);
            }
            _ => {}
        }
    }

    /// Keeps bytes for the guest and hands over what it has room for.
    pub fn feed(&mut self, bytes: &[u8], outside: &mut Outside<'_>) {
        self.console.feed(bytes);
        self.serve(RECEIVE, outside);
    }

    fn serve(&mut self, number: usize, outside: &mut Outside<'_>) {
        let running = self.state.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET) == STATUS_DRIVER_OK;
        let Some(queue) = self.state.queues.get_mut(number).filter(|queue| queue.enabled && running) else { return };
        let outcome = match number {
            RECEIVE => self.console.receive(queue, outside.dma),
            TRANSMIT => self.console.transmit(queue, outside.dma, outside.out),
            _ => return,
        };
        self.state.settle(outcome);
    }
}

impl State {
    /// The doubleword-aligned word at an offset of the common configuration (virtio 1.2, 4.1.4.3).
    fn common(&self, offset: u64) -> u64 {
        let queue = self.queues.get(usize::from(self.queue_select));
        let half = |select, features: u64| match select {
            0 => features & 0xFFFF_FFFF,
            1 => features >> 32,
            _ => 0,
        };
        let area = |of: fn(&Queue) -> u64| queue.map_or(0, of);
        match offset {
            0x00 => u64::from(self.device_select),
            0x04 => half(self.device_select, FEATURES),
            0x08 => u64::from(self.driver_select),
            0x0C => half(self.driver_select, self.driver_features),
            0x10 => NO_VECTOR | (QUEUES as u64) << 16,
            0x14 => u64::from(self.status) | u64::from(self.queue_select) << 16,
            0x18 => queue.map_or(0, |queue| u64::from(queue.size)) | NO_VECTOR << 16,
            0x1C => queue.map_or(0, |queue| u64::from(queue.enabled)) | u64::from(self.queue_select) << 16,
            0x20 => area(|queue| queue.descriptors) & 0xFFFF_FFFF,
            0x24 => area(|queue| queue.descriptors) >> 32,
            0x28 => area(|queue| queue.driver) & 0xFFFF_FFFF,
            0x2C => area(|queue| queue.driver) >> 32,
            0x30 => area(|queue| queue.device) & 0xFFFF_FFFF,
            0x34 => area(|queue| queue.device) >> 32,
            _ => 0,
        }
    }

    fn set_common(&mut self, offset: u64, value: u64) {
        let word = value as u32;
        match offset {
            0x00 => self.device_select = word,
            0x08 => self.driver_select = word,
            0x0C if self.status & STATUS_FEATURES_OK == 0 => self.set_features(word),
            0x14 => self.set_status(word as u8),
            0x16 => self.queue_select = word as u16,
            _ => self.set_queue(offset, word),
        }
    }

    fn set_features(&mut self, word: u32) {
        let (keep, set) = match self.driver_select {
            0 => (!0xFFFF_FFFF, u64::from(word)),
            1 => (0xFFFF_FFFF, u64::from(word) << 32),
            _ => return,
        };
        self.driver_features = self.driver_features & keep | set;
    }

    /// Writing 0 resets. FEATURES_OK stays clear unless the driver took exactly what is offered.
    fn set_status(&mut self, status: u8) {
        if status == 0 {
            *self = State::default();
            return;
        }
        let refused = self.driver_features != FEATURES;
        let clear = if refused { STATUS_FEATURES_OK } else { 0 };
        self.status = (status & !clear) | self.status & STATUS_NEEDS_RESET;
    }

    /// Registers of the selected queue; an enabled one cannot be changed.
    fn set_queue(&mut self, offset: u64, word: u32) {
        let select = usize::from(self.queue_select);
        let Some(queue) = self.queues.get_mut(select).filter(|queue| !queue.enabled) else { return };
        match offset {
            0x18 if Queue::accepts(word as u16) => queue.size = word as u16,
            0x1C => queue.enabled = word & 0xFFFF == 1,
            0x20 => low(&mut queue.descriptors, word),
            0x24 => high(&mut queue.descriptors, word),
            0x28 => low(&mut queue.driver, word),
            0x2C => high(&mut queue.driver, word),
            0x30 => low(&mut queue.device, word),
            0x34 => high(&mut queue.device, word),
            _ => {}
        }
    }

    fn settle(&mut self, outcome: Result<bool, Broken>) {
        match outcome {
            Ok(interrupt) => self.isr |= if interrupt { ISR_QUEUE } else { 0 },
            Err(_) => {
                self.status |= STATUS_NEEDS_RESET;
                self.isr |= ISR_CONFIG;
            }
        }
    }
}

fn low(area: &mut u64, word: u32) {
    *area = *area & !0xFFFF_FFFF | u64::from(word);
}

fn high(area: &mut u64, word: u32) {
    *area = *area & 0xFFFF_FFFF | u64::from(word) << 32;
}
