//! EFI variables in a log.

use super::reader::Reader;
use super::signature_list::subject;
use super::text::{Shown, line, readable, utf16};
use super::{Guid, LoadOption, Refusal, SignatureLists};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// `UEFI_VARIABLE_DATA` (profile 1.06, 10.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable<'a> {
    /// Whose namespace the name is of.
    pub vendor: Guid,
    /// The name.
    pub name: String,
    /// The value; a variable that does not exist is measured with none.
    pub data: &'a [u8],
    /// What the value says.
    pub meaning: VariableKind<'a>,
}

/// What the value of a variable says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableKind<'a> {
    /// There is no such variable.
    Absent,
    /// `SecureBoot`, `AuditMode`, `DeployedMode`, `SetupMode`: on or off.
    Switch(bool),
    /// `PK`, `KEK`, `db`, `dbx`, `dbt`, `dbr`, or a certificate that verified an image.
    Signatures(SignatureLists),
    /// An owner and one certificate of this common name, or shim's own certificate.
    Certificate(Option<String>),
    /// `BootOrder`: numbers of options.
    Order(Vec<u16>),
    /// `Boot####`.
    Option(LoadOption<'a>),
    /// Text, as `SbatLevel` has it.
    Text(&'a str),
    /// Anything else.
    Bytes,
}

impl<'a> Variable<'a> {
    /// Reads the data of an event that begins at offset `at`. `authority` says that a database entry stands in it and
    /// not a whole database.
    ///
    /// # Errors
    /// [`Refusal`] if the sizes do not fill the data exactly, or the name is no UTF-16. A value that is not of the form
    /// that its name promises is [`VariableKind::Bytes`].
    pub(crate) fn read(bytes: &'a [u8], at: usize, authority: bool) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes, at);
        let vendor = Guid(reader.array("vendor of a variable")?);
        let characters = reader.u64("length of its name")?;
        let length = reader.u64("length of its value")?;
        let at = reader.at();
        let name = reader.take_long(characters.saturating_mul(2), "name of a variable")?;
        let name = utf16(name).ok_or(Refusal::Bytes { at, expected: "a name in UTF-16" })?;
        let at = reader.at();
        let data = reader.take_long(length, "value of a variable")?;
        reader.finish()?;
        let meaning = VariableKind::of(&name, data, at, authority);
        Ok(Self { vendor, name, data, meaning })
    }
}

impl<'a> VariableKind<'a> {
    fn of(name: &str, data: &'a [u8], at: usize, authority: bool) -> Self {
        let known = match name {
            _ if data.is_empty() => Some(Self::Absent),
            "SecureBoot" | "AuditMode" | "DeployedMode" | "SetupMode" => match data {
                [value @ 0..=1] => Some(Self::Switch(*value == 1)),
                _ => None,
            },
            "SbatLevel" => line(data).map(Self::Text),
            "BootOrder" => {
                let (numbers, rest) = data.as_chunks::<2>();
                rest.is_empty().then(|| Self::Order(numbers.iter().map(|it| u16::from_le_bytes(*it)).collect()))
            }
            _ if is_boot_option(name) => LoadOption::read(data, at).ok().map(Self::Option),
            _ if authority => Some(Self::Certificate(subject(data))),
            "PK" | "KEK" | "db" | "dbx" | "dbt" | "dbr" => SignatureLists::read(data, at).ok().map(Self::Signatures),
            _ => None,
        };
        known.unwrap_or(Self::Bytes)
    }
}

fn is_boot_option(name: &str) -> bool {
    name.strip_prefix("Boot").is_some_and(|it| it.len() == 4 && it.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Display for Variable<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", Shown(&self.name))?;
        if self.vendor.name().is_none() {
            write!(out, " of {}", self.vendor)?;
        }
        match &self.meaning {
            VariableKind::Absent => out.write_str(" does not exist"),
            VariableKind::Switch(on) => out.write_str(if *on { " is on" } else { " is off" }),
            VariableKind::Signatures(lists) => write!(out, " holds {lists}"),
            VariableKind::Certificate(Some(name)) => write!(out, " holds the certificate of {}", Shown(name)),
            VariableKind::Certificate(None) => write!(out, " holds {} bytes", self.data.len()),
            VariableKind::Order(numbers) => {
                out.write_str(" is")?;
                numbers.iter().try_for_each(|number| write!(out, " {number:04X}"))
            }
            VariableKind::Option(option) => write!(out, " is {option}"),
            VariableKind::Text(text) => write!(out, " is \"{}\"", Shown(text)),
            VariableKind::Bytes => write!(out, " is {}", Shown(&readable(self.data))),
        }
    }
}
