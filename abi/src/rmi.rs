//! Realm Management Interface 1.0: commands, statuses and structures (RMM 1.0, B4).

mod layout;

pub use layout::{RealmParams, RecEnter, RecExit, RecParams, RecRun};

/// Version 1.0 as RMI_VERSION has it.
pub const VERSION_1_0: u64 = 0x1_0000;
/// First function identifier of the range that the monitor forwards.
pub const FIRST: u32 = 0xC400_0150;
/// Last function identifier of the range that the monitor forwards.
pub const LAST: u32 = 0xC400_018E;
/// No command of any specification: test builds of the RMM walk over everything they hold. x0 is zero, x1 to x4 have the number of
/// granules in each state, two to a register, the lower half first; or x0 is what is wrong, x1 where, x2 the index there.
/// One build spoils a granule before it: x1 address, x2 bits of its word to turn, x3 offset into it, x4 bits to turn there.
pub const WALK: u32 = LAST;

/// Function identifiers.
pub mod fid {
    /// RMI_VERSION.
    pub const VERSION: u32 = 0xC400_0150;
    /// RMI_GRANULE_DELEGATE.
    pub const GRANULE_DELEGATE: u32 = 0xC400_0151;
    /// RMI_GRANULE_UNDELEGATE.
    pub const GRANULE_UNDELEGATE: u32 = 0xC400_0152;
    /// RMI_DATA_CREATE.
    pub const DATA_CREATE: u32 = 0xC400_0153;
    /// RMI_DATA_CREATE_UNKNOWN.
    pub const DATA_CREATE_UNKNOWN: u32 = 0xC400_0154;
    /// RMI_DATA_DESTROY.
    pub const DATA_DESTROY: u32 = 0xC400_0155;
    /// RMI_REALM_ACTIVATE.
    pub const REALM_ACTIVATE: u32 = 0xC400_0157;
    /// RMI_REALM_CREATE.
    pub const REALM_CREATE: u32 = 0xC400_0158;
    /// RMI_REALM_DESTROY.
    pub const REALM_DESTROY: u32 = 0xC400_0159;
    /// RMI_REC_CREATE.
    pub const REC_CREATE: u32 = 0xC400_015A;
    /// RMI_REC_DESTROY.
    pub const REC_DESTROY: u32 = 0xC400_015B;
    /// RMI_REC_ENTER.
    pub const REC_ENTER: u32 = 0xC400_015C;
    /// RMI_RTT_CREATE.
    pub const RTT_CREATE: u32 = 0xC400_015D;
    /// RMI_RTT_DESTROY.
    pub const RTT_DESTROY: u32 = 0xC400_015E;
    /// RMI_RTT_MAP_UNPROTECTED.
    pub const RTT_MAP_UNPROTECTED: u32 = 0xC400_015F;
    /// RMI_RTT_READ_ENTRY.
    pub const RTT_READ_ENTRY: u32 = 0xC400_0161;
    /// RMI_RTT_UNMAP_UNPROTECTED.
    pub const RTT_UNMAP_UNPROTECTED: u32 = 0xC400_0162;
    /// RMI_PSCI_COMPLETE.
    pub const PSCI_COMPLETE: u32 = 0xC400_0164;
    /// RMI_FEATURES.
    pub const FEATURES: u32 = 0xC400_0165;
    /// RMI_RTT_FOLD.
    pub const RTT_FOLD: u32 = 0xC400_0166;
    /// RMI_REC_AUX_COUNT.
    pub const REC_AUX_COUNT: u32 = 0xC400_0167;
    /// RMI_RTT_INIT_RIPAS.
    pub const RTT_INIT_RIPAS: u32 = 0xC400_0168;
    /// RMI_RTT_SET_RIPAS.
    pub const RTT_SET_RIPAS: u32 = 0xC400_0169;
}

