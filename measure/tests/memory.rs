//! How much memory it takes to measure images of any size. A process of its own: its high-water mark is what is looked at.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use allod_measure::blob::Blob;
use allod_measure::direct;
use allod_measure::kernel::Kernel;

const SIZE: u64 = 512 << 20;
const MOST_KIB: u64 = 32 << 10;

/// A folder with a kernel and an initial RAM disk that are mostly holes, gone when dropped.
struct Room(PathBuf);

impl Room {
    fn new() -> Room {
        let room = std::env::temp_dir().join(format!("allod-memory-{}", std::process::id()));
        std::fs::create_dir_all(&room).unwrap();
        let mut header = [0; 64];
        header[16..24].copy_from_slice(&SIZE.to_le_bytes());
        header[56..60].copy_from_slice(b"ARM\x64");
        sparse(&room.join("kernel"), &header);
        sparse(&room.join("initrd"), b"070701");
        Room(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn sparse(path: &Path, start: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(start).unwrap();
    file.set_len(SIZE).unwrap();
    file.seek(SeekFrom::Start(SIZE / 2 + 77)).unwrap();
    file.write_all(b"not only zeros").unwrap();
}

/// The most memory that this process ever had, in KiB.
fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn images_of_a_gigabyte_take_less_than_32_mib() {
    let room = Room::new();
    let kernel = Kernel::open(&room.0.join("kernel")).unwrap();
    let initrd = Blob::file(&room.0.join("initrd")).unwrap();
    let config = host::config::Config {
        memory: 2 << 30,
        cpus: 1,
        hash: abi::measurement::Hash::Sha256,
        rpv: [0; 64],
        cmdline: String::new(),
        realms: 1,
        attack: None,
    };
    let expected = direct::stream(&kernel.image, kernel.blob, Some(initrd), &config).unwrap();
    assert_ne!(expected.rim, [0; 32]);
    let found = high_water();
    assert!(found < MOST_KIB, "expected less than {MOST_KIB} KiB, found {found}");
}
