//! Which barriers the architecture asks for around what the firmware does (Arm DDI0487, D8.17, B2.6, D24.1.2).

use super::decode::{Code, Kind, Register};

/// From an instruction of one kind, on every way, a barrier of another comes before anything of a third.
pub(super) struct Rule {
    pub(super) says: &'static str,
    /// Where the ways begin.
    pub(super) from: fn(Kind, Level) -> bool,
    /// Whether they are followed backwards.
    pub(super) back: bool,
    /// What satisfies the rule.
    pub(super) until: fn(Kind) -> bool,
    /// What breaks it.
    pub(super) breaks: fn(Kind) -> bool,
}

/// The exception level at which a program runs: what it writes to its own registers concerns itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    El2,
    El3,
}

const fn el(level: Level, crn: u32, crm: u32, op2: u32) -> Register {
    Register::new(3, if matches!(level, Level::El2) { 4 } else { 6 }, crn, crm, op2)
}

const SCR_EL3: Register = el(Level::El3, 1, 1, 0);
const GPTBR_EL3: Register = el(Level::El3, 2, 1, 4);
const GPCCR_EL3: Register = el(Level::El3, 2, 1, 6);
const SMCR_EL3: Register = el(Level::El3, 1, 2, 6);
const VTTBR_EL2: Register = el(Level::El2, 2, 1, 0);
const VTCR_EL2: Register = el(Level::El2, 2, 1, 2);
const MDCR_EL2: Register = el(Level::El2, 1, 1, 1);
const ICH_HCR_EL2: Register = el(Level::El2, 12, 11, 0);
const CNTV_CTL_EL0: Register = Register::new(3, 3, 14, 3, 1);
const PMCR_EL0: Register = Register::new(3, 3, 9, 12, 0);
const PAR_EL1: Register = Register::new(3, 0, 7, 4, 0);
const ICC_IAR1_EL1: Register = Register::new(3, 0, 12, 12, 0);
const ICC_EOIR1_EL1: Register = Register::new(3, 0, 12, 12, 1);
const ICC_SGI1R_EL1: Register = Register::new(3, 0, 12, 11, 5);
const ICC_SRE_EL1: Register = Register::new(3, 0, 12, 12, 5);
const ICC_SRE_EL2: Register = el(Level::El2, 12, 9, 5);
const ICC_SRE_EL3: Register = el(Level::El3, 12, 12, 5);
const ICC_IGRPEN1_EL3: Register = el(Level::El3, 12, 12, 7);

/// Registers of the program's own translation: SCTLR, TCR, TTBR0, MAIR.
fn own_translation(kind: Kind, level: Level) -> bool {
    [(1, 0, 0), (2, 0, 2), (2, 0, 0), (10, 2, 0)]
        .into_iter()
        .any(|(crn, crm, op2)| kind == Kind::Write(el(level, crn, crm, op2)))
}

/// CPTR, ZCR, SMCR: what traps SIMD, and how wide it is.
fn own_vectors(kind: Kind, level: Level) -> bool {
    let written = [el(level, 1, 1, 2), el(level, 1, 2, 0), SMCR_EL3];
    written.into_iter().any(|register| kind == Kind::Write(register))
}

fn writes(kind: Kind, registers: &[Register]) -> bool {
    registers.iter().any(|register| kind == Kind::Write(*register))
}

/// Whether somebody else goes on from here, or memory is touched.
fn acts(kind: Kind) -> bool {
    leaves(kind) || matches!(kind, Kind::Load | Kind::Store)
}

fn leaves(kind: Kind) -> bool {
    matches!(kind, Kind::Return | Kind::Call | Kind::Leave)
}

fn is_dsb(kind: Kind) -> bool {
    kind == Kind::Dsb
}

/// An exception return synchronizes as an ISB does.
fn is_context_event(kind: Kind) -> bool {
    matches!(kind, Kind::Isb | Kind::Eret)
}

fn touches_icc(kind: Kind) -> bool {
    matches!(kind, Kind::Read(register) | Kind::Write(register) if register.is_icc())
}

