use std::path::PathBuf;

use abi::measurement::Hash;

use super::{Domain, Error};

/// A domain that asks for all that is supported; tests replace its parts.
const DOMAIN: &str = r#"<?xml version="1.0"?>
<domain type='kvm' id='3'>
  <name>realm</name>
  <uuid>6ad8b7c6-2f3c-4a8e-8a54-6a1c0b1a9f00</uuid>
  <metadata><any:thing xmlns:any='urn:any'><what ever='1'/></any:thing></metadata>
  <memory unit='MiB'>512</memory>
  <currentMemory>524288</currentMemory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='aarch64' machine='virt-9.2'>hvm</type>
    <kernel>/boot/Image</kernel>
    <initrd>initrd.img</initrd>
    <cmdline>console=hvc0 swiotlb=8192</cmdline>
  </os>
  <features><gic version='3'/></features>
  <cpu mode='host-passthrough' check='none'/>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <devices>
    <emulator>/usr/bin/qemu-system-aarch64</emulator>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='virtio-serial' index='0'/>
    <console type='pty'><target type='virtio' port='0'/></console>
    <memballoon model='none'/>
  </devices>
  <launchSecurity type='cca' measurement-log='no'>
    <measurement-algo>sha512</measurement-algo>
    <personalization-value>qrs=</personalization-value>
  </launchSecurity>
</domain>"#;

fn with(from: &str, to: &str) -> Result<Domain, Error> {
    assert!(DOMAIN.contains(from), "{from}");
    Domain::parse(&DOMAIN.replacen(from, to, 1))
}

fn unsupported(from: &str, to: &str) -> String {
    match with(from, to) {
        Err(Error::Unsupported { path, .. }) => path,
        other => panic!("{to}: expected a refusal, found {other:?}"),
    }
}

#[test]
fn all_that_is_supported_is_read() {
    let mut rpv = [0; 64];
    rpv[..2].copy_from_slice(&[0xaa, 0xbb]);
    let expected = Domain {
        memory: 512 << 20,
        cpus: 2,
        kernel: PathBuf::from("/boot/Image"),
        initrd: Some(PathBuf::from("initrd.img")),
        cmdline: "console=hvc0 swiotlb=8192".to_string(),
        hash: Hash::Sha512,
        rpv,
    };
    assert_eq!(Domain::parse(DOMAIN), Ok(expected));
}

#[test]
fn the_least_domain_has_the_defaults() {
    let least = "<domain type='kvm'><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type><kernel>k</kernel></os>\
                 <launchSecurity type='cca'/></domain>";
    let domain = Domain::parse(least).unwrap();
    assert_eq!((domain.memory, domain.cpus, domain.hash, domain.rpv), (64 << 20, 1, Hash::Sha256, [0; 64]));
    assert_eq!((domain.initrd, domain.cmdline), (None, String::new()));
}

#[test]
fn both_spellings_of_the_log_switch_and_the_algorithm_are_read() {
    let openeuler = with("measurement-log='no'>", "><measurement-log state='off'/>").unwrap();
    assert_eq!(openeuler, Domain::parse(DOMAIN).unwrap());
    let qemu = DOMAIN.replace("measurement-algo>", "measurement-algorithm>");
    assert_eq!(Domain::parse(&qemu), Domain::parse(DOMAIN));
    let hex = "ab".repeat(64);
    assert_eq!(with("qrs=", &hex).unwrap().rpv, [0xab; 64]);
}

