//! A private apt under `target/`: it reads one archive, checks its signature, date and hashes as the machine's own
//! apt would, and installs nothing.

use crate::mirror::{Mirror, field};
use crate::{Done, tool};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One architecture's view of some suites of the archive.
pub(crate) struct Apt {
    home: PathBuf,
}

/// A package as the signed index describes it.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub name: String,
    pub version: String,
    pub depends: String,
    pub sha256: String,
}

impl Apt {
    /// An apt of its own in `home`, for packages of `arch`, that believes `status` to be what is installed.
    pub(crate) fn new(home: &Path, arch: &str, mirror: &Mirror, suites: &[&str], status: &str) -> Done<Apt> {
        for dir in ["lists/partial", "archives/partial", "etc/preferences.d"] {
            fs::create_dir_all(home.join(dir))?;
        }
        let line = |suite: &&str| {
            format!("deb [arch={arch} signed-by={}] {} {suite} main\n", mirror.keyring.display(), mirror.base)
        };
        fs::write(home.join("etc/sources.list"), suites.iter().map(line).collect::<String>())?;
        fs::write(home.join("status"), status)?;
        fs::write(home.join("apt.conf"), configuration(home, arch)?)?;
        Ok(Apt { home: home.to_owned() })
    }

    /// Fetches the signed Release files and indexes. A signature that does not verify and a date that has passed are errors.
    pub(crate) fn update(&self) -> Done {
        let _ = fs::remove_dir_all(self.home.join("lists"));
        fs::create_dir_all(self.home.join("lists/partial"))?;
        tool::output(&mut self.get(&["update", "--error-on=any"])).map(drop)
    }

    /// As `update`, but the Release files alone.
    pub(crate) fn update_release(&self) -> Done {
        let path = self.home.join("apt.conf");
        let plain = fs::read_to_string(&path)?;
        fs::write(&path, plain + "Acquire::IndexTargets::deb::Packages::DefaultEnabled \"false\";\n")?;
        self.update()
    }

    /// The codename in the signed Release file of the one suite that was fetched.
    pub(crate) fn codename(&self) -> Done<String> {
        for entry in fs::read_dir(self.home.join("lists"))?.flatten() {
            if entry.file_name().to_string_lossy().ends_with("_InRelease") {
                return field(&fs::read_to_string(entry.path())?, "Codename")
                    .ok_or_else(|| "a Release file without a codename".into());
            }
        }
        Err("no Release file was fetched".into())
    }

    /// The packages of all indexes that were fetched.
    pub(crate) fn packages(&self) -> Done<Vec<Package>> {
        let mut packages = Vec::new();
        for entry in fs::read_dir(self.home.join("lists"))?.flatten() {
            if entry.file_name().to_string_lossy().ends_with("_Packages") {
                packages.extend(fs::read_to_string(entry.path())?.split("\n\n").filter_map(package));
            }
        }
        Ok(packages)
    }

    /// Downloads a package and answers its file, whose SHA-256 is compared with the signed index a second time.
    pub(crate) fn download(&self, package: &Package) -> Done<PathBuf> {
        let archives = self.home.join("archives");
        let wanted = format!("{}={}", package.name, package.version);
        tool::output(self.get(&["download", &wanted]).current_dir(&archives))?;
        let prefix = format!("{}_", package.name);
        let found = fs::read_dir(&archives)?.flatten().map(|entry| entry.path());
        for path in
            found.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
        {
            if tool::sha256(&path)? == package.sha256 {
                return Ok(path);
            }
        }
        Err(format!("{wanted}: what was downloaded has not the SHA-256 of the signed index").into())
    }

    /// Downloads a package with all that it needs and that is not installed; answers the files.
    pub(crate) fn download_closure(&self, names: &[&str], release: &str) -> Done<Vec<PathBuf>> {
        let mut command = self.get(&["install", "--download-only", "--yes", "--no-install-recommends", "-t", release]);
        tool::output(command.args(names))?;
        let archives = fs::read_dir(self.home.join("archives"))?.flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> =
            archives.filter(|path| path.extension().is_some_and(|ext| ext == "deb")).collect();
        files.sort();
        Ok(files)
    }

    fn get(&self, args: &[&str]) -> Command {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", self.home.join("apt.conf")).env("LC_ALL", "C");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-q").args(args);
        command
    }
}

