//! `cargo xtask demo`: everything from the sources to a verdict, on this machine.

use crate::images::{self, Images};
use crate::kernel::{self, Kernel};
use crate::qemu::{self, Qemu};
use crate::{Done, room, tool};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What a run of the emulated machine needs.
pub(crate) struct World {
    pub images: Images,
    pub kernel: Kernel,
    pub qemu: Qemu,
    /// Folder of the machine that runs.
    pub machine: PathBuf,
}

/// Format of OTP that this firmware reads (`rot::otp`), as it stands in bytes 8 to 11.
const OTP_FORMAT: [u8; 4] = [2, 0, 0, 0];

/// Whether the folder holds a machine that this firmware would refuse for the format of its OTP.
fn older(machine: &Path) -> bool {
    std::fs::read(machine.join("otp.bin")).is_ok_and(|otp| otp.get(8..12).is_some_and(|format| format != OTP_FORMAT))
}

impl World {
    /// Provisions, builds, and manufactures the machine, whatever is missing of it.
    pub(crate) fn prepare() -> Done<World> {
        crate::provision()?;
        let images = images::build()?;
        let machine = room::target("allod/machine");
        if older(&machine) {
            std::fs::remove_dir_all(&machine)?;
            eprintln!("machine  {} is of an older format", room::shown(&machine));
        }
        if !machine.exists() {
            tool::output(Command::new(&images.allod).args(["platform", "init"]).arg(&machine))?;
            eprintln!("machine  manufactured in {}", room::shown(&machine));
        }
        Ok(World { images, kernel: kernel::provision()?, qemu: qemu::provision()?, machine })
    }

    /// `allod run` with this world's machine, firmware, kernel and initramfs.
    pub(crate) fn run(&self) -> Command {
        self.run_with(&self.images.firmware)
    }

    /// As `run`, with the firmware of another folder.
    pub(crate) fn run_with(&self, firmware: &Path) -> Command {
        let mut run = self.bare_run(firmware);
        run.arg("--kernel").arg(&self.kernel.image).arg("--initrd").arg(&self.images.initrd);
        run
    }

    /// As `run_with`, but what the Realm is made of is still to be said.
    pub(crate) fn bare_run(&self, firmware: &Path) -> Command {
        let mut run = Command::new(&self.images.allod);
        run.arg("run").arg("--qemu").arg(&self.qemu.program);
        run.arg("--firmware").arg(firmware).arg("--platform").arg(&self.machine);
        run
    }
}

/// Runs the demo. The exit code is that of `allod run`: 0 only if the verdict affirms.
pub(crate) fn demo(args: &[String]) -> Done<ExitCode> {
    let world = World::prepare()?;
    let says = |option: &str| args.iter().any(|arg| arg.split('=').next() == Some(option));
    let mut run = world.bare_run(&world.images.firmware);
    if !says("--domain") {
        let files = [("--kernel", &world.kernel.image), ("--initrd", &world.images.initrd)];
        for (option, file) in files.into_iter().filter(|(option, _)| !says(option)) {
            run.arg(option).arg(file);
        }
    }
    let status = run.arg("--verify").args(args).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
