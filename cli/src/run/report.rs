//! What a run came to, for people and as JSON.

use super::exit;
use super::job::Job;
use super::session::{Record, VERDICT};
use super::timeline::seconds;
use crate::attack::{Finding, Outcome};
use crate::verify::Text;
use evidence::hex;
use serde_json::{Value, json};
use std::error::Error;
use std::io::IsTerminal;
use verifier::Verdict;

/// What a run came to.
pub struct Report {
    /// The machine's own story.
    pub record: Record,
    /// The verdict on the token that decides, if one was to be judged and came.
    pub verdict: Option<Verdict>,
    /// What came of the attack, if there was one.
    pub finding: Option<Finding>,
    judged: bool,
}

impl Report {
    /// Of an honest run, whose tokens were judged as they came. The first that is not affirmed decides.
    pub fn of(job: &Job, record: Record) -> Result<Report, Box<dyn Error>> {
        let refused = record.verdicts.iter().find(|verdict| !verdict.affirms());
        let verdict = refused.or(record.verdicts.first()).cloned();
        Report::with(job, record, verdict, None)
    }

    /// A report whose verdict was reached elsewhere.
    pub fn with(
        job: &Job,
        record: Record,
        verdict: Option<Verdict>,
        finding: Option<Finding>,
    ) -> Result<Report, Box<dyn Error>> {
        if let (Some(path), Some((_, token))) = (&job.token, record.tokens.last()) {
            std::fs::write(path, token).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Report { record, verdict, finding, judged: job.verify })
    }

    /// The exit code.
    pub fn exit(&self) -> u8 {
        match &self.finding {
            Some(Finding { outcome: Outcome::Succeeded, .. }) => return exit::ATTACK_SUCCEEDED,
            Some(Finding { outcome: Outcome::Failed, .. }) => return exit::FAILED,
            Some(Finding { outcome: Outcome::BadImage, .. }) => return exit::BAD_IMAGE,
            Some(Finding { outcome: Outcome::Refused, .. }) | None => {}
        }
        let affirmed = self.verdict.as_ref().map(|verdict| verdict.outcome().exit_code());
        match affirmed {
            _ if self.record.refused.is_some() => exit::FIRMWARE_REFUSED,
            Some(code @ 1..) => code,
            Some(0) if self.record.ended_well() => exit::AFFIRMED,
            None if self.finding.is_some() && self.record.ended_well() => exit::REFUSED,
            None if !self.judged && self.record.ended_well() => exit::AFFIRMED,
            _ => exit::FAILED,
        }
    }

    /// The step that failed and why, whether the machine's or the verdict's.
    fn failure(&self) -> Option<(String, String)> {
        let in_verdict = self.verdict.as_ref().and_then(Verdict::failed);
        let in_verdict = in_verdict.map(|check| {
            let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".into());
            (check.label(), format!("expected {}, found {}", said(&check.expected), said(&check.found)))
        });
        let wanted = self.judged && self.finding.is_none() && self.verdict.is_none();
        let no_token = wanted.then(|| ("token".into(), "none came".into()));
        self.record.failure().or(in_verdict).or(no_token)
    }

    /// Prints it for people.
    pub fn print(&self) {
        if let Some(time) = self.record.timeline.until(VERDICT) {
            println!("  {:>7.3} s  launch to verdict", seconds(time));
        }
        println!("  {:>7.3} s  in all", seconds(self.record.timeline.total()));
        if let Some(verdict) = &self.verdict {
            println!();
            print!("{}", Text { verdict, colours: std::io::stdout().is_terminal() });
        }
        let trouble = self.record.failure();
        if let Some((step, why)) = &trouble {
            println!("\nstopped at {step}: {why}");
        }
        if let Some(finding) = &self.finding {
            finding.print();
        }
        if trouble.is_some() && self.finding.as_ref().is_none_or(|finding| finding.outcome == Outcome::Failed) {
            self.record.log.iter().rev().take(30).rev().for_each(|line| println!("  | {line}"));
        }
    }

    /// One JSON object.
    pub fn json(&self) -> Value {
        let failed = self.failure();
        let answers = self.record.answers.iter().map(|(ask, answer)| json!({"ask": ask, "answer": answer}));
        json!({
            "verdict": self.verdict.as_ref().map(|verdict| verdict.outcome().name()),
            "failed": failed.as_ref().map(|(step, _)| step),
            "reason": failed.as_ref().map(|(_, why)| why),
            "attack": self.finding.as_ref().map(Finding::json),
            "exit": self.exit(),
            "seconds": seconds(self.record.timeline.total()),
            "verdict_seconds": self.record.timeline.until(VERDICT).map(seconds),
            "timeline": self.record.timeline.json(),
            "answers": answers.collect::<Vec<_>>(),
            "events": self.record.events,
            "tokens": self.record.tokens.iter().map(|(_, token)| hex::encode(token)).collect::<Vec<_>>(),
            "report": self.verdict,
            "log": self.record.log,
            "console": String::from_utf8_lossy(&self.record.console),
        })
    }
}
