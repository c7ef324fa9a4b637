//! What a Realm is given of the processor by its parameters: it sees that, and nothing of the rest.

use crate::host::{Host, REC, sync};
use abi::rmi::REALM_FLAG_SVE;
use rmm::rec::Rec;

type Name = (u64, u64, u64, u64, u64);

/// What the Realm reads from op0=3, op1=0, CRn=0.
fn id(host: &Host, crm: u64, op2: u64) -> u64 {
    access(host, (3, 0, 0, crm, op2), None)
}

/// One access to a register by x3: what is in x3 then.
fn access(host: &Host, (op0, op1, crn, crm, op2): Name, write: Option<u64>) -> u64 {
    let read = u64::from(write.is_none());
    host.machine().then(move |context| {
        context.x[3] = write.unwrap_or(0x55);
        sync(0x18 << 26 | 1 << 25 | op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | 3 << 5 | crm << 1 | read)
    });
    let after = host.result();
    host.run();
    let x = *after.lock().unwrap();
    x[3]
}

const SVE: u32 = 32;

#[test]
fn a_realm_with_sve_sees_it_and_one_without_does_not() {
    let with = Host::with_realm_of(|params| (params.flags, params.sve_vl) = (REALM_FLAG_SVE, 1));
    let without = Host::with_realm();
    assert_eq!([&with, &without].map(|host| id(host, 4, 0) >> SVE & 0xF), [1, 0]);
    assert_eq!([&with, &without].map(|host| id(host, 4, 4)), [0x0011_0110_0110_0121, 0]);
    let longest = |host: &Host| host.machine().peek(REC, |page| Rec::of(page).realm.vector_quadwords);
    assert_eq!([&with, &without].map(longest), [2, 0]);
}
