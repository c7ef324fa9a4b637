use abi::GRANULE;
use abi::measurement::Hash;
use evidence::hex;

use super::{Params, Rim};

fn params(hash: Hash) -> Params {
    Params { ipa_width: 40, sve: None, num_bps: 5, num_wps: 3, pmu: None, hash }
}

/// The four steps of the published vector, with the RIM after creation and after each.
fn vector(hash: Hash) -> [String; 5] {
    let page: [u8; GRANULE] = std::array::from_fn(|n| n as u8);
    let mut rim = Rim::new(&params(hash));
    let mut after = |step: &dyn Fn(&mut Rim)| {
        step(&mut rim);
        hex::encode(rim.value())
    };
    [
        after(&|_| {}),
        after(&|rim| rim.ripas(0x8000_0000, 0x8020_0000)),
        after(&|rim| rim.data(0x8000_0000, &page)),
        after(&|rim| rim.data_unmeasured(0x8000_1000)),
        after(&|rim| rim.rec(0x8000_0000, &[0x8100_0000, 0, 0, 0, 0, 0, 0, 0])),
    ]
}

#[test]
fn sha256_fold_is_the_known_answer() {
    let expected = [
        "f33498f22eed8d51fb28b95769b27275a8c69a469e26b0050f1e809c4e0146b4",
        "f1716fdda6e64db71c74619256e348fab4818fd547d9abc6b8cab34ab5a8001c",
        "9eefe4ea03b10d594a2b2fd2a36bba55d8c4e8636d3776e06ffb4cac4e693780",
        "ccf2eaf4dd880d7f3aec5000adae9bfa3a65dd29ada4cd10c14954c8ce0a5e84",
        "9aab43f9767c7a4f90493e8f50379be96664b438588448c4d8e96ffc19aabf3f",
    ];
    assert_eq!(vector(Hash::Sha256), expected);
}

#[test]
fn sha512_fold_is_the_known_answer() {
    let [create, .., last] = vector(Hash::Sha512);
    assert_eq!(
        create,
        "1cda1fc639e5604da537f04e7f2d6f8e18894c86f4b64f3397783b090053ba0d\
         81dd585810b5aad1e5c2ac5c65fa0c8ad8b125031ae2d3a987f0d84dd775c4c6"
    );
    assert_eq!(
        last,
        "8c33109e996d6157bfb3f8f508d61dafe5161754e9712d45974f9f34ad76f31b\
         b8ac7e00866a2ba1a477320e9501cc8457be2c497bfd2e75506cc6c7f2b76e03"
    );
}

#[test]
fn every_parameter_counts() {
    let base = params(Hash::Sha256);
    let value = |params: &Params| Rim::new(params).value().to_vec();
    let changed = [
        Params { ipa_width: 41, ..base },
        Params { sve: Some(0), ..base },
        Params { sve: Some(15), ..base },
        Params { num_bps: 4, ..base },
        Params { num_wps: 4, ..base },
        Params { pmu: Some(0), ..base },
        Params { pmu: Some(6), ..base },
        Params { hash: Hash::Sha512, ..base },
    ];
    let values: std::collections::BTreeSet<_> = changed.iter().chain([&base]).map(value).collect();
    assert_eq!(values.len(), changed.len() + 1);
}

#[test]
fn a_granule_of_zeros_is_hashed_as_any_other() {
    let mut rim = Rim::new(&params(Hash::Sha256));
    rim.zeros = [0xee; super::FIELD];
    let mut other = Rim::new(&params(Hash::Sha256));
    rim.data(0, &[0; GRANULE]);
    other.data(0, &[0; GRANULE]);
    assert_ne!(rim.value(), other.value(), "the digest at hand is the one that is taken");
    assert_eq!(other.zeros, super::digest(Hash::Sha256, &[0; GRANULE]));
}
