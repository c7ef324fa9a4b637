//! The emulated machine as a process: its command line, its two serial ports, and its certain end.

use super::frame;
use super::tree::{self, Additions};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// What goes into a machine.
pub struct Parts<'a> {
    /// QEMU's program.
    pub program: &'a Path,
    /// Content of flash 0.
    pub flash: &'a [u8],
    /// The Normal-world image.
    pub host: &'a [u8],
    /// Where it is loaded.
    pub at: u64,
    /// What else lies in DRAM, by address.
    pub beside: &'a [(u64, &'a [u8])],
    /// What the device tree is to say beside what QEMU says, where it is to say more.
    pub tree: Option<Additions<'a>>,
    /// fw_cfg files by name.
    pub files: &'a [(&'a str, &'a [u8])],
    /// Bytes of DRAM.
    pub dram: u64,
    /// CPUs.
    pub cpus: u64,
    /// Wait for a debugger before the first instruction.
    pub gdb: bool,
    /// Time is counted by instructions.
    pub icount: bool,
    /// Seed of QEMU's randomness.
    pub seed: Option<u64>,
}

/// What a serial port brought.
pub enum Input {
    /// Bytes of UART0, the Normal world's.
    Host(Vec<u8>),
    /// Bytes of UART1, boot's and the monitor's.
    Root(Vec<u8>),
    /// A port was closed.
    Closed,
    /// Bytes for the Realm's console, from the person in front of it.
    Typed(Vec<u8>),
}

/// A running machine. It is killed when this is dropped.
pub struct Machine {
    child: Child,
    host: UnixStream,
    input: Receiver<Input>,
    typed: Sender<Input>,
    room: PathBuf,
}

/// TCP port where QEMU waits for a debugger.
pub const GDB: &str = "tcp:127.0.0.1:1234";

impl Machine {
    /// Writes the parts to a private folder, starts QEMU on them and waits for its serial ports.
    pub fn start(parts: &Parts) -> io::Result<Machine> {
        let room = private_folder()?;
        Machine::start_in(&room, parts).map_err(|error| {
            let said = std::fs::read_to_string(room.join("stderr")).unwrap_or_default();
            let _ = std::fs::remove_dir_all(&room);
            io::Error::new(error.kind(), format!("{error} {}", said.trim()).trim_end().to_owned())
        })
    }

    fn start_in(room: &Path, parts: &Parts) -> io::Result<Machine> {
        let ports = [UnixListener::bind(room.join("uart0"))?, UnixListener::bind(room.join("uart1"))?];
        let mut child = command(room, parts)?.spawn().map_err(|error| named(parts.program, &error))?;
        let streams = ports.each_ref().map(|port| accept(port, &mut child));
        let [host, root] = match streams {
            [Ok(host), Ok(root)] => [host, root],
            [Err(error), _] | [_, Err(error)] => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        let (typed, input) = channel();
        listen(host.try_clone()?, typed.clone(), Input::Host);
        listen(root, typed.clone(), Input::Root);
        Ok(Machine { child, host, input, typed, room: room.to_owned() })
    }

    /// The next input, or nothing until `deadline`.
    pub fn next(&self, deadline: Instant) -> Option<Input> {
        self.input.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }

    /// Sends a payload on a channel of the host.
    pub fn send(&mut self, channel: u8, payload: &[u8]) -> io::Result<()> {
        self.host.write_all(&frame::encode(channel, payload))
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.host.write_all(bytes)
    }

    /// What a person types goes in among the inputs.
    pub fn typed(&self) -> Sender<Input> {
        self.typed.clone()
    }

    /// QEMU's status, if it ends by `deadline`.
    pub fn ended(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            match self.child.try_wait()? {
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                status => return Ok(status),
            }
        }
    }

    /// What QEMU itself said on its stderr.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.room.join("stderr")).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.room);
    }
}

