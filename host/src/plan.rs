//! What to build: images and a configuration become one list of steps (profile `allod`).
//!
//! The order is the one of KVM hosts that speak RMM 1.0 up to v11, and it is part of the RIM: create, set all RAM to
//! RIPAS RAM, populate in ascending address, create the RECs, activate. All of RAM is RIPAS RAM before the first
//! instruction, since Linux allocates page tables long before it talks to the RMM.
//!
//! RTT_INIT_RIPAS is measured once per table entry, so the tables' shape is part of the RIM too. The rule here: at that
//! time every entry over RAM is a level 2 entry of 2 MiB. Where translation starts at level 2 that is so from the start;
//! where it starts at level 1 the plan creates the level 2 tables first. Level 3 tables come after it.

mod layout;

use alloc::vec::Vec;
use core::ops::Range;

use abi::measurement::Hash;
use abi::rmi::{DATA_FLAG_MEASURE, REC_FLAG_RUNNABLE, RealmParams, RecParams};
use abi::{GRANULE, GRANULE_U64};
use zerocopy::FromZeros;

use crate::config::Config;
use crate::dtb::{self, Tree};
use crate::{Error, image::Image};
pub use layout::{BLOCK, Layout, RAM, TABLE_SPAN};

/// Breakpoints and watchpoints less one that every Realm is given, so that the RIM does not depend on the host's
/// processor: the least that RmiRealmParams may say (0 is reserved).
pub const DEBUG_REGISTERS: u8 = 1;
/// Narrowest address space of a Realm, in bits: 4 GiB protected, enough for 3 GiB of RAM.
pub const IPA_WIDTH_MIN: u8 = 33;

/// The files that a VM is made of.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// A raw arm64 `Image`.
    pub kernel: &'a [u8],
    /// The initial RAM disk; empty for none.
    pub initrd: &'a [u8],
}

/// What a Realm is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Realm {
    /// Width of its addresses in bits; the upper half of the space is unprotected.
    pub ipa_width: u8,
    /// Level at which translation starts.
    pub start_level: i64,
    /// Root tables, side by side, aligned to all of them.
    pub roots: u32,
    /// Breakpoints less one.
    pub num_bps: u8,
    /// Watchpoints less one.
    pub num_wps: u8,
    /// Hash algorithm of its measurements.
    pub hash: Hash,
    /// Personalization value; not measured.
    pub rpv: [u8; 64],
}

/// How a REC is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rec {
    /// Index: RECs are created in this order.
    pub index: u32,
    /// Affinity as RmiRecParams has it.
    pub mpidr: u64,
    /// First instruction.
    pub pc: u64,
    /// First x0–x7.
    pub gprs: [u64; 8],
    /// Whether it runs from the start; only then it is measured.
    pub runnable: bool,
}

/// Where the bytes of a page come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// [`Images::kernel`].
    Kernel,
    /// [`Images::initrd`].
    Initrd,
    /// [`Plan::dtb`].
    Dtb,
}

/// One granule of a Realm's first content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// Where it appears in the Realm.
    pub ipa: u64,
    /// Which bytes.
    pub source: Source,
    /// First byte in the source.
    pub offset: usize,
    /// Bytes from the source, at most [`GRANULE`]; the rest of the granule is zero.
    pub len: usize,
    /// Whether the content is measured.
    pub measured: bool,
}

impl Data {
    /// Flags of RMI_DATA_CREATE.
    #[must_use]
    pub fn flags(&self) -> u64 {
        if self.measured { DATA_FLAG_MEASURE } else { 0 }
    }
}

/// One step of building a Realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// RMI_REALM_CREATE with [`Plan::realm`].
    CreateRealm,
    /// RMI_RTT_CREATE of the table of `level` (2 or 3) whose first entry translates `ipa`.
    Table {
        /// First address, aligned to what the table spans.
        ipa: u64,
        /// Level of the new table.
        level: i64,
    },
    /// RMI_RTT_INIT_RIPAS until `top` is reached.
    InitRipas {
        /// First address.
        base: u64,
        /// First address after it.
        top: u64,
    },
    /// RMI_DATA_CREATE.
    Data(Data),
    /// RMI_REC_CREATE.
    Rec(Rec),
    /// RMI_REALM_ACTIVATE.
    Activate,
}

/// A Realm to be built: [`plan`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the Realm is created with.
    pub realm: Realm,
    /// RAM, as addresses of the Realm.
    pub ram: Range<u64>,
    /// The device tree, whose address is x0 of the first REC.
    pub dtb: Vec<u8>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// What of a Realm is known from the lengths of its files alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// What the Realm is created with.
    pub realm: Realm,
    /// Where its parts stand.
    pub layout: Layout,
    /// The device tree.
    pub dtb: Vec<u8>,
    /// The REC that runs from the start.
    pub first: Rec,
}

/// Plans a VM.
///
/// # Errors
/// A configuration out of bounds, a kernel that is none, or parts that do not fit into memory, each by name.
pub fn plan(images: &Images<'_>, config: &Config) -> Result<Plan, Error> {
    config.check()?;
    let kernel = Image::parse(images.kernel)?;
    let Outline { realm, layout, dtb, .. } = outline(&kernel, images.initrd.len() as u64, config)?;
    let steps = steps(&realm, &layout, images, dtb.len(), config.cpus);
    Ok(Plan { realm, ram: layout.ram, dtb, steps })
}

