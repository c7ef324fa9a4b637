use std::path::PathBuf;

use abi::measurement::Hash;
use evidence::hex;

use super::kvmtool::Kvmtool;
use super::qemu::Qemu;
use super::{Files, HOSTS, Host, Pmu, Ready, Warning};
use crate::Error;

/// A folder with images that are made by rule, gone when dropped.
pub struct Room(PathBuf);

impl Room {
    pub fn new(name: &str) -> Room {
        let room = std::env::temp_dir().join(format!("allod-vmm-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&room).unwrap();
        let bytes =
            |count: usize, by: usize, from: usize| (0..count).map(|n| (by * n + from) as u8).collect::<Vec<u8>>();
        let mut kernel = bytes(0x3001, 7, 3);
        kernel[..64].fill(0);
        kernel[16..24].copy_from_slice(&0x5000u64.to_le_bytes());
        kernel[56..60].copy_from_slice(b"ARM\x64");
        for (name, bytes) in [("Image", kernel), ("initrd", bytes(3000, 11, 2)), ("fw", bytes(8192, 13, 4))] {
            std::fs::write(room.join(name), bytes).unwrap();
        }
        Room(room)
    }

    /// The files of a VM, where they are.
    fn files(&self, files: &Files) -> Files {
        let here = |path: &Option<PathBuf>| path.as_ref().map(|path| self.0.join(path));
        let Files { kernel, initrd, firmware, dtb } = files;
        Files { kernel: here(kernel), initrd: here(initrd), firmware: here(firmware), dtb: here(dtb) }
    }

    pub fn qemu(&self, line: &str, host: &Host) -> Result<Ready, Error> {
        let mut vm = Qemu::parse(&words(line))?;
        vm.files = self.files(&vm.files);
        vm.ready(host)
    }

    pub fn kvmtool(&self, line: &str, host: &Host) -> Result<Ready, Error> {
        let mut vm = Kvmtool { as_host: true, ..Kvmtool::parse(&words(line))? };
        vm.files = self.files(&vm.files);
        vm.ready(host)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

pub fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_string).collect()
}

pub fn rim(ready: Result<Ready, Error>) -> String {
    hex::encode(&ready.unwrap().launch.measure().unwrap().rim)
}

pub const QEMU_MAX: Host = HOSTS[0].1;
const FVP: Host = HOSTS[1].1;

/// A QEMU Realm with more in its command line.
pub fn line(more: &str) -> String {
    format!("-M virt,confidential-guest-support=rme0 -object rme-guest,id=rme0 -cpu host {more}")
}

#[test]
fn qemus_realms_have_the_rims_of_cca_realm_measurements() {
    let room = Room::new("qemu");
    let sha256 = |more: &str| line(more).replace("id=rme0 ", "id=rme0,measurement-algorithm=sha256 ");
    let little = sha256("-smp 4 -m 2G -kernel Image -initrd initrd -append root=/dev/vda2")
        .replace("-cpu host", "-cpu host,sve=off,pmu=off,num-breakpoints=2,num-watchpoints=3");
    let large = sha256("-smp 130 -m 300G -kernel Image").replace("sha256 ", "sha256,measurement-log=on ");
    let firmware = line("-m size=192M,slots=2,maxmem=1T -bios fw").replace("rme0 -object", "rme0,its=off -object");
    for (line, host, expected) in [
        (
            line("-kernel Image"),
            QEMU_MAX,
            "1a5dd458c27b1a87342b24713e6b403cff151372e80a9f53da55c0975951eba6\
             1229fd9274df4b2a4786ad9e03e14b8b53438e921a3895b860d3fca894ea1255",
        ),
        (little, QEMU_MAX, "de3f172bfeb61c96ab1f309113ef76522139f2cef20a865a56ff5fb5f4924155"),
        (large, FVP, "0018e53b3685f41d71816bd8387e643d5943af182c51b219c75ddbebce116ff8"),
        (
            firmware,
            FVP,
            "258aaebe7d577e634047378fbf0984fb2ef065ff3d4bbfc18a4737488c19ec78\
             f7501cf77216be128858a0c4b5b43671afeee74002bb4f75fd23dfdc0caa3ea1",
        ),
        (
            line("-m 64M -kernel Image -initrd initrd"),
            FVP,
            "5c8c6d5eceab743442b2a9d491d386a1167e0c1b83444712ae01013f306efade\
             bcdb677ddbcc07516b2a0624aeb8044c4d390b1c18597773510ff654d50b2c63",
        ),
    ] {
        assert_eq!(rim(room.qemu(&line, &host)), expected, "{line}");
    }
}

#[test]
fn kvmtools_realms_have_the_rims_of_cca_realm_measurements() {
    let room = Room::new("kvmtool");
    let plain = Host { breakpoints: Some(6), watchpoints: Some(6), sve: Some(0), pmu: Some(Pmu::Off), ipa_width: None };
    for (line, host, expected) in [
        (
            "--realm -c 2 -m 256 -k Image -i initrd -p quiet",
            FVP,
            "fec89eaefce73ae09a855875346f99b653a3670899066d64429e653f2743f988",
        ),
        (
            "--realm -c 4 -m 128M --irqchip=gicv3 --measurement-log --measurement-algo sha512 -k Image -i initrd",
            FVP,
            "55e0596286188d8ae60303e1d0339da4fd0f089ec577b5e22cb1f184f9ccac52\
             0aaff8afba03d79bcd7b717f92a79c4ac1ecf860727f1b6d0db8f9775dca145d",
        ),
        (
            "--realm -c 1 -m 2G -f fw --disable-sve",
            FVP,
            "1ad9c159f8a36f18b3a49de6bbd555237f55c37f4ea1af1504efc96d21684cda",
        ),
        (
            "--realm -c 1 -m 512M --virtio-transport mmio --console virtio -d a -d b -n mode=none -k Image",
            plain,
            "21f393be0df02bd8080fde665182a1115d1ba5f211d42ffdad6cbf6e105c7179",
        ),
    ] {
        assert_eq!(rim(room.kvmtool(line, &host)), expected, "{line}");
    }
}

#[test]
fn what_nobody_said_of_the_host_is_asked_for() {
    let room = Room::new("host");
    let missing = |host: Host, named: &str| match room.qemu(&line("-kernel Image"), &host) {
        Err(Error::Missing { what }) => assert!(what.contains(named), "{what}"),
        other => panic!("{named}: {other:?}"),
    };
    missing(Host { breakpoints: None, ..QEMU_MAX }, "--breakpoints");
    missing(Host { watchpoints: None, ..QEMU_MAX }, "--watchpoints");
    missing(Host { sve: None, ..QEMU_MAX }, "--sve-vl");
    missing(Host { pmu: None, ..QEMU_MAX }, "--pmu-counters");
    for host in [
        Host { breakpoints: Some(1), ..QEMU_MAX },
        Host { watchpoints: Some(65), ..QEMU_MAX },
        Host { sve: Some(100), ..QEMU_MAX },
        Host { pmu: Some(Pmu::Counters(32)), ..QEMU_MAX },
        Host { ipa_width: Some(40), ..QEMU_MAX },
    ] {
        let refused = room.qemu(&line("-kernel Image"), &host);
        assert!(matches!(refused, Err(Error::Option { .. })), "{refused:?}");
    }
}

#[test]
fn own_files_take_the_place_of_those_that_are_loaded_and_no_others() {
    let path = |name: &str| Some(PathBuf::from(name));
    let mut files = Files { kernel: path("theirs"), ..Files::default() };
    files.replace(&Files { kernel: path("mine"), dtb: path("tree"), ..Files::default() }).unwrap();
    assert_eq!(files, Files { kernel: path("mine"), dtb: path("tree"), ..Files::default() });
    for own in
        [Files { initrd: path("mine"), ..Files::default() }, Files { firmware: path("mine"), ..Files::default() }]
    {
        assert!(matches!(files.clone().replace(&own), Err(Error::Option { .. })));
    }
}

#[test]
fn a_tree_that_is_given_is_measured_as_it_is() {
    let room = Room::new("given");
    let own = room.qemu(&line("-smp 2 -kernel Image"), &QEMU_MAX).unwrap();
    assert_eq!(own.warnings, [Warning::OwnTree]);
    std::fs::write(room.0.join("tree"), &own.dtb).unwrap();
    let given = room.qemu(&line("-smp 8 -kernel Image -dtb tree"), &QEMU_MAX).unwrap();
    assert_eq!(given.warnings, [Warning::TreeIsRewritten]);
    assert_eq!(given.launch.measure().unwrap(), own.launch.measure().unwrap());

    let kvmtool = "--realm -c 2 -m 256 -k Image";
    let own = room.kvmtool(kvmtool, &QEMU_MAX).unwrap();
    let unpadded = u32::from_be_bytes(own.dtb[4..8].try_into().unwrap()) as usize;
    std::fs::write(room.0.join("tree"), &own.dtb[..unpadded]).unwrap();
    let given = room.kvmtool(&format!("{kvmtool} --dtb tree"), &QEMU_MAX).unwrap();
    assert_eq!(given.dtb.len(), 64 << 10);
    assert_eq!(given.launch.measure().unwrap(), own.launch.measure().unwrap());
    for broken in [&own.dtb[..unpadded - 1], &own.dtb[1..], &[]] {
        std::fs::write(room.0.join("tree"), broken).unwrap();
        let refused = room.qemu(&line("-kernel Image -dtb tree"), &QEMU_MAX);
        assert!(matches!(refused, Err(Error::File { .. })), "{refused:?}");
    }
}

#[test]
fn every_part_of_a_realm_shows_in_its_rim() {
    let room = Room::new("parts");
    let base = "--realm -c 2 -m 256 -k Image -i initrd";
    let value = rim(room.kvmtool(base, &FVP));
    for more in [
        "-p quiet",
        "--irqchip gicv3",
        "--measurement-log",
        "--sve-max-vl 128",
        "--pmu --pmu-counters 2",
        "--measurement-algo sha512",
    ] {
        assert_ne!(rim(room.kvmtool(&format!("{base} {more}"), &FVP)), value, "{more}");
    }
    for same in ["--name x", "--debug", "--dump-dtb x.dtb", "--realm-pv abc", "-d disk", "--rng", "-n mode=user"] {
        assert_eq!(rim(room.kvmtool(&format!("{base} {same}"), &FVP)), value, "{same}");
    }
    let rpv = room.kvmtool(&format!("{base} --realm-pv abc"), &FVP).unwrap().launch.rpv;
    assert_eq!(&rpv[..4], b"abc\0");
}

#[test]
fn ram_above_4_gib_needs_an_address_bit_more() {
    let room = Room::new("width");
    let width = |memory: &str| {
        let ready = room.kvmtool(&format!("--realm -c 1 -m {memory} -k Image"), &FVP).unwrap();
        ready.launch.params.ipa_width
    };
    assert_eq!([width("2G"), width("2050M"), width("6G"), width("14G")], [33, 34, 34, 35]);
}

#[test]
fn kvmtools_features_are_off_where_they_are_not_asked_for() {
    let room = Room::new("features");
    let mut vm = Kvmtool::parse(&words("--realm -c 2 -m 256 -k Image")).unwrap();
    vm.files = room.files(&vm.files);
    let ready = vm.clone().ready(&FVP).unwrap();
    assert_eq!((ready.launch.params.sve, ready.launch.params.pmu), (None, None));
    assert!(ready.warnings.contains(&Warning::FeaturesOff));
    let asked = Kvmtool { pmu: true, sve: Some(256), ..vm.clone() }.ready(&FVP).unwrap();
    assert_eq!((asked.launch.params.sve, asked.launch.params.pmu), (Some(1), Some(8)));
    assert!(!asked.warnings.contains(&Warning::FeaturesOff));
    assert_eq!(asked.launch.params.hash, Hash::Sha256);
    let too_much = Kvmtool { sve: Some(1024), ..vm }.ready(&FVP);
    assert!(matches!(too_much, Err(Error::Option { .. })), "{too_much:?}");
}
