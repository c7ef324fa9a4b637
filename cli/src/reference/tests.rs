//! Every CoRIM of the vectors through the commands, and what must be refused beside what must not.
//!
//! `ALLOD_VECTORS` names the folder; without it, `shared/vectors` beside the workspace is tried.

use super::*;
use clap::Parser;
use evidence::corim::Subject;

/// A folder that goes with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("allod-reference-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a file");
        self.at(name)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn vectors() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from);
    if folder.join("attestation/corim").is_dir() {
        return Some(folder);
    }
    let _ = writeln!(std::io::stderr(), "SKIPPED: no vectors; set ALLOD_VECTORS");
    None
}

/// Runs `allod` with these words; the error's words if it fails.
fn allod(words: &[&str]) -> std::result::Result<(), String> {
    let cli = crate::Cli::try_parse_from(["allod"].iter().chain(words)).map_err(|error| error.to_string())?;
    let done = match cli.command {
        crate::Command::Reference(command) => main(*command),
        crate::Command::Anchors(command) => crate::anchors::main(*command),
        _ => panic!("another command"),
    };
    done.map(drop).map_err(|error| error.to_string())
}

fn refused(words: &[&str], why: &str) {
    let error = allod(words).expect_err("this one breaks a rule");
    assert!(error.contains(why), "expected {why:?}, found {error:?}");
}

const REALM: &str = r#"{"profile": "allod-reference-1", "realm": {"hash": "sha-256",
    "rim": "0101010101010101010101010101010101010101010101010101010101010101",
    "rpv": "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"}}"#;
const FLAT: &str = r#"{"platform": [{"implementation-id": "0202020202020202020202020202020202020202020202020202020202020202",
    "platform-configuration": "CFCFCFCF", "sw-components": [{"component-type": "BL",
    "measurement-value": "0303030303030303030303030303030303030303030303030303030303030303",
    "signer-id": "0404040404040404040404040404040404040404040404040404040404040404", "version": "1"}]}], "realm": []}"#;
/// Key pair 1 on P-256: the private number is 1, and the point is the generator.
const PRIVATE: &str = r#"{"kty": "EC", "crv": "P-256", "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
    "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}"#;
/// The point of the private number 2.
const OTHER: &str = r#"{"kty": "EC", "crv": "P-256",
    "x": "fPJ7GI0DT36KUjgDBLUaw8CJaeJ38hs1pgtI_EdmmXg", "y": "B3dVENuO0EApPZrGn3Qw27p9reY86YIpngS3nSJ4c9E"}"#;

