use std::path::PathBuf;

use crate::Error;
use crate::vmm::Warning;
use crate::vmm::kvmtool::Kvmtool;
use crate::vmm::tests::{QEMU_MAX, Room, words};

const LEAST: &str = "--realm -c 2 -m 256 -k Image";

fn parsed(more: &str) -> Result<Kvmtool, Error> {
    Kvmtool::parse(&words(&format!("{LEAST} {more}")))
}

#[test]
fn every_spelling_of_an_option_is_read() {
    let expected = Kvmtool { cpus: 2, memory: 256 << 20, ..parsed("").unwrap() };
    for line in [
        "--realm --cpus 2 --mem 256M --kernel Image",
        "--realm --cpus=2 --mem=256 --kernel=Image",
        "--realm -c2 -m256 -kImage",
    ] {
        assert_eq!(Kvmtool::parse(&words(line)).unwrap(), expected, "{line}");
    }
    assert_eq!(expected.files.kernel, Some(PathBuf::from("Image")));
}

#[test]
fn devices_are_counted_where_they_stand_in_the_tree() {
    for (more, count) in [
        ("--rng --balloon", 0),
        ("--virtio-transport mmio", 1),
        ("--virtio-transport mmio --nodefaults", 0),
        ("--virtio-transport mmio -n mode=none", 0),
        ("--virtio-transport mmio -n mode=user", 1),
        (
            "--virtio-transport mmio -n mode=user -n mode=tap --rng --balloon --console virtio -d a --9p b,c --vsock 3",
            8,
        ),
        ("--virtio-transport mmio --console serial", 1),
    ] {
        assert_eq!(parsed(more).unwrap().mmio, count, "{more}");
    }
}

#[test]
fn what_could_change_the_realm_is_refused_by_name() {
    for (more, named) in [
        ("--aarch32", "--aarch32"),
        ("--pkvm", "--pkvm"),
        ("--flash f", "--flash"),
        ("--kaslr-seed 1", "--kaslr-seed"),
        ("-F f", "-F"),
        ("--irqchip gicv2", "--irqchip"),
        ("--virtio-transport carrier-pigeon", "--virtio-transport"),
        ("-n mode=user,trans=mmio", "--network trans"),
        ("-m 256@0x40000000", "--mem"),
        ("--measurement-algo md5", "--measurement-algo"),
        ("--firmware-address x", "--firmware-address"),
        ("disk", "disk"),
    ] {
        match parsed(more) {
            Err(Error::Option { option, .. }) => assert_eq!(option, named),
            other => panic!("{more}: {other:?}"),
        }
    }
    let long = format!("--realm-pv {}", "a".repeat(65));
    assert!(matches!(parsed(&long), Err(Error::Option { .. })));
    assert!(parsed(&long[..long.len() - 1]).is_ok());
}

#[test]
fn what_the_host_would_choose_must_be_said() {
    assert!(parsed("").is_ok());
    for part in ["--realm ", "-c 2 ", "-m 256 "] {
        let refused = Kvmtool::parse(&words(&LEAST.replace(part, "")));
        assert!(matches!(refused, Err(Error::Missing { .. })), "{part}: {refused:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let room = Room::new("kvmtool-fit");
    let refused = |line: &str| room.kvmtool(line, &QEMU_MAX).unwrap_err();
    assert!(matches!(refused("--realm -c 1 -m 255 -k Image"), Error::Option { .. }));
    assert!(matches!(refused("--realm -c 1 -m 2 -k Image"), Error::NoRoom { .. }));
    assert!(matches!(refused("--realm -c 256 -m 256 -k Image"), Error::Option { .. }));
    assert!(matches!(refused("--realm -c 1 -m 256"), Error::Missing { .. }));
    assert!(matches!(refused("--realm -c 1 -m 256 -k Image -f fw"), Error::Option { .. }));
    assert!(matches!(refused("--realm -c 1 -m 256 -f fw --firmware-address 0x1000"), Error::Option { .. }));
    let many = room.kvmtool("--realm -c 17 -m 256 -k Image", &QEMU_MAX).unwrap();
    assert!(many.warnings.contains(&Warning::ManyCpus));
    assert!(!room.kvmtool("--realm -c 16 -m 256 -k Image", &QEMU_MAX).unwrap().warnings.contains(&Warning::ManyCpus));
}
