//! The attacks that the machine or the verifier must refuse (`allod run --attack NAME`), each against the machine that the
//! same command line without it would start. A refusal has a name; a crash or a hang is none.

use crate::platform;
use crate::run::{Job, Record, Report, Setup, judge, nonce};
use clap::ValueEnum;
use evidence::cbor::Reader;
use host::config::Attack as HostAttack;
use rot::image::{HEADER, Kind};
use serde_json::{Value, json};
use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};
use verifier::{Step, Verdict};

/// Every attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// One bit of the initial RAM disk is another: the RIM differs.
    TamperedInitrd,
    /// The Realm is launched with another command line: the RIM differs.
    OtherCmdline,
    /// A token of an earlier nonce is shown again.
    Replay,
    /// The machine is endorsed by another authority.
    ForgedPlatform,
    /// The realm token comes from another machine than the platform token.
    SwappedRealm,
    /// The RMM's signature is missing: boot refuses.
    UnsignedRmm,
    /// The RMM is signed, but older than the machine still runs: boot refuses.
    OlderRmm,
    /// The RMM is signed and new enough, but not the one that was measured.
    ModifiedRmm,
    /// The machine runs with debugging allowed.
    DebugPlatform,
    /// The host reads, writes and executes Realm memory.
    Peek,
    /// The host resets the machine under a live Realm and looks at what is left.
    ResetPeek,
    /// A device writes to Root's and the Realm's memory.
    Dma,
    /// What is given as a kernel is none.
    BadImage,
}

/// What came of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was refused, at the step where it had to be.
    Refused,
    /// It was refused as an image that is no Realm's.
    BadImage,
    /// It went through.
    Succeeded,
    /// Neither: a crash, a hang, or a refusal for another reason.
    Failed,
}

/// An attack with what came of it, where and why.
#[derive(Debug)]
pub struct Finding {
    /// Its name.
    pub attack: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The step that refused it, or let it through.
    pub step: String,
    /// Why.
    pub reason: String,
}

impl Finding {
    /// Prints it for people.
    pub fn print(&self) {
        let word = match self.outcome {
            Outcome::Refused | Outcome::BadImage => "refused",
            Outcome::Succeeded => "SUCCEEDED",
            Outcome::Failed => "FAILED, neither refused nor successful",
        };
        println!("\nattack {}: {word} at {}: {}", self.attack, self.step, self.reason);
    }

    /// One JSON object.
    pub fn json(&self) -> Value {
        let refused = matches!(self.outcome, Outcome::Refused | Outcome::BadImage);
        let succeeded = self.outcome == Outcome::Succeeded;
        json!({ "attack": self.attack, "refused": refused, "succeeded": succeeded, "step": self.step, "reason": self.reason })
    }
}

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Carries out an attack on the machine that was asked for.
pub fn carry_out(attack: Attack, job: &Job) -> Fallible<Report> {
    let mut setup = Setup::clone(&job.setup);
    match attack {
        Attack::TamperedInitrd => {
            tamper(&mut setup.initrd)?;
            by_verdict(attack, job, &setup, "rim")
        }
        Attack::OtherCmdline => {
            setup.config.cmdline.push_str(" init=/init");
            by_verdict(attack, job, &setup, "rim")
        }
        Attack::Replay => replay(job),
        Attack::ForgedPlatform => forged(job, setup),
        Attack::SwappedRealm => swapped(job, setup),
        Attack::UnsignedRmm => {
            let signature = setup.rmm.get_mut(SIGNATURE).ok_or("the signed RMM is shorter than its header")?;
            signature.fill(0);
            by_boot(attack, job, &setup)
        }
        Attack::OlderRmm => {
            setup.rmm = platform::sign(&job.platform, Kind::Rmm, &job.firmware.rmm, 0)?;
            by_boot(attack, job, &setup)
        }
        Attack::ModifiedRmm => {
            let body = [&job.firmware.rmm[..], &[0; 16]].concat();
            setup.rmm = platform::sign(&job.platform, Kind::Rmm, &body, 1)?;
            by_verdict(attack, job, &setup, "component RMM")
        }
        Attack::DebugPlatform => {
            setup.firmware.debug = true;
            by_verdict(attack, job, &setup, Step::Lifecycle.name())
        }
        Attack::Peek => by_host(attack, job, setup, HostAttack::Peek),
        Attack::ResetPeek => by_host(attack, job, setup, HostAttack::ResetPeek),
        Attack::Dma => by_host(attack, job, setup, HostAttack::Dma),
        Attack::BadImage => bad_image(job, &setup),
    }
}

