//! The RIM of a kernel beside the hash of the same bytes by the same library: `cargo xtask bench verify`.

use abi::measurement::Hash;
use allod_measure::direct::expect;
use host::config::Config;
use host::plan::Images;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::time::Instant;

/// Length of the kernel: that of Debian's cloud kernel of 2026.
const KERNEL: usize = 41_164_736;
/// Rounds, each of which times both, so that a busy machine disturbs both.
const ROUNDS: usize = 9;

fn main() {
    let kernel = kernel();
    let cmdline = "console=hvc0".to_string();
    let config =
        Config { memory: 256 << 20, cpus: 1, hash: Hash::Sha256, rpv: [0; 64], cmdline, realms: 1, attack: None };
    let images = Images { kernel: &kernel, initrd: &[] };
    let rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| {
            let hash = seconds(|| Sha256::digest(black_box(&kernel)));
            let rim = seconds(|| expect(black_box(&images), &config).expect("a Realm"));
            (hash, rim)
        })
        .collect();
    let [hash, rim] = [median(rounds.iter().map(|it| it.0)), median(rounds.iter().map(|it| it.1))];
    let ratio = median(rounds.iter().map(|(hash, rim)| rim / hash));
    println!(r#"{{"kernel_bytes": {KERNEL}, "hash": {hash}, "rim": {rim}, "ratio": {ratio}}}"#);
}

/// An arm64 `Image` with nothing in it that repeats from page to page.
fn kernel() -> Vec<u8> {
    let mut kernel: Vec<u8> = (0..KERNEL).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
    kernel[..64].fill(0);
    kernel[16..24].copy_from_slice(&(KERNEL as u64 + 0x10_0000).to_le_bytes());
    kernel[56..60].copy_from_slice(b"ARM\x64");
    kernel
}

/// Seconds of CPU where the kernel tells them, else of the clock.
fn seconds<T>(run: impl FnOnce() -> T) -> f64 {
    let cpu = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
    };
    let (begun, clock) = (cpu(), Instant::now());
    black_box(run());
    cpu().zip(begun).map_or_else(|| clock.elapsed().as_secs_f64(), |(now, begun)| now - begun)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
