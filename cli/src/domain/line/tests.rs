use super::command_line;
use crate::domain::Error;

/// A Realm as libvirt describes it.
const REALM: &str = r"<domain type='kvm'>
  <name>realm</name>
  <memory unit='MiB'>512</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='aarch64' machine='virt'>hvm</type>
    <kernel>/boot/Image</kernel>
    <initrd>initrd.img</initrd>
    <cmdline>console=hvc0, quiet</cmdline>
  </os>
  <features><acpi/><gic version='3' its='on'/></features>
  <cpu mode='host-passthrough'><topology sockets='1' cores='2' threads='1'/></cpu>
  <devices>
    <disk type='file' device='disk'><source file='a.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <interface type='network'><source network='default'/></interface>
    <serial type='pty'/>
  </devices>
  <launchSecurity type='cca'>
    <measurement-algo>sha256</measurement-algo>
    <personalization-value>qrs=</personalization-value>
  </launchSecurity>
</domain>";

fn with(from: &str, to: &str) -> Result<Vec<String>, Error> {
    assert!(REALM.contains(from), "{from}");
    command_line(&REALM.replacen(from, to, 1), false)
}

#[test]
fn a_realm_becomes_the_command_line_of_qemu() {
    let rpv = format!("qrs{}=", "A".repeat(84));
    let expected = [
        "-machine",
        "virt,gic-version=3,its=on,confidential-guest-support=lsec0",
        "-m",
        "536870912B",
        "-smp",
        "2",
        "-cpu",
        "host",
        "-kernel",
        "/boot/Image",
        "-initrd",
        "initrd.img",
        "-append",
        "console=hvc0, quiet",
        "-object",
        &format!("rme-guest,id=lsec0,measurement-algorithm=sha256,personalization-value={rpv}"),
    ];
    let found = command_line(REALM, false).unwrap();
    assert_eq!(found[..found.len() - 1], expected[..expected.len() - 1]);
    let object = found.last().unwrap();
    assert!(
        object.starts_with("rme-guest,id=lsec0,measurement-algorithm=sha256,personalization-value=qrs"),
        "{object}"
    );
    let vm = measure::vmm::qemu::Qemu::parse(&found).unwrap();
    assert_eq!((vm.memory, vm.cpus, vm.rpv[..3].to_vec()), (512 << 20, 2, vec![0xaa, 0xbb, 0]));
}

#[test]
fn a_realm_that_names_no_hash_has_qemus() {
    let words = with("<measurement-algo>sha256</measurement-algo>", "").unwrap();
    let vm = measure::vmm::qemu::Qemu::parse(&words).unwrap();
    assert_eq!(vm.hash, abi::measurement::Hash::Sha512);
    let logged = with("type='cca'", "type='cca' measurement-log='yes'").unwrap();
    assert!(logged.last().unwrap().ends_with("measurement-log=yes"));
}

#[test]
fn virtcca_is_told_by_its_type_and_its_own_words() {
    let own = "<launchSecurity type='cvm'/><qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\
               <qemu:arg value='-object'/><qemu:arg value='tmm-guest,id=tmm0,sve-vector-length=128,num-pmu-counters=1'/>\
               </qemu:commandline>";
    let start = REALM.find("<launchSecurity").unwrap();
    let domain = format!("{}{own}</domain>", &REALM[..start]);
    let words = command_line(&domain, true).unwrap();
    assert!(words.contains(&"virt,gic-version=3,its=on,kvm-type=cvm".to_string()), "{words:?}");
    let vm = measure::virtcca::Virtcca::parse(&words).unwrap();
    assert_eq!((vm.cpus, vm.sve, vm.counters), (2, 128, 1));
    let other = domain.replace("type='cvm'", "type='cca' hisi-cca-enable='yes'");
    assert_eq!(command_line(&other, true).unwrap(), words);
    let bad = domain.replace("<qemu:arg value='-object'/>", "<qemu:env name='A' value='b'/>");
    assert!(
        matches!(command_line(&bad, true), Err(Error::Unsupported { path, .. }) if path == "domain/qemu:commandline/env")
    );
}

#[test]
fn what_could_change_the_rim_is_refused_by_name() {
    for (from, to, named) in [
        ("<devices>", "<devices><tpm model='tpm-tis'/>", "domain/devices/tpm"),
        ("<devices>", "<devices><iommu model='smmuv3'/>", "domain/devices/iommu"),
        ("<devices>", "<devices><memory model='dimm'/>", "domain/devices/memory"),
        ("<devices>", "<maxMemory slots='2'>9</maxMemory><devices>", "domain/maxMemory"),
        ("<devices>", "<q:name xmlns:q='urn:q'/><devices>", "domain/name"),
        ("<acpi/>", "<smm/>", "domain/features/smm"),
        ("<acpi/>", "<kvm><hidden state='on'/></kvm>", "domain/features/kvm"),
        ("<acpi/>", "<kvm><pv-ipi state='off'/></kvm>", "domain/features/kvm"),
        ("<topology sockets='1' cores='2' threads='1'/>", "<numa/>", "domain/cpu/numa"),
        ("mode='host-passthrough'", "mode='custom'", "domain/cpu/@mode='custom'"),
        ("version='3'", "version='2'", "domain/features/gic/@version='2'"),
        ("<kernel>", "<nvram>x</nvram><kernel>", "domain/os/nvram"),
        ("<kernel>", "<loader type='pflash'>f</loader><kernel>", "domain/os/loader/@type='pflash'"),
        ("type='cca'", "type='sev'", "domain/launchSecurity/@type='sev'"),
    ] {
        match with(from, to) {
            Err(Error::Unsupported { path, .. }) => assert_eq!(path, named),
            other => panic!("{named}: {other:?}"),
        }
    }
    for (from, to) in
        [("<vcpu>2</vcpu>", "<vcpu>2</vcpu><vcpu>4</vcpu>"), ("<serial type='pty'/>", "<serial/><serial/>")]
    {
        assert!(matches!(with(from, to), Err(Error::Duplicate { .. })), "{to}");
    }
    assert!(matches!(with("<launchSecurity type='cca'>", "<launchSecurity>"), Err(Error::Missing { .. })));
}

#[test]
fn what_stands_in_the_tree_alone_is_no_matter_where_the_tree_is_given() {
    let domain = REALM.replace("<devices>", "<devices><tpm model='tpm-tis'/>");
    assert!(command_line(&domain, false).is_err());
    assert_eq!(command_line(&domain, true), command_line(REALM, false));
}

#[test]
fn what_is_so_without_being_said_may_be_said() {
    assert_eq!(with("<acpi/>", "<kvm><hidden state='off'/></kvm>"), command_line(REALM, false));
}
