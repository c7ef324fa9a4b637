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
