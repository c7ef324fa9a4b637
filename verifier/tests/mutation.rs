//! Every single bit of a token counts: each flip is refused.

mod maker;

use maker::token::Maker;
use maker::{NOW, good_anchors, good_references, judge_by};

#[test]
fn every_flip_of_a_single_bit_is_refused() {
    let token = Maker::default().token();
    let (anchors, references) = (good_anchors(), good_references());
    assert!(judge_by(&token, &anchors, &references, NOW).affirms(), "the control");
    let refused = |at: usize| {
        for bit in 0..8 {
            let mut bad = token.clone();
            bad[at] ^= 1 << bit;
            let verdict = judge_by(&bad, &anchors, &references, NOW);
            assert!(!verdict.affirms() && verdict.failed().is_some(), "byte {at}, bit {bit}");
            // What is refused before it is authentic says nothing.
            assert!(verdict.platform().is_none() && verdict.realm().is_none(), "byte {at}, bit {bit}");
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (token, refused) = (&token, &refused);
            scope.spawn(move || (worker..token.len()).step_by(workers).for_each(refused));
        }
    });
}
