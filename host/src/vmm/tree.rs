//! The machine's own device tree, as far as the host needs it: where DRAM lies (Devicetree Specification v0.4, 5).

use core::ops::Range;

const MAGIC: u32 = 0xD00D_FEED;
const STRUCTURE: usize = 8;
const STRINGS: usize = 12;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;

/// The first range of the first `/memory` node, whose addresses and sizes have two cells each. `None` where the bytes
/// are no tree, or a tree without it.
#[must_use]
pub fn memory(tree: &[u8]) -> Option<Range<u64>> {
    if word(tree, 0)? != MAGIC {
        return None;
    }
    let (mut at, strings) = (word(tree, STRUCTURE)? as usize, word(tree, STRINGS)? as usize);
    let (mut depth, mut inside) = (0u32, false);
    loop {
        let token = word(tree, at)?;
        at += 4;
        match token {
            BEGIN_NODE => {
                let name = text(tree, at)?;
                depth += 1;
                inside = depth == 2 && (name == b"memory" || name.starts_with(b"memory@"));
                at = (at + name.len() + 1).next_multiple_of(4);
            }
            END_NODE => {
                depth = depth.checked_sub(1)?;
                inside = false;
            }
            PROPERTY => {
                let (length, name) = (word(tree, at)? as usize, word(tree, at + 4)? as usize);
                if inside && text(tree, strings.checked_add(name)?)? == b"reg" {
                    return range(tree, at + 8);
                }
                at = at.checked_add(8)?.checked_add(length)?.checked_next_multiple_of(4)?;
            }
            NOP => {}
            _ => return None,
        }
    }
}

fn range(tree: &[u8], at: usize) -> Option<Range<u64>> {
    let double = |at| Some(u64::from(word(tree, at)?) << 32 | u64::from(word(tree, at + 4)?));
    let (base, size) = (double(at)?, double(at + 8)?);
    Some(base..base.checked_add(size)?)
}

fn word(tree: &[u8], at: usize) -> Option<u32> {
    tree.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn text(tree: &[u8], at: usize) -> Option<&[u8]> {
    let rest = tree.get(at..)?;
    rest.get(..rest.iter().position(|byte| *byte == 0)?)
}

#[cfg(test)]
mod tests {
    use super::memory;
    use crate::dtb::{Tree, write};

    #[test]
    fn finds_the_memory_of_a_tree_and_survives_garbage() {
        let tree = Tree { ram: 0x4000_0000..0xC000_0000, cpus: 4, cmdline: "quiet", initrd: None };
        let bytes = write(&tree).expect("a tree");
        assert_eq!(memory(&bytes), Some(0x4000_0000..0xC000_0000));
        for cut in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[cut] ^= 0xFF;
            let _ = memory(&broken);
            let _ = memory(&bytes[..cut]);
        }
        assert_eq!(memory(&[]), None);
    }
}
