//! Building a realm and taking it down: known answers, refusals, accounts.

use crate::host::*;
use abi::rmi::{RealmParams, RecParams, Status, fid};
use zerocopy::IntoBytes;

/// A change that makes parameters wrong, and what is wrong then.
type Wrong<P> = (&'static str, fn(&mut P));

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn register(host: &Host, index: u64) -> Vec<u8> {
    let x = host.service(&[u64::from(abi::rsi::fid::MEASUREMENT_READ), index]);
    assert_eq!(x[0], 0);
    x[1..9].iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn rim_is_the_known_answer_with_sha_256() {
    let host = Host::with_realm();
    let rim = register(&host, 0);
    assert_eq!(rim[..32], hex("9aab43f9767c7a4f90493e8f50379be96664b438588448c4d8e96ffc19aabf3f"));
    assert_eq!(rim[32..], [0; 32]);
}

#[test]
fn rim_is_the_known_answer_with_sha_512() {
    let host = Host::new();
    host.build(&Options { hash: 1, second_rec: false });
    let known = "8c33109e996d6157bfb3f8f508d61dafe5161754e9712d45974f9f34ad76f31b\
                 b8ac7e00866a2ba1a477320e9501cc8457be2c497bfd2e75506cc6c7f2b76e03";
    assert_eq!(register(&host, 0), hex(known));
}

#[test]
fn rec_that_may_not_run_leaves_the_rim_alone() {
    let host = Host::new();
    host.build(&Options { hash: 0, second_rec: true });
    assert_eq!(register(&host, 0)[..32], hex("9aab43f9767c7a4f90493e8f50379be96664b438588448c4d8e96ffc19aabf3f"));
}

/// Extends a Realm's first REM twice, by `abc` in 32 bytes and by 0 to 63; the register after each.
fn extended_twice(host: &Host) -> [Vec<u8>; 2] {
    let mut first = [0; 32];
    first[..3].copy_from_slice(b"abc");
    let second: [u8; 64] = std::array::from_fn(|i| i as u8);
    let extend = |value: &[u8]| {
        let mut call = vec![u64::from(abi::rsi::fid::MEASUREMENT_EXTEND), 1, value.len() as u64];
        call.extend(value.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())));
        assert_eq!(host.service(&call)[0], 0);
    };
    [&first[..], &second].map(|value| {
        extend(value);
        register(host, 1)[..32].to_vec()
    })
}

#[test]
fn rems_extend_by_rule_p() {
    let [first, second] = extended_twice(&Host::with_realm());
    assert_eq!(first, hex("0c21ed6c924d281f68e38e75239da2374c63efd0db803f13a755d5bde5691e93"));
    assert_eq!(second, hex("399cd8b5bf18bb66c1b8bc7335dd828b05220ecac75abadfa89efb3a2e2d015e"));
}

#[test]
fn rems_extend_padded_where_the_platform_reads_the_text_so() {
    let host = Host::with_realm();
    host.machine().reading.lock().unwrap().pads_measurements = true;
    let [first, second] = extended_twice(&host);
    assert_eq!(first, hex("2e5309db9162159da43c5744f078da297730dcedf4c0c20bce5a1634a2926381"));
    assert_eq!(second, hex("5c289bc48bbd7114d3bdf27def9c0700b4433bd916519d9ebe32a9591bb8ac10"));
}

#[test]
fn features_are_those_of_the_machine_and_no_more() {
    let host = Host::new();
    let features = abi::rmi::Features::from_word(host.ok(fid::FEATURES, &[0])[0]);
    assert_eq!((features.s2sz, features.num_bps, features.num_wps, features.gicv3_num_lrs), (48, 5, 3, 3));
    assert_eq!((features.lpa2, features.sve_vl, features.pmu_counters), (false, Some(1), Some(6)));
    assert!(features.sha256 && features.sha512);
    assert_eq!(features.max_recs_order, 10, "and 1,023 RECs fit where a granule counts them");
    assert_eq!(host.ok(fid::FEATURES, &[1]), [0; 4]);
}

#[test]
fn version_tells_both_revisions_in_any_case() {
    let host = Host::new();
    assert_eq!(host.call(fid::VERSION, &[0x1_0000]), [0, 0x1_0000, 0x1_0000, 0, 0]);
    assert_eq!(host.call(fid::VERSION, &[0x2_0000]), [1, 0x1_0000, 0x1_0000, 0, 0]);
    assert_eq!(host.call(0xC400_0156, &[]), [u64::MAX, 0, 0, 0, 0]);
}