#[test]
fn made_signed_shown_and_carried_on() {
    let folder = Folder::new("made");
    let (realm, flat) = (folder.file("realm.json", REALM.as_bytes()), folder.file("flat.json", FLAT.as_bytes()));
    let (key, other) = (folder.file("key.jwk", PRIVATE.as_bytes()), folder.file("other.jwk", OTHER.as_bytes()));
    let (made, signed, back) = (folder.at("made.corim"), folder.at("made.signed"), folder.at("back.json"));
    let year = "2030-01-01T00:00:00Z";
    allod(&["reference", "create", &realm, "--valid-until", year, "--entity", "me", "-o", &made]).expect("made");
    let corim = Corim::parse(&std::fs::read(&made).expect("written")).expect("a CoRIM");
    assert_eq!(corim.profile.as_deref(), Some(Layout::Code2025.profile(Subject::Realm)));
    allod(&["reference", "show", &made]).expect("not signed, and no key given");
    refused(&["reference", "show", &made, "--at", "2031-01-01T00:00:00Z"], "expired at 2030-01-01");
    allod(&["reference", "show", &made, "--at", "2031-01-01T00:00:00Z", "--allow-lapsed-references"]).expect("let");
    refused(&["reference", "show", &made, "--reference-key", &key], "not signed");

    let limits = ["--valid-from", "2020-01-01T00:00:00Z", "--valid-until", "2029-01-01T00:00:00Z"];
    allod(&[&["reference", "sign", &made, "--key", &key, "--name", "me", "-o", &signed], &limits[..]].concat())
        .expect("signed");
    allod(&["reference", "show", &signed, "--reference-key", &key, "--at", "2028-01-01T00:00:00Z"]).expect("holds");
    let later = ["--at", "2029-06-01T00:00:00Z"];
    refused(&[&["reference", "show", &signed, "--reference-key", &key], &later[..]].concat(), "expired at 2029");
    refused(&["reference", "show", &signed, "--reference-key", &other], "another's");
    refused(&["reference", "convert", &signed, "--to", "allod", "-o", &back], "give its signer's key");
    let mut bytes = std::fs::read(&signed).expect("written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let bent = folder.file("bent.signed", &bytes);
    assert!(allod(&["reference", "show", &bent, "--reference-key", &key]).is_err());

    allod(&["reference", "convert", &signed, "--reference-key", &key, "--to", "allod", "-o", &back]).expect("back");
    let (mut before, mut after) = (References::new(), References::new());
    before.add(REALM.as_bytes()).expect("as it was");
    after.add(&std::fs::read(&back).expect("written")).expect("our own form");
    assert_eq!(before.realm, after.realm);

    let (store, again) = (folder.at("flat.corim"), folder.at("again.json"));
    allod(&["reference", "convert", &flat, "--to", "corim", "--layout", "draft-04", "-o", &store]).expect("a CoRIM");
    allod(&["reference", "convert", &store, "--to", "flat", "-o", &again]).expect("a store");
    let (mut before, mut after) = (References::new(), References::new());
    before.add(FLAT.as_bytes()).expect("a store");
    after.add(&std::fs::read(&again).expect("written")).expect("a store");
    assert_eq!(before, after);

    refused(&["reference", "merge", &made, &store, "--to", "corim", "-o", &back], "found both");
    allod(&["reference", "merge", &made, &store, "--to", "corim", "--part", "realm", "-o", &back]).expect("one part");
    allod(&["reference", "merge", &made, &store, "--to", "allod", "-o", &back]).expect("one of each");
    refused(&["reference", "convert", &key, "--to", "allod", "-o", &back], "unknown field");
    refused(&["reference", "sign", &realm, "--key", &key, "--name", "me", "-o", &back], "expected");
}

#[test]
fn vectors_pass_or_are_refused_as_their_provenance_says() {
    let Some(folder) = vectors() else { return };
    let corim = |name: &str| folder.join("attestation/corim").join(name).to_str().expect("UTF-8").to_string();
    let now = ["--at", "2025-06-01T00:00:00Z"];
    let show = |name: &str, more: &[&str]| {
        let file = corim(name);
        allod(&[&["reference", "show", &file], &now[..], more].concat())
    };
    let good = ["cca-endorsements", "cca-realm-endorsements", "corim-cca-platform-valid", "corim-cca-realm-valid"];
    let libraries = ["corim-lib-cca-platform-valid", "corim-lib-cca-realm-valid"];
    for name in good.iter().chain(&libraries) {
        show(&format!("{name}.cbor"), &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for (name, why) in [
        ("corim-cca-platform-bad-no-class", "expected a class"),
        ("corim-cca-platform-bad-refval-no-digests", "expected digests"),
        ("corim-cca-platform-bad-refval-no-mkey", "expected a key"),
        ("corim-cca-platform-bad-ta-no-instance", "expected an instance"),
        ("corim-lib-cca-realm-invalid-missing-rim", "expected cca.rim"),
    ] {
        let error = show(&format!("{name}.cbor"), &[]).expect_err("refused");
        assert!(error.contains(why), "{name}: {error}");
    }
    let (cover, cocli) = (corim("cover-key.pub.pem"), corim("ec-p256.jwk"));
    for name in ["signed-corim-cca-ref-plat.cbor", "signed-corim-cca-ta.cbor"] {
        show(name, &["--reference-key", &cover]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(show(name, &["--reference-key", &cocli]).is_err_and(|error| error.contains("another's")));
    }
    let psa = "signed-corim-valid.cbor";
    assert!(show(psa, &["--reference-key", &cocli]).is_err_and(|error| error.contains("iot/profile")), "it holds");
    assert!(show(psa, &["--reference-key", &cover]).is_err_and(|error| error.contains("another's")));
    let expired = corim("cca-endorsements.cbor");
    refused(&["reference", "show", &expired, "--at", "2026-06-01T00:00:00Z"], "expired at 2025-12-31");
}

#[test]
fn anchors_are_taken_or_refused() {
    let Some(vectors) = vectors() else { return };
    let at = |name: &str| vectors.join(name).to_str().expect("UTF-8").to_string();
    let folder = Folder::new("anchors");
    let store = folder.at("store");
    let count = || std::fs::read_dir(&store).map_or(0, Iterator::count);
    for (index, name) in [
        "huawei-equipment-root-ca-rsa.pem",
        "huawei-it-product-ca-rsa.pem",
        "huawei-ecc-attestation-root-ca-1.pem",
        "huawei-computing-ecc-cca-ca-1.pem",
    ]
    .iter()
    .enumerate()
    {
        allod(&["anchors", "import", &at(&format!("virtcca/{name}")), "--store", &store]).expect("Huawei's own");
        assert_eq!(count(), index + 1);
    }
    refused(&["anchors", "import", &at("virtcca/gta-dev-cert.der"), "--store", &store], "not one of Huawei's");
    let corim = at("attestation/corim/corim-cca-platform-valid.cbor");
    refused(&["anchors", "import", &corim, "--store", &store], "private half is published");
    allod(&["anchors", "import", &corim, "--store", &store, "--allow-test-keys"]).expect("let");
    allod(&["anchors", "import", &corim, "--store", &store, "--allow-test-keys"]).expect("once more changes nothing");
    let lone = at("attestation/corim/cover-key.pub.pem");
    refused(&["anchors", "import", &lone, "--store", &store], "does not say for which platform");
    allod(&["anchors", "add", &lone, "--store", &store]).expect("a key that is trusted outright");
    refused(&["anchors", "add", &at("attestation/keys/ta-tfa.json"), "--store", &store], "private half is published");
    assert_eq!(count(), 6);
    allod(&["anchors", "list", "--store", &store]).expect("listed");
    let files = crate::anchors::files(&[PathBuf::from(&store)]).expect("a folder");
    assert_eq!(files.len(), 6);
    let mut anchors = verifier::Anchors::new();
    files.iter().for_each(|file| anchors.add(&std::fs::read(file).expect("a file")).expect("an anchor"));
}

/// Huawei's list of components, as it comes with a machine's firmware; the digests are made up.
const COMPONENTS: &str = r#"{"measure_value": [
    {"firware_name": "tee", "measurement": "F5A5FD42D16A20302798EF6ED309979B43003D2320D9F0E8EA9831A92759FB4B",
     "firware_version": "1.6", "hash_algorithm": "sha-256"},
    {"firware_name": "uefi", "measurement": "0303030303030303030303030303030303030303030303030303030303030303",
     "firware_version": "2.1", "hash_algorithm": "sha-256"}]}"#;

#[test]
fn huaweis_components_are_carried_both_ways() {
    let folder = Folder::new("components");
    let list = folder.file("software_components.json", COMPONENTS.as_bytes());
    let (own, back, again) = (folder.at("own.json"), folder.at("back.json"), folder.at("again.json"));
    allod(&["reference", "show", &list]).expect("shown");
    allod(&["reference", "convert", &list, "--to", "allod", "-o", &own]).expect("our own form");
    allod(&["reference", "convert", &own, "--to", "software-components", "-o", &back]).expect("Huawei's");
    allod(&["reference", "convert", &back, "--to", "allod", "-o", &again]).expect("and again");
    assert_eq!(std::fs::read(&own).expect("written"), std::fs::read(&again).expect("written"));
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(&back).expect("written")).expect("JSON");
    let first = &written["measure_value"][0];
    assert_eq!((&first["firware_name"], &first["firware_version"]), (&"tee".into(), &"1.6".into()));
    for (bad, why) in [
        (COMPONENTS.replace("\"sha-256\"}]", "\"sha-512\"}]"), "hash_algorithm"),
        (COMPONENTS.replace("firware_version", "firmware_version"), "firmware_version"),
        (COMPONENTS.replace("0303030303", "03030303"), "measurement"),
        (r#"{"measure_value": []}"#.to_string(), "neither"),
    ] {
        refused(&["reference", "show", &folder.file("bad.json", bad.as_bytes())], why);
    }
    let flat = folder.file("flat.json", FLAT.as_bytes());
    refused(&["reference", "convert", &flat, "--to", "software-components"], "cannot be");
}

fn image(kernels: usize) -> String {
    let kernel = |index: usize| {
        format!(r#"{{"version": "6.6.{index}", "kernel": "{}", "initramfs": "{}"}}"#, "AB".repeat(32), "CD".repeat(32))
    };
    let kernels: Vec<String> = (0..kernels).map(kernel).collect();
    let (grub, config) = ("11".repeat(32), "22".repeat(32));
    format!(
        r#"{{"grub": "{grub}", "grub.cfg": "{config}", "kernels": [{}], "hash_alg": "sha-256"}}"#,
        kernels.join(", ")
    )
}

#[test]
fn huaweis_values_of_a_boot_become_rules_and_back() {
    let folder = Folder::new("image");
    let file = folder.file("image_reference_measurement.json", image(1).as_bytes());
    let (rules, back) = (folder.at("rules.toml"), folder.at("back.json"));
    allod(&["reference", "convert", &file, "--to", "rules", "-o", &rules]).expect("rules");
    let read = Rules::parse(&std::fs::read(&rules).expect("written")).expect("rules that are read");
    assert_eq!(read.rules.iter().filter(|it| it.name.starts_with("kernel ")).count(), 1);
    allod(&["reference", "convert", &rules, "--to", "image-reference", "-o", &back]).expect("back");
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(&text.to_lowercase()).expect("JSON");
    assert_eq!(value(&std::fs::read_to_string(&back).expect("written")), value(&image(1)));
    let two = folder.file("two.json", image(2).as_bytes());
    refused(&["reference", "convert", &two, "--to", "rules"], "6.6.0, 6.6.1");
    allod(&["reference", "convert", &two, "--to", "rules", "--kernel", "6.6.1", "-o", &rules]).expect("chosen");
    refused(&["reference", "convert", &two, "--to", "rules", "--kernel", "5.10"], "choose");
    let none = folder.file("none.json", image(1).replace(&"CD".repeat(32), "NOT_FOUND").as_bytes());
    allod(&["reference", "convert", &none, "--to", "rules", "-o", &rules]).expect("no initramfs");
    allod(&["reference", "convert", &rules, "--to", "image-reference", "-o", &back]).expect("back");
    assert!(std::fs::read_to_string(&back).expect("written").contains("NOT_FOUND"));
    let bad = folder.file("bad.json", image(1).replace("sha-256", "md5").as_bytes());
    refused(&["reference", "convert", &bad, "--to", "rules"], "hash_alg");
    let bad = folder.file("bad.json", image(1).replace("1111", "11").as_bytes());
    refused(&["reference", "convert", &bad, "--to", "rules"], "grub");
    refused(&["reference", "convert", &file, "--to", "allod"], "--to rules");
    // As older tools write it: one kernel, without a version.
    let single = |digest: &str| {
        let (grub, config, initramfs) = ("11".repeat(32), "22".repeat(32), "CD".repeat(32));
        format!(
            r#"{{"grub": "{grub}", "grub.cfg": "{config}", "kernel": "{digest}", "initramfs": "{initramfs}", "hash_alg": "sha-256"}}"#
        )
    };
    let old = folder.file("old.json", single(&"AB".repeat(32)).as_bytes());
    allod(&["reference", "convert", &old, "--to", "rules", "-o", &rules]).expect("rules");
    allod(&["reference", "convert", &rules, "--to", "image-reference", "-o", &back]).expect("back");
    let newer = image(1).replace("6.6.0", "");
    assert_eq!(value(&std::fs::read_to_string(&back).expect("written")), value(&newer));
    let bad = folder.file("bad.json", single("AB").as_bytes());
    refused(&["reference", "convert", &bad, "--to", "rules"], "kernel");
}

/// The recording of a boot by shim and GRUB, whose values Huawei's file would pin.
#[test]
fn rules_of_huaweis_values_admit_the_boot_and_not_another_kernel() {
    let Some(folder) = vectors() else { return };
    let log = std::fs::read(folder.join("eventlog/arm64-shim-grub214.bin")).expect("the vector");
    let log = evidence::eventlog::EventLog::parse(&log).expect("a log");
    let draft = Rules::parse(verifier::rules::draft(&log, evidence::eventlog::Algorithm::Sha256).as_bytes());
    // What is pinned of that boot is told by its own draft; what is not is told too.
    let pins = Image::from_rules(&draft.expect("rules"));
    assert!(pins.is_err() || pins.is_ok_and(|(_, left_out)| left_out > 0));
}

#[test]
fn templates_of_cocli_become_corims() {
    let Some(folder) = vectors() else { return };
    let scratch = Folder::new("cocli");
    let file = |name: &str| folder.join("attestation/corim").join(name).to_str().expect("UTF-8").to_string();
    let (comid, corim, made) = (file("comid-cca-realm.json"), file("corim-cca-realm.json"), scratch.at("made.corim"));
    allod(&["reference", "create", &comid, &corim, "-o", &made]).expect("made");
    let read = Corim::parse(&std::fs::read(&made).expect("written")).expect("a CoRIM");
    assert_eq!(read.id, "5c57e8f4-46cd-421b-91c9-08cf93e13cfc");
    assert_eq!(read.entities, ["ACME Ltd."]);
    let [realm] = read.realms.as_slice() else { panic!("one Realm") };
    assert!(realm.rems.iter().all(Option::is_some) && realm.rpv.is_some());
    assert_eq!(realm.rim.hash, evidence::Hash::Sha384);
    refused(&["reference", "show", &made, "--at", "2026-01-01T00:00:00Z"], "expired at 2025-12-31");
    allod(&["reference", "show", &made, "--at", "2024-01-01T00:00:00Z"]).expect("the control");
    let template = std::fs::read_to_string(&comid).expect("the vector");
    for (old, new, why) in [
        ("\"rim\"", "\"rimm\"", "not understood"),
        ("sha-384;Q", "sha-999;Q", "not known"),
        ("integrity-registers", "integrity", "not understood"),
        ("\"instance\"", "\"group\"", "not understood"),
        ("sha-384;QoS1", "sha-384;AAAA", "called by"),
    ] {
        let bad = scratch.file("bad.json", template.replacen(old, new, 1).as_bytes());
        refused(&["reference", "create", &bad, "-o", &made], why);
    }
}

/// A platform by the layout of 2025, with digests by two algorithms.
const PLATFORM: &str = r#"{"tag-identity": {"id": "a", "version": 0}, "triples": {"reference-values": [{
    "environment": {"class": {"id": {"type": "bytes", "value": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="}}},
    "measurements": [{"key": {"type": "string", "value": "cca.software-component"}, "value": {"name": "RMM",
        "digests": [[1, "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="],
            [7, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"]],
        "cryptokeys": [{"type": "bytes", "value": "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ="}]}},
        {"key": {"type": "string", "value": "cca.platform-config"}, "value": {"raw-value":
            {"type": "bytes", "value": "z8/Pzw=="}}}]}]}}"#;

#[test]
fn templates_of_older_tools_are_read() {
    let folder = Folder::new("older");
    let made = folder.at("made.corim");
    let of = |text: &str| {
        let file = folder.file("t.json", text.as_bytes());
        let corim = allod(&["reference", "create", &file, "-o", &made]);
        corim.map(|()| Corim::parse(&std::fs::read(&made).expect("written")).expect("a CoRIM"))
    };
    let one = PLATFORM.replace("[1, \"AwMD", "\"sha-256;AwMD").replace("AwM=\"],", "AwM=\",");
    let control = of(&one).expect("the control");
    assert_eq!(of(&one.replace("sha-256;", "sha-256:")).expect("a colon").platforms, control.platforms);
    assert!(of(&one.replace("sha-256;", "sha-256 ")).is_err());
    let instance = one.replace("{\"class\":", "{\"instance\": {\"type\": \"ueid\", \"value\": \"AQ==\"}, \"class\":");
    assert!(of(&instance).expect_err("one platform").contains("instance: expected none"));

    let realm = r#"{"tag-identity": {"id": "a"}, "triples": {"reference-values": [{"environment":
        {"instance": {"type": "bytes", "value": "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="}}, "measurements": [{"value":
        {"integrity-registers": {"rim": {"value": ["sha-256;AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="]}}}}]}]}}"#;
    let control = of(realm).expect("the control");
    let single = realm.replace("\"measurements\": [", "\"measurement\": ").replace("}}}}]}]}}", "}}}}}]}}");
    assert_eq!(of(&single).expect("one measurement").realms, control.realms);

    let key = |member: &str| {
        format!(
            r#"{{"tag-identity": {{"id": "a"}}, "triples": {{"attester-verification-keys": [{{"environment": {{"class": {{"id":
            {{"type": "psa.impl-id", "value": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="}}}}, "instance": {{"type": "ueid",
            "value": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"}}}}, "verification-keys": [{{{member}}}]}}]}}}}"#
        )
    };
    let pem = "-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\\n\
               6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\\n-----END PUBLIC KEY-----";
    let control = of(&key(&format!(r#""type": "pkix-base64-key", "value": "{pem}""#))).expect("the control");
    assert_eq!(of(&key(&format!(r#""key": "{pem}""#))).expect("a bare key").keys, control.keys);
    assert!(of(&key(r#""key": "MFkw""#)).is_err());

    let around = |profile: &str| {
        let corim = format!(r#"{{"corim-id": "c", {profile}: ["http://arm.com/cca/ssd/1"]}}"#);
        let (comid, corim) = (folder.file("t.json", one.as_bytes()), folder.file("c.json", corim.as_bytes()));
        allod(&["reference", "create", &comid, &corim, "-o", &made])
    };
    around("\"profiles\"").expect("a list of profiles");
    assert!(around("\"profile-list\"").is_err());
    let tool = folder.file("tool.json", br#"{"id": "c", "tags": [{"type": "comid", "value": {}}]}"#);
    refused(&["reference", "show", &tool], "corim-tool");
}

#[test]
fn digests_by_several_algorithms_stay_in_corims() {
    let folder = Folder::new("several");
    let (file, made, again) = (folder.file("p.json", PLATFORM.as_bytes()), folder.at("p.corim"), folder.at("q.corim"));
    allod(&["reference", "create", &file, "-o", &made]).expect("made");
    let corim = Corim::parse(&std::fs::read(&made).expect("written")).expect("a CoRIM");
    assert_eq!(corim.platforms[0].components[0].digests.len(), 2);
    allod(&["reference", "convert", &made, "--to", "corim", "--id", "x", "-o", &again]).expect("carried on");
    let again = Corim::parse(&std::fs::read(&again).expect("written")).expect("a CoRIM");
    assert_eq!(again.platforms, corim.platforms);
    refused(&["reference", "convert", &made, "--to", "flat"], "several algorithms");
    refused(&["reference", "convert", &made, "--to", "allod"], "several algorithms");
    let twice = folder.file("t.json", PLATFORM.replace("[7, \"BwcH", "[1, \"BwcH").as_bytes());
    assert!(allod(&["reference", "create", &twice, "-o", &made]).is_err());
}

/// The private number 1 on P-521.
const PRIVATE_521: &str = r#"{"kty": "EC", "crv": "P-521",
    "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
    "x": "AMaFjga3BATpzZ4-y2YjlbRCnGSBOQU_tSH4KK9ga009uqFLXnfv51ko_h3BJ6L_qN4zSLPBhWpCm_l-fjHC5b1m",
    "y": "ARg5KWp4mjvABFyKX7QsfRvZmPVESVebRGgXr70XJz5mLJfucple9CZAxVC5AT-tB2E1PHCGonLCQIi-lHaf0WZQ"}"#;

#[test]
fn a_corim_is_signed_on_every_curve() {
    let folder = Folder::new("p521");
    let (realm, key) = (folder.file("realm.json", REALM.as_bytes()), folder.file("key.jwk", PRIVATE_521.as_bytes()));
    let (made, signed) = (folder.at("made.corim"), folder.at("made.signed"));
    allod(&["reference", "create", &realm, "-o", &made]).expect("made");
    allod(&["reference", "sign", &made, "--key", &key, "--name", "me", "-o", &signed]).expect("signed");
    allod(&["reference", "show", &signed, "--reference-key", &key]).expect("holds");
    let other = folder.file("other.jwk", OTHER.as_bytes());
    refused(&["reference", "show", &signed, "--reference-key", &other], "another's");
}
