//! QEMU's device tree, completed: QEMU tells of its own PSCI only, knows nothing of firmware's memory, and puts a kernel's
//! command line and initial RAM disk into the tree only where it loads the kernel itself (Devicetree Specification 0.4, 5).

use std::ops::Range;

const MAGIC: u32 = 0xd00d_feed;
const VERSION: u32 = 17;
const OLDEST_READER: u32 = 16;
const HEADER: usize = 40;
const NO_RESERVATIONS: [u8; 16] = [0; 16];

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// What the tree is to say beside what QEMU says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Additions<'a> {
    /// Firmware's memory among DRAM, which nobody else may map.
    pub reserved: Range<u64>,
    /// What is the Normal world's for good: no page of it can be delegated or given to a command, so nobody may allocate it.
    pub undelegable: Range<u64>,
    /// The kernel's command line; empty for none.
    pub cmdline: &'a str,
    /// Where the initial RAM disk lies; empty for none.
    pub initrd: Range<u64>,
}

/// Completes a tree: PSCI by SMC, the reserved memory, and what the kernel is told.
///
/// # Errors
/// The tree is not one that QEMU made: what was expected.
pub fn complete(tree: &[u8], additions: &Additions) -> Result<Vec<u8>, String> {
    rewrite(tree, additions).ok_or_else(|| "the device tree that QEMU wrote is none".into())
}

fn rewrite(tree: &[u8], additions: &Additions) -> Option<Vec<u8>> {
    let field = |index: usize| word(tree, index * 4).map(|value| value as usize);
    if word(tree, 0)? != MAGIC {
        return None;
    }
    let (mut at, names) = (field(2)?, field(3)?);
    let mut new = Writer { structure: vec![], strings: tree.get(names..)?.get(..field(8)?)?.to_vec() };
    let mut path: Vec<Vec<u8>> = vec![];
    loop {
        let token = word(tree, at)?;
        at += 4;
        match token {
            BEGIN_NODE => {
                let name = text(tree, at)?;
                at = (at + name.len() + 1).next_multiple_of(4);
                new.begin(&name);
                path.push(name);
                new.open(&path, additions);
            }
            END_NODE => {
                if path.len() == 1 {
                    new.root_end(additions);
                }
                path.pop()?;
                new.token(END_NODE);
            }
            PROPERTY => {
                let length = word(tree, at)? as usize;
                let end = at.checked_add(8)?.checked_add(length)?.next_multiple_of(4);
                new.token(PROPERTY);
                new.structure.extend(tree.get(at..end)?);
                at = end;
            }
            NOP => {}
            END if path.is_empty() => return Some(new.finish()),
            _ => return None,
        }
    }
}

