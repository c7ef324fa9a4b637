//! docs/verify.md as a reader types it: its commands run, in order, and end as the page says.

use super::{Folder, allod, image, program};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = include_str!("../../../docs/verify.md");

/// A block of commands, and the exit status of the last.
struct Block<'p> {
    commands: &'p str,
    status: i32,
}

/// The blocks that stand between ```` ```sh ```` and ```` ``` ````.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let parts = page.split("\n```").skip(1).step_by(2);
    let block = |part: &'_ str| {
        let (head, commands) = part.split_once('\n')?;
        let status = head.strip_prefix("sh")?.trim();
        let status = status.strip_prefix("exits ").map_or(Some(0), |status| status.parse().ok())?;
        Some((commands.len(), status))
    };
    parts
        .map(|part| {
            let (length, status) = block(part).unwrap_or_else(|| panic!("no block of shell commands: {part}"));
            Block { commands: &part[part.len() - length..], status }
        })
        .collect()
}

/// The maker of evidence, which `cargo test` builds with the tests.
pub fn maker() -> PathBuf {
    let this = std::env::current_exe().expect("a path");
    let folder = this.parent().and_then(Path::parent).expect("a folder of builds");
    folder.join("examples/evidence")
}

/// A folder of programs: `allod`, and a `cargo` that runs the example and nothing else.
fn programs(folder: &Folder) -> PathBuf {
    let bin = folder.0.join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    symlink(program(), bin.join("allod")).expect("a link");
    let cargo =
        "#!/bin/sh\n[ \"$1 $2 $3 $4 $5 $6 $7\" = 'run -q -p allod --example evidence --' ] || exit 99\nshift 7\n";
    std::fs::write(bin.join("cargo"), format!("{cargo}exec '{}' \"$@\"\n", maker().display())).expect("a file");
    std::fs::set_permissions(bin.join("cargo"), PermissionsExt::from_mode(0o755)).expect("a program");
    bin
}

#[test]
fn the_walk_through_works_as_typed() {
    assert!(maker().exists(), "expected {}: `cargo build -p allod --examples` makes it", maker().display());
    let folder = Folder::new("page");
    folder.write("Image", image());
    folder.write("initrd.img", [b"070701".repeat(100), vec![0; 100]].concat());
    let tree = ["measure", "direct", "--profile", "qemu", "--host", "qemu-max", "--kernel", "Image"];
    let tree = allod(&folder, &[&tree[..], &["--output-dtb", "virt.dtb"]].concat());
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let path = format!("{}:{}", programs(&folder).display(), std::env::var("PATH").unwrap_or_default());
    let blocks = blocks(PAGE);
    assert!(blocks.len() > 10, "the page has its commands");
    for Block { commands, status } in blocks {
        let mut shell = Command::new("sh");
        let output = shell.args(["-ec", commands]).current_dir(&folder.0).env("PATH", &path).output().expect("a shell");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{commands}\n{out}\n{err}");
    }
    for name in ["verdict.html", "verdict.json", "input.json"] {
        assert!(std::fs::metadata(folder.0.join(name)).is_ok_and(|it| it.len() > 1000), "{name}");
    }
}
