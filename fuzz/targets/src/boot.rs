//! What the firmware reads from flash and OTP, and what a host reads before it builds a Realm.

use crate::bounds::within;
use crate::selected;
use abi::map;
use host::config::Config;
use host::dtb::{self, Tree};
use host::image::Image;
use p384::ecdsa::SigningKey;
use rot::config::{Firmware, Hardware};
use rot::handover::Handover;
use rot::image::{HEADER, Header, Kind, Statement, sign};
use rot::otp::Otp;
use rot::version::Version;
use rot::{boot, key, otp};
use std::sync::LazyLock;

/// Signs images, and is whom the machine trusts.
static SIGNER: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_slice(&[5; 48]).expect("a scalar below the order"));
static TRUSTED: LazyLock<[u8; 32]> =
    LazyLock::new(|| key::spki_hash(&key::point(SIGNER.verifying_key()).expect("a point")));

/// Takes one input: the first byte selects the structure.
///
/// # Panics
/// If a promise of the readers is broken, or if what is written is not what is then read.
pub fn run(input: &[u8]) {
    let Some((selector, bytes)) = selected(input) else { return };
    match selector % 8 {
        0 => image(bytes),
        1 => signed(bytes),
        2 => frame(bytes),
        3 => records(bytes),
        4 => handover(bytes),
        5 => kernel(bytes),
        6 => config(bytes),
        _ => tree(bytes),
    }
}

/// The first bytes of what there is, with zeroes where there is not enough.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut whole = [0; N];
    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    whole
}

/// A header that nobody signed, with the body behind it.
fn image(bytes: &[u8]) {
    let body = bytes.get(HEADER..).unwrap_or_default();
    let Ok(header) = Header::parse(&padded(bytes)) else { return };
    for kind in [Kind::Monitor, Kind::Rmm] {
        if let Ok(authentic) = within(bytes, 1, || header.authenticate(kind, &TRUSTED, 1)) {
            let _ = authentic.check(body);
        }
        let own = header.signer_hash();
        let _ = within(bytes, 1, || header.authenticate(kind, &own, 0));
    }
}

/// What is signed here is authentic, and is its body and no other.
fn signed(bytes: &[u8]) {
    let (fields, body) = bytes.split_at(bytes.len().min(56));
    let fields: [u8; 56] = padded(fields);
    let word = |at: usize| u64::from_le_bytes(padded(&fields[at..at + 8]));
    let kind = if fields[0] & 1 == 0 { Kind::Monitor } else { Kind::Rmm };
    let Ok(version) = Version::parse(&padded(&fields[24..])) else { return };
    let (load, entry) = (word(8).wrapping_add(kind.base()), word(16).wrapping_add(kind.base()));
    let security_version = u32::from_le_bytes(padded(&fields[4..8]));
    let statement = Statement { kind, load, entry, security_version, version };
    let Ok(header) = sign(&SIGNER, &statement, body) else { return };
    let read = Header::parse(&header).expect("what is signed can be read");
    let authentic = read.authenticate(kind, &TRUSTED, 0).expect("what is signed is authentic");
    assert_eq!(authentic.statement, statement);
    assert!(authentic.check(body).is_ok(), "the body is the one that was signed");
    assert!(authentic.check(&[body, &[0]].concat()).is_err(), "a longer body is another");
}

fn frame(bytes: &[u8]) {
    if let Ok(frame) = boot::Frame::parse(bytes) {
        assert!(frame.length <= map::BOOT_MAX);
    }
    let _ = within(bytes, 1, || boot::measure(bytes));
}

fn records(bytes: &[u8]) {
    let _ = Otp::parse(&padded::<{ otp::LENGTH }>(bytes));
    if let Ok(hardware) = Hardware::parse(&padded(bytes)) {
        assert_eq!(hardware.check(), Ok(hardware), "what is read is in range");
        assert_eq!(Hardware::parse(&hardware.encode()), Ok(hardware));
    }
    if let Ok(firmware) = Firmware::parse(&padded(bytes)) {
        assert_eq!(Firmware::parse(&firmware.encode()), Ok(firmware));
    }
}

fn handover(bytes: &[u8]) {
    if let Ok(handover) = Handover::read(bytes) {
        assert!(!handover.token().is_empty(), "a token is handed over");
        let _ = (handover.hardware(), handover.firmware(), handover.rmm(), handover.lifecycle());
    }
}

fn kernel(bytes: &[u8]) {
    if let Ok(image) = within(bytes, 1, || Image::parse(bytes)) {
        assert!(image.image_size >= bytes.len() as u64);
    }
    // What is packed may be a thousand times as much as what it is packed in; that has a limit of its own.
    if bytes.len() <= 1024 {
        let _ = within(bytes, 1 << 16, || measure::kernel::unpack(bytes).map(|it| it.len()));
    }
}

fn config(bytes: &[u8]) {
    let Ok(config) = within(bytes, 16, || Config::parse(bytes)) else { return };
    assert_eq!(Config::parse(config.text().as_bytes()), Ok(config), "what is written is what was read");
}

/// A device tree of any values has a header that tells its length.
fn tree(bytes: &[u8]) {
    let word = |at: usize| u64::from_le_bytes(padded(bytes.get(at..).unwrap_or_default()));
    let cmdline = String::from_utf8_lossy(bytes.get(40..).unwrap_or_default());
    let initrd = (word(24) & 1 == 1).then(|| word(16)..word(32));
    let tree = Tree { ram: word(0)..word(8), cpus: (word(24) >> 8) as u32 % 64, cmdline: &cmdline, initrd };
    if let Ok(blob) = within(bytes, 16, || dtb::write(&tree)) {
        assert_eq!(blob.get(..4), Some(&[0xD0, 0x0D, 0xFE, 0xED][..]));
        assert_eq!(u32::from_be_bytes(padded(&blob[4..8])) as usize, blob.len());
    }
}
