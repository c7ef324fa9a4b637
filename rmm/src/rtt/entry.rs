//! Entries of translation tables: as values, and as stage-2 descriptors (RMM 1.0, A5.5; VMSAv8-64 stage 2 with FWB).

use crate::address::{Level, Pa};
use abi::rmi::{EntryState, Ripas};

/// What an entry holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Protected, nothing there.
    Unassigned(Ripas),
    /// Protected, memory of the realm's own.
    Assigned(Pa, Ripas),
    /// Unprotected, nothing there.
    UnassignedNs,
    /// Unprotected, memory of the Normal world.
    AssignedNs(NormalMapping),
    /// A table of the next level.
    Table(Pa),
}

/// A mapping of Normal-world memory: the part of a descriptor that the host chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NormalMapping {
    /// First address.
    pub pa: Pa,
    /// MemAttr (4:2) and S2AP (7:6) in their places.
    attributes: u64,
}

const KIND: u64 = 0b11;
const INVALID_ASSIGNED: u64 = 1 << 4;
const INVALID_NS: u64 = 1 << 5;
const RIPAS_SHIFT: u32 = 2;
const ADDRESS: u64 = 0x0000_FFFF_FFFF_F000;
const MEMATTR: u64 = 0b111 << 2;
const S2AP: u64 = 0b11 << 6;
const MEMATTR_RESERVED: u64 = 0b100 << 2;
const MEMATTR_WRITE_BACK: u64 = 0b110 << 2;
const OUTER_SHAREABLE: u64 = 0b10 << 8;
const INNER_SHAREABLE: u64 = 0b11 << 8;
const ACCESS_FLAG: u64 = 1 << 10;
const NS: u64 = 1 << 55;
const EXECUTE_NEVER: u64 = 0b10 << 53;

const REALM_LEAF: u64 = MEMATTR_WRITE_BACK | S2AP | INNER_SHAREABLE | ACCESS_FLAG;
const NORMAL_LEAF: u64 = NS | EXECUTE_NEVER | ACCESS_FLAG;

impl NormalMapping {
    /// Reads the descriptor of RMI_RTT_MAP_UNPROTECTED: nothing but an output address that fits the level, MemAttr and
    /// S2AP, and no reserved MemAttr.
    pub const fn parse(desc: u64, level: Level) -> Option<Self> {
        let address = desc & ADDRESS;
        let attributes = desc & (MEMATTR | S2AP);
        if desc != address | attributes || !level.aligned(address) || attributes & MEMATTR == MEMATTR_RESERVED {
            return None;
        }
        Some(Self { pa: Pa::containing(address), attributes })
    }

    /// Gives the descriptor as the host gave it.
    pub const fn desc(self) -> u64 {
        self.pa.get() | self.attributes
    }

    /// Shareability belongs to the RMM: Inner for what is cacheable (Normal Write-Back, or as stage 1 says), Outer
    /// otherwise.
    const fn shareability(self) -> u64 {
        if self.attributes & MEMATTR_WRITE_BACK == MEMATTR_WRITE_BACK { INNER_SHAREABLE } else { OUTER_SHAREABLE }
    }
}

const fn leaf(level: Level) -> u64 {
    if level.get() == Level::LAST.get() { 0b11 } else { 0b01 }
}

impl Entry {
    /// What a table of zeroes holds.
    pub const ZERO: Self = Self::Unassigned(Ripas::Empty);

    /// Reads a descriptor of a table of `level`.
    pub const fn decode(word: u64, level: Level) -> Self {
        let pa = Pa::containing(word & ADDRESS);
        if word & KIND == KIND && level.get() != Level::LAST.get() {
            Self::Table(pa)
        } else if word & 1 == 0 {
            Self::decode_invalid(word, pa)
        } else if word & NS != 0 {
            Self::AssignedNs(NormalMapping { pa, attributes: word & (MEMATTR | S2AP) })
        } else {
            Self::Assigned(pa, Ripas::Ram)
        }
    }

