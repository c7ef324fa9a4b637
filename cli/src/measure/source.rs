//! Firmware as a checkout of the sources builds it: what a token of a machine with that firmware shows, without trusting
//! whoever built the machine's.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with the images that a checkout builds; it goes with this.
pub struct Built {
    folder: PathBuf,
}

impl Built {
    /// Builds the firmware of the checkout at `source` with its own `cargo xtask firmware`.
    ///
    /// # Errors
    /// What is no checkout, or does not build.
    pub fn from(source: &Path) -> Result<Self, Box<dyn Error>> {
        if !source.join("firmware/boot/Cargo.toml").is_file() {
            let found = source.display();
            return Err(format!("{found}: expected a checkout of Allod's sources, found no firmware/boot in it").into());
        }
        let built = Self { folder: std::env::temp_dir().join(format!("allod-firmware-{}", std::process::id())) };
        std::fs::create_dir(&built.folder).map_err(|error| format!("{}: {error}", built.folder.display()))?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(source).args(["xtask", "firmware", "--out"]).arg(&built.folder);
        let status = cargo.stdin(Stdio::null()).stdout(std::io::stderr()).status();
        let status = status.map_err(|error| format!("cargo: {error}; building from source needs Rust"))?;
        if !status.success() {
            return Err(format!("cargo xtask firmware in {} failed ({status})", source.display()).into());
        }
        Ok(built)
    }

    /// The image of this name: `boot`, `monitor` or `rmm`.
    #[must_use]
    pub fn image(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension("bin")
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        // Nothing is lost with a folder of the system's temporary ones that stays.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
