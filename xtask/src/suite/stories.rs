//! What must work, on QEMU with Debian's kernel.

use super::{Case, Run, Stage, Weight};
use crate::musl::Arch;
use crate::{Done, dist, images, tool};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

const fn light(name: &'static str, tell: fn(&Stage) -> Done) -> Case {
    Case { name, weight: Weight::Light, tell }
}

const fn heavy(name: &'static str, tell: fn(&Stage) -> Done) -> Case {
    Case { name, weight: Weight::Heavy, tell }
}

pub(super) const CASES: [Case; 20] = [
    light("the firmware has every barrier that a rule asks for", barriers),
    light("a Realm is attested and affirmed, with the RIM and components measured offline", offline),
    light("two boots of one machine have one RAK, and other nonces", one_rak),
    light("a Realm measured with SHA-512, with a personalization value", sha512),
    light("two Realms in one boot, each attested", two_realms),
    light("a Realm from a libvirt domain", domain),
    light("a Realm that resets itself is taken down", reboot),
    light("calls are traced by name", trace),
    light("a machine that takes too long is killed and fails", too_long),
    light("the tarball runs where there is only QEMU", tarball),
    light("no register keeps anything of one world for the other, and no granule anything of a Realm", residue),
    light("a walk over everything that the RMM holds finds nothing wrong, with Realms and without", walk),
    light("a walk over a granule that was spoilt finds what is wrong", walk_spoilt),
    light("the RMM that ships does not know the walk", walk_unknown),
    heavy("four CPUs issue commands at random on the same granules, and a walk finds nothing wrong", stress),
    heavy("where granule words are not atomic, that stress finds it", stress_torn),
    heavy("a stock kernel is an ordinary host at EL2 with four CPUs and KVM", ordinary_host),
    heavy("an idle sleep in the Realm takes as long as it should", sleep),
    heavy("four vCPUs, attested", four),
    heavy("ten Realms of four vCPUs in one boot leave every granule Non-secure", ten),
];

/// All granules are back, by the granule protection table itself.
fn clean(run: &Run) -> Done {
    let check = run.event("gpt-check");
    let all = check.is_some_and(|check| check["not_ns"] == 0 && check["granules"].as_u64() > Some(0));
    run.want(all, "every granule Non-secure at the end")
}

fn barriers(_: &Stage) -> Done {
    crate::barriers::check()
}

fn offline(stage: &Stage) -> Done {
    let dir = stage.scratch.join("offline");
    fs::create_dir_all(&dir)?;
    let file = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let run = stage.affirmed(&["--token", &file("token")])?;
    clean(&run)?;
    let images = &stage.world.images;
    let mut direct = stage.allod();
    direct.args(["measure", "direct", "--json", "--kernel"]).arg(&stage.world.kernel.image);
    fs::write(file("direct.json"), tool::output(direct.arg("--initrd").arg(&images.initrd))?)?;
    let mut platform = stage.allod();
    platform.args(["measure", "platform", "--json"]);
    for name in ["boot", "monitor", "rmm"] {
        platform.arg(format!("--{name}")).arg(images.firmware.join(format!("{name}.bin")));
    }
    fs::write(file("platform.json"), tool::output(&mut platform)?)?;
    let endorsements = stage.world.machine.join("endorsements");
    let nonce = run.found("nonce").ok_or("the verdict names no nonce")?;
    let mut verify = stage.allod();
    verify.arg("verify").arg(file("token")).args(["--nonce", nonce]);
    verify.arg("--anchor").arg(endorsements.join("root.pem")).arg("--endorsements").arg(endorsements);
    verify.args(["--reference", &file("direct.json"), "--reference", &file("platform.json")]);
    tool::output(&mut verify).map(drop)
}

fn one_rak(stage: &Stage) -> Done {
    let (first, second) = (stage.affirmed(&[])?, stage.affirmed(&[])?);
    second.want(first.found("binding") == second.found("binding"), "the RAK of the first boot")?;
    second.want(first.found("nonce") != second.found("nonce"), "another nonce than in the first boot")
}

