//! The guest kernel: Debian's own arm64 cloud kernel, exactly as the archive signed it.

use crate::apt::{self, Apt, Package};
use crate::{Done, mirror, room};
use std::fs;
use std::path::{Path, PathBuf};

/// Realm guests came into Linux with 6.13.
const OLDEST: (u32, u32) = (6, 13);

/// A guest kernel, unpacked.
pub(crate) struct Kernel {
    /// The kernel image.
    pub image: PathBuf,
    /// The folder of its modules, the one named after its release.
    pub modules: PathBuf,
    /// One line per package: name, version, SHA-256.
    ledger: String,
}

impl Kernel {
    /// Prints what it is made of.
    pub(crate) fn print(&self) {
        for line in self.ledger.lines() {
            eprintln!("kernel   {line}");
        }
    }
}

/// The kernel under `target/guest-kernel`, fetched if it is not there yet.
///
/// `ALLOD_KERNEL_SUITE` names another suite to take it from, first and only.
pub(crate) fn provision() -> Done<Kernel> {
    let home = room::target("guest-kernel");
    if let Ok(kernel) = unpacked(&home) {
        return Ok(kernel);
    }
    let mirror = mirror::find()?;
    let asked = std::env::var("ALLOD_KERNEL_SUITE").ok();
    let suites = asked.map_or_else(|| suites(&mirror), |suite| vec![suite]);
    let mut refusals = Vec::new();
    for suite in suites {
        eprintln!("kernel   looking in {suite}");
        match from_suite(&mirror, &suite, &home) {
            Ok(()) => return unpacked(&home),
            Err(error) => refusals.push(format!("{suite}: {error}")),
        }
    }
    Err(format!("no guest kernel: {}", refusals.join("; ")).into())
}

/// The first of these that is signed, unexpired and has a kernel new enough gives it: backports of stable, testing,
/// unstable. Backports go by stable's codename, as everybody asks for them: what a mirror keeps under the alias may be old.
fn suites(mirror: &mirror::Mirror) -> Vec<String> {
    let stable = || -> Done<String> {
        let apt = Apt::new(&room::target("apt/stable"), "arm64", mirror, &["stable"], "")?;
        apt.update_release()?;
        apt.codename()
    };
    let stable = stable().unwrap_or_else(|_| "stable".into());
    vec![format!("{stable}-backports"), "testing".into(), "unstable".into()]
}

fn from_suite(mirror: &mirror::Mirror, suite: &str, home: &Path) -> Done {
    let apt = Apt::new(&room::target(&format!("apt/kernel-{suite}")), "arm64", mirror, &[suite], "")?;
    apt.update()?;
    let packages = apt.packages()?;
    let chosen = choose(&packages)?;
    let staging = home.with_extension("new");
    let _ = fs::remove_dir_all(&staging);
    let mut ledger = String::new();
    for package in chosen {
        apt::unpack(&apt.download(package)?, &staging.join("root"))?;
        ledger += &format!("{} {} sha256:{}\n", package.name, package.version, package.sha256);
    }
    settle(&staging)?;
    fs::write(staging.join("packages"), ledger)?;
    let _ = fs::remove_dir_all(home);
    Ok(fs::rename(staging, home)?)
}

/// The base, binary and modules packages that `linux-image-cloud-arm64` leads to; of a suite that has not split them,
/// the one image package.
fn choose(packages: &[Package]) -> Done<Vec<&Package>> {
    let named = |name: &str| packages.iter().filter(|package| package.name == name).max_by(|a, b| newer(a, b));
    let meta = named("linux-image-cloud-arm64").ok_or("has no linux-image-cloud-arm64")?;
    let needed = |package: &Package| package.depends.split(',').map(first_name).collect::<Vec<_>>();
    let image_name = needed(meta).into_iter().find(|name| name.starts_with("linux-image-"));
    let image = image_name.as_deref().and_then(named).ok_or("its meta-package names no image")?;
    if release(&image.name).is_none_or(|release| release < OLDEST) {
        return Err(format!("{} is older than {}.{}", image.name, OLDEST.0, OLDEST.1).into());
    }
    let part =
        |name: &String| ["linux-base-", "linux-binary-", "linux-modules-"].iter().any(|kind| name.starts_with(kind));
    let parts: Vec<&Package> = needed(image).iter().filter(|name| part(name)).filter_map(|name| named(name)).collect();
    let split =
        ["linux-binary-", "linux-modules-"].iter().all(|kind| parts.iter().any(|part| part.name.starts_with(kind)));
    Ok(if split { parts } else { vec![image] })
}

