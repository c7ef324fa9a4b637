//! Every attack, each with its control: the run without it is affirmed (`stories`), and a test build of the monitor that
//! lacks the defence lets it through.

use super::{Case, Stage, Weight};
use crate::Done;

const fn light(name: &'static str, tell: fn(&Stage) -> Done) -> Case {
    Case { name, weight: Weight::Light, tell }
}

const fn heavy(name: &'static str, tell: fn(&Stage) -> Done) -> Case {
    Case { name, weight: Weight::Heavy, tell }
}

pub(super) const CASES: [Case; 16] = [
    light("attack tampered-initrd is refused by the RIM", |stage| refused(stage, "tampered-initrd", "rim", 11)),
    light("attack other-cmdline is refused by the RIM", |stage| refused(stage, "other-cmdline", "rim", 11)),
    light("attack replay is refused by the nonce", |stage| refused(stage, "replay", "nonce", 11)),
    light("attack forged-platform is refused by the chain", |stage| refused(stage, "forged-platform", "chain", 11)),
    light("attack swapped-realm is refused by the binding", |stage| refused(stage, "swapped-realm", "binding", 11)),
    light("attack unsigned-rmm is refused by boot", |stage| refused(stage, "unsigned-rmm", "boot", 20)),
    light("attack older-rmm is refused by boot", |stage| refused(stage, "older-rmm", "boot", 20)),
    light("attack modified-rmm is refused by the RMM's measurement", |stage| {
        refused(stage, "modified-rmm", "component RMM", 11)
    }),
    light("attack debug-platform is refused by the lifecycle", |stage| {
        refused(stage, "debug-platform", "lifecycle", 11)
    }),
    light("attack reset-peek finds nothing", |stage| refused(stage, "reset-peek", "granule protection", 23)),
    light("attack dma does not reach secure RAM, and the limit is told", dma),
    light("attack bad-image is refused by name", |stage| refused(stage, "bad-image", "image", 22)),
    light("an unknown attack is a wrong use", unknown),
    light("without the wipe at reset, reset-peek succeeds", |stage| {
        succeeds(stage, "reset-peek", "without-reset-wipe")
    }),
    heavy("attack peek faults everywhere and harms nothing", |stage| refused(stage, "peek", "granule protection", 0)),
    heavy("without granule protection, peek succeeds", |stage| succeeds(stage, "peek", "without-granule-protection")),
];

/// The attack is refused at a step whose name begins so, with this exit code.
fn refused(stage: &Stage, name: &str, step: &str, code: i32) -> Done {
    let run = stage.run(&["--attack", name])?;
    let attack = &run.json["attack"];
    let at = attack["step"].as_str().is_some_and(|found| found.starts_with(step));
    run.want(attack["attack"] == name && attack["refused"] == true && at, &format!("a refusal at {step}"))?;
    run.want(run.code == code, &format!("exit {code}"))
}

/// The attack succeeds on firmware that lacks its defence: the test can tell the difference.
fn succeeds(stage: &Stage, name: &str, feature: &str) -> Done {
    let firmware = stage.test_build("monitor", feature)?;
    let run = super::Run::of(stage.world.run_with(&firmware).args(["--attack", name]))?;
    run.want(run.json["attack"]["succeeded"] == true && run.code == 21, "a success of the attack")
}

fn dma(stage: &Stage) -> Done {
    let run = stage.run(&["--attack", "dma"])?;
    let reason = run.json["attack"]["reason"].as_str().unwrap_or_default();
    run.want(run.json["attack"]["refused"] == true && run.code == 0, "a refusal and an affirming verdict")?;
    run.want(reason.contains("stated limit"), "the limit of the emulated machine in words")
}

fn unknown(stage: &Stage) -> Done {
    let run = stage.run(&["--attack", "be-evil"])?;
    run.want(run.code == 2 && run.stderr.contains("be-evil"), "exit 2 and the name")
}