/// Where the signature stands in a signed image's header (docs/architecture.md §2).
const SIGNATURE: Range<usize> = 205..301;
const _: () = assert!(SIGNATURE.end < HEADER);

/// The attack's name, as people type it.
fn name(attack: Attack) -> String {
    attack.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn finding(attack: Attack, outcome: Outcome, step: &str, reason: impl Into<String>) -> Option<Finding> {
    Some(Finding { attack: name(attack), outcome, step: step.into(), reason: reason.into() })
}

/// Flips one bit that leaves the archive whole: the lowest of the first entry's time, in a cpio archive; else the last.
fn tamper(initrd: &mut [u8]) -> Fallible<()> {
    let mtime_end = 53;
    let at = if initrd.starts_with(b"070701") { mtime_end } else { initrd.len().wrapping_sub(1) };
    *initrd.get_mut(at).ok_or("there is no initial RAM disk to tamper with")? ^= 1;
    Ok(())
}

/// What a verdict says of an attack that must fail at the check of this label.
fn judged(attack: Attack, record: &Record, verdict: Option<&Verdict>, label: &str) -> Option<Finding> {
    let Some(verdict) = verdict else {
        let (step, why) = record.failure().unwrap_or(("token".into(), "none came".into()));
        return finding(attack, Outcome::Failed, &step, why);
    };
    if verdict.affirms() {
        return finding(attack, Outcome::Succeeded, "verdict", "affirming");
    }
    let failed = |check: &&verifier::Check| check.status == verifier::Status::Failed && check.label() == label;
    let Some(check) = verdict.checks().iter().find(failed) else {
        let other = verdict.failed().map_or_else(|| "none".into(), verifier::Check::label);
        return finding(attack, Outcome::Failed, &other, format!("refused, but not at {label}"));
    };
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".into());
    let reason = format!("expected {}, found {}", said(&check.expected), said(&check.found));
    finding(attack, Outcome::Refused, label, reason)
}

/// The machine runs, and its token must not be affirmed.
fn by_verdict(attack: Attack, job: &Job, setup: &Setup, label: &str) -> Fallible<Report> {
    let record = job.run_with(setup, &[job.nonce])?;
    let verdict = judge_first(job, &record, &job.nonce, &job.platform)?;
    let finding = judged(attack, &record, verdict.as_ref(), label);
    Report::with(job, record, verdict, finding)
}

/// The first token of a run, judged by what the untouched machine would show.
fn judge_first(job: &Job, record: &Record, nonce: &[u8; 64], endorsed: &Path) -> Fallible<Option<Verdict>> {
    let references = job.references()?;
    let token = record.tokens.first().map(|(_, token)| token);
    token.map(|token| judge::judge(token, nonce, references, &job.platform, endorsed)).transpose()
}

/// The machine answers two nonces; the first token is shown for the second nonce. The second itself must be affirmed.
fn replay(job: &Job) -> Fallible<Report> {
    let attack = Attack::Replay;
    let second = nonce()?;
    let record = job.run_with(&job.setup, &[job.nonce, second])?;
    let references = job.references()?;
    let verdict = judge_first(job, &record, &second, &job.platform)?;
    let honest = match record.tokens.get(1) {
        Some((_, token)) => judge::judge(token, &second, references, &job.platform, &job.platform)?.affirms(),
        None => false,
    };
    let finding = if honest {
        judged(attack, &record, verdict.as_ref(), Step::Nonce.name())
    } else {
        finding(attack, Outcome::Failed, "token", "the token that was not replayed is not affirmed either")
    };
    Report::with(job, record, verdict, finding)
}

/// Another machine, of another maker, in a folder that is gone afterwards.
struct Stranger(PathBuf);

impl Stranger {
    fn new(setup: &mut Setup, job: &Job) -> Fallible<Stranger> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let dir = std::env::temp_dir().join(format!("allod-stranger-{:016x}", u64::from_le_bytes(random)));
        let stranger = Stranger(dir);
        platform::manufacture(&stranger.0)?;
        setup.otp = platform::otp(&stranger.0)?.to_vec();
        setup.monitor = platform::sign(&stranger.0, Kind::Monitor, &job.firmware.monitor, 1)?;
        setup.rmm = platform::sign(&stranger.0, Kind::Rmm, &job.firmware.rmm, 1)?;
        Ok(stranger)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A machine of another maker, which brings its own endorsements; the root that is trusted is ours.
fn forged(job: &Job, mut setup: Setup) -> Fallible<Report> {
    let stranger = Stranger::new(&mut setup, job)?;
    let record = job.run_with(&setup, &[job.nonce])?;
    let verdict = judge_first(job, &record, &job.nonce, &stranger.0)?;
    let finding = judged(Attack::ForgedPlatform, &record, verdict.as_ref(), Step::Chain.name());
    Report::with(job, record, verdict, finding)
}

/// The platform token of our machine around the realm token of another one, both for the same nonce.
fn swapped(job: &Job, mut setup: Setup) -> Fallible<Report> {
    let attack = Attack::SwappedRealm;
    let ours = job.run()?;
    let _stranger = Stranger::new(&mut setup, job)?;
    let mut record = job.run_with(&setup, &[job.nonce])?;
    let (Some((_, platform)), Some((_, realm))) = (ours.tokens.first(), record.tokens.first()) else {
        let finding = finding(attack, Outcome::Failed, "token", "none came");
        return Report::with(job, record, None, finding);
    };
    record.tokens = vec![(job.nonce, splice(platform, realm)?)];
    let verdict = judge_first(job, &record, &job.nonce, &job.platform)?;
    let finding = judged(attack, &record, verdict.as_ref(), Step::Binding.name());
    Report::with(job, record, verdict, finding)
}

/// The first token with the second one's last entry, the realm token, in the place of its own.
fn splice(platform: &[u8], realm: &[u8]) -> Fallible<Vec<u8>> {
    let (ours, theirs) = (last_value(platform)?, last_value(realm)?);
    let parts = [platform.get(..ours.start), realm.get(theirs), platform.get(ours.end..)];
    let parts: Option<Vec<&[u8]>> = parts.into_iter().collect();
    Ok(parts.ok_or("a token of another shape")?.concat())
}

/// Where the last value of a token's collection lies.
fn last_value(token: &[u8]) -> Fallible<Range<usize>> {
    let mut reader = Reader::new(token, 0);
    let mut last = 0..0;
    reader.tag().map_err(|malformed| malformed.to_string())?;
    let read = reader.map(|_, value| {
        let start = value.at();
        value.skip()?;
        last = start..value.at();
        Ok(())
    });
    read.map_err(|malformed| malformed.to_string())?;
    Ok(last)
}

/// The machine must not come up: boot refuses the RMM.
fn by_boot(attack: Attack, job: &Job, setup: &Setup) -> Fallible<Report> {
    let record = job.run_with(setup, &[job.nonce])?;
    let finding = match &record.refused {
        Some((step, why)) if record.trouble.is_none() => {
            finding(attack, Outcome::Refused, &format!("boot {step}"), why)
        }
        Some((step, why)) => finding(attack, Outcome::Failed, step, format!("{why}, and then {:?}", record.trouble)),
        None if record.event("host-up").is_some() => {
            finding(attack, Outcome::Succeeded, "boot", "the firmware came up")
        }
        None => finding(attack, Outcome::Failed, "boot", "neither came up nor said why"),
    };
    Report::with(job, record, None, finding)
}

/// The host attacks; every attempt that it tells of must have been refused, and the Realm must still be affirmed where the
/// attack leaves it alive.
fn by_host(attack: Attack, job: &Job, mut setup: Setup, kind: HostAttack) -> Fallible<Report> {
    setup.config.attack = Some(kind);
    let record = job.run_with(&setup, &[job.nonce])?;
    let verdict = judge_first(job, &record, &job.nonce, &job.platform)?;
    let told: Vec<&Value> = record.events.iter().filter(|event| event["event"] == "attack").collect();
    let detail = |event: &Value| event["detail"].as_str().unwrap_or("no detail").to_owned();
    let details = told.iter().map(|event| detail(event)).collect::<Vec<_>>().join("; ");
    let survives = kind != HostAttack::ResetPeek;
    let unharmed = verdict.as_ref().map_or(!survives, Verdict::affirms);
    let finding = if told.iter().any(|event| event["outcome"] == "succeeded") {
        finding(attack, Outcome::Succeeded, "granule protection", details)
    } else if told.is_empty() || !record.ended_well() {
        let (step, why) = record.failure().unwrap_or(("host".into(), "told nothing of the attack".into()));
        finding(attack, Outcome::Failed, &step, why)
    } else if !unharmed {
        finding(attack, Outcome::Failed, "verdict", format!("{details}; but the Realm is not affirmed"))
    } else {
        finding(attack, Outcome::Refused, "granule protection", details)
    };
    Report::with(job, record, verdict, finding)
}

/// Files that are no kernel are refused here, before anything starts, and by the machine's host if they get that far.
fn bad_image(job: &Job, setup: &Setup) -> Fallible<Report> {
    let attack = Attack::BadImage;
    let mut reasons = Vec::new();
    let mut last = None;
    for (kind, kernel) in bad_kernels(&setup.kernel, setup.config.memory) {
        let mut setup = setup.clone();
        setup.kernel = kernel;
        let Err(here) = judge::references(&setup) else {
            let record = job.run_with(&setup, &[job.nonce])?;
            let found = finding(attack, Outcome::Succeeded, kind, "it was measured as a kernel");
            return Report::with(job, record, None, found);
        };
        let record = job.run_with(&setup, &[job.nonce])?;
        let refused = record.event("error").and_then(|event| event["why"].as_str()).map(str::to_owned);
        match refused {
            Some(why) if record.trouble.is_none() => reasons.push(format!("{kind}: {here}; by the host: {why}")),
            _ => {
                let (step, why) = record.failure().unwrap_or(("host".into(), "no error was told".into()));
                return Report::with(
                    job,
                    record,
                    None,
                    finding(attack, Outcome::Failed, &step, format!("{kind}: {why}")),
                );
            }
        }
        last = Some(record);
    }
    let record = last.ok_or("no image was tried")?;
    Report::with(job, record, None, finding(attack, Outcome::BadImage, "image", reasons.join(" · ")))
}

/// A kernel cut in half, a file that is none, and one that says it needs more memory than there is.
fn bad_kernels(kernel: &[u8], memory: u64) -> [(&'static str, Vec<u8>); 3] {
    let image_size = 16..24;
    let mut large = kernel.to_vec();
    if let Some(size) = large.get_mut(image_size) {
        size.copy_from_slice(&(memory + 1).to_le_bytes());
    }
    let truncated = kernel.get(..kernel.len() / 2).unwrap_or_default().to_vec();
    [("truncated", truncated), ("not a kernel", b"This is no kernel.\n".repeat(4096)), ("too large", large)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_another_and_no_more() {
        let mut initrd = b"070701".repeat(20);
        let before = initrd.clone();
        tamper(&mut initrd).unwrap();
        let flipped: u32 = initrd.iter().zip(&before).map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!(flipped, 1);
        assert!(tamper(&mut []).is_err());
    }

    #[test]
    fn a_splice_takes_the_last_value_of_the_second() {
        // 399({1: h'aa', 2: h'bb'}) and 399({1: h'cc', 2: h'ddee'})
        let (ours, theirs) =
            (b"\xd9\x01\x8f\xa2\x01\x41\xaa\x02\x41\xbb", b"\xd9\x01\x8f\xa2\x01\x41\xcc\x02\x42\xdd\xee");
        assert_eq!(splice(ours, theirs).unwrap(), b"\xd9\x01\x8f\xa2\x01\x41\xaa\x02\x42\xdd\xee");
    }

    #[test]
    fn every_attack_has_the_name_of_the_issue() {
        let names: Vec<String> = Attack::value_variants().iter().map(|attack| name(*attack)).collect();
        let expected = "tampered-initrd other-cmdline replay forged-platform swapped-realm unsigned-rmm older-rmm \
                        modified-rmm debug-platform peek reset-peek dma bad-image";
        assert_eq!(names.join(" "), expected);
    }
}
