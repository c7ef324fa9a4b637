//! Stress: all CPUs issue commands at random on the same granules. Every status must be one that the specification has for the
//! command, nothing of a Realm comes back with a granule, and when all is taken down the RMM's walk finds what it found first.

mod command;
mod granules;

use crate::call::{must, timed};
use crate::memory::page;
use crate::{dismantle, memory, realm, uart, walk};
use abi::rmi::{RealmParams, fid};
use command::{COMMANDS, Random};
use core::arch::global_asm;
use core::fmt::Write;
use core::ptr::copy_nonoverlapping;
use core::sync::atomic::{AtomicU64, Ordering};
use cpu::gic::Redistributor;
use granules::{BLOCK, BLOCK_IPA, LAST, Role, SOURCE, SPARE};

global_asm!(include_str!("stress/inside.s"));

unsafe extern "C" {
    static stress_inside: u8;
    fn bench_other();
}

/// PPI of the hypervisor's timer, which ends every run of a vCPU.
const TIMER: u32 = 26;
const ROUNDS: u64 = 4;

/// Seed and commands for each CPU, as `--append stress=SEED,COMMANDS` says.
static ASKED: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
/// The round that CPUs may run, and how many have ended theirs, over all rounds.
static ROUND: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);

/// Runs the whole of it, on the first CPU.
pub fn all_cpus() {
    let [seed, commands] = asked();
    let _ = writeln!(uart(), "bench stress seed {seed} commands {commands}");
    ASKED[0].store(seed, Ordering::Relaxed);
    ASKED[1].store(commands, Ordering::Relaxed);
    let first = walk::census("first");
    // SAFETY: a page of this image, copied to one of the pool, which is mapped and has no references.
    unsafe { copy_nonoverlapping(&raw const stress_inside, memory::fresh(page(SOURCE)), abi::GRANULE) }
    build_block();
    let others = (1..abi::map::MAX_CPUS as u64).filter(|cpu| start(*cpu)).count() as u64;
    let mut random = Random::new(0, seed);
    for round in 1..=ROUNDS {
        ROUND.store(round, Ordering::Release);
        random.issue(commands / ROUNDS);
        wait_for(others * round);
        walk::census("round");
    }
    tell(others + 1);
    dismantle::all(0..LAST, page(SPARE));
    let same = walk::census("last") == first;
    let _ = writeln!(uart(), "bench walk same {same}");
    granules::clean();
}

/// Waits until as many rounds have ended. A CPU that does not come back is a finding.
fn wait_for(rounds: u64) {
    const SECONDS: u64 = 60;
    let begun = cpu::read!(cntpct_el0);
    while ENDED.load(Ordering::Acquire) < rounds {
        assert!(cpu::read!(cntpct_el0) - begun < SECONDS * cpu::read!(cntfrq_el0), "a CPU does not come back");
        core::hint::spin_loop();
    }
}

/// Another CPU, once its stack is there.
#[unsafe(no_mangle)]
extern "C" fn stress_other(cpu: usize) -> ! {
    memory::enable_again();
    let [seed, commands] = [0, 1].map(|n: usize| ASKED[n].load(Ordering::Relaxed));
    let mut random = Random::new(cpu, seed);
    for round in 1..=ROUNDS {
        while ROUND.load(Ordering::Acquire) < round {
            core::hint::spin_loop();
        }
        random.issue(commands / ROUNDS);
        ENDED.fetch_add(1, Ordering::AcqRel);
    }
    timed([u64::from(abi::psci::CPU_OFF), 0, 0, 0, 0, 0]);
    cpu::barrier::halt()
}

fn start(cpu: u64) -> bool {
    let ([status, ..], _) = timed([u64::from(abi::psci::CPU_ON_64), cpu, bench_other as *const () as u64, cpu, 0, 0]);
    status == 0
}

/// Reads what was asked for out of the device tree, as bytes: `stress=` stands in its command line alone.
fn asked() -> [u64; 2] {
    const WORD: &[u8] = b"stress=";
    // SAFETY: the tree is mapped, and nobody writes it.
    let tree = unsafe { core::slice::from_raw_parts(abi::map::DRAM as *const u8, abi::map::DEVICE_TREE_SIZE as usize) };
    let Some(at) = tree.windows(WORD.len()).position(|bytes| bytes == WORD) else { return [1, 4_000] };
    let mut numbers = tree[at + WORD.len()..].split(|byte| !byte.is_ascii_digit());
    let mut next = || numbers.next().unwrap_or_default().iter().fold(0, |sum, digit| sum * 10 + u64::from(digit & 0xf));
    [next(), next()]
}

/// A Realm with a block of 2 MiB of data, so that there is something to unfold and to fold.
fn build_block() {
    let params: *mut RealmParams = memory::fresh(page(granules::private(0)));
    let [rd, root, level2, level3] = [0, 1, 2, 3].map(realm::delegated);
    // SAFETY: a granule of ours, mapped and without references.
    unsafe {
        (*params).s2sz = realm::WIDTH;
        (*params).num_bps = 1;
        (*params).num_wps = 1;
        (*params).rtt_base = root;
        (*params).rtt_level_start = 1;
        (*params).rtt_num_start = 1;
    }
    must(fid::REALM_CREATE, [rd, page(granules::private(0)), 0, 0, 0]);
    must(fid::RTT_CREATE, [rd, level2, 0, 2, 0]);
    must(fid::RTT_CREATE, [rd, level3, BLOCK_IPA, 3, 0]);
    for number in 0..512 {
        let data = realm::delegated(BLOCK + number);
        must(fid::DATA_CREATE_UNKNOWN, [rd, data, BLOCK_IPA + (number << 12), 0, 0]);
    }
    must(fid::RTT_FOLD, [rd, BLOCK_IPA, 3, 0, 0]);
    let roles = [Role::New, Role::Rtt, Role::Rtt, Role::Delegated];
    roles.into_iter().zip(0..).for_each(|(role, number)| granules::note(page(number), role));
}

/// Opens the interrupt controller of a CPU to its timer.
fn open_timer(cpu: usize) {
    cpu::gic::open_el2();
    // SAFETY: this CPU's redistributor is mapped and nobody else's business.
    unsafe { Redistributor::new(abi::map::GICR as usize, cpu) }.enable(TIMER, 0x80);
}

fn tell(cpus: u64) {
    let _ = writeln!(uart(), "bench stress cpus {cpus}");
    for command in &COMMANDS {
        let [all, done] = [0, 1].map(|n: usize| command.counts[n].load(Ordering::Relaxed));
        let _ = writeln!(uart(), "bench stress {} {all} {done}", command.name);
    }
    let _ = writeln!(uart(), "bench stress exits {:?}", command::exits());
}
