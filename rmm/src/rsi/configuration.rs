//! RSI_REALM_CONFIG (RMM 1.0, B5.3.6).

use super::{Reply, status, with_page};
use crate::platform::Platform;
use crate::run::Session;
use abi::rsi::{RealmConfig, Status};
use zerocopy::{FromZeros, IntoBytes};

/// RSI_REALM_CONFIG: writes what the Realm is into a page of its own.
pub fn realm_config<P: Platform>(session: &Session<'_, P>, ipa: u64) -> Reply {
    let mut config = RealmConfig::new_zeroed();
    let written = with_page(session, ipa, |platform, realm, page| {
        config.ipa_width = realm.space.width();
        realm.with(|rd| {
            config.hash_algo = rd.hash() as u8;
            config.rpv = rd.rpv;
        });
        platform.write_realm(page, 0, config.as_bytes());
    });
    written.map_or_else(|reply| reply, |()| status(Status::Success))
}
