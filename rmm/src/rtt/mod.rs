//! Realm translation tables: a realm's address space and the tables that map it (RMM 1.0, A5).

mod entry;
mod space;
mod walk;

pub use entry::{Entry, NormalMapping};
pub use space::Space;
pub use walk::{Walk, contains_live, folded, read, skip, walk};

/// Entries in a table.
pub const ENTRIES: usize = 512;
