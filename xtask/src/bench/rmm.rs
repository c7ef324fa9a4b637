//! `cargo xtask bench rmm`: what each operation of the firmware takes, in instructions and in time, measured by
//! `firmware/bench` as the Normal world of one CPU.

mod root;

use crate::demo::World;
use crate::{Done, images};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// An operation: the payload's name for it, what it is, TF-RMM's instructions, and the most that ours may take; zero is none.
const ROWS: [(&str, &str, u64, u64); 22] = [
    ("psci_version", "PSCI_VERSION (EL2, EL3, EL2)", 243, 150),
    ("rmi_version", "RMI_VERSION round trip", 1_205, 650),
    ("delegate", "RMI_GRANULE_DELEGATE", 4_373, 2_000),
    ("undelegate", "RMI_GRANULE_UNDELEGATE", 3_901, 2_000),
    ("sha256_instructions", "hash of 4 KiB, SHA-256 by instructions", 0, 9_500),
    ("sha256_portable", "hash of 4 KiB, SHA-256 by portable code", 0, 0),
    ("sha512_instructions", "hash of 4 KiB, SHA-512 by instructions", 0, 24_000),
    ("sha512_portable", "hash of 4 KiB, SHA-512 by portable code", 0, 0),
    ("data_create", "RMI_DATA_CREATE measured, SHA-256, by what is quicker", 0, 0),
    ("data_create_512", "RMI_DATA_CREATE measured, SHA-512, by what is quicker", 0, 0),
    (BESIDE, "RMI_DATA_CREATE measured, beyond its hashing", 10_000, 3_000),
    ("data_create_unknown", "RMI_DATA_CREATE_UNKNOWN", 2_642, 1_600),
    ("rtt_create", "RMI_RTT_CREATE level 3", 3_381, 2_000),
    ("rec_enter", "REC_ENTER, RSI_HOST_CALL, back", 12_996, 5_000),
    ("rsi_version", "inside: RSI_VERSION round trip", 280, 250),
    ("mmio_read", "inside: MMIO read emulated by the host", 10_746, 5_000),
    ("measurement_extend", "inside: RSI_MEASUREMENT_EXTEND 32 bytes, SHA-256", 7_298, 2_500),
    ("token", "inside: token to completion, after the first", 20_600_000, 3_500_000),
    (SIGN, "one signature at EL3, the same for 64 keys", 0, 0),
    (INTERRUPT, "longest wait of an interrupt while a Realm makes tokens", 0, 0),
    (RESET, "reset to the first Normal-world instruction", 48_300_000, 35_000_000),
    (PLAIN_RESET, "reset, without hashing and key operations", 0, 5_000_000),
];

const RESET: &str = "reset";
/// Derived: RESET less what boot and monitor say that hashing and keys took.
const PLAIN_RESET: &str = "reset_beside";
/// What a test build of the monitor says of its own signing.
const SIGN: &str = "sign";
const INTERRUPT: &str = "interrupt";
/// The most that the way takes from EL3 or a Realm to the host's first instruction.
const WAY_OUT: u64 = 5_000;

/// Derived: RMI_DATA_CREATE less the hashing of its page and of the RIM's descriptor.
const BESIDE: &str = "data_create_beside";
/// Blocks of SHA-256 that a page and a descriptor of 256 bytes take, with their padding.
const PAGE_BLOCKS: u64 = 65;
const DESCRIPTOR_BLOCKS: u64 = 5;

/// The payload's rows: least, median and most.
type Rows = HashMap<String, [u64; 3]>;

/// Measures, and prints ours beside TF-RMM's and the limits.
pub(crate) fn rmm(as_json: bool) -> Done {
    let bench = Bench::prepare()?;
    let counted = bench.measure(&["--icount", "--seed", "1"])?;
    if counted != bench.measure(&["--icount", "--seed", "1"])? {
        return Err("two runs took different numbers of instructions".into());
    }
    constant(&counted)?;
    let mut timed = bench.measure(&[])?;
    // The longest of many times is how long this machine had other work.
    timed.remove(INTERRUPT);
    if as_json {
        let rows: Vec<Value> = ROWS.iter().map(|row| as_value(row, &counted, &timed)).collect();
        println!("{}", json!({"rows": rows}));
    } else {
        println!("  {:>12} {:>10} {:>10} {:>12}", "instructions", "at most", "TF-RMM", "time");
        ROWS.iter().for_each(|row| print(row, &counted, &timed));
    }
    Ok(())
}

/// Signing takes as many instructions whatever the key, and no interrupt waits for more than one signature.
fn constant(rows: &Rows) -> Done {
    let of = |name: &str| rows.get(name).copied().unwrap_or_default();
    let ([least, _, most], [_, _, waited]) = (of(SIGN), of(INTERRUPT));
    if least != most {
        return Err(format!("signing takes from {least} to {most} instructions, by the key").into());
    }
    if waited > most + WAY_OUT {
        return Err(format!("an interrupt waited {waited} instructions, a signature takes {most}").into());
    }
    Ok(())
}

/// What is run.
struct Bench {
    world: World,
    payload: PathBuf,
    /// Firmware whose monitor measures its own signing.
    signing: PathBuf,
}

