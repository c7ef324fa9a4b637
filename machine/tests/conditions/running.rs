//! Conditions that take more than one call to be met: a REC that runs on another CPU, a realm that is full.

use std::thread;

use host::vmm::Normal;
use machine::model::{GRANULE, fid};
use machine::{Board, Machine, Op};

use crate::stage::*;

/// What the tests below show.
pub const ROWS: [&str; 4] =
    ["RMI_REC_ENTER.rec_state", "RMI_REC_DESTROY.rec_state", "RMI_RTT_SET_RIPAS.rec_state", "RMI_REC_CREATE.num_recs"];

const INPUT: u64 = 1;
const REC: u64 = 3;

#[test]
fn a_rec_that_runs_is_refused_and_runs_on() {
    let board = board();
    let stage = Stage::new(&board);
    let (machine, first) = (&stage.machine, CHANGING);
    let calls = [
        vec![fid::REC_ENTER, first, SOURCE],
        vec![fid::REC_DESTROY, first],
        vec![fid::RTT_SET_RIPAS, ACTIVE, first, 2 * GRANULE, 4 * GRANULE],
    ];
    thread::scope(|scope| {
        let other = scope.spawn(|| machine.on_cpu(1, || stage.enter(first, &[Op::Wfi])[0]));
        while !machine.is_waiting(1) {
            thread::yield_now();
        }
        for call in &calls {
            let before = machine.digest();
            assert_eq!(stage.call(call), [REC, 0, 0, 0, kept_x4(call)], "{call:#x?}");
            assert_eq!(machine.digest(), before, "{call:#x?} has an effect");
        }
        let page = [fid::REC_ENTER, first, SPARE];
        let answer = stage.call(&page);
        machine.kick(1);
        assert_eq!(other.join().expect("the REC comes back"), 0);
        machine.on_cpu(1, || machine.acknowledge());
        assert_eq!(answer, [INPUT, 0, 0, 0, 0], "a page that is not the host's comes before a REC that runs");
    });
    // When it does not run it is entered and destroyed; the change of RIPAS was answered by the entry.
    assert_eq!(stage.enter(first, &[])[0], 0);
    assert_eq!(stage.call(&calls[1])[0], 0);
}

#[test]
fn a_full_realm_takes_no_more_recs() {
    const FIRST: u64 = abi::map::RMM_END;
    let of = |number: u64| FIRST + number * GRANULE;
    let probe = board();
    let most = (1 << (Machine::new(&probe).call([fid::FEATURES, 0, 0, 0, 0, 0, 0, 0])[1] >> 38 & 0xF)) - 1;
    let aux = Stage::new(&probe).aux;
    let board = Board::new(4 + (most + 1) * (1 + aux));
    let machine = Machine::new(&board);
    let call = |x: &[u64]| {
        let mut registers = [0; 8];
        registers[..x.len()].copy_from_slice(x);
        machine.call(registers)[0]
    };
    let write = |words: &Words| words.iter().for_each(|(at, value)| machine.store(of(2) + *at as u64, *value));
    for number in (0..2).chain(4..4 + (most + 1) * (1 + aux)) {
        assert_eq!(call(&[fid::GRANULE_DELEGATE, of(number)]), 0);
    }
    write(&realm(1, of(1)));
    assert_eq!(call(&[fid::REALM_CREATE, of(0), of(2)]), 0);
    machine.write(of(2), &[0; GRANULE as usize]);
    let prepare = |index: u64| {
        let rec = of(4 + index * (1 + aux));
        let parts: Vec<u64> = (1..=aux).map(|number| rec + number * GRANULE).collect();
        // Aff0 has four bits only.
        write(&rec_words(index & 0xF | index >> 4 << 8, false, 0, &parts));
        [fid::REC_CREATE, of(0), rec, of(2)]
    };
    for index in 0..most {
        assert_eq!(call(&prepare(index)), 0, "REC {index} of {most}");
    }
    let one_more = prepare(most);
    let before = machine.digest();
    assert_eq!(call(&one_more), 2);
    assert_eq!(machine.digest(), before);
}

/// RECs that were destroyed give the realm room, and their indices to nobody.
#[test]
fn an_index_beyond_what_a_granule_word_holds_is_refused() {
    const LAST: u64 = 0x3FF;
    let board = board();
    let stage = Stage::new(&board);
    let aux: Vec<u64> = SPARES.into_iter().take(stage.aux as usize).collect();
    let create = |index: u64| {
        stage.write(PARAMS, &rec_words(index & 0xF | index >> 4 << 8, false, 0, &aux));
        stage.call(&[fid::REC_CREATE, NEW, SPARE, PARAMS])
    };
    // The stage has made the first two.
    for index in 2..=LAST {
        assert_eq!(create(index)[0], 0, "REC {index}");
        assert_eq!(stage.call(&[fid::REC_DESTROY, SPARE])[0], 0);
    }
    assert_eq!(create(LAST + 1), [INPUT, 0, 0, 0, 0]);
}
