use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::unpack;
use crate::Error;

const RAW: &[u8] = b"a kernel, as far as unpacking is concerned";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn zboot(method: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 64];
    file[..2].copy_from_slice(b"MZ");
    file[4..8].copy_from_slice(b"zimg");
    file[8..12].copy_from_slice(&64u32.to_le_bytes());
    file[12..16].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    file[24..24 + method.len()].copy_from_slice(method);
    [&file, payload, &[0xff; 7]].concat()
}

#[test]
fn every_packing_gives_the_same_bytes() {
    let sized = [gzip(RAW), (RAW.len() as u32).to_le_bytes().to_vec()].concat();
    for file in [RAW.to_vec(), gzip(RAW), zboot(b"gzip", &sized), zboot(b"zstd22", &zstd(RAW))] {
        assert_eq!(unpack(&file).as_deref(), Ok(RAW));
    }
}

#[test]
fn broken_files_are_named() {
    let whole = gzip(RAW);
    let cut = zboot(b"gzip", &whole)[..70].to_vec();
    for (file, named) in [
        (whole[..whole.len() - 9].to_vec(), "gzip"),
        (vec![0x1f, 0x8b], "gzip"),
        (cut, "EFI zboot"),
        (zboot(b"gzip", &[])[..20].to_vec(), "EFI zboot"),
        (zboot(b"lzma", &whole), "EFI zboot"),
        (zboot(b"gzip", b"not gzip"), "gzip"),
        (zboot(b"zstd", b"not zstd"), "zstd"),
    ] {
        match unpack(&file) {
            Err(Error::Unpack { packing, why }) => assert_eq!(packing, named, "{why}"),
            other => panic!("expected a refusal that names {named}, found {other:?}"),
        }
    }
}

#[test]
fn a_file_that_unpacks_to_too_much_is_refused_at_the_bound() {
    let bomb = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let block = vec![0; 1 << 20];
        (0..=super::UNPACKED_MAX >> 20).for_each(|_| encoder.write_all(&block).unwrap());
        encoder.finish().unwrap()
    };
    assert!(matches!(unpack(&bomb), Err(Error::Unpack { why, .. }) if why.contains("at most")));
}

/// A kernel of a few granules, and a folder for it, gone when dropped.
struct Room(std::path::PathBuf, Vec<u8>);

impl Room {
    fn new(name: &str) -> Room {
        let room = std::env::temp_dir().join(format!("allod-kernel-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&room).unwrap();
        let mut kernel: Vec<u8> = (0..0x5123u32).map(|n| (n * 7) as u8).collect();
        kernel[..64].fill(0);
        kernel[16..24].copy_from_slice(&0x9000u64.to_le_bytes());
        kernel[56..60].copy_from_slice(b"ARM\x64");
        Room(room, kernel)
    }

    fn open(&self, file: &[u8]) -> Result<super::Kernel, Error> {
        let path = self.0.join("file");
        std::fs::write(&path, file).unwrap();
        super::Kernel::open(&path)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn every_packing_is_read_a_piece_at_a_time_too() {
    let room = Room::new("pieces");
    let sized = [gzip(&room.1), (room.1.len() as u32).to_le_bytes().to_vec()].concat();
    for file in [room.1.clone(), gzip(&room.1), zboot(b"gzip", &sized), zboot(b"zstd", &zstd(&room.1))] {
        let kernel = room.open(&file).unwrap();
        assert_eq!((kernel.image.text_offset, kernel.image.image_size), (0, 0x9000));
        let mut bytes = Vec::new();
        let length = kernel.blob.granules("kernel", 0, |page| bytes.extend_from_slice(page));
        assert_eq!((length, &bytes[..room.1.len()]), (Ok(room.1.len() as u64), &room.1[..]));
    }
}

#[test]
fn a_kernel_that_is_broken_further_on_is_refused_when_it_is_read() {
    let room = Room::new("broken");
    let read = |file: &[u8]| room.open(file).and_then(|kernel| kernel.blob.granules("kernel", 0, |_| ()));
    let whole = gzip(&room.1);
    assert!(read(&whole).is_ok());
    let mut wrong = whole.clone();
    let last = wrong.len() - 5;
    wrong[last] ^= 1;
    assert!(matches!(read(&wrong), Err(Error::Read { .. })), "a wrong checksum");
    assert!(matches!(read(&whole[..whole.len() - 9]), Err(Error::Read { .. } | Error::Unpack { .. })));
    let long = [room.1.clone(), vec![1; 0x9000]].concat();
    assert!(matches!(read(&gzip(&long)), Err(Error::Length { expected: 0x9000, .. })), "longer than its header says");
    assert!(matches!(read(&long), Err(Error::Host(host::Error::KernelSize { .. }))));
    assert!(matches!(read(&room.1[..60]), Err(Error::Host(host::Error::KernelTruncated { .. }))));
    assert!(matches!(read(&gzip(RAW)), Err(Error::Host(_))));
    assert!(matches!(read(&zboot(b"gzip", &whole)[..90]), Err(Error::Unpack { packing: "EFI zboot", .. })));
}
