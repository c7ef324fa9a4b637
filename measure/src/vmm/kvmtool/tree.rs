//! The device tree of a kvmtool VM.

use super::{ADDED, Kvmtool, RAM};
use crate::Error;
use crate::vmm::tree::{EDGE, HIGH, Head, LOW, Node, SPI, node, pmu, timer};

/// Most processors whose redistributors have room between the devices and the distributor.
pub const MOST_CPUS: u32 = 255;

const GIC: u32 = 1;
const ITS: u32 = 2;
const GICD: [u64; 2] = [0x3FFF_0000, 0x1_0000];
const GICR_STRIDE: u64 = 0x2_0000;
const ITS_SIZE: u64 = 0x2_0000;
const UART: u64 = 0x0100_0000;
const UART_STRIDE: u64 = 0x1000;
const UART_SIZE: u64 = 8;
const RTC: [u64; 2] = [0x0101_0000, 2];
const VIRTIO: u64 = 0x0300_0000;
const VIRTIO_SIZE: u64 = 0x200;
const ECAM: [u64; 2] = [0x4000_0000, 0x1000_0000];
const PCI_MEMORY: [u32; 2] = [0x5000_0000, 0x3000_0000];
const PCI_IO_SIZE: u32 = 0x1_0000;

const VIRTIO_SPI: u32 = 4;
const PCI_SPI: u32 = 64;

impl Kvmtool {
    pub(super) fn tree(
        &self,
        initrd: Option<(u64, u64)>,
        log: Option<(u64, u64)>,
        has_pmu: bool,
    ) -> Result<Vec<u8>, Error> {
        let bootargs = match self.params.as_str() {
            "" => ADDED.to_string(),
            params => format!("{ADDED} {params}"),
        };
        Head { gic: GIC, bootargs: Some(&bootargs), initrd, memory: (RAM, self.memory), cpus: self.cpus }
            .root()
            .child(self.intc())
            .child(log.map(reserved))
            .child(timer(LOW))
            .child(has_pmu.then(pmu))
            .children((0..4).map(uart))
            .children((0..self.mmio).map(virtio))
            .child(node(format!("rtc@{:x}", RTC[0])).text("compatible", ["motorola,mc146818"]).wide("reg", &RTC))
            .child(self.pci())
            .flatten()
    }

    fn intc(&self) -> Node {
        let size = u64::from(self.cpus) * GICR_STRIDE;
        let gicr = GICD[0] - size;
        let its = self.its.then(|| {
            node("msic")
                .text("compatible", ["arm,gic-v3-its"])
                .flag("msi-controller")
                .cells("phandle", &[ITS])
                .wide("reg", &[gicr - ITS_SIZE, ITS_SIZE])
        });
        node("intc")
            .text("compatible", ["arm,gic-v3"])
            .cells("#interrupt-cells", &[3])
            .flag("interrupt-controller")
            .wide("reg", &[GICD[0], GICD[1], gicr, size])
            .cells("phandle", &[GIC])
            .cells("#address-cells", &[2])
            .cells("#size-cells", &[2])
            .flag("ranges")
            .child(its)
    }

    fn pci(&self) -> Node {
        let interrupts = (0..32).flat_map(|slot| [slot << 11, 0, 0, 1, GIC, 0, 0, SPI, PCI_SPI + slot, HIGH]);
        let pci = node(format!("pci@{:x}", ECAM[0]))
            .text("device_type", ["pci"])
            .cells("#address-cells", &[3])
            .cells("#size-cells", &[2])
            .flag("dma-coherent")
            .cells("bus-range", &[0, 0])
            .text("compatible", ["pci-host-ecam-generic"])
            .wide("reg", &ECAM)
            .cells("ranges", &RANGES)
            .cells("interrupt-map", &interrupts.collect::<Vec<_>>())
            .cells("interrupt-map-mask", &[31 << 11, 0, 0, 7])
            .cells("#interrupt-cells", &[1]);
        if self.its { pci.cells("msi-map", &[0, ITS, 0, 0x1_0000]) } else { pci }
    }
}

/// I/O ports and 32-bit memory of PCI, each as PCI address, address and size.
const RANGES: [u32; 14] = [
    0x0100_0000,
    0,
    0,
    0,
    0,
    0,
    PCI_IO_SIZE, //
    0x0200_0000,
    0,
    PCI_MEMORY[0],
    0,
    PCI_MEMORY[0],
    0,
    PCI_MEMORY[1],
];

fn reserved((base, size): (u64, u64)) -> Node {
    let log = node(format!("event-log@{base:x}")).text("compatible", ["cc-event-log"]).wide("reg", &[base, size]);
    node("reserved-memory").cells("#address-cells", &[2]).cells("#size-cells", &[2]).flag("ranges").child(log)
}

fn uart(index: u32) -> Node {
    let base = UART + u64::from(index) * UART_STRIDE;
    node(format!("U6_16550A@{base:x}"))
        .text("compatible", ["ns16550a"])
        .wide("reg", &[base, UART_SIZE])
        .cells("interrupts", &[SPI, index, HIGH])
        .cells("clock-frequency", &[1_843_200])
}

fn virtio(index: u32) -> Node {
    let base = VIRTIO + u64::from(index) * VIRTIO_SIZE;
    node(format!("virtio@{base:x}"))
        .text("compatible", ["virtio,mmio"])
        .wide("reg", &[base, VIRTIO_SIZE])
        .flag("dma-coherent")
        .cells("interrupts", &[SPI, VIRTIO_SPI + index, EDGE])
}