fn command(room: &Path, parts: &Parts) -> io::Result<Command> {
    let file = |name: &str, bytes: &[u8]| -> io::Result<String> {
        let path = room.join(name);
        std::fs::write(&path, bytes)?;
        Ok(path.display().to_string().replace(',', ",,"))
    };
    file("flash0", parts.flash)?;
    let mut qemu = bare(room, parts);
    if let Some(additions) = &parts.tree {
        let tree = tree::complete(&dump(room, parts)?, additions).map_err(io::Error::other)?;
        qemu.args(["-dtb", &file("tree", &tree)?]);
    }
    // Counting instructions needs all CPUs in one thread.
    let clock: &[&str] = match parts.icount {
        true => &["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"],
        false => &["-accel", "tcg,thread=multi"],
    };
    qemu.args(clock).args(["-monitor", "none"]);
    let images = std::iter::once((parts.at, parts.host)).chain(parts.beside.iter().copied());
    for (number, (at, bytes)) in images.enumerate() {
        let path = file(&format!("image{number}"), bytes)?;
        qemu.args(["-device", &format!("loader,file={path},addr={at:#x},force-raw=on")]);
    }
    for (number, (name, bytes)) in parts.files.iter().enumerate() {
        qemu.args(["-fw_cfg", &format!("name={name},file={}", file(&format!("fw_cfg{number}"), bytes)?)]);
    }
    for port in ["uart0", "uart1"] {
        let path = room.join(port).display().to_string().replace(',', ",,");
        qemu.args(["-chardev", &format!("socket,id={port},path={path}"), "-serial", &format!("chardev:{port}")]);
    }
    if parts.gdb {
        eprintln!("waiting for a debugger at {GDB}");
        qemu.args(["-gdb", GDB, "-S"]);
    }
    qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(std::fs::File::create(room.join("stderr"))?);
    Ok(qemu)
}

/// The machine itself, without what runs on it.
fn bare(room: &Path, parts: &Parts) -> Command {
    let mut qemu = Command::new(parts.program);
    qemu.args(["-M", "virt,secure=on,virtualization=on,gic-version=3", "-cpu", "max,x-rme=on"]);
    qemu.args(["-nodefaults", "-display", "none"]);
    if let Some(seed) = parts.seed {
        qemu.args(["-seed", &seed.to_string()]);
    }
    qemu.args(["-m", &format!("{}M", parts.dram >> 20), "-smp", &parts.cpus.to_string()]);
    qemu.args(["-bios", &room.join("flash0").display().to_string()]);
    qemu
}

/// The device tree as QEMU makes it for this machine.
fn dump(room: &Path, parts: &Parts) -> io::Result<Vec<u8>> {
    let path = room.join("dump");
    let name = path.display().to_string().replace(',', ",,");
    let mut qemu = bare(room, parts);
    qemu.args(["-machine", &format!("dumpdtb={name}")]).stdin(Stdio::null());
    let said = qemu.output().map_err(|error| named(parts.program, &error))?;
    std::fs::read(path).map_err(|error| {
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        io::Error::new(error.kind(), format!("QEMU wrote no device tree: {} {}", said.status, text.trim()))
    })
}

/// QEMU connects to its serial ports as it starts, or ends with an error.
fn accept(port: &UnixListener, child: &mut Child) -> io::Result<UnixStream> {
    port.set_nonblocking(true)?;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match port.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if child.try_wait()?.is_some() => {
                return Err(io::Error::other("QEMU ended before it started the machine"));
            }
            Err(_) if Instant::now() > deadline => return Err(io::Error::other("QEMU did not start the machine")),
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn listen(mut stream: UnixStream, to: Sender<Input>, kind: fn(Vec<u8>) -> Input) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if to.send(kind(buffer[..length].to_vec())).is_err() {
                return;
            }
        }
        let _ = to.send(Input::Closed);
    });
}

/// A new folder that only this user can open: flash 0 holds the machine's secret.
fn private_folder() -> io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let mut random = [0; 8];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let path = std::env::temp_dir().join(format!("allod-{:016x}", u64::from_le_bytes(random)));
    std::fs::DirBuilder::new().mode(0o700).create(&path)?;
    Ok(path)
}

fn named(program: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", program.display()))
}
