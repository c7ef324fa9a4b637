//! Configuration space of one virtio function: header, one memory BAR, virtio's capabilities (PCI 3.0, 6.1; virtio 1.2,
//! 4.1.4).

use super::transport::{BAR_SIZE, COMMON, DEVICE, ISR, NOTIFY, NOTIFY_STEP};

const SPACE: usize = 256;
const COMMAND: usize = 0x04;
const STATUS: usize = 0x06;
const BAR0: usize = 0x10;
const CAPABILITIES: usize = 0x40;
const MEMORY_ENABLE: u8 = 1 << 1;
/// INTx disable, in the upper byte of the command register.
const INTX_DISABLE: u8 = 1 << 2;
const INTERRUPT_STATUS: u8 = 1 << 3;
const CAPABILITY_LIST: u8 = 1 << 4;
const VENDOR_SPECIFIC: u8 = 9;
/// VIRTIO_PCI_CAP_NOTIFY_CFG, the last one and four bytes longer.
const NOTIFY_KIND: u8 = 2;

/// Registers and which of their bits can be written.
#[derive(Debug)]
pub struct Config {
    bytes: [u8; SPACE],
    writable: [u8; SPACE],
}

impl Config {
    /// A modern virtio function with an identifier of its kind, and a class (class, subclass).
    pub fn new(kind: u16, class: [u8; 2]) -> Self {
        let mut config = Self { bytes: [0; SPACE], writable: [0; SPACE] };
        config.put(0x00, &0x1AF4u16.to_le_bytes());
        config.put(0x02, &(0x1040 + kind).to_le_bytes());
        config.put(STATUS, &[CAPABILITY_LIST]);
        config.put(0x08, &[1, 0, class[1], class[0]]);
        config.put(0x2C, &0x1AF4u16.to_le_bytes());
        config.put(0x2E, &(0x1100 + kind).to_le_bytes());
        config.put(0x34, &[CAPABILITIES as u8]);
        config.put(0x3D, &[1]);
        config.allow(COMMAND, &[0b0000_0111, INTX_DISABLE]);
        config.allow(0x0C, &[0xFF]);
        config.allow(BAR0, &(!(BAR_SIZE as u32 - 1)).to_le_bytes());
        config.allow(0x3C, &[0xFF]);
        config.capabilities();
        config
    }

    fn capabilities(&mut self) {
        let windows = [(1, COMMON), (3, ISR), (4, DEVICE), (NOTIFY_KIND, NOTIFY)];
        let mut at = CAPABILITIES;
        for (kind, window) in windows {
            let last = kind == NOTIFY_KIND;
            let len: u8 = if last { 20 } else { 16 };
            let next = if last { 0 } else { at as u8 + len };
            self.put(at, &[VENDOR_SPECIFIC, next, len, kind, 0, 0, 0, 0]);
            self.put(at + 8, &(window.start as u32).to_le_bytes());
            self.put(at + 12, &((window.end - window.start) as u32).to_le_bytes());
            at += usize::from(len);
        }
        self.put(at - 4, &NOTIFY_STEP.to_le_bytes());
    }

    /// Reads up to 8 bytes; beyond 256 bytes there are no capabilities, which is zero.
    pub fn read(&self, register: usize, size: u64, interrupt: bool) -> u64 {
        let byte = |at: usize| {
            let status = if at == STATUS && interrupt { INTERRUPT_STATUS } else { 0 };
            u64::from(self.bytes.get(at).copied().unwrap_or(0) | status)
        };
        (0..size.min(8) as usize).map(|n| byte(register + n) << (8 * n)).fold(0, |value, part| value | part)
    }

    /// Writes up to 8 bytes, as far as their bits can be written.
    pub fn write(&mut self, register: usize, size: u64, value: u64) {
        for (n, byte) in value.to_le_bytes().into_iter().enumerate().take(size as usize) {
            let at = register + n;
            if let (Some(old), Some(mask)) = (self.bytes.get_mut(at), self.writable.get(at)) {
                *old = *old & !mask | byte & mask;
            }
        }
    }

    /// Where the BAR stands; `None` while memory accesses are off.
    pub fn bar(&self) -> Option<u64> {
        let on = self.bytes[COMMAND] & MEMORY_ENABLE != 0;
        let [a, b, c, d] = [0, 1, 2, 3].map(|n| self.bytes[BAR0 + n]);
        on.then(|| u64::from(u32::from_le_bytes([a, b, c, d])))
    }

    /// Says whether INTx is allowed.
    pub fn intx(&self) -> bool {
        self.bytes[COMMAND + 1] & INTX_DISABLE == 0
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        for (to, from) in self.bytes.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
    }

    fn allow(&mut self, at: usize, mask: &[u8]) {
        for (to, from) in self.writable.iter_mut().skip(at).zip(mask) {
            *to = *from;
        }
    }
}
