//! Structures in memory that host and RMM share (RMM 1.0, B4.5), all little endian, gaps zero.

use crate::measurement::REGISTER;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// RmiRealmParams, one granule.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RealmParams {
    /// Bit 0 LPA2, 1 SVE, 2 PMU.
    pub flags: u64,
    /// Width of intermediate physical addresses, bits.
    pub s2sz: u8,
    #[doc(hidden)]
    pub pad0: [u8; 7],
    /// Longest SVE vector, quadwords less one.
    pub sve_vl: u8,
    #[doc(hidden)]
    pub pad1: [u8; 7],
    /// Breakpoints less one.
    pub num_bps: u8,
    #[doc(hidden)]
    pub pad2: [u8; 7],
    /// Watchpoints less one.
    pub num_wps: u8,
    #[doc(hidden)]
    pub pad3: [u8; 7],
    /// PMU counters.
    pub pmu_num_ctrs: u8,
    #[doc(hidden)]
    pub pad4: [u8; 7],
    /// Number of the hash algorithm.
    pub hash_algo: u8,
    #[doc(hidden)]
    pub pad5: [u8; 0x400 - 0x31],
    /// Personalisation value.
    pub rpv: [u8; REGISTER],
    #[doc(hidden)]
    pub pad6: [u8; 0x800 - 0x440],
    /// Virtual machine identifier.
    pub vmid: u16,
    #[doc(hidden)]
    pub pad7: [u8; 6],
    /// Physical address of the first root table.
    pub rtt_base: u64,
    /// Level at which translation starts.
    pub rtt_level_start: i64,
    /// Number of root tables, side by side.
    pub rtt_num_start: u32,
    #[doc(hidden)]
    pub pad8: [u8; 0x1000 - 0x81C],
}

/// RmiRecParams, one granule.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RecParams {
    /// Bit 0 runnable.
    pub flags: u64,
    #[doc(hidden)]
    pub pad0: [u8; 0x100 - 8],
    /// Affinity: Aff0 [3:0], Aff1 [15:8], Aff2 [23:16], Aff3 [31:24].
    pub mpidr: u64,
    #[doc(hidden)]
    pub pad1: [u8; 0x200 - 0x108],
    /// First program counter.
    pub pc: u64,
    #[doc(hidden)]
    pub pad2: [u8; 0x300 - 0x208],
    /// First x0–x7.
    pub gprs: [u64; 8],
    #[doc(hidden)]
    pub pad3: [u8; 0x800 - 0x340],
    /// Number of auxiliary granules.
    pub num_aux: u64,
    /// Addresses of auxiliary granules.
    pub aux: [u64; 16],
    #[doc(hidden)]
    pub pad4: [u8; 0x1000 - 0x888],
}

/// RmiRecEnter: what the host says as it enters a REC.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RecEnter {
    /// See [`crate::rmi::enter`].
    pub flags: u64,
    #[doc(hidden)]
    pub pad0: [u8; 0x200 - 8],
    /// Registers, for completions.
    pub gprs: [u64; 31],
    #[doc(hidden)]
    pub pad1: [u8; 8],
    /// Part of ICH_HCR_EL2.
    pub gicv3_hcr: u64,
    /// List registers.
    pub gicv3_lrs: [u64; 16],
    #[doc(hidden)]
    pub pad2: [u8; 0x800 - 0x388],
}

/// RmiRecExit: what the host is told as a REC leaves.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RecExit {
    /// Number of an [`crate::rmi::ExitReason`].
    pub exit_reason: u8,
    #[doc(hidden)]
    pub pad0: [u8; 0xFF],
    /// Exception syndrome, as far as shown.
    pub esr: u64,
    /// Fault address, as far as shown.
    pub far: u64,
    /// Faulting intermediate physical address, as HPFAR_EL2 has it.
    pub hpfar: u64,
    #[doc(hidden)]
    pub pad1: [u8; 0x200 - 0x118],
    /// Registers, as far as shown.
    pub gprs: [u64; 31],
    #[doc(hidden)]
    pub pad2: [u8; 8],
    /// ICH_HCR_EL2.
    pub gicv3_hcr: u64,
    /// List registers.
    pub gicv3_lrs: [u64; 16],
    /// ICH_MISR_EL2.
    pub gicv3_misr: u64,
    /// ICH_VMCR_EL2.
    pub gicv3_vmcr: u64,
    #[doc(hidden)]
    pub pad3: [u8; 0x400 - 0x398],
    /// CNTP_CTL_EL0.
    pub cntp_ctl: u64,
    /// CNTP_CVAL_EL0.
    pub cntp_cval: u64,
    /// CNTV_CTL_EL0.
    pub cntv_ctl: u64,
    /// CNTV_CVAL_EL0.
    pub cntv_cval: u64,
    #[doc(hidden)]
    pub pad4: [u8; 0x500 - 0x420],
    /// First address of the change asked for.
    pub ripas_base: u64,
    /// First address after the change asked for.
    pub ripas_top: u64,
    /// RIPAS asked for.
    pub ripas_value: u8,
    #[doc(hidden)]
    pub pad5: [u8; 0x600 - 0x511],
    /// Immediate of a host call.
    pub imm: u16,
    #[doc(hidden)]
    pub pad6: [u8; 0x700 - 0x602],
    /// PMU overflow.
    pub pmu_ovf_status: u8,
    #[doc(hidden)]
    pub pad7: [u8; 0x800 - 0x701],
}

/// RmiRecRun, one granule: enter, then exit.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RecRun {
    /// Host to RMM.
    pub enter: RecEnter,
    /// RMM to host.
    pub exit: RecExit,
}

macro_rules! offsets {
    ($structure:ident: $size:expr, $($field:ident @ $offset:expr),+) => {
        const _: () = {
            assert!(size_of::<$structure>() == $size);
            $(assert!(core::mem::offset_of!($structure, $field) == $offset);)+
        };
    };
}

offsets!(RealmParams: 0x1000, s2sz @ 8, sve_vl @ 0x10, num_bps @ 0x18, num_wps @ 0x20, pmu_num_ctrs @ 0x28,
    hash_algo @ 0x30, rpv @ 0x400, vmid @ 0x800, rtt_base @ 0x808, rtt_level_start @ 0x810, rtt_num_start @ 0x818);
offsets!(RecParams: 0x1000, mpidr @ 0x100, pc @ 0x200, gprs @ 0x300, num_aux @ 0x800, aux @ 0x808);
offsets!(RecEnter: 0x800, gprs @ 0x200, gicv3_hcr @ 0x300, gicv3_lrs @ 0x308);
offsets!(RecExit: 0x800, esr @ 0x100, far @ 0x108, hpfar @ 0x110, gprs @ 0x200, gicv3_hcr @ 0x300, gicv3_lrs @ 0x308,
    gicv3_misr @ 0x388, gicv3_vmcr @ 0x390, cntp_ctl @ 0x400, cntv_ctl @ 0x410, ripas_base @ 0x500, ripas_top @ 0x508,
    ripas_value @ 0x510, imm @ 0x600, pmu_ovf_status @ 0x700);
offsets!(RecRun: 0x1000, exit @ 0x800);
