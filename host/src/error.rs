//! Why something is no VM.

use alloc::string::String;
use core::fmt;

use crate::image::Packing;

/// Why a configuration, a file, or both together are no VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The configuration has a byte sequence that is not UTF-8.
    NotText {
        /// Bytes before it.
        valid: usize,
    },
    /// The configuration's last line has no line end: the text is cut short.
    Unfinished,
    /// A line of the configuration without a space between key and value.
    NoValue {
        /// The line.
        line: String,
    },
    /// A key of the configuration that is none of ours.
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A key of the configuration for the second time.
    Duplicate {
        /// The key.
        key: &'static str,
    },
    /// A key that the configuration must have.
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value that is not what its key takes.
    BadValue {
        /// The key.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
        /// The value.
        found: String,
    },
    /// The kernel's file ends before its header, or before the end of a section.
    KernelTruncated {
        /// Bytes that the file must have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// The kernel's file has no arm64 magic at byte 56.
    NotKernel {
        /// The four bytes found there.
        found: [u8; 4],
    },
    /// The kernel's file is compressed: it is unpacked before it reaches the host.
    KernelPacked(Packing),
    /// A big-endian kernel.
    KernelBigEndian,
    /// The kernel's `image_size` is 0 (before Linux 3.17), or less than its file.
    KernelSize {
        /// Bytes of the file.
        file: u64,
        /// The header's word.
        found: u64,
    },
    /// The kernel's `text_offset` is no multiple of 4 KiB below 2 MiB.
    KernelOffset {
        /// The header's word.
        found: u64,
    },
    /// A part of the VM does not fit into its memory.
    NoRoom {
        /// Which: `kernel`, `initrd` or `device tree`.
        part: &'static str,
        /// Bytes of memory that would hold everything up to and with this part.
        expected: u64,
        /// Bytes of memory.
        found: u64,
    },
    /// The device tree could not be written.
    DeviceTree {
        /// What the writer said.
        why: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotText { valid } => write!(f, "configuration: expected UTF-8, found other bytes at {valid}"),
            Error::Unfinished => f.write_str("configuration: expected a line end at its end, found none"),
            Error::NoValue { line } => write!(f, "configuration: expected `key value`, found {line:?}"),
            Error::UnknownKey { key } => write!(f, "configuration: unknown key {key:?}"),
            Error::Duplicate { key } => write!(f, "configuration: {key} is there twice"),
            Error::Missing { key } => write!(f, "configuration: {key} is missing"),
            Error::BadValue { key, expected, found } => {
                write!(f, "configuration: {key}: expected {expected}, found {found:?}")
            }
            kernel_or_room => kernel_or_room.fmt_image(f),
        }
    }
}

impl Error {
    fn fmt_image(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::KernelTruncated { expected, found } => {
                write!(f, "kernel is truncated: expected at least {expected} bytes, found {found}")
            }
            Error::NotKernel { found } => {
                write!(f, "not an arm64 kernel: expected magic [41, 52, 4d, 64] at byte 56, found {found:02x?}")
            }
            Error::KernelPacked(packing) => write!(f, "kernel is packed: expected a raw Image, found {packing}"),
            Error::KernelBigEndian => f.write_str("kernel is big endian: expected little endian"),
            Error::KernelSize { file, found } => {
                write!(f, "kernel's image_size: expected at least the file's {file} bytes, found {found}")
            }
            Error::KernelOffset { found } => {
                write!(f, "kernel's text_offset: expected a multiple of 0x1000 below 0x200000, found {found:#x}")
            }
            Error::NoRoom { part, expected, found } => {
                write!(f, "{part} is too large: expected at least {expected} bytes of memory, found {found}")
            }
            Error::DeviceTree { why } => write!(f, "device tree: {why}"),
            configuration => write!(f, "{configuration:?}"),
        }
    }
}

impl core::error::Error for Error {}
