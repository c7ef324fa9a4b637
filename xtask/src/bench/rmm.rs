//! `cargo xtask bench rmm`: what each operation of the firmware takes, in instructions and in time, measured by
//! `firmware/bench` as the Normal world of one CPU.

use crate::demo::World;
use crate::{Done, images, tool};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// An operation: the payload's name for it, what it is, TF-RMM's instructions, and the most that ours may take; zero is none.
const ROWS: [(&str, &str, u64, u64); 19] = [
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
    ("reset", "reset to the first Normal-world instruction", 48_300_000, 35_000_000),
];

/// Derived: RMI_DATA_CREATE less the hashing of its page and of the RIM's descriptor.
const BESIDE: &str = "data_create_beside";
/// Blocks of SHA-256 that a page and a descriptor of 256 bytes take, with their padding.
const PAGE_BLOCKS: u64 = 65;
const DESCRIPTOR_BLOCKS: u64 = 5;

/// The payload's rows: least, median and most.
type Rows = HashMap<String, [u64; 3]>;

/// Measures, and prints ours beside TF-RMM's and the limits.
pub(crate) fn rmm(as_json: bool) -> Done {
    let world = World::prepare()?;
    let image = world.images.firmware.join("bench.bin");
    images::flat("bench", &[], &image)?;
    let counted = measure(&world, &image, &["--icount", "--seed", "1"])?;
    if counted != measure(&world, &image, &["--icount", "--seed", "1"])? {
        return Err("two runs took different numbers of instructions".into());
    }
    let timed = measure(&world, &image, &[])?;
    if as_json {
        let rows: Vec<Value> = ROWS.iter().map(|row| as_value(row, &counted, &timed)).collect();
        println!("{}", json!({"rows": rows}));
    } else {
        println!("  {:>12} {:>10} {:>10} {:>12}", "instructions", "at most", "TF-RMM", "time");
        ROWS.iter().for_each(|row| print(row, &counted, &timed));
    }
    Ok(())
}

fn measure(world: &World, image: &Path, how: &[&str]) -> Done<Rows> {
    let mut run = world.bare_run(&world.images.firmware);
    run.arg("--normal-world").arg(image).args(["--cpus", "1"]).args(how);
    let text = tool::output(&mut run)?;
    let mut rows: Rows = text.lines().filter_map(row).collect();
    if !text.contains("bench done") {
        return Err(format!("the payload did not come to its end: {}", text.trim()).into());
    }
    derive(&mut rows);
    Ok(rows)
}

/// Reads `bench <row> <count> <least> <median> <most>`.
fn row(line: &str) -> Option<(String, [u64; 3])> {
    let words: Vec<&str> = line.strip_prefix("bench ")?.split_whitespace().collect();
    let [name, _, least, median, most] = words[..] else { return None };
    Some((name.to_owned(), [least.parse().ok()?, median.parse().ok()?, most.parse().ok()?]))
}

fn derive(rows: &mut Rows) {
    let of = |name: &str| rows.get(name).copied().unwrap_or_default();
    let (measured, plain) = (of("data_create"), of("data_create_plain"));
    let beside = |n: usize| {
        let hash = measured[n].saturating_sub(plain[n]);
        measured[n].saturating_sub(hash * (PAGE_BLOCKS + DESCRIPTOR_BLOCKS) / PAGE_BLOCKS)
    };
    rows.insert(BESIDE.into(), std::array::from_fn(beside));
}

fn print((name, what, theirs, limit): &(&str, &str, u64, u64), counted: &Rows, timed: &Rows) {
    let [_, ours, _] = counted.get(*name).copied().unwrap_or_default();
    let [_, nanoseconds, _] = timed.get(*name).copied().unwrap_or_default();
    let known = |number: u64| if number == 0 { "-".to_owned() } else { number.to_string() };
    let (theirs, most) = (known(*theirs), known(*limit));
    let mark = if *limit > 0 && ours > *limit { '!' } else { ' ' };
    let microseconds = format!("{}.{} µs", nanoseconds / 1000, nanoseconds % 1000 / 100);
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
    fn hashing_is_taken_out_of_data_create() {
        let mut rows = Rows::from([("data_create".into(), [7_500; 3]), ("data_create_plain".into(), [1_000; 3])]);
        derive(&mut rows);
        assert_eq!(rows[BESIDE], [500; 3]);
    }
}