fn sha512(stage: &Stage) -> Done {
    let run = stage.affirmed(&["--hash", "sha512", "--rpv", "0123456789abcdef", "--memory", "320M"])?;
    let realm = &run.json["report"]["realm"];
    let rpv = realm["rpv"].as_str().is_some_and(|rpv| rpv.starts_with("0123456789abcdef00"));
    run.want(rpv && realm["rim"].as_str().map(str::len) == Some(128), "a RIM of 64 bytes and the personalization value")
}

fn two_realms(stage: &Stage) -> Done {
    let run = stage.affirmed(&["--realms", "2"])?;
    let tokens = run.json["tokens"].as_array().map_or(0, Vec::len);
    run.want(tokens == 2 && run.count("destroyed") == 2, "two tokens and two Realms destroyed")?;
    clean(&run)
}

fn domain(stage: &Stage) -> Done {
    let path = stage.scratch.join("domain.xml");
    let (kernel, initrd) = (stage.world.kernel.image.display(), stage.world.images.initrd.display());
    let xml = format!(
        "<domain type='kvm'>\n  <name>realm</name>\n  <memory unit='MiB'>256</memory>\n  <vcpu>2</vcpu>\n  <os>\n    \
         <type arch='aarch64' machine='virt'>hvm</type>\n    <kernel>{kernel}</kernel>\n    <initrd>{initrd}</initrd>\n    \
         <cmdline>console=hvc0 quiet swiotlb=1024</cmdline>\n  </os>\n  \
         <launchSecurity type='cca'>\n    <measurement-algo>sha512</measurement-algo>\n  </launchSecurity>\n</domain>\n"
    );
    fs::write(&path, xml)?;
    let path = path.to_string_lossy();
    let mut run = stage.world.bare_run(&stage.world.images.firmware);
    let run = Run::of(run.args(["--verify", "--ask", "nproc", "--domain", &path]))?;
    run.want(run.code == 0 && run.answers("nproc") == ["cpus 2"], "an affirming verdict on a Realm of two vCPUs")
}

fn reboot(stage: &Stage) -> Done {
    let run = stage.run(&["--ask", "reboot"])?;
    let why = run.event("stopped").map(|event| &event["why"]);
    run.want(run.code == 0 && why.is_some_and(|why| why == "reset"), "a Realm stopped by its own reset")?;
    clean(&run)
}

fn trace(stage: &Stage) -> Done {
    let run = stage.run(&["--trace", "rsi", "--verify"])?;
    run.want(run.code == 0, "an affirming verdict")?;
    let named = ["RSI_REALM_CONFIG", "RSI_ATTESTATION_TOKEN_INIT"].iter().all(|name| run.stderr.contains(name));
    run.want(named, "the Realm's calls by name")
}

fn too_long(stage: &Stage) -> Done {
    let run = stage.run(&["--verify", "--timeout", "1"])?;
    run.want(run.code == 1 && run.json["failed"] == "machine", "exit 1, failed at the machine")
}

/// The tarball, unpacked into a folder of its own and run with nothing else in the environment.
fn tarball(stage: &Stage) -> Done {
    let dir = stage.scratch.join("unpacked");
    let archive = dist::write(&stage.world.images, Arch::here(), &stage.world.images.allod)?;
    dist::unpack(&archive, &dir)?;
    let inside = fs::read_dir(&dir)?.flatten().next().ok_or("an empty tarball")?.path();
    let mut run = Command::new(inside.join("allod"));
    run.env_clear().current_dir(&inside).args(["run", "--verify", "--initrd", "initrd.img"]);
    run.arg("--qemu").arg(which(&stage.world.qemu.program)).arg("--kernel").arg(&stage.world.kernel.image);
    let run = Run::of(&mut run)?;
    run.want(run.code == 0, "an affirming verdict")
}

/// A program's full path, so that it is found without PATH.
fn which(program: &std::path::Path) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.exists());
    found.unwrap_or_else(|| program.to_owned())
}

/// What another Normal world than ours says on its serial port.
fn other_world(stage: &Stage, image: &Path, args: &[&OsStr]) -> Done<String> {
    other_world_on(stage, &stage.world.images.firmware, image, args)
}

