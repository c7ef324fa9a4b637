use std::os::unix::fs::PermissionsExt;

use abi::endorsement::{CCA_IDENTITY_OID, read_cca_identity};
use p384::ecdsa::signature::Verifier;
use p384::ecdsa::{DerSignature, VerifyingKey};
use rot::otp::Otp;
use rot::{kdf, key};
use x509_cert::Certificate;
use x509_cert::der::{DecodePem, Encode};

use super::*;

/// A folder of this test alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("allod-platform-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn machine(&self) -> PathBuf {
        let dir = self.0.join("machine");
        manufacture(&dir).unwrap();
        dir
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn certificate(dir: &Path, name: &str) -> Certificate {
    Certificate::from_pem(fs::read(dir.join("endorsements").join(name)).unwrap()).unwrap()
}

fn public_key(certificate: &Certificate) -> VerifyingKey {
    let info = certificate.tbs_certificate().subject_public_key_info();
    VerifyingKey::from_sec1_bytes(info.subject_public_key.raw_bytes()).unwrap()
}

#[test]
fn secrets_are_their_owners_alone() {
    let folder = Folder::new("modes");
    let dir = folder.machine();
    for name in ["otp.bin", "ca/root.pem", "ca/sub.pem", "ca/firmware-signer.pem"] {
        let mode = fs::metadata(dir.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(dir.join("ca")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_that_exists_is_refused_and_nothing_in_it_is_lost() {
    let folder = Folder::new("exists");
    let dir = folder.machine();
    let before = fs::read(dir.join("otp.bin")).unwrap();
    let refused = manufacture(&dir).unwrap_err().to_string();
    assert!(refused.contains("exists already"), "{refused}");
    assert_eq!(fs::read(dir.join("otp.bin")).unwrap(), before);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing half made is left");
}

#[test]
fn two_machines_share_nothing() {
    let folder = Folder::new("two");
    let first = folder.machine();
    let second = folder.0.join("second");
    manufacture(&second).unwrap();
    let secret = |dir: &Path| Otp::parse(&otp(dir).unwrap()).unwrap().secret;
    assert_ne!(secret(&first), secret(&second));
    assert_ne!(public_key(&certificate(&first, "root.pem")), public_key(&certificate(&second, "root.pem")));
}

#[test]
fn each_certificate_is_signed_by_the_one_above() {
    let folder = Folder::new("chain");
    let dir = folder.machine();
    let [root, sub, cpak] = ["root.pem", "sub.pem", "cpak.pem"].map(|name| certificate(&dir, name));
    for (certificate, issuer) in [(&root, &root), (&sub, &root), (&cpak, &sub)] {
        let signed = certificate.tbs_certificate().to_der().unwrap();
        let signature = DerSignature::from_bytes(certificate.signature().raw_bytes()).unwrap();
        public_key(issuer).verify(&signed, &signature).unwrap();
        assert_eq!(certificate.tbs_certificate().issuer(), issuer.tbs_certificate().subject());
    }
}

#[test]
fn the_cpak_certificate_is_of_the_key_that_boot_derives_and_says_whose_it_is() {
    let folder = Folder::new("cpak");
    let dir = folder.machine();
    let cpak = certificate(&dir, "cpak.pem");
    let otp = Otp::parse(&otp(&dir).unwrap()).unwrap();
    let derived = VerifyingKey::from(kdf::cpak(&otp.secret).unwrap().public_key());
    assert_eq!(otp.cpak, key::spki_hash(&key::point(&derived).unwrap()));
    assert_eq!(public_key(&cpak), derived);
    let extensions = cpak.tbs_certificate().extensions().unwrap();
    let found = extensions.iter().find(|it| it.extn_id.to_string() == CCA_IDENTITY_OID).unwrap();
    assert!(!found.critical);
    let instance = key::instance_id(&key::spki_hash(&key::point(&derived).unwrap()));
    let identity = read_cca_identity(found.extn_value.as_bytes());
    assert_eq!(identity, Some((rot::token::IMPLEMENTATION_ID, instance)));
}

#[test]
fn firmware_that_the_machine_signs_is_what_its_otp_accepts() {
    let folder = Folder::new("sign");
    let dir = folder.machine();
    let otp = Otp::parse(&otp(&dir).unwrap()).unwrap();
    let image = sign(&dir, Kind::Rmm, &[0x5A; 100], 1).unwrap();
    let (header, body) = image.split_first_chunk().unwrap();
    let header = rot::image::Header::parse(header).unwrap();
    let signed = header.authenticate(Kind::Rmm, &otp.firmware_key, otp.lowest_version).unwrap();
    assert_eq!(signed.check(body).unwrap().signer, otp.firmware_key);
}

#[test]
fn everything_stands_at_its_offset_in_flash_and_what_is_too_large_is_named() {
    let hardware = Hardware { dram_base: abi::map::DRAM, dram_size: 1 << 30, cpus: 2 };
    let firmware = Firmware { debug: true, trace: 0 };
    let (boot, monitor, rmm) = ([1; 100], [2; 100], [3; 100]);
    let parts =
        Parts { boot: &boot, hardware: &hardware, firmware: &firmware, otp: &[4; 4096], monitor: &monitor, rmm: &rmm };
    let flash = parts.compose().unwrap();
    let places: [(usize, &[u8]); 6] = [
        (0, &boot),
        (0x8_0000, b"ALLODHW1"),
        (0x8_1000, b"ALLODFW1\x01"),
        (0x8_2000, &[4; 4096]),
        (0x10_0000, &monitor),
        (0x30_0000, &rmm),
    ];
    for (offset, bytes) in places {
        assert_eq!(&flash[offset..offset + bytes.len()], bytes, "{offset:#x}");
    }
    assert_eq!(flash[100], 0xFF);
    let refused = Parts { monitor: &vec![0; 0x1C_0001], ..parts }.compose().unwrap_err();
    assert_eq!(refused, "the signed monitor has 1835009 bytes; its place in flash 0 has 1835008");
}
