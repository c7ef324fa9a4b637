//! Globally unique identifiers.

use core::fmt;

/// A GUID in the byte order of EFI (UEFI 2.10, appendix A).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guid(pub [u8; 16]);

/// GUIDs that occur in logs, in the text form, and what they are.
const NAMES: &[(&str, &str)] = &[
    ("8be4df61-93ca-11d2-aa0d-00e098032b8c", "EFI global"),
    ("d719b2cb-3d3a-4596-a3bc-dad00e67656f", "image security"),
    ("605dab50-e046-4300-abb6-3dd810dd8b23", "shim"),
    ("77fa9abd-0359-4d32-bd60-28f4e78f784b", "Microsoft"),
    ("c1c41626-504c-4092-aca9-41f936934328", "SHA-256 hash"),
    ("ff3e5307-9fd0-48c9-85f1-8ad56c701e01", "SHA-384 hash"),
    ("093e0fae-a6c4-4f50-9f1b-d41e2b89c19a", "SHA-512 hash"),
    ("826ca512-cf10-4ac9-b187-be01496631bd", "SHA-1 hash"),
    ("a5c059a1-94e4-4aa7-87b5-ab155c2bf072", "X.509 certificate"),
    ("3bd2a492-96c0-4079-b420-fcf98ef103ed", "SHA-256 hash of a certificate"),
    ("3c5766e8-269c-4e34-aa14-ed776e85b3b6", "RSA-2048 key"),
    ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system partition"),
    ("0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux file system"),
    ("21686148-6449-6e6f-744e-656564454649", "BIOS boot partition"),
    ("bc13c2ff-59e6-4262-a352-b275fd6f7172", "extended boot loader partition"),
    ("1428f772-b64a-441e-b8c3-9ebdd7f893c7", "QEMU's kernel loader"),
    ("5568e427-68fc-4f3d-ac74-ca555231cc68", "Linux initrd"),
    ("7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1", "EDK2 firmware volume"),
    ("462caa21-7614-4503-836e-8ab6f4662331", "EDK2 user interface"),
    ("93bb96af-b9f2-4eb8-9462-e0ba74564236", "TDX table"),
    ("eb9d2d31-2d88-11d3-9a16-0090273fc14d", "SMBIOS table"),
    ("f2fd1544-9794-4a2c-992e-e5bbcf20e394", "SMBIOS 3 table"),
    ("8868e871-e4f1-11d3-bc22-0080c73c8881", "ACPI table"),
    ("b1b621d5-f19c-41a5-830b-d9152c69aae0", "device tree"),
];

impl Guid {
    /// What it stands for, if that is known.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        let text = alloc::format!("{self}");
        NAMES.iter().find(|(guid, _)| *guid == text).map(|(_, name)| *name)
    }

    /// Shows the name if there is one, else the number.
    pub(crate) fn named(&self) -> Named {
        Named(*self)
    }
}

/// A GUID by name where it has one.
pub(crate) struct Named(Guid);

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => out.write_str(name),
            None => write!(out, "{}", self.0),
        }
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first three fields are little-endian numbers, the rest are bytes.
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        order.into_iter().enumerate().try_for_each(|(place, index)| {
            let dash = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(out, "{dash}{:02x}", self.0.get(index).copied().unwrap_or_default())
        })
    }
}
