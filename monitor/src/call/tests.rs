use super::{Buffer, Call};
use crate::{Registers, World, psci};

fn registers(first: &[u64]) -> Registers {
    let mut registers = Registers::ZERO;
    registers.set(first);
    registers
}

fn parse(world: World, fid: u64) -> Call {
    Call::parse(world, &registers(&[fid, 1, 2, 3, 4]))
}

#[test]
fn normal_world_reaches_rmi_psci_and_smccc_and_nothing_of_the_realm_worlds() {
    assert_eq!(parse(World::Normal, 0xc400_0150), Call::Rmi);
    assert_eq!(parse(World::Normal, 0xc400_018e), Call::Rmi);
    assert_eq!(parse(World::Normal, 0xc401_0150), Call::Rmi, "the SVE hint is no part of the identifier");
    assert_eq!(parse(World::Normal, 0x8000_0000), Call::SmcccVersion);
    assert_eq!(parse(World::Normal, 0x8000_0001), Call::SmcccFeatures { function: 1 });
    assert_eq!(parse(World::Normal, 0x8400_0000), Call::Psci(psci::Call::Version));
    for fid in 0xc400_018f..=0xc400_01cf {
        assert_eq!(parse(World::Normal, fid), Call::Unknown, "{fid:#x}");
    }
    for fid in [0xc400_014f, 0x8400_0150, 0x4400_0150, 0xc600_0000, 0, u64::MAX] {
        assert_eq!(parse(World::Normal, fid), Call::Unknown, "{fid:#x}");
    }
}

#[test]
fn realm_world_reaches_its_services_and_nothing_of_the_normal_worlds() {
    let buffer = |pa, size| Buffer { pa, size };
    assert_eq!(parse(World::Realm, 0xc400_018f), Call::ReqComplete);
    assert_eq!(parse(World::Realm, 0xc400_01b0), Call::Delegate { pa: 1 });
    assert_eq!(parse(World::Realm, 0xc400_01b1), Call::Undelegate { pa: 1 });
    assert_eq!(parse(World::Realm, 0xc400_01b2), Call::Unknown, "the key stays in the monitor");
    assert_eq!(parse(World::Realm, 0xc400_01b3), Call::GetPlatToken { buffer: buffer(1, 2), challenge_size: 3 });
    assert_eq!(parse(World::Realm, 0xc400_01b4), Call::Features { index: 1 });
    assert_eq!(parse(World::Realm, 0xc400_01b5), Call::TokenSign { operation: 1, buffer: buffer(2, 3), curve: 4 });
    assert_eq!(parse(World::Realm, 0xc400_01ce), Call::Trace { kind: 1 });
    assert_eq!(parse(World::Realm, 0xc400_01cf), Call::BootComplete { status: 1 });
    for fid in [0xc400_0150, 0xc400_0190, 0x8400_0000, 0x8400_0008, 0x8400_0009, 0xc300_0000] {
        assert_eq!(parse(World::Realm, fid), Call::Unknown, "{fid:#x}");
    }
}

#[test]
fn secure_world_reaches_nothing() {
    for fid in [0xc400_0150, 0xc400_01b0, 0x8400_0000, 0x8000_0000] {
        assert_eq!(parse(World::Secure, fid), Call::Unknown, "{fid:#x}");
    }
}
