//! Tagged events: of the kernel's EFI stub, of systemd, and of VMMs that log the making of a Realm.

use super::Refusal;
use super::reader::Reader;
use super::text::{Shown, line, readable, utf16_line};
use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// `TCG_PCClientTaggedEvent` (profile 1.06, 10.4). What was hashed is the object that the tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// The tag; some kernels wrote the text alone.
    pub id: Option<u32>,
    /// The text, where it is text.
    pub text: Option<String>,
    /// What stands behind the tag.
    pub data: &'a [u8],
    /// Whether it stands in register 0, where VMMs describe the Realm.
    realm: bool,
}

/// Tags, what rules call them, and what was hashed.
const TAGS: [(u32, &str, &str); 8] = [
    (0x8f3b_22ec, "linux-initrd", "the initrd as the kernel loads it"),
    (0x8f3b_22ed, "load-options", "the kernel's load options in UTF-16"),
    (0xf5bc_582a, "loader.conf", "configuration of systemd-boot"),
    (0xd5cb_7cbc, "smbios-type1", "SMBIOS system information"),
    (0x6c46_f751, "devicetree", "device tree that systemd-stub installs"),
    (0x49df_fe0f, "stub-initrd", "initrd that systemd-stub adds"),
    (0xdac0_8e1a, "microcode", "microcode that systemd-stub adds"),
    (0x13ae_d6db, "profile", "profile that systemd-stub selects"),
];

impl<'a> Tag<'a> {
    /// Reads the data of an event that begins at offset `at`.
    ///
    /// # Errors
    /// [`Refusal`] if it is neither a tag whose length fills it exactly nor text.
    pub(crate) fn read(bytes: &'a [u8], at: usize, register: u32) -> Result<Self, Refusal> {
        let printable = |text: &&str| text.len() > 8 && text.chars().all(|it| !it.is_control());
        if let Some(text) = line(bytes).filter(printable) {
            return Ok(Self { id: None, text: Some(text.into()), data: bytes, realm: false });
        }
        let mut reader = Reader::new(bytes, at);
        let id = reader.u32("a tag")?;
        let length = reader.u32("length of a tagged event")?;
        let data = reader.take_long(length.into(), "a tagged event")?;
        reader.finish()?;
        let narrow = line(data).filter(|text| text.chars().all(|it| !it.is_control())).map(String::from);
        let text = narrow.or_else(|| utf16_line(data)).filter(|text| !text.is_empty());
        Ok(Self { id: Some(id), text, data, realm: register == 0 })
    }

    fn known(&self) -> Option<(&'static str, &'static str)> {
        let by_text = || self.text.as_deref() == Some("LOADED_IMAGE::LoadOptions");
        let id = self.id.or_else(|| by_text().then_some(0x8f3b_22ed))?;
        TAGS.into_iter().find(|(tag, ..)| *tag == id).map(|(_, name, words)| (name, words))
    }

    /// What the event is about, for rules to go by.
    pub(crate) fn subject(&self) -> Cow<'static, str> {
        match (self.known(), self.id) {
            (Some((name, _)), _) => Cow::Borrowed(name),
            (None, Some(id)) => Cow::Owned(alloc::format!("tag:{id:#010x}")),
            (None, None) => Cow::Borrowed("untagged"),
        }
    }

    /// What a VMM says of the Realm it made (Realm measurement log of QEMU and kvmtool).
    fn realm(&self, out: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let mut reader = Reader::new(self.data, 0);
        let Ok(words) = (match (self.realm, self.id, self.data.len()) {
            (true, Some(1), 14) => parameters(&mut reader),
            (true, Some(2), 16) => ripas(&mut reader),
            (true, Some(3), 80) => rec(&mut reader),
            _ => return Ok(false),
        }) else {
            return Ok(false);
        };
        out.write_str(&words)?;
        Ok(true)
    }
}

fn parameters(reader: &mut Reader<'_>) -> Result<String, Refusal> {
    let flags = reader.u64("flags")?;
    let [s2sz, sve, breakpoints, watchpoints, counters, hash] = reader.array("parameters")?;
    Ok(alloc::format!(
        "the Realm is made with flags {flags:#x}, {s2sz} bits of address, SVE length {sve}, {breakpoints} breakpoints, \
         {watchpoints} watchpoints, {counters} counters, hash algorithm {hash}"
    ))
}

fn ripas(reader: &mut Reader<'_>) -> Result<String, Refusal> {
    let base = reader.u64("base")?;
    Ok(alloc::format!("{:#x} bytes of RAM at {base:#x}", reader.u64("size")?))
}

fn rec(reader: &mut Reader<'_>) -> Result<String, Refusal> {
    let flags = reader.u64("flags")?;
    let runnable = if flags & 1 == 1 { "a" } else { "a stopped" };
    Ok(alloc::format!("{runnable} processor is made that starts at {:#x}", reader.u64("program counter")?))
}

impl fmt::Display for Tag<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.realm(out)? {
            return Ok(());
        }
        if let Some((_, words)) = self.known() {
            out.write_str(words)?;
        } else if let Some(id) = self.id {
            write!(out, "tag {id:#010x}")?;
        }
        match &self.text {
            Some(text) => write!(out, " \"{}\"", Shown(text)),
            None => write!(out, " {}", Shown(&readable(self.data))),
        }
    }
}
