//! RECs: realm execution contexts, the vCPUs (RMM 1.0, A2.3).

pub mod context;
mod mpidr;
mod reset;

pub use mpidr::{index_of_affinity, index_of_params, vmpidr};
pub use reset::{reset, reset_by_psci};

use crate::address::{GRANULE, Pa};
use crate::platform::Page;
use context::{RealmContext, RecContext, SimdContext};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Auxiliary granules of a REC: one for its attestation token, one for its SIMD registers.
pub const AUX: usize = 2;

/// A REC, as it lies in its granule.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Rec {
    /// The registers.
    pub context: RecContext,
    /// What it shares with its realm's other RECs.
    pub realm: RealmContext,
    /// Address of its RD.
    owner: u64,
    /// Index in its realm.
    pub index: u64,
    /// Not zero: it may run.
    runnable: u64,
    /// Addresses of its auxiliary granules.
    aux: [u64; AUX],
    /// Bits of its realm's addresses.
    pub width: u64,
    /// Breakpoints and watchpoints it sees, each less one.
    pub num_bps: u64,
    /// See [`Self::num_bps`].
    pub num_wps: u64,
    /// What the last exit leaves for the next entry to complete.
    pub last: LastExit,
    psci: PendingPsci,
    /// The host call in progress.
    pub host_call: HostCall,
    /// The change of RIPAS in progress.
    pub ripas: RipasRequest,
    /// The attestation token in progress.
    pub token: TokenState,
    /// Which timers the host was told are asserted: bit 0 virtual, bit 1 physical.
    pub reported_timers: u64,
}

/// The data abort with which the REC left.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LastExit {
    /// ESR_EL2 as the hardware gave it; the host never sees it.
    pub esr: u64,
    /// FAR_EL2.
    pub far: u64,
    /// Not zero: a data abort at an unprotected address.
    pub unprotected: u64,
    /// Not zero: the host may emulate the access.
    pub emulatable: u64,
}

#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct PendingPsci {
    operation: u64,
    target: u64,
    entry: u64,
    context_id: u64,
}

/// A PSCI call of the Realm's that the host has to complete (RMM 1.0, A4.3.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PsciRequest {
    /// CPU_ON.
    CpuOn {
        /// Index of the REC to turn on.
        target: u64,
        /// Where it begins.
        entry: u64,
        /// What it finds in x0.
        context_id: u64,
    },
    /// AFFINITY_INFO.
    AffinityInfo {
        /// Index of the REC asked about.
        target: u64,
    },
}

/// A host call in progress.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostCall {
    /// Not zero: there is one.
    pub pending: u64,
    /// Address of its structure.
    pub ipa: u64,
}

/// A change of RIPAS in progress; all zero if there is none.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RipasRequest {
    /// Not zero: there is one.
    pub pending: u64,
    /// First address that is still to change.
    pub address: u64,
    /// First address after the range.
    pub top: u64,
    /// The RIPAS asked for: 0 or 1.
    pub value: u64,
    /// Not zero: destroyed memory changes too.
    pub change_destroyed: u64,
}

/// An attestation token in progress: it lies, whole but for the signature, in the REC's first auxiliary granule.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TokenState {
    /// 0 none, 1 to be signed, 2 signed, 3 could not be made.
    pub stage: u64,
    /// Bytes of the token.
    pub length: u64,
    /// Bytes that the Realm has read.
    pub read: u64,
    /// What is to be signed.
    pub digest: [u8; 48],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct RecPage {
    rec: Rec,
    rest: [u8; GRANULE - size_of::<Rec>()],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(16))]
struct SimdPage {
    simd: SimdContext,
    rest: [u8; GRANULE - size_of::<SimdContext>()],
}

/// Reads a page as SIMD registers.
pub fn simd_of(page: &mut Page) -> &mut SimdContext {
    let page: &mut SimdPage = zerocopy::transmute_mut!(page);
    &mut page.simd
}

impl Rec {
    /// Reads a page as a REC.
    pub fn of(page: &mut Page) -> &mut Self {
        let page: &mut RecPage = zerocopy::transmute_mut!(page);
        &mut page.rec
    }

    /// Gives the address of its RD.
    pub const fn owner(&self) -> Pa {
        Pa::containing(self.owner)
    }

    /// Sets what it belongs to, and what belongs to it.
    pub const fn set_parts(&mut self, owner: Pa, aux: [Pa; AUX]) {
        let [token, simd] = aux;
        self.owner = owner.get();
        self.aux = [token.get(), simd.get()];
    }

    /// Gives the addresses of its auxiliary granules.
    pub fn parts(&self) -> [Pa; AUX] {
        self.aux.map(Pa::containing)
    }

    /// Gives the address of the auxiliary granule for its token.
    pub const fn token_aux(&self) -> Pa {
        Pa::containing(self.aux[0])
    }

    /// Gives the address of the auxiliary granule for its SIMD registers.
    pub const fn simd_aux(&self) -> Pa {
        Pa::containing(self.aux[1])
    }

    /// Says whether it may run.
    pub const fn is_runnable(&self) -> bool {
        self.runnable != 0
    }

    /// Allows or forbids it to run.
    pub const fn set_runnable(&mut self, runnable: bool) {
        self.runnable = runnable as u64;
    }

    /// Gives the PSCI call that waits for the host.
    pub const fn psci(&self) -> Option<PsciRequest> {
        let PendingPsci { operation, target, entry, context_id } = self.psci;
        match operation {
            1 => Some(PsciRequest::CpuOn { target, entry, context_id }),
            2 => Some(PsciRequest::AffinityInfo { target }),
            _ => None,
        }
    }

    /// Sets the PSCI call that waits for the host.
    pub const fn set_psci(&mut self, request: Option<PsciRequest>) {
        self.psci = match request {
            Some(PsciRequest::CpuOn { target, entry, context_id }) => {
                PendingPsci { operation: 1, target, entry, context_id }
            }
            Some(PsciRequest::AffinityInfo { target }) => PendingPsci { operation: 2, target, entry: 0, context_id: 0 },
            None => PendingPsci { operation: 0, target: 0, entry: 0, context_id: 0 },
        };
    }

    /// Says whether an address is protected.
    pub const fn is_protected(&self, ipa: u64) -> bool {
        ipa < 1 << (self.width.wrapping_sub(1) & 63)
    }

    /// Reads a general register by the number in an instruction; 31 is zero.
    pub fn register(&self, number: u64) -> u64 {
        self.context.x.get(number as usize & 31).copied().unwrap_or(0)
    }

    /// Writes a general register by the number in an instruction; 31 discards.
    pub fn set_register(&mut self, number: u64, value: u64) {
        if let Some(register) = self.context.x.get_mut(number as usize & 31) {
            *register = value;
        }
    }

    /// Goes on to the next instruction.
    pub const fn advance(&mut self) {
        self.context.pc = self.context.pc.wrapping_add(4);
    }

    /// Writes x0 to x3: a call's answer, registers without an output zero.
    pub fn answer(&mut self, values: [u64; 4]) {
        for (register, value) in self.context.x.iter_mut().zip(values) {
            *register = value;
        }
    }
}
