//! Makes evidence to try `allod verify` with where there is no machine: a maker of platforms with published keys, a platform
//! and the token of a Realm, all in one folder. Nothing that comes from here is worth any trust.
//!
//! `cargo run -q -p allod --example evidence -- cca|virtcca-1|virtcca-2 FOLDER REALM.json` takes what `allod measure` said
//! of a Realm, and has the platform sign exactly that. With `--boot` the Realm has booted by way of firmware and GRUB: its
//! registers and its log, `ccel.bin`, are those of the boot in docs/eventlog.md.

// The tests' maker of platforms calls its crate by the name that it has in the registry of crates.
extern crate verifier as allod_verifier;

#[path = "../../verifier/tests/boot/mod.rs"]
#[allow(dead_code, reason = "tests change the boot, which is not needed here")]
mod boot;
#[path = "../../verifier/tests/maker/mod.rs"]
mod maker;

use evidence::eventlog::{Algorithm, EventLog};
use maker::token::{Entries, Maker, array, bytes, set};
use maker::virtcca::{Second, chain, first, first_token};
use maker::{CHALLENGE, Certificate, Signer, key, key521};
use serde_json::Value;
use std::error::Error;
use std::path::Path;

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn hex(text: &str) -> Vec<u8> {
    evidence::hex::decode(text).unwrap_or_default()
}

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--boot").collect();
    let booted = std::env::args().any(|it| it == "--boot");
    let [family, folder, realm] = arguments.as_slice() else {
        return Err("expected cca|virtcca-1|virtcca-2 FOLDER REALM.json [--boot]".into());
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let realm: Value = serde_json::from_slice(&std::fs::read(realm)?)?;
    let rim = hex(realm["realm"]["rim"].as_str().ok_or("expected a RIM in what `allod measure --json` said")?);
    let rems = if booted { boot(folder)? } else { [const { Vec::new() }; 4].map(|_: Vec<u8>| vec![0; rim.len()]) };
    let say = |claims: &mut Entries| {
        set(claims, 44238, bytes(&rim));
        set(claims, 44239, array(&rems.clone().map(|rem| bytes(&rem))));
    };
    let (token, certificates, reference) = match family.as_str() {
        "cca" => {
            let mut maker = Maker::default();
            say(&mut maker.realm);
            (maker.token(), [maker::root(), maker::sub(), maker::leaf()], maker::token::PLATFORM_REFERENCE)
        }
        "virtcca-1" => {
            let mut half = first();
            say(&mut half.claims);
            (first_token(&half), chain(key, &Signer::Rsa), "")
        }
        "virtcca-2" => {
            let mut second = Second::default();
            say(&mut second.realm.claims);
            (second.token(), chain(key521, &key521(3)), maker::virtcca::PLATFORM_REFERENCE)
        }
        other => return Err(format!("expected cca, virtcca-1 or virtcca-2, found {other}").into()),
    };
    write(folder, &token, &certificates, reference)
}

/// The log of a boot, and what it leaves in the registers.
fn boot(folder: &Path) -> Done<[Vec<u8>; 4]> {
    let log = boot::log(&boot::boot());
    let rems = verifier::replay::rems(&EventLog::parse(&log)?, Algorithm::Sha256)?;
    std::fs::write(folder.join("ccel.bin"), log)?;
    Ok(rems)
}

fn write(folder: &Path, token: &[u8], [root, sub, device]: &[Certificate; 3], reference: &str) -> Done {
    std::fs::write(folder.join("token.cbor"), token)?;
    std::fs::write(folder.join("nonce"), evidence::hex::encode(&CHALLENGE))?;
    std::fs::write(folder.join("root.der"), root.der())?;
    std::fs::write(folder.join("sub.der"), sub.der())?;
    std::fs::write(folder.join("device.der"), device.der())?;
    if !reference.is_empty() {
        std::fs::write(folder.join("platform.json"), reference)?;
    }
    Ok(())
}
