//! `allod run --normal-world FILE`: the same machine and firmware under somebody else's Normal world. The image is
//! entered as docs/architecture.md says of ours; UART0 is this program's stdin and stdout, as raw bytes.

use super::job::Firmware;
use super::qemu::{Input, Machine, Parts};
use super::setup::SECURITY_VERSION;
use super::tree::Additions;
use super::{Args, exit, frame, mask, trace};
use crate::platform;
use clap::Args as ClapArgs;
use measure::kernel::unpack;
use rot::config::{Firmware as FirmwareConfig, Hardware};
use rot::image::Kind;
use std::error::Error;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const DRAM: u64 = 3 << 30;
const CPUS: u32 = 4;
/// Where an initial RAM disk lies: beyond any kernel that fits at the entry.
const INITRD: u64 = 0x6800_0000;

/// Another Normal world, and how the machine counts time.
#[derive(ClapArgs)]
pub struct Options {
    /// Run this raw image as the Normal world instead of the host: 3 GiB of DRAM, 4 CPUs unless --cpus says otherwise.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["attack", "verify", "console", "ask", "stay", "json"])]
    pub normal_world: Option<PathBuf>,
    /// Where the image is loaded; it is entered at 0x60000000.
    #[arg(long, value_name = "ADDRESS", requires = "normal_world", value_parser = address, default_value = "0x60000000")]
    at: u64,
    /// The command line of an image that is a kernel, in the device tree; --initrd puts an initial RAM disk beside it.
    #[arg(long, value_name = "TEXT", requires = "normal_world")]
    append: Option<String>,
    /// Count time by instructions, one nanosecond each (QEMU's icount): two runs are alike, and time measures work.
    #[arg(long, requires = "normal_world")]
    icount: bool,
    /// Seed of the randomness that QEMU gives the machine.
    #[arg(long, value_name = "NUMBER", requires = "normal_world")]
    seed: Option<u64>,
}

/// Runs the machine until it powers off; 0 if it does.
pub fn run(args: &Args, image: &[u8]) -> Result<ExitCode, Box<dyn Error>> {
    let dir = &args.platform;
    if dir.symlink_metadata().is_err() {
        platform::manufacture(dir)?;
    }
    let firmware = Firmware::of(args)?;
    let cpus = args.vm.cpus.unwrap_or(CPUS);
    let hardware = Hardware { dram_base: abi::map::DRAM, dram_size: DRAM, cpus: cpus.into() }.check()?;
    let monitor = platform::sign(dir, Kind::Monitor, &firmware.monitor, SECURITY_VERSION)?;
    let rmm = platform::sign(dir, Kind::Rmm, &firmware.rmm, SECURITY_VERSION)?;
    let flash = platform::Parts {
        boot: &firmware.boot,
        monitor: &monitor,
        rmm: &rmm,
        otp: platform::otp(dir)?.as_ref(),
        hardware: &hardware,
        firmware: &FirmwareConfig { debug: args.gdb, trace: mask(&args.trace) }.check()?,
    }
    .compose()?;
    let initrd = args.vm.initrd.as_deref().map_or(Ok(vec![]), platform::read)?;
    let beside: Vec<(u64, &[u8])> = (!initrd.is_empty()).then_some((INITRD, &initrd[..])).into_iter().collect();
    let image = &unpack(image)?;
    let machine = Machine::start(&Parts {
        program: &args.qemu,
        flash: &flash,
        host: image,
        at: args.normal.at,
        beside: &beside,
        tree: Some(Additions {
            reserved: abi::map::RMM..abi::map::RMM_END,
            undelegable: abi::map::DRAM..abi::map::DRAM + abi::map::DEVICE_TREE_SIZE,
            cmdline: args.normal.append.as_deref().unwrap_or_default(),
            initrd: if initrd.is_empty() { 0..0 } else { INITRD..INITRD + initrd.len() as u64 },
        }),
        files: &[],
        dram: DRAM,
        cpus: cpus.into(),
        gdb: args.gdb,
        icount: args.normal.icount,
        seed: args.normal.seed,
    })?;
    pass_on(machine, Instant::now() + Duration::from_secs(args.timeout))
}

/// Passes bytes between the machine and this program's own streams.
fn pass_on(mut machine: Machine, deadline: Instant) -> Result<ExitCode, Box<dyn Error>> {
    let mut root = frame::Decoder::default();
    let mut out = std::io::stdout();
    let typed = machine.typed();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(length @ 1..) = std::io::stdin().read(&mut buffer) {
            if typed.send(Input::Typed(buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    loop {
        match machine.next(deadline) {
            Some(Input::Host(bytes)) => out.write_all(&bytes).and_then(|()| out.flush())?,
            Some(Input::Root(bytes)) => root.feed(&bytes).into_iter().for_each(|piece| tell(&piece)),
            Some(Input::Typed(bytes)) => machine.send_raw(&bytes)?,
            Some(Input::Closed) => break,
            None => {
                eprintln!("allod: the machine did not power off in time; killed");
                return Ok(ExitCode::from(exit::FAILED));
            }
        }
    }
    // One port is closed; what the other still holds is read.
    while let Some(input) = machine.next(Instant::now() + Duration::from_millis(50)) {
        match input {
            Input::Host(bytes) => out.write_all(&bytes).and_then(|()| out.flush())?,
            Input::Root(bytes) => root.feed(&bytes).into_iter().for_each(|piece| tell(&piece)),
            Input::Closed | Input::Typed(_) => {}
        }
    }
    match machine.ended(Instant::now() + Duration::from_secs(5))? {
        Some(status) if status.success() => Ok(ExitCode::SUCCESS),
        status => {
            eprintln!("allod: QEMU ended with {status:?}: {}", machine.said().trim());
            Ok(ExitCode::from(exit::FAILED))
        }
    }
}

fn tell(piece: &frame::Piece) {
    if let frame::Piece::Raw(line) = piece {
        eprintln!("{}", trace::decode(line).unwrap_or_else(|| line.clone()));
    }
}

/// Reads an address, hexadecimal with 0x or decimal.
fn address(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
    number.map_err(|_| "expected an address, such as 0x60000000".into())
}