#[test]
fn what_would_change_the_vm_is_refused_by_name() {
    let devices = "<devices>";
    for (from, to, named) in [
        (devices, "<devices><disk type='file'/>", "domain/devices/disk"),
        (devices, "<devices><interface type='user'/>", "domain/devices/interface"),
        (devices, "<devices><serial type='pty'/>", "domain/devices/serial"),
        ("<features>", "<features><acpi/>", "domain/features/acpi"),
        ("<gic version='3'/>", "<gic version='2'/>", "domain/features/gic/@version='2'"),
        ("<gic version='3'/>", "<gic version='3' its='on'/>", "domain/features/gic/@its='on'"),
        ("<os>", "<os><loader readonly='yes'>f</loader>", "domain/os/loader"),
        ("<os>", "<os firmware='efi'>", "domain/os/@firmware"),
        ("<vcpu placement", "<maxMemory slots='2'>9</maxMemory><vcpu placement", "domain/maxMemory"),
        ("<clock offset='utc'/>", "<clock offset='utc'><timer name='pit'/></clock>", "domain/clock/timer"),
        ("mode='host-passthrough'", "mode='custom'", "domain/cpu/@mode='custom'"),
        ("arch='aarch64'", "arch='x86_64'", "domain/os/type/@arch='x86_64'"),
        ("type='cca'", "type='sev'", "domain/launchSecurity/@type='sev'"),
        ("measurement-log='no'", "measurement-log='yes'", "domain/launchSecurity/@measurement-log='yes'"),
        ("measurement-log='no'", "hisi-cca-enable='yes'", "domain/launchSecurity/@hisi-cca-enable"),
        ("model='none'", "model='virtio'", "domain/devices/memballoon/@model='virtio'"),
        ("port='0'", "port='1'", "domain/devices/console/target/@port='1'"),
    ] {
        assert_eq!(unsupported(from, to), named);
    }
}

#[test]
fn elements_of_other_namespaces_are_refused_where_they_are_not_metadata() {
    let qemu = "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/><features>";
    assert_eq!(unsupported("<features>", qemu), "domain/commandline");
    let disguised = "<q:name xmlns:q='urn:q'/><features>";
    assert_eq!(unsupported("<features>", disguised), "domain/name");
    let memory = "<q:memory xmlns:q='urn:q'>1</q:memory><features>";
    assert!(matches!(with("<features>", memory), Err(Error::Duplicate { .. } | Error::Unsupported { .. })));
}

#[test]
fn refusals_name_their_line() {
    let error = with("<features>", "<features><acpi/>").unwrap_err();
    assert_eq!(error, Error::Unsupported { path: "domain/features/acpi".to_string(), line: 15 });
    assert!(error.to_string().contains("line 15: domain/features/acpi"), "{error}");
}

#[test]
fn values_are_strict() {
    for (from, to) in [
        ("512</memory>", "-512</memory>"),
        ("512</memory>", "99999999999999999999</memory>"),
        ("unit='MiB'", "unit='EiB'"),
        ("524288<", "262144<"),
        ("placement='static'", "current='1'"),
        (">2</vcpu>", ">two</vcpu>"),
        ("sha512", "sha384"),
        ("qrs=", "qrs"),
        ("qrs=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        (">hvm<", ">linux<"),
        ("virt-9.2", "sbsa-ref"),
    ] {
        assert!(matches!(with(from, to), Err(Error::Value { .. })), "{to}: {:?}", with(from, to));
    }
}

#[test]
fn what_is_missing_or_doubled_is_named() {
    for (from, to, path) in [
        ("<kernel>/boot/Image</kernel>", "", "domain/os/kernel"),
        ("<kernel>/boot/Image</kernel>", "<kernel/>", "domain/os/kernel"),
        ("<memory unit='MiB'>512</memory>", "", "domain/memory"),
        ("<vcpu placement='static'>2</vcpu>", "", "domain/vcpu"),
        ("type='cca'", "", "domain/launchSecurity/@type"),
        ("<target type='virtio' port='0'/>", "", "domain/devices/console/target/@type"),
    ] {
        assert_eq!(with(from, to), Err(Error::Missing { path }));
    }
    let twice = with("<features>", "<vcpu>4</vcpu><features>");
    assert_eq!(twice, Err(Error::Duplicate { path: "domain/vcpu".to_string(), line: 15 }));
    let both = with("<measurement-algo>", "<measurement-algorithm>sha256</measurement-algorithm><measurement-algo>");
    assert!(matches!(both, Err(Error::Duplicate { .. })), "{both:?}");
}

#[test]
fn what_is_no_domain_is_refused() {
    assert!(matches!(Domain::parse(""), Err(Error::Xml { .. })));
    assert!(matches!(Domain::parse("<!DOCTYPE d [<!ENTITY e 'x'>]><domain/>"), Err(Error::Xml { .. })));
    let network = Domain::parse("<network/>");
    assert_eq!(network, Err(Error::Unsupported { path: "network".to_string(), line: 1 }));
}