/// Debian's versions within one suite differ by their numbers alone here.
fn newer(a: &Package, b: &Package) -> std::cmp::Ordering {
    numbers(&a.version).cmp(&numbers(&b.version))
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

fn release(image: &str) -> Option<(u32, u32)> {
    let mut parts = image.strip_prefix("linux-image-")?.split(['.', '-', '+']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The package that a dependency names: without version, architecture and alternatives.
fn first_name(dependency: &str) -> String {
    dependency.split('|').next().unwrap_or_default().split_whitespace().next().unwrap_or_default().replace(":any", "")
}

/// Puts the kernel where others look for it: `Image`, and `modules` beside it.
fn settle(staging: &Path) -> Done {
    let root = staging.join("root");
    let modules = ["usr/lib/modules", "lib/modules"].iter().find_map(|dir| only_entry(&root.join(dir)));
    let modules = modules.ok_or("the packages hold no modules")?;
    let in_boot = fs::read_dir(root.join("boot")).into_iter().flatten().flatten().map(|entry| entry.path());
    let named =
        in_boot.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinu")));
    let image = std::iter::once(modules.join("vmlinuz")).chain(named).find(|path| path.exists());
    fs::copy(image.ok_or("the packages hold no kernel image")?, staging.join("Image"))?;
    Ok(fs::rename(modules, staging.join("modules"))?)
}

fn only_entry(dir: &Path) -> Option<PathBuf> {
    fs::read_dir(dir).ok()?.flatten().next().map(|entry| entry.path())
}

fn unpacked(home: &Path) -> Done<Kernel> {
    let ledger = fs::read_to_string(home.join("packages"))?;
    let (image, modules) = (home.join("Image"), home.join("modules"));
    if image.exists() && modules.exists() { Ok(Kernel { image, modules, ledger }) } else { Err("incomplete".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, depends: &str) -> Package {
        Package { name: name.into(), version: version.into(), depends: depends.into(), sha256: String::new() }
    }

    #[test]
    fn a_split_kernel_gives_base_binary_and_modules_alone() {
        let packages = [
            package(
                "linux-image-cloud-arm64",
                "7.3.4-1",
                "linux-base-cloud-arm64 (= 1), linux-image-7.3.4-cloud-arm64 (= 1)",
            ),
            package(
                "linux-image-7.3.4-cloud-arm64",
                "7.3.4-1",
                "dracut | initramfs-tools (>= 0.1), linux-base-7.3.4 (= 1), linux-binary-7.3.4 (= 1), linux-modules-7.3.4 (= 1)",
            ),
            package("linux-base-7.3.4", "1", ""),
            package("linux-binary-7.3.4", "1", ""),
            package("linux-modules-7.3.4", "1", ""),
            package("initramfs-tools", "1", ""),
        ];
        let names: Vec<&str> = choose(&packages).unwrap().iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["linux-base-7.3.4", "linux-binary-7.3.4", "linux-modules-7.3.4"]);
    }

    #[test]
    fn a_whole_kernel_gives_the_image_and_the_newest_meta_package_decides() {
        let packages = [
            package("linux-image-cloud-arm64", "6.12.9-1", "linux-image-6.12.9-cloud-arm64"),
            package("linux-image-cloud-arm64", "6.16.10-1", "linux-image-6.16.10-cloud-arm64"),
            package("linux-image-6.16.10-cloud-arm64", "6.16.10-1", "kmod, linux-base-6.16.10"),
            package("linux-base-6.16.10", "1", ""),
        ];
        assert_eq!(choose(&packages).unwrap()[0].name, "linux-image-6.16.10-cloud-arm64");
    }

    #[test]
    fn a_kernel_before_realms_is_refused_by_name() {
        let packages = [
            package("linux-image-cloud-arm64", "6.12.9-1", "linux-image-6.12.9-cloud-arm64"),
            package("linux-image-6.12.9-cloud-arm64", "6.12.9-1", ""),
        ];
        assert!(choose(&packages).unwrap_err().to_string().contains("6.12.9"));
    }
}
