use super::*;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use proptest::prelude::*;

const SHA256: (u16, u16) = (0x000b, 32);

fn header_data(algorithms: &[(u16, u16)], vendor: &[u8]) -> Vec<u8> {
    let mut data = b"Spec ID Event03\0".to_vec();
    data.extend([0, 0, 0, 0, 0, 2, 106, 2]);
    data.extend(u32::try_from(algorithms.len()).expect("few").to_le_bytes());
    for (id, size) in algorithms {
        data.extend(id.to_le_bytes());
        data.extend(size.to_le_bytes());
    }
    data.push(u8::try_from(vendor.len()).expect("short"));
    data.extend(vendor);
    data
}

fn sha1_entry(register: u32, kind: u32, digest: u8, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(data.len()).expect("short").to_le_bytes();
    [&register.to_le_bytes()[..], &kind.to_le_bytes(), &[digest; 20], &size, data].concat()
}

fn header(register: u32, algorithms: &[(u16, u16)]) -> Vec<u8> {
    sha1_entry(register, 3, 0, &header_data(algorithms, &[]))
}

fn entry(register: u32, kind: u32, digests: &[(u16, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut bytes = [register.to_le_bytes(), kind.to_le_bytes()].concat();
    bytes.extend(u32::try_from(digests.len()).expect("few").to_le_bytes());
    for (id, value) in digests {
        bytes.extend(id.to_le_bytes());
        bytes.extend(*value);
    }
    bytes.extend(u32::try_from(data.len()).expect("short").to_le_bytes());
    bytes.extend(data);
    bytes
}

fn plain(register: u32, kind: u32, data: &[u8]) -> Vec<u8> {
    entry(register, kind, &[(0x0b, &[7; 32])], data)
}

/// A log of two events; the control of every refusal below.
fn good() -> Vec<u8> {
    [header(1, &[SHA256]), plain(1, 4, &[0; 4]), plain(2, 0x8000_0007, b"Calling")].concat()
}

fn refused(bytes: &[u8]) -> Refusal {
    assert!(EventLog::parse(&good()).is_ok(), "control");
    EventLog::parse(bytes).expect_err("has to be refused")
}

fn words(register: u32, kind: u32, data: &[u8]) -> String {
    let log = [header(1, &[SHA256]), plain(register, kind, data)].concat();
    let log = EventLog::parse(&log).expect("well formed");
    Event::decode(&log.entries()[1]).map_or_else(|refusal| format!("refused: {refusal}"), |event| event.to_string())
}

fn subject(register: u32, kind: u32, data: &[u8]) -> String {
    let log = [header(1, &[SHA256]), plain(register, kind, data)].concat();
    let log = EventLog::parse(&log).expect("well formed");
    Event::decode(&log.entries()[1]).map_or_else(|_| "refused".into(), |event| event.subject().into_owned())
}

#[test]
fn a_crypto_agile_log_is_read() {
    let bytes = good();
    let log = EventLog::parse(&bytes).expect("well formed");
    assert_eq!(log.entries().len(), 3);
    assert_eq!(log.end(), End { at: bytes.len(), mark: Mark::Input, residue: None });
    let last = &log.entries()[2];
    assert_eq!((last.number, last.register, last.kind), (2, 2, EventType::EFI_ACTION));
    assert_eq!(last.digest(Algorithm::Sha256), Some(&[7; 32][..]));
    assert_eq!(last.digest(Algorithm::Sha1), None);
    assert_eq!((last.data, last.end()), (&b"Calling"[..], bytes.len()));
    assert_eq!(log.spec_id().map(|it| (it.errata, it.word, it.vendor)), Some((106, 2, &[][..])));
}

#[test]
fn a_sha_1_log_is_read_without_header() {
    let bytes = [sha1_entry(0, 8, 1, b"v\0"), sha1_entry(7, 4, 2, &[0; 4])].concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    assert!(log.spec_id().is_none());
    assert_eq!(log.algorithms(), [Algorithm::Sha1]);
    assert_eq!(log.entries()[1].digest(Algorithm::Sha1), Some(&[2; 20][..]));
    assert_eq!(log.numbering(), Numbering::Tpm);
}

#[test]
fn an_algorithm_that_is_not_known_has_the_size_that_the_header_says() {
    let bytes = [header(1, &[(0x0027, 5), (0x0012, 32)]), entry(1, 4, &[(0x0027, &[9; 5]), (0x0012, &[8; 32])], &[])];
    let bytes = bytes.concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    assert_eq!(log.entries()[1].digest(Algorithm::Other { id: 0x27, size: 5 }), Some(&[9; 5][..]));
    assert_eq!(log.entries()[1].digest(Algorithm::Sm3), Some(&[8; 32][..]));
}

#[test]
fn every_end_is_an_end() {
    let end = |behind: &[u8]| {
        let bytes = [good(), behind.to_vec()].concat();
        EventLog::parse(&bytes).map(|log| (log.end().mark, log.end().residue, log.end().at == good().len()))
    };
    let odd = Some(good().len() + 20);
    assert_eq!(end(&[]), Ok((Mark::Input, None, true)));
    assert_eq!(end(&[0xff; 100]), Ok((Mark::Ones, None, true)));
    assert_eq!(end(&[0xff; 3]), Ok((Mark::Ones, None, true)));
    assert_eq!(end(&[0; 100]), Ok((Mark::Zeroes, None, true)));
    assert_eq!(end(&[0; 3]), Ok((Mark::Zeroes, None, true)));
    assert_eq!(end(&[&[0xff; 20][..], &[1, 0xff]].concat()), Ok((Mark::Ones, odd, true)));
    assert_eq!(end(&[&[0; 20][..], &[1, 0]].concat()), Ok((Mark::Zeroes, odd, true)));
    assert!(matches!(end(&[1, 0, 0]), Err(Refusal::Cut { .. })));
}

#[test]
fn vendor_data_is_read() {
    let bytes = [sha1_entry(1, 3, 0, &header_data(&[SHA256], b"td-shim")), plain(1, 4, &[0; 4])].concat();
    let log = EventLog::parse(&bytes).expect("well formed");
    assert_eq!(log.spec_id().map(|it| it.vendor), Some(&b"td-shim"[..]));
}

#[test]
fn vendor_data_behind_the_header_is_read_only_if_nothing_follows() {
    let mut data = header_data(&[SHA256], &[]);
    *data.last_mut().expect("not empty") = 4;
    let alone = [sha1_entry(0, 3, 0, &data), b"\xde\xad\xbe\xef".to_vec()].concat();
    let log = EventLog::parse(&alone).expect("well formed");
    assert_eq!(log.spec_id().map(|it| it.vendor), Some(&b"\xde\xad\xbe\xef"[..]));
    assert_eq!(log.end().at, alone.len() - 4);
    let followed = [alone, plain(1, 4, &[0; 4])].concat();
    assert!(matches!(refused(&followed), Refusal::Left { .. }));
}

#[test]
fn lengths_that_lie_are_refused_with_their_offset() {
    let bytes = good();
    for length in [1, 40, bytes.len() - 1] {
        assert!(matches!(refused(&bytes[..length]), Refusal::Cut { .. }), "{length}");
    }
    let at = header(1, &[SHA256]).len() + 4 + 4 + 4 + 34;
    let mut long = good();
    long[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let left = long.len() - at - 4;
    let expected = "the data of an entry";
    assert_eq!(refused(&long), Refusal::Cut { at: at + 4, expected, needed: u32::MAX.into(), left });
}

#[test]
fn nothing_and_filler_are_refused() {
    for bytes in [&[][..], &[0xff; 64], &[0; 64], &[0]] {
        assert_eq!(refused(bytes), Refusal::Blank);
    }
}

#[test]
fn registers_that_no_machine_has_are_refused() {
    let at = header(1, &[SHA256]).len();
    let bytes = [header(1, &[SHA256]), plain(24, 4, &[0; 4])].concat();
    assert_eq!(refused(&bytes), Refusal::Register { at, found: 24 });
    let bytes = [header(1, &[SHA256]), plain(u32::MAX, 4, &[0; 4])].concat();
    assert_eq!(refused(&bytes), Refusal::Register { at, found: u32::MAX });
    let bytes = [header(1, &[SHA256]), plain(u32::MAX, 3, b"StartupLocality\0\x03")].concat();
    assert!(EventLog::parse(&bytes).is_ok(), "what extends nothing needs no register");
}

#[test]
fn digests_are_those_of_the_header() {
    let start = header(1, &[SHA256]);
    let with = |digests: &[(u16, &[u8])]| [start.clone(), entry(1, 4, digests, &[])].concat();
    assert!(EventLog::parse(&with(&[])).is_ok(), "an unmeasured blob of a VMM has none");
    let two: &[(u16, &[u8])] = &[(0x0b, &[0; 32]), (0x0b, &[0; 32])];
    assert_eq!(refused(&with(two)), Refusal::Digests { at: start.len() + 8, limit: 1, found: 2 });
    assert_eq!(refused(&with(&[(0x0c, &[0; 48])])), Refusal::Unlisted { at: start.len() + 12, found: 0x0c });
    let twice = [header(1, &[SHA256, (0x0c, 48)]), entry(1, 4, two, &[])].concat();
    let at = header(1, &[SHA256, (0x0c, 48)]).len() + 12 + 34;
    assert_eq!(refused(&twice), Refusal::Twice { at, algorithm: Algorithm::Sha256 });
}

#[test]
fn headers_that_contradict_the_profile_are_refused() {
    let with = |data: &[u8]| [sha1_entry(1, 3, 0, data), plain(1, 4, &[0; 4])].concat();
    let change = |index: usize, value: u8| {
        let mut data = header_data(&[SHA256], &[]);
        data[index] = value;
        with(&data)
    };
    assert!(matches!(refused(&change(21, 1)), Refusal::Value { what: "major version", found: 1, .. }));
    assert!(matches!(refused(&change(24, 0)), Refusal::Value { what: "number of algorithms", found: 0, .. }));
    assert!(matches!(refused(&change(24, 17)), Refusal::Value { what: "number of algorithms", found: 17, .. }));
    assert!(matches!(refused(&change(24, 2)), Refusal::Cut { .. }));
    assert!(matches!(refused(&change(30, 20)), Refusal::Value { what: "size of a digest", found: 20, .. }));
    let twice = with(&header_data(&[SHA256, SHA256], &[]));
    assert!(matches!(refused(&twice), Refusal::Twice { algorithm: Algorithm::Sha256, .. }));
    for size in [0, 65] {
        let odd = with(&header_data(&[(0x27, size)], &[]));
        assert!(matches!(refused(&odd), Refusal::Value { what: "size of a digest", .. }));
    }
    let more = with(&[header_data(&[SHA256], &[]), vec![0]].concat());
    assert!(matches!(refused(&more), Refusal::Left { count: 1, .. }));
    let digest = [sha1_entry(1, 3, 1, &header_data(&[SHA256], &[])), plain(1, 4, &[0; 4])].concat();
    assert!(matches!(refused(&digest), Refusal::Bytes { .. }));
}

#[test]
fn more_than_any_log_has_is_refused() {
    let many = |count: usize| [header(1, &[SHA256]), entry(1, 4, &[], &[]).repeat(count)].concat();
    assert!(EventLog::parse(&many(MAX_ENTRIES - 1)).is_ok());
    assert!(matches!(refused(&many(MAX_ENTRIES)), Refusal::TooMany { limit: MAX_ENTRIES, .. }));
    let mut long = good();
    long.resize(MAX_LOG, 0xff);
    assert!(EventLog::parse(&long).is_ok());
    long.push(0xff);
    assert_eq!(refused(&long), Refusal::TooLong { limit: MAX_LOG, found: MAX_LOG + 1 });
}

fn table(kind: u8, length: u64) -> Vec<u8> {
    let mut table = b"CCEL\x38\0\0\0\x01\0INTEL EDK2    ".to_vec();
    table.resize(36, 0);
    table.push(kind);
    table.resize(40, 0);
    table.extend(length.to_le_bytes());
    table.extend(0x7d64_9000u64.to_le_bytes());
    table[9] = table.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte));
    table
}

#[test]
fn a_table_in_front_says_what_the_registers_are() {
    for (number, kind) in
        [(1, CcType::Sev), (2, CcType::Tdx), (3, CcType::ApTee), (4, CcType::Cca), (9, CcType::Other(9))]
    {
        let bytes = [table(number, 0x10000), good()].concat();
        let log = EventLog::parse(&bytes).expect("well formed");
        assert_eq!(log.numbering(), Numbering::Cc(kind));
        assert_eq!(log.table().map(|it| (it.length, it.address)), Some((0x10000, 0x7d64_9000)));
        assert_eq!(log.end().at, good().len(), "offsets count from the log");
    }
}

#[test]
fn tables_that_lie_are_refused() {
    let log = good();
    assert!(EventLog::parse(&[table(2, log.len() as u64), log.clone()].concat()).is_ok(), "control");
    let short = [table(2, log.len() as u64 - 1), log.clone()].concat();
    assert_eq!(refused(&short), Refusal::TooLong { limit: log.len() - 1, found: log.len() });
    assert_eq!(refused(&table(2, 0x10000)), Refusal::TableAlone);
    assert!(matches!(refused(&table(2, 0x10000)[..50]), Refusal::Cut { .. }));
    for index in 0..56 {
        let mut bytes = [table(2, 0x10000), log.clone()].concat();
        bytes[index] ^= 1;
        assert!(EventLog::parse(&bytes).is_err(), "byte {index} of the table");
    }
}

#[test]
fn numbering_is_found_without_a_table() {
    let numbering = |bytes: Vec<u8>| EventLog::parse(&bytes).expect("well formed").numbering();
    assert_eq!(numbering(good()), Numbering::Cc(CcType::Unstated));
    assert_eq!(numbering([header(0, &[SHA256]), plain(7, 4, &[0; 4])].concat()), Numbering::Tpm);
    assert_eq!(numbering([header(0, &[SHA256]), plain(1, 4, &[0; 4])].concat()), Numbering::Cc(CcType::Unstated));
    let sha1 = entry(1, 4, &[(4, &[0; 20])], &[0; 4]);
    assert_eq!(numbering([header(0, &[(4, 20)]), sha1].concat()), Numbering::Tpm);
    let bytes = good();
    let told = EventLog::parse(&bytes).expect("well formed").with_numbering(Some(Numbering::Tpm));
    assert_eq!(told.numbering(), Numbering::Tpm);
}

#[test]
fn names_and_numbers_of_registers_agree() {
    let kinds = [CcType::Unstated, CcType::Sev, CcType::Tdx, CcType::ApTee, CcType::Cca, CcType::Other(7)];
    for numbering in kinds.map(Numbering::Cc) {
        for register in 0..=4 {
            assert_eq!(numbering.number(&numbering.name(register)), Some(register), "{numbering}");
        }
        assert_eq!((numbering.number("PCR1"), numbering.number("REM4"), numbering.number("MR5")), (None, None, None));
        assert_eq!(
            (numbering.number("rem3"), numbering.number("RTMR0"), numbering.number("MR4")),
            (Some(4), Some(1), Some(4))
        );
    }
    assert_eq!((Numbering::Tpm.number("pcr23"), Numbering::Tpm.number("PCR24")), (Some(23), None));
    assert_eq!(
        (Numbering::Tpm.number("REM0"), Numbering::Tpm.number("PCR"), Numbering::Tpm.number("PCR+1")),
        (None, None, None)
    );
    assert_eq!(
        (Numbering::Cc(CcType::Tdx).name(1), Numbering::Cc(CcType::Cca).name(4)),
        ("RTMR0".into(), "REM3".into())
    );
    let mapped = [0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 23].map(|pcr| Numbering::Tpm.measurement_register(pcr));
    assert_eq!(mapped, [0, 1, 2, 2, 2, 2, 2, 1, 3, 3, 4, 4]);
}

#[test]
fn types_have_names() {
    for name in ["EV_IPL", "IPL"] {
        assert_eq!(EventType::from_name(name), Some(EventType::IPL));
    }
    assert_eq!(EventType::from_name("EV_NONSENSE"), None);
    assert_eq!(EventType::EFI_SPDM_DEVICE_AUTHORITY.to_string(), "EV_EFI_SPDM_DEVICE_AUTHORITY");
    assert_eq!(EventType(0x99).to_string(), "type 0x00000099");
}

#[test]
fn an_event_that_says_nothing_is_put_into_words_too() {
    const ACTION: u32 = 0x8000_0007;
    const UNKNOWN: u32 = 0x4242;
    const IPL: u32 = 0xd;
    assert_eq!(words(1, ACTION, b""), "an action without words");
    assert_eq!(words(1, ACTION, b"a step"), "a step");
    for kind in [UNKNOWN, IPL] {
        assert_eq!(words(1, kind, &[]), "no data", "{kind:#x}");
        assert_eq!(words(1, kind, &[0]), "00", "{kind:#x}");
        assert_eq!(words(1, kind, &[1]), "01", "{kind:#x}");
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn tagged(id: u32, data: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &u32::try_from(data.len()).expect("short").to_le_bytes(), data].concat()
}

#[test]
fn boot_loaders_are_put_into_words() {
    let ipl = |data: &[u8]| (words(3, 0xd, data), subject(3, 0xd, data));
    assert_eq!(ipl(b"grub_cmd: set a=b\0"), ("GRUB executes: set a=b".into(), "grub_cmd".into()));
    assert_eq!(ipl(b"grub_cmd insmod gzio\0o"), ("GRUB executes: insmod gzio".into(), "grub_cmd".into()));
    assert_eq!(ipl(b"kernel_cmdline: /k ro\0"), ("GRUB passes to the kernel: /k ro".into(), "kernel_cmdline".into()));
    assert_eq!(ipl(b"grub_kernel_cmdline /k ro\0x").1, "kernel_cmdline");
    assert_eq!(ipl(b"module_cmdline: m\0"), ("GRUB passes to a module: m".into(), "module_cmdline".into()));
    assert_eq!(
        ipl(b"(hd0,gpt1)/grub.cfg\0"),
        ("GRUB reads (hd0,gpt1)/grub.cfg".into(), "file:(hd0,gpt1)/grub.cfg".into())
    );
    assert_eq!(ipl(b"grub_linuxefi Kernel\0"), ("GRUB loads the kernel".into(), "linuxefi:Kernel".into()));
    assert_eq!(ipl(b"MokListX\0"), ("shim's MokListX".into(), "MokListX".into()));
    let section = ipl(&utf16(".cmdline\0"));
    assert_eq!(section.1, "section:.cmdline");
    assert!(section.0.contains("section .cmdline of the unified kernel image"));
    assert_eq!(ipl(&utf16("quiet ro\0")), ("options \"quiet ro\"".into(), "options".into()));
    assert_eq!(ipl(&[1, 2, 3]), ("010203".into(), "other".into()));
    assert_eq!(
        words(3, 0xd, "grub_cmd: a\nb\u{202e}\0".as_bytes()),
        "GRUB executes: a\\nb\\u{202e}",
        "one line, no tricks"
    );
}

#[test]
fn tagged_events_are_put_into_words() {
    let tag = |id: u32, data: &[u8]| (words(3, 6, &tagged(id, data)), subject(3, 6, &tagged(id, data)));
    let initrd = tag(0x8f3b_22ec, b"Linux initrd\0");
    assert_eq!(initrd, ("the initrd as the kernel loads it \"Linux initrd\"".into(), "linux-initrd".into()));
    assert_eq!(tag(0x8f3b_22ed, b"LOADED_IMAGE::LoadOptions\0").1, "load-options");
    assert_eq!(subject(3, 6, b"LOADED_IMAGE::LoadOptions\0"), "load-options", "without tag");
    let known = [(0xf5bc_582a, "loader.conf"), (0xd5cb_7cbc, "smbios-type1"), (0x6c46_f751, "devicetree")];
    let more = [(0x49df_fe0f, "stub-initrd"), (0xdac0_8e1a, "microcode"), (0x13ae_d6db, "profile")];
    for (id, name) in known.into_iter().chain(more) {
        assert_eq!(tag(id, &utf16("text\0")).1, name);
        assert!(tag(id, &utf16("text\0")).0.ends_with("\"text\""));
    }
    assert_eq!(tag(0x1234_5678, &[0xff]), ("tag 0x12345678 ff".into(), "tag:0x12345678".into()));
    assert_eq!(words(3, 6, &[1, 2]), "refused: byte 115: expected a tag (4 bytes), found 2 bytes");
    assert!(words(3, 6, &[tagged(1, b"x"), vec![0]].concat()).starts_with("refused"));
}

#[test]
fn a_vmms_account_of_a_realm_is_put_into_words() {
    let vmm = |length: usize| {
        let mut data = b"VM VERSION\0\0\0\0\0\0QEMU".to_vec();
        data.resize(48, 0);
        data.extend(b"9.1.0");
        data.resize(88 + length, 0);
        data.extend(0x1000u64.to_le_bytes());
        data.extend(4u32.to_le_bytes());
        data
    };
    for length in [0, 16] {
        assert_eq!(words(0, 3, &vmm(length)), "made by QEMU 9.1.0, 4096 bytes of memory, 4 processors");
    }
    let parameters = [&2u64.to_le_bytes()[..], &[48, 1, 6, 4, 0, 0]].concat();
    assert!(
        words(0, 6, &tagged(1, &parameters)).starts_with("the Realm is made with flags 0x2, 48 bits of address, SVE")
    );
    let ripas = [0x4000_0000u64.to_le_bytes(), 0x1000u64.to_le_bytes()].concat();
    assert_eq!(words(0, 6, &tagged(2, &ripas)), "0x1000 bytes of RAM at 0x40000000");
    let rec = [&1u64.to_le_bytes()[..], &0x8000_0000u64.to_le_bytes(), &[0; 64]].concat();
    assert_eq!(words(0, 6, &tagged(3, &rec)), "a processor is made that starts at 0x80000000");
    assert_eq!(words(1, 6, &tagged(2, &ripas)).get(..14), Some("tag 0x00000002"), "in no other register");
    assert_eq!(words(0, 3, b"DTB\0\0\0\0\0\0\0\0\0\0\0\0\0abc"), "device tree of 3 bytes");
    let blob = [&b"\x07KERNEL\0"[..], &0x8000_0000u64.to_le_bytes(), &4096u64.to_le_bytes()].concat();
    assert_eq!(words(0, 0x13, &blob), "\"KERNEL\", 4096 bytes at 0x80000000");
    assert_eq!(subject(0, 0x13, &blob), "KERNEL");
}

#[test]
fn what_extends_nothing_is_put_into_words() {
    assert_eq!(words(0, 3, b"StartupLocality\0\x03"), "the TPM was started from locality 3");
    assert!(words(0, 3, b"StartupLocality\0").starts_with("refused"));
    assert!(words(0, 3, b"StartupLocality\0\x03\x04").starts_with("refused"));
    assert_eq!(words(0, 3, b"Spec ID Event02\0"), "header \"Spec ID Event02\"");
    assert_eq!(words(0, 3, b"odd"), "\"odd\"");
    let manifest = [&b"SP800-155 Event3"[..], &11129u32.to_le_bytes(), &[0; 16], b"\x07Google\0"].concat();
    let expected = "reference manifest 00000000-0000-0000-0000-000000000000 of vendor 11129, \"Google\"";
    assert_eq!(words(0, 3, &manifest), expected);
}

fn variable(guid: &str, name: &str, value: &[u8]) -> Vec<u8> {
    let guid = crate::hex::decode(guid).expect("hexadecimal");
    let length = utf16(name).len() as u64 / 2;
    [&guid[..], &length.to_le_bytes(), &(value.len() as u64).to_le_bytes(), &utf16(name), value].concat()
}

const GLOBAL: &str = "61dfe48bca93d211aa0d00e098032b8c";
const SHIM: &str = "50ab5d6046e00043abb63dd810dd8b23";

#[test]
fn variables_are_put_into_words() {
    let config = |name: &str, value: &[u8]| words(1, 0x8000_0001, &variable(GLOBAL, name, value));
    assert_eq!(config("SecureBoot", &[1]), "SecureBoot is on");
    assert_eq!(config("SecureBoot", &[0]), "SecureBoot is off");
    assert_eq!(config("SecureBoot", &[2]), "SecureBoot is 02");
    assert_eq!(config("PK", &[]), "PK does not exist");
    let hashes = crate::hex::decode("2616c4c14c509240aca941f936934328").expect("hexadecimal");
    let list = [&hashes[..], &76u32.to_le_bytes(), &0u32.to_le_bytes(), &48u32.to_le_bytes(), &[0; 48]].concat();
    assert_eq!(config("dbx", &list), "dbx holds 1 × SHA-256 hash");
    assert_eq!(config("dbx", &list.repeat(2)), "dbx holds 2 × SHA-256 hash");
    assert!(config("dbx", &list[..60]).starts_with("dbx is "), "a broken list is shown as bytes");
    let boot = |name: &str, value: &[u8]| words(1, 0x8000_0002, &variable(GLOBAL, name, value));
    assert_eq!(boot("BootOrder", &[2, 0, 0x1a, 0]), "BootOrder is 0002 001A");
    let file = [&[4, 4, 10, 0][..], &utf16("\\a\0"), &[0x7f, 0xff, 4, 0]].concat();
    let option = [&9u32.to_le_bytes()[..], &14u16.to_le_bytes(), &utf16("Linux\0"), &file, b"ro"].concat();
    assert_eq!(boot("Boot001A", &option), "Boot001A is \"Linux\", from \\a, hidden, with ro");
    assert!(boot("Boot001A", &option[..9]).starts_with("Boot001A is 09"));
    let authority = |name: &str, value: &[u8]| words(1, 0x8000_00e0, &variable(SHIM, name, value));
    assert_eq!(authority("SbatLevel", b"sbat,1\n"), "SbatLevel is \"sbat,1\\n\"");
    assert_eq!(authority("Shim", &[0x30]), "Shim holds 1 bytes");
    let other = words(1, 0x8000_0001, &variable("00000000000000000000000000000001", "X", &[1]));
    assert_eq!(other, "X of 00000000-0000-0000-0000-000000000001 is 01");
    assert_eq!(subject(1, 0x8000_0001, &variable(GLOBAL, "KEK", &[])), "KEK");
}

#[test]
fn variables_whose_sizes_do_not_add_up_are_refused() {
    let good = variable(GLOBAL, "SecureBoot", &[1]);
    assert_eq!(words(1, 0x8000_0001, &good), "SecureBoot is on", "control");
    for (index, value) in [(16, 11), (16, 9), (24, 0), (24, 2), (23, 0x80), (31, 0x80)] {
        let mut bad = good.clone();
        bad[index] = value;
        assert!(words(1, 0x8000_0001, &bad).starts_with("refused"), "byte {index}");
    }
    let surrogate = [&good[..32], &[0, 0xd8], &good[34..]].concat();
    assert!(words(1, 0x8000_0001, &surrogate).contains("expected a name in UTF-16"));
}

fn image(path: &[u8]) -> Vec<u8> {
    let numbers = [0x1000u64, 4096, 0, path.len() as u64].map(u64::to_le_bytes).concat();
    [numbers, path.to_vec()].concat()
}

#[test]
fn images_are_put_into_words() {
    let from = |path: &[u8]| words(2, 0x8000_0003, &image(path));
    assert_eq!(from(&[]), "image of 4096 bytes at 0x1000, from memory, without device path");
    let end = [0x7f, 0xff, 4, 0];
    let node = |bytes: &[u8]| from(&[bytes, &end].concat()).split_once("from ").map(|(_, path)| path.to_string());
    let is = |bytes: &[u8], text: &str| assert_eq!(node(bytes).as_deref(), Some(text));
    is(&[2, 1, 12, 0, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0], "PciRoot(0x0)");
    is(&[2, 1, 12, 0, 0xd0, 0x41, 0x08, 0x0a, 1, 0, 0, 0], "PcieRoot(0x1)");
    is(&[2, 1, 12, 0, 0xd0, 0x41, 0x01, 0x05, 0, 0, 0, 0], "Acpi(PNP0501,0x0)");
    is(&[1, 1, 6, 0, 0, 3], "Pci(0x3,0x0)");
    is(&[1, 5, 8, 0, 2, 0, 0, 0], "Ctrl(0x2)");
    is(&[3, 18, 10, 0, 1, 0, 0xff, 0xff, 0, 0], "Sata(0x1,0xffff,0x0)");
    is(&[3, 23, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], "NVMe(0x1,0000000000000009)");
    is(&[3, 2, 8, 0, 1, 0, 2, 0], "Scsi(0x1,0x2)");
    is(&[3, 5, 6, 0, 1, 2], "USB(0x1,0x2)");
    is(&[3, 24, 8, 0, b'a', b':', b'/', b'b'], "Uri(a:/b)");
    is(&[&[4, 4, 14, 0][..], &utf16("\\EFI\0")].concat(), "\\EFI");
    is(&[9, 1, 5, 0, 7], "Path(9,1,07)");
    is(&[1, 1, 5, 0, 7], "Path(1,1,07)");
    is(&[&[5, 1, 4, 0][..], &[0x7f, 1, 4, 0], &[1, 1, 6, 0, 0, 1]].concat(), "BBS/;/Pci(0x1,0x0)");
    let memory = [&[1, 3, 24, 0, 2, 0, 0, 0][..], &16u64.to_le_bytes(), &32u64.to_le_bytes()].concat();
    is(&memory, "MemoryMapped(0x2,0x10,0x20)");
    let gpt = [&[4, 1, 42, 0, 1, 0, 0, 0][..], &8u64.to_le_bytes(), &16u64.to_le_bytes(), &[0; 16], &[2, 2]].concat();
    is(&gpt, "HD(1,GPT,00000000-0000-0000-0000-000000000000,0x8,0x10)");
    let loader = crate::hex::decode("72f728144ab61e44b8c39ebdd7f893c7").expect("hexadecimal");
    is(&[&[4, 3, 20, 0][..], &loader].concat(), "VenMedia(QEMU's kernel loader)");
}

#[test]
fn images_with_broken_paths_are_refused() {
    let from = |path: &[u8]| words(2, 0x8000_0003, &image(path));
    assert!(from(&[1, 1, 6, 0, 0, 3, 0x7f, 0xff, 4, 0]).ends_with("Pci(0x3,0x0)"), "control");
    assert!(from(&[1, 1, 6, 0, 0, 3]).contains("expected the end node"));
    assert!(from(&[1, 1, 3, 0]).contains("expected at least 4, found 3"));
    assert!(from(&[1, 1, 9, 0, 0, 3, 0x7f]).starts_with("refused"));
    let cut = &image(&[0x7f, 0xff, 4, 0])[..34];
    assert!(words(2, 0x8000_0003, cut).starts_with("refused"));
    let more = [image(&[0x7f, 0xff, 4, 0]), vec![0; 9]].concat();
    assert!(words(2, 0x8000_0003, &more).ends_with("and 9 bytes behind it"), "as old versions of shim have it");
}

fn partitions(entries: usize) -> Vec<u8> {
    let mut table = b"EFI PART".to_vec();
    table.resize(84, 0);
    table.extend(128u32.to_le_bytes());
    table.extend([0; 4]);
    table.extend((entries as u64).to_le_bytes());
    for _ in 0..entries {
        let mut entry = crate::hex::decode("28732ac11ff8d211ba4b00a0c93ec93b").expect("hexadecimal");
        entry.resize(32, 0);
        entry.extend(8u64.to_le_bytes());
        entry.extend(16u64.to_le_bytes());
        entry.extend([0; 8]);
        entry.extend(utf16("esp"));
        entry.resize(128, 0);
        table.extend(entry);
    }
    table
}

#[test]
fn partition_tables_are_put_into_words() {
    let disk = "partition table of disk 00000000-0000-0000-0000-000000000000:";
    let one = format!("{disk} EFI system partition in blocks 8 to 16 \"esp\"");
    assert_eq!(words(2, 0x8000_0006, &partitions(1)), one);
    assert_eq!(words(2, 0x8000_000d, &partitions(0)), format!("{disk} none in use"));
    let change = |index: usize, value: u8| {
        let mut bytes = partitions(1);
        bytes[index] = value;
        words(2, 0x8000_0006, &bytes)
    };
    for (index, value) in [(0, 0), (84, 127), (92, 0), (92, 2), (99, 0x80)] {
        assert!(change(index, value).starts_with("refused"), "byte {index}");
    }
}

#[test]
fn firmware_is_put_into_words() {
    let place = [0x1000u64.to_le_bytes(), 16u64.to_le_bytes()].concat();
    assert_eq!(words(1, 0x8000_0008, &place), "firmware, 16 bytes at 0x1000");
    assert!(words(1, 0x8000_0008, &place[1..]).starts_with("refused"));
    let described = [&b"\x03Fv1"[..], &place].concat();
    assert_eq!(words(1, 0x8000_000a, &described), "\"Fv1\", 16 bytes at 0x1000");
    assert!(words(1, 0x8000_000a, &described[..10]).starts_with("refused"));
    let table = [&1u64.to_le_bytes()[..], &[0; 16], &32u64.to_le_bytes()].concat();
    assert_eq!(words(1, 0x8000_0009, &table), "00000000-0000-0000-0000-000000000000 at 0x20");
    assert!(words(1, 0x8000_000b, &[b"\x08TdxTable", &table[..]].concat()).starts_with("\"TdxTable\": 0000"));
    let many = [&u64::MAX.to_le_bytes()[..], &[0; 24]].concat();
    assert!(words(1, 0x8000_0009, &many).starts_with("refused"));
    assert_eq!(words(1, 8, &utf16("v1\0")), "firmware version \"v1\"");
    assert_eq!(words(1, 8, &[1, 0, 2]), "firmware version \"010002\"");
    assert_eq!(words(0, 1, b"ACPI DATA"), "\"ACPI DATA\"");
    let named = [&b"td_hob\0\0\0\0\0\0\0\0\0\0"[..], &3u32.to_le_bytes(), &[1, 2, 3]].concat();
    assert_eq!((words(1, 0xa, &named), subject(1, 0xa, &named)), ("\"td_hob\", 3 bytes".into(), "td_hob".into()));
    for kind in [0x0, 0x2, 0x7, 0x9, 0xb, 0xc, 0xe, 0xf, 0x10, 0x11, 0x8000_0010, 0x8000_00e1, 0x8000_00e4] {
        assert_eq!(words(1, kind, b"text\0"), "\"text\"", "{kind:#x}");
        assert_eq!(words(1, kind, &[1]), "01", "{kind:#x}");
    }
    assert_eq!(words(1, 0x12, b"BOOT ATTEMPTS OMITTED"), "BOOT ATTEMPTS OMITTED");
    assert_eq!(words(1, 0x1234, &[1, 2]), "0102");
}

#[test]
fn separators_and_actions_are_put_into_words() {
    assert_eq!(words(1, 4, &[0; 4]), "separator");
    assert_eq!(words(1, 4, &[0xff; 4]), "separator that reports an error");
    assert_eq!(words(1, 4, &[1, 0, 0, 0]), "separator of 01000000");
    assert_eq!(words(1, 5, b"step"), "step");
    assert!(words(1, 0x8000_0007, &[0xff]).starts_with("refused"));
}

#[test]
fn what_is_hashed_is_told() {
    let measured = |kind: u32, data: &[u8]| {
        let log = [header(1, &[SHA256]), plain(3, kind, data)].concat();
        let log = EventLog::parse(&log).expect("well formed");
        let entry = &log.entries()[1];
        let event = Event::decode(entry).expect("decodes");
        match event.measured(entry) {
            Measured::Data(list) => (Some(true), list.iter().map(|it| it.to_vec()).collect()),
            Measured::Perhaps(list) => (Some(false), list.iter().map(|it| it.to_vec()).collect()),
            Measured::Elsewhere => (None, Vec::new()),
        }
    };
    assert_eq!(measured(4, &[0; 4]), (Some(true), vec![vec![0; 4]]));
    assert_eq!(measured(0xd, b"grub_cmd: a b\0"), (Some(true), vec![b"a b".to_vec()]));
    assert_eq!(measured(0xd, b"grub_cmd a b\0x"), (Some(true), vec![b"a b\0".to_vec()]));
    assert_eq!(measured(0xd, b"/file\0"), (None, vec![]));
    assert_eq!(measured(0xd, b"MokListTrusted\0"), (Some(false), vec![vec![1]]));
    assert_eq!(measured(0xd, &utf16(".linux\0")), (Some(false), vec![b".linux\0".to_vec()]));
    let value = variable(GLOBAL, "Boot", &[5]);
    assert_eq!(measured(0x8000_0002, &value), (Some(true), vec![vec![5], value.clone()]));
    assert_eq!(measured(0x8000_0001, &value), (Some(true), vec![value]));
    assert_eq!(measured(0x8000_0003, &image(&[])), (None, vec![]));
    assert_eq!(measured(6, &tagged(0x8f3b_22ec, b"Linux initrd\0")), (None, vec![]));
}

/// Everything that can be asked of bytes; the answers matter elsewhere.
fn ask(bytes: &[u8]) -> Option<usize> {
    let log = EventLog::parse(bytes).ok()?;
    let mut size = 0;
    for entry in log.entries() {
        size += size_of::<Entry<'_>>() + entry.digests.capacity() * size_of::<Digest<'_>>();
        if let Ok(event) = Event::decode(entry) {
            let _ = (event.to_string(), event.subject(), event.text(), event.value(), event.measured(entry));
        }
    }
    assert!(size <= 16 * bytes.len() + 1024, "{size} bytes for {}", bytes.len());
    assert!(log.end().at <= bytes.len());
    Some(log.entries().len())
}

/// One event of every form.
fn varied() -> Vec<u8> {
    let events = [
        plain(0, 3, b"StartupLocality\0\x03"),
        plain(1, 0x8000_0001, &variable(GLOBAL, "SecureBoot", &[1])),
        plain(1, 4, &[0; 4]),
        plain(2, 0x8000_0003, &image(&[1, 1, 6, 0, 0, 3, 0x7f, 0xff, 4, 0])),
        plain(3, 0xd, b"grub_cmd: a\0"),
        plain(3, 0xd, &utf16(".linux\0")),
        plain(3, 6, &tagged(0x8f3b_22ec, b"Linux initrd\0")),
        plain(1, 0x8000_000a, &[&b"\x03Fv1"[..], &[0; 16]].concat()),
        plain(2, 0x8000_0007, b"Calling"),
    ];
    [header(1, &[SHA256]), events.concat()].concat()
}

#[test]
fn every_truncation_is_refused_or_has_fewer_events() {
    let bytes = varied();
    let all = ask(&bytes).expect("control");
    for length in 0..bytes.len() {
        assert!(ask(&bytes[..length]).is_none_or(|found| found < all), "{length}");
    }
}

#[test]
fn no_flipped_bit_panics() {
    let bytes = [table(4, 0x10000), varied()].concat();
    assert_eq!(ask(&bytes), Some(10), "control");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        ask(&flipped);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_a_log_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        ask(&bytes);
        ask(&[header(1, &[SHA256]), bytes].concat());
    }

    #[test]
    fn arbitrary_data_of_every_type_is_an_event_or_refused(
        kind in prop_oneof![0u32..0x14, 0x8000_0001u32..0x8000_0011, 0x8000_00e0u32..0x8000_00e5, any::<u32>()],
        register in 0u32..24,
        data in proptest::collection::vec(prop_oneof![3 => 0u8..5, 1 => any::<u8>()], 0..256),
    ) {
        prop_assert_eq!(ask(&[header(1, &[SHA256]), plain(register, kind, &data)].concat()), Some(2));
    }

    #[test]
    fn what_is_written_is_what_is_read(
        entries in proptest::collection::vec((1u32..5, 4u32..0x14, any::<[u8; 32]>(), proptest::collection::vec(any::<u8>(), 0..64)), 0..20),
        filler in 0usize..64,
    ) {
        let mut bytes = header(1, &[SHA256]);
        for (register, kind, digest, data) in &entries {
            bytes.extend(entry(*register, *kind, &[(0x0b, digest)], data));
        }
        let end = bytes.len();
        bytes.resize(end + filler, 0xff);
        let log = EventLog::parse(&bytes).expect("well formed");
        prop_assert_eq!(log.end().at, end);
        let read: Vec<_> = log.entries().iter().skip(1).map(|it| {
            (it.register, it.kind.0, it.digest(Algorithm::Sha256).map(<[u8]>::to_vec), it.data.to_vec())
        }).collect();
        let written: Vec<_> = entries.into_iter().map(|(r, k, digest, data)| (r, k, Some(digest.to_vec()), data)).collect();
        prop_assert_eq!(read, written);
    }
}
