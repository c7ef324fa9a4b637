//! The RIM of a confidential VM on Huawei's virtCCA, whose TMM measures in its own way.
//!
//! Created with parameters of another layout, then every page of every image in ascending address, padding included, then
//! every TEC, whether it runs or not. No RIPAS, no personalization value, no size of memory. The device tree must be the one
//! that QEMU hands over: it is not made here.

use std::path::Path;

use abi::measurement::Hash;
use abi::{GRANULE, GRANULE_U64};
use host::image::Packing;

use crate::blob::Blob;
use crate::kernel::Kernel;
use crate::rim::{Rim, algorithm};
use crate::vmm::{self, Files, Warning, place, qemu};
use crate::{Error, Expected};

const MIB: u64 = 1 << 20;
const BLOCK: u64 = 2 * MIB;
/// RAM, where the stub stands that starts a kernel.
const RAM: u64 = 0x4000_0000;
/// Where the kernel stands.
const KERNEL: u64 = RAM + BLOCK;
/// Where the initial RAM disk stands, or the device tree without one.
const INITRD: u64 = RAM + 128 * MIB;
/// Bytes that firmware takes, zeros after its end.
const FIRMWARE: u64 = 128 * MIB;
/// Width of addresses in bits.
const IPA_WIDTH: u8 = 40;
/// Bytes of what is measured of a TEC: eight registers, the first instruction and flags.
const TEC: usize = 80;
/// Instructions that load the tree's address and the kernel's entry from behind them, clear x1 to x3 and branch.
const STUB: [u32; 6] = [0x5800_00C0, 0xAA1F_03E1, 0xAA1F_03E2, 0xAA1F_03E3, 0x5800_0084, 0xD61F_0080];

/// A VM to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Virtcca {
    /// vCPUs, each with a TEC.
    pub cpus: u32,
    /// Bits of an SVE vector, 0 without SVE.
    pub sve: u16,
    /// Counters of the PMU, 0 without a PMU.
    pub counters: u8,
    /// Hash algorithm.
    pub hash: Hash,
    /// Bytes of RAM where that is known: only for warnings.
    pub memory: Option<u64>,
    /// The files that are loaded.
    pub files: Files,
}

/// An image with the bytes that it takes, zeros after its end.
struct Padded {
    what: &'static str,
    ipa: u64,
    size: u64,
    blob: Blob<'static>,
}

impl Virtcca {
    /// Reads the command line of QEMU, without the program's name.
    ///
    /// # Errors
    /// [`Error::Option`] names the first option that is not known not to change the VM, [`Error::Missing`] what makes it a
    /// confidential VM and is not there.
    pub fn parse(words: &[String]) -> Result<Virtcca, Error> {
        let (vm, tmm) = qemu::parse_tmm(words)?;
        let qemu::Tmm { sve, counters, hash } = tmm;
        Ok(Virtcca { cpus: vm.cpus, sve, counters, hash, memory: Some(vm.memory), files: vm.files })
    }

    /// Reads every image once and gives the measurements that the VM's token must show, and what to know of them.
    ///
    /// # Errors
    /// Files that are missing, cannot be read or do not fit, and parameters that no TMM takes.
    pub fn measure(&self) -> Result<(Expected, Vec<Warning>), Error> {
        let mut warnings = Vec::new();
        let mut rim = Rim::from(self.hash, &self.params()?);
        let (images, pc) = self.images(&mut warnings)?;
        let is_tree = self.files.dtb.as_deref().map(vmm::tree_of).is_some_and(|tree| tree.is_ok());
        warnings.extend((!is_tree).then_some(Warning::NoTree));
        let mut free = 0;
        for image in images {
            if image.ipa < free {
                return Err(Error::Overlap { what: image.what, ipa: image.ipa, free });
            }
            free = image.ipa + image.size;
            image.measure(&mut rim)?;
        }
        (0..self.cpus).for_each(|index| rim.rec_content(&tec(index == 0, pc)));
        if self.hash == Hash::Sha512 {
            warnings.push(Warning::Untried512);
        }
        Ok((Expected::new(self.hash, rim.value(), [0; 64]), warnings))
    }

    fn params(&self) -> Result<[u8; GRANULE], Error> {
        if self.sve > 2048 || !self.sve.is_multiple_of(128) {
            return Err(Error::option(
                "sve-vector-length",
                format!("expected a multiple of 128 up to 2048, found {}", self.sve),
            ));
        }
        if self.counters > 31 {
            return Err(Error::option("num-pmu-counters", format!("expected at most 31, found {}", self.counters)));
        }
        if self.cpus == 0 {
            return Err(Error::option("-smp", "expected at least one processor"));
        }
        let mut page = [0; GRANULE];
        page[0x00] = u8::from(self.sve > 0) << 1 | u8::from(self.counters > 0) << 2;
        page[0x08] = IPA_WIDTH;
        page[0x10] = (self.sve / 128) as u8;
        page[0x28] = self.counters;
        page[0x30] = algorithm(self.hash);
        Ok(page)
    }