    const fn decode_invalid(word: u64, pa: Pa) -> Self {
        let ripas = match word >> RIPAS_SHIFT & 0b11 {
            0 => Ripas::Empty,
            1 => Ripas::Ram,
            _ => Ripas::Destroyed,
        };
        if word & INVALID_NS != 0 {
            Self::UnassignedNs
        } else if word & INVALID_ASSIGNED != 0 {
            Self::Assigned(pa, ripas)
        } else {
            Self::Unassigned(ripas)
        }
    }

    /// Gives the descriptor for a table of `level`.
    pub const fn encode(self, level: Level) -> u64 {
        match self {
            Self::Unassigned(ripas) => (ripas as u64) << RIPAS_SHIFT,
            Self::Assigned(pa, Ripas::Ram) => pa.get() | REALM_LEAF | leaf(level),
            Self::Assigned(pa, ripas) => pa.get() | INVALID_ASSIGNED | (ripas as u64) << RIPAS_SHIFT,
            Self::UnassignedNs => INVALID_NS,
            Self::AssignedNs(mapping) => mapping.desc() | NORMAL_LEAF | mapping.shareability() | leaf(level),
            Self::Table(pa) => pa.get() | KIND,
        }
    }

    /// Says whether translation tables in hardware may use the entry, so that it may be in TLBs.
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Assigned(_, Ripas::Ram) | Self::AssignedNs(_) | Self::Table(_))
    }

    /// Says whether the entry keeps its table in use: another table, or memory of the realm's.
    pub const fn keeps_table(self) -> bool {
        matches!(self, Self::Assigned(..) | Self::Table(_))
    }

    /// Says whether a host that looks for things to take down has to stop here.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Assigned(..) | Self::AssignedNs(_) | Self::Table(_))
    }

    /// Gives the RIPAS of a protected leaf.
    pub const fn ripas(self) -> Option<Ripas> {
        match self {
            Self::Unassigned(ripas) | Self::Assigned(_, ripas) => Some(ripas),
            _ => None,
        }
    }

    /// Gives the same leaf with another RIPAS; other entries as they are.
    pub const fn with_ripas(self, ripas: Ripas) -> Self {
        match self {
            Self::Unassigned(_) => Self::Unassigned(ripas),
            Self::Assigned(pa, _) => Self::Assigned(pa, ripas),
            other => other,
        }
    }

    /// Gives the leaf `bytes` further on in a range of like leaves with consecutive memory.
    pub const fn further(self, bytes: u64) -> Self {
        match self {
            Self::Assigned(pa, ripas) => Self::Assigned(forward(pa, bytes), ripas),
            Self::AssignedNs(NormalMapping { pa, attributes }) => {
                Self::AssignedNs(NormalMapping { pa: forward(pa, bytes), attributes })
            }
            other => other,
        }
    }

    /// Gives the memory behind a leaf.
    pub const fn output(self) -> Option<Pa> {
        match self {
            Self::Assigned(pa, _) => Some(pa),
            Self::AssignedNs(mapping) => Some(mapping.pa),
            _ => None,
        }
    }

    /// Gives state, descriptor and RIPAS as RMI_RTT_READ_ENTRY shows them.
    pub const fn shown(self) -> (EntryState, u64, u64) {
        match self {
            Self::Unassigned(ripas) => (EntryState::Unassigned, 0, ripas as u64),
            Self::Assigned(pa, ripas) => (EntryState::Assigned, pa.get(), ripas as u64),
            Self::UnassignedNs => (EntryState::Unassigned, 0, 0),
            Self::AssignedNs(mapping) => (EntryState::Assigned, mapping.desc(), 0),
            Self::Table(pa) => (EntryState::Table, pa.get(), 0),
        }
    }
}

const fn forward(pa: Pa, bytes: u64) -> Pa {
    Pa::containing(pa.get().wrapping_add(bytes))
}
