//! Commands, so concrete that a list of them can be printed, cut and played again.

use std::fmt;

use machine::Op;
use machine::model::fid;

/// Words of a page that is otherwise zero: where, and what.
pub type Words = Vec<(usize, u64)>;

/// What the host does.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// A command with x0 to x5, having written a page if it is the host's.
    Call { x: [u64; 6], page: Option<(u64, Words)> },
    /// An entry into a REC, having written the page of entry and exit; with an interrupt pending, or not.
    Enter { rec: u64, run: u64, page: Words, irq: bool, ops: Vec<Op> },
}

const NAMES: [(u64, &str); 23] = [
    (fid::VERSION, "VERSION"),
    (fid::GRANULE_DELEGATE, "GRANULE_DELEGATE"),
    (fid::GRANULE_UNDELEGATE, "GRANULE_UNDELEGATE"),
    (fid::DATA_CREATE, "DATA_CREATE"),
    (fid::DATA_CREATE_UNKNOWN, "DATA_CREATE_UNKNOWN"),
    (fid::DATA_DESTROY, "DATA_DESTROY"),
    (fid::REALM_ACTIVATE, "REALM_ACTIVATE"),
    (fid::REALM_CREATE, "REALM_CREATE"),
    (fid::REALM_DESTROY, "REALM_DESTROY"),
    (fid::REC_CREATE, "REC_CREATE"),
    (fid::REC_DESTROY, "REC_DESTROY"),
    (fid::REC_ENTER, "REC_ENTER"),
    (fid::RTT_CREATE, "RTT_CREATE"),
    (fid::RTT_DESTROY, "RTT_DESTROY"),
    (fid::RTT_MAP_UNPROTECTED, "RTT_MAP_UNPROTECTED"),
    (fid::RTT_READ_ENTRY, "RTT_READ_ENTRY"),
    (fid::RTT_UNMAP_UNPROTECTED, "RTT_UNMAP_UNPROTECTED"),
    (fid::PSCI_COMPLETE, "PSCI_COMPLETE"),
    (fid::FEATURES, "FEATURES"),
    (fid::RTT_FOLD, "RTT_FOLD"),
    (fid::REC_AUX_COUNT, "REC_AUX_COUNT"),
    (fid::RTT_INIT_RIPAS, "RTT_INIT_RIPAS"),
    (fid::RTT_SET_RIPAS, "RTT_SET_RIPAS"),
];

/// The name of a function identifier, with or without the hint.
pub fn name(x0: u64) -> String {
    let known = NAMES.iter().find(|(fid, _)| *fid == x0 & !(1 << 16));
    known.map_or_else(|| format!("{x0:#x}"), |(_, name)| (*name).to_string())
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Call { x, page } => {
                write!(f, "{} {:#x?}", name(x[0]), Flat(&x[1..]))?;
                page.iter().try_for_each(|(pa, words)| write!(f, ", page {pa:#x} = {}", Sparse(words)))
            }
            Command::Enter { rec, run, page, irq, ops } => {
                let irq = if *irq { ", interrupt pending" } else { "" };
                write!(f, "REC_ENTER {rec:#x} {run:#x}, page = {}{irq}, {ops:x?}", Sparse(page))
            }
        }
    }
}

/// Numbers in a row.
struct Flat<'n>(&'n [u64]);

impl fmt::Debug for Flat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|number| write!(f, "{number:#x} "))
    }
}

/// Words and where they stand.
struct Sparse<'w>(&'w Words);

impl fmt::Display for Sparse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(at, value)| write!(f, "[{at:#x}]={value:#x} "))
    }
}
