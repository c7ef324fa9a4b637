//! What an A64 instruction is, as far as barriers are concerned (Arm DDI0487, C4.1).

use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionKind};

use crate::Done;

/// A system register by its encoding: op0, op1, CRn, CRm, op2 as they stand in bits 19 to 5.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Register(u32);

impl Register {
    /// Makes one of its encoding.
    pub(super) const fn new(op0: u32, op1: u32, crn: u32, crm: u32, op2: u32) -> Self {
        Self((op0 & 1) << 14 | op1 << 11 | crn << 7 | crm << 3 | op2)
    }

    /// Op1, CRn and CRm.
    const fn group(self) -> (u32, u32, u32) {
        (self.0 >> 11 & 7, self.0 >> 7 & 15, self.0 >> 3 & 15)
    }

    /// Whether it is of the interrupt controller's CPU interface: ICC_*.
    pub(super) const fn is_icc(self) -> bool {
        matches!(self.group(), (0 | 6, 12, 8..=12) | (4, 12, 9) | (0, 4, 6))
    }

    /// Whether it is of the interrupt controller's virtual side: ICH_*_EL2.
    pub(super) const fn is_ich(self) -> bool {
        matches!(self.group(), (4, 12, 8 | 11..=13))
    }

    /// Whether it is of the performance monitors: PM*.
    pub(super) const fn is_pmu(self) -> bool {
        matches!(self.group(), (3, 9, 12..=14) | (0, 9, 14) | (3, 14, 8..=15))
    }
}

/// What an instruction does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Dsb,
    Isb,
    Eret,
    /// Returns, or goes where a register says.
    Return,
    /// Calls a function, whose own instructions are looked at where they stand.
    Call,
    /// Goes to another place.
    Jump(usize),
    /// Goes to another place, or on.
    Branch(usize),
    /// Goes to another exception level, or sleeps: SMC, HVC, SVC, WFI, WFE.
    Leave,
    /// Goes nowhere.
    Stop,
    Tlbi,
    /// Address translation by instruction.
    At,
    /// Instruction caches.
    Ic,
    Write(Register),
    Read(Register),
    Load,
    Store,
    /// Computes with SIMD, SVE or SME registers, or moves them.
    Simd,
    Other,
}

/// The code of a program: instructions by place, and where functions begin.
pub(super) struct Code {
    /// What stands at each place, four bytes apart; a gap between sections stops.
    pub(super) kinds: Vec<Kind>,
    /// Which places other code calls.
    pub(super) entries: Vec<bool>,
    /// Names of functions by their first place, in its order.
    names: Vec<(usize, String)>,
}

impl Code {
    /// Reads the executable sections of an ELF file.
    pub(super) fn read(bytes: &[u8]) -> Done<Self> {
        let file = ElfFile64::<Endianness>::parse(bytes)?;
        let sections: Vec<_> = file.sections().filter(|it| it.kind() == SectionKind::Text && it.size() > 0).collect();
        let base = sections.iter().map(|it| it.address()).min().ok_or("a program without code")?;
        let end = sections.iter().map(|it| it.address() + it.size()).max().unwrap_or(base);
        let place = |address: u64| usize::try_from((address - base) / 4);
        let mut words = vec![0; place(end)?];
        for section in sections {
            let (chunks, _) = section.data()?.as_chunks::<4>();
            let at = place(section.address())?;
            for (word, bytes) in words.get_mut(at..).unwrap_or_default().iter_mut().zip(chunks) {
                *word = u32::from_le_bytes(*bytes);
            }
        }
        let mut code = Self::of(&words);
        for symbol in file.symbols().filter(|it| (base..end).contains(&it.address())) {
            let at = place(symbol.address())?;
            let name = symbol.name().unwrap_or_default();
            // Mapping symbols tell code from data, and name nothing.
            if !name.is_empty() && !name.starts_with('$') {
                code.entries[at] = true;
                code.names.push((at, name.to_owned()));
            }
        }
        code.names.sort();
        Ok(code)
    }

    /// Takes instructions that follow each other.
    pub(super) fn of(words: &[u32]) -> Self {
        let kinds: Vec<Kind> = words.iter().enumerate().map(|(at, word)| kind(*word, at)).collect();
        let mut entries = vec![false; kinds.len()];
        for (at, word) in words.iter().enumerate().filter(|(at, _)| kinds[*at] == Kind::Call) {
            if word >> 26 == 0b100_101
                && let Some(entry) = entries.get_mut(target(at, *word, 0, 26))
            {
                *entry = true;
            }
        }
        Self { kinds, entries, names: Vec::new() }
    }