/// A command with its arguments by name, as read from registers by [`Call::parse`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "fields are the specification's argument names")]
pub enum Call {
    Version { requested: u64 },
    GranuleDelegate { address: u64 },
    GranuleUndelegate { address: u64 },
    DataCreate { rd: u64, data: u64, ipa: u64, src: u64, flags: u64 },
    DataCreateUnknown { rd: u64, data: u64, ipa: u64 },
    DataDestroy { rd: u64, ipa: u64 },
    RealmActivate { rd: u64 },
    RealmCreate { rd: u64, params: u64 },
    RealmDestroy { rd: u64 },
    RecCreate { rd: u64, rec: u64, params: u64 },
    RecDestroy { rec: u64 },
    RecEnter { rec: u64, run: u64 },
    RttCreate { rd: u64, rtt: u64, ipa: u64, level: i64 },
    RttDestroy { rd: u64, ipa: u64, level: i64 },
    RttMapUnprotected { rd: u64, ipa: u64, level: i64, desc: u64 },
    RttReadEntry { rd: u64, ipa: u64, level: i64 },
    RttUnmapUnprotected { rd: u64, ipa: u64, level: i64 },
    PsciComplete { calling: u64, target: u64, status: u64 },
    Features { index: u64 },
    RttFold { rd: u64, ipa: u64, level: i64 },
    RecAuxCount { rd: u64 },
    RttInitRipas { rd: u64, base: u64, top: u64 },
    RttSetRipas { rd: u64, rec: u64, base: u64, top: u64 },
}

impl Call {
    /// Reads a command from x0 (the function identifier, SVE hint ignored) and x1–x5; `None` is an unknown one.
    #[must_use]
    pub const fn parse(x0: u64, a: [u64; 5]) -> Option<Self> {
        let [x1, x2, x3, x4, x5] = a;
        Some(match fid_of(x0) {
            fid::VERSION => Self::Version { requested: x1 },
            fid::GRANULE_DELEGATE => Self::GranuleDelegate { address: x1 },
            fid::GRANULE_UNDELEGATE => Self::GranuleUndelegate { address: x1 },
            fid::DATA_CREATE => Self::DataCreate { rd: x1, data: x2, ipa: x3, src: x4, flags: x5 },
            fid::DATA_CREATE_UNKNOWN => Self::DataCreateUnknown { rd: x1, data: x2, ipa: x3 },
            fid::DATA_DESTROY => Self::DataDestroy { rd: x1, ipa: x2 },
            fid::REALM_ACTIVATE => Self::RealmActivate { rd: x1 },
            fid::REALM_CREATE => Self::RealmCreate { rd: x1, params: x2 },
            fid::REALM_DESTROY => Self::RealmDestroy { rd: x1 },
            fid::REC_CREATE => Self::RecCreate { rd: x1, rec: x2, params: x3 },
            fid::REC_DESTROY => Self::RecDestroy { rec: x1 },
            fid::REC_ENTER => Self::RecEnter { rec: x1, run: x2 },
            fid::RTT_CREATE => Self::RttCreate { rd: x1, rtt: x2, ipa: x3, level: x4.cast_signed() },
            fid::RTT_DESTROY => Self::RttDestroy { rd: x1, ipa: x2, level: x3.cast_signed() },
            fid::RTT_MAP_UNPROTECTED => Self::RttMapUnprotected { rd: x1, ipa: x2, level: x3.cast_signed(), desc: x4 },
            fid::RTT_READ_ENTRY => Self::RttReadEntry { rd: x1, ipa: x2, level: x3.cast_signed() },
            fid::RTT_UNMAP_UNPROTECTED => Self::RttUnmapUnprotected { rd: x1, ipa: x2, level: x3.cast_signed() },
            fid::PSCI_COMPLETE => Self::PsciComplete { calling: x1, target: x2, status: x3 },
            fid::FEATURES => Self::Features { index: x1 },
            fid::RTT_FOLD => Self::RttFold { rd: x1, ipa: x2, level: x3.cast_signed() },
            fid::REC_AUX_COUNT => Self::RecAuxCount { rd: x1 },
            fid::RTT_INIT_RIPAS => Self::RttInitRipas { rd: x1, base: x2, top: x3 },
            fid::RTT_SET_RIPAS => Self::RttSetRipas { rd: x1, rec: x2, base: x3, top: x4 },
            _ => return None,
        })
    }
}

/// Takes a function identifier out of x0: 32 bits, with the SVE hint masked (SMCCC 1.3 §2.5).
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "SMCCC: the identifier is w0")]
pub const fn fid_of(x0: u64) -> u32 {
    x0 as u32 & !crate::smccc::SVE_HINT
}

