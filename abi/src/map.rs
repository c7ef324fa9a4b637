//! Where things stand in the physical memory of QEMU's `virt` machine with RME, as docs/architecture.md §1 says.

/// Flash 0: boot at 0, configuration, OTP, signed images. Root and Secure only.
pub const FLASH0: u64 = 0x0000_0000;
/// Size of flash 0.
pub const FLASH0_SIZE: u64 = 0x0400_0000;
/// Most bytes that boot's image may have.
pub const BOOT_MAX: u64 = 0x8_0000;
/// Offset in flash 0 of the hardware configuration (HW_CONFIG).
pub const HW_CONFIG: u64 = 0x8_0000;
/// Bytes of HW_CONFIG that are measured.
pub const HW_CONFIG_LEN: usize = 32;
/// First bytes of HW_CONFIG.
pub const HW_CONFIG_MAGIC: [u8; 8] = *b"ALLODHW1";
/// Offset in flash 0 of the firmware configuration (FW_CONFIG).
pub const FW_CONFIG: u64 = 0x8_1000;
/// Bytes of FW_CONFIG that are measured.
pub const FW_CONFIG_LEN: usize = 24;
/// First bytes of FW_CONFIG.
pub const FW_CONFIG_MAGIC: [u8; 8] = *b"ALLODFW1";
/// Flag in FW_CONFIG: debugging is allowed; the lifecycle is shown as a debug one.
pub const FW_CONFIG_DEBUG: u64 = 1;
/// Bit of the trace mask: RMI calls.
pub const TRACE_RMI: u64 = 1;
/// Bit of the trace mask: RSI and PSCI calls of a Realm.
pub const TRACE_RSI: u64 = 2;
/// Bit of the trace mask: RMM-EL3 calls and the Normal world's PSCI calls.
pub const TRACE_EL3: u64 = 4;
/// Offset in flash 0 of the one-time-programmable fuses.
pub const OTP: u64 = 0x8_2000;
/// Offset in flash 0 of the monitor's signed image.
pub const MONITOR_IMAGE: u64 = 0x10_0000;
/// Most bytes of the monitor's signed image, header included.
pub const MONITOR_IMAGE_MAX: u64 = 0x1C_0000;
/// Offset in flash 0 of the RMM's signed image.
pub const RMM_IMAGE: u64 = 0x30_0000;
/// Most bytes of the RMM's signed image, header included.
pub const RMM_IMAGE_MAX: u64 = 0x80_0000;

/// GICv3 distributor.
pub const GICD: u64 = 0x0800_0000;
/// First GICv3 redistributor.
pub const GICR: u64 = 0x080A_0000;
/// Distance between two CPUs' redistributors.
pub const GICR_STRIDE: u64 = 0x2_0000;
/// PL011 that every world reaches.
pub const UART0: u64 = 0x0900_0000;
/// QEMU's firmware configuration device.
pub const FW_CFG: u64 = 0x0902_0000;
/// PL011 that only Root and Secure reach.
pub const UART1: u64 = 0x0904_0000;
/// PL061 that only Root and Secure reach: line 0 power off, line 1 reset.
pub const SECURE_GPIO: u64 = 0x090B_0000;

/// Secure RAM, which no device can reach.
pub const SECURE_RAM: u64 = 0x0E00_0000;
/// Size of secure RAM.
pub const SECURE_RAM_SIZE: u64 = 0x0100_0000;
/// Mailbox page: word n is where CPU n jumps at EL3 with the MMU off.
pub const MAILBOX: u64 = 0x0E00_0000;
/// Where the monitor is loaded and entered.
pub const MONITOR: u64 = 0x0E00_1000;
/// First byte after the monitor's region.
pub const MONITOR_END: u64 = 0x0E20_0000;
/// Granule protection tables and their record.
pub const GPT: u64 = 0x0E20_0000;
/// First byte after the granule protection tables.
pub const GPT_END: u64 = 0x0EE0_0000;
/// Hand-over from boot to the monitor.
pub const HANDOVER: u64 = 0x0EE0_0000;
/// Boot's own data and stack.
pub const BOOT_RAM: u64 = 0x0EF0_0000;
/// First byte after boot's own data and stack.
pub const BOOT_RAM_END: u64 = 0x0F00_0000;

/// First byte of DRAM; QEMU puts its device tree here.
pub const DRAM: u64 = 0x4000_0000;
/// Bytes at the start of DRAM that hold the device tree.
pub const DEVICE_TREE_SIZE: u64 = 0x10_0000;
/// Where the RMM is loaded and entered.
pub const RMM: u64 = 0x4010_0000;
/// First byte after the RMM's region.
pub const RMM_END: u64 = 0x4200_0000;
/// Page shared between the monitor and the RMM (Realm physical address space).
pub const RMM_SHARED: u64 = 0x41FF_F000;
/// Where a Normal-world image is loaded and entered unless told otherwise.
pub const NORMAL_WORLD: u64 = 0x6000_0000;
/// Windows that QEMU's loader may fill before reset: never firmware's, and kept over a reset.
pub const LOADER_WINDOWS: [(u64, u64); 2] = [(0x4200_0000, 0x4201_0000), (0x6000_0000, 0x6340_0000)];
/// Secure software-generated interrupt that wakes a parked CPU.
pub const WAKE_SGI: u32 = 15;
/// Most CPUs that the firmware drives.
pub const MAX_CPUS: usize = 4;
