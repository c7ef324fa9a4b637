use std::path::PathBuf;

use clap::Parser;

use super::{Direct, Measured, Warning};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    direct: Direct,
}

fn args(line: &[&str]) -> Direct {
    Line::try_parse_from(["test"].iter().chain(line)).unwrap().direct
}

/// A folder with images that are made by rule, gone when dropped.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Room {
        let room = std::env::temp_dir().join(format!("allod-direct-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&room).unwrap();
        let bytes =
            |count: usize, by: usize, from: usize| (0..count).map(|n| (by * n + from) as u8).collect::<Vec<u8>>();
        let mut kernel = bytes(0x3001, 7, 3);
        kernel[..64].fill(0);
        kernel[16..24].copy_from_slice(&0x5000u64.to_le_bytes());
        kernel[56..60].copy_from_slice(b"ARM\x64");
        for (name, bytes) in [
            ("Image", kernel),
            ("initrd", bytes(3000, 11, 2)),
            ("firmware", bytes(8192, 13, 4)),
            ("dtb", bytes(5000, 5, 1)),
        ] {
            std::fs::write(room.join(name), bytes).unwrap();
        }
        Room(room)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn rim(measured: Measured) -> String {
    evidence::hex::encode(&measured.expected.rim)
}

fn refusal(line: &[&str]) -> String {
    match args(line).measured() {
        Ok(measured) => panic!("{line:?}: expected a refusal, found {}", rim(measured)),
        Err(why) => why.to_string(),
    }
}

const QEMU: &str = "1a5dd458c27b1a87342b24713e6b403cff151372e80a9f53da55c0975951eba6\
                    1229fd9274df4b2a4786ad9e03e14b8b53438e921a3895b860d3fca894ea1255";
const GUEST: [&str; 6] = ["-M", "virt,confidential-guest-support=rme0", "-object", "rme-guest,id=rme0", "-cpu", "host"];

#[test]
fn a_command_line_of_qemu_options_and_a_domain_say_the_same() {
    let room = Room::new("qemu");
    let kernel = room.path("Image");
    let line = [&["--host", "qemu-max", "--", "qemu-system-aarch64", "-kernel", &kernel][..], &GUEST].concat();
    assert_eq!(rim(args(&line).measured().unwrap()), QEMU);

    let theirs = [
        &["--host", "qemu-max", "--kernel", &kernel, "--", "/usr/bin/qemu-kvm", "-kernel", "/there/Image"][..],
        &GUEST,
    ];
    assert_eq!(rim(args(&theirs.concat()).measured().unwrap()), QEMU);

    let options = ["--profile", "qemu", "--host", "qemu-max", "--kernel", &kernel, "--memory", "128M"];
    assert_eq!(rim(args(&options).measured().unwrap()), QEMU);

    let xml = "<domain type='kvm'><memory unit='MiB'>128</memory><vcpu>1</vcpu><os><type>hvm</type><kernel>Image</kernel></os>\
               <launchSecurity type='cca'/></domain>";
    std::fs::write(room.path("vm.xml"), xml).unwrap();
    let domain = ["--profile", "qemu", "--host", "qemu-max", "--domain", &room.path("vm.xml")];
    assert_eq!(rim(args(&domain).measured().unwrap()), QEMU);
}

#[test]
fn a_command_line_of_kvmtool_is_told_by_its_name() {
    let room = Room::new("kvmtool");
    let (kernel, initrd) = (room.path("Image"), room.path("initrd"));
    let own = ["--host", "fvp", "--assume-host-features", "--"];
    let run = ["--realm", "-c", "2", "-m", "256", "-k", &kernel, "-i", &initrd, "-p", "quiet"];
    for program in [&["lkvm", "run"][..], &["kvmtool"], &["/opt/bin/lkvm"]] {
        let measured = args(&[&own, program, &run[..]].concat()).measured().unwrap();
        assert!(measured.warnings.contains(&Warning::OwnTree) && measured.dtb.is_some());
        assert_eq!(rim(measured), "fec89eaefce73ae09a855875346f99b653a3670899066d64429e653f2743f988", "{program:?}");
    }
    let other = [&["--profile", "qemu"], &own[..], &["lkvm", "run"], &run].concat();
    assert!(refusal(&other).contains("--profile"));
    assert!(refusal(&[&own[..], &["crosvm", "run"]].concat()).contains("crosvm"));
}

#[test]
fn virtcca_is_measured_by_options_and_by_its_command_line() {
    let room = Room::new("virtcca");
    let (kernel, initrd, dtb) = (room.path("Image"), room.path("initrd"), room.path("dtb"));
    let answer = "2f67d2077384e6de1c6dbfaf242ac45c5625786782d11a7dca159c31732d8a4b";
    let options = [
        "--profile",
        "virtcca",
        "--kernel",
        &kernel,
        "--initrd",
        &initrd,
        "--dtb",
        &dtb,
        "--cpus",
        "4",
        "--sve-vl",
        "128",
        "--pmu-counters",
        "1",
    ];
    assert_eq!(rim(args(&options).measured().unwrap()), answer);
    let tmm = "tmm-guest,id=tmm0,sve-vector-length=128,num-pmu-counters=1";
    let line = [
        "--dtb",
        &dtb,
        "--",
        "qemu-kvm",
        "-M",
        "virt,kvm-type=cvm",
        "-object",
        tmm,
        "-smp",
        "4",
        "-m",
        "4G",
        "-kernel",
        &kernel,
        "-initrd",
        &initrd,
    ];
    assert_eq!(rim(args(&line).measured().unwrap()), answer);
    let launched = [&line[..3], &["LC_ALL=C", "taskset", "-c", "0-3", "/usr/libexec/qemu-kvm"], &line[4..]].concat();
    assert_eq!(rim(args(&launched).measured().unwrap()), answer);
    let others = [&line[..3], &["crosvm", "/srv/vm"], &line[4..]].concat();
    assert!(refusal(&others).contains("crosvm: expected"), "{}", refusal(&others));
    assert!(refusal(&line[2..]).contains("dumpdtb"), "{}", refusal(&line[2..]));
}

#[test]
fn a_command_line_that_starts_nothing_is_refused() {
    let room = Room::new("nothing");
    let kernel = room.path("Image");
    let host = ["--host", "qemu-max"];
    let whole = [&host[..], &["--kernel", &kernel, "--", "qemu-system-aarch64", "-kernel", "x"], &GUEST].concat();
    assert!(args(&whole).measured().is_ok());
    let without = [&host[..], &["--kernel", &kernel, "--", "qemu-system-aarch64"], &GUEST].concat();
    assert!(refusal(&without).contains("--kernel: the VMM's command line loads no such file"));
    let none = [&host[..], &["--", "qemu-system-aarch64"], &GUEST].concat();
    assert!(refusal(&none).contains("neither -kernel nor -bios"));
    let kvmtool = [&host[..], &["--", "lkvm", "run", "--realm", "-c", "1", "-m", "256"]].concat();
    assert!(refusal(&kvmtool).contains("neither --kernel nor --firmware"));
}

#[test]
fn the_default_is_this_projects_own_host() {
    let room = Room::new("allod");
    let (kernel, initrd) = (room.path("Image"), room.path("initrd"));
    let own = args(&["--kernel", &kernel, "--initrd", &initrd]).measured().unwrap();
    let config = host::config::Config {
        memory: 256 << 20,
        cpus: 1,
        hash: abi::measurement::Hash::Sha256,
        rpv: [0; 64],
        cmdline: crate::vm::CMDLINE.to_string(),
        realms: 1,
        attack: None,
    };
    let (kernel_bytes, initrd_bytes) = (std::fs::read(&kernel).unwrap(), std::fs::read(&initrd).unwrap());
    let images = host::plan::Images { kernel: &kernel_bytes, initrd: &initrd_bytes };
    assert_eq!(own.expected, measure::direct::expect(&images, &config).unwrap());
    assert!(refusal(&["--kernel", &kernel, "--dtb", &kernel]).contains("--dtb"));
    assert!(refusal(&[]).contains("--kernel"));
}

#[test]
fn the_tree_is_written_and_gives_the_same_rim_when_it_is_given() {
    let room = Room::new("tree");
    let (kernel, tree) = (room.path("Image"), room.path("out.dtb"));
    let line = |own: &[&str], more: &[&str]| {
        let words =
            [own, &["--host", "qemu-max", "--", "qemu-system-aarch64", "-kernel", &kernel], &GUEST, more].concat();
        args(&words)
    };
    line(&["--output-dtb", &tree, "--json"], &["-dtb", "/nowhere"]).run().unwrap();
    assert_eq!(rim(line(&[], &["-dtb", &tree]).measured().unwrap()), QEMU);
    assert_eq!(rim(line(&["--dtb", &tree], &["-smp", "8"]).measured().unwrap()), QEMU);
    assert!(line(&[], &["-dtb", "/nowhere"]).measured().is_err());
}

#[test]
fn a_corim_says_what_was_measured() {
    let room = Room::new("corim");
    let (kernel, file) = (room.path("Image"), room.path("realm.corim"));
    args(&["--kernel", &kernel, "--rpv", "0a0b", "--corim", &file]).run().unwrap();
    let corim = evidence::corim::Corim::parse(&std::fs::read(&file).unwrap()).unwrap();
    let expected = args(&["--kernel", &kernel]).measured().unwrap().expected;
    let [realm] = corim.realms.as_slice() else { panic!("{corim:?}") };
    assert_eq!((realm.rim.bytes.clone(), realm.rpv.unwrap()[..3].to_vec()), (expected.rim, vec![10, 11, 0]));
    assert!(realm.rems.iter().flatten().all(|rem| rem.bytes == [0; 32]) && realm.rems.iter().all(Option::is_some));
}
