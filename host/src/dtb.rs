//! The device tree of a VM of profile `allod`: GICv3, one PCI bus, PSCI by SMC, and no device but what PCI shows.
//!
//! Addresses are those of QEMU's `virt` machine with its ECAM below 4 GiB. They stand without the bit that marks shared
//! addresses: the Realm's kernel adds it. There is no `kaslr-seed` and no `rng-seed`: the host would know both, and they
//! would change the RIM.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use vm_fdt::{Error as Refusal, FdtWriter};

use crate::Error;

/// GIC distributor.
pub const GICD: u64 = 0x0800_0000;
/// Bytes of the GIC distributor.
pub const GICD_SIZE: u64 = 0x1_0000;
/// Redistributor of vCPU 0; the others follow.
pub const GICR: u64 = 0x080A_0000;
/// Bytes of one vCPU's redistributor: its RD and its SGI frame.
pub const GICR_STRIDE: u64 = 0x2_0000;
/// Configuration space of PCI bus 0 (ECAM).
pub const ECAM: u64 = 0x3F00_0000;
/// Bytes of configuration space: one bus.
pub const ECAM_SIZE: u64 = 0x10_0000;
/// Where the guest puts PCI memory BARs.
pub const PCI_MEMORY: u64 = 0x1000_0000;
/// Bytes for PCI memory BARs.
pub const PCI_MEMORY_SIZE: u64 = 0x2EFF_0000;
/// INTA of PCI slot n is shared peripheral interrupt `PCI_SPI + n % 4`, level high.
pub const PCI_SPI: u32 = 3;

const GIC_PHANDLE: u32 = 1;
const SPI: u32 = 0;
const PPI: u32 = 1;
const LEVEL_HIGH: u32 = 4;
/// Private peripheral interrupts of the secure, physical, virtual and hypervisor timers.
const TIMER_PPIS: [u32; 4] = [13, 14, 11, 10];

/// What the tree says of one VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree<'a> {
    /// RAM, as addresses of the guest.
    pub ram: Range<u64>,
    /// vCPUs.
    pub cpus: u32,
    /// Kernel command line.
    pub cmdline: &'a str,
    /// The initial RAM disk's bytes, to its exact end.
    pub initrd: Option<Range<u64>>,
}

/// Writes the flattened device tree (Devicetree Specification v0.4, chapter 5).
///
/// # Errors
/// [`Error::DeviceTree`] where a value cannot stand in a tree.
pub fn write(tree: &Tree<'_>) -> Result<Vec<u8>, Error> {
    blob(tree).map_err(|refusal| Error::DeviceTree { why: refusal.to_string() })
}

fn blob(tree: &Tree<'_>) -> Result<Vec<u8>, Refusal> {
    let mut fdt = FdtWriter::new()?;
    let root = fdt.begin_node("")?;
    cells(&mut fdt, 2, 2)?;
    fdt.property_string("compatible", "linux,dummy-virt")?;
    fdt.property_u32("interrupt-parent", GIC_PHANDLE)?;
    chosen(&mut fdt, tree)?;
    memory(&mut fdt, &tree.ram)?;
    psci(&mut fdt)?;
    cpus(&mut fdt, tree.cpus)?;
    timer(&mut fdt)?;
    gic(&mut fdt, tree.cpus)?;
    pcie(&mut fdt)?;
    fdt.end_node(root)?;
    fdt.finish()
}

fn chosen(fdt: &mut FdtWriter, tree: &Tree<'_>) -> Result<(), Refusal> {
    let node = fdt.begin_node("chosen")?;
    fdt.property_string("bootargs", tree.cmdline)?;
    if let Some(initrd) = &tree.initrd {
        fdt.property_u64("linux,initrd-start", initrd.start)?;
        fdt.property_u64("linux,initrd-end", initrd.end)?;
    }
    fdt.end_node(node)
}

fn memory(fdt: &mut FdtWriter, ram: &Range<u64>) -> Result<(), Refusal> {
    let node = fdt.begin_node(&format!("memory@{:x}", ram.start))?;
    fdt.property_string("device_type", "memory")?;
    fdt.property_array_u64("reg", &[ram.start, ram.end.saturating_sub(ram.start)])?;
    fdt.end_node(node)
}

