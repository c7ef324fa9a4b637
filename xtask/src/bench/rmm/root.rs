//! What boot and the monitor tell of their own work on their port, which `allod run` passes on to stderr.

/// How many keys the test build of the monitor signs with.
const KEYS: usize = 64;

/// What of boot's and the monitor's work is hashing, or done with keys: what their lines begin with.
const OF_HASHES_AND_KEYS: [&str; 8] = [
    "boot: hashed BOOT: ",
    "boot: verified signature of Monitor: ",
    "boot: hashed Monitor: ",
    "boot: verified signature of Rmm: ",
    "boot: hashed Rmm: ",
    "boot: derived keys: ",
    "boot: signed platform token: ",
    "monitor: checked keys: ",
];

/// Adds up what hashing and keys took; nothing if a stage is missing.
pub(super) fn hashes_and_keys(said: &str) -> Option<u64> {
    OF_HASHES_AND_KEYS.into_iter().map(|stage| said.lines().find_map(|line| ticks(line, stage))).sum()
}

/// Gives the least, the median and the most that signing took, by all keys.
pub(super) fn signatures(said: &str) -> Option<[u64; 3]> {
    let by_key = |number| said.lines().find_map(|line| ticks(line, &format!("monitor: signed by key {number}: ")));
    let mut took = (0..KEYS).map(by_key).collect::<Option<Vec<u64>>>()?;
    took.sort_unstable();
    Some([took[0], took[KEYS / 2], took[KEYS - 1]])
}

fn ticks(line: &str, stage: &str) -> Option<u64> {
    line.strip_prefix(stage)?.strip_suffix(" ticks")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_counts_once_and_none_may_be_missing() {
        let lines = OF_HASHES_AND_KEYS.map(|stage| format!("{stage}10 ticks"));
        assert_eq!(hashes_and_keys(&lines.join("\n")), Some(80));
        assert_eq!(hashes_and_keys(&format!("boot: copied BOOT: 7 ticks\n{}", lines.join("\n"))), Some(80));
        assert_eq!(hashes_and_keys(&lines[1..].join("\n")), None);
    }

    #[test]
    fn every_key_has_signed() {
        let line = |number: usize| format!("monitor: signed by key {number}: {} ticks", 100 - number);
        let lines: Vec<String> = (0..KEYS).map(line).collect();
        assert_eq!(signatures(&lines.join("\n")), Some([37, 69, 100]));
        assert_eq!(signatures(&lines[1..].join("\n")), None);
    }
}
