//! What C is compiled with for the static `allod`: this machine's gcc with musl's headers, or one that crosses over.
//!
//! AWS-LC is the only C in it. Rust brings the rest of musl and the linker, so that the headers of Debian's `musl-dev`
//! are all that is fetched on a machine that builds for itself; they are checked like the guest kernel.

use crate::apt::{self, Apt};
use crate::{Done, mirror, qemu, room, tool};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A processor that a static `allod` is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arch {
    X86_64,
    Aarch64,
}

impl Arch {
    pub(crate) const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// The one that runs this.
    pub(crate) fn here() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Aarch64 } else { Self::X86_64 }
    }

    /// The name in triples.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// Debian's name.
    fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// Debian's package of a gcc for it on another machine.
    fn package(self) -> &'static str {
        match self {
            Self::X86_64 => "gcc-x86-64-linux-gnu",
            Self::Aarch64 => "gcc-aarch64-linux-gnu",
        }
    }

    /// Rust's name of the target.
    pub(crate) fn target(self) -> String {
        format!("{}-unknown-linux-musl", self.name())
    }
}

/// Fetches what is missing to compile for a processor, and says on stderr what there is.
pub(crate) fn provision(arch: Arch) -> Done {
    eprintln!("musl     {}, headers {}", compiler(arch)?.display(), room::shown(&headers(arch)?));
    Ok(())
}

/// Sets what cargo's build scripts compile C for a processor with.
pub(crate) fn compile_for(cargo: &mut Command, arch: Arch) -> Done<&mut Command> {
    let compiler = compiler(arch)?;
    let own = tool::output(Command::new(&compiler).arg("-print-file-name=include"))?;
    let headers = headers(arch)?;
    let flags = format!("-nostdinc -isystem {} -isystem {} -U_FORTIFY_SOURCE", headers.display(), own.trim());
    let name = arch.target().replace('-', "_");
    Ok(cargo.env(format!("CC_{name}"), compiler).env(format!("CFLAGS_{name}"), flags))
}

/// musl's headers under `target/musl`, fetched if they are not there yet.
fn headers(arch: Arch) -> Done<PathBuf> {
    let home = room::target("musl").join(arch.name());
    let include = format!("usr/include/{}-linux-musl", arch.name());
    if home.join(&include).join("stdio.h").exists() {
        return Ok(home.join(include));
    }
    eprintln!("musl     fetching headers for {}", arch.name());
    let apt = format!("apt/musl-{}", arch.name());
    let apt = Apt::new(&room::target(&apt), arch.debian(), &mirror::find()?, &["stable"], "")?;
    apt.update()?;
    let packages = apt.packages()?;
    let package = packages.iter().find(|it| it.name == "musl-dev").ok_or("stable has no package musl-dev")?;
    eprintln!("musl     {} {} sha256:{}", package.name, package.version, package.sha256);
    let staging = home.with_extension("new");
    let _ = fs::remove_dir_all(&staging);
    apt::unpack(&apt.download(package)?, &staging)?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(&staging, &home)?;
    Ok(home.join(include))
}

/// A gcc for a processor: this machine's own, an installed one that crosses over, or Debian's, unpacked under `target/`.
fn compiler(arch: Arch) -> Done<PathBuf> {
    let works = |program: &Path| tool::output(Command::new(program).arg("--version")).is_ok();
    let native = arch == Arch::here();
    let installed = if native { "gcc".into() } else { format!("{}-linux-gnu-gcc", arch.name()) };
    if works(Path::new(&installed)) {
        return Ok(installed.into());
    }
    if native {
        return Err("there is no gcc in PATH: install it".into());
    }
    let wrapper = room::target("cross").join(&installed);
    if !works(&wrapper) {
        fetch(arch, &installed, &wrapper)?;
    }
    if works(&wrapper) { Ok(wrapper) } else { Err(format!("{} does not run", room::shown(&wrapper)).into()) }
}

fn fetch(arch: Arch, program: &str, wrapper: &Path) -> Done {
    let codename = qemu::codename().map_err(|_| format!("{program} is not in PATH: install it"))?;
    eprintln!("cross    {program} is not in PATH; taking Debian's, under target/cross");
    let status = fs::read_to_string("/var/lib/dpkg/status")?;
    let own = Arch::here().debian();
    let apt = Apt::new(&room::target("apt/cross"), own, &mirror::find()?, &[&codename], &status)?;
    apt.update()?;
    let root = room::target("cross/root");
    let _ = fs::remove_dir_all(&root);
    let debs = apt.download_closure(&[arch.package()], &codename)?;
    if debs.is_empty() {
        return Err(format!("{} counts as installed, but {program} is not in PATH", arch.package()).into());
    }
    for deb in &debs {
        eprintln!("cross    {}", deb.file_name().unwrap_or_default().to_string_lossy());
        apt::unpack(deb, &root)?;
    }
    let libraries = [root.join(format!("usr/lib/{}-linux-gnu", Arch::here().name()))];
    let before = "PATH=\"$here/root/usr/bin:$PATH\" ";
    apt::write_wrapper(wrapper, &root, &libraries, before, &format!("\"$here/root/usr/bin/{program}\""))
}
