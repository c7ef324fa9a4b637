//! Builds every image: the four firmware programs flattened, the guest tool in its initramfs, and `allod`.

use crate::musl::{self, Arch};
use crate::{Done, kernel, room, tool};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, elf};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The bare-metal programs, by room.
pub(crate) const FIRMWARE: [&str; 4] = ["boot", "monitor", "rmm", "host"];
const BARE: &str = "aarch64-unknown-none-softfloat";
const GUEST: &str = "aarch64-unknown-linux-musl";

/// What a build made.
pub(crate) struct Images {
    /// Folder of `boot.bin`, `monitor.bin`, `rmm.bin` and `host.bin`, unsigned.
    pub firmware: PathBuf,
    /// The initramfs.
    pub initrd: PathBuf,
    /// The static `allod`.
    pub allod: PathBuf,
    /// The guest tool.
    pub guest: PathBuf,
}

/// Builds everything for a run.
pub(crate) fn build() -> Done<Images> {
    let kernel = kernel::provision()?;
    let out = room::target("allod");
    let firmware = out.join("firmware");
    self::firmware(&firmware, &[])?;
    cargo_build(&["--release", "--target", GUEST, "--package", "allod-guest"])?;
    let guest = room::cargo_target().join(GUEST).join("release/allod-guest");
    let initrd = out.join("initrd.img");
    crate::initrd::write(&initrd, &guest, &kernel)?;
    let allod = allod(Arch::here())?;
    Ok(Images { firmware, initrd, allod, guest })
}

/// Builds the firmware into a folder: `boot.bin`, `monitor.bin`, `rmm.bin` and `host.bin`; with these features of the RMM,
/// none of which what ships has.
pub(crate) fn firmware(folder: &Path, rmm: &[&str]) -> Done {
    fs::create_dir_all(folder)?;
    let build = |name: &&str| flat(name, if *name == "rmm" { rmm } else { &[] }, &folder.join(format!("{name}.bin")));
    FIRMWARE.iter().try_for_each(build)
}

/// Makes a folder of firmware in which one program is a test build with this feature, and the others are those of `shipped`.
pub(crate) fn test_build(shipped: &Path, program: &str, feature: &str, folder: &Path) -> Done {
    fs::create_dir_all(folder)?;
    for name in FIRMWARE {
        let file = format!("{name}.bin");
        fs::copy(shipped.join(&file), folder.join(&file))?;
    }
    flat(program, &[feature], &folder.join(format!("{program}.bin")))
}

/// Builds one firmware program, with features that only a test build has, and flattens it to a file.
pub(crate) fn flat(name: &str, features: &[&str], to: &Path) -> Done {
    let image = flatten(&elf(name, features)?).map_err(|error| format!("fw-{name}: {error}"))?;
    Ok(fs::write(to, image)?)
}

/// Builds one firmware program, with features that only a test build has, and gives its ELF file.
pub(crate) fn elf(name: &str, features: &[&str]) -> Done<Vec<u8>> {
    // Another build of the same program would lie in the same place.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().map_err(|_| "another build has failed")?;
    let package = format!("fw-{name}");
    let features = features.join(",");
    let placeless = placeless();
    let mut args = vec!["--config", &placeless, "--profile", "firmware", "--target", BARE, "--package", &package];
    if !features.is_empty() {
        args.extend(["--features", &features]);
    }
    cargo_build(&args)?;
    let elf = room::cargo_target().join(BARE).join("firmware").join(&package);
    Ok(fs::read(&elf).map_err(|error| format!("{}: {error}", room::shown(&elf)))?)
}

/// Settings by which no image holds a path of the machine that it was built on: wherever checkout and crates lie, the same
/// sources give the same bytes, and so the measurements that a token shows.
fn placeless() -> String {
    let remap = |from: &Path, to| format!("--remap-path-prefix={}={to}", from.display());
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let flags: Vec<String> = [Some(remap(&room::root(), "/allod")), cargo_home.map(|home| remap(&home, "/cargo"))]
        .into_iter()
        .flatten()
        .collect();
    format!("target.{BARE}.rustflags={flags:?}")
}

/// Builds the static `allod` for a processor.
pub(crate) fn allod(arch: Arch) -> Done<PathBuf> {
    let target = arch.target();
    let mut build = cargo();
    build.args(["--release", "--target", &target, "--package", "allod"]);
    tool::run(musl::compile_for(&mut build, arch)?)?;
    Ok(room::cargo_target().join(target).join("release/allod"))
}

fn cargo_build(args: &[&str]) -> Done {
    tool::run(cargo().args(args))
}

fn cargo() -> Command {
    // What is run and shipped needs no symbols; the firmware profile says for itself what it keeps.
    let mut build = tool::cargo();
    build.env("CARGO_PROFILE_RELEASE_STRIP", "symbols").args(["build", "--quiet", "--locked"]);
    build
}

/// The bytes of an ELF's loaded segments as they lie in memory, from the lowest to the highest address that the
/// file has bytes for. What is beyond (`.bss`) the program itself clears.
fn flatten(elf_bytes: &[u8]) -> Done<Vec<u8>> {
    let file = ElfFile64::<Endianness>::parse(elf_bytes)?;
    let endian = file.endian();
    let headers = file.elf_program_headers();
    let loads: Vec<_> = headers.iter().filter(|h| h.p_type(endian) == elf::PT_LOAD && h.p_filesz(endian) > 0).collect();
    let start = loads.iter().map(|h| h.p_paddr(endian)).min().ok_or("no segment has bytes")?;
    let end = loads.iter().map(|h| h.p_paddr(endian) + h.p_filesz(endian)).max().unwrap_or(start);
    if end - start > 64 << 20 {
        return Err(format!("its segments span {start:#x} to {end:#x}, too far for one image").into());
    }
    let mut image = vec![0; usize::try_from(end - start)?];
    for header in loads {
        let at = usize::try_from(header.p_paddr(endian) - start)?;
        let data = header.data(endian, elf_bytes).map_err(|()| "a segment lies outside the file")?;
        image[at..at + data.len()].copy_from_slice(data);
    }
    Ok(image)
}