/// Plans a VM of a kernel and an initial RAM disk of `initrd` bytes, without their contents.
///
/// # Errors
/// As for [`plan`].
pub fn outline(kernel: &Image, initrd: u64, config: &Config) -> Result<Outline, Error> {
    config.check()?;
    let layout = Layout::new(kernel, initrd, config.memory)?;
    let dtb = dtb::write(&Tree {
        ram: layout.ram.clone(),
        cpus: config.cpus,
        cmdline: &config.cmdline,
        initrd: (initrd > 0).then(|| layout.initrd.clone()),
    })?;
    if dtb.len() as u64 > BLOCK {
        return Err(Error::NoRoom { part: "device tree", expected: dtb.len() as u64, found: BLOCK });
    }
    Ok(Outline { realm: realm(&layout.ram, config), first: rec(0, &layout), layout, dtb })
}

impl Plan {
    /// Writes the content of one granule of `data` into `page`, zeros after its last byte.
    pub fn fill(&self, images: &Images<'_>, data: &Data, page: &mut [u8; GRANULE]) {
        let bytes = match data.source {
            Source::Kernel => images.kernel,
            Source::Initrd => images.initrd,
            Source::Dtb => &self.dtb,
        };
        let bytes = bytes.get(data.offset..).unwrap_or_default();
        page.fill(0);
        for (to, from) in page.iter_mut().zip(bytes.iter().take(data.len)) {
            *to = *from;
        }
    }

    /// Says how many granules are populated.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Data(_))).count()
    }
}

impl Realm {
    /// RmiRealmParams of this Realm (RMM 1.0, B4.5), with the host's own choices added.
    #[must_use]
    pub fn params(&self, vmid: u16, rtt_base: u64) -> RealmParams {
        RealmParams {
            s2sz: self.ipa_width,
            num_bps: self.num_bps,
            num_wps: self.num_wps,
            hash_algo: self.hash as u8,
            rpv: self.rpv,
            vmid,
            rtt_base,
            rtt_level_start: self.start_level,
            rtt_num_start: self.roots,
            ..RealmParams::new_zeroed()
        }
    }

    /// Address bit that marks an unprotected address.
    #[must_use]
    pub fn shared_bit(&self) -> u64 {
        1u64.checked_shl(u32::from(self.ipa_width).saturating_sub(1)).unwrap_or(0)
    }
}

impl Rec {
    /// RmiRecParams of this REC (RMM 1.0, B4.5), with the host's auxiliary granules; more than 16 are cut off, and the
    /// count then makes RMI_REC_CREATE refuse.
    #[must_use]
    pub fn params(&self, aux: &[u64]) -> RecParams {
        let mut params = RecParams {
            flags: if self.runnable { REC_FLAG_RUNNABLE } else { 0 },
            mpidr: self.mpidr,
            pc: self.pc,
            gprs: self.gprs,
            num_aux: aux.len() as u64,
            ..RecParams::new_zeroed()
        };
        for (to, from) in params.aux.iter_mut().zip(aux) {
            *to = *from;
        }
        params
    }
}

fn realm(ram: &Range<u64>, config: &Config) -> Realm {
    let (ipa_width, start_level, roots) = layout::address_space(ram.end);
    Realm {
        ipa_width,
        start_level,
        roots,
        num_bps: DEBUG_REGISTERS,
        num_wps: DEBUG_REGISTERS,
        hash: config.hash,
        rpv: config.rpv,
    }
}

fn steps(realm: &Realm, layout: &Layout, images: &Images<'_>, dtb: usize, cpus: u32) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.push(Step::CreateRealm);
    if realm.start_level < 2 {
        steps.extend(tables(&layout.ram, TABLE_SPAN, 2));
    }
    steps.push(Step::InitRipas { base: layout.ram.start, top: layout.ram.end });
    let parts = [
        (layout.kernel.start, Source::Kernel, images.kernel.len()),
        (layout.initrd.start, Source::Initrd, images.initrd.len()),
        (layout.dtb.start, Source::Dtb, dtb),
    ];
    let mut tabled = 0;
    for data in parts.into_iter().flat_map(|(base, source, len)| pages(base, source, len)) {
        if data.ipa >= tabled {
            let ipa = data.ipa - data.ipa % BLOCK;
            steps.push(Step::Table { ipa, level: 3 });
            tabled = ipa + BLOCK;
        }
        steps.push(Step::Data(data));
    }
    steps.extend((0..cpus).map(|index| Step::Rec(rec(index, layout))));
    steps.push(Step::Activate);
    steps
}

/// Tables that translate `range`, each of `span` bytes.
fn tables(range: &Range<u64>, span: u64, level: i64) -> impl Iterator<Item = Step> + use<> {
    let (first, last) = (range.start / span, range.end.div_ceil(span));
    (first..last).map(move |n| Step::Table { ipa: n * span, level })
}

fn pages(base: u64, source: Source, len: usize) -> impl Iterator<Item = Data> {
    (0..len.div_ceil(GRANULE)).map(move |n| Data {
        ipa: base + n as u64 * GRANULE_U64,
        source,
        offset: n * GRANULE,
        len: (len - n * GRANULE).min(GRANULE),
        measured: true,
    })
}

/// Only REC 0 runs from the start, as booting.rst wants its registers; the others wait for the kernel's CPU_ON.
fn rec(index: u32, layout: &Layout) -> Rec {
    let first = index == 0;
    let (pc, x0) = if first { (layout.kernel.start, layout.dtb.start) } else { (0, 0) };
    Rec { index, mpidr: u64::from(index), pc, gprs: [x0, 0, 0, 0, 0, 0, 0, 0], runnable: first }
}

#[cfg(test)]
mod tests;
