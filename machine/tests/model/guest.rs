//! Entries at random, and what the Realm does in them.

use machine::Op;
use machine::model::{GRANULE, Model, Realm};

use crate::command::{Command, Words};
use crate::generate::Generator;

const RSI: u64 = 0xC400_0190;
const PSCI: u64 = 0xC400_0000;

/// An entry into a REC.
pub fn enter(from: &mut Generator, model: &Model, rec: u64, run: u64) -> Command {
    let irq = from.random.chance(3);
    let emulatable = model.recs.get(&rec).is_some_and(machine::model::Rec::is_emulatable);
    let mut page = page(from, irq, emulatable);
    let realm = model.recs.get(&rec).map(|rec| &model.realms[&rec.owner]);
    let count = from.random.pick(&[0, 1, 1, 2, 3, 5]);
    let ops = match realm {
        None => vec![],
        Some(realm) if irq => vec![Op::Load { ipa: address(from, realm) }],
        Some(realm) if from.random.chance(1) => token(from, realm),
        Some(realm) => (0..count).map(|_| op(from, realm)).collect(),
    };
    if ops.contains(&Op::Wfi) {
        page[0].1 |= 4;
    }
    Command::Enter { rec, run, page, irq, ops }
}

fn page(from: &mut Generator, irq: bool, emulatable: bool) -> Words {
    let random = &mut from.random;
    let emulate = if emulatable { 6 } else { 1 };
    let flags = random.weighted(&[(8, 0), (emulate, 1), (2, 2), (1, 3), (3, 16), (emulate / 2, 17), (1, !0xFF)]);
    let trap = if irq { 0 } else { random.pick(&[0, 0, 4, 8, 12]) };
    let mut words = vec![(0, flags | trap)];
    words.extend((0..4).map(|number| (0x200 + number * 8, random.next())));
    if random.chance(10) {
        words.push((0x300, random.pick(&[0xFE, 1 << 14, 2, 1, 1 << 8, 1 << 27, !0])));
    }
    if random.chance(10) {
        let pending = 1 << 62 | 1 << 60;
        let lrs = [pending | 27, pending | 1019, pending | 8192 | 0xF8 << 48, pending | 32, pending | 1 << 41 | 33];
        let odd = [
            pending | 1020,
            pending | 1 << 61 | 40,
            pending | 32 | 1 << 48,
            pending | 1 << 32 | 50,
            pending | 0x1_0000,
        ];
        words.push((0x308, random.pick(&lrs)));
        words.push((0x308 + 24, if random.chance(30) { random.pick(&odd) } else { random.pick(&lrs) }));
    }
    words
}

/// An address that a program touches, aligned to eight bytes, and not wider than the processor's physical addresses: a
/// wider one would fault in stage 1.
fn address(from: &mut Generator, realm: &Realm) -> u64 {
    let ipa = if from.random.chance(60) { from.mapped(realm) } else { from.ipa(realm) };
    (ipa & 0xFFFF_FFFF_F000) | (from.random.below(512) * 8)
}

fn op(from: &mut Generator, realm: &Realm) -> Op {
    match from.random.below(20) {
        0..4 => Op::Load { ipa: address(from, realm) },
        4..8 => Op::Store { ipa: address(from, realm), value: from.random.next() },
        8 => Op::Wfi,
        9..12 => ripas_change(from, realm),
        12 => psci(from, realm),
        13 => Op::Smc(vec![PSCI + 3, from.random.below(4), from.pc(), from.random.next()]),
        _ => rsi(from, realm),
    }
}

/// A token, asked for and fetched piece by piece.
fn token(from: &mut Generator, realm: &Realm) -> Vec<Op> {
    let page = from.mapped(realm);
    let step = from.random.pick(&[64, 1000, 2048, 4096]);
    let challenge: Vec<u64> = (0..8).map(|_| from.random.next()).collect();
    let mut ops = vec![Op::Smc([vec![RSI + 4], challenge].concat())];
    ops.extend((0..5).map(|number| Op::Smc(vec![RSI + 5, page, number * step % GRANULE, step.min(GRANULE)])));
    ops
}

fn ripas_change(from: &mut Generator, realm: &Realm) -> Op {
    let base = if from.random.chance(40) { from.mapped(realm) } else { from.ipa(realm) };
    let length = from.random.pick(&[1, 1, 2, 3, 511, 512, 513, 0, 1 << 18]) * GRANULE;
    let ripas = from.random.weighted(&[(8, 0), (8, 1), (1, 2), (1, 3), (1, 0x100)]);
    let flags = from.random.pick(&[0, 0, 1, 1, 2, !0]);
    Op::Smc(vec![RSI + 7, base, base.wrapping_add(length), ripas, flags])
}

fn psci(from: &mut Generator, realm: &Realm) -> Op {
    let random = &mut from.random;
    let mpidr = random.pick(&[0, 1, 2, 3, 16, 1 << 8, 1 << 32]);
    let half = realm.space.half();
    Op::Smc(match random.below(24) {
        0 => vec![0x8400_0002],
        1 => vec![random.pick(&[0x8400_0008, 0x8400_0009])],
        2 => vec![0x8000_0000],
        3 => vec![0x8400_0000],
        4 => vec![PSCI + 3, mpidr, random.pick(&[half, half * 2, !0]), 0],
        5 => vec![
            0x8400_000A,
            random.pick(&[
                0x8400_0000,
                0xC400_0001,
                0x8400_0002,
                0xC400_0003,
                0xC400_0004,
                0x8400_000A,
                0x8000_0000,
                0x8400_0008,
                0x8400_0006,
                RSI,
            ]),
        ],
        6 => vec![
            random.pick(&[
                0x8400_0005,
                0x8400_0014,
                0xC400_0014,
                0x8000_0001,
                0xC400_0150,
                0xC400_0158,
                0,
                !0,
                0xC400_019A,
            ]),
            1,
            2,
            3,
        ],
        7..12 => vec![PSCI + 1, random.next(), 0, 0],
        _ => vec![PSCI + 4, mpidr, random.pick(&[0, 0, 0, 0, 1, 2])],
    })
}

fn rsi(from: &mut Generator, realm: &Realm) -> Op {
    let page = if from.random.chance(60) { from.mapped(realm) } else { from.ipa(realm) };
    let end = from.ipa(realm);
    let random = &mut from.random;
    Op::Smc(match random.below(40) {
        0 => vec![RSI, random.pick(&[0x1_0000, 0x1_0001, 0])],
        1 => vec![RSI + 1, random.below(3)],
        2..10 => vec![RSI + 2, random.pick(&[0, 0, 0, 1, 2, 3, 4, 5, !0])],
        10..14 => {
            let mut x =
                vec![RSI + 3, random.pick(&[1, 1, 2, 3, 4, 0, 5]), random.pick(&[0, 1, 32, 33, 64, 64, 65, !0])];
            x.extend((0..8).map(|_| random.next()));
            x
        }
        14 if random.chance(10) => [vec![RSI + 4], (0..8).map(|_| random.next()).collect()].concat(),
        15..17 => vec![RSI + 5, page, random.pick(&[0, 0, 8, 4095, 4096, !0]), random.pick(&[0, 64, 1024, 4096, !0])],
        17..22 => vec![RSI + 6, page],
        22..30 => {
            let top = page.wrapping_add(random.pick(&[1, 2, 512, 513]) * GRANULE);
            vec![RSI + 8, page, if random.chance(80) { top } else { end }]
        }
        _ => vec![RSI + 9, page | random.pick(&[0, 0, 0, 256, 0xF00, 8])],
    })
}