/// The name of a command, for traces.
#[must_use]
pub const fn name(function: u32) -> Option<&'static str> {
    Some(match function {
        fid::VERSION => "RMI_VERSION",
        fid::GRANULE_DELEGATE => "RMI_GRANULE_DELEGATE",
        fid::GRANULE_UNDELEGATE => "RMI_GRANULE_UNDELEGATE",
        fid::DATA_CREATE => "RMI_DATA_CREATE",
        fid::DATA_CREATE_UNKNOWN => "RMI_DATA_CREATE_UNKNOWN",
        fid::DATA_DESTROY => "RMI_DATA_DESTROY",
        fid::REALM_ACTIVATE => "RMI_REALM_ACTIVATE",
        fid::REALM_CREATE => "RMI_REALM_CREATE",
        fid::REALM_DESTROY => "RMI_REALM_DESTROY",
        fid::REC_CREATE => "RMI_REC_CREATE",
        fid::REC_DESTROY => "RMI_REC_DESTROY",
        fid::REC_ENTER => "RMI_REC_ENTER",
        fid::RTT_CREATE => "RMI_RTT_CREATE",
        fid::RTT_DESTROY => "RMI_RTT_DESTROY",
        fid::RTT_MAP_UNPROTECTED => "RMI_RTT_MAP_UNPROTECTED",
        fid::RTT_READ_ENTRY => "RMI_RTT_READ_ENTRY",
        fid::RTT_UNMAP_UNPROTECTED => "RMI_RTT_UNMAP_UNPROTECTED",
        fid::PSCI_COMPLETE => "RMI_PSCI_COMPLETE",
        fid::FEATURES => "RMI_FEATURES",
        fid::RTT_FOLD => "RMI_RTT_FOLD",
        fid::REC_AUX_COUNT => "RMI_REC_AUX_COUNT",
        fid::RTT_INIT_RIPAS => "RMI_RTT_INIT_RIPAS",
        fid::RTT_SET_RIPAS => "RMI_RTT_SET_RIPAS",
        _ => return None,
    })
}

/// How a command ended (RMM 1.0, B4.1): x0 = code | index << 8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Done.
    Success,
    /// An argument is not valid.
    Input,
    /// The Realm is in the wrong state; the index says which for REC_ENTER (0 New, 1 System-off).
    Realm(u8),
    /// The REC is in the wrong state.
    Rec,
    /// The walk of the tables ended at the level in the index.
    Rtt(u8),
}

impl Status {
    /// The register value of this status.
    #[must_use]
    pub const fn word(self) -> u64 {
        match self {
            Self::Success => 0,
            Self::Input => 1,
            Self::Realm(index) => 2 | (index as u64) << 8,
            Self::Rec => 3,
            Self::Rtt(level) => 4 | (level as u64) << 8,
        }
    }

    /// Reads a status from a register; other bits set, or a code without a name, is `None`.
    #[must_use]
    pub const fn from_word(word: u64) -> Option<Self> {
        let [code, index, rest @ ..] = word.to_le_bytes();
        if !matches!(rest, [0, 0, 0, 0, 0, 0]) {
            return None;
        }
        match (code, index) {
            (0, 0) => Some(Self::Success),
            (1, 0) => Some(Self::Input),
            (2, _) => Some(Self::Realm(index)),
            (3, 0) => Some(Self::Rec),
            (4, _) => Some(Self::Rtt(index)),
            _ => None,
        }
    }
}

/// Feature register 0 (RMM 1.0, B4.4.4).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Features {
    /// Widest intermediate physical address, in bits.
    pub s2sz: u8,
    /// 52-bit addresses with 4 KiB granules.
    pub lpa2: bool,
    /// SVE, with the longest vector (as quadwords less one).
    pub sve_vl: Option<u8>,
    /// Breakpoints less one.
    pub num_bps: u8,
    /// Watchpoints less one.
    pub num_wps: u8,
    /// PMU, with its counters.
    pub pmu_counters: Option<u8>,
    /// SHA-256.
    pub sha256: bool,
    /// SHA-512.
    pub sha512: bool,
    /// List registers less one.
    pub gicv3_num_lrs: u8,
    /// Logarithm of the number of RECs.
    pub max_recs_order: u8,
}

impl Features {
    /// The register value.
    #[must_use]
    pub const fn word(self) -> u64 {
        let (sve, vl) = match self.sve_vl {
            Some(vl) => (1, vl as u64),
            None => (0, 0),
        };
        let (pmu, counters) = match self.pmu_counters {
            Some(counters) => (1, counters as u64),
            None => (0, 0),
        };
        self.s2sz as u64
            | (self.lpa2 as u64) << 8
            | sve << 9
            | (vl & 0xF) << 10
            | (self.num_bps as u64 & 0x3F) << 14
            | (self.num_wps as u64 & 0x3F) << 20
            | pmu << 26
            | (counters & 0x1F) << 27
            | (self.sha256 as u64) << 32
            | (self.sha512 as u64) << 33
            | (self.gicv3_num_lrs as u64 & 0xF) << 34
            | (self.max_recs_order as u64 & 0xF) << 38
    }

