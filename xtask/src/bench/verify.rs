//! `cargo xtask bench verify`: what judging evidence takes, beside what it may take.

use crate::musl::Arch;
use crate::{Done, images, room, tool};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Tokens a second of the one other verifier in Rust, on a machine of the same kind; we want two and a half times that.
const PEER: f64 = 690.0;
/// Starts of `allod verify`, of which the quickest counts: the others waited for other programs.
const STARTS: usize = 21;
/// Bytes in a megabyte.
const MB: f64 = 1e6;

/// One figure, in its unit, and the bound that it is to keep.
struct Figure {
    name: &'static str,
    /// Of several rounds the quickest: the others waited for other programs.
    value: f64,
    /// The round in the middle, where there were several.
    median: Option<f64>,
    bound: f64,
    /// Whether more is better.
    floor: bool,
    unit: &'static str,
}

impl Figure {
    /// How often the bound fits: 1 or more is good.
    fn ratio(&self) -> f64 {
        if self.floor { self.value / self.bound } else { self.bound / self.value }
    }

    fn line(&self) -> String {
        let (sign, place) = (if self.floor { '≥' } else { '≤' }, if self.value < 100.0 { 2 } else { 0 });
        let Self { name, value, bound, unit, .. } = self;
        let median = self.median.map_or_else(String::new, |median| format!("{median:.place$}"));
        format!("{value:>11.place$} {median:>11} {unit:<9} {sign} {bound:<8} × {:>5.2}  {name}", self.ratio())
    }

    fn json(&self) -> Value {
        json!({"name": self.name, "value": self.value, "median": self.median, "bound": self.bound, "unit": self.unit, "ratio": self.ratio()})
    }
}

/// Measures, prints, and fails if a bound is not kept.
pub(crate) fn verify(as_json: bool) -> Done {
    let judged = bench("allod-verifier", "verify", &[])?;
    let rim = bench("allod-measure", "rim", &[])?;
    let seconds = |name: &str, round: &str| judged[name][round].as_f64().unwrap_or(f64::MAX);
    let floor = |name, key, bound| {
        let [value, median] = ["best", "seconds"].map(|round| seconds(key, round).recip());
        Figure { name, value, median: Some(median), bound, floor: true, unit: "/s" }
    };
    let ceiling = |name, value, bound, unit| Figure { name, value, median: None, bound, floor: false, unit };
    let [replay, replay_median] = ["best", "seconds"].map(|round| seconds("replay", round) * 1e3);
    let mut figures = vec![
        floor("tokens judged, P-384 twice, 13 components", "verify", 2.5 * PEER),
        floor("tokens judged, of a platform seen before", "verify_known_platform", 4000.0),
        floor("tokens parsed", "parse", 500_000.0),
        ceiling("RIM of a kernel of 41 MB, in hashes of it", rim["ratio"].as_f64().unwrap_or(f64::MAX), 1.2, "hashes"),
        Figure { median: Some(replay_median), ..ceiling("replay of an event log of 256 KiB", replay, 1.0, "ms") },
    ];
    let programs = [(Arch::X86_64, "static allod, x86-64"), (Arch::Aarch64, "static allod, arm64")];
    for (arch, name) in programs {
        let program = images::allod(arch)?;
        figures.push(ceiling(name, fs::metadata(&program)?.len() as f64 / MB, 15.0, "MB"));
        if arch == Arch::here() {
            figures.push(ceiling("start to verdict of allod verify", start(&program)? * 1e3, 15.0, "ms"));
        }
    }
    if as_json {
        let rows: Vec<Value> = figures.iter().map(Figure::json).collect();
        println!("{}", json!({"figures": rows, "verifier": judged, "measure": rim}));
    } else {
        println!("{:>11} {:>11}", "best", "median");
        figures.iter().for_each(|figure| println!("{}", figure.line()));
        let [best, median] = ["best", "seconds"].map(|round| seconds("verify_by_certificates", round).recip());
        println!("{best:>11.0} {median:>11.0} /s        by certificates: two signatures more");
    }
    let missed: Vec<&str> = figures.iter().filter(|it| it.ratio() < 1.0).map(|it| it.name).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join("; ")).into()) }
}

/// What a benchmark of a package prints, which is one JSON object.
fn bench(package: &str, name: &str, args: &[&str]) -> Done<Value> {
    let mut run = tool::cargo();
    run.args(["bench", "--quiet", "--locked", "--package", package, "--bench", name, "--"]).args(args);
    Ok(serde_json::from_str(tool::output(&mut run)?.trim())?)
}

/// Least seconds from the start of `allod verify` to its end, of a token that it affirms.
fn start(program: &Path) -> Done<f64> {
    let folder = room::target("bench-verify");
    fs::create_dir_all(&folder)?;
    let folder_name = folder.to_str().ok_or("a path that is no text")?;
    let asked = bench("allod-verifier", "verify", &["--write", folder_name])?;
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let mut run = Command::new(program);
        run.current_dir(&folder).arg("verify").arg("token.cbor").args(["--nonce", &text("nonce")]);
        run.args(["--at", &text("at"), "--anchor", "anchors.pem"]);
        run.args(["--reference", "platform.json", "--reference", "realm.json"]);
        let begun = Instant::now();
        let status = run.stdout(Stdio::null()).status()?;
        times.push(begun.elapsed().as_secs_f64());
        if !status.success() {
            return Err(format!("allod verify did not affirm ({status})").into());
        }
    }
    Ok(times.into_iter().fold(f64::MAX, f64::min))
}
