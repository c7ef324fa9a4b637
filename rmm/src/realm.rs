//! Realms: the descriptor in an RD granule, and the claim on it that covers the realm's tables (RMM 1.0, A2.1).

use crate::address::{GRANULE, Level, Pa};
use crate::granule::{self, Claim, RealmPage, Refusal, State};
use crate::measurement::Register;
use crate::platform::{Page, Platform, Scope};
use crate::rec::context::RealmContext;
use crate::rtt::{self, Entry, Space, Walk};
use abi::measurement::{Hash, REGISTERS};
use abi::rmi::{Ripas, Status};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Where a realm is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Being built; its RIM still changes.
    New,
    /// Its RECs may run.
    Active,
    /// It has turned itself off, for good.
    SystemOff,
}

impl Phase {
    /// Refuses, as REC_ENTER does, a realm whose RECs may not run.
    pub const fn require_active(self) -> Result<(), Status> {
        match self {
            Self::New => Err(Status::Realm(0)),
            Self::Active => Ok(()),
            Self::SystemOff => Err(Status::Realm(1)),
        }
    }
}

/// A realm's descriptor, as it lies in the RD granule.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Rd {
    phase: u64,
    /// The address space.
    pub space: Space,
    /// What its vCPUs have in common.
    pub context: RealmContext,
    /// Number of RECs ever created, hence index of the next.
    pub rec_count: u64,
    /// Flags of its parameters.
    pub flags: u64,
    /// Breakpoints less one.
    pub num_bps: u64,
    /// Watchpoints less one.
    pub num_wps: u64,
    /// VMID.
    pub vmid: u64,
    hash: u64,
    /// Personalisation value.
    pub rpv: [u8; 64],
    /// RIM, then REMs.
    pub measurements: [Register; REGISTERS],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct RdPage {
    rd: Rd,
    rest: [u8; GRANULE - size_of::<Rd>()],
}

impl Rd {
    /// Reads a page as a descriptor.
    pub fn of(page: &mut Page) -> &mut Self {
        let page: &mut RdPage = zerocopy::transmute_mut!(page);
        &mut page.rd
    }

    /// Gives the phase.
    pub const fn phase(&self) -> Phase {
        match self.phase {
            0 => Phase::New,
            1 => Phase::Active,
            _ => Phase::SystemOff,
        }
    }

    /// Sets the phase.
    pub const fn set_phase(&mut self, phase: Phase) {
        self.phase = match phase {
            Phase::New => 0,
            Phase::Active => 1,
            Phase::SystemOff => 2,
        };
    }

    /// Gives the hash algorithm.
    pub const fn hash(&self) -> Hash {
        if self.hash == 0 { Hash::Sha256 } else { Hash::Sha512 }
    }

    /// Sets the hash algorithm.
    pub const fn set_hash(&mut self, hash: Hash) {
        self.hash = hash as u64;
    }

    /// Gives the RIM.
    pub const fn rim(&self) -> Register {
        let [rim, ..] = self.measurements;
        rim
    }

    /// Sets the RIM.
    pub const fn set_rim(&mut self, value: Register) {
        let [rim, ..] = &mut self.measurements;
        *rim = value;
    }
}

/// The claim on a realm: its descriptor and all its tables.
#[derive(Debug)]
pub struct Realm<'p, P: Platform> {
    platform: &'p P,
    claim: Claim<'p, P::Word>,
    /// The address space.
    pub space: Space,
    /// What its vCPUs have in common.
    pub context: RealmContext,
}

/// Why a Realm's own address cannot be used for a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPage {
    /// Not protected memory in the Realm's own view.
    Refused,
    /// The host has to provide it: the level at which the walk ended.
    Missing(Level),
}

impl<'p, P: Platform> Realm<'p, P> {
    /// Claims the realm whose RD is at an address.
    pub fn claim(platform: &'p P, rd: u64) -> Result<Self, Refusal> {
        let mut claim = granule::claim(platform, rd, State::Rd)?;
        let (space, context) = platform.page(claim.held(), |page| {
            let rd = Rd::of(page);
            (rd.space, rd.context)
        });
        Ok(Self { platform, claim, space, context })
    }

    /// Claims the realm that a REC belongs to, which exists as long as the REC does.
    pub fn owner(platform: &'p P, rd: Pa) -> Self {
        match Self::claim(platform, rd.get()) {
            Ok(realm) => realm,
            Err(_) => platform.stop("a REC without a realm"),
        }
    }

    /// Gives the RD's address.
    pub const fn rd(&self) -> Pa {
        self.claim.pa()
    }

    /// Gives access to the descriptor.
    pub fn with<R>(&mut self, f: impl FnOnce(&mut Rd) -> R) -> R {
        self.platform.page(self.claim.held(), |page| f(Rd::of(page)))
    }

    /// Gives the phase.
    pub fn phase(&mut self) -> Phase {
        self.with(|rd| rd.phase())
    }

    /// Gives the claim, to end the realm or to count its RECs.
    pub const fn claim_mut(&mut self) -> &mut Claim<'p, P::Word> {
        &mut self.claim
    }

    /// Gives up everything but the claim.
    pub fn into_claim(self) -> Claim<'p, P::Word> {
        self.claim
    }

    /// Walks towards an address of the space.
    pub fn walk(&self, ipa: u64, to: Level) -> Walk {
        rtt::walk(self.platform, &self.space, ipa, to)
    }

    /// Gives the next address where something is, seen from where a walk ended; see [`rtt::skip`].
    pub fn skip(&self, walk: &Walk, entry: Entry, ipa: u64) -> u64 {
        rtt::skip(self.platform, walk, entry, ipa)
    }

    /// Removes what a walk found from all TLBs; the entry has been written already.
    pub fn invalidate(&self, walk: &Walk, ipa: u64) {
        let scope = Scope::Range { base: walk.level.floor(ipa), size: walk.level.size() };
        self.platform.invalidate(&self.context, scope);
    }

    /// Replaces an entry by another. Where a table walker may use the old one, no TLB holds it when the new one
    /// appears.
    pub fn replace(&self, walk: &Walk, ipa: u64, entry: Entry) {
        if walk.entry.is_valid() {
            walk.set(self.platform, if entry.is_valid() { Entry::ZERO } else { entry });
            self.invalidate(walk, ipa);
        }
        if entry.is_valid() || !walk.entry.is_valid() {
            walk.set(self.platform, entry);
        }
    }

    /// Finds the page of the Realm's own memory at an address that the Realm gave (RMM 1.0, RSI "rpage").
    pub fn page(&self, ipa: u64) -> Result<RealmPage, NoPage> {
        if ipa & (GRANULE as u64 - 1) != 0 || !self.space.is_protected(ipa) {
            return Err(NoPage::Refused);
        }
        let walk = self.walk(ipa, Level::LAST);
        match walk.entry {
            Entry::Assigned(pa, Ripas::Ram) => {
                let inside = ipa.wrapping_sub(walk.level.floor(ipa));
                Ok(RealmPage::new(Pa::containing(pa.get().wrapping_add(inside))))
            }
            entry if entry.ripas() == Some(Ripas::Empty) => Err(NoPage::Refused),
            _ => Err(NoPage::Missing(walk.level)),
        }
    }
}
