//! Registers of the distributor and of the redistributors (Arm IHI 0069, 12.9 and 12.11), as the guest sees them.

use super::{FIRST_SPI, Gic, Interrupt, SPIS};

/// Bytes of one redistributor: its control frame and its SGI frame.
pub const REDISTRIBUTOR: u64 = 0x2_0000;
const SGI_FRAME: u64 = 0x1_0000;

const CTLR: u64 = 0x0;
const GICD_TYPER: u64 = 0x4;
const GICR_TYPER: u64 = 0x8;
const IIDR: u64 = 0x8;
const GICR_IIDR: u64 = 0x4;
const WAKER: u64 = 0x14;
const IROUTER: u64 = 0x6000;
const IROUTER_END: u64 = 0x8000;
const PIDR2: u64 = 0xFFE8;
/// GICv3, in the field that tells the architecture.
const PIDR2_GICV3: u64 = 0x3B;
/// Implementer Arm.
const IMPLEMENTER: u64 = 0x43B;
/// One security state (DS), affinity routing (ARE).
const CTLR_FIXED: u64 = 1 << 6 | 1 << 4;
const CTLR_GROUP1: u64 = 1 << 1;
/// Ten bits of interrupt number, no 1-of-N, no LPIs, no message-based SPIs.
const TYPER: u64 = 1 << 25 | 9 << 19 | (SPIS as u64 / 32);
const PROCESSOR_SLEEP: u64 = 1 << 1;
const CHILDREN_ASLEEP: u64 = 1 << 2;

/// Whose registers an access reaches.
#[derive(Clone, Copy)]
enum Frame {
    Distributor,
    Sgi(usize),
}

/// A bank of registers that holds the same property of one interrupt after the other.
#[derive(Clone, Copy)]
enum Bank {
    Group,
    SetEnable,
    ClearEnable,
    SetPending,
    ClearPending,
    SetActive,
    ClearActive,
    Priority,
    Config,
}

impl Bank {
    /// The bank at an offset, its first offset, and the bits that it has for each interrupt.
    fn at(offset: u64) -> Option<(Self, u64, u64)> {
        Some(match offset {
            0x80..0x100 => (Self::Group, 0x80, 1),
            0x100..0x180 => (Self::SetEnable, 0x100, 1),
            0x180..0x200 => (Self::ClearEnable, 0x180, 1),
            0x200..0x280 => (Self::SetPending, 0x200, 1),
            0x280..0x300 => (Self::ClearPending, 0x280, 1),
            0x300..0x380 => (Self::SetActive, 0x300, 1),
            0x380..0x400 => (Self::ClearActive, 0x380, 1),
            0x400..0x800 => (Self::Priority, 0x400, 8),
            0xC00..0xD00 => (Self::Config, 0xC00, 2),
            _ => return None,
        })
    }

    fn get(self, interrupt: &Interrupt) -> u64 {
        match self {
            Self::Group => u64::from(interrupt.group1),
            Self::SetEnable | Self::ClearEnable => u64::from(interrupt.enabled),
            Self::SetPending | Self::ClearPending => u64::from(interrupt.pending()),
            Self::SetActive | Self::ClearActive => u64::from(interrupt.active),
            Self::Priority => u64::from(interrupt.priority),
            Self::Config => u64::from(interrupt.edge) << 1,
        }
    }

    fn set(self, interrupt: &mut Interrupt, sgi: bool, value: u64) {
        let bit = value & 1 == 1;
        match self {
            Self::Group => interrupt.group1 = bit,
            Self::SetEnable => interrupt.enabled |= bit,
            Self::ClearEnable => interrupt.enabled &= !bit,
            Self::SetPending => interrupt.latch |= bit,
            Self::ClearPending => interrupt.latch &= !bit,
            Self::SetActive => interrupt.active |= bit,
            Self::ClearActive => interrupt.active &= !bit,
            Self::Priority => interrupt.priority = value.to_le_bytes()[0] & super::PRIORITY_BITS,
            Self::Config if sgi => {}
            Self::Config => interrupt.edge = value & 2 != 0,
        }
    }
}

impl Gic {
    /// Reads `size` bytes (1, 2, 4 or 8) at `offset` in the distributor; what is not there reads as zero.
    #[must_use]
    pub fn read_distributor(&mut self, offset: u64, size: u64) -> u64 {
        match offset {
            CTLR => CTLR_FIXED | if self.enabled { CTLR_GROUP1 } else { 0 },
            GICD_TYPER => TYPER,
            IIDR => IMPLEMENTER,
            PIDR2 => PIDR2_GICV3,
            IROUTER..IROUTER_END => {
                self.route(offset).map_or(0, |interrupt| affinity(interrupt.target)) >> (offset % 8 * 8)
            }
            _ => self.read_bank(Frame::Distributor, offset, size),
        }
    }

