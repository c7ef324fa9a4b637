use std::path::PathBuf;

use abi::measurement::Hash;
use evidence::hex;

use super::Virtcca;
use crate::vmm::{Files, Warning};
use crate::{Error, Expected};

/// A folder with the files of the known answers, gone when dropped.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Room {
        let room = std::env::temp_dir().join(format!("allod-virtcca-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&room).unwrap();
        let bytes =
            |count: usize, by: usize, from: usize| (0..count).map(|n| (by * n + from) as u8).collect::<Vec<u8>>();
        let mut kernel = bytes(0x3001, 7, 3);
        kernel[..64].fill(0);
        kernel[16..24].copy_from_slice(&0x5000u64.to_le_bytes());
        kernel[56..60].copy_from_slice(b"ARM\x64");
        for (name, bytes) in [
            ("kernel", kernel),
            ("dtb", bytes(5000, 5, 1)),
            ("initrd", bytes(3000, 11, 2)),
            ("firmware", bytes(8192, 13, 4)),
        ] {
            std::fs::write(room.join(name), bytes).unwrap();
        }
        Room(room)
    }

    fn vm(&self, files: &[&str]) -> Virtcca {
        let file = |name: &str| files.contains(&name).then(|| self.0.join(name));
        let files =
            Files { kernel: file("kernel"), initrd: file("initrd"), firmware: file("firmware"), dtb: file("dtb") };
        Virtcca { cpus: 1, sve: 0, counters: 0, hash: Hash::Sha256, memory: None, files }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn rim((expected, _): (Expected, Vec<Warning>)) -> String {
    hex::encode(&expected.rim)
}

#[test]
fn the_generator_and_this_agree() {
    let room = Room::new("answers");
    let a = room.vm(&["kernel", "dtb"]);
    let b = Virtcca { cpus: 4, sve: 128, counters: 1, ..room.vm(&["kernel", "dtb", "initrd"]) };
    let c = Virtcca { cpus: 2, counters: 1, ..room.vm(&["firmware", "dtb"]) };
    for (vm, expected) in [
        (a, "61112d370ebafc91debb65fab3ae658af8557665bcaf52f44419821258a7e530"),
        (b, "2f67d2077384e6de1c6dbfaf242ac45c5625786782d11a7dca159c31732d8a4b"),
        (c, "808fd8b9d107248c533a999f7bf81bc72c8c071756e94924701c5c24adb22102"),
    ] {
        assert_eq!(rim(vm.measure().unwrap()), expected);
    }
}

#[test]
fn what_the_launch_is_made_of_shows_and_the_size_of_memory_does_not() {
    let room = Room::new("changes");
    let vm = room.vm(&["kernel", "dtb", "initrd"]);
    let base = rim(vm.measure().unwrap());
    let sha512 = Virtcca { hash: Hash::Sha512, ..vm.clone() }.measure().unwrap();
    assert!(sha512.1.contains(&Warning::Untried512));
    assert_eq!(sha512.0.rim.len(), 64);
    for changed in [
        Virtcca { cpus: 2, ..vm.clone() },
        Virtcca { sve: 256, ..vm.clone() },
        Virtcca { counters: 1, ..vm.clone() },
        room.vm(&["kernel", "dtb"]),
    ] {
        assert_ne!(rim(changed.measure().unwrap()), base);
    }
    let (expected, warnings) = Virtcca { memory: Some(128 << 20), ..vm }.measure().unwrap();
    assert_eq!(hex::encode(&expected.rim), base);
    assert_eq!(warnings, [Warning::LittleRam, Warning::NoTree]);
}

#[test]
fn departures_of_tool_and_vmm_are_warned_of() {
    let room = Room::new("warnings");
    let vm = room.vm(&["kernel", "dtb", "initrd"]);
    std::fs::write(room.0.join("initrd"), vec![1; 2 << 20]).unwrap();
    assert_eq!(vm.measure().unwrap().1, [Warning::InitrdFillsBlock, Warning::NoTree]);
    let kernel = room.0.join("kernel");
    let mut bytes = std::fs::read(&kernel).unwrap();
    bytes[8..16].copy_from_slice(&0x8_0000u64.to_le_bytes());
    bytes[16..24].copy_from_slice(&(127u64 << 20).to_le_bytes());
    std::fs::write(&kernel, bytes).unwrap();
    let overlap = room.vm(&["kernel", "dtb"]).measure();
    assert!(matches!(overlap, Err(Error::Overlap { what: "device tree", .. })), "{overlap:?}");
}

#[test]
fn what_no_tmm_starts_is_refused() {
    let room = Room::new("refused");
    let missing = |files: &[&str]| matches!(room.vm(files).measure(), Err(Error::Missing { .. }));
    assert!(missing(&["kernel"]) && missing(&["dtb"]));
    let option = |vm: Virtcca| matches!(vm.measure(), Err(Error::Option { .. }));
    let vm = room.vm(&["kernel", "dtb"]);
    assert!(option(Virtcca { sve: 100, ..vm.clone() }) && option(Virtcca { counters: 32, ..vm.clone() }));
    assert!(option(Virtcca { cpus: 0, ..vm }));
    assert!(option(room.vm(&["kernel", "firmware", "dtb"])) && option(room.vm(&["firmware", "initrd", "dtb"])));
}

#[test]
fn the_command_line_of_qemu_is_read() {
    let line = "-M virt,gic-version=3,accel=kvm,kernel_irqchip=on,kvm-type=cvm -cpu host -smp 4 -m 4G \
                -object tmm-guest,id=tmm0,sve-vector-length=128,num-pmu-counters=1 -kernel k -initrd i -append x -nographic";
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    let vm = Virtcca::parse(&words(line)).unwrap();
    assert_eq!((vm.cpus, vm.sve, vm.counters, vm.memory), (4, 128, 1, Some(4 << 30)));
    assert_eq!(vm.files.initrd, Some(PathBuf::from("i")));
    for (from, to) in
        [(",kvm-type=cvm", ""), ("tmm-guest,id=tmm0,sve-vector-length=128,num-pmu-counters=1", "rme-guest,id=r")]
    {
        assert!(matches!(Virtcca::parse(&words(&line.replace(from, to))), Err(Error::Missing { .. })), "{from}");
    }
    // As kata launches it; what stands in the device tree is measured with the tree, which is given.
    let katas = line.replace("kvm-type=cvm", "kvm-type=cvm,kata-affinity=on,dumpdtb=virt.dtb")
        + " -device pci-bridge,bus=pcie.0,id=pci-bridge-0 -object memory-backend-memfd,id=dimm1,size=4G,share=on \
           -numa node,memdev=dimm1 -global kvm-pit.lost_tick_policy=discard --no-reboot --enable-kvm";
    let read = Virtcca::parse(&words(&katas)).unwrap();
    assert_eq!((read.cpus, read.sve, read.counters, read.memory), (vm.cpus, vm.sve, vm.counters, vm.memory));
}
