use alloc::vec;
use alloc::vec::Vec;

use super::{Image, Packing, packing};
use crate::Error;

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A kernel of 0x3000 bytes whose one PE section ends with the file.
fn kernel() -> Vec<u8> {
    let mut file = vec![0; 0x3000];
    put(&mut file, 0, b"MZ");
    put(&mut file, 16, &0x8000u64.to_le_bytes());
    put(&mut file, 24, &0xau64.to_le_bytes());
    put(&mut file, 56, b"ARM\x64");
    put(&mut file, 60, &64u32.to_le_bytes());
    put(&mut file, 64, b"PE\0\0");
    put(&mut file, 64 + 6, &1u16.to_le_bytes());
    put(&mut file, 64 + 20, &0u16.to_le_bytes());
    put(&mut file, 64 + 24 + 16, &0x2000u32.to_le_bytes());
    put(&mut file, 64 + 24 + 20, &0x1000u32.to_le_bytes());
    file
}

#[test]
fn header_is_read() {
    assert_eq!(Image::parse(&kernel()), Ok(Image { text_offset: 0, image_size: 0x8000 }));
}

#[test]
fn a_kernel_without_an_efi_stub_is_read() {
    let mut file = kernel();
    put(&mut file, 0, &[0x1f, 0x20]);
    put(&mut file, 8, &0x8_0000u64.to_le_bytes());
    assert_eq!(Image::parse(&file[..64]), Ok(Image { text_offset: 0x8_0000, image_size: 0x8000 }));
}

#[test]
fn truncation_is_noticed_by_header_and_sections() {
    let file = kernel();
    assert_eq!(Image::parse(&file[..0x2fff]), Err(Error::KernelTruncated { expected: 0x3000, found: 0x2fff }));
    assert_eq!(Image::parse(&file[..63]), Err(Error::KernelTruncated { expected: 64, found: 63 }));
    assert_eq!(Image::parse(&[]), Err(Error::KernelTruncated { expected: 64, found: 0 }));
}

#[test]
fn what_is_no_kernel_is_named() {
    let mut file = kernel();
    put(&mut file, 56, b"RISC");
    assert_eq!(Image::parse(&file), Err(Error::NotKernel { found: *b"RISC" }));
    let mut gzip = kernel();
    put(&mut gzip, 0, &[0x1f, 0x8b]);
    assert_eq!(Image::parse(&gzip), Err(Error::KernelPacked(Packing::Gzip)));
    let mut zboot = kernel();
    put(&mut zboot, 4, b"zimg");
    assert_eq!(Image::parse(&zboot), Err(Error::KernelPacked(Packing::Zboot)));
    assert_eq!(packing(&kernel()), Packing::Raw);
}

#[test]
fn impossible_headers_are_refused() {
    let with = |at, value: u64| {
        let mut file = kernel();
        put(&mut file, at, &value.to_le_bytes());
        Image::parse(&file)
    };
    assert_eq!(with(24, 0xb), Err(Error::KernelBigEndian));
    assert_eq!(with(16, 0), Err(Error::KernelSize { file: 0x3000, found: 0 }));
    assert_eq!(with(16, 0x2fff), Err(Error::KernelSize { file: 0x3000, found: 0x2fff }));
    assert_eq!(with(8, 0x20_0000), Err(Error::KernelOffset { found: 0x20_0000 }));
    assert_eq!(with(8, 0x800), Err(Error::KernelOffset { found: 0x800 }));
}

#[test]
fn no_section_table_makes_it_panic() {
    for (at, value) in [(60, u32::MAX), (60, 0x2fff), (64 + 6, u32::MAX), (64 + 20, u32::MAX), (104, u32::MAX)] {
        let mut file = kernel();
        put(&mut file, at, &value.to_le_bytes());
        let parsed = Image::parse(&file);
        assert!(matches!(parsed, Ok(_) | Err(Error::KernelTruncated { .. })), "{at}: {parsed:?}");
    }
}
