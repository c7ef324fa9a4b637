//! The boot that docs/eventlog.md has rules for, event by event, as a log that tests change.

use super::hex;
use allod_verifier::replay::hash;
use evidence::eventlog::Algorithm;

/// An event of a log with one bank, which tests change.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub register: u32,
    pub kind: u32,
    pub digest: Vec<u8>,
    pub data: Vec<u8>,
}

impl Step {
    /// An event whose digest is over something.
    pub fn over(register: u32, kind: u32, hashed: &[u8], data: &[u8]) -> Self {
        let digest = hash(Algorithm::Sha256, &[hashed]).expect("known");
        Self { register, kind, digest, data: data.to_vec() }
    }

    /// An event whose digest is over its data.
    pub fn whole(register: u32, kind: u32, data: &[u8]) -> Self {
        Self::over(register, kind, data, data)
    }

    /// An event of which only the digest is known.
    pub fn known(register: u32, kind: u32, digest: &str, data: &[u8]) -> Self {
        Self { register, kind, digest: hex(digest), data: data.to_vec() }
    }

    pub fn line(prefix: &str, text: &str) -> Self {
        Self::over(3, IPL, text.as_bytes(), format!("{prefix}: {text}\0").as_bytes())
    }

    pub fn image(digest: &str) -> Self {
        Self::known(2, APPLICATION, digest, &[0; 32])
    }
}

pub const SEPARATOR: u32 = 4;
pub const TAG: u32 = 6;
pub const VERSION: u32 = 8;
pub const FLAGS: u32 = 0xa;
pub const IPL: u32 = 0xd;
pub const DRIVER_CONFIG: u32 = 0x8000_0001;
pub const BOOT: u32 = 0x8000_0002;
pub const APPLICATION: u32 = 0x8000_0003;
pub const DRIVER: u32 = 0x8000_0004;
pub const GPT: u32 = 0x8000_0006;
pub const ACTION: u32 = 0x8000_0007;
pub const AUTHORITY: u32 = 0x8000_00e0;

pub const GLOBAL: &str = "61dfe48bca93d211aa0d00e098032b8c";
pub const SECURITY: &str = "cbb219d73a3d9645a3bcdad00e67656f";
pub const SHIM: &str = "50ab5d6046e00043abb63dd810dd8b23";

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub fn variable(vendor: &str, name: &str, value: &[u8]) -> Vec<u8> {
    let lengths = [name.len() as u64, value.len() as u64].map(u64::to_le_bytes).concat();
    [hex(vendor), lengths, utf16(name), value.to_vec()].concat()
}

pub fn tag(id: u32, text: &str) -> Vec<u8> {
    let data = format!("{text}\0");
    [&id.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), data.as_bytes()].concat()
}

/// A confidential-computing log of these events.
pub fn log(steps: &[Step]) -> Vec<u8> {
    let mut bytes = [1u32.to_le_bytes(), 3u32.to_le_bytes()].concat();
    bytes.extend([0; 20]);
    bytes.extend(33u32.to_le_bytes());
    bytes.extend(b"Spec ID Event03\0\0\0\0\0\0\x02\0\x02\x01\0\0\0\x0b\0\x20\0\0");
    for step in steps {
        bytes.extend([step.register, step.kind, 1].map(u32::to_le_bytes).concat());
        bytes.extend([0x0b, 0]);
        bytes.extend(&step.digest);
        bytes.extend((step.data.len() as u32).to_le_bytes());
        bytes.extend(&step.data);
    }
    bytes
}

pub const TABLE: &str = concat!(
    "4546492050415254000001005c00000091debc67000000000100000000000000ff170300000000002200000000000000de17030000000000",
    "111111112222334384445555555555550200000000000000800000008000000074a4254e0100000000000000",
    "28732ac11ff8d211ba4b00a0c93ec93b66666666777788489999aaaaaaaaaaaa0008000000000000ff070300000000000000000000000000",
    "650073007000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000000000"
);
pub const MENU: &str = "menuentry Debian GNU/Linux {\n\techo 'Loading Linux 7.3-cloud-arm64 ...'\n\tlinux \
                    /boot/vmlinuz-7.3-cloud-arm64 console=ttyAMA0 ro quiet\n\techo 'Loading initial ramdisk ...'\n\tinitrd \
                    /boot/initrd.img-7.3-cloud-arm64\n}";
pub const LINE: &str = "/boot/vmlinuz-7.3-cloud-arm64 console=ttyAMA0 ro quiet";
pub const KERNEL: &str = "34a00ef71843d6ccafcb3ae62cc8c2878f55df258bef8cab46d47e4e7700ec73";
pub const INITRD: &str = "0b0a95eb2fd0465ac866b29459045ae77f16720598624c1a17ec578e2956d701";
pub const CONFIG: &str = "12650045a29818efb3f448763fe686306de6f55d95a6645fe96ef357e4b6d591";

