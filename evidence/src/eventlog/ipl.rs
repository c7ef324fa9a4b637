//! What boot loaders measure.

use super::text::{Data, Shown, line, until_nul, utf16_line};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The data of an `EV_IPL` event, as shim, GRUB, systemd-boot and systemd-stub write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ipl<'a> {
    /// GRUB executed or passed on a line; the digest is over the line.
    Line(Line<'a>),
    /// GRUB read a file of this name; the digest is over its content.
    File(&'a str),
    /// Red Hat's GRUB loaded the kernel or the initrd.
    LinuxEfi(&'a str),
    /// shim passed on a list of this name; the digest is over the list.
    Mok(&'a str),
    /// systemd-stub: name (first event) or content (second) of a section of its image.
    Section(String),
    /// Text in UTF-16: options that systemd-boot passes, or names of what systemd-stub picked up.
    Options(String),
    /// Anything else.
    Other(&'a [u8]),
}

/// A line of GRUB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// `grub_cmd`, `kernel_cmdline` or `module_cmdline`.
    pub kind: &'static str,
    /// The line.
    pub text: &'a [u8],
    /// Whether the digest covers a NUL behind it, as in Red Hat's variant.
    nul: bool,
}

/// How the events of lines begin: upstream's three, then Red Hat's.
const LINES: [(&[u8], &str, bool); 5] = [
    (b"grub_cmd: ", "grub_cmd", false),
    (b"kernel_cmdline: ", "kernel_cmdline", false),
    (b"module_cmdline: ", "module_cmdline", false),
    (b"grub_cmd ", "grub_cmd", true),
    (b"grub_kernel_cmdline ", "kernel_cmdline", false),
];

impl<'a> Ipl<'a> {
    /// Reads the data of an event; whatever is not of a known form is [`Ipl::Other`].
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        Self::line(bytes).or_else(|| Self::name(bytes)).or_else(|| Self::wide(bytes)).unwrap_or(Self::Other(bytes))
    }

    fn line(bytes: &'a [u8]) -> Option<Self> {
        LINES.into_iter().find_map(|(prefix, kind, nul)| {
            let text = bytes.strip_prefix(prefix)?;
            // Red Hat's variant copies a byte too many.
            let text = if prefix.ends_with(b": ") { text.strip_suffix(&[0]).unwrap_or(text) } else { until_nul(text) };
            Some(Self::Line(Line { kind, text, nul }))
        })
    }

    fn name(bytes: &'a [u8]) -> Option<Self> {
        if let Some(rest) = bytes.strip_prefix(b"grub_linuxefi ") {
            return core::str::from_utf8(until_nul(rest)).ok().map(Self::LinuxEfi);
        }
        let name = line(bytes.strip_suffix(&[0])?)?;
        match name {
            _ if name.starts_with(['(', '/']) => Some(Self::File(name)),
            _ if name.starts_with("Mok") => Some(Self::Mok(name)),
            _ => None,
        }
    }

    fn wide(bytes: &'a [u8]) -> Option<Self> {
        let text = utf16_line(bytes).filter(|text| !text.is_empty())?;
        let is_section = text.starts_with('.') && !text.contains(' ');
        Some(if is_section { Self::Section(text) } else { Self::Options(text) })
    }

    /// What the event is about, for rules to go by.
    pub(crate) fn subject(&self) -> Cow<'a, str> {
        match self {
            Self::Line(line) => Cow::Borrowed(line.kind),
            Self::File(name) => Cow::Owned(alloc::format!("file:{name}")),
            Self::LinuxEfi(name) => Cow::Owned(alloc::format!("linuxefi:{name}")),
            Self::Mok(name) => Cow::Borrowed(name),
            Self::Section(name) => Cow::Owned(alloc::format!("section:{name}")),
            Self::Options(_) => Cow::Borrowed("options"),
            Self::Other(_) => Cow::Borrowed("other"),
        }
    }
}

impl<'a> Line<'a> {
    /// What the digest is over.
    pub(crate) fn hashed(&self) -> Cow<'a, [u8]> {
        if !self.nul {
            return Cow::Borrowed(self.text);
        }
        let mut bytes = Vec::from(self.text);
        bytes.push(0);
        Cow::Owned(bytes)
    }
}

impl fmt::Display for Ipl<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => {
                let what = match line.kind {
                    "grub_cmd" => "GRUB executes",
                    "kernel_cmdline" => "GRUB passes to the kernel",
                    _ => "GRUB passes to a module",
                };
                let text = String::from_utf8_lossy(line.text);
                write!(out, "{what}: {}", Shown(&text))
            }
            Self::File(name) => write!(out, "GRUB reads {}", Shown(name)),
            Self::LinuxEfi(name) => write!(out, "GRUB loads the {}", Shown(&name.to_lowercase())),
            Self::Mok(name) => write!(out, "shim's {}", Shown(name)),
            Self::Section(name) => {
                write!(out, "name or content of section {} of the unified kernel image", Shown(name))
            }
            Self::Options(text) => write!(out, "options \"{}\"", Shown(text)),
            Self::Other(bytes) => write!(out, "{}", Data(bytes)),
        }
    }
}
