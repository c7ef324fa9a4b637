//! The verdict on a token, by references computed here from the files that were given, never from the machine.

use super::setup::Setup;
use crate::verify;
use host::plan::Images;
use serde_json::json;
use std::error::Error;
use std::path::Path;
use verifier::{Case, Nonce, Policy, References, Verdict};

/// What a machine made of these parts must show.
pub fn references(setup: &Setup) -> Result<References, Box<dyn Error>> {
    let images = Images { kernel: &setup.kernel, initrd: &setup.initrd };
    let realm = measure::direct::expect(&images, &setup.config)?;
    let platform = measure::platform::expect(&measure::platform::Files {
        boot: &setup.boot,
        monitor: &setup.monitor,
        rmm: &setup.rmm,
        hardware: &setup.hardware,
        firmware: &setup.firmware,
    })?;
    let file = json!({ "profile": measure::PROFILE, "platform": platform.json(), "realm": realm.json() });
    let mut references = References::new();
    references.add(file.to_string().as_bytes())?;
    Ok(references)
}

/// Judges a token by the root of one machine's maker and the endorsements that come with the token's machine.
pub fn judge(
    token: &[u8],
    nonce: &[u8; 64],
    references: &References,
    maker: &Path,
    endorsed: &Path,
) -> Result<Verdict, Box<dyn Error>> {
    let anchors = verify::anchors(&[maker.join("endorsements/root.pem")], &endorsed.join("endorsements"))?;
    let nonce = Nonce::new(nonce).ok_or("a challenge of another length")?;
    let case = Case { anchors: &anchors, nonce, at: verify::now()?, references, policy: &Policy::default() };
    Ok(verifier::verify(token, &case))
}
