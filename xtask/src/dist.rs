//! `cargo xtask dist`: a tarball for each processor that runs where there is only QEMU.

use crate::images::{FIRMWARE, Images};
use crate::musl::Arch;
use crate::{Done, room};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const README: &str = "\
Allod: Arm CCA Realms on an emulated machine, attested and verified.

  ./allod run --kernel Image --initrd initrd.img --verify

manufactures a machine in ./machine at the first start, signs ./firmware with its signer, boots the kernel as a Realm
under QEMU 10.0 or newer, has it attested, and judges its token. Any arm64 Linux kernel 6.13 or newer will do that has
virtio-pci built in; the initramfs holds `allod-guest` and the modules of the kernel that it was built with.

  ./allod --help        guest/allod-guest is the tool inside the Realm
";

/// Writes the tarball of what was built, with the `allod` of a processor, and answers its path. The same files give the
/// same bytes.
pub(crate) fn write(images: &Images, arch: Arch, allod: &Path) -> Done<PathBuf> {
    let name = format!("allod-{}-{}", env!("CARGO_PKG_VERSION"), arch.name());
    let path = room::target("dist").join(format!("{name}.tar.gz"));
    fs::create_dir_all(room::target("dist"))?;
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(&path)?, Compression::default()));
    let mut add = |inside: &str, mode: u32, bytes: &[u8]| -> Done {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(mode);
        header.set_cksum();
        Ok(archive.append_data(&mut header, format!("{name}/{inside}"), bytes)?)
    };
    add("README", 0o644, README.as_bytes())?;
    add("LICENSE", 0o644, &fs::read(room::root().join("LICENSE"))?)?;
    add("allod", 0o755, &fs::read(allod)?)?;
    for image in FIRMWARE {
        let inside = format!("firmware/{image}.bin");
        add(&inside, 0o644, &fs::read(images.firmware.join(format!("{image}.bin")))?)?;
    }
    add("guest/allod-guest", 0o755, &fs::read(&images.guest)?)?;
    add("initrd.img", 0o644, &fs::read(&images.initrd)?)?;
    archive.into_inner()?.finish()?;
    Ok(path)
}

/// Unpacks a tarball into a folder.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Done {
    let _ = fs::remove_dir_all(into);
    fs::create_dir_all(into)?;
    Ok(tar::Archive::new(GzDecoder::new(File::open(archive)?)).unpack(into)?)
}