/// Firmware to GRUB of the boot that docs/eventlog.md has rules for.
pub fn firmware() -> Vec<Step> {
    let boot = |name: &str, value: &[u8]| Step::over(1, BOOT, value, &variable(GLOBAL, name, value));
    let acpi = |digest: &str| Step::known(1, FLAGS, digest, b"ACPI DATA");
    vec![
        Step::whole(1, VERSION, &utf16("2026.08+ds-2\0")),
        Step::whole(1, DRIVER_CONFIG, &variable(GLOBAL, "SecureBoot", &[0])),
        Step::whole(1, DRIVER_CONFIG, &variable(GLOBAL, "PK", &[])),
        Step::whole(1, DRIVER_CONFIG, &variable(GLOBAL, "KEK", &[])),
        Step::whole(1, DRIVER_CONFIG, &variable(SECURITY, "db", &[])),
        Step::whole(1, DRIVER_CONFIG, &variable(SECURITY, "dbx", &[])),
        Step::whole(1, SEPARATOR, &[0; 4]),
        acpi("57e7ad0100ab89b7c133ed139918c324cf88a1c83780e2b5b56bdc8d3e03dbe5"),
        acpi("d51871ab98bb03fe7fc8d7e71c3fe7e671ed0f795ba10b0fb6197ebb9bec5073"),
        acpi("de2f256064a0af797747c2b97505dc0b9f3df0de4f489eac731c23ae9ca9cc31"),
        acpi("6f7731b1794b522487191f9df5f0ed5278f483013e0a015f65f43bf69a26fe59"),
        boot("BootOrder", &[2, 0, 0, 0, 1, 0]),
        boot("Boot0002", &[1, 0, 0, 0]),
        Step::whole(2, ACTION, b"Calling EFI Application from Boot Option"),
        Step::whole(2, SEPARATOR, &[0; 4]),
        Step::whole(2, GPT, &hex(TABLE)),
        Step::image("e12ac77defd54383d9d18a09543fcd26b49c008590c4e2647a3a7e4c554f616e"),
        Step::known(3, IPL, "342c88bb9fde2c45eeaa17321262b089181e7e841ef5a4a5e8ed240920026f97", b"MokList\0"),
        Step::known(3, IPL, "6094861f737feef1f03b809fc4a8e1ea093f6e9966c27c92c2b4bb94ef10c782", b"MokListX\0"),
        Step::whole(1, AUTHORITY, &variable(SHIM, "SbatLevel", b"sbat,1,2021030218\n")),
        Step::over(3, IPL, &[1], b"MokListTrusted\0"),
        Step::image("46f3b299c655603255884ce16e4eb84cf2c374a0d89f9699e60df55df0ab75f2"),
    ]
}

/// The whole boot that docs/eventlog.md has rules for.
pub fn boot() -> Vec<Step> {
    let config = || Step::known(3, IPL, CONFIG, b"(hd0,gpt1)/EFI/debian/grub.cfg\0");
    let command = |text: &str| Step::line("grub_cmd", text);
    let options = utf16(&format!("BOOT_IMAGE={LINE}\0"));
    let rest = vec![
        config(),
        config(),
        command("set timeout=0"),
        command("set default=0"),
        command("search --no-floppy --fs-uuid --set=root 1234-5678"),
        command(MENU),
        command("setparams Debian GNU/Linux"),
        command("echo Loading Linux 7.3-cloud-arm64 ..."),
        command(&format!("linux {LINE}")),
        Step::known(
            3,
            IPL,
            "b398cc5a8b06b8d530f085f1d62e95afaaf85a1cf417450bd5e566c98c647d11",
            b"/boot/vmlinuz-7.3-cloud-arm64\0",
        ),
        Step::line("kernel_cmdline", LINE),
        command("echo Loading initial ramdisk ..."),
        command("initrd /boot/initrd.img-7.3-cloud-arm64"),
        Step::known(3, IPL, INITRD, b"/boot/initrd.img-7.3-cloud-arm64\0"),
        Step::image(KERNEL),
        Step::over(3, TAG, &options, &tag(0x8f3b_22ed, "LOADED_IMAGE::LoadOptions")),
        Step::known(3, TAG, INITRD, &tag(0x8f3b_22ec, "Linux initrd")),
        Step::whole(2, ACTION, b"Exit Boot Services Invocation"),
        Step::whole(2, ACTION, b"Exit Boot Services Returned with Success"),
    ];
    [firmware(), rest].concat()
}
