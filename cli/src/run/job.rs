//! What was asked for on the command line, with its files read: everything here is this side's own knowledge, never the
//! machine's.

use super::Args;
use super::judge::{self, judge};
use super::session::{Ask, Judge, Manner, Record, hold};
use super::setup::Setup;
use crate::platform::read;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use verifier::References;

/// A run that was asked for.
pub struct Job {
    /// What the machine is made of, untouched by any attack.
    pub setup: Arc<Setup>,
    /// Folder of the machine.
    pub platform: PathBuf,
    /// The four firmware images, unsigned.
    pub firmware: Firmware,
    /// Where to write the token.
    pub token: Option<PathBuf>,
    /// Whether the token is judged.
    pub verify: bool,
    /// The challenge of this run.
    pub nonce: [u8; 64],
    /// Whether people read the output.
    pub people: bool,
    references: Arc<OnceLock<Result<References, String>>>,
    asks: Vec<Ask>,
    stay: bool,
    console: bool,
    trace: bool,
    timeout: Duration,
}

/// The built firmware.
#[derive(Clone)]
pub struct Firmware {
    /// `boot.bin`.
    pub boot: Vec<u8>,
    /// `monitor.bin`.
    pub monitor: Vec<u8>,
    /// `rmm.bin`.
    pub rmm: Vec<u8>,
    /// `host.bin`.
    pub host: Vec<u8>,
}

impl Job {
    /// Reads every file that the command line names.
    pub fn new(args: Args) -> Result<Job, Box<dyn Error>> {
        let firmware = Firmware::of(&args)?;
        let setup = Arc::new(Setup::new(&args, &firmware)?);
        Ok(Job {
            setup,
            references: Arc::default(),
            platform: args.platform,
            firmware,
            token: args.token,
            verify: args.verify || args.attack.is_some(),
            nonce: nonce()?,
            people: !args.json,
            asks: args.ask.into_iter().map(Ask::Line).collect(),
            stay: args.stay,
            console: args.console,
            trace: !args.trace.is_empty(),
            timeout: Duration::from_secs(args.timeout),
        })
    }

    /// What the machine that was asked for must show, computed once from its files.
    pub fn references(&self) -> Result<&References, Box<dyn Error>> {
        self.references.get_or_init(|| expected(&self.setup)).as_ref().map_err(|why| why.clone().into())
    }

    /// Runs the machine as it was asked for, and judges its tokens as they come.
    pub fn run(&self) -> Result<Record, Box<dyn Error>> {
        let (cell, setup) = (self.references.clone(), self.setup.clone());
        if self.verify {
            // The machine takes seconds to boot; what it must show is computed meanwhile.
            std::thread::spawn(move || cell.get_or_init(|| expected(&setup)).is_ok());
        }
        self.hold(
            &self.setup,
            &[self.nonce],
            Some(&|nonce, token| judge(token, nonce, self.references()?, &self.platform, &self.platform)),
        )
    }

    /// Runs a machine that may differ from the one asked for, with these challenges. Nobody judges its tokens yet.
    pub fn run_with(&self, setup: &Setup, nonces: &[[u8; 64]]) -> Result<Record, Box<dyn Error>> {
        self.hold(setup, nonces, None)
    }

    fn hold(&self, setup: &Setup, nonces: &[[u8; 64]], judge: Option<Judge>) -> Result<Record, Box<dyn Error>> {
        let attests = nonces.iter().filter(|_| self.verify).map(|nonce| Ask::Attest(*nonce));
        let end = (!self.stay).then_some(Ask::PowerOff);
        let manner = Manner {
            asks: attests.chain(self.asks.iter().cloned()).chain(end).collect(),
            judge,
            timeout: self.timeout,
            console: self.console,
            trace: self.trace,
            progress: self.people,
        };
        let config = setup.config.text();
        let (flash, files) = (setup.flash()?, setup.files(config.as_bytes()));
        hold(&setup.parts(&flash, &files), &manner)
    }
}

impl Firmware {
    /// Reads the firmware that the command line names.
    pub fn of(args: &Args) -> Result<Firmware, Box<dyn Error>> {
        Firmware::read(&args.firmware.clone().map_or_else(beside, Ok)?)
    }

    fn read(dir: &Path) -> Result<Firmware, Box<dyn Error>> {
        let file = |name: &str| read(&dir.join(name));
        let (boot, monitor, rmm) = (file("boot.bin")?, file("monitor.bin")?, file("rmm.bin")?);
        Ok(Firmware { boot, monitor, rmm, host: file("host.bin")? })
    }
}

fn expected(setup: &Setup) -> Result<References, String> {
    judge::references(setup).map_err(|error| error.to_string())
}

/// A fresh challenge.
pub fn nonce() -> Result<[u8; 64], Box<dyn Error>> {
    let mut nonce = [0; 64];
    getrandom::fill(&mut nonce)?;
    Ok(nonce)
}

/// The folder of firmware beside this program.
fn beside() -> Result<PathBuf, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let dir = program.parent().unwrap_or(Path::new(".")).join("firmware");
    if dir.is_dir() { Ok(dir) } else { Err("no folder `firmware` beside this program: give --firmware DIR".into()) }
}
