//! Signatures that wait until the RMM fetches them, one place for each CPU.
//!
//! A place is one state word and plain atomic words: whoever moves the state owns the words, so no lock is held.

use crate::Hardware;
use abi::el3::{SignRequest, SignResponse, Status};
use abi::map::MAX_CPUS;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use zerocopy::IntoBytes;

const FREE: u8 = 0;
const OWNED: u8 = 1;
const READY: u8 = 2;
const WORDS: usize = size_of::<SignResponse>() / 8;

pub struct Queue([Slot; MAX_CPUS]);

/// A place for one response. Its owner must end with [`Slot::answer`] or [`Slot::free`].
pub struct Slot {
    state: AtomicU8,
    words: [AtomicU64; WORDS],
}

impl Queue {
    pub const fn new() -> Queue {
        Queue([const { Slot { state: AtomicU8::new(FREE), words: [const { AtomicU64::new(0) }; WORDS] } }; MAX_CPUS])
    }

    /// Takes a free place, if there is one.
    pub fn claim(&self) -> Option<&Slot> {
        self.0.iter().find(|slot| slot.move_state(FREE, OWNED))
    }

    /// Writes a response that waits, whosever it is, to the shared page.
    pub fn pull(&self, hw: &impl Hardware, offset: usize) -> Result<(), Status> {
        let slot = self.0.iter().find(|slot| slot.move_state(READY, OWNED)).ok_or(Status::Again)?;
        let words = slot.words.each_ref().map(|word| word.load(Ordering::Relaxed));
        hw.write_shared(offset, words.as_bytes());
        slot.free();
        Ok(())
    }
}

impl Slot {
    /// Makes the signature of a request ready to be fetched under the request's names.
    pub fn answer(&self, request: &SignRequest, signature: &[u8; 96]) {
        let response = SignResponse {
            rec_granule: request.rec_granule,
            ticket: request.ticket,
            sig_len: signature.len() as u16,
            sig: *signature,
            padding: [0; 6],
        };
        let words: [u64; WORDS] = zerocopy::transmute!(response);
        self.words.iter().zip(words).for_each(|(to, from)| to.store(from, Ordering::Relaxed));
        self.state.store(READY, Ordering::Release);
    }

    /// Gives the place back unused.
    pub fn free(&self) {
        self.state.store(FREE, Ordering::Release);
    }

    fn move_state(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
