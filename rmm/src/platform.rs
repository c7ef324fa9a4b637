//! What the RMM asks of the machine, as verbs.
//!
//! `firmware/rmm` answers on the processor, `machine` in software. All of it may be called on any CPU at any time, from
//! as many CPUs as there are: an implementation guards what it shares. The RMM gives each proof below ([`Held`],
//! [`Table`], [`RealmPage`]) only where the text of the proof holds; the implementation may rely on it for its memory
//! safety.

use crate::address::{GRANULE, Pa};
use crate::granule::{Held, RealmPage, Table};
use crate::measurement::{self, Register};
use crate::rec::context::{RealmContext, RecContext, SimdContext};
use abi::measurement::Hash;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The bytes of one granule, aligned as a granule is.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(4096))]
pub struct Page(pub [u8; GRANULE]);

/// One atomic word per granule, zero at cold boot: state, lock and references of the granule (see [`crate::granule`]).
pub trait Word: Sync {
    /// Reads the word with acquire semantics.
    fn load(&self) -> u64;

    /// Writes `new` if the word is `current`, with acquire and release semantics; otherwise gives what it is. Strong:
    /// it never fails when the word was `current`.
    fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64>;

    /// Passes the time while another CPU holds the word.
    fn pause(&self) {
        core::hint::spin_loop();
    }
}

/// An access to the Normal world's memory faulted (its granule is no longer Non-secure, or not memory).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault;

/// What EL3 answers when it does not do what it was asked (`RMM-EL3`, negative results).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum El3Error {
    /// Try again: a queue is full, or the answer is not there yet.
    Again,
    /// Refused, with the interface's code.
    Refused(i64),
}

/// A piece of the platform token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hunk {
    /// Bytes written.
    pub length: usize,
    /// Bytes of the token that follow this piece.
    pub left: usize,
}

/// Which interface a traced call belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interface {
    /// From the Normal world.
    Rmi,
    /// From a Realm.
    Rsi,
}

/// What has to leave every TLB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Stage-2 translations of `size` bytes from IPA `base` (both granule aligned), and what was combined with them,
    /// for leaves and tables at every level.
    Range {
        /// The first IPA.
        base: u64,
        /// The number of bytes.
        size: u64,
    },
    /// Every translation of the realm's VMID.
    All,
}

/// Why a vCPU stopped running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// A synchronous exception to R-EL2: raw ESR_EL2, FAR_EL2, HPFAR_EL2.
    Sync {
        /// ESR_EL2.
        esr: u64,
        /// FAR_EL2.
        far: u64,
        /// HPFAR_EL2.
        hpfar: u64,
    },
    /// A physical IRQ is pending (it was not acknowledged).
    Irq,
    /// A physical FIQ is pending.
    Fiq,
    /// An SError was taken: raw ESR_EL2.
    SError {
        /// ESR_EL2.
        esr: u64,
    },
}

/// Whether the Realm's stage-1 translation of an address is asked for reading or for writing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// A load or an instruction fetch.
    Read,
    /// A store.
    Write,
}

/// What the processors of this machine have; the same on every CPU.
#[derive(Clone, Debug)]
pub struct Features {
    /// Width of physical addresses in bits.
    pub pa_bits: u8,
    /// Width of a VMID: 8 or 16.
    pub vmid_bits: u8,
    /// Raw values of the ID registers op0=3, op1=0, CRn=0, CRm=`i / 8`, op2=`i % 8`.
    pub ids: [u64; 64],
    /// Raw ICH_VTR_EL2: number of list registers, priority and preemption bits, ID bits.
    pub ich_vtr: u64,
    /// Raw MIDR_EL1, which a Realm sees too.
    pub midr: u64,
    /// The longest SVE vectors that a vCPU can have, in 128-bit words; 0 without SVE.
    pub vector_quadwords: u8,
    /// Event counters of the performance monitors, where there are monitors.
    pub pmu_counters: Option<u8>,
}

/// Where the specification is read in two ways: the default is the text's, or what RMMs in the field do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// ESR.IL is never shown to the host. The text shows it for aborts that the host cannot emulate (RMM 1.0, A4.3.4.3);
    /// Arm's conformance suite of 1.0 wants zero.
    pub hides_il: bool,
    /// A measurement is extended by H(old ‖ value), each padded to 64 bytes (RMM 1.0, B3.42 to the letter), instead of
    /// unpadded as RMMs in the field do.
    pub pads_measurements: bool,
}

/// The machine under the RMM.
pub trait Platform: Sync {
    /// The granule word.
    type Word: Word;

    /// Gives the word of a granule of tracked memory: DRAM that is neither the RMM's own image and data nor anyone
    /// else's firmware. `None` for every other address.
    fn granule(&self, pa: Pa) -> Option<&Self::Word>;

    /// Tells what the processors have.
    fn features(&self) -> &Features;

    /// Tells how the specification is read where it can be read in two ways.
    fn reading(&self) -> Reading {
        Reading::default()
    }

    /// Runs `f` on the content of a granule that this CPU alone holds. The reference ends with `f`; pages of different
    /// granules may be open at once.
    fn page<R>(&self, held: &mut Held, f: impl FnOnce(&mut Page) -> R) -> R;

    /// Zeroes a held granule.
    fn wipe(&self, held: &mut Held);