    /// Says where a place is, for people.
    pub(super) fn place(&self, at: usize) -> String {
        let index = self.names.partition_point(|(from, _)| *from <= at);
        let (from, name) = index
            .checked_sub(1)
            .and_then(|index| self.names.get(index))
            .map_or((0, "code"), |(from, name)| (*from, name));
        format!("{name}+{:#x}", (at - from) * 4)
    }
}

/// Where a relative branch goes, from the bits that hold its distance in instructions.
fn target(at: usize, word: u32, low: u32, bits: u32) -> usize {
    let distance = (word << (32 - low - bits)).cast_signed() >> (32 - bits);
    at.wrapping_add_signed(distance as isize)
}

/// Decodes an instruction.
fn kind(word: u32, at: usize) -> Kind {
    let is = |mask: u32, value: u32| word & mask == value;
    match word {
        _ if is(0xFFFF_F0FF, 0xD503_309F) => Kind::Dsb,
        _ if is(0xFFFF_F0FF, 0xD503_30DF) => Kind::Isb,
        _ if is(0xFFFF_F3FF, 0xD69F_03E0) => Kind::Eret,
        _ if is(0xFE00_0000, 0xD600_0000) && is(0x0060_0000, 0x0020_0000) => Kind::Call,
        _ if is(0xFE00_0000, 0xD600_0000) => Kind::Return,
        _ if is(0xFC00_0000, 0x9400_0000) => Kind::Call,
        _ if is(0xFC00_0000, 0x1400_0000) => Kind::Jump(target(at, word, 0, 26)),
        _ if is(0xFF00_0000, 0x5400_0000) || is(0x7E00_0000, 0x3400_0000) => Kind::Branch(target(at, word, 5, 19)),
        _ if is(0x7E00_0000, 0x3600_0000) => Kind::Branch(target(at, word, 5, 14)),
        _ if is(0xFFE0_001F, 0xD420_0000) || word >> 16 == 0 => Kind::Stop,
        _ if is(0xFF00_0000, 0xD400_0000) => Kind::Leave,
        0xD503_205F | 0xD503_207F => Kind::Leave,
        _ if is(0xFFF8_0000, 0xD508_0000) => system(word),
        _ if is(0xFFF0_0000, 0xD510_0000) => Kind::Write(Register(word >> 5 & 0x7FFF)),
        _ if is(0xFFF0_0000, 0xD530_0000) => Kind::Read(Register(word >> 5 & 0x7FFF)),
        _ if is(0x0A00_0000, 0x0800_0000) => memory(word),
        _ if is(0x0E00_0000, 0x0E00_0000) => Kind::Simd,
        // SVE and SME.
        _ if is(0x1E00_0000, 0x0400_0000) || is(0x9E00_0000, 0x8000_0000) => Kind::Simd,
        _ => Kind::Other,
    }
}

/// SYS: maintenance of TLBs and caches (C5.1.3).
fn system(word: u32) -> Kind {
    match (word >> 12 & 15, word >> 8 & 15) {
        (8 | 9, _) => Kind::Tlbi,
        (7, 8 | 9) => Kind::At,
        (7, 1 | 5) => Kind::Ic,
        // Some data cache instructions write, all may touch memory.
        (7, _) => Kind::Store,
        _ => Kind::Other,
    }
}

/// Loads and stores (C4.1.94). What may write counts as a store.
fn memory(word: u32) -> Kind {
    const SIMD: u32 = 1 << 26;
    let (group, opc) = (word >> 27 & 7, word >> 22 & 3);
    let atomic = word >> 24 & 1 == 0 && word >> 21 & 1 == 1 && word >> 10 & 3 == 0;
    let loads = match group {
        // Exclusives, ordered accesses and pairs say so in one bit.
        0b001 | 0b101 => opc & 1 == 1,
        // Literals; the others are whole copies and fills.
        0b011 => word >> 24 & 1 == 0,
        _ => opc != 0 && !atomic,
    };
    match (word & SIMD != 0, loads) {
        (true, _) => Kind::Simd,
        (false, true) => Kind::Load,
        (false, false) => Kind::Store,
    }
}
