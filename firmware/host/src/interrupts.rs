//! Physical interrupts of the Normal world: the timers' and the maintenance interrupt while a Realm runs, a kick, and
//! bytes from the outside. They stay masked and are taken by polling.

use abi::map;
use cpu::gic::{self, Distributor, Redistributor};
use cpu::mmio::write32;

use crate::serial;

/// Software interrupt that makes another CPU look up.
const KICK: u32 = 1;
/// Maintenance interrupt of the virtual CPU interface.
const MAINTENANCE: u32 = 25;
const VIRTUAL_TIMER: u32 = 27;
const PHYSICAL_TIMER: u32 = 30;
/// UART0: shared peripheral interrupt 1.
const UART: u32 = 33;
const PRIORITY: u8 = 0xA0;

const ISENABLER: usize = 0x100;
const IPRIORITYR: usize = 0x400;

/// Opens this CPU's own interrupts.
pub fn open(cpu: usize) {
    // SAFETY: QEMU's `virt` has its redistributors there, and this CPU exists.
    let own = unsafe { Redistributor::new(map::GICR as usize, cpu) };
    [KICK, MAINTENANCE, VIRTUAL_TIMER, PHYSICAL_TIMER].into_iter().for_each(|intid| own.enable(intid, PRIORITY));
    gic::open_el2();
}

/// Opens the distributor and the UART's interrupt, which goes to CPU 0 (IROUTER after reset).
pub fn open_shared() {
    let base = map::GICD as usize;
    // SAFETY: QEMU's `virt` has its distributor there.
    unsafe { Distributor::new(base) }.enable_group1();
    let word = 4 * (UART as usize / 32);
    // SAFETY: as above; the priority word's other bytes are of interrupts that nobody here uses.
    unsafe {
        write32(base + IPRIORITYR + (UART as usize & !3), u32::from(PRIORITY) << (8 * (UART & 3)));
        write32(base + ISENABLER + word, 1 << (UART % 32));
    }
    serial::open();
}

/// Makes CPU `cpu` look up.
pub fn kick(cpu: usize) {
    gic::send(KICK, cpu);
}

/// Takes all that is pending; whether whole frames have come from the outside.
///
/// Nothing pending is usual after a timer's or the maintenance interrupt: their lines fall as the Realm's state is put
/// away.
pub fn take() -> bool {
    loop {
        match gic::acknowledge() {
            1020.. => break,
            intid => {
                if intid == UART {
                    // Before its end: the line stays high until the bytes are taken.
                    serial::drain();
                }
                gic::end(intid);
            }
        }
    }
    serial::has_input()
}