fn word(tree: &[u8], at: usize) -> Option<u32> {
    tree.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn text(tree: &[u8], at: usize) -> Option<Vec<u8>> {
    let rest = tree.get(at..)?;
    Some(rest.get(..rest.iter().position(|byte| *byte == 0)?)?.to_vec())
}

struct Writer {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Writer {
    fn token(&mut self, token: u32) {
        self.structure.extend(token.to_be_bytes());
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.structure.extend(bytes);
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn begin(&mut self, name: &[u8]) {
        self.token(BEGIN_NODE);
        self.padded(&[name, &[0]].concat());
    }

    fn property(&mut self, name: &str, value: &[u8]) {
        let at = self.strings.len();
        self.strings.extend(name.bytes().chain([0]));
        self.token(PROPERTY);
        for number in [value.len(), at] {
            self.token(u32::try_from(number).unwrap_or(u32::MAX));
        }
        self.padded(value);
    }

    fn string(&mut self, name: &str, value: &str) {
        self.property(name, &[value.as_bytes(), &[0]].concat());
    }

    /// A node has just begun: its new properties come first.
    fn open(&mut self, path: &[Vec<u8>], additions: &Additions) {
        match path {
            [_, cpus, cpu] if cpus == b"cpus" && cpu.starts_with(b"cpu@") => self.string("enable-method", "psci"),
            [_, chosen] if chosen == b"chosen" => self.chosen(additions),
            _ => {}
        }
    }

    fn chosen(&mut self, additions: &Additions) {
        if !additions.cmdline.is_empty() {
            self.string("bootargs", additions.cmdline);
        }
        if !additions.initrd.is_empty() {
            self.property("linux,initrd-start", &additions.initrd.start.to_be_bytes());
            self.property("linux,initrd-end", &additions.initrd.end.to_be_bytes());
        }
    }

    /// The root is about to end: its new nodes come last.
    fn root_end(&mut self, additions: &Additions) {
        self.begin(b"psci");
        self.property("compatible", b"arm,psci-1.0\0arm,psci-0.2\0");
        self.string("method", "smc");
        self.token(END_NODE);
        self.begin(b"reserved-memory");
        for name in ["#address-cells", "#size-cells"] {
            self.property(name, &2_u32.to_be_bytes());
        }
        self.property("ranges", &[]);
        self.region("firmware", &additions.reserved);
        self.property("no-map", &[]);
        self.token(END_NODE);
        self.region("device-tree", &additions.undelegable);
        self.token(END_NODE);
        self.token(END_NODE);
    }

    /// Begins a node of reserved memory.
    fn region(&mut self, name: &str, Range { start, end }: &Range<u64>) {
        self.begin(format!("{name}@{start:x}").as_bytes());
        self.property("reg", &[start.to_be_bytes(), end.saturating_sub(*start).to_be_bytes()].concat());
    }

    /// Header, no reserved regions of the old kind, structure, strings.
    fn finish(mut self) -> Vec<u8> {
        self.token(END);
        let structure = HEADER + NO_RESERVATIONS.len();
        let strings = structure + self.structure.len();
        let total = strings + self.strings.len();
        let sizes = [total, structure, strings, HEADER].map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let lengths = [self.strings.len(), self.structure.len()].map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let [total, structure, strings, reservations] = sizes;
        let header =
            [MAGIC, total, structure, strings, reservations, VERSION, OLDEST_READER, 0, lengths[0], lengths[1]];
        let header: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        [&header[..], &NO_RESERVATIONS, &self.structure, &self.strings].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/ { cpus { cpu@0 { x = <1>; }; cpu-map {}; }; chosen {}; }`
    fn plain() -> Vec<u8> {
        let mut tree = Writer { structure: vec![], strings: vec![] };
        tree.begin(b"");
        tree.begin(b"cpus");
        tree.begin(b"cpu@0");
        tree.property("x", &1_u32.to_be_bytes());
        tree.token(END_NODE);
        tree.begin(b"cpu-map");
        tree.token(END_NODE);
        tree.token(END_NODE);
        tree.begin(b"chosen");
        tree.token(END_NODE);
        tree.token(END_NODE);
        tree.finish()
    }

    /// One line per property, `path name value`.
    fn lines(tree: &[u8]) -> Vec<String> {
        let (mut at, names) = (word(tree, 8).unwrap() as usize, word(tree, 12).unwrap() as usize);
        let (mut path, mut lines) = (vec![], vec![]);
        loop {
            let token = word(tree, at).unwrap();
            at += 4;
            match token {
                BEGIN_NODE => {
                    let name = text(tree, at).unwrap();
                    at = (at + name.len() + 1).next_multiple_of(4);
                    path.push(String::from_utf8(name).unwrap());
                }
                END_NODE => drop(path.pop().unwrap()),
                PROPERTY => {
                    let [length, name] = [0, 4].map(|offset| word(tree, at + offset).unwrap() as usize);
                    let name = String::from_utf8(text(tree, names + name).unwrap()).unwrap();
                    let value = String::from_utf8_lossy(&tree[at + 8..at + 8 + length]).escape_debug().to_string();
                    lines.push(format!("{} {name} {value}", path.join("/")));
                    at = (at + 8 + length).next_multiple_of(4);
                }
                END => return lines,
                other => panic!("token {other}"),
            }
        }
    }

    #[test]
    fn psci_the_firmwares_memory_and_what_the_kernel_is_told_are_added_and_all_else_is_kept() {
        let additions =
            Additions { reserved: 0x1000..0x3000, undelegable: 0..0x1000, cmdline: "quiet", initrd: 0x41..0x42 };
        let tree = complete(&plain(), &additions).unwrap();
        assert_eq!(word(&tree, 4).map(|size| size as usize), Some(tree.len()));
        assert_eq!(
            lines(&tree),
            [
                r"/cpus/cpu@0 enable-method psci\0",
                r"/cpus/cpu@0 x \0\0\0\u{1}",
                r"/chosen bootargs quiet\0",
                r"/chosen linux,initrd-start \0\0\0\0\0\0\0A",
                r"/chosen linux,initrd-end \0\0\0\0\0\0\0B",
                r"/psci compatible arm,psci-1.0\0arm,psci-0.2\0",
                r"/psci method smc\0",
                r"/reserved-memory #address-cells \0\0\0\u{2}",
                r"/reserved-memory #size-cells \0\0\0\u{2}",
                "/reserved-memory ranges ",
                r"/reserved-memory/firmware@1000 reg \0\0\0\0\0\0\u{10}\0\0\0\0\0\0\0 \0",
                "/reserved-memory/firmware@1000 no-map ",
                r"/reserved-memory/device-tree@0 reg \0\0\0\0\0\0\0\0\0\0\0\0\0\0\u{10}\0",
            ]
        );
    }

    #[test]
    fn without_a_kernel_nothing_is_said_of_one() {
        let tree = complete(&plain(), &Additions::default()).unwrap();
        assert!(!lines(&tree).iter().any(|line| line.contains("/chosen")));
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let whole = plain();
        for bytes in [&[][..], &whole[4..], &whole[..whole.len() / 2], &whole[..60]] {
            assert!(complete(bytes, &Additions::default()).is_err());
        }
    }
}
