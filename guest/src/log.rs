//! Lines for people, on the first console.

use std::fs::{File, OpenOptions};
use std::io::Write;

/// The first console, once it is there; before that, whatever the kernel gave as standard error.
#[derive(Default)]
pub struct Log {
    console: Option<File>,
}

impl Log {
    /// Opens a console for what follows; if that fails, the log stays where it was.
    pub fn open(&mut self, path: &str) {
        self.console = OpenOptions::new().write(true).open(path).ok();
    }

    /// Writes a line. A line that cannot be written is lost: there is nowhere to say so.
    pub fn line(&mut self, text: &str) {
        let line = format!("allod-guest: {text}\n");
        let _ = match &mut self.console {
            Some(console) => console.write_all(line.as_bytes()),
            None => std::io::stderr().write_all(line.as_bytes()),
        };
    }
}
