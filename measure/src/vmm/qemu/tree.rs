//! The device tree of `virt`, as of 9.1.

use super::Qemu;
use super::map::{ECAM_SIZE, GICR_HIGH_SIZE, Map, PCI_HIGH_SIZE, RAM};
use crate::Error;
use crate::vmm::tree::{EDGE, HIGH, Head, Node, SPI, node, pmu, timer};

/// Most processors that the GIC of `virt` has room for.
pub const MOST_CPUS: u32 = 512;

const GICD: [u64; 2] = [0x0800_0000, 0x1_0000];
const ITS: [u64; 2] = [0x0808_0000, 0x2_0000];
const GICR: [u64; 2] = [0x080A_0000, 0xF6_0000];
const GICR_STRIDE: u64 = 0x2_0000;
const UART: [u64; 2] = [0x0900_0000, 0x1000];
const RTC: [u64; 2] = [0x0901_0000, 0x1000];
const FW_CFG: [u64; 2] = [0x0902_0000, 0x18];
const VIRTIO: u64 = 0x0A00_0000;
const VIRTIO_SIZE: u64 = 0x200;
const VIRTIO_COUNT: u32 = 32;
const BUS: [u32; 2] = [0x0C00_0000, 0x0200_0000];
const PCI_IO: [u32; 2] = [0x3EFF_0000, 0x1_0000];
const PCI_MEMORY: [u32; 2] = [0x1000_0000, 0x2EFF_0000];

const UART_SPI: u32 = 1;
const RTC_SPI: u32 = 2;
const PCI_SPI: u32 = 3;
const VIRTIO_SPI: u32 = 16;

/// Handle of the clock; processors, GIC and ITS follow.
const CLOCK: u32 = 0x8000;

impl Qemu {
    pub(super) fn tree(
        &self,
        map: &Map,
        initrd: Option<(u64, u64)>,
        log: Option<(u64, u64)>,
        has_pmu: bool,
    ) -> Result<Vec<u8>, Error> {
        let gic = CLOCK + self.cpus + 1;
        let its = self.its.then_some(gic + 1);
        let bootargs = self.append.as_deref();
        Head { gic, bootargs, initrd, memory: (RAM, self.memory), cpus: self.cpus }
            .root()
            .child(platform_bus(gic))
            .child(log.map(reserved))
            .child(fw_cfg())
            .children((0..VIRTIO_COUNT).map(virtio))
            .child(pcie(map, gic, its))
            .child(rtc())
            .child(uart())
            .child(has_pmu.then(pmu))
            .child(self.intc(map, gic, its))
            .child(timer(HIGH))
            .child(clock())
            .flatten()
    }

    fn intc(&self, map: &Map, gic: u32, its: Option<u32>) -> Node {
        let two = u64::from(self.cpus) > GICR[1] / GICR_STRIDE;
        let mut reg = [GICD, GICR].concat();
        if two {
            reg.extend([map.gicr, GICR_HIGH_SIZE]);
        }
        let its = its.map(|handle| {
            node(format!("its@{:x}", ITS[0]))
                .cells("phandle", &[handle])
                .wide("reg", &ITS)
                .cells("#msi-cells", &[1])
                .flag("msi-controller")
                .text("compatible", ["arm,gic-v3-its"])
        });
        node(format!("intc@{:x}", GICD[0]))
            .cells("phandle", &[gic])
            .wide("reg", &reg)
            .cells("#redistributor-regions", &[if two { 2 } else { 1 }])
            .text("compatible", ["arm,gic-v3"])
            .flag("ranges")
            .cells("#size-cells", &[2])
            .cells("#address-cells", &[2])
            .flag("interrupt-controller")
            .cells("#interrupt-cells", &[3])
            .child(its)
    }
}

fn platform_bus(gic: u32) -> Node {
    node(format!("platform-bus@{:x}", BUS[0]))
        .cells("interrupt-parent", &[gic])
        .cells("ranges", &[0, 0, BUS[0], BUS[1]])
        .cells("#address-cells", &[1])
        .cells("#size-cells", &[1])
        .text("compatible", ["qemu,platform", "simple-bus"])
}

