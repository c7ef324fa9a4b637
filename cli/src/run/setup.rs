//! What a machine is made of. An attack changes a copy of this; what the token is judged by is computed from the original.

use super::Args;
use super::job::Firmware;
use super::qemu::Parts;
use crate::attack::Attack;
use crate::platform;
use host::config::{Config, FILE, INITRD_FILE, KERNEL_FILE};
use rot::config::{Firmware as FirmwareConfig, Hardware};
use rot::image::Kind;
use std::error::Error;
use std::path::PathBuf;

/// Firmware is signed as this security version; a machine is made to run it and no lower one.
pub const SECURITY_VERSION: u32 = 1;

/// DRAM besides the Realm's memory: the RMM, the host, and the images in the host's hands.
const DRAM_BESIDE: u64 = 512 << 20;
const DRAM_LEAST: u64 = 1 << 30;

/// The parts of one machine and its VM.
#[derive(Clone)]
pub struct Setup {
    /// The VM.
    pub config: Config,
    /// The kernel, unpacked.
    pub kernel: Vec<u8>,
    /// The initial RAM disk; empty where there is none.
    pub initrd: Vec<u8>,
    /// `boot.bin`.
    pub boot: Vec<u8>,
    /// The signed monitor.
    pub monitor: Vec<u8>,
    /// The signed RMM.
    pub rmm: Vec<u8>,
    /// The Normal-world image.
    pub host: Vec<u8>,
    /// One-time programmable memory.
    pub otp: Vec<u8>,
    /// HW_CONFIG.
    pub hardware: Hardware,
    /// FW_CONFIG.
    pub firmware: FirmwareConfig,
    qemu: PathBuf,
    gdb: bool,
}

/// fw_cfg files by name.
pub type Files<'a> = Vec<(&'static str, &'a [u8])>;

impl Setup {
    /// Reads the images and signs the firmware with the machine's own signer. A folder without a machine gets one.
    pub fn new(args: &Args, firmware: &Firmware) -> Result<Setup, Box<dyn Error>> {
        let vm = args.vm.load()?;
        let dir = &args.platform;
        if dir.symlink_metadata().is_err() {
            platform::manufacture(dir)?;
        }
        let dram_size = (DRAM_BESIDE + vm.config.memory).max(DRAM_LEAST);
        // To peek takes a second CPU, whose TLB still has the page as it was.
        let cpus = vm.config.cpus.max(if args.attack == Some(Attack::Peek) { 2 } else { 1 });
        Ok(Setup {
            config: Config { realms: args.realms, ..vm.config },
            kernel: vm.kernel,
            initrd: vm.initrd,
            boot: firmware.boot.clone(),
            monitor: platform::sign(dir, Kind::Monitor, &firmware.monitor, SECURITY_VERSION)?,
            rmm: platform::sign(dir, Kind::Rmm, &firmware.rmm, SECURITY_VERSION)?,
            host: firmware.host.clone(),
            otp: platform::otp(dir)?.to_vec(),
            hardware: Hardware { dram_base: abi::map::DRAM, dram_size, cpus: cpus.into() }.check()?,
            firmware: FirmwareConfig { debug: args.gdb, trace: super::mask(&args.trace) }.check()?,
            qemu: args.qemu.clone(),
            gdb: args.gdb,
        })
    }

    /// Content of flash 0.
    pub fn flash(&self) -> Result<Vec<u8>, String> {
        let Setup { boot, monitor, rmm, otp, hardware, firmware, .. } = self;
        platform::Parts { boot, monitor, rmm, otp, hardware, firmware }.compose()
    }

    /// The parts that QEMU is started with.
    pub fn parts<'a>(&'a self, flash: &'a [u8], files: &'a Files<'a>) -> Parts<'a> {
        let Setup { qemu: program, host, gdb, hardware, .. } = self;
        Parts {
            program,
            flash,
            host,
            at: abi::map::NORMAL_WORLD,
            beside: &[],
            tree: None,
            files,
            dram: hardware.dram_size,
            cpus: hardware.cpus,
            gdb: *gdb,
            icount: false,
            seed: None,
        }
    }

    /// The fw_cfg files for a host whose configuration is this text.
    pub fn files<'a>(&'a self, config: &'a [u8]) -> Files<'a> {
        let all: [(&str, &[u8]); 3] = [(FILE, config), (KERNEL_FILE, &self.kernel), (INITRD_FILE, &self.initrd)];
        all.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
    }
}