/// The same, on the firmware of another folder.
fn other_world_on(stage: &Stage, firmware: &Path, image: &Path, args: &[&OsStr]) -> Done<String> {
    let mut run = stage.world.bare_run(firmware);
    tool::output(run.arg("--normal-world").arg(image).args(args).stdin(Stdio::null()))
}

fn residue(stage: &Stage) -> Done {
    let image = stage.scratch.join("residue.bin");
    images::flat("bench", &["residue"], &image)?;
    let said = other_world(stage, &image, &["--cpus".as_ref(), "1".as_ref()])?;
    let found = said.lines().filter(|line| line.starts_with("bench residue")).collect::<Vec<_>>();
    let none = ["Plain", "Short", "Streaming", "Host"].map(|mode| format!("bench residue none {mode}"));
    if found == none && said.contains("bench done") { Ok(()) } else { Err(said.into()) }
}

/// What `firmware/bench` with the feature `walk` says on this firmware: its lines about the walk, and about what was spoilt.
fn walked(stage: &Stage, firmware: &Path, name: &str) -> Done<Vec<String>> {
    let image = stage.scratch.join(format!("{name}.bin"));
    images::flat("bench", &["walk"], &image)?;
    let said = other_world_on(stage, firmware, &image, &["--cpus".as_ref(), "1".as_ref()])?;
    if !said.contains("bench done") {
        return Err(said.into());
    }
    let tells = |line: &&str| line.starts_with("bench walk ") || line.starts_with("bench spoilt ");
    Ok(said.lines().filter(tells).map(str::to_owned).collect())
}

/// The five walks of a run in which nothing is wrong: several Realms stand at the second and third, one less at the fourth, none at
/// the last, which counts what the first did.
fn sound(lines: &[String]) -> bool {
    let realms = lines.iter().filter_map(|line| line.split_once("Ok([")?.1.split(", ").nth(2)?.parse().ok());
    let realms: Vec<u64> = realms.collect();
    let [first, built, ran, one, last] = realms[..] else { return false };
    let counted = first == 0 && built > 1 && ran == built && one + 1 == ran && last == 0;
    counted && lines.last().is_some_and(|line| line == "bench walk same true")
}

fn walk(stage: &Stage) -> Done {
    let lines = walked(stage, &stage.test_build("rmm", "walk")?, "walk")?;
    let unspoilt = lines.iter().filter(|line| line.starts_with("bench spoilt") && line.ends_with(" 0 false")).count();
    if sound(&lines) && unspoilt == SPOILT.len() { Ok(()) } else { Err(lines.join("; ").into()) }
}

/// What is spoilt, each to be found as another flaw (`rmm::audit::Flaw`), by number, at the granule where it is.
const SPOILT: [&str; 9] = [
    "locked 1",
    "delegated-by-word 2",
    "dirty 3",
    "named-twice 4",
    "nobodys-data 5",
    "part-is-data 6",
    "other-index 7",
    "one-rec-more 8",
    "no-place 9",
];

fn walk_spoilt(stage: &Stage) -> Done {
    let lines = walked(stage, &stage.test_build("rmm", "walk-spoilt")?, "walk-spoilt")?;
    let found = lines.iter().filter_map(|line| line.strip_prefix("bench spoilt "));
    let all = found.eq(SPOILT.map(|spoilt| format!("{spoilt} true")));
    if all && sound(&lines) { Ok(()) } else { Err(lines.join("; ").into()) }
}

fn walk_unknown(stage: &Stage) -> Done {
    let lines = walked(stage, &stage.world.images.firmware, "walk-unknown")?;
    if lines == ["bench walk unknown"] { Ok(()) } else { Err(lines.join("; ").into()) }
}

/// What `firmware/bench` with the feature `stress` says on four CPUs of this firmware. The order in which they come is chance; the seed
/// is what each of them does.
fn stressed(stage: &Stage, firmware: &Path) -> Done<String> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos();
    let image = stage.scratch.join("stress.bin");
    images::flat("bench", &["stress"], &image)?;
    let append = format!("stress={seed},5000");
    let args = ["--cpus", "4", "--timeout", "100", "--append", &append];
    let mut run = stage.world.bare_run(firmware);
    let output = run.arg("--normal-world").arg(&image).args(args).stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Nothing was wrong on the way and in the end, which the payload comes to only then.
