//! What entries say.

use super::text::{Data, Shown, line, readable, utf16_line};
use super::{Blob, Config, Entry, EventType, Gpt, Image, Ipl, NoAction, Refusal, Tables, Tag, Variable};
use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The data of an entry, read as its type says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Informs, extends nothing.
    NoAction(NoAction<'a>),
    /// Ends a part of the boot.
    Separator(Separator<'a>),
    /// A step, in words; the digest is over them.
    Action(&'a str),
    /// An object under a tag.
    Tag(Tag<'a>),
    /// The firmware's version.
    Version(Version<'a>),
    /// Code or configuration in a form of the platform's own.
    Config(Config<'a>),
    /// What a boot loader did.
    Ipl(Ipl<'a>),
    /// An EFI variable.
    Variable(Variable<'a>),
    /// An image that was started.
    Image(Image),
    /// A partition table.
    Gpt(Gpt),
    /// A piece of firmware.
    Blob(Blob<'a>),
    /// Tables that firmware hands over.
    Tables(Tables<'a>),
    /// Nothing known.
    Unknown(&'a [u8]),
}

/// What a separator says (profile 1.06, 10.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator<'a> {
    /// Four zero bytes: what follows is measured by the next stage.
    Boundary,
    /// Four bytes 0xFF: something failed.
    Error,
    /// Neither.
    Other(&'a [u8]),
}

/// A version: text in UTF-16, or a number of the vendor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<'a> {
    /// The text, if it is text.
    pub text: Option<String>,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// What of an entry's data was hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measured<'a> {
    /// One of these; another digest means that the data was changed, or that its writer was wrong.
    Data(Vec<Cow<'a, [u8]>>),
    /// Possibly one of these.
    Perhaps(Vec<Cow<'a, [u8]>>),
    /// Something that is not in the log: the data is a hint, whatever it says.
    Elsewhere,
}

impl<'a> Measured<'a> {
    /// What of an entry's data was hashed if the data cannot be read as its type demands.
    #[must_use]
    pub fn of_undecodable(entry: &Entry<'a>) -> Self {
        match entry.kind {
            EventType::EFI_GPT_EVENT
            | EventType::EFI_GPT_EVENT2
            | EventType::EFI_VARIABLE_DRIVER_CONFIG
            | EventType::EFI_VARIABLE_BOOT2
            | EventType::EFI_VARIABLE_AUTHORITY
            | EventType::ACTION
            | EventType::EFI_ACTION
            | EventType::OMIT_BOOT_DEVICE_EVENTS => Self::Data(alloc::vec![Cow::Borrowed(entry.data)]),
            _ => Self::Elsewhere,
        }
    }
}

impl<'a> Event<'a> {
    /// Reads the data of an entry.
    ///
    /// # Errors
    /// [`Refusal`] if it is not of the form that the type demands. The entry itself stays what it is.
    pub fn decode(entry: &Entry<'a>) -> Result<Self, Refusal> {
        let (data, at) = (entry.data, entry.data_at);
        Ok(match entry.kind {
            EventType::NO_ACTION => Self::NoAction(NoAction::read(data, at)?),
            EventType::SEPARATOR => Self::Separator(Separator::read(data)),
            EventType::ACTION | EventType::EFI_ACTION | EventType::OMIT_BOOT_DEVICE_EVENTS => {
                Self::Action(core::str::from_utf8(data).map_err(|_| Refusal::Bytes { at, expected: "text" })?)
            }
            EventType::EVENT_TAG => Self::Tag(Tag::read(data, at, entry.register)?),
            EventType::S_CRTM_VERSION => Self::Version(Version { text: utf16_line(data), bytes: data }),
            EventType::IPL => Self::Ipl(Ipl::read(data)),
            EventType::EFI_VARIABLE_DRIVER_CONFIG | EventType::EFI_VARIABLE_BOOT | EventType::EFI_VARIABLE_BOOT2 => {
                Self::Variable(Variable::read(data, at, false)?)
            }
            EventType::EFI_VARIABLE_AUTHORITY => Self::Variable(Variable::read(data, at, true)?),
            EventType::EFI_BOOT_SERVICES_APPLICATION
            | EventType::EFI_BOOT_SERVICES_DRIVER
            | EventType::EFI_RUNTIME_SERVICES_DRIVER => Self::Image(Image::read(data, at)?),
            EventType::EFI_GPT_EVENT | EventType::EFI_GPT_EVENT2 => Self::Gpt(Gpt::read(data, at)?),
            EventType::EFI_PLATFORM_FIRMWARE_BLOB => Self::Blob(Blob::read(data, at)?),
            EventType::EFI_PLATFORM_FIRMWARE_BLOB2 => Self::Blob(Blob::read_described(data, at)?),
            EventType::EFI_HANDOFF_TABLES => Self::Tables(Tables::read(data, at, false)?),
            EventType::EFI_HANDOFF_TABLES2 => Self::Tables(Tables::read(data, at, true)?),
            kind if kind.name().is_some() => Self::Config(Config::read(data, at)),
            _ => Self::Unknown(data),
        })
    }

    /// What of the data was hashed.
    #[must_use]
    pub fn measured(&self, entry: &Entry<'a>) -> Measured<'a> {
        let whole = Cow::Borrowed(entry.data);
        match self {
            Self::Separator(_) | Self::Action(_) | Self::Version(_) | Self::Gpt(_) => {
                Measured::Data(alloc::vec![whole])
            }
            // The profile hashes the value; firmware of several vendors hashes all of it.
            Self::Variable(variable) if entry.kind == EventType::EFI_VARIABLE_BOOT => {
                Measured::Data(alloc::vec![Cow::Borrowed(variable.data), whole])
            }
            Self::Variable(_) => Measured::Data(alloc::vec![whole]),
            Self::Ipl(Ipl::Line(line)) => Measured::Data(alloc::vec![line.hashed()]),
            Self::Ipl(Ipl::Section(name)) => Measured::Perhaps(alloc::vec![Cow::Owned(with_nul(name))]),
            Self::Ipl(Ipl::Mok("MokListTrusted")) => Measured::Perhaps(alloc::vec![Cow::Borrowed(&[1])]),
            Self::Ipl(Ipl::Options(_)) => Measured::Perhaps(alloc::vec![whole]),
            Self::Config(Config::Named { data, .. }) => Measured::Data(alloc::vec![Cow::Borrowed(*data)]),
            Self::Config(_) | Self::Unknown(_) => Measured::Perhaps(alloc::vec![whole]),
            _ => Measured::Elsewhere,
        }
    }

    /// What the event is about, in one word that rules can go by: the name of a variable, `file:` and the name of a
    /// file, `grub_cmd`, `section:.linux`, `load-options`, `image`. It is not measured unless the data is.
    #[must_use]
    pub fn subject(&self) -> Cow<'a, str> {
        let label = |bytes: Option<&[u8]>| Cow::Owned(readable(bytes.unwrap_or_default()).into_owned());
        match self {
            Self::NoAction(_) => Cow::Borrowed("no-action"),
            Self::Separator(_) => Cow::Borrowed("separator"),
            Self::Action(_) => Cow::Borrowed("action"),
            Self::Tag(tag) => tag.subject(),
            Self::Version(_) => Cow::Borrowed("version"),
            Self::Config(config) => label(config.label()),
            Self::Ipl(ipl) => ipl.subject(),
            Self::Variable(variable) => Cow::Owned(variable.name.clone()),
            Self::Image(_) => Cow::Borrowed("image"),
            Self::Gpt(_) => Cow::Borrowed("partitions"),
            Self::Blob(blob) => label(blob.description),
            Self::Tables(tables) => label(tables.description),
            Self::Unknown(_) => Cow::Borrowed("unknown"),
        }
    }

    /// The text of the event, where it is one: a command, a command line, an action, a version, `SbatLevel`.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Action(text) => Some(Cow::Borrowed(text)),
            Self::Version(version) => version.text.clone().map(Cow::Owned),
            Self::Config(Config::Text(text)) => Some(Cow::Borrowed(text)),
            Self::Ipl(Ipl::Line(line)) => core::str::from_utf8(line.text).ok().map(Cow::Borrowed),
            Self::Ipl(Ipl::Options(text)) => Some(Cow::Owned(text.clone())),
            Self::Variable(variable) => line(variable.data).map(Cow::Borrowed),
            _ => None,
        }
    }

    /// The value of the event, where it has one: that of a variable or of a separator.
    #[must_use]
    pub fn value(&self) -> Option<&'a [u8]> {
        match self {
            Self::Variable(variable) => Some(variable.data),
            Self::Separator(separator) => Some(separator.bytes()),
            _ => None,
        }
    }
}

fn with_nul(name: &str) -> Vec<u8> {
    name.bytes().chain([0]).collect()
}

impl<'a> Separator<'a> {
    fn read(data: &'a [u8]) -> Self {
        match data {
            [0, 0, 0, 0] => Self::Boundary,
            [0xff, 0xff, 0xff, 0xff] => Self::Error,
            other => Self::Other(other),
        }
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Boundary => &[0; 4],
            Self::Error => &[0xff; 4],
            Self::Other(bytes) => bytes,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAction(it) => write!(out, "{it}"),
            Self::Separator(Separator::Boundary) => out.write_str("separator"),
            Self::Separator(Separator::Error) => out.write_str("separator that reports an error"),
            Self::Separator(Separator::Other(bytes)) => write!(out, "separator of {}", Shown(&readable(bytes))),
            Self::Action("") => out.write_str("an action without words"),
            Self::Action(text) => write!(out, "{}", Shown(text)),
            Self::Tag(it) => write!(out, "{it}"),
            Self::Version(it) => {
                let text = it.text.clone().unwrap_or_else(|| readable(it.bytes).to_string());
                write!(out, "firmware version \"{}\"", Shown(&text))
            }
            Self::Config(it) => write!(out, "{it}"),
            Self::Ipl(it) => write!(out, "{it}"),
            Self::Variable(it) => write!(out, "{it}"),
            Self::Image(it) => write!(out, "image of {it}"),
            Self::Gpt(it) => write!(out, "{it}"),
            Self::Blob(it) => write!(out, "{it}"),
            Self::Tables(it) => write!(out, "{it}"),
            Self::Unknown(bytes) => write!(out, "{}", Data(bytes)),
        }
    }
}