/// The conduit `smc` is what lets Linux notice that it is a Realm.
fn psci(fdt: &mut FdtWriter) -> Result<(), Refusal> {
    let node = fdt.begin_node("psci")?;
    let names = ["arm,psci-1.0", "arm,psci-0.2", "arm,psci"];
    fdt.property_string_list("compatible", names.map(ToString::to_string).to_vec())?;
    fdt.property_string("method", "smc")?;
    fdt.end_node(node)
}

fn cpus(fdt: &mut FdtWriter, count: u32) -> Result<(), Refusal> {
    let node = fdt.begin_node("cpus")?;
    cells(fdt, 1, 0)?;
    for index in 0..count {
        let cpu = fdt.begin_node(&format!("cpu@{index:x}"))?;
        fdt.property_string("device_type", "cpu")?;
        fdt.property_string("compatible", "arm,armv8")?;
        fdt.property_u32("reg", index)?;
        fdt.property_string("enable-method", "psci")?;
        fdt.end_node(cpu)?;
    }
    fdt.end_node(node)
}

fn timer(fdt: &mut FdtWriter) -> Result<(), Refusal> {
    let node = fdt.begin_node("timer")?;
    fdt.property_string("compatible", "arm,armv8-timer")?;
    fdt.property_null("always-on")?;
    let interrupts: Vec<u32> = TIMER_PPIS.iter().flat_map(|ppi| [PPI, *ppi, LEVEL_HIGH]).collect();
    fdt.property_array_u32("interrupts", &interrupts)?;
    fdt.end_node(node)
}

fn gic(fdt: &mut FdtWriter, cpus: u32) -> Result<(), Refusal> {
    let node = fdt.begin_node(&format!("intc@{GICD:x}"))?;
    fdt.property_string("compatible", "arm,gic-v3")?;
    fdt.property_u32("#interrupt-cells", 3)?;
    fdt.property_null("interrupt-controller")?;
    cells(fdt, 2, 2)?;
    fdt.property_null("ranges")?;
    fdt.property_array_u64("reg", &[GICD, GICD_SIZE, GICR, GICR_STRIDE * u64::from(cpus)])?;
    fdt.property_phandle(GIC_PHANDLE)?;
    fdt.end_node(node)
}

/// One bus, 32-bit memory alone: Linux maps I/O port space without the bit of shared addresses.
fn pcie(fdt: &mut FdtWriter) -> Result<(), Refusal> {
    let node = fdt.begin_node("pcie@10000000")?;
    fdt.property_string("compatible", "pci-host-ecam-generic")?;
    fdt.property_string("device_type", "pci")?;
    cells(fdt, 3, 2)?;
    fdt.property_u32("#interrupt-cells", 1)?;
    fdt.property_null("dma-coherent")?;
    fdt.property_u32("linux,pci-domain", 0)?;
    fdt.property_array_u32("bus-range", &[0, 0])?;
    fdt.property_array_u64("reg", &[ECAM, ECAM_SIZE])?;
    let memory = [0x0200_0000, 0, PCI_MEMORY as u32, 0, PCI_MEMORY as u32, 0, PCI_MEMORY_SIZE as u32];
    fdt.property_array_u32("ranges", &memory)?;
    fdt.property_array_u32("interrupt-map-mask", &[0x1800, 0, 0, 7])?;
    fdt.property_array_u32("interrupt-map", &interrupt_map())?;
    fdt.end_node(node)
}

/// INTA of slots 0 to 3; the mask folds the other slots onto them.
fn interrupt_map() -> Vec<u32> {
    let mut map = vec![];
    for slot in 0..4 {
        map.extend([slot << 11, 0, 0, 1, GIC_PHANDLE, 0, 0, SPI, PCI_SPI + slot, LEVEL_HIGH]);
    }
    map
}

fn cells(fdt: &mut FdtWriter, address: u32, size: u32) -> Result<(), Refusal> {
    fdt.property_u32("#address-cells", address)?;
    fdt.property_u32("#size-cells", size)
}

#[cfg(test)]
mod tests;