    /// Copies the Normal world's granule `source` into a held one. After a fault the held granule has any content.
    fn copy_ns(&self, held: &mut Held, source: Pa) -> Result<(), Fault>;

    /// Hashes the 4096 bytes of a held granule; the digest is padded with zeroes to 64 bytes.
    fn hash(&self, held: &mut Held, algorithm: Hash) -> [u8; 64];

    /// Hashes the concatenation of `parts`; the digest is padded with zeroes to 64 bytes.
    fn digest(&self, algorithm: Hash, parts: &[&[u8]]) -> Register {
        measurement::digest(algorithm, parts)
    }

    /// Reads entry `index` (below 512) of a translation table, once, as one 64-bit access.
    fn entry(&self, table: &Table, index: usize) -> u64;

    /// Writes entry `index` (below 512) of a translation table as one 64-bit access, after every earlier write is
    /// visible to the table walkers of all CPUs (DSB ISHST before), and visible to them itself on return.
    fn set_entry(&self, table: &Table, index: usize, value: u64);

    /// Reads bytes of a Realm's data page from `offset`, each once. vCPUs may be writing it meanwhile: the copy is what
    /// was read, no reference is formed. `offset + into.len()` is at most 4096.
    fn read_realm(&self, page: &RealmPage, offset: usize, into: &mut [u8]);

    /// Writes bytes of a Realm's data page; as [`Self::read_realm`].
    fn write_realm(&self, page: &RealmPage, offset: usize, from: &[u8]);

    /// Reads the Normal world's memory, each byte once. The range lies within the granule. A granule protection fault
    /// is an error, `into` then has any content.
    fn read_ns(&self, page: Pa, offset: usize, into: &mut [u8]) -> Result<(), Fault>;

    /// Writes the Normal world's memory, within one granule; after a fault part of it may be written.
    fn write_ns(&self, page: Pa, offset: usize, from: &[u8]) -> Result<(), Fault>;

    /// Has EL3 move a granule from Non-secure to Realm PAS; refused if it is not Non-secure.
    fn delegate(&self, pa: Pa) -> Result<(), El3Error>;

    /// Has EL3 move a granule from Realm to Non-secure PAS. Nobody holds a reference to it, its content is zero and
    /// cleaned to the point of physical aliasing.
    fn undelegate(&self, pa: Pa) -> Result<(), El3Error>;

    /// Removes translations of a realm from the TLBs of all CPUs. On return no CPU uses them any more.
    fn invalidate(&self, realm: &RealmContext, scope: Scope);

    /// Makes this CPU ready to run a vCPU: keeps the Normal world's EL1 registers, timers and (lazily) SIMD registers
    /// aside. Called once before a series of [`Self::run`], on the same CPU, never nested.
    fn load(&self, realm: &RealmContext, rec: &mut RecContext, simd: &mut SimdContext);

    /// Runs the vCPU until the next exit. `rec` holds its whole state before and after; only where the vCPU made a call of
    /// RSI, `rec` then has no more than general registers, program counter, processor state and timers, nothing else of it
    /// may be changed, and [`Self::unload`] brings the rest, as it does `simd`. Traps of FP and SIMD, and of SVE for a Realm that has it, are handled inside and are no exit. R-EL1 state that `rec` does not name is
    /// the same for every vCPU or cannot be reached by one.
    fn run(&self, realm: &RealmContext, rec: &mut RecContext, simd: &mut SimdContext) -> Exit;

    /// Undoes [`Self::load`]: the vCPU's SIMD registers are in `simd`, the Normal world's registers are back, and
    /// nothing of the vCPU is left in the processor.
    fn unload(&self, realm: &RealmContext, rec: &mut RecContext, simd: &mut SimdContext);

    /// Translates a virtual address by the vCPU's stage 1, as its EL1 (`el0` false) or EL0 would; called between `run`
    /// and `unload` for the vCPU that just ran. Gives the IPA, granule aligned, or nothing if stage 1 (or the walk)
    /// faults.
    fn translate(&self, rec: &RecContext, address: u64, access: Access, el0: bool) -> Option<u64>;

    /// Reads the physical counter, which is also the virtual one of a Realm.
    fn count(&self) -> u64;

    /// Tells whether a physical interrupt waits for this CPU.
    fn irq_pending(&self) -> bool;

    /// Gets the next piece of the platform token into `into`: the first call has the challenge, each later call an
    /// empty one. Calls of one token are not interleaved with another's.
    fn platform_token(&self, challenge: &[u8], into: &mut [u8]) -> Result<Hunk, El3Error>;

    /// Gets the realm attestation key's public part: an uncompressed P-384 point, 0x04 x y.
    fn attestation_key(&self, into: &mut [u8; 97]) -> Result<(), El3Error>;

    /// Has EL3 sign a SHA-384 digest with the realm attestation key: ECDSA P-384, 96 bytes r, s. `rec` names the
    /// caller. [`El3Error::Again`]: ask again later with the same arguments.
    fn sign(&self, rec: Pa, digest: &[u8; 48], signature: &mut [u8; 96]) -> Result<(), El3Error>;

    /// Reports a call that was handled: function and x1 to x4, then its results in x0 to x4, zero where it has none. May do nothing.
    fn trace(&self, interface: Interface, call: &[u64; 5], result: &[u64; 5]);

    /// Stops this CPU for good: the RMM cannot go on without risk to a Realm. `why` is for the console.
    fn stop(&self, why: &str) -> !;
}
