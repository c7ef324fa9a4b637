use abi::measurement::Hash;

use crate::Error;
use crate::vmm::qemu::{Map, Qemu};
use crate::vmm::tests::{QEMU_MAX, Room, line, rim, words};
use crate::vmm::{Host, Pmu, Warning};

fn parsed(more: &str) -> Result<Qemu, Error> {
    Qemu::parse(&words(&line(more)))
}

/// The option that is refused.
fn refused(line: &str) -> String {
    match Qemu::parse(&words(line)) {
        Err(Error::Option { option, .. }) => option,
        other => panic!("{line}: expected a refusal, found {other:?}"),
    }
}

#[test]
fn all_that_is_supported_is_read() {
    let vm = parsed(
        "-machine type=virt-9.1,gic-version=max,its=off,acpi=off,accel=kvm -m size=1G,slots=2,maxmem=4G -smp cpus=8,sockets=2,cores=4 \
         -append a,b=c -kernel k -initrd i -dtb d -nographic -enable-kvm -nodefaults -serial mon:stdio -name x -drive file=f,if=none \
         -netdev user,id=n -device virtio-net-pci,netdev=n,romfile= -device {\"driver\":\"pcie-root-port\",\"id\":\"p\"} \
         -object memory-backend-ram,id=m,size=1G --no-reboot",
    )
    .unwrap();
    assert_eq!((vm.memory, vm.slots, vm.max_memory, vm.cpus, vm.its), (1 << 30, 2, 4 << 30, 8, false));
    assert_eq!((vm.append.as_deref(), vm.hash, vm.warnings.len()), (Some("a,b=c"), Hash::Sha512, 0));
    assert!(
        vm.files.kernel.is_some() && vm.files.initrd.is_some() && vm.files.dtb.is_some() && vm.files.firmware.is_none()
    );
    let rpv = parsed("").unwrap().rpv;
    assert_eq!(rpv, [0; 64]);
    assert_eq!(parsed("-M virt-8.2").unwrap().warnings, [Warning::Machine]);
}

#[test]
fn what_could_change_the_realm_is_refused_by_name() {
    for (more, named) in [
        ("-foo", "-foo"),
        ("-numa node", "-numa"),
        ("-global x=y", "-global"),
        ("-fw_cfg name=a", "-fw_cfg"),
        ("-device arm-smmuv3", "-device arm-smmuv3"),
        ("-device loader,file=x,addr=0", "-device loader"),
        ("-device tpm-tis-device", "-device tpm-tis-device"),
        ("-device {\"driver\":\"virtio-iommu-pci\"}", "-device virtio-iommu-pci"),
        ("-device virtio-iommu", "-device virtio-iommu-pci"),
        ("-device virtio-foo", "-device virtio-foo"),
        ("-device {}", "-device without a driver"),
        ("-object sev-guest,id=s", "-object sev-guest"),
        ("-object rme-guest,id=other", "-object"),
        ("-M virt,highmem=off", "-machine highmem=off"),
        ("-M virt,iommu=smmuv3", "-machine iommu=smmuv3"),
        ("-M sbsa-ref", "-machine sbsa-ref"),
        ("-M virt,gic-version=2", "-machine gic-version=2"),
        ("-M virt,secure=on", "-machine secure=on"),
        ("-M virt,kvm-type=protected", "-machine kvm-type=protected"),
        ("-cpu max", "-cpu max"),
        ("-cpu host,aarch64=off", "-cpu aarch64"),
        ("-cpu host,sve100=on", "-cpu sve100"),
        ("-drive file=f,if=pflash", "-drive if=pflash"),
        ("-serial a -serial b", "-serial"),
        ("-smp 0", "-smp"),
        ("-smp 513", "-smp"),
        ("-smp 3,cores=2", "-smp"),
        ("-smp 2,maxcpus=4", "-smp maxcpus"),
        ("-smp 2,dies=2", "-smp dies"),
        ("-m 12X", "-m"),
        ("-m", "-m"),
        ("disk.img", "disk.img"),
    ] {
        assert_eq!(refused(&line(more)), named);
    }
    for property in ["measurement-algorithm=md5", "personalization-value=?", "measurement-log=maybe", "num-vmids=1"] {
        let option = refused(
            &line("").replace("id=rme0", &format!("id=rme0,{property}")).replace("support=id=rme0", "support=rme0"),
        );
        assert!(option.starts_with("-object rme-guest,"), "{option}");
    }
}

