//! Flash 0 (docs/architecture.md §2): boot, the machine's configuration, OTP, and the signed images.

use abi::map;
use rot::config::{Firmware, Hardware};

/// What stands in flash 0. It holds the machine's secret: whoever writes it to a file keeps that file to themselves.
pub struct Parts<'a> {
    /// The boot image as built.
    pub boot: &'a [u8],
    /// HW_CONFIG.
    pub hardware: &'a Hardware,
    /// FW_CONFIG.
    pub firmware: &'a Firmware,
    /// One-time programmable memory.
    pub otp: &'a [u8],
    /// The signed monitor.
    pub monitor: &'a [u8],
    /// The signed RMM.
    pub rmm: &'a [u8],
}

impl Parts<'_> {
    /// Lays everything at its offset, erased bytes (0xFF) between. What does not fit its place is an error that names it.
    pub fn compose(&self) -> Result<Vec<u8>, String> {
        let (hardware, firmware) = (self.hardware.encode(), self.firmware.encode());
        let places: [(&str, u64, u64, &[u8]); 6] = [
            ("the boot image", 0, map::BOOT_MAX, self.boot),
            ("HW_CONFIG", map::HW_CONFIG, hardware.len() as u64, &hardware),
            ("FW_CONFIG", map::FW_CONFIG, firmware.len() as u64, &firmware),
            ("OTP", map::OTP, rot::otp::LENGTH as u64, self.otp),
            ("the signed monitor", map::MONITOR_IMAGE, map::MONITOR_IMAGE_MAX, self.monitor),
            ("the signed RMM", map::RMM_IMAGE, map::RMM_IMAGE_MAX, self.rmm),
        ];
        let mut flash = Vec::new();
        for (name, offset, room, bytes) in places {
            if bytes.len() as u64 > room {
                return Err(format!("{name} has {} bytes; its place in flash 0 has {room}", bytes.len()));
            }
            flash.resize(usize::try_from(offset).unwrap_or(usize::MAX), 0xFF);
            flash.extend_from_slice(bytes);
        }
        Ok(flash)
    }
}
