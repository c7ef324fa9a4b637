//! Measurements of a Realm as an unsigned CoRIM.

use std::error::Error;

use abi::measurement::Hash;
use evidence::corim::{Corim, Digest, Layout, Realm};
use measure::Expected;

/// One Realm, named by its RIM, with REMs that nothing has extended yet; the identifier follows from what it says.
pub fn encode(expected: &Expected) -> Result<Vec<u8>, Box<dyn Error>> {
    let hash = match expected.hash {
        Hash::Sha256 => evidence::Hash::Sha256,
        Hash::Sha512 => evidence::Hash::Sha512,
    };
    let digest = |bytes: &[u8]| Digest::new(hash, bytes);
    let mut rems = [const { None }; 4];
    for (rem, bytes) in rems.iter_mut().zip(&expected.rems) {
        *rem = Some(digest(bytes)?);
    }
    let realm = Realm { rim: digest(&expected.rim)?, rems, rpv: Some(expected.rpv) };
    let corim = Corim {
        id: String::new(),
        profile: None,
        layout: Layout::Code2025,
        validity: None,
        entities: Vec::new(),
        platforms: Vec::new(),
        realms: vec![realm],
        keys: Vec::new(),
        passed_over: Vec::new(),
    };
    let id = crate::reference::form::digest_of(&corim)?;
    Ok(Corim { id, ..corim }.encode()?)
}
