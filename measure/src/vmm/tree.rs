//! Device trees, written down as they stand in memory.

use vm_fdt::{Error as Refusal, FdtWriter};

use crate::Error;

/// Interrupts of one processor.
pub const PPI: u32 = 1;
/// Interrupts of all processors.
pub const SPI: u32 = 0;
/// Triggered by a rising edge.
pub const EDGE: u32 = 1;
/// Triggered while high.
pub const HIGH: u32 = 4;
/// Triggered while low.
pub const LOW: u32 = 8;

/// A node with its properties and children in their order.
#[derive(Debug)]
pub struct Node {
    name: String,
    properties: Vec<(&'static str, Vec<u8>)>,
    children: Vec<Node>,
}

/// A node without properties.
pub fn node(name: impl Into<String>) -> Node {
    Node { name: name.into(), properties: Vec::new(), children: Vec::new() }
}

impl Node {
    fn with(mut self, name: &'static str, value: Vec<u8>) -> Node {
        self.properties.push((name, value));
        self
    }

    /// A property without a value.
    pub fn flag(self, name: &'static str) -> Node {
        self.with(name, Vec::new())
    }

    /// A property of cells.
    pub fn cells(self, name: &'static str, cells: &[u32]) -> Node {
        self.with(name, cells.iter().flat_map(|cell| cell.to_be_bytes()).collect())
    }

    /// A property of pairs of cells.
    pub fn wide(self, name: &'static str, pairs: &[u64]) -> Node {
        self.with(name, pairs.iter().flat_map(|pair| pair.to_be_bytes()).collect())
    }

    /// A property of one text or a list of them.
    pub fn text<const N: usize>(self, name: &'static str, texts: [&str; N]) -> Node {
        self.with(name, texts.iter().flat_map(|text| text.bytes().chain([0])).collect())
    }

    /// A child, where there is one.
    pub fn child(mut self, child: impl Into<Option<Node>>) -> Node {
        self.children.extend(child.into());
        self
    }

    /// Children.
    pub fn children(mut self, children: impl IntoIterator<Item = Node>) -> Node {
        self.children.extend(children);
        self
    }

    /// The flattened tree whose root this is (Devicetree Specification v0.4, chapter 5).
    pub fn flatten(&self) -> Result<Vec<u8>, Error> {
        let blob = || {
            let mut fdt = FdtWriter::new()?;
            self.write(&mut fdt)?;
            fdt.finish()
        };
        blob().map_err(|why: Refusal| Error::option("device tree", why.to_string()))
    }

    fn write(&self, fdt: &mut FdtWriter) -> Result<(), Refusal> {
        let node = fdt.begin_node(&self.name)?;
        self.properties.iter().try_for_each(|(name, value)| fdt.property(name, value))?;
        self.children.iter().try_for_each(|child| child.write(fdt))?;
        fdt.end_node(node)
    }
}

/// What both VMMs' trees begin with.
pub struct Head<'a> {
    /// Handle of the interrupt controller.
    pub gic: u32,
    /// The kernel's command line.
    pub bootargs: Option<&'a str>,
    /// First byte of the initial RAM disk, and the first after it.
    pub initrd: Option<(u64, u64)>,
    /// First byte of RAM, and its size.
    pub memory: (u64, u64),
    /// Processors.
    pub cpus: u32,
}

impl Head<'_> {
    /// The root, up to and with PSCI, whose conduit SMC is what makes Linux look for the RMM.
    pub fn root(&self) -> Node {
        let mut chosen = node("chosen");
        if let Some(bootargs) = self.bootargs {
            chosen = chosen.text("bootargs", [bootargs]);
        }
        if let Some((start, end)) = self.initrd {
            chosen = chosen.wide("linux,initrd-start", &[start]).wide("linux,initrd-end", &[end]);
        }
        let (base, size) = self.memory;
        node("")
            .text("compatible", ["linux,dummy-virt"])
            .text("model", ["linux,dummy-virt-realm"])
            .cells("#address-cells", &[2])
            .cells("#size-cells", &[2])
            .cells("interrupt-parent", &[self.gic])
            .child(chosen)
            .child(node(format!("memory@{base:x}")).text("device_type", ["memory"]).wide("reg", &[base, size]))
            .child(cpus(self.cpus))
            .child(
                node("psci")
                    .cells("cpu_on", &[0xC400_0003])
                    .cells("cpu_off", &[0x8400_0002])
                    .text("method", ["smc"])
                    .text("compatible", ["arm,psci-1.0", "arm,psci-0.2", "arm,psci"]),
            )
    }
}

fn cpus(count: u32) -> Node {
    let cpu = |index: u32| {
        node(format!("cpu@{index}"))
            .cells("reg", &[index])
            .text("enable-method", ["psci"])
            .text("compatible", ["arm,armv8"])
            .text("device_type", ["cpu"])
    };
    node("cpus").cells("#size-cells", &[0]).cells("#address-cells", &[1]).children((0..count).map(cpu))
}

/// Timers: secure, physical, virtual.
pub fn timer(trigger: u32) -> Node {
    let interrupts: Vec<u32> = [13, 14, 11].into_iter().flat_map(|ppi| [PPI, ppi, trigger]).collect();
    node("timer")
        .cells("interrupts", &interrupts)
        .flag("always-on")
        .text("compatible", ["arm,armv8-timer", "arm,armv7-timer"])
}

/// The PMU.
pub fn pmu() -> Node {
    node("pmu").cells("interrupts", &[PPI, 7, HIGH]).text("compatible", ["arm,armv8-pmuv3"])
}
