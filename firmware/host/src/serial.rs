//! Frames on UART0, both ways (docs/architecture.md §5), and raw text beside them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use abi::map::UART0;
use cpu::lock::Lock;
use cpu::mmio::write32;
use cpu::uart::Uart;

const MARK: u8 = 0x1F;
/// Most bytes of one frame that is sent; the length has 16 bits.
const FRAME_MAX: usize = 0x4000;
/// Most frames that wait to be handled.
const WAITING_MAX: usize = 1024;

const LINE_CONTROL: usize = 0x2C;
const FIFO_ENABLE: u32 = 1 << 4;
const EIGHT_BITS: u32 = 3 << 5;
const INTERRUPT_MASK: usize = 0x38;
/// Receive, and receive timeout.
const RECEIVE: u32 = 1 << 4 | 1 << 6;

// SAFETY: UART0 is there in every world, and only this image uses it in the Normal world.
static PORT: Lock<Uart> = Lock::new(unsafe { Uart::new(UART0 as usize) });
static INPUT: Lock<Input> = Lock::new(Input::new());
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Where in a frame the reader stands.
enum Reader {
    Outside,
    Channel,
    LengthLow(u8),
    LengthHigh(u8, u8),
    Payload(u8, usize),
}

struct Input {
    reader: Reader,
    payload: Vec<u8>,
    frames: VecDeque<(u8, Vec<u8>)>,
}

/// Switches the port on with its FIFOs and its receive interrupt.
pub fn open() {
    let port = PORT.take();
    port.enable();
    // SAFETY: UART0 is a PL011 that only this image uses in the Normal world; the lock is held.
    unsafe {
        write32(UART0 as usize + LINE_CONTROL, EIGHT_BITS | FIFO_ENABLE);
        write32(UART0 as usize + INTERRUPT_MASK, RECEIVE);
    }
}

/// Sends bytes on a channel, in as many frames as it takes.
pub fn send(channel: u8, bytes: &[u8]) {
    let port = PORT.take();
    for part in bytes.chunks(FRAME_MAX) {
        let [low, high, ..] = part.len().to_le_bytes();
        port.send_all(&[MARK, channel, low, high]);
        port.send_all(part);
    }
}

/// Takes what the port has received.
pub fn drain() {
    let mut input = INPUT.take();
    while let Some(byte) = { PORT.take().receive() } {
        input.push(byte);
    }
    WAITING.store(input.frames.len(), Ordering::Release);
}

/// Says whether a whole frame waits.
pub fn has_input() -> bool {
    WAITING.load(Ordering::Acquire) != 0
}

/// The next whole frame: its channel and its payload.
pub fn next() -> Option<(u8, Vec<u8>)> {
    let mut input = INPUT.take();
    let frame = input.frames.pop_front();
    WAITING.store(input.frames.len(), Ordering::Release);
    frame
}

impl Input {
    const fn new() -> Self {
        Self { reader: Reader::Outside, payload: Vec::new(), frames: VecDeque::new() }
    }

    fn push(&mut self, byte: u8) {
        self.reader = match self.reader {
            Reader::Outside if byte == MARK => Reader::Channel,
            Reader::Outside => Reader::Outside,
            Reader::Channel => Reader::LengthLow(byte),
            Reader::LengthLow(channel) => Reader::LengthHigh(channel, byte),
            Reader::LengthHigh(channel, low) => self.begin(channel, usize::from(u16::from_le_bytes([low, byte]))),
            Reader::Payload(channel, left) => {
                self.payload.push(byte);
                self.go_on(channel, left - 1)
            }
        };
    }

    fn begin(&mut self, channel: u8, length: usize) -> Reader {
        self.payload = Vec::with_capacity(length);
        self.go_on(channel, length)
    }

    fn go_on(&mut self, channel: u8, left: usize) -> Reader {
        if left != 0 {
            return Reader::Payload(channel, left);
        }
        if self.frames.len() < WAITING_MAX {
            self.frames.push_back((channel, core::mem::take(&mut self.payload)));
        }
        Reader::Outside
    }
}

/// Text outside frames.
pub struct Raw;

impl fmt::Write for Raw {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // A panic may come while this CPU holds the lock: go on without it then.
        match PORT.try_take() {
            Some(mut port) => port.write_str(text),
            // SAFETY: as PORT; a torn frame is better than a silent end.
            None => unsafe { Uart::new(UART0 as usize) }.write_str(text),
        }
    }
}
