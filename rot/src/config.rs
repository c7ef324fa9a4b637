//! The machine's configuration: HW_CONFIG and FW_CONFIG, two short records in flash 0 that boot measures and obeys.

use abi::map;
use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Refusal;

/// Least DRAM, in bytes: the RMM, the device tree and a Normal-world image at 0x6000_0000 must fit.
pub const DRAM_LEAST: u64 = 0x2400_0000;
/// Most DRAM, in bytes: 14 GiB, for which the RMM has granule words in its own 31 MiB.
pub const DRAM_MOST: u64 = 14 << 30;
/// All bits of the trace mask.
const TRACE_ALL: u64 = map::TRACE_RMI | map::TRACE_RSI | map::TRACE_EL3;

/// The machine: where its DRAM lies and how many CPUs it has (HW_CONFIG).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// Physical address of the first byte of DRAM; always [`map::DRAM`].
    pub dram_base: u64,
    /// Bytes of DRAM, a multiple of 2 MiB between [`DRAM_LEAST`] and [`DRAM_MOST`].
    pub dram_size: u64,
    /// CPUs, 1 to [`map::MAX_CPUS`].
    pub cpus: u64,
}

/// How the firmware is to run (FW_CONFIG).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Firmware {
    /// Debugging is allowed; the lifecycle becomes 0x5000.
    pub debug: bool,
    /// Which calls the monitor traces: bit 0 RMI, 1 RSI, 2 EL3.
    pub trace: u64,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct HardwareRecord {
    magic: [u8; 8],
    dram_base: U64,
    dram_size: U64,
    cpus: U64,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct FirmwareRecord {
    magic: [u8; 8],
    flags: U64,
    trace: U64,
}

impl Hardware {
    /// Checks that DRAM and CPUs are ones this firmware can run on.
    pub fn check(self) -> Result<Self, Refusal> {
        exactly("DRAM base", map::DRAM, self.dram_base)?;
        within("DRAM size", DRAM_LEAST, DRAM_MOST, self.dram_size)?;
        exactly("DRAM size modulo 2 MiB", 0, self.dram_size % (2 << 20))?;
        within("CPUs", 1, map::MAX_CPUS as u64, self.cpus)?;
        Ok(self)
    }

    /// The 32 bytes of HW_CONFIG.
    pub fn encode(&self) -> [u8; map::HW_CONFIG_LEN] {
        zerocopy::transmute!(HardwareRecord {
            magic: map::HW_CONFIG_MAGIC,
            dram_base: self.dram_base.into(),
            dram_size: self.dram_size.into(),
            cpus: self.cpus.into(),
        })
    }

    /// Reads HW_CONFIG and checks it.
    pub fn parse(bytes: &[u8; map::HW_CONFIG_LEN]) -> Result<Self, Refusal> {
        let record: HardwareRecord = zerocopy::transmute!(*bytes);
        magic("HW_CONFIG", map::HW_CONFIG_MAGIC, record.magic)?;
        Self { dram_base: record.dram_base.get(), dram_size: record.dram_size.get(), cpus: record.cpus.get() }.check()
    }
}

impl Firmware {
    /// Checks that the trace mask names only what can be traced.
    pub fn check(self) -> Result<Self, Refusal> {
        within("trace mask", 0, TRACE_ALL, self.trace)?;
        Ok(self)
    }

    /// The 24 bytes of FW_CONFIG.
    pub fn encode(&self) -> [u8; map::FW_CONFIG_LEN] {
        zerocopy::transmute!(FirmwareRecord {
            magic: map::FW_CONFIG_MAGIC,
            flags: if self.debug { map::FW_CONFIG_DEBUG } else { 0 }.into(),
            trace: self.trace.into(),
        })
    }

    /// Reads FW_CONFIG and checks it.
    pub fn parse(bytes: &[u8; map::FW_CONFIG_LEN]) -> Result<Self, Refusal> {
        let record: FirmwareRecord = zerocopy::transmute!(*bytes);
        magic("FW_CONFIG", map::FW_CONFIG_MAGIC, record.magic)?;
        within("FW_CONFIG flags", 0, map::FW_CONFIG_DEBUG, record.flags.get())?;
        Self { debug: record.flags.get() & map::FW_CONFIG_DEBUG != 0, trace: record.trace.get() }.check()
    }
}

/// Refuses a magic that is not the expected one.
pub(crate) fn magic(what: &'static str, expected: [u8; 8], found: [u8; 8]) -> Result<(), Refusal> {
    if found == expected { Ok(()) } else { Err(Refusal::Magic { what, expected, found }) }
}

/// Refuses a value outside `least..=most`.
pub(crate) fn within(what: &'static str, least: u64, most: u64, found: u64) -> Result<(), Refusal> {
    if (least..=most).contains(&found) { Ok(()) } else { Err(Refusal::Range { what, least, most, found }) }
}

/// Refuses any value but one.
pub(crate) fn exactly(what: &'static str, expected: u64, found: u64) -> Result<(), Refusal> {
    if found == expected { Ok(()) } else { Err(Refusal::Field { what, expected, found }) }
}
