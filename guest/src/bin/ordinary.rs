//! The first process of a kernel that is an ordinary host: it says in one line what it sees of the machine, and switches it
//! off. For the tests of `allod run --normal-world`.
#![forbid(unsafe_code)]

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};
use std::fs;
use std::time::{Duration, Instant};

/// File systems that the answers come from: type, place.
const MOUNTS: [(&str, &str); 3] = [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")];
/// A sleep that the timer's interrupt has to end.
const SLEEP: Duration = Duration::from_millis(50);
/// How much longer it may take on a busy machine.
const LATE: Duration = Duration::from_secs(10);

fn main() {
    for (kind, place) in MOUNTS {
        if let Err(why) = mount(kind, place, kind, MountFlags::NOSUID | MountFlags::NOEXEC, None) {
            println!("ordinary: {place}: {why}");
        }
    }
    println!("{}", line());
    if let Err(why) = reboot(RebootCommand::PowerOff) {
        println!("ordinary: {why}");
    }
    loop {
        std::thread::sleep(LATE);
    }
}

fn line() -> String {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let features = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |name: &str| features.lines().any(|line| line.split_whitespace().any(|word| word == name));
    let kvm = fs::exists("/dev/kvm").unwrap_or(false);
    let mut counters = fs::read_dir("/sys/bus/event_source/devices").into_iter().flatten().flatten();
    let counters = counters.any(|device| device.file_name().to_string_lossy().starts_with("armv8_pmuv3"));
    format!(
        "ordinary: cpus {} kvm {kvm} pmu {counters} sve {} sme {} timers {}",
        online.trim(),
        has("sve"),
        has("sme"),
        timers()
    )
}

/// A sleep on each CPU ends neither early nor never.
fn timers() -> bool {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let sleepers: Vec<_> = (0..cpus)
        .map(|_| {
            std::thread::spawn(|| {
                let begun = Instant::now();
                std::thread::sleep(SLEEP);
                (SLEEP..SLEEP.saturating_add(LATE)).contains(&begun.elapsed())
            })
        })
        .collect();
    sleepers.into_iter().all(|sleeper| sleeper.join().unwrap_or(false))
}
