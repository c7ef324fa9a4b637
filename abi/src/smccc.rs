//! SMC Calling Convention (Arm DEN0028): function identifiers every world may ask for.

/// Status of a call that nobody knows.
pub const NOT_SUPPORTED: u64 = u64::MAX;
/// SMCCC_VERSION.
pub const VERSION: u32 = 0x8000_0000;
/// SMCCC_ARCH_FEATURES.
pub const ARCH_FEATURES: u32 = 0x8000_0001;
/// Version 1.2, as SMCCC_VERSION returns it.
pub const VERSION_1_2: u64 = 0x1_0002;
/// Version 1.3: with the hint that a caller has no SVE state.
pub const VERSION_1_3: u64 = 0x1_0003;
/// Version 1.4: SME state is kept.
pub const VERSION_1_4: u64 = 0x1_0004;
/// Bit 16 of a function identifier: the caller has no live SVE state. A hint, masked before dispatch.
pub const SVE_HINT: u32 = 1 << 16;
/// Our monitor's census of the granule protection tables, from the Normal world, in the range of the machine's maker:
/// returns x1 delegable granules, x2 those of them that are not Non-secure.
pub const GPT_CENSUS: u32 = 0xC300_0000;
