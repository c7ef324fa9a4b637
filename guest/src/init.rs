//! The first process of a guest that has nothing but its kernel.

use crate::log::Log;
use crate::modules;
use crate::protocol::{End, Guest, converse};
use crate::tsm;
use rustix::mount::{MountFlags, mount};
use rustix::system::RebootCommand;
use rustix::termios::{OptionalActions, tcdrain, tcgetattr, tcsetattr};
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Write};
use std::time::{Duration, Instant};

/// Console for lines that people read.
const LOG_CONSOLE: &str = "/dev/hvc0";
/// Console for the conversation with the outside.
const CONVERSATION: &str = "/dev/hvc1";
/// How long a device may take to appear.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked for.
const INTERVAL: Duration = Duration::from_millis(10);

/// File systems to mount first: type, place.
const MOUNTS: [(&str, &str); 3] = [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")];
/// The one that may be a module itself.
const CONFIGFS: (&str, &str) = ("configfs", "/sys/kernel/config");

/// Runs the guest, and switches the machine off or starts it again at the end.
pub fn run() -> ! {
    let mut log = Log::default();
    let mut failures: Vec<String> = MOUNTS.into_iter().filter_map(mount_failure).collect();
    let modules = modules::load_all();
    failures.extend(mount_failure(CONFIGFS));
    // The consoles may come from a module.
    appeared(LOG_CONSOLE);
    log.open(LOG_CONSOLE);
    failures.iter().for_each(|failure| log.line(failure));
    match modules {
        Ok(count) => log.line(&format!("{count} modules loaded")),
        Err(why) => log.line(&why),
    }
    let end = serve(&mut log).unwrap_or_else(|why| {
        log.line(&why);
        End::Gone
    });
    stop(end, &mut log)
}

/// Mounts a file system, and answers why it could not be mounted.
fn mount_failure((kind, place): (&str, &str)) -> Option<String> {
    // A place that is there already, or that mount will miss and name.
    let _ = fs::create_dir_all(place);
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    let failure = mount(kind, place, kind, flags, None).err()?;
    // The kernel mounts some by itself.
    (failure != rustix::io::Errno::BUSY).then(|| format!("{place}: {failure}"))
}

fn appeared(path: &str) -> bool {
    let start = Instant::now();
    while !fs::exists(path).unwrap_or(false) {
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(INTERVAL);
    }
    true
}

fn serve(log: &mut Log) -> Result<End, String> {
    if !appeared(CONVERSATION) {
        return Err(format!("{CONVERSATION} is not there; nobody can ask anything"));
    }
    let (questions, mut answers) = conversation().map_err(|error| format!("{CONVERSATION}: {error}"))?;
    let mut this = ThisGuest;
    let ready = format!("ready kernel={} cpus={} pid={}\n", release(), this.cpus(), std::process::id());
    answers.write_all(ready.as_bytes()).map_err(|error| format!("{CONVERSATION}: {error}"))?;
    log.line(ready.trim_end());
    let end = converse(&mut this, &mut BufReader::new(questions), &mut answers);
    // What is still on its way out has to be out before the machine is gone.
    let _ = tcdrain(&answers);
    Ok(end)
}

/// Opens the second console for both directions, raw: no echo, no line editing, no change of line ends.
fn conversation() -> std::io::Result<(File, File)> {
    let console = OpenOptions::new().read(true).write(true).open(CONVERSATION)?;
    let mut settings = tcgetattr(&console)?;
    settings.make_raw();
    tcsetattr(&console, OptionalActions::Now, &settings)?;
    Ok((console.try_clone()?, console))
}

fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

struct ThisGuest;

impl Guest for ThisGuest {
    fn token(&mut self, challenge: &[u8]) -> Result<Vec<u8>, String> {
        tsm::token(challenge)
    }

    fn cpus(&mut self) -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

/// Ends the machine. Process 1 must not return: if the kernel does not do what it is told, this sleeps for ever.
fn stop(end: End, log: &mut Log) -> ! {
    let (command, words) = match end {
        End::PowerOff => (RebootCommand::PowerOff, "switching off"),
        End::Reboot => (RebootCommand::Restart, "starting again"),
        End::Gone => (RebootCommand::PowerOff, "nobody is there; switching off"),
    };
    log.line(words);
    rustix::fs::sync();
    if let Err(error) = rustix::system::reboot(command) {
        log.line(&format!("{words}: {error}"));
    }
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
