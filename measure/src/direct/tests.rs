use abi::GRANULE;
use abi::measurement::Hash;
use evidence::hex;
use host::config::Config;
use host::plan::{BLOCK, Images, RAM, Realm, Rec, plan};

use super::{Rim, expect, fold};
use crate::Error;

fn realm(hash: Hash) -> Realm {
    Realm { ipa_width: 40, start_level: 1, roots: 2, num_bps: 5, num_wps: 3, hash, rpv: [0xee; 64] }
}

fn rec(runnable: bool) -> Rec {
    Rec { index: 0, mpidr: 0, pc: 0x8000_0000, gprs: [0x8100_0000, 0, 0, 0, 0, 0, 0, 0], runnable }
}

/// The four steps of the published vector, with the RIM after creation and after each.
fn vector(hash: Hash) -> [String; 5] {
    let page: [u8; GRANULE] = std::array::from_fn(|n| n as u8);
    let mut rim = Rim::new(&realm(hash));
    let mut after = |step: &dyn Fn(&mut Rim)| {
        step(&mut rim);
        hex::encode(rim.value())
    };
    [
        after(&|_| {}),
        after(&|rim| rim.ripas(0x8000_0000, 0x8020_0000)),
        after(&|rim| rim.data(0x8000_0000, &page, true)),
        after(&|rim| rim.data(0x8000_1000, &page, false)),
        after(&|rim| rim.rec(&rec(true))),
    ]
}

#[test]
fn sha256_fold_is_the_known_answer() {
    let expected = [
        "f33498f22eed8d51fb28b95769b27275a8c69a469e26b0050f1e809c4e0146b4",
        "f1716fdda6e64db71c74619256e348fab4818fd547d9abc6b8cab34ab5a8001c",
        "9eefe4ea03b10d594a2b2fd2a36bba55d8c4e8636d3776e06ffb4cac4e693780",
        "ccf2eaf4dd880d7f3aec5000adae9bfa3a65dd29ada4cd10c14954c8ce0a5e84",
        "9aab43f9767c7a4f90493e8f50379be96664b438588448c4d8e96ffc19aabf3f",
    ];
    assert_eq!(vector(Hash::Sha256), expected);
}

#[test]
fn sha512_fold_is_the_known_answer() {
    let [create, .., last] = vector(Hash::Sha512);
    assert_eq!(
        create,
        "1cda1fc639e5604da537f04e7f2d6f8e18894c86f4b64f3397783b090053ba0d\
         81dd585810b5aad1e5c2ac5c65fa0c8ad8b125031ae2d3a987f0d84dd775c4c6"
    );
    assert_eq!(
        last,
        "8c33109e996d6157bfb3f8f508d61dafe5161754e9712d45974f9f34ad76f31b\
         b8ac7e00866a2ba1a477320e9501cc8457be2c497bfd2e75506cc6c7f2b76e03"
    );
}

#[test]
fn a_rec_that_does_not_run_is_not_measured() {
    let mut rim = Rim::new(&realm(Hash::Sha256));
    let before = rim.value().to_vec();
    rim.rec(&rec(false));
    assert_eq!(rim.value(), before);
}

fn kernel() -> Vec<u8> {
    let mut kernel = vec![0x5a; 0x1800];
    kernel[..64].fill(0);
    kernel[16..24].copy_from_slice(&0x9000u64.to_le_bytes());
    kernel[56..60].copy_from_slice(b"ARM\x64");
    kernel
}

fn config() -> Config {
    let cmdline = "console=hvc0".to_string();
    Config { memory: 64 << 20, cpus: 2, hash: Hash::Sha256, rpv: [0; 64], cmdline, realms: 1, attack: None }
}

fn rim(kernel: &[u8], initrd: &[u8], config: &Config) -> Vec<u8> {
    expect(&Images { kernel, initrd }, config).unwrap().rim
}

#[test]
fn a_plan_is_folded_step_by_step() {
    let kernel = kernel();
    let images = Images { kernel: &kernel, initrd: &[1, 2, 3] };
    let plan = plan(&images, &config()).unwrap();
    let page = |bytes: &[u8]| {
        let mut page = [0; GRANULE];
        page[..bytes.len()].copy_from_slice(bytes);
        page
    };
    let mut by_hand = Rim::new(&plan.realm);
    (0..32).for_each(|n| by_hand.ripas(RAM + n * BLOCK, RAM + (n + 1) * BLOCK));
    by_hand.data(RAM, &page(&kernel[..0x1000]), true);
    by_hand.data(RAM + 0x1000, &page(&kernel[0x1000..]), true);
    by_hand.data(RAM + 0x9000, &page(&[1, 2, 3]), true);
    by_hand.data(RAM + BLOCK, &page(&plan.dtb), true);
    by_hand.rec(&Rec { index: 0, mpidr: 0, pc: RAM, gprs: [RAM + BLOCK, 0, 0, 0, 0, 0, 0, 0], runnable: true });
    assert_eq!(fold(&plan, &images), by_hand.value());
}

#[test]
fn all_that_makes_the_vm_changes_the_rim_and_the_rpv_does_not() {
    let base = rim(&kernel(), b"init", &config());
    let mut bit = kernel();
    bit[0x1000] ^= 1;
    let changed = [
        rim(&bit, b"init", &config()),
        rim(&kernel(), b"inis", &config()),
        rim(&kernel(), b"init", &Config { cmdline: "console=hvc1".to_string(), ..config() }),
        rim(&kernel(), b"init", &Config { cpus: 1, ..config() }),
        rim(&kernel(), b"init", &Config { memory: 66 << 20, ..config() }),
        rim(&kernel(), b"init", &Config { hash: Hash::Sha512, ..config() }),
    ];
    assert!(changed.iter().all(|rim| *rim != base));
    assert_eq!(rim(&kernel(), b"init", &Config { rpv: [9; 64], realms: 3, ..config() }), base);
}

#[test]
fn what_the_host_refuses_has_no_rim() {
    let refused = expect(&Images { kernel: &kernel()[..60], initrd: &[] }, &config());
    assert_eq!(refused, Err(Error::Host(host::Error::KernelTruncated { expected: 64, found: 60 })));
}

#[test]
fn json_is_the_realm_part_of_a_reference() {
    let kernel = kernel();
    let expected = expect(&Images { kernel: &kernel, initrd: &[] }, &config()).unwrap();
    let json = expected.json();
    assert_eq!(json["rim"], hex::encode(&expected.rim));
    assert_eq!(json["hash"], "sha-256");
    assert_eq!(json["rems"][3], "00".repeat(32));
    assert_eq!(json["rpv"], "00".repeat(64));
}
