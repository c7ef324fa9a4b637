//! Events for the outside: one JSON object a frame (docs/architecture.md §6).

use alloc::string::String;
use core::fmt::Write;

use super::Normal;

/// Channel of events.
pub const CHANNEL: u8 = b'E';

/// An event under construction.
#[derive(Debug)]
pub struct Event(String);

impl Event {
    /// An event by its name, which has nothing in it that JSON would escape.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut event = Self(String::from("{"));
        event.push("event", name);
        event
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, key: &str, value: u64) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.0, ",\"{key}\":{value}");
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.0.push(',');
        self.push(key, value);
        self
    }

    /// Adds an address as text in hexadecimal.
    #[must_use]
    pub fn hex(self, key: &str, value: u64) -> Self {
        self.text(key, &alloc::format!("{value:#x}"))
    }

    /// Adds a value that is JSON already.
    #[must_use]
    pub fn json(mut self, key: &str, value: &str) -> Self {
        let _ = write!(self.0, ",\"{key}\":{value}");
        self
    }

    /// The object.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    /// Sends it.
    pub fn send<N: Normal>(self, machine: &N) {
        machine.output(CHANNEL, self.finish().as_bytes());
    }

    fn push(&mut self, key: &str, value: &str) {
        let _ = write!(self.0, "\"{key}\":\"");
        for character in value.chars() {
            match character {
                '"' | '\\' => self.0.extend(['\\', character]),
                control if control.is_control() => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(control));
                }
                other => self.0.push(other),
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn events_are_json() {
        let event = Event::new("error").text("why", "a \"b\"\n\\").number("n", 7).hex("at", 0x10).finish();
        assert_eq!(event, r#"{"event":"error","why":"a \"b\"\u000a\\","n":7,"at":"0x10"}"#);
    }
}
