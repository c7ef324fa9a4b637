//! QEMU: the one in PATH when it is new enough, else the distribution's backports unpacked under `target/`.

use crate::apt::{self, Apt};
use crate::{Done, mirror, room, tool};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first QEMU whose `virt` machine runs the Realm Management Extension as we need it.
const OLDEST: (u32, u32) = (10, 0);

/// A QEMU that can be run.
pub(crate) struct Qemu {
    pub program: PathBuf,
    pub version: String,
}

/// A QEMU new enough. `ALLOD_QEMU=provision` passes over the one in PATH.
pub(crate) fn provision() -> Done<Qemu> {
    let forced = std::env::var("ALLOD_QEMU").is_ok_and(|value| value == "provision");
    let in_path = PathBuf::from("qemu-system-aarch64");
    let wrapper = room::target("qemu/qemu-system-aarch64");
    let candidates = if forced { vec![wrapper.clone()] } else { vec![in_path, wrapper.clone()] };
    if let Some(qemu) = candidates.into_iter().find_map(new_enough) {
        return Ok(qemu);
    }
    fetch(&wrapper)?;
    new_enough(wrapper).ok_or_else(|| format!("the QEMU of backports is older than {}.{}", OLDEST.0, OLDEST.1).into())
}

fn new_enough(program: PathBuf) -> Option<Qemu> {
    let text = tool::output(Command::new(&program).arg("--version")).ok()?;
    let version = text.split_whitespace().nth(3)?.to_owned();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    ((parts.next()?, parts.next()?) >= OLDEST).then_some(Qemu { program, version })
}

fn fetch(wrapper: &Path) -> Done {
    let mirror = mirror::find()?;
    let codename = codename()
        .map_err(|why| format!("QEMU {}.{} or newer is not in PATH, and {why}: install it", OLDEST.0, OLDEST.1))?;
    let backports = format!("{codename}-backports");
    eprintln!("qemu     none in PATH is {}.{} or newer; taking {backports}'s, under target/qemu", OLDEST.0, OLDEST.1);
    let arch = tool::output(Command::new("dpkg").arg("--print-architecture"))?;
    let status = without_qemu(&fs::read_to_string("/var/lib/dpkg/status")?);
    let apt = Apt::new(&room::target("apt/qemu"), arch.trim(), &mirror, &[&codename, &backports], &status)?;
    apt.update()?;
    let debs = apt.download_closure(&["qemu-system-arm"], &backports)?;
    let root = room::target("qemu/root");
    let _ = fs::remove_dir_all(&root);
    for deb in &debs {
        eprintln!("qemu     {}", deb.file_name().unwrap_or_default().to_string_lossy());
        apt::unpack(deb, &root)?;
    }
    write_wrapper(wrapper, &root)
}

/// The codename of the Debian that runs here.
pub(crate) fn codename() -> Done<String> {
    let release = fs::read_to_string("/etc/os-release")?;
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    if value("ID").as_deref() != Some("debian") {
        return Err("this is not Debian".into());
    }
    value("VERSION_CODENAME").ok_or_else(|| "this Debian has no codename".into())
}

/// What is installed, less QEMU's own packages, so that all of it comes from one place.
fn without_qemu(status: &str) -> String {
    let ours = |stanza: &&str| {
        let name = mirror::field(stanza, "Package").unwrap_or_default();
        !(name.starts_with("qemu-") || name == "ipxe-qemu" || name == "seabios")
    };
    status.split("\n\n").filter(ours).map(|stanza| format!("{}\n\n", stanza.trim_end())).collect()
}

/// A program that runs the unpacked QEMU with the libraries and data unpacked beside it.
fn write_wrapper(wrapper: &Path, root: &Path) -> Done {
    let command = "\"$here/root/usr/bin/qemu-system-aarch64\" -L \"$here/root/usr/share/qemu\"";
    apt::write_wrapper(wrapper, root, &apt::libraries(root), "", command)
}
