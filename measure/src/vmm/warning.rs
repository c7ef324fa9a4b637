//! What whoever relies on a RIM should know.

use std::fmt;

/// Where a VM, its VMM or what is known of both departs from what a reader may take for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The tree is made here, and the VMM would make another one.
    OwnTree,
    /// QEMU changes a tree that it is given.
    TreeIsRewritten,
    /// The VMM does not unpack kernels.
    Packed,
    /// A kernel that does not start at the start of RAM.
    TextOffset,
    /// Firmware gets the kernel at run time.
    KernelOutside,
    /// kvmtool adds to the kernel's command line.
    AddedBootargs,
    /// kvmtool's command line says nothing of what the host has.
    FeaturesOff,
    /// More processors than a cluster has.
    ManyCpus,
    /// A machine other than the one that the tree is modelled on.
    Machine,
    /// virtCCA: a device tree that is none.
    NoTree,
    /// virtCCA: the initial RAM disk is an exact multiple of its blocks.
    InitrdFillsBlock,
    /// virtCCA: little RAM.
    LittleRam,
    /// virtCCA: a kernel that reaches the initial RAM disk.
    LongKernel,
    /// virtCCA: SHA-512 has no public answer to compare with.
    Untried512,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Warning::OwnTree => {
                "the device tree is made here: the VMM must be given the one that --output-dtb writes (-dtb, --dtb), or its \
                 own must be measured with --dtb"
            }
            Warning::TreeIsRewritten => {
                "the device tree is measured as it is: QEMU writes memory, bootargs and initrd into a tree that it is given \
                 unless they are there already"
            }
            Warning::Packed => "the kernel is packed and measured as it unpacks: this VMM needs it unpacked",
            Warning::TextOffset => {
                "the kernel has a text_offset: it is measured as standing and starting there, where the Realm VM \
                 specification has it start at the start of RAM"
            }
            Warning::KernelOutside => {
                "the kernel and its initrd are handed to the firmware at run time: they are not in the RIM but in what the \
                 firmware measures"
            }
            Warning::AddedBootargs => {
                "kvmtool puts text before the kernel's command line, and which depends on its options: it is taken for \
                 ` console=hvc0 root=/dev/vda rw `, and the tree that --output-dtb writes says so"
            }
            Warning::FeaturesOff => {
                "PMU and SVE are measured as off where kvmtool's command line does not switch them on (--pmu, --sve-max-vl); \
                 --assume-host-features measures them as the host has them"
            }
            Warning::ManyCpus => {
                "the tree names processors by their number, and Realms of more than 16 have gaps between them: processors \
                 after the 16th would not start"
            }
            Warning::Machine => "the tree is modelled on QEMU's virt machine of 9.1: another version may need another one",
            Warning::NoTree => "the file given as device tree is none: it is measured as it is, and no kernel would start with it",
            Warning::InitrdFillsBlock => {
                "the initrd fills its last 2 MiB: the reference tool counts another block after it, QEMU may not"
            }
            Warning::LittleRam => {
                "with less than 256 MiB of RAM QEMU places the initrd elsewhere than the reference tool does"
            }
            Warning::LongKernel => "the kernel reaches beyond 126 MiB, into where the initrd or the device tree stands",
            Warning::Untried512 => "no public RIM of virtCCA by SHA-512 is known to compare with",
        })
    }
}
