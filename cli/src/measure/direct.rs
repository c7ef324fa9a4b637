//! `allod measure direct`: whose VM it is, what it is made of, and where its measurements go.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use abi::measurement::Hash;
use measure::blob::Blob;
use measure::kernel::Kernel;
use measure::virtcca::Virtcca;
use measure::vmm::kvmtool::Kvmtool;
use measure::vmm::qemu::{self, Qemu};
use measure::vmm::{Files, Pmu, Ready, Warning};
use measure::{Expected, direct};
use serde_json::json;

use crate::domain::{self, Domain};
use crate::{Done, vm};

/// Whose VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Realms of this project's own host.
    Allod,
    /// Realms of QEMU.
    Qemu,
    /// Realms of kvmtool.
    Kvmtool,
    /// Confidential VMs of QEMU on Huawei's virtCCA.
    Virtcca,
}

const EXAMPLES: &str = "Examples:
  allod measure direct --kernel Image --initrd initrd.img --cmdline 'console=hvc0' --json > realm.json
  allod measure direct --kernel Image --host qemu-max --output-dtb realm.dtb -- \\
      qemu-system-aarch64 -M virt,confidential-guest-support=rme0,gic-version=3 -cpu host -smp 2 -m 512M \\
      -object rme-guest,id=rme0,measurement-algorithm=sha256 -kernel Image -append console=ttyAMA0 -nographic
  allod measure direct --host qemu-max -- lkvm run --realm -c 2 -m 256 --irqchip=gicv3-its -k Image
  allod measure direct --profile qemu --host qemu-max --domain realm.xml
  allod measure direct --profile virtcca --kernel Image --dtb virt.dtb --cpus 4 --corim realm.corim

The RIM goes to standard output, what to know about it to standard error. Files that the VMM's command line names are read
where it names them, unless --kernel, --initrd, --firmware or --dtb says where else they are.";

/// Arguments of `allod measure direct`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Direct {
    /// Whose VM it is [default: what the command line after -- says, else allod].
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Profile>,
    /// A libvirt domain: launchSecurity type='cca', or virtCCA's type='cvm'.
    #[arg(long, value_name = "FILE.xml", conflicts_with_all = ["kernel", "initrd", "firmware", "cmdline", "memory", "cpus", "hash", "rpv"])]
    domain: Option<PathBuf>,
    /// The kernel: an arm64 Image, raw, gzip or EFI zboot.
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,
    /// The initial RAM disk.
    #[arg(long, value_name = "FILE")]
    initrd: Option<PathBuf>,
    /// Firmware that starts in the VM.
    #[arg(long, value_name = "FILE")]
    firmware: Option<PathBuf>,
    /// The device tree that the VMM hands over, measured as it is.
    #[arg(long, value_name = "FILE")]
    dtb: Option<PathBuf>,
    /// The kernel's command line [default: of profile allod `console=hvc0 swiotlb=8192`, else none].
    #[arg(long, value_name = "TEXT")]
    cmdline: Option<String>,
    /// Memory: bytes, or with K, M or G [default: 256M].
    #[arg(long, value_name = "SIZE", value_parser = vm::size)]
    memory: Option<u64>,
    /// Virtual CPUs [default: 1].
    #[arg(long, value_name = "COUNT")]
    cpus: Option<u32>,
    /// Hash of the measurements: sha256 or sha512 [default: the VMM's: sha512 for QEMU's Realms, else sha256].
    #[arg(long, value_name = "NAME", value_parser = vm::hash)]
    hash: Option<Hash>,
    /// Realm personalization value: up to 128 hex digits, zero padded.
    #[arg(long, value_name = "HEX", value_parser = vm::rpv)]
    rpv: Option<vm::Rpv>,
    #[command(flatten)]
    host: super::host::Args,
    /// Write the device tree that was measured: give it to the VMM.
    #[arg(long, value_name = "FILE")]
    output_dtb: Option<PathBuf>,
    /// Print a reference file for `allod verify` instead of the RIM.
    #[arg(long)]
    json: bool,
    /// Write an unsigned CoRIM besides.
    #[arg(long, value_name = "FILE")]
    corim: Option<PathBuf>,
    /// The VMM's own command line: qemu-system-aarch64 …, lkvm run … or kvmtool ….
    #[arg(last = true, value_name = "VMM", conflicts_with_all = ["domain", "cmdline", "memory", "cpus", "hash", "rpv"])]
    vmm: Vec<String>,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The VMM that a word names, by the last part of its path.
