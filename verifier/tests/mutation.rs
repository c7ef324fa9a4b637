//! Every single bit of a token counts: each flip is refused.

mod maker;

use allod_verifier::Anchors;
use allod_verifier::certificate::Identity;
use allod_verifier::key::Key;
use maker::token::Maker;
use maker::{IMPLEMENTATION, NOW, good_references, instance, judge_by, key};

/// The platform's key, pinned: no bit of a token has a part in the chain of certificates, which costs half the time.
fn pinned() -> Anchors {
    let mut anchors = Anchors::new();
    let identity = Identity { implementation_id: IMPLEMENTATION, instance_id: instance(&key(3)) };
    anchors.pin(identity, Key::P384(*key(3).verifying_key()));
    anchors
}

#[test]
fn every_flip_of_a_single_bit_is_refused() {
    let token = Maker::default().token();
    let (anchors, references) = (pinned(), good_references());
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
