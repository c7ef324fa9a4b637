//! Asks a policy.

use super::{Decision, PACKAGE, Refusal, Source};
use crate::check::Step;
use evidence::eventlog::Shown;
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Extension, LimitError, PolicyLengthConfig, Value};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// Reasons of one rule that are read, at most.
const MAX_REASONS: usize = 64;
/// Characters of a reason that are read, at most.
const MAX_REASON: usize = 1024;
/// Characters of an error or of a value in one that are shown.
const SHOWN: usize = 512;
/// What tells the time.
const NOW: &str = "time.now_ns";
/// Nanoseconds in a second.
const NANOSECONDS: u64 = 1_000_000_000;
/// Steps of an evaluation between two looks at the clock.
const TICK: NonZeroU32 = NonZeroU32::new(256).unwrap();
/// What a policy may look like.
const LENGTHS: PolicyLengthConfig = PolicyLengthConfig {
    max_col: NonZeroU32::new(1024).unwrap(),
    max_file_bytes: NonZeroUsize::new(super::MAX_SOURCE).unwrap(),
    max_lines: NonZeroUsize::new(10_000).unwrap(),
};
/// Functions by chance, and those that know the machine's own time zone, with the number of their arguments.
const REFUSED: [(&str, u8); 7] = [
    ("rand.intn", 2),
    ("time.add_date", 4),
    ("time.clock", 1),
    ("time.date", 1),
    ("time.diff", 2),
    ("time.format", 1),
    ("time.weekday", 1),
];

/// Asks a policy about a document, for at most `time`.
///
/// # Errors
/// [`Refusal`] for whatever is no decision.
pub fn evaluate(source: &Source, document: &serde_json::Value, time: Duration) -> Result<Decision, Refusal> {
    let mut asked = Asked { engine: engine(source, document, time)?, time };
    Ok(Decision {
        allow: asked.allow()?,
        deny: asked.reasons("deny")?,
        warn: asked.reasons("warn")?,
        note: asked.reasons("note")?,
        may_miss: asked.may_miss()?,
    })
}

/// Reads a policy, without asking it anything.
///
/// # Errors
/// [`Refusal`] for whatever is no policy.
pub fn read(source: &Source) -> Result<(), Refusal> {
    parsed(source).map(drop)
}

fn engine(source: &Source, document: &serde_json::Value, time: Duration) -> Result<Engine, Refusal> {
    let mut engine = parsed(source)?;
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: time, check_interval: TICK });
    deterministic(&mut engine, document)?;
    let document = Value::from_json_str(&document.to_string());
    engine.set_input(document.map_err(|why| Refusal::NotRun(shown(&why.to_string())))?);
    Ok(engine)
}

fn parsed(source: &Source) -> Result<Engine, Refusal> {
    let mut engine = Engine::new();
    engine.set_policy_length_config(LENGTHS);
    engine.set_strict_builtin_errors(true);
    engine.set_gather_prints(true);
    let package = engine.add_policy(source.name().into(), source.text().into());
    let package = package.map_err(|why| Refusal::Syntax(said(&why.to_string())))?;
    if package != format!("data.{PACKAGE}") {
        return Err(Refusal::Package { found: shown(package.trim_start_matches("data.")) });
    }
    Ok(engine)
}

/// Takes from a policy what is not the same every time; the time is the one of the document.
fn deterministic(engine: &mut Engine, document: &serde_json::Value) -> Result<(), Refusal> {
    let at = document.get("at").and_then(serde_json::Value::as_u64).and_then(|at| at.checked_mul(NANOSECONDS));
    let refused = REFUSED.map(|(name, arguments)| (name, arguments, no_function(name)));
    let now = at.map_or_else(|| no_function(NOW), |now| Box::new(move |_| Value::from_json_str(&now.to_string())));
    for (name, arguments, instead) in refused.into_iter().chain([(NOW, 0, now)]) {
        let added = engine.add_extension(name.into(), arguments, instead);
        added.map_err(|why| Refusal::NotRun(shown(&why.to_string())))?;
    }
    Ok(())
}

/// What stands for a function that no policy may use.
fn no_function(name: &'static str) -> Box<dyn Extension> {
    let why = move || format!("{name} is not the same every time, and not for policies");
    Box::new(move |_: Vec<Value>| Value::from_json_str("").map_err(|error| error.context(why())))
}

/// A policy with its document, to be asked for one rule after the other.
struct Asked {
    engine: Engine,
    time: Duration,
}

impl Asked {
    /// The value of a rule; `None` if it has none.
    fn value(&mut self, rule: &str) -> Result<Option<Value>, Refusal> {
        let results = self.engine.eval_query(format!("data.{PACKAGE}.{rule}"), false);
        let results = results.map_err(|why| match why.downcast_ref::<LimitError>() {
            Some(LimitError::TimeLimitExceeded { .. }) => self.time_is_up(),
            _ => Refusal::Error(said(&why.to_string())),
        })?;
        let value = results.result.into_iter().next().and_then(|it| it.expressions.into_iter().next());
        Ok(value.map(|it| it.value).filter(|value| *value != Value::Undefined))
    }

    fn time_is_up(&self) -> Refusal {
        Refusal::Time { limit: u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX) }
    }

    fn allow(&mut self) -> Result<bool, Refusal> {
        match self.value("allow")? {
            Some(Value::Bool(allow)) => Ok(allow),
            Some(other) => Err(kind("allow", "true or false", &other)),
            None => Err(Refusal::Undefined),
        }
    }

    fn reasons(&mut self, rule: &str) -> Result<Vec<String>, Refusal> {
        const EXPECTED: &str = "a set of strings";
        let found = match self.value(rule)? {
            None => return Ok(Vec::new()),
            Some(Value::Set(found)) => found,
            Some(other) => return Err(kind(rule, EXPECTED, &other)),
        };
        if found.len() > MAX_REASONS {
            return Err(Refusal::Verbose { rule: rule.into() });
        }
        let reason = |value: &Value| match value {
            Value::String(text) if text.chars().count() > MAX_REASON => Err(Refusal::Verbose { rule: rule.into() }),
            Value::String(text) => Ok(Shown(text).to_string()),
            other => Err(kind(rule, EXPECTED, other)),
        };
        found.iter().map(reason).collect()
    }

    fn may_miss(&mut self) -> Result<Vec<Step>, Refusal> {
        let names = self.reasons("may_miss")?;
        names.into_iter().map(|name| Step::from_name(&name).ok_or(Refusal::Step { found: shown(&name) })).collect()
    }
}

fn kind(rule: &str, expected: &str, found: &Value) -> Refusal {
    Refusal::Kind { rule: rule.into(), expected: expected.into(), found: shown(&found.to_string()) }
}

/// The beginning of a foreign text, on one line.
fn shown(text: &str) -> String {
    let start: String = text.trim().chars().take(SHOWN).collect();
    Shown(&start).to_string()
}

/// What an engine says, on one line: where in a policy, and what is wrong there, without the drawing in between.
fn said(error: &str) -> String {
    let error = error.trim();
    let place = error.lines().next().and_then(|line| line.strip_prefix("--> "));
    match (place, error.rsplit_once("error: ")) {
        (Some(place), Some((_, what))) => shown(&format!("{place}: {what}")),
        _ => shown(error),
    }
}
