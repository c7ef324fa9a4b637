//! Accesses of the Realm to emulated registers.

use super::memory::View;
use super::pci::{Bus, Outside};
use super::{Normal, Vm, attack};
use crate::dtb::{ECAM, ECAM_SIZE, GICD, GICD_SIZE, GICR, GICR_STRIDE, PCI_MEMORY, PCI_MEMORY_SIZE, PCI_SPI};
use crate::vmm::gic::FIRST_SPI;

/// An access of one register to an address without the bit of shared ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmio {
    /// Address.
    pub address: u64,
    /// Bytes: 1, 2, 4 or 8.
    pub size: u64,
    /// The value of a store; a load has none.
    pub store: Option<u64>,
}

/// Which device an address belongs to, and the offset there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Distributor(u64),
    Redistributor(u64),
    Config(u64),
    Memory,
}

impl Place {
    fn of(address: u64, cpus: usize) -> Option<Self> {
        let within = |base: u64, size: u64| address.checked_sub(base).filter(|offset| *offset < size);
        within(GICD, GICD_SIZE)
            .map(Place::Distributor)
            .or_else(|| within(GICR, GICR_STRIDE * cpus as u64).map(Place::Redistributor))
            .or_else(|| within(ECAM, ECAM_SIZE).map(Place::Config))
            .or_else(|| within(PCI_MEMORY, PCI_MEMORY_SIZE).map(|_| Place::Memory))
    }

    fn is_gic(self) -> bool {
        matches!(self, Place::Distributor(_) | Place::Redistributor(_))
    }
}

/// What came of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emulated {
    /// What a load returns.
    pub value: u64,
    /// It was the interrupt controller's.
    pub gic: bool,
}

impl<N: Normal> Vm<'_, N> {
    /// Emulates an access of vCPU `cpu`; `None` where nothing answers.
    pub(super) fn emulate(&self, cpu: usize, access: Mmio) -> Option<Emulated> {
        let place = Place::of(access.address, self.vcpus.len())?;
        let value = if place.is_gic() { self.emulate_gic(place, access) } else { self.emulate_pci(place, access) };
        self.kick_due(cpu);
        Some(Emulated { value, gic: place.is_gic() })
    }

    /// Hands bytes from the outside to the console of their channel.
    pub(super) fn feed(&self, cpu: usize, channel: u8, bytes: &[u8]) {
        self.with_devices(|bus, outside| bus.feed(channel, bytes, outside));
        self.kick_due(cpu);
    }

    /// Kicks every other CPU whose vCPU has an interrupt to take.
    pub(super) fn kick_due(&self, cpu: usize) {
        let due = self.gic.lock().due() & !(1 << cpu);
        (0..self.vcpus.len()).filter(|target| due >> target & 1 == 1).for_each(|target| self.machine.kick(target));
    }

    fn emulate_gic(&self, place: Place, access: Mmio) -> u64 {
        let mut gic = self.gic.lock();
        match (place, access.store) {
            (Place::Distributor(offset), None) => return gic.read_distributor(offset, access.size),
            (Place::Distributor(offset), Some(value)) => gic.write_distributor(offset, access.size, value),
            (Place::Redistributor(offset), None) => return gic.read_redistributor(offset, access.size),
            (Place::Redistributor(offset), Some(value)) => gic.write_redistributor(offset, access.size, value),
            _ => {}
        }
        0
    }

    fn emulate_pci(&self, place: Place, access: Mmio) -> u64 {
        self.with_devices(|bus, outside| match (place, access.store) {
            (Place::Config(offset), None) => bus.read_config(offset, access.size),
            (Place::Config(offset), Some(value)) => {
                bus.write_config(offset, access.size, value);
                0
            }
            (_, None) => bus.read_memory(access.address, access.size),
            (_, Some(value)) => {
                bus.write_memory(access.address, access.size, value, outside);
                0
            }
        })
    }

    /// Runs something on the devices, then shows their lines to the interrupt controller.
    fn with_devices<T>(&self, each: impl FnOnce(&mut Bus, &mut Outside<'_>) -> T) -> T {
        let mut bus = self.bus.lock();
        let outcome = {
            let mut memory = self.memory.lock();
            let shared_bit = self.realm.shared_bit();
            let mut view = View { machine: self.machine, memory: &mut memory, shared_bit };
            let mut out = |channel: u8, bytes: &[u8]| {
                self.machine.output(channel, bytes);
                if channel == attack::SIGN_OF_LIFE {
                    self.attack.guest_is_up();
                }
            };
            each(&mut bus, &mut Outside { dma: &mut view, out: &mut out })
        };
        let mut gic = self.gic.lock();
        for (intid, level) in (FIRST_SPI + PCI_SPI..).zip(bus.lines()) {
            gic.set_line(0, intid, level);
        }
        outcome
    }
}