#[test]
fn objects_in_json_are_read_as_libvirt_writes_them() {
    let written = |object: &str| {
        let line = format!(
            "-machine virt-9.1,confidential-guest-support=lsec0 -smp 2,sockets=2,dies=1,cores=1 -kernel k -object {object}"
        );
        Qemu::parse(&words(&line))
    };
    let realm = r#"{"qom-type":"rme-guest","id":"lsec0","measurement-algorithm":"sha256","measurement-log":true}"#;
    let backend =
        r#"{"qom-type":"memory-backend-ram","id":"ram-node0","size":8589934592,"host-nodes":[0],"policy":"bind"}"#;
    let vm = written(&format!("{realm} -object {backend}")).unwrap();
    assert_eq!((vm.hash, vm.log, vm.cpus), (Hash::Sha256, true, 2));
    for bad in [
        realm.replace("sha256", "md5"),
        realm.replace("true", "null"),
        realm.replace("measurement-log", "other"),
        realm.replace("qom-type", "type"),
        realm.replace("rme-guest", "sev-guest"),
        realm.replace('}', ""),
    ] {
        assert!(matches!(written(&bad), Err(Error::Option { .. })), "{bad}");
    }
    let tmm = r#"-M virt,kvm-type=cvm -object {"qom-type":"tmm-guest","id":"tmm0","sve-vector-length":128,"num-pmu-counters":1}"#;
    let vm = crate::virtcca::Virtcca::parse(&words(tmm)).unwrap();
    assert_eq!((vm.sve, vm.counters), (128, 1));
}

#[test]
fn what_makes_no_realm_is_refused() {
    assert!(parsed("").is_ok());
    let missing = |line: &str| matches!(Qemu::parse(&words(line)), Err(Error::Missing { .. }));
    assert!(
        missing("-M virt -kernel k")
            && missing("-M virt,confidential-guest-support=r")
            && missing("-object rme-guest,id=r")
    );
    assert_eq!(
        refused("-M virt,confidential-guest-support=a -object rme-guest,id=b"),
        "-machine confidential-guest-support"
    );
    assert_eq!(refused(&line("-M virt,kvm-type=cvm")), "-machine kvm-type");
}

#[test]
fn a_realm_that_starts_nothing_has_no_rim() {
    let room = Room::new("empty");
    assert!(room.qemu(&line("-kernel Image"), &QEMU_MAX).is_ok());
    assert!(matches!(room.qemu(&line(""), &QEMU_MAX), Err(Error::Missing { .. })));
    assert!(matches!(room.qemu(&line("-initrd initrd"), &QEMU_MAX), Err(Error::Option { .. })));
    assert!(matches!(room.qemu(&line("-kernel nowhere"), &QEMU_MAX), Err(Error::File { .. })));
}

#[test]
fn what_does_not_fit_is_refused() {
    let room = Room::new("room");
    let no_room = |more: &str, named: &str| match room.qemu(&line(more), &QEMU_MAX) {
        Err(Error::NoRoom { what, .. }) => assert_eq!(what, named),
        other => panic!("{more}: {other:?}"),
    };
    no_room("-m 2M -kernel Image", "device tree");
    room.qemu(&line("-m 5M -kernel Image"), &QEMU_MAX).unwrap();
    let logged = line("-m 5M -kernel Image").replace("id=rme0 ", "id=rme0,measurement-log=on ");
    assert!(matches!(room.qemu(&logged, &QEMU_MAX), Err(Error::NoRoom { what: "measurement log", .. })));
    assert!(matches!(room.qemu(&line("-m 1537K -kernel Image"), &QEMU_MAX), Err(Error::Option { .. })));
}