    /// Reads the register value; every value has a meaning.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "each field is masked to its width")]
    pub const fn from_word(word: u64) -> Self {
        Self {
            s2sz: word as u8,
            lpa2: word >> 8 & 1 == 1,
            sve_vl: if word >> 9 & 1 == 1 { Some((word >> 10 & 0xF) as u8) } else { None },
            num_bps: (word >> 14 & 0x3F) as u8,
            num_wps: (word >> 20 & 0x3F) as u8,
            pmu_counters: if word >> 26 & 1 == 1 { Some((word >> 27 & 0x1F) as u8) } else { None },
            sha256: word >> 32 & 1 == 1,
            sha512: word >> 33 & 1 == 1,
            gicv3_num_lrs: (word >> 34 & 0xF) as u8,
            max_recs_order: (word >> 38 & 0xF) as u8,
        }
    }
}

/// What an entry of a table holds, as RTT_READ_ENTRY gives it (RMM 1.0, B4.4.20).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u64)]
pub enum EntryState {
    /// Nothing is assigned.
    Unassigned = 0,
    /// A granule or a block is assigned.
    Assigned = 1,
    /// A table of the next level.
    Table = 2,
}

/// State of an intermediate physical address, as the Realm sees it (RMM 1.0, A5.2.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Ripas {
    /// Not memory.
    Empty = 0,
    /// Memory.
    Ram = 1,
    /// Memory whose content the host destroyed.
    Destroyed = 2,
}

impl Ripas {
    /// Reads the number; other values are `None`.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Empty),
            1 => Some(Self::Ram),
            2 => Some(Self::Destroyed),
            _ => None,
        }
    }
}

/// Flag of RMI_DATA_CREATE: measure the content.
pub const DATA_FLAG_MEASURE: u64 = 1;
/// Flag of RmiRecParams: the REC may run.
pub const REC_FLAG_RUNNABLE: u64 = 1;
/// Flag of RmiRealmParams: LPA2.
pub const REALM_FLAG_LPA2: u64 = 1;
/// Flag of RmiRealmParams: SVE.
pub const REALM_FLAG_SVE: u64 = 2;
/// Flag of RmiRealmParams: PMU.
pub const REALM_FLAG_PMU: u64 = 4;

/// Flags of RmiRecEnter.
pub mod enter {
    /// The host has emulated the access of the last exit.
    pub const EMUL_MMIO: u64 = 1;
    /// Inject a synchronous external abort.
    pub const INJECT_SEA: u64 = 1 << 1;
    /// Exit on WFI.
    pub const TRAP_WFI: u64 = 1 << 2;
    /// Exit on WFE.
    pub const TRAP_WFE: u64 = 1 << 3;
    /// The host rejects the change of RIPAS.
    pub const RIPAS_RESPONSE: u64 = 1 << 4;
}

/// Why a REC left (RMM 1.0, A4.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum ExitReason {
    /// Synchronous exception.
    Sync = 0,
    /// Interrupt.
    Irq = 1,
    /// Fast interrupt.
    Fiq = 2,
    /// PSCI call.
    Psci = 3,
    /// Change of RIPAS asked for.
    RipasChange = 4,
    /// Host call.
    HostCall = 5,
    /// System error.
    SError = 6,
}

impl ExitReason {
    /// Reads the number; other values are `None`.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Sync,
            1 => Self::Irq,
            2 => Self::Fiq,
            3 => Self::Psci,
            4 => Self::RipasChange,
            5 => Self::HostCall,
            6 => Self::SError,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, Status};

    #[test]
    fn status_words_round_trip_and_nothing_else_is_read() {
        for status in [Status::Success, Status::Input, Status::Realm(1), Status::Rec, Status::Rtt(3)] {
            assert_eq!(Status::from_word(status.word()), Some(status));
        }
        for word in [5, 0x101, 0x1_0000, u64::MAX] {
            assert_eq!(Status::from_word(word), None, "{word:#x}");
        }
    }

    #[test]
    fn feature_register_round_trips() {
        let features = Features {
            s2sz: 48,
            sve_vl: Some(3),
            num_bps: 5,
            num_wps: 3,
            pmu_counters: Some(6),
            sha256: true,
            sha512: true,
            gicv3_num_lrs: 3,
            max_recs_order: 9,
            lpa2: false,
        };
        assert_eq!(Features::from_word(features.word()), features);
        assert_eq!(features.word() >> 42, 0);
    }
}