#[test]
fn granule_is_delegated_once_and_only_if_it_is_memory() {
    let host = Host::new();
    host.write_normal(SPARE, &[0xAA; 4096]);
    host.delegate(&[SPARE]);
    host.machine().peek(SPARE, |page| assert_eq!(page.0, [0; 4096]));
    for address in [SPARE, SPARE + 1, 0, !0xFFF, page(1000)] {
        host.refused(fid::GRANULE_DELEGATE, &[address], Status::Input);
    }
    host.ok(fid::GRANULE_UNDELEGATE, &[SPARE]);
    host.refused(fid::GRANULE_UNDELEGATE, &[SPARE], Status::Input);
    assert!(!host.machine().is_realm(SPARE));
}

#[test]
fn realm_parameters_are_checked_one_by_one() {
    let host = Host::new();
    host.delegate(&[RD, ROOTS, ROOTS + 4096, SPARE]);
    let wrong: [Wrong<RealmParams>; 16] = [
        ("LPA2", |p| p.flags = 1),
        ("vectors that are too long", |p| (p.flags, p.sve_vl) = (2, 2)),
        ("too many counters", |p| (p.flags, p.pmu_num_ctrs) = (4, 7)),
        ("too narrow", |p| p.s2sz = 31),
        ("too wide", |p| p.s2sz = 49),
        ("no breakpoints", |p| p.num_bps = 0),
        ("too many breakpoints", |p| p.num_bps = 6),
        ("too many watchpoints", |p| p.num_wps = 4),
        ("unknown hash", |p| p.hash_algo = 2),
        ("level above", |p| p.rtt_level_start = -1),
        ("level that does not fit", |p| p.rtt_level_start = 2),
        ("one root", |p| p.rtt_num_start = 1),
        ("roots not aligned together", |p| p.rtt_base = page(1)),
        ("roots not delegated", |p| p.rtt_base = page(60)),
        ("RD among the roots", |p| p.rtt_base = RD),
        ("roots far away", |p| p.rtt_base = 1 << 50),
    ];
    for (name, change) in wrong {
        let mut params = Host::realm_params(0);
        change(&mut params);
        host.write_normal(NORMAL, params.as_bytes());
        let before = host.machine().snapshot();
        assert_eq!(host.status(fid::REALM_CREATE, &[RD, NORMAL]), Status::Input, "{name}");
        assert!(before == host.machine().snapshot(), "{name}");
    }
    host.write_normal(NORMAL, Host::realm_params(0).as_bytes());
    host.refused(fid::REALM_CREATE, &[RD, SPARE], Status::Input);
    // A refusal has not kept the VMID: the right parameters still find it free.
    host.ok(fid::REALM_CREATE, &[RD, NORMAL]);
    host.delegate(&[page(60), page(61)]);
    let mut other = Host::realm_params(0);
    other.rtt_base = page(60);
    host.write_normal(NORMAL, other.as_bytes());
    host.refused(fid::REALM_CREATE, &[SPARE, NORMAL], Status::Input);
}

#[test]
fn rec_parameters_are_checked_one_by_one() {
    let host = Host::new();
    host.create_realm(0);
    host.delegate(&[REC, REC + 4096, REC + 8192, SPARE]);
    let wrong: [Wrong<RecParams>; 7] = [
        ("too few parts", |p| p.num_aux = 1),
        ("too many parts", |p| p.num_aux = 17),
        ("a part twice", |p| p.aux[1] = p.aux[0]),
        ("the REC as its part", |p| p.aux[1] = REC),
        ("a part that is not delegated", |p| p.aux[0] = NORMAL),
        ("another index than the next", |p| p.mpidr = 1),
        ("a reserved bit of the affinity", |p| p.mpidr = 0x10),
    ];
    for (name, change) in wrong {
        let mut params = Host::rec_params(0, REC, 1);
        change(&mut params);
        host.write_normal(NORMAL, params.as_bytes());
        let before = host.machine().snapshot();
        assert_eq!(host.status(fid::REC_CREATE, &[RD, REC, NORMAL]), Status::Input, "{name}");
        assert!(before == host.machine().snapshot(), "{name}");
    }
    host.ok(fid::REALM_ACTIVATE, &[RD]);
    host.write_normal(NORMAL, Host::rec_params(0, REC, 1).as_bytes());
    host.refused(fid::REC_CREATE, &[RD, REC, NORMAL], Status::Realm(0));
}

