//! What boot leaves for the monitor at 0x0EE0_0000: the attestation key, the platform token and the machine.
//!
//! The page holds a private key: whoever reads it wipes it, and [`Handover`] wipes itself when dropped.

use abi::map;
use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Refusal;
use crate::config::{Firmware, Hardware, exactly, magic, within};

/// Room for the platform token, in bytes.
pub const TOKEN_ROOM: usize = 4096;
/// Bytes the RMM's image may take: its carve-out less the last page, which is shared with the monitor.
pub const RMM_ROOM: u64 = map::RMM_SHARED - map::RMM;
/// Length of a P-384 scalar or coordinate in bytes.
const SCALAR: usize = 48;
const MAGIC: [u8; 8] = *b"ALLODHO1";

/// The hand-over page: read it with [`Handover::read`], make it with [`Handover::new`].
///
/// The layout is fixed (all numbers little endian, no padding), so that it can be copied from memory as it is.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Handover {
    magic: [u8; 8],
    length: U64,
    rak_private: [u8; SCALAR],
    rak_x: [u8; SCALAR],
    rak_y: [u8; SCALAR],
    lifecycle: U64,
    debug: U64,
    trace: U64,
    dram_base: U64,
    dram_size: U64,
    cpus: U64,
    rmm_base: U64,
    rmm_size: U64,
    rmm_entry: U64,
    token_length: U64,
    token: [u8; TOKEN_ROOM],
}

/// Length of the hand-over in bytes.
pub const LENGTH: usize = size_of::<Handover>();

/// Where a verified image lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Physical address of its first byte.
    pub base: u64,
    /// Its length in bytes.
    pub size: u64,
    /// Physical address of its first instruction.
    pub entry: u64,
}

/// The Realm attestation key, as the monitor gets it: big-endian P-384 scalar and the public point's coordinates.
pub struct RakBytes<'a> {
    /// Private scalar.
    pub private: &'a [u8; SCALAR],
    /// Public point, x.
    pub x: &'a [u8; SCALAR],
    /// Public point, y.
    pub y: &'a [u8; SCALAR],
}

impl Handover {
    /// Makes a hand-over; refuses a token that is empty or has no room, and whatever [`Handover::read`] would refuse.
    pub fn new(
        rak: &RakBytes<'_>,
        token: &[u8],
        lifecycle: u32,
        hardware: &Hardware,
        firmware: &Firmware,
        rmm: &Placed,
    ) -> Result<Self, Refusal> {
        let mut room = [0; TOKEN_ROOM];
        within("platform token's length", 1, TOKEN_ROOM as u64, token.len() as u64)?;
        room.iter_mut().zip(token).for_each(|(to, from)| *to = *from);
        let made = Self {
            magic: MAGIC,
            length: (LENGTH as u64).into(),
            rak_private: *rak.private,
            rak_x: *rak.x,
            rak_y: *rak.y,
            lifecycle: u64::from(lifecycle).into(),
            debug: u64::from(firmware.debug).into(),
            trace: firmware.trace.into(),
            dram_base: hardware.dram_base.into(),
            dram_size: hardware.dram_size.into(),
            cpus: hardware.cpus.into(),
            rmm_base: rmm.base.into(),
            rmm_size: rmm.size.into(),
            rmm_entry: rmm.entry.into(),
            token_length: (token.len() as u64).into(),
            token: room,
        };
        made.check()?;
        Ok(made)
    }

    /// Copies a hand-over out of the first [`LENGTH`] of `bytes` and checks every field.
    ///
    /// The caller wipes `bytes`. Whether the private scalar is the point's is not checked here: that needs elliptic
    /// curve arithmetic, and boot is trusted by the monitor.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let (read, _) = Self::read_from_prefix(bytes).map_err(|_| Refusal::Length {
            what: "hand-over",
            expected: LENGTH as u64,
            found: bytes.len() as u64,
        })?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), Refusal> {
        magic("hand-over", MAGIC, self.magic)?;
        let length = self.length.get();
        exactly("hand-over's length", LENGTH as u64, length)?;
        within("platform token's length", 1, TOKEN_ROOM as u64, self.token_length.get())?;
        within("lifecycle", 0, 0xFFFF, self.lifecycle.get())?;
        within("debug flag", 0, 1, self.debug.get())?;
        self.hardware().check()?;
        self.firmware().check()?;
        let rmm = self.rmm();
        exactly("RMM's base", map::RMM, rmm.base)?;
        within("RMM's size", 4, RMM_ROOM, rmm.size)?;
        within("RMM's entry", map::RMM, map::RMM.saturating_add(rmm.size - 4), rmm.entry)?;
        exactly("RMM's entry modulo 4", 0, rmm.entry & 3)
    }

    /// RAK private scalar, big endian.
    pub fn rak_private(&self) -> &[u8; SCALAR] {
        &self.rak_private
    }

    /// RAK public point: x, then y, each 48 bytes big endian.
    pub fn rak_public(&self) -> (&[u8; SCALAR], &[u8; SCALAR]) {
        (&self.rak_x, &self.rak_y)
    }

    /// The platform token's bytes: a tagged COSE_Sign1.
    pub fn token(&self) -> &[u8] {
        let length = self.token_length.get() as usize;
        self.token.get(..length).unwrap_or(&[])
    }

    /// Security lifecycle, as in the platform token: 0x3000 secured, 0x5000 debug.
    pub fn lifecycle(&self) -> u64 {
        self.lifecycle.get()
    }

    /// DRAM and CPUs.
    pub fn hardware(&self) -> Hardware {
        Hardware { dram_base: self.dram_base.get(), dram_size: self.dram_size.get(), cpus: self.cpus.get() }
    }

    /// Debug flag and trace mask.
    pub fn firmware(&self) -> Firmware {
        Firmware { debug: self.debug.get() != 0, trace: self.trace.get() }
    }

    /// Where the verified RMM lies and where it is entered.
    pub fn rmm(&self) -> Placed {
        Placed { base: self.rmm_base.get(), size: self.rmm_size.get(), entry: self.rmm_entry.get() }
    }
}

impl Zeroize for Handover {
    fn zeroize(&mut self) {
        self.as_mut_bytes().zeroize();
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for Handover {}

#[cfg(test)]
#[path = "handover_tests.rs"]
mod tests;