fn vmm(word: &str) -> Option<Profile> {
    let name = Path::new(word).file_name()?.to_str()?;
    match name {
        "lkvm" | "kvmtool" | "vm" => Some(Profile::Kvmtool),
        "qemu" | "qemu-kvm" => Some(Profile::Qemu),
        name => name.starts_with("qemu-system-").then_some(Profile::Qemu),
    }
}

/// What was measured: the measurements, the tree where one was made, and what to know.
struct Measured {
    expected: Expected,
    dtb: Option<Vec<u8>>,
    warnings: Vec<Warning>,
}

impl Direct {
    /// Runs `allod measure direct`.
    pub fn run(&self) -> Done {
        let Measured { expected, dtb, warnings } = self.measured()?;
        for warning in warnings {
            eprintln!("allod: warning: {warning}");
        }
        match (&self.output_dtb, dtb) {
            (None, _) => {}
            (Some(path), Some(dtb)) => write(path, &dtb)?,
            (Some(_), None) => return Err("--output-dtb: this profile makes its tree where it launches".into()),
        }
        if let Some(path) = &self.corim {
            write(path, &super::corim::encode(&expected)?)?;
        }
        if self.json {
            let reference = json!({ "profile": measure::PROFILE, "realm": expected.json() });
            println!("{reference:#}");
        } else {
            println!("{}", evidence::hex::encode(&expected.rim));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn measured(&self) -> Result<Measured> {
        // Before the VMM may stand what launches it: sudo, taskset, variables of its environment. kvmtool's name of `vm`
        // is too common to be looked for.
        let named = |word: &String| vmm(word).is_some() && !Path::new(word).ends_with("vm");
        let start = self.vmm.iter().position(named).unwrap_or(0);
        if let Some((program, words)) = self.vmm.get(start..).and_then(<[String]>::split_first) {
            return self.line(program, words);
        }
        match (self.profile.unwrap_or(Profile::Allod), &self.domain) {
            (Profile::Allod, domain) => self.allod(domain.as_deref()),
            (Profile::Kvmtool, Some(_)) => Err("--domain: libvirt does not launch kvmtool".into()),
            (Profile::Qemu | Profile::Virtcca, Some(path)) => self.libvirt(path),
            (Profile::Qemu, None) => self.qemu(self.described(Qemu::default())),
            (Profile::Kvmtool, None) => self.kvmtool(self.described_kvmtool()),
            (Profile::Virtcca, None) => self.virtcca(self.described_virtcca()?),
        }
    }

    /// A VMM's own command line.
    fn line(&self, program: &str, words: &[String]) -> Result<Measured> {
        let found = match vmm(program) {
            Some(Profile::Qemu) if qemu::is_tmm(words) => Profile::Virtcca,
            Some(found) => found,
            None => return Err(format!("{program}: expected qemu-system-aarch64, lkvm or kvmtool").into()),
        };
        if let Some(wanted) = self.profile.filter(|wanted| *wanted != found) {
            return Err(format!("--profile: the command line is one of {found:?}, not of {wanted:?}").into());
        }
        match found {
            Profile::Kvmtool => {
                let words = if words.first().is_some_and(|word| word == "run") { &words[1..] } else { words };
                let mut vm = Kvmtool::parse(words)?;
                self.own_files(&mut vm.files)?;
                self.kvmtool(vm)
            }
            Profile::Virtcca => {
                let mut vm = Virtcca::parse(words)?;
                self.own_files(&mut vm.files)?;
                self.virtcca(vm)
            }
            _ => {
                let mut vm = Qemu::parse(words)?;
                self.own_files(&mut vm.files)?;
                self.qemu(vm)
            }
        }
    }

    /// Files by options take the place of those that are named; a tree that is to be written is not read.
    fn own_files(&self, files: &mut Files) -> Result<()> {
        if self.output_dtb.is_some() {
            files.dtb = None;
        }
        Ok(files.replace(&self.files())?)
    }

    fn files(&self) -> Files {
        let Direct { kernel, initrd, firmware, dtb, .. } = self;
        Files { kernel: kernel.clone(), initrd: initrd.clone(), firmware: firmware.clone(), dtb: dtb.clone() }
    }

    fn libvirt(&self, path: &Path) -> Result<Measured> {
        let text = std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        let words = domain::command_line(&text, self.dtb.is_some())?;
        let beside = path.parent().unwrap_or(Path::new(""));
        let here = |file: Option<PathBuf>| file.map(|file| beside.join(file));
        let found = if qemu::is_tmm(&words) { Profile::Virtcca } else { Profile::Qemu };
        if let Some(wanted) = self.profile.filter(|wanted| *wanted != found) {
            return Err(format!("--profile: the domain is one of {found:?}, not of {wanted:?}").into());
        }
        let moved = |files: Files| Files {
            kernel: here(files.kernel),
            initrd: here(files.initrd),
            firmware: here(files.firmware),
            dtb: self.dtb.clone().or_else(|| here(files.dtb)),
        };
        if found == Profile::Virtcca {
            let vm = Virtcca::parse(&words)?;
            return self.virtcca(Virtcca { files: moved(vm.files.clone()), ..vm });
        }
        let vm = Qemu::parse(&words)?;
        self.qemu(Qemu { files: moved(vm.files.clone()), ..vm })
    }

    fn described(&self, vm: Qemu) -> Qemu {
        Qemu {
            memory: self.memory.unwrap_or(DEFAULT_MEMORY),
            cpus: self.cpus.unwrap_or(1),
            hash: self.hash.unwrap_or(vm.hash),
            rpv: self.rpv.unwrap_or(vm.rpv),
            append: self.cmdline.clone().filter(|text| !text.is_empty()),
            files: self.files(),
            ..vm
        }
    }

    fn described_kvmtool(&self) -> Kvmtool {
        let vm = Kvmtool::new(self.memory.unwrap_or(DEFAULT_MEMORY), self.cpus.unwrap_or(1));
        Kvmtool {
            hash: self.hash.unwrap_or(vm.hash),
            rpv: self.rpv.unwrap_or(vm.rpv),
            params: self.cmdline.clone().unwrap_or_default(),
            files: self.files(),
            ..vm
        }
    }

    fn described_virtcca(&self) -> Result<Virtcca> {
        if self.cmdline.is_some() || self.rpv.is_some() {
            return Err(
                "virtCCA: the kernel's command line stands in the tree that --dtb names, and an RPV does not exist"
                    .into(),
            );
        }
        let host = self.host.host();
        let counters = match host.pmu {
            Some(Pmu::Counters(count)) => count,
            Some(Pmu::Off) | None => 0,
        };
        Ok(Virtcca {
            cpus: self.cpus.unwrap_or(1),
            sve: host.sve.unwrap_or(0),
            counters,
            hash: self.hash.unwrap_or(Hash::Sha256),
            memory: self.memory,
            files: self.files(),
        })
    }

    fn qemu(&self, vm: Qemu) -> Result<Measured> {
        measured(vm.ready(&self.host.host())?)
    }

    fn kvmtool(&self, vm: Kvmtool) -> Result<Measured> {
        let vm = Kvmtool { as_host: self.host.assume_host_features, ..vm };
        measured(vm.ready(&self.host.host())?)
    }

    fn virtcca(&self, vm: Virtcca) -> Result<Measured> {
        let (expected, warnings) = vm.measure()?;
        Ok(Measured { expected, dtb: None, warnings })
    }

    /// A Realm of this project's own host.
    fn allod(&self, domain: Option<&Path>) -> Result<Measured> {
        if self.firmware.is_some() || self.dtb.is_some() {
            return Err("--firmware and --dtb: this project's own host starts kernels with its own tree".into());
        }
        let vm = match domain {
            Some(path) => vm::domain(path)?,
            None => Domain {
                memory: self.memory.unwrap_or(DEFAULT_MEMORY),
                cpus: self.cpus.unwrap_or(1),
                kernel: self.kernel.clone().ok_or("--kernel, --domain or a VMM's command line after -- is missing")?,
                initrd: self.initrd.clone(),
                cmdline: self.cmdline.clone().unwrap_or_else(|| vm::CMDLINE.to_string()),
                hash: self.hash.unwrap_or(Hash::Sha256),
                rpv: self.rpv.unwrap_or([0; 64]),
            },
        };
        let (kernel, initrd) = (Kernel::open(&vm.kernel)?, vm.initrd.as_deref().map(Blob::file).transpose()?);
        let expected = direct::stream(&kernel.image, kernel.blob, initrd, &vm::configured(vm)?)?;
        Ok(Measured { expected, dtb: None, warnings: Vec::new() })
    }
}

const DEFAULT_MEMORY: u64 = 256 << 20;

fn measured(ready: Ready) -> Result<Measured> {
    let Ready { launch, dtb, warnings } = ready;
    Ok(Measured { expected: launch.measure()?, dtb: Some(dtb), warnings })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|why| format!("{}: {why}", path.display()).into())
}

#[cfg(test)]
mod tests;
