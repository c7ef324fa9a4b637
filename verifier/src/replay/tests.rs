use super::*;
use evidence::hex::{decode, encode};

fn hex(text: &str) -> Vec<u8> {
    decode(text).expect("hexadecimal")
}

fn entry(register: u32, kind: u32, digests: &[(Algorithm, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut bytes = [register.to_le_bytes(), kind.to_le_bytes(), (digests.len() as u32).to_le_bytes()].concat();
    for (algorithm, value) in digests {
        bytes.extend(algorithm.id().to_le_bytes());
        bytes.extend(*value);
    }
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

fn header(register: u32, algorithms: &[Algorithm]) -> Vec<u8> {
    let mut data = b"Spec ID Event03\0\0\0\0\0\0\x02\x6a\x02".to_vec();
    data.extend((algorithms.len() as u32).to_le_bytes());
    for algorithm in algorithms {
        data.extend(algorithm.id().to_le_bytes());
        data.extend((algorithm.size() as u16).to_le_bytes());
    }
    data.push(0);
    let start = [register.to_le_bytes(), 3u32.to_le_bytes()].concat();
    [start, vec![0; 20], (data.len() as u32).to_le_bytes().to_vec(), data].concat()
}

fn separator(register: u32) -> Vec<u8> {
    let digest = hash(Algorithm::Sha256, &[&[0; 4]]).expect("known");
    entry(register, 4, &[(Algorithm::Sha256, &digest)], &[0; 4])
}

#[test]
fn known_answers_of_the_hashes() {
    let abc = |algorithm| encode(&hash(algorithm, &[b"a", b"bc"]).expect("known"));
    assert_eq!(abc(Algorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(abc(Algorithm::Sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(abc(Algorithm::Sm3), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    assert!(abc(Algorithm::Sha384).starts_with("cb00753f45a35e8bb5a03d699ac65007"));
    assert!(abc(Algorithm::Sha512).starts_with("ddaf35a193617abacc417349ae204131"));
    assert_eq!(hash(Algorithm::Other { id: 0x27, size: 32 }, &[b"abc"]), None);
}

#[test]
fn a_separator_extends_as_others_found() {
    let bytes = [header(1, &[Algorithm::Sha256]), separator(1)].concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    let [first, second, third, fourth] = rems(&log, Algorithm::Sha256).expect("replays");
    assert_eq!(encode(&first), "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969");
    assert_eq!([second, third, fourth], [const { [0; 32] }; 3].map(Vec::from), "what is not extended is zero");
    assert_eq!(registers(&log, Algorithm::Sha256).expect("replays").keys().collect::<Vec<_>>(), [&1]);
}

#[test]
fn order_within_a_register_counts_and_between_registers_does_not() {
    let one = entry(1, 5, &[(Algorithm::Sha256, &[1; 32])], b"a");
    let two = entry(1, 5, &[(Algorithm::Sha256, &[2; 32])], b"b");
    let other = entry(2, 5, &[(Algorithm::Sha256, &[3; 32])], b"c");
    let replayed = |parts: &[&[u8]]| {
        let bytes = [header(1, &[Algorithm::Sha256]), parts.concat()].concat();
        rems(&EventLog::parse(&bytes).expect("well formed"), Algorithm::Sha256).expect("replays")
    };
    let straight = replayed(&[&one, &two, &other]);
    assert_eq!(replayed(&[&one, &other, &two]), straight);
    assert_ne!(replayed(&[&two, &one, &other]), straight);
    assert_ne!(replayed(&[&one, &two]), straight);
    let twice = |first: &[u8; 32], second: &[u8; 32]| {
        let once = hash(Algorithm::Sha256, &[&[0; 32], first]).expect("known");
        hash(Algorithm::Sha256, &[&once, second]).expect("known")
    };
    assert_eq!(straight[0], twice(&[1; 32], &[2; 32]), "old value first, then the digest");
}

#[test]
fn what_gives_no_registers_is_told() {
    let replayed = |parts: &[&[u8]], algorithm| {
        let bytes = [header(1, &[Algorithm::Sha256, Algorithm::Sha384]), parts.concat()].concat();
        rems(&EventLog::parse(&bytes).expect("well formed"), algorithm).map(|_| ())
    };
    assert_eq!(replayed(&[&separator(1)], Algorithm::Sha256), Ok(()), "control");
    assert_eq!(
        replayed(&[&separator(1)], Algorithm::Sha512),
        Err(Unreplayable::NoBank { algorithm: Algorithm::Sha512 })
    );
    let none = Unreplayable::NoDigest { entry: 1, algorithm: Algorithm::Sha384 };
    assert_eq!(replayed(&[&separator(1)], Algorithm::Sha384), Err(none));
    assert_eq!(replayed(&[&separator(0)], Algorithm::Sha256), Err(Unreplayable::Register { entry: 1, register: 0 }));
    let odd = Algorithm::Other { id: 0x27, size: 4 };
    let bytes = [header(1, &[odd]), entry(1, 4, &[(odd, &[0; 4])], &[0; 4])].concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    assert_eq!(rems(&log, odd), Err(Unreplayable::Algorithm { algorithm: odd }));
}

#[test]
fn what_informs_extends_nothing() {
    let inform = entry(1, 3, &[(Algorithm::Sha256, &[9; 32])], b"StartupLocality\0\x03");
    let bytes = [header(1, &[Algorithm::Sha256]), inform, separator(1)].concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    let plain = [header(1, &[Algorithm::Sha256]), separator(1)].concat();
    let plain = EventLog::parse(&plain).expect("well formed");
    assert_eq!(rems(&log, Algorithm::Sha256), rems(&plain, Algorithm::Sha256));
}

#[test]
fn a_tpm_starts_from_its_locality() {
    let locality =
        |number: u8| entry(0, 3, &[(Algorithm::Sha256, &[0; 32])], &[&b"StartupLocality\0"[..], &[number]].concat());
    let replayed = |parts: &[&[u8]]| {
        let bytes = [header(0, &[Algorithm::Sha256]), parts.concat(), separator(7)].concat();
        let log = EventLog::parse(&bytes).expect("well formed");
        registers(&log, Algorithm::Sha256)
    };
    let mut start = [0; 32];
    start[31] = 3;
    let digest = hash(Algorithm::Sha256, &[&[0; 4]]).expect("known");
    let expected = hash(Algorithm::Sha256, &[&start, &digest]).expect("known");
    let all = replayed(&[&locality(3), &separator(0)]).expect("replays");
    assert_eq!(all[&0], expected);
    assert_eq!(encode(&all[&7]), "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969", "only PCR 0");
    assert_eq!(replayed(&[&separator(0), &locality(3)]), Err(Unreplayable::Locality { entry: 2 }));
    assert_eq!(replayed(&[&locality(3), &locality(3)]), Err(Unreplayable::Locality { entry: 2 }));
}

#[test]
fn a_tpms_log_is_mapped_to_measurement_registers() {
    let bytes = [header(0, &[Algorithm::Sha256]), separator(0), separator(7), separator(4), separator(14)].concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    let once = hex("3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969");
    assert_eq!(rems(&log, Algorithm::Sha256), Ok([once.clone(), once.clone(), once, vec![0; 32]]));
}

fn agreement(kind: u32, hashed: &[u8], data: &[u8]) -> Agreement {
    let digests = [Algorithm::Sha1, Algorithm::Sha256].map(|it| (it, hash(it, &[hashed]).expect("known")));
    let digests: Vec<(Algorithm, &[u8])> = digests.iter().map(|(it, digest)| (*it, &digest[..])).collect();
    let bytes = [header(1, &[Algorithm::Sha1, Algorithm::Sha256]), entry(1, kind, &digests, data)].concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    let entry = &log.entries()[1];
    Agreement::of(entry)
}

#[test]
fn data_that_was_not_hashed_is_found() {
    let differs = Agreement::Differs(Algorithm::Sha1);
    assert_eq!(agreement(4, &[0; 4], &[0; 4]), Agreement::Agrees);
    assert_eq!(agreement(4, &[0; 4], &[0xff; 4]), differs);
    assert_eq!(agreement(0xd, b"ls", b"grub_cmd: ls\0"), Agreement::Agrees);
    assert_eq!(agreement(0xd, b"ls", b"grub_cmd: cat\0"), differs);
    assert_eq!(agreement(0xd, b"ls\0", b"grub_cmd ls\0x"), Agreement::Agrees);
    assert_eq!(agreement(0xd, b"k ro", b"kernel_cmdline: k ro\0"), Agreement::Agrees);
    assert_eq!(agreement(0xd, b"k ro", b"kernel_cmdline: k rw\0"), differs);
    assert_eq!(agreement(0x8000_0007, b"Calling", b"Calling"), Agreement::Agrees);
    assert_eq!(agreement(0x8000_0007, b"Calling", b"Called"), differs);
    assert_eq!(agreement(0xd, b"content", b"/file\0"), Agreement::Apart);
    assert_eq!(agreement(0xd, &[1], b"MokListTrusted\0"), Agreement::Agrees);
    assert_eq!(agreement(0xd, &[2], b"MokListTrusted\0"), Agreement::Apart);
    assert_eq!(agreement(0x1, b"code", b"ACPI DATA"), Agreement::Apart);
    assert_eq!(agreement(3, b"", b"anything"), Agreement::Unmeasured);
    assert_eq!(agreement(0x8000_0006, b"whole", b"no partition table"), differs, "even if it cannot be read");
    assert_eq!(agreement(0x8000_0006, b"whole", b"whole"), Agreement::Agrees);
    assert_eq!(agreement(0x8000_0003, b"image", b"no image event"), Agreement::Apart);
}

#[test]
fn every_bank_has_to_agree() {
    let right = hash(Algorithm::Sha1, &[&[0; 4]]).expect("known");
    let banks = [Algorithm::Sha1, Algorithm::Sha256];
    let of = |second: &[u8]| {
        let digests: [(Algorithm, &[u8]); 2] = [(Algorithm::Sha1, &right), (Algorithm::Sha256, second)];
        let bytes = [header(1, &banks), entry(1, 4, &digests, &[0; 4])].concat();
        let log = EventLog::parse(&bytes).expect("well formed");
        let entry = &log.entries()[1];
        Agreement::of(entry)
    };
    assert_eq!(of(&hash(Algorithm::Sha256, &[&[0; 4]]).expect("known")), Agreement::Agrees);
    assert_eq!(of(&[1; 32]), Agreement::Differs(Algorithm::Sha256));
}