fn reserved((base, size): (u64, u64)) -> Node {
    let log = node(format!("event-log@{base:x}")).wide("reg", &[base, size]).text("compatible", ["cc-event-log"]);
    node("reserved-memory").flag("ranges").cells("#size-cells", &[2]).cells("#address-cells", &[2]).child(log)
}

fn fw_cfg() -> Node {
    node(format!("fw-cfg@{:x}", FW_CFG[0]))
        .flag("dma-coherent")
        .wide("reg", &FW_CFG)
        .text("compatible", ["qemu,fw-cfg-mmio"])
}

fn virtio(index: u32) -> Node {
    let base = VIRTIO + u64::from(index) * VIRTIO_SIZE;
    node(format!("virtio_mmio@{base:x}"))
        .flag("dma-coherent")
        .cells("interrupts", &[SPI, VIRTIO_SPI + index, EDGE])
        .wide("reg", &[base, VIRTIO_SIZE])
        .text("compatible", ["virtio,mmio"])
}

fn pcie(map: &Map, gic: u32, its: Option<u32>) -> Node {
    let lines = (0..4).flat_map(|slot| (0..4).map(move |pin| (slot, pin)));
    let interrupts = lines.flat_map(|(slot, pin)| {
        let line = PCI_SPI + (pin + slot) % 4;
        [slot << 11, 0, 0, pin + 1, gic, 0, 0, SPI, line, HIGH]
    });
    let pcie = node(format!("pcie@{:x}", PCI_MEMORY[0]))
        .cells("interrupt-map", &interrupts.collect::<Vec<_>>())
        .cells("interrupt-map-mask", &[3 << 11, 0, 0, 7])
        .cells("#interrupt-cells", &[1])
        .cells("ranges", &ranges(map))
        .wide("reg", &[map.ecam, ECAM_SIZE]);
    match its {
        Some(handle) => pcie.cells("msi-map", &[0, handle, 0, 0x1_0000]),
        None => pcie,
    }
    .flag("dma-coherent")
    .cells("bus-range", &[0, 0xFF])
    .cells("linux,pci-domain", &[0])
    .cells("#size-cells", &[2])
    .cells("#address-cells", &[3])
    .text("device_type", ["pci"])
    .text("compatible", ["pci-host-ecam-generic"])
}

/// I/O ports, 32-bit memory and 64-bit memory of PCI, each as PCI address, address and size.
fn ranges(map: &Map) -> [u32; 21] {
    let [high, low] = halves(map.pci);
    let [size_high, size_low] = halves(PCI_HIGH_SIZE);
    [
        0x0100_0000,
        0,
        0,
        0,
        PCI_IO[0],
        0,
        PCI_IO[1], //
        0x0200_0000,
        0,
        PCI_MEMORY[0],
        0,
        PCI_MEMORY[0],
        0,
        PCI_MEMORY[1], //
        0x0300_0000,
        high,
        low,
        high,
        low,
        size_high,
        size_low,
    ]
}

fn halves(value: u64) -> [u32; 2] {
    [(value >> 32) as u32, value as u32]
}

fn rtc() -> Node {
    node(format!("pl031@{:x}", RTC[0]))
        .text("clock-names", ["apb_pclk"])
        .wide("reg", &RTC)
        .cells("clocks", &[CLOCK])
        .cells("interrupts", &[SPI, RTC_SPI, HIGH])
        .text("compatible", ["arm,pl031", "arm,primecell"])
}

fn uart() -> Node {
    node(format!("pl011@{:x}", UART[0]))
        .text("clock-names", ["uartclk", "apb_pclk"])
        .wide("reg", &UART)
        .cells("clocks", &[CLOCK, CLOCK])
        .cells("interrupts", &[SPI, UART_SPI, HIGH])
        .text("compatible", ["arm,pl011", "arm,primecell"])
}

fn clock() -> Node {
    node("apb-pclk")
        .cells("phandle", &[CLOCK])
        .text("clock-output-names", ["clk24mhz"])
        .cells("clock-frequency", &[24_000_000])
        .cells("#clock-cells", &[0])
        .text("compatible", ["fixed-clock"])
}