    /// Writes `size` bytes (1, 2, 4 or 8) at `offset` in the distributor; what is not there is ignored.
    pub fn write_distributor(&mut self, offset: u64, size: u64, value: u64) {
        match offset {
            CTLR => self.enabled = value & CTLR_GROUP1 != 0,
            // The upper half is Aff3, which no vCPU of ours has.
            IROUTER..IROUTER_END if offset.is_multiple_of(8) => self.set_route(offset, value),
            _ => self.write_bank(Frame::Distributor, offset, size, value),
        }
    }

    /// Reads `size` bytes at `offset` in the redistributors, which lie side by side in the order of vCPUs.
    #[must_use]
    pub fn read_redistributor(&mut self, offset: u64, size: u64) -> u64 {
        let cpu = (offset / REDISTRIBUTOR) as usize;
        let last = cpu + 1 == self.private.len();
        let Some(redistributor) = self.private.get(cpu) else { return 0 };
        match offset % REDISTRIBUTOR {
            GICR_IIDR => IMPLEMENTER,
            register @ (GICR_TYPER | 0xC) => redistributor_type(cpu, last) >> ((register - GICR_TYPER) * 8),
            WAKER if redistributor.asleep => PROCESSOR_SLEEP | CHILDREN_ASLEEP,
            PIDR2 => PIDR2_GICV3,
            register @ SGI_FRAME.. => self.read_bank(Frame::Sgi(cpu), register - SGI_FRAME, size),
            _ => 0,
        }
    }

    /// Writes `size` bytes at `offset` in the redistributors.
    pub fn write_redistributor(&mut self, offset: u64, size: u64, value: u64) {
        let cpu = (offset / REDISTRIBUTOR) as usize;
        let Some(redistributor) = self.private.get_mut(cpu) else { return };
        match offset % REDISTRIBUTOR {
            WAKER => redistributor.asleep = value & PROCESSOR_SLEEP != 0,
            register @ SGI_FRAME.. => self.write_bank(Frame::Sgi(cpu), register - SGI_FRAME, size, value),
            _ => {}
        }
    }

    fn read_bank(&mut self, frame: Frame, offset: u64, size: u64) -> u64 {
        let Some((bank, first, bits)) = Bank::at(offset) else { return 0 };
        let base = (offset - first) * 8 / bits;
        let mut value = 0;
        for n in 0..size.min(8) * 8 / bits {
            if let Some((interrupt, _)) = self.in_frame(frame, base + n) {
                value |= bank.get(interrupt) << (n * bits);
            }
        }
        value
    }

    fn write_bank(&mut self, frame: Frame, offset: u64, size: u64, value: u64) {
        let Some((bank, first, bits)) = Bank::at(offset) else { return };
        let base = (offset - first) * 8 / bits;
        for n in 0..size.min(8) * 8 / bits {
            if let Some((interrupt, sgi)) = self.in_frame(frame, base + n) {
                bank.set(interrupt, sgi, value >> (n * bits));
            }
        }
    }

    /// Interrupt `number` as this frame has it, and whether it is an SGI.
    fn in_frame(&mut self, frame: Frame, number: u64) -> Option<(&mut Interrupt, bool)> {
        let intid = u32::try_from(number).ok()?;
        let (cpu, private) = match frame {
            Frame::Distributor => (0, false),
            Frame::Sgi(cpu) => (cpu, true),
        };
        if private != (intid < FIRST_SPI) {
            return None;
        }
        self.interrupt(cpu, intid).map(|interrupt| (interrupt, intid < 16))
    }

    fn route(&mut self, offset: u64) -> Option<&mut Interrupt> {
        let intid = u32::try_from((offset - IROUTER) / 8).ok()?;
        if intid < FIRST_SPI { None } else { self.interrupt(0, intid) }
    }

    fn set_route(&mut self, offset: u64, value: u64) {
        let target = (value & 0xF | (value >> 8 & 0xFF) << 4) as usize;
        let cpus = self.private.len();
        if let Some(interrupt) = self.route(offset).filter(|_| target < cpus) {
            interrupt.target = target;
        }
    }
}

/// Affinity of a vCPU: 16 to a cluster, as the RMM numbers RECs (RMM 1.0, A2.3.3).
fn affinity(cpu: usize) -> u64 {
    (cpu as u64 & 0xF) | (cpu as u64 >> 4) << 8
}

fn redistributor_type(cpu: usize, last: bool) -> u64 {
    affinity(cpu) << 32 | (cpu as u64) << 8 | u64::from(last) << 4
}
