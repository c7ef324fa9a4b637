use abi::GRANULE;
use abi::measurement::Hash;
use evidence::hex;
use host::config::Config;
use host::plan::{BLOCK, Images, RAM, plan};

use super::expect;
use crate::Error;
use crate::rim::{Params, Rim};

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
fn a_launch_is_the_hosts_plan_step_by_step() {
    let kernel = kernel();
    let images = Images { kernel: &kernel, initrd: &[1, 2, 3] };
    let plan = plan(&images, &config()).unwrap();
    let page = |bytes: &[u8]| {
        let mut page = [0; GRANULE];
        page[..bytes.len()].copy_from_slice(bytes);
        page
    };
    let mut by_hand = Rim::new(&Params::from(&plan.realm));
    (0..32).for_each(|n| by_hand.ripas(RAM + n * BLOCK, RAM + (n + 1) * BLOCK));
    by_hand.data(RAM, &page(&kernel[..0x1000]));
    by_hand.data(RAM + 0x1000, &page(&kernel[0x1000..]));
    by_hand.data(RAM + 0x9000, &page(&[1, 2, 3]));
    by_hand.data(RAM + BLOCK, &page(&plan.dtb));
    by_hand.rec(RAM, &[RAM + BLOCK, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(expect(&images, &config()).unwrap().rim, by_hand.value());
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
