//! A CoRIM in words.

use super::{AttestKey, Component, Corim, KeyText, Masked, Platform, Realm, Validity};
use crate::hex::Hex;
use alloc::string::ToString;
use core::fmt;

impl fmt::Display for Corim {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "CoRIM     id                 {}", self.id.escape_debug())?;
        let profile = self.profile.as_deref().unwrap_or("(none)");
        writeln!(out, "          profile            {} (layout: {})", profile.escape_debug(), self.layout.name())?;
        if let Some(validity) = self.validity {
            writeln!(out, "          valid              {validity}")?;
        }
        for name in &self.entities {
            writeln!(out, "          by                 {}", name.escape_debug())?;
        }
        for tag in &self.passed_over {
            writeln!(out, "          not looked into    a tag of kind {tag}")?;
        }
        self.platforms.iter().try_for_each(|it| it.fmt(out))?;
        self.realms.iter().try_for_each(|it| it.fmt(out))?;
        self.keys.iter().try_for_each(|it| it.fmt(out))
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(start) = self.not_before {
            write!(out, "from {} ", Time(start))?;
        }
        write!(out, "until {}", Time(self.not_after))
    }
}

/// A time in seconds since 1970, shown as RFC 3339 has it.
pub struct Time(pub u64);

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        if days > 2_932_896 {
            return write!(out, "{} s after 1970", self.0);
        }
        // Days are counted from 1 March of year 0, so that leap days stand at the end of years.
        let shifted = days.saturating_add(719_468);
        let (era, day) = (shifted / 146_097, shifted % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, turned) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = era * 400 + year + turned;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", Hex(&self.value))?;
        self.mask.iter().try_for_each(|mask| write!(out, ", bits compared {}", Hex(mask)))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "platform  implementation id  {}", Hex(&self.implementation_id))?;
        if let Some(config) = &self.config {
            writeln!(out, "          configuration      {config}")?;
        }
        if let Some(config) = &self.manufacturing_config {
            writeln!(out, "          manufacturing      {config}")?;
        }
        for rotpk in &self.rotpks {
            writeln!(out, "          ROTPK {:<12} {}", rotpk.place.escape_debug().to_string(), Hex(&rotpk.hash))?;
        }
        self.components.iter().try_for_each(|it| it.fmt(out))
    }
}

impl fmt::Display for Component {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, any) = (self.name.as_deref().unwrap_or("(any type)"), "(any)");
        for digest in &self.digests {
            writeln!(out, "          {:<18} {} {}", name.escape_debug().to_string(), digest.hash, Hex(&digest.bytes))?;
        }
        let version = self.version.as_deref().unwrap_or(any);
        writeln!(out, "            version          {}", version.escape_debug())?;
        writeln!(out, "            signer           {}", Hex(&self.signer_id))
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "realm     RIM                {} {}", self.rim.hash, Hex(&self.rim.bytes))?;
        for (index, rem) in self.rems.iter().enumerate() {
            if let Some(rem) = rem {
                writeln!(out, "          REM {index}              {} {}", rem.hash, Hex(&rem.bytes))?;
            }
        }
        self.rpv.iter().try_for_each(|rpv| writeln!(out, "          personalization    {}", Hex(rpv)))
    }
}

impl fmt::Display for AttestKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "key       implementation id  {}", Hex(&self.implementation_id))?;
        writeln!(out, "          instance id        {}", Hex(&self.instance_id))?;
        let (form, text) = match &self.key {
            KeyText::Pem(text) => ("PEM", text),
            KeyText::Jwk(text) => ("JWK", text),
        };
        let one_line = text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::chars);
        write!(out, "          key                {form} ")?;
        one_line.filter(|it| !it.is_whitespace()).try_for_each(|it| write!(out, "{}", it.escape_debug()))?;
        writeln!(out)
    }
}
