//! A verdict for people: the claims, each check with its reason, and the conclusion.

use super::words::{expected, unreached};
use std::fmt;
use verifier::verdict::{Platform, Realm};
use verifier::{Check, Outcome, Status, Verdict};

const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// Shows a verdict on several lines, in columns.
pub struct Text<'a> {
    /// The verdict.
    pub verdict: &'a Verdict,
    /// Whether to colour marks and conclusion, for a terminal.
    pub colours: bool,
}

/// A claim that not every token has.
fn optional(out: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| writeln!(out, "  {name:<15} {value}"))
}

fn platform(out: &mut fmt::Formatter<'_>, claims: &Platform) -> fmt::Result {
    writeln!(out, "Platform")?;
    writeln!(out, "  profile         {}", claims.profile)?;
    writeln!(out, "  implementation  {}", claims.implementation_id)?;
    writeln!(out, "  instance        {}", claims.instance_id)?;
    writeln!(out, "  lifecycle       {}", claims.lifecycle)?;
    writeln!(out, "  configuration   {}", claims.config)?;
    optional(out, "production", claims.manufacturing_config.as_deref())?;
    for component in &claims.components {
        let kind = component.kind.as_deref().unwrap_or("(no type)").escape_debug().to_string();
        let version = component.version.as_deref().unwrap_or("-").escape_debug();
        let live = if component.live_activation == Some(true) { ", replaceable while it runs" } else { "" };
        writeln!(out, "  {kind:<14}  {} version {version}{live}", component.measurement)?;
    }
    for device in &claims.devices {
        let kind = device.kind.as_deref().unwrap_or("(no type)").escape_debug().to_string();
        writeln!(out, "  {kind:<14}  {} a device, by {}", device.measurements, device.protocol.escape_debug())?;
    }
    for key in &claims.rotpks {
        writeln!(out, "  boot key {}.{}.{} {}", key.owner, key.array, key.index, key.hash)?;
    }
    optional(out, "peer signers", claims.peer_signers.as_deref())?;
    optional(out, "TPM binding", claims.tpm_binding.as_deref())?;
    let hint = claims.verification_service.as_deref().map(|it| format!("{} (a hint of its own)", it.escape_debug()));
    optional(out, "verified at", hint.as_deref())
}

fn realm(out: &mut fmt::Formatter<'_>, claims: &Realm) -> fmt::Result {
    writeln!(out, "Realm")?;
    writeln!(out, "  profile         {}", claims.profile)?;
    optional(out, "instance", claims.instance_id.as_deref())?;
    writeln!(out, "  challenge       {}", claims.challenge)?;
    writeln!(out, "  personalization {}", claims.rpv)?;
    writeln!(out, "  measured with   {}", claims.hash)?;
    writeln!(out, "  RIM             {}", claims.rim)?;
    for (index, rem) in claims.rems.iter().enumerate() {
        writeln!(out, "  REM {index}           {rem}")?;
    }
    optional(out, "memory key", claims.mec_policy)?;
    optional(out, "firmware", claims.live_activation.map(|it| if it { "replaceable" } else { "stays" }))?;
    optional(out, "devices", claims.devices_hash.as_deref())?;
    writeln!(out)
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.claims(out)?;
        let labels = self.verdict.checks().iter().map(|check| check.label().chars().count());
        let width = labels.max().unwrap_or(0);
        self.verdict.checks().iter().try_for_each(|check| self.check(out, check, width))?;
        self.conclusion(out)
    }
}

impl Text<'_> {
    fn painted(&self, colour: &'static str, text: &str) -> String {
        if self.colours { format!("{colour}{text}{PLAIN}") } else { text.to_string() }
    }

    fn claims(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(family) = self.verdict.family() {
            writeln!(out, "{family}")?;
        }
        if let Some(claims) = self.verdict.platform() {
            platform(out, claims)?;
        }
        self.verdict.realm().map_or(Ok(()), |claims| realm(out, claims))
    }

    fn check(&self, out: &mut fmt::Formatter<'_>, check: &Check, width: usize) -> fmt::Result {
        let (mark, colour) = match check.status {
            Status::Ok => ("✓", GREEN),
            Status::Warning => ("!", YELLOW),
            Status::Failed => ("✗", RED),
            Status::NotDone => ("–", YELLOW),
            Status::NotApplicable => ("·", PLAIN),
        };
        let mark = self.painted(colour, mark);
        let label = check.label();
        if matches!(check.status, Status::Ok | Status::NotApplicable) {
            return writeln!(out, "{mark} {label:<width$}  {}", check.found.as_deref().unwrap_or_default());
        }
        if let (true, Some(advice)) = (unreached(check), &check.advice) {
            return writeln!(out, "{mark} {label:<width$}  not done: {advice}");
        }
        let word = match check.status {
            Status::NotDone => "not done",
            Status::Warning => "no ground for trust",
            _ => "failed",
        };
        writeln!(out, "{mark} {label:<width$}  {word}")?;
        let lines =
            [("expected", Some(expected(check))), ("found", check.found.as_deref()), ("do", check.advice.as_deref())];
        let mut present = lines.iter().filter_map(|(name, text)| text.map(|text| (name, text)));
        present.try_for_each(|(name, text)| writeln!(out, "  {:<width$}  {name:<8}  {text}", ""))
    }

    fn conclusion(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.verdict.outcome();
        let (colour, why) = match outcome {
            Outcome::Affirming => (GREEN, self.affirmed().to_string()),
            Outcome::Warning => (YELLOW, "nothing failed, but not everything could be checked or trusted".to_string()),
            Outcome::Malformed => (RED, "this is not a token that is read here".to_string()),
            Outcome::NoTrustAnchor => (RED, "nobody who is trusted endorses this platform".to_string()),
            Outcome::Contraindicated => (RED, format!("failed: {}", self.failures())),
        };
        writeln!(out, "\nVerdict: {} ({why})", self.painted(colour, outcome.name()))
    }

    fn affirmed(&self) -> &'static str {
        if self.verdict.checks().iter().any(|check| check.status == Status::NotDone) {
            "every check held that was done, and the others may stay undone"
        } else {
            "every check was done, and held"
        }
    }

    fn failures(&self) -> String {
        let failed = self.verdict.checks().iter().filter(|check| check.status == Status::Failed);
        failed.map(Check::label).collect::<Vec<_>>().join(", ")
    }
}
