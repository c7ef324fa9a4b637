//! The types of entries.

use core::fmt;

/// The type of an entry (TCG PC Client Platform Firmware Profile 1.06, 10.4). It is not part of what is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventType(pub u32);

macro_rules! types {
    ($($name:ident = $number:literal),* $(,)?) => {
        #[allow(missing_docs)]
        impl EventType {
            $(pub const $name: Self = Self($number);)*
        }
        /// Every type that has a name.
        const NAMES: &[(EventType, &str)] = &[$((EventType($number), concat!("EV_", stringify!($name)))),*];
    };
}

types! {
    PREBOOT_CERT = 0x0,
    POST_CODE = 0x1,
    UNUSED = 0x2,
    NO_ACTION = 0x3,
    SEPARATOR = 0x4,
    ACTION = 0x5,
    EVENT_TAG = 0x6,
    S_CRTM_CONTENTS = 0x7,
    S_CRTM_VERSION = 0x8,
    CPU_MICROCODE = 0x9,
    PLATFORM_CONFIG_FLAGS = 0xa,
    TABLE_OF_DEVICES = 0xb,
    COMPACT_HASH = 0xc,
    IPL = 0xd,
    IPL_PARTITION_DATA = 0xe,
    NONHOST_CODE = 0xf,
    NONHOST_CONFIG = 0x10,
    NONHOST_INFO = 0x11,
    OMIT_BOOT_DEVICE_EVENTS = 0x12,
    POST_CODE2 = 0x13,
    EFI_VARIABLE_DRIVER_CONFIG = 0x8000_0001,
    EFI_VARIABLE_BOOT = 0x8000_0002,
    EFI_BOOT_SERVICES_APPLICATION = 0x8000_0003,
    EFI_BOOT_SERVICES_DRIVER = 0x8000_0004,
    EFI_RUNTIME_SERVICES_DRIVER = 0x8000_0005,
    EFI_GPT_EVENT = 0x8000_0006,
    EFI_ACTION = 0x8000_0007,
    EFI_PLATFORM_FIRMWARE_BLOB = 0x8000_0008,
    EFI_HANDOFF_TABLES = 0x8000_0009,
    EFI_PLATFORM_FIRMWARE_BLOB2 = 0x8000_000a,
    EFI_HANDOFF_TABLES2 = 0x8000_000b,
    EFI_VARIABLE_BOOT2 = 0x8000_000c,
    EFI_GPT_EVENT2 = 0x8000_000d,
    EFI_HCRTM_EVENT = 0x8000_0010,
    EFI_VARIABLE_AUTHORITY = 0x8000_00e0,
    EFI_SPDM_FIRMWARE_BLOB = 0x8000_00e1,
    EFI_SPDM_FIRMWARE_CONFIG = 0x8000_00e2,
    EFI_SPDM_DEVICE_POLICY = 0x8000_00e3,
    EFI_SPDM_DEVICE_AUTHORITY = 0x8000_00e4,
}

impl EventType {
    /// Its name in the profile, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(kind, _)| *kind == self).map(|(_, name)| *name)
    }

    /// The type of a name, with or without `EV_`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let short = |name: &'static str| name.get(3..);
        NAMES.iter().find(|(_, known)| *known == name || short(known) == Some(name)).map(|(kind, _)| *kind)
    }

    /// Whether entries of this type extend their register: all but `EV_NO_ACTION` do.
    #[must_use]
    pub fn is_extended(self) -> bool {
        self != Self::NO_ACTION
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => out.write_str(name),
            None => write!(out, "type {:#010x}", self.0),
        }
    }
}