    /// Images in ascending address, and the first instruction.
    fn images(&self, warnings: &mut Vec<Warning>) -> Result<(Vec<Padded>, u64), Error> {
        let dtb = self.files.dtb.as_deref().ok_or(Error::Missing {
            what: "virtCCA: expected --dtb with the tree that QEMU hands over: run its command line once with -machine …,dumpdtb=FILE added",
        })?;
        match (&self.files.firmware, &self.files.kernel) {
            (Some(firmware), None) => {
                if self.files.initrd.is_some() {
                    return Err(Error::option("-initrd", "firmware without a kernel loads no initrd"));
                }
                let blob = Blob::file(firmware)?;
                place::end("firmware", 0, blob.length().unwrap_or(0), FIRMWARE)?;
                let firmware = Padded { what: "firmware", ipa: 0, size: FIRMWARE, blob };
                Ok((vec![firmware, padded("device tree", RAM, dtb)?], 0))
            }
            (None, Some(kernel)) => self.direct(kernel, dtb, warnings).map(|images| (images, RAM)),
            (Some(_), Some(_)) => {
                Err(Error::option("-kernel", "expected a kernel or firmware: what of both is measured is not known"))
            }
            (None, None) => Err(Error::Missing {
                what: "virtCCA: expected a kernel (-kernel) or firmware (-bios): the VM would start nothing that can be measured",
            }),
        }
    }

    fn direct(&self, kernel: &Path, dtb: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<Padded>, Error> {
        let Kernel { image, packing, blob } = Kernel::open(kernel)?;
        let initrd = self.files.initrd.as_deref().map(|path| padded("initrd", INITRD, path)).transpose()?;
        let tree = initrd.as_ref().map_or(INITRD, |initrd| initrd.ipa + initrd.size);
        let size = place::up(image.image_size, GRANULE_U64);
        for (departs, warning) in [
            (packing != Packing::Raw, Warning::Packed),
            (image.text_offset != 0, Warning::TextOffset),
            (self.memory.is_some_and(|memory| memory < 256 * MIB), Warning::LittleRam),
            (KERNEL + size > INITRD, Warning::LongKernel),
            (
                initrd.as_ref().and_then(|it| it.blob.length()).is_some_and(|it| it.is_multiple_of(BLOCK)),
                Warning::InitrdFillsBlock,
            ),
        ] {
            warnings.extend(departs.then_some(warning));
        }
        let stub = Padded { what: "boot stub", ipa: RAM, size: BLOCK, blob: vmm::owned(stub(tree)) };
        let kernel = Padded { what: "kernel", ipa: KERNEL, size, blob };
        let dtb = padded("device tree", tree, dtb)?;
        Ok([Some(stub), Some(kernel), initrd, Some(dtb)].into_iter().flatten().collect())
    }
}

/// A file that takes whole blocks, and another one where it fills them.
fn padded(what: &'static str, ipa: u64, path: &Path) -> Result<Padded, Error> {
    let blob = Blob::file(path)?;
    let size = place::up(blob.length().unwrap_or(0).saturating_add(1), BLOCK);
    place::end(what, ipa, size, 1 << (IPA_WIDTH - 1))?;
    Ok(Padded { what, ipa, size, blob })
}

impl Padded {
    fn measure(self, rim: &mut Rim) -> Result<(), Error> {
        let (mut ipa, end) = (self.ipa, self.ipa + self.size);
        self.blob.granules(self.what, 0, |page| {
            rim.data(ipa, page);
            ipa += GRANULE_U64;
        })?;
        for ipa in (ipa..end).step_by(GRANULE) {
            rim.data(ipa, &[0; GRANULE]);
        }
        Ok(())
    }
}

fn stub(tree: u64) -> Vec<u8> {
    let words = STUB.into_iter().flat_map(u32::to_le_bytes);
    words.chain(tree.to_le_bytes()).chain(KERNEL.to_le_bytes()).collect()
}

/// Only the first TEC has an instruction to start with, and only it runs.
fn tec(first: bool, pc: u64) -> [u8; TEC] {
    let mut tec = [0; TEC];
    if first {
        tec[0x40..0x48].copy_from_slice(&pc.to_le_bytes());
        tec[0x48] = 1;
    }
    tec
}

#[cfg(test)]
mod tests;