/// The rules.
pub(super) const RULES: [Rule; 15] = [
    Rule {
        says: "an invalidation of TLBs is complete before anything is done",
        from: |kind, _| kind == Kind::Tlbi,
        back: false,
        until: is_dsb,
        breaks: |kind| acts(kind) || kind == Kind::Eret,
    },
    Rule {
        says: "and has then happened for this CPU too",
        from: |kind, _| kind == Kind::Tlbi,
        back: false,
        until: is_context_event,
        breaks: acts,
    },
    Rule {
        says: "what was written to tables is seen before TLBs are invalidated",
        from: |kind, _| kind == Kind::Tlbi,
        back: true,
        until: is_dsb,
        breaks: |kind| matches!(kind, Kind::Store | Kind::Call | Kind::Leave),
    },
    Rule {
        says: "memory is not used by the rules of before",
        from: |kind, level| own_translation(kind, level) || writes(kind, &[GPTBR_EL3, GPCCR_EL3]),
        back: false,
        until: is_context_event,
        breaks: acts,
    },
    Rule {
        says: "granule protection is on before TLBs are invalidated for it",
        from: |kind, _| writes(kind, &[GPCCR_EL3]),
        back: false,
        until: is_context_event,
        breaks: |kind| matches!(kind, Kind::Tlbi | Kind::Dsb | Kind::Write(_)),
    },
    Rule {
        says: "the translation asked about, or invalidated, is the one just chosen",
        from: |kind, level| level == Level::El2 && writes(kind, &[VTTBR_EL2, VTCR_EL2]),
        back: false,
        until: is_context_event,
        breaks: |kind| matches!(kind, Kind::Tlbi | Kind::At),
    },
    Rule {
        says: "the answer of a translation is read when it is there",
        from: |kind, _| kind == Kind::At,
        back: false,
        until: is_context_event,
        breaks: |kind| leaves(kind) || kind == Kind::Read(PAR_EL1),
    },
    Rule {
        says: "vector registers are used when they are free to be",
        from: own_vectors,
        back: false,
        until: is_context_event,
        breaks: |kind| leaves(kind) || kind == Kind::Simd,
    },
    Rule {
        says: "the interrupt controller's registers are those of the world just chosen",
        from: |kind, _| writes(kind, &[SCR_EL3]),
        back: false,
        until: is_context_event,
        breaks: |kind| touches_icc(kind) && !writes(kind, &[ICC_SRE_EL3, ICC_IGRPEN1_EL3]),
    },
    Rule {
        says: "the interrupt controller is reached by registers",
        from: |kind, _| writes(kind, &[ICC_SRE_EL3]),
        back: false,
        until: is_context_event,
        breaks: touches_icc,
    },
    Rule {
        says: "what was told to the interrupt controller or a timer has happened",
        from: |kind, _| {
            writes(kind, &[ICC_EOIR1_EL1, ICC_SGI1R_EL1, ICC_SRE_EL1, ICC_SRE_EL2, ICC_IGRPEN1_EL3, CNTV_CTL_EL0])
        },
        back: false,
        until: is_context_event,
        breaks: acts,
    },
    Rule {
        says: "an interrupt is acknowledged before its cause is looked at",
        from: |kind, _| kind == Kind::Read(ICC_IAR1_EL1),
        back: false,
        until: is_dsb,
        breaks: |kind| acts(kind) || matches!(kind, Kind::Write(_)),
    },
    Rule {
        says: "instructions of before are gone from this CPU's caches",
        from: |kind, _| kind == Kind::Ic,
        back: false,
        until: is_dsb,
        breaks: |kind| leaves(kind) || is_context_event(kind),
    },
    Rule {
        says: "and from its pipeline",
        from: |kind, _| kind == Kind::Ic,
        back: false,
        until: is_context_event,
        breaks: leaves,
    },
    Rule {
        says: "counters and list registers are read when they stand still",
        from: |kind, level| level == Level::El2 && writes(kind, &[PMCR_EL0, MDCR_EL2, ICH_HCR_EL2]),
        back: false,
        until: is_context_event,
        breaks: is_counter_or_list,
    },
];

/// PMCNTENSET_EL0 to PMEVTYPER<n>_EL0, and ICH_*_EL2, but for the registers that the rule begins with.
fn is_counter_or_list(kind: Kind) -> bool {
    let Kind::Read(register) = kind else { return false };
    register != PMCR_EL0 && (register.is_pmu() || register.is_ich())
}

/// Where a rule that begins at `at` is broken: the first place met that breaks it, as if there were no barrier at
/// `without`; and the barriers met on the ways.
pub(super) fn broken(
    code: &Code,
    ways: &[Vec<usize>],
    rule: &Rule,
    at: usize,
    without: Option<usize>,
) -> Result<Vec<usize>, usize> {
    let mut seen = vec![at];
    let mut todo: Vec<usize> = ways[at].clone();
    let mut barriers = Vec::new();
    // A function's beginning is where callers come from, who may have done anything.
    if rule.back && code.entries[at] {
        return Err(at);
    }
    while let Some(here) = todo.pop() {
        if seen.contains(&here) {
            continue;
        }
        seen.push(here);
        if without != Some(here) && (rule.until)(code.kinds[here]) {
            barriers.push(here);
            continue;
        }
        if (rule.breaks)(code.kinds[here]) || rule.back && code.entries[here] {
            return Err(here);
        }
        todo.extend(&ways[here]);
    }
    Ok(barriers)
}