#[test]
fn what_is_built_only_once_is_refused_when_active() {
    let host = Host::with_realm();
    host.delegate(&[SPARE]);
    host.refused(fid::DATA_CREATE, &[RD, SPARE, RAM + 0x2000, NORMAL, 0], Status::Realm(0));
    host.refused(fid::RTT_INIT_RIPAS, &[RD, RAM + 0x2000, RAM + 0x3000], Status::Realm(0));
    host.refused(fid::REALM_ACTIVATE, &[RD], Status::Realm(0));
    host.refused(fid::REALM_DESTROY, &[RD], Status::Realm(0));
}

#[test]
fn data_is_refused_for_each_reason() {
    let host = Host::new();
    host.create_realm(0);
    host.delegate(&[L2, L3, DATA, SPARE]);
    host.ok(fid::RTT_CREATE, &[RD, L2, RAM, 2]);
    host.refused(fid::DATA_CREATE, &[RD, DATA, RAM, NORMAL, 0], Status::Rtt(2));
    host.ok(fid::RTT_CREATE, &[RD, L3, RAM, 3]);
    host.refused(fid::DATA_CREATE, &[RD, DATA, RAM, NORMAL, 2], Status::Input);
    host.refused(fid::DATA_CREATE, &[RD, DATA, RAM, SPARE, 0], Status::Input);
    host.refused(fid::DATA_CREATE, &[RD, DATA, RAM + 1, NORMAL, 0], Status::Input);
    host.refused(fid::DATA_CREATE, &[RD, DATA, SHARED, NORMAL, 0], Status::Input);
    host.refused(fid::DATA_CREATE, &[RD, DATA, !0xFFF, NORMAL, 0], Status::Input);
    host.refused(fid::DATA_CREATE, &[DATA, DATA, RAM, NORMAL, 0], Status::Input);
    // The realm's own parts, named as data, are refused without waiting for them.
    for own in [RD, L3, L2, ROOTS] {
        host.refused(fid::DATA_CREATE, &[RD, own, RAM, NORMAL, 0], Status::Input);
    }
    host.ok(fid::DATA_CREATE, &[RD, DATA, RAM, NORMAL, 0]);
    host.refused(fid::DATA_CREATE, &[RD, SPARE, RAM, NORMAL, 0], Status::Rtt(3));
    host.refused(fid::DATA_CREATE, &[RD, DATA, RAM + 4096, NORMAL, 0], Status::Input);
}

#[test]
fn realm_is_taken_down_to_the_last_granule() {
    let host = Host::new();
    host.build(&Options { hash: 0, second_rec: true });
    let [pa, top, ..] = host.ok(fid::DATA_DESTROY, &[RD, RAM]);
    assert_eq!((pa, top), (DATA, RAM + 4096));
    let [pa, top, ..] = host.ok(fid::DATA_DESTROY, &[RD, RAM + 4096]);
    assert_eq!((pa, top), (DATA + 4096, RAM + 0x20_0000));
    host.refused(fid::RTT_DESTROY, &[RD, RAM, 2], Status::Rtt(2));
    assert_eq!(host.ok(fid::RTT_DESTROY, &[RD, RAM, 3])[..2], [L3, RAM + 0x4000_0000]);
    assert_eq!(host.ok(fid::RTT_DESTROY, &[RD, RAM, 2])[0], L2);
    host.refused(fid::REALM_DESTROY, &[RD], Status::Realm(0));
    host.ok(fid::REC_DESTROY, &[REC1]);
    host.ok(fid::REC_DESTROY, &[REC]);
    host.ok(fid::REALM_DESTROY, &[RD]);
    let own = [RD, ROOTS, ROOTS + 4096, L2, L3, DATA, DATA + 4096, REC, REC + 4096, REC + 8192];
    for granule in own.into_iter().chain([REC1, REC1 + 4096, REC1 + 8192]) {
        host.ok(fid::GRANULE_UNDELEGATE, &[granule]);
    }
    // The VMID is free again.
    host.create_realm(0);
}

#[test]
fn index_of_a_destroyed_rec_is_not_used_again() {
    let host = Host::new();
    host.create_realm(0);
    host.create_rec(0, REC, 1);
    host.ok(fid::REC_DESTROY, &[REC]);
    host.write_normal(NORMAL, Host::rec_params(0, REC, 1).as_bytes());
    host.refused(fid::REC_CREATE, &[RD, REC, NORMAL], Status::Input);
    host.write_normal(NORMAL, Host::rec_params(1, REC, 1).as_bytes());
    host.ok(fid::REC_CREATE, &[RD, REC, NORMAL]);
}