#[test]
fn the_processor_is_the_hosts_less_what_is_asked() {
    let room = Room::new("cpu");
    let params = |cpu: &str, host: Host| {
        let line = line("-kernel Image").replace("-cpu host", &format!("-cpu host{cpu}"));
        room.qemu(&line, &host).map(|ready| (ready.launch.params.sve, ready.launch.params.pmu))
    };
    let nothing = Host { sve: None, pmu: None, ..QEMU_MAX };
    for (cpu, host, expected) in [
        ("", QEMU_MAX, (Some(15), Some(6))),
        (",sve=off,pmu=off", nothing, (None, None)),
        (",sve512=on", QEMU_MAX, (Some(3), Some(6))),
        (",sve128=on,sve256=on", QEMU_MAX, (Some(1), Some(6))),
        (",sve512=off", QEMU_MAX, (Some(1), Some(6))),
        (",sve128=off", QEMU_MAX, (None, Some(6))),
        (",sve2048=on,pmu=on,num-pmu-counters=2", nothing, (Some(15), Some(2))),
        (",num-pmu-counters=0", QEMU_MAX, (Some(15), Some(0))),
        (",sve=off,sve=on", QEMU_MAX, (Some(15), Some(6))),
    ] {
        assert_eq!(params(cpu, host).unwrap(), expected, "{cpu}");
    }
    for (cpu, host) in [
        (",num-breakpoints=7", QEMU_MAX),
        (",num-watchpoints=5", QEMU_MAX),
        (",num-pmu-counters=7", QEMU_MAX),
        (",sve512=on", Host { sve: Some(256), ..QEMU_MAX }),
        (",pmu=on", Host { pmu: Some(Pmu::Off), ..QEMU_MAX }),
    ] {
        assert!(matches!(params(cpu, host), Err(Error::Option { .. })), "{cpu}");
    }
    assert!(matches!(params(",pmu=on", nothing), Err(Error::Missing { .. })));
}

#[test]
fn the_map_above_ram_follows_what_may_be_plugged_in() {
    const GIB: u64 = 1 << 30;
    const TIB: u64 = 1 << 40;
    let map = |memory, most, slots| Map::new(memory, most, slots);
    let usual = Map { gicr: 0x40_0000_0000, ecam: 0x40_1000_0000, pci: 0x80_0000_0000, ipa_width: 41 };
    assert_eq!([map(1 << 20, 0, 0), map(254 * GIB, 0, 0)], [usual; 2]);
    let large = Map { gicr: 0x100_8000_0000, ecam: 0x100_9000_0000, pci: 0x180_0000_0000, ipa_width: 42 };
    assert_eq!(map(1 << 20, TIB, 0), large);
    let huge = map(1 << 20, 256 * TIB, 12);
    assert_eq!((huge.gicr, huge.pci, huge.ipa_width), (0x1_0003_8000_0000, 0x1_0080_0000_0000, 50));
}

#[test]
fn what_shows_in_no_rim_changes_none() {
    let room = Room::new("same");
    let base = rim(room.qemu(&line("-smp 4 -m 1G -kernel Image"), &QEMU_MAX));
    for more in [
        "-device virtio-blk-pci,drive=d -drive file=f,if=none,id=d",
        "-device virtio-blk,drive=d -drive file=f,if=none,id=d -device virtio-rng -device pci-bridge,bus=pcie.0,id=b",
        "-nographic",
        "-M virt,acpi=off",
        "-M virt,highmem=on,dumpdtb=virt.dtb",
        "-global kvm-pit.lost_tick_policy=discard",
        "-object iommufd,id=i",
        "-smp 4,sockets=2",
    ] {
        assert_eq!(rim(room.qemu(&line(&format!("-smp 4 -m 1G -kernel Image {more}")), &QEMU_MAX)), base, "{more}");
    }
    for more in ["-smp 5", "-m 2G", "-append x", "-M virt,its=off", "-initrd initrd", "-cpu host,pmu=off"] {
        assert_ne!(rim(room.qemu(&line(&format!("-smp 4 -m 1G -kernel Image {more}")), &QEMU_MAX)), base, "{more}");
    }
}