impl Bench {
    fn prepare() -> Done<Bench> {
        let world = World::prepare()?;
        let payload = world.images.firmware.join("bench.bin");
        images::flat("bench", &[], &payload)?;
        let signing = world.images.firmware.with_file_name("measure-signing");
        images::test_build(&world.images.firmware, "monitor", "measure-signing", &signing)?;
        Ok(Bench { world, payload, signing })
    }

    fn measure(&self, how: &[&str]) -> Done<Rows> {
        let shipped = &self.world.images.firmware;
        let (text, _) = self.run(shipped, how)?;
        let mut rows: Rows = text.lines().filter_map(row).collect();
        // What traces calls also tells what boot takes.
        let (_, told) = self.run(shipped, &[how, &["--trace", "rsi"]].concat())?;
        let keys = root::hashes_and_keys(&told).ok_or_else(|| format!("the firmware tells too little: {told}"))?;
        let (_, told) = self.run(&self.signing, how)?;
        rows.insert(SIGN.into(), root::signatures(&told).ok_or_else(|| format!("not every key signed: {told}"))?);
        derive(&mut rows, keys);
        Ok(rows)
    }

    /// Runs the payload to its end, and gives what it and the firmware say.
    fn run(&self, firmware: &Path, how: &[&str]) -> Done<(String, String)> {
        let mut run = self.world.bare_run(firmware);
        run.arg("--normal-world").arg(&self.payload).args(["--cpus", "1"]).args(how);
        let out = run.stdin(Stdio::null()).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, told) = (text(&out.stdout), text(&out.stderr));
        if !said.contains("bench done") {
            return Err(format!("the payload did not come to its end: {} {}", said.trim(), told.trim()).into());
        }
        Ok((said, told))
    }
}

/// Reads `bench <row> <count> <least> <median> <most>`.
fn row(line: &str) -> Option<(String, [u64; 3])> {
    let words: Vec<&str> = line.strip_prefix("bench ")?.split_whitespace().collect();
    let [name, _, least, median, most] = words[..] else { return None };
    Some((name.to_owned(), [least.parse().ok()?, median.parse().ok()?, most.parse().ok()?]))
}

fn derive(rows: &mut Rows, keys: u64) {
    let of = |name: &str| rows.get(name).copied().unwrap_or_default();
    let (measured, plain) = (of("data_create"), of("data_create_plain"));
    let beside = |n: usize| {
        let hash = measured[n].saturating_sub(plain[n]);
        measured[n].saturating_sub(hash * (PAGE_BLOCKS + DESCRIPTOR_BLOCKS) / PAGE_BLOCKS)
    };
    let plain_reset = of(RESET).map(|reset| reset.saturating_sub(keys));
    rows.extend([(BESIDE.into(), std::array::from_fn(beside)), (PLAIN_RESET.into(), plain_reset)]);
}

fn print((name, what, theirs, limit): &(&str, &str, u64, u64), counted: &Rows, timed: &Rows) {
    let [_, ours, _] = counted.get(*name).copied().unwrap_or_default();
    let [_, nanoseconds, _] = timed.get(*name).copied().unwrap_or_default();
    let known = |number: u64| if number == 0 { "-".to_owned() } else { number.to_string() };
    let (theirs, most) = (known(*theirs), known(*limit));
    let mark = if *limit > 0 && ours > *limit { '!' } else { ' ' };
    let microseconds = match nanoseconds {
        0 => "-".to_owned(),
        _ => format!("{}.{} µs", nanoseconds / 1000, nanoseconds % 1000 / 100),
    };
    println!("{mark} {ours:>12} {most:>10} {theirs:>10} {microseconds:>12}  {what}");
}

fn as_value((name, what, theirs, limit): &(&str, &str, u64, u64), counted: &Rows, timed: &Rows) -> Value {
    let span = |rows: &Rows| {
        let [least, median, most] = rows.get(*name).copied().unwrap_or_default();
        json!({"least": least, "median": median, "most": most})
    };
    json!({"row": name, "what": what, "instructions": span(counted), "limit": limit, "tf_rmm": theirs,
        "nanoseconds": span(timed)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_payload_are_read_and_others_are_not() {
        assert_eq!(row("bench x 3 1 2 4"), Some(("x".into(), [1, 2, 4])));
        assert_eq!([row("bench done"), row("bench: panicked"), row("x 3 1 2 4")], [None, None, None]);
    }

    #[test]
    fn hashing_is_taken_out_of_data_create_and_of_reset() {
        let mut rows = Rows::from([
            ("data_create".into(), [7_500; 3]),
            ("data_create_plain".into(), [1_000; 3]),
            (RESET.into(), [90; 3]),
        ]);
        derive(&mut rows, 50);
        assert_eq!((rows[BESIDE], rows[PLAIN_RESET]), ([500; 3], [40; 3]));
    }

    #[test]
    fn a_signature_that_depends_on_its_key_fails_and_so_does_an_interrupt_that_waits_longer() {
        let rows = |sign, interrupt| Rows::from([(SIGN.into(), sign), (INTERRUPT.into(), [interrupt; 3])]);
        assert!(constant(&rows([100; 3], 100 + WAY_OUT)).is_ok());
        assert!(constant(&rows([99, 100, 100], 100)).is_err());
        assert!(constant(&rows([100; 3], 101 + WAY_OUT)).is_err());
    }
}
