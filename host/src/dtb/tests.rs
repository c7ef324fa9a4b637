use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::{Tree, write};
use crate::Error;

/// Reads a flattened tree back as `path/property` and value, by Devicetree Specification v0.4 §5.
fn read(blob: &[u8]) -> Vec<(String, Vec<u8>)> {
    let word = |at: usize| u32::from_be_bytes(blob[at..at + 4].try_into().unwrap()) as usize;
    let text =
        |at: usize| blob[at..].split(|b| *b == 0).next().map(|b| String::from_utf8(b.to_vec()).unwrap()).unwrap();
    assert_eq!((word(0), word(4)), (0xd00d_feed, blob.len()));
    let (mut at, strings) = (word(8), word(12));
    let (mut path, mut found) = (vec![], vec![]);
    loop {
        let token = word(at);
        at += 4;
        match token {
            1 => {
                path.push(text(at));
                at += (text(at).len() + 1).next_multiple_of(4);
            }
            2 => {
                path.pop();
            }
            3 => {
                let (len, name) = (word(at), text(strings + word(at + 4)));
                found.push((format!("{}/{name}", path.join("/")), blob[at + 8..at + 8 + len].to_vec()));
                at += 8 + len.next_multiple_of(4);
            }
            _ => break,
        }
    }
    found
}

fn tree(cpus: u32) -> Tree<'static> {
    let initrd = Some(0x4200_0000..0x4200_1234);
    Tree { ram: 0x4000_0000..0x5000_0000, cpus, cmdline: "console=hvc0 swiotlb=8192", initrd }
}

fn value(found: &[(String, Vec<u8>)], path: &str) -> Vec<u8> {
    found.iter().find(|(name, _)| name == path).unwrap_or_else(|| panic!("no {path}")).1.clone()
}

fn cells(cells: &[u32]) -> Vec<u8> {
    cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()
}

#[test]
fn the_tree_says_what_the_vm_is() {
    let found = read(&write(&tree(2)).unwrap());
    let expect = |path: &str, expected: &[u8]| assert_eq!(value(&found, path), expected, "{path}");
    expect("/compatible", b"linux,dummy-virt\0");
    expect("/chosen/bootargs", b"console=hvc0 swiotlb=8192\0");
    expect("/chosen/linux,initrd-start", &cells(&[0, 0x4200_0000]));
    expect("/chosen/linux,initrd-end", &cells(&[0, 0x4200_1234]));
    expect("/memory@40000000/reg", &cells(&[0, 0x4000_0000, 0, 0x1000_0000]));
    expect("/psci/method", b"smc\0");
    expect("/psci/compatible", b"arm,psci-1.0\0arm,psci-0.2\0arm,psci\0");
    expect("/cpus/cpu@1/reg", &cells(&[1]));
    expect("/timer/interrupts", &cells(&[1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]));
    expect("/intc@8000000/reg", &cells(&[0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0x4_0000]));
    expect("/pcie@10000000/reg", &cells(&[0, 0x3f00_0000, 0, 0x10_0000]));
    expect("/pcie@10000000/ranges", &cells(&[0x200_0000, 0, 0x1000_0000, 0, 0x1000_0000, 0, 0x2eff_0000]));
    let map = value(&found, "/pcie@10000000/interrupt-map");
    assert_eq!(map[..40], cells(&[0, 0, 0, 1, 1, 0, 0, 0, 3, 4]));
    assert_eq!(map[120..], cells(&[0x1800, 0, 0, 1, 1, 0, 0, 0, 6, 4]));
}

#[test]
fn redistributors_and_cpus_follow_the_count() {
    for count in [1, 4, 16] {
        let found = read(&write(&tree(count)).unwrap());
        assert_eq!(value(&found, "/intc@8000000/reg")[24..], cells(&[0, 0x2_0000 * count]));
        assert_eq!(found.iter().filter(|(path, _)| path.ends_with("/enable-method")).count(), count as usize);
    }
}

#[test]
fn nothing_random_and_nothing_optional_is_in_it() {
    let without = Tree { initrd: None, ..tree(1) };
    let found = read(&write(&without).unwrap());
    for absent in ["seed", "initrd", "v2m", "msi"] {
        assert!(found.iter().all(|(path, _)| !path.contains(absent)), "{absent}");
    }
    assert_eq!(write(&without), write(&without));
}

#[test]
fn a_command_line_with_a_zero_byte_is_refused() {
    let refused = write(&Tree { cmdline: "a\0b", ..tree(1) });
    assert!(matches!(refused, Err(Error::DeviceTree { ref why }) if !why.to_string().is_empty()), "{refused:?}");
}
