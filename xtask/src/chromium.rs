//! Chromium, which looks at pages in tests: the one in PATH, else the distribution's unpacked under `target/`.

use crate::apt::{self, Apt};
use crate::{Done, mirror, qemu, room, tool};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names of the program.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// What is unpacked: letters that are drawn are a package of their own.
const PACKAGES: [&str; 2] = ["chromium", "fonts-dejavu-core"];

/// A Chromium that can be run. `ALLOD_CHROMIUM=provision` passes over the one in PATH; any other value is the program.
pub(crate) fn provision() -> Done<PathBuf> {
    let given = std::env::var("ALLOD_CHROMIUM").ok();
    let wrapper = room::target("chromium/chromium");
    let candidates = match given.as_deref() {
        Some("provision") => vec![wrapper.clone()],
        Some(program) => return runs(Path::new(program)).ok_or_else(|| format!("{program}: does not run").into()),
        None => NAMES.iter().map(PathBuf::from).chain([wrapper.clone()]).collect(),
    };
    if let Some(program) = candidates.iter().find_map(|program| runs(program)) {
        return Ok(program);
    }
    fetch(&wrapper)?;
    runs(&wrapper).ok_or_else(|| "what was unpacked does not run".into())
}

fn runs(program: &Path) -> Option<PathBuf> {
    // The sandbox is a matter of running pages, not of saying the version.
    tool::output(Command::new(program).args(["--version", "--no-sandbox"])).ok().map(|_| program.to_owned())
}

fn fetch(wrapper: &Path) -> Done {
    let mirror = mirror::find()?;
    let codename = qemu::codename()?;
    eprintln!("chromium none in PATH; taking {codename}'s, under target/chromium");
    let arch = tool::output(Command::new("dpkg").arg("--print-architecture"))?;
    let status = without(&fs::read_to_string("/var/lib/dpkg/status")?);
    let apt = Apt::new(&room::target("apt/chromium"), arch.trim(), &mirror, &[&codename], &status)?;
    apt.update()?;
    let debs = apt.download_closure(&PACKAGES, &codename)?;
    let root = room::target("chromium/root");
    let _ = fs::remove_dir_all(&root);
    for deb in &debs {
        apt::unpack(deb, &root)?;
    }
    eprintln!("chromium {} packages", debs.len());
    write_wrapper(wrapper, &root)
}

/// What is installed, less Chromium's own packages, so that they are unpacked here.
fn without(status: &str) -> String {
    let other = |stanza: &&str| !mirror::field(stanza, "Package").unwrap_or_default().starts_with("chromium");
    status.split("\n\n").filter(other).map(|stanza| format!("{}\n\n", stanza.trim_end())).collect()
}

/// A program that runs the unpacked Chromium with the libraries and letters unpacked beside it.
fn write_wrapper(wrapper: &Path, root: &Path) -> Done {
    let fonts = room::target("chromium/fonts.conf");
    let cache = room::target("chromium/fonts");
    fs::write(
        &fonts,
        format!(
            "<?xml version=\"1.0\"?>\n<fontconfig>\n  <dir>{}</dir>\n  <dir>/usr/share/fonts</dir>\n  <cachedir>{}</cachedir>\n</fontconfig>\n",
            root.join("usr/share/fonts").display(),
            cache.display()
        ),
    )?;
    let mut libraries = apt::libraries(root);
    // Libraries with plug-ins keep what these share in a folder of their own.
    let inner: Vec<PathBuf> = libraries.iter().map(|path| path.join("pulseaudio")).filter(|it| it.is_dir()).collect();
    libraries.extend(inner);
    let before = "export FONTCONFIG_FILE=\"$here/fonts.conf\"\n";
    apt::write_wrapper(wrapper, root, &libraries, before, "\"$here/root/usr/lib/chromium/chromium\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chromium_that_is_installed_counts_as_none() {
        let status = "Package: chromium-common\nStatus: install ok installed\n\nPackage: libc6\nStatus: x\n";
        assert_eq!(without(status), "Package: libc6\nStatus: x\n\n");
    }
}