fn withstood(said: &str) -> bool {
    ["bench stress cpus 4", "bench walk same true", "bench done"].iter().all(|line| said.contains(line))
        && said.lines().filter(|line| line.starts_with("bench walk") && line.contains("Ok(")).count() == 6
}

fn stress(stage: &Stage) -> Done {
    let said = stressed(stage, &stage.test_build("rmm", "walk")?)?;
    let counts = said.lines().filter_map(|line| line.strip_prefix("bench stress ")?.rsplit_once(' '));
    // `<command> <issued> <done>`: all of them are done at least once in 20,000, but for the answer to a Realm's rare question.
    let never = counts.filter(|(_, done)| *done == "0").map(|(name, _)| name.split(' ').next().unwrap_or_default());
    let never: Vec<&str> = never.filter(|name| !["set_ripas", "psci_complete"].contains(name)).collect();
    if withstood(&said) && never.is_empty() { Ok(()) } else { Err(format!("never done: {never:?}: {said}").into()) }
}

fn stress_torn(stage: &Stage) -> Done {
    let firmware = stage.test_build("rmm", "torn-words")?;
    for _ in 0..3 {
        if !withstood(&stressed(stage, &firmware)?) {
            return Ok(());
        }
    }
    Err("three runs without a finding".into())
}

fn ordinary_host(stage: &Stage) -> Done {
    let initrd = stage.scratch.join("ordinary.img");
    let init = stage.world.images.guest.with_file_name("ordinary");
    crate::initrd::write(&initrd, &init, &stage.world.kernel)?;
    let append = "console=ttyAMA0 earlycon=pl011,0x9000000";
    let args = ["--initrd".as_ref(), initrd.as_os_str(), "--append".as_ref(), append.as_ref()];
    let said =
        other_world(stage, &stage.world.kernel.image, &[&args[..], &["--timeout".as_ref(), "300".as_ref()]].concat())?;
    for seen in [
        "psci: PSCIv1.1 detected in firmware.",
        "SMP: Total of 4 processors activated.",
        "VHE mode initialized successfully",
        "PMU driver, 7 (0,8000003f) counters available",
        "OF: reserved mem: 0x0000000040100000..0x0000000041ffffff",
        "ordinary: cpus 0-3 kvm true pmu true sve true sme true timers true",
        "reboot: Power down",
    ] {
        if !said.contains(seen) {
            return Err(format!("the kernel did not say {seen:?}: {said}").into());
        }
    }
    match said
        .lines()
        .find(|line| ["Oops", "BUG:", "WARNING:", "Call trace", "Kernel panic"].iter().any(|bad| line.contains(bad)))
    {
        Some(bad) => Err(format!("{bad}: {said}").into()),
        None => Ok(()),
    }
}

fn sleep(stage: &Stage) -> Done {
    let run = stage.run(&["--cpus", "2", "--ask", "sleep 2000", "--ask", "sleep 100"])?;
    run.want(run.code == 0, "an end of its own")?;
    for asked in [2000, 100] {
        let answers = run.answers(&format!("sleep {asked}"));
        let measured =
            answers.first().and_then(|answer| answer.rsplit(' ').next()).and_then(|ms| ms.parse::<u64>().ok());
        let near = measured.is_some_and(|ms| (asked..asked + 150).contains(&ms));
        run.want(near, &format!("a sleep of {asked} ms, not {answers:?}"))?;
    }
    Ok(())
}

fn four(stage: &Stage) -> Done {
    let run = stage.affirmed(&["--cpus", "4", "--ask", "nproc"])?;
    run.want(run.answers("nproc") == ["cpus 4"], "four CPUs")?;
    clean(&run)
}

fn ten(stage: &Stage) -> Done {
    let run = stage.run(&["--cpus", "4", "--realms", "10", "--ask", "nproc", "--timeout", "400"])?;
    run.want(run.code == 0 && run.answers("nproc") == ["cpus 4"; 10], "ten Realms of four CPUs")?;
    run.want(run.count("destroyed") == 10, "ten Realms destroyed")?;
    clean(&run)
}