/// The private apt's whole configuration: how the machine reaches archives (proxies, retries), and rules of our own
/// about where to keep things and what to believe.
fn configuration(home: &Path, arch: &str) -> Done<String> {
    let machine = tool::output(Command::new("apt-config").arg("dump"))?;
    let transport = machine.lines().filter(|line| {
        let name = line.split(' ').next().unwrap_or_default();
        name.starts_with("Acquire::") && !BELIEFS.iter().any(|belief| name.starts_with(belief))
    });
    let home = home.display();
    Ok(transport.map(|line| format!("{line}\n")).collect::<String>()
        + &format!(
            "Dir::Etc::parts \"/dev/null\";\nDir::Etc::main \"/dev/null\";\n\
             Dir::State \"{home}\";\nDir::State::status \"{home}/status\";\nDir::State::lists \"{home}/lists\";\n\
             Dir::Cache \"{home}\";\nDir::Cache::archives \"{home}/archives\";\n\
             Dir::Etc::sourcelist \"{home}/etc/sources.list\";\nDir::Etc::sourceparts \"/dev/null\";\n\
             Dir::Etc::preferences \"/dev/null\";\nDir::Etc::preferencesparts \"/dev/null\";\n\
             APT::Architecture \"{arch}\";\nAPT::Architectures {{ \"{arch}\"; }};\nAPT::Sandbox::User \"root\";\n\
             Acquire::Check-Valid-Until \"true\";\nAcquire::Check-Date \"true\";\n\
             Acquire::Languages \"none\";\nAcquire::GzipIndexes \"false\";\nDebug::NoLocking \"true\";\n"
        ))
}

/// The machine's settings that do not count here: a machine may be set to believe any date or an unsigned archive.
const BELIEFS: [&str; 6] = [
    "Acquire::Check-",
    "Acquire::Allow",
    "Acquire::Languages",
    "Acquire::GzipIndexes",
    "Acquire::CompressionTypes",
    "Acquire::Max-ValidTime",
];

fn package(stanza: &str) -> Option<Package> {
    Some(Package {
        name: field(stanza, "Package")?,
        version: field(stanza, "Version")?,
        depends: field(stanza, "Depends").unwrap_or_default(),
        sha256: field(stanza, "SHA256")?,
    })
}

/// The folders of libraries of an unpacked root, as a program beside it says them in shell.
pub(crate) fn libraries(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![];
    for dir in ["usr/lib", "lib"] {
        let found = fs::read_dir(root.join(dir)).into_iter().flatten().flatten().map(|entry| entry.path());
        all.extend(found.filter(|path| path.to_string_lossy().ends_with("-linux-gnu")));
    }
    all.sort();
    all
}

/// Writes a program that runs one of an unpacked root, `root` beside it, with the libraries that were unpacked too.
/// `before` and `command` are shell, to which `$here` is the folder of both.
pub(crate) fn write_wrapper(wrapper: &Path, root: &Path, libraries: &[PathBuf], before: &str, command: &str) -> Done {
    let inside = libraries.iter().filter_map(|path| path.strip_prefix(root).ok());
    let names: Vec<String> = inside.map(|path| format!("$here/root/{}", path.display())).collect();
    let script = format!(
        "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\n{before}\
         LD_LIBRARY_PATH=\"{}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\" exec {command} \"$@\"\n",
        names.join(":")
    );
    fs::write(wrapper, script)?;
    Ok(fs::set_permissions(wrapper, fs::Permissions::from_mode(0o755))?)
}

/// Unpacks a package's files into a folder, without running anything of it.
pub(crate) fn unpack(deb: &Path, into: &Path) -> Done {
    fs::create_dir_all(into)?;
    tool::output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(into)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapper_runs_the_program_of_its_root_with_its_libraries() {
        let home = std::env::temp_dir().join(format!("allod-wrapper-{}", std::process::id()));
        let root = home.join("root");
        for folder in ["usr/bin", "usr/lib/any-linux-gnu", "usr/lib/other"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        let program = root.join("usr/bin/tell");
        fs::write(&program, "#!/bin/sh\necho \"$said $LD_LIBRARY_PATH $*\"\n").expect("a file");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        let wrapper = home.join("tell");
        let before = "export said=before\n";
        write_wrapper(&wrapper, &root, &libraries(&root), before, "\"$here/root/usr/bin/tell\" -x").expect("a wrapper");
        let told = Command::new(&wrapper).arg("a b").env_remove("LD_LIBRARY_PATH").output().expect("it runs");
        let here = home.canonicalize().expect("a path");
        let expected = format!("before {}/root/usr/lib/any-linux-gnu -x a b\n", here.display());
        assert_eq!(String::from_utf8_lossy(&told.stdout), expected);
        fs::remove_dir_all(home).expect("it was there");
    }
}
