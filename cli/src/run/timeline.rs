//! What happened when, from the machine's own events.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A stage that has ended, with how long it took.
pub struct Stage {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub took: Duration,
}

/// The stages of one start of the machine, in order.
pub struct Timeline {
    begun: Instant,
    last: Instant,
    /// The stages so far.
    pub stages: Vec<Stage>,
}

impl Timeline {
    /// Begins now.
    pub fn begin() -> Timeline {
        let now = Instant::now();
        Timeline { begun: now, last: now, stages: Vec::new() }
    }

    /// The stage that lasted since the last one ends here.
    pub fn end(&mut self, name: &str) -> &Stage {
        let now = Instant::now();
        self.stages.push(Stage { name: name.into(), took: now - self.last });
        self.last = now;
        &self.stages[self.stages.len() - 1]
    }

    /// The end of the last stage, measured from the beginning.
    pub fn total(&self) -> Duration {
        self.last - self.begun
    }

    /// The end of the first stage whose name begins so, measured from the beginning.
    pub fn until(&self, name: &str) -> Option<Duration> {
        let at = self.stages.iter().position(|stage| stage.name.starts_with(name))?;
        Some(self.stages.iter().take(at + 1).map(|stage| stage.took).sum())
    }

    /// The stages as JSON: name and seconds.
    pub fn json(&self) -> Value {
        let stage = |stage: &Stage| json!({"stage": stage.name, "seconds": seconds(stage.took)});
        Value::Array(self.stages.iter().map(stage).collect())
    }
}

/// The stage that an event of the machine ends, in words.
pub fn stage_of(event: &str) -> Option<&'static str> {
    Some(match event {
        "host-up" => "firmware: measured, verified, worlds divided",
        "created" => "realm created",
        "populated" => "images populated and measured",
        "activated" => "realm activated",
        "entered" => "first vCPU entered",
        "stopped" => "realm stopped",
        "destroyed" => "realm destroyed, all granules returned",
        _ => return None,
    })
}

/// Seconds with milliseconds.
pub fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
