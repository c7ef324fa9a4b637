use std::fs;
use std::path::PathBuf;

use abi::measurement::Hash;
use clap::Parser;

use super::Args;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    vm: Args,
}

fn args(line: &[&str]) -> Result<Args, clap::Error> {
    Line::try_parse_from(["test"].iter().chain(line)).map(|line| line.vm)
}

/// A directory with a kernel and an initial RAM disk in it, gone when dropped.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Room {
        let room = std::env::temp_dir().join(format!("allod-vm-{}-{name}", std::process::id()));
        fs::create_dir_all(&room).unwrap();
        fs::write(room.join("Image"), b"kernel").unwrap();
        fs::write(room.join("initrd"), b"initrd").unwrap();
        Room(room)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn options_become_a_configuration() {
    let room = Room::new("options");
    let kernel = room.path("Image");
    let args = args(&["--kernel", &kernel, "--memory", "1G", "--cpus", "4", "--hash", "sha512", "--rpv", "0a0b"]);
    let vm = args.unwrap().load().unwrap();
    assert_eq!((vm.config.memory, vm.config.cpus, vm.config.hash), (1 << 30, 4, Hash::Sha512));
    assert_eq!((vm.config.rpv[..3].to_vec(), vm.initrd.len()), (vec![10, 11, 0], 0));
    assert_eq!(vm.kernel, b"kernel");
}

#[test]
fn a_domain_names_files_beside_it() {
    let room = Room::new("domain");
    let xml = "<domain type='kvm'><memory unit='MiB'>64</memory><vcpu>2</vcpu><os><type>hvm</type>\
               <kernel>Image</kernel><initrd>initrd</initrd></os><launchSecurity type='cca'/></domain>";
    fs::write(room.path("vm.xml"), xml).unwrap();
    let vm = args(&["--domain", &room.path("vm.xml")]).unwrap().load().unwrap();
    assert_eq!((vm.kernel.as_slice(), vm.initrd.as_slice()), (&b"kernel"[..], &b"initrd"[..]));
    assert_eq!((vm.config.cpus, vm.config.cmdline.as_str()), (2, ""));
}

#[test]
fn a_domain_and_options_exclude_each_other_and_one_is_needed() {
    for line in [&["--domain", "d", "--kernel", "k"], &["--domain", "d", "--memory", "1G"]] {
        assert!(args(line).is_err(), "{line:?}");
    }
    // Neither is refused later: a Normal-world image needs no VM.
    let refusal = args(&[]).unwrap().load().unwrap_err().to_string();
    assert!(refusal.contains("--kernel or --domain"), "{refusal}");
}

#[test]
fn what_the_machine_cannot_run_is_refused() {
    let room = Room::new("refused");
    let kernel = room.path("Image");
    for (option, value, named) in [("--cpus", "5", "cpus"), ("--cpus", "0", "cpus"), ("--memory", "3M", "memory")] {
        let refused = args(&["--kernel", &kernel, option, value]).unwrap().load();
        assert!(refused.as_ref().is_err_and(|why| why.to_string().contains(named)), "{option} {value}: {refused:?}");
    }
    for (option, value) in [("--memory", "1T"), ("--memory", "G"), ("--hash", "md5"), ("--rpv", "0")] {
        assert!(args(&["--kernel", &kernel, option, value]).is_err(), "{option} {value}");
    }
    let missing = args(&["--kernel", "/nonexistent/Image"]).unwrap().load();
    assert!(missing.is_err_and(|why| why.to_string().contains("/nonexistent/Image")));
}
