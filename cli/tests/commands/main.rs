//! The program as people use it: its help, its pages of documentation, its policies.

mod help;
mod page;
mod policy;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that goes with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("allod-commands-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), content).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program under test.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_allod"))
}

/// Runs the program in a folder.
fn allod(folder: &Folder, arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).current_dir(&folder.0).output().expect("the program runs")
}

/// What it printed, and its exit status.
fn said(output: &Output) -> (String, Option<i32>) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

/// An arm64 `Image` of no instruction but branches to itself.
fn image() -> Vec<u8> {
    let mut image = vec![0; 64];
    image[0..4].copy_from_slice(&0x1400_0000_u32.to_le_bytes());
    image[16..24].copy_from_slice(&0x20_0000_u64.to_le_bytes());
    image[24] = 0xA;
    image[56..60].copy_from_slice(b"ARM\x64");
    image.extend(0x1400_0000_u32.to_le_bytes().repeat(5000));
    image
}

#[test]
fn who_reads_no_more_gets_no_panic_and_no_verdict() {
    let folder = Folder::new("pipe");
    folder.write("Image", image());
    let arguments = ["measure", "direct", "--kernel", "Image"];
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(program());
    let output = command.args(arguments).current_dir(&folder.0).stdout(writer).stderr(std::process::Stdio::piped());
    let output = output.spawn().and_then(std::process::Child::wait_with_output).expect("the program runs");
    assert_eq!(
        (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code()),
        (String::new(), Some(141))
    );
    assert_eq!(allod(&folder, &arguments).status.code(), Some(0));
}

#[test]
fn what_is_left_out_of_a_corim_is_said() {
    let folder = Folder::new("left-out");
    folder.write("Image", image());
    let made = allod(&folder, &["measure", "direct", "--kernel", "Image", "--corim", "one.corim"]);
    assert_eq!(made.status.code(), Some(0));
    let one = std::fs::read(folder.0.join("one.corim")).expect("written");
    // Its list of one CoMID (tag 506) becomes one of a CoSWID (tag 505) and that.
    let tags = [0x01, 0x81, 0xD9, 0x01, 0xFA];
    let at = one.windows(5).position(|it| it == tags).expect("a list of one tag");
    let two = [&one[..at], &[0x01, 0x82, 0xD9, 0x01, 0xF9, 0x41, 0x00], &one[at + 2..]].concat();
    folder.write("two.corim", two);
    let converted = |file: &str| {
        let output = allod(&folder, &["reference", "convert", file, "--to", "allod"]);
        (said(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let ((plain, fine), nothing) = converted("one.corim");
    assert_eq!((fine, nothing.as_str()), (Some(0), ""));
    let warning = "allod: what has CBOR tag 505 in a CoRIM is left out: it is no CoMID\n";
    assert_eq!(converted("two.corim"), ((plain, Some(0)), warning.to_string()));
}
