//! RSI_IPA_STATE_SET and RSI_IPA_STATE_GET (RMM 1.0, B5.3.4, B5.3.5).

use super::{Reply, status};
use crate::address::Level;
use crate::platform::Platform;
use crate::realm::Realm;
use crate::rec::RipasRequest;
use crate::rtt::{ENTRIES, read};
use crate::run::Session;
use abi::rmi::{ExitReason, Ripas};
use abi::rsi::{CHANGE_DESTROYED, Status};

/// RSI_IPA_STATE_SET: asks the host to make addresses RAM or empty. Answered by the next entry.
pub fn set<P: Platform>(session: &mut Session<'_, P>, base: u64, top: u64, ripas: u64, flags: u64) -> Reply {
    // The RIPAS is 8 bits wide, what is above it is ignored.
    let value = ripas & 0xFF;
    if !is_range(session, base, top) || value > Ripas::Ram as u64 {
        return status(Status::Input);
    }
    let change_destroyed = flags & CHANGE_DESTROYED;
    session.rec.ripas = RipasRequest { pending: 1, address: base, top, value, change_destroyed };
    session.exit.ripas_base = base;
    session.exit.ripas_top = top;
    session.exit.ripas_value = value as u8;
    Reply::Leave(ExitReason::RipasChange)
}

/// RSI_IPA_STATE_GET: tells the RIPAS at an address and how far it reaches in the same table.
pub fn get<P: Platform>(session: &Session<'_, P>, start: u64, end: u64) -> Reply {
    if !is_range(session, start, end) {
        return status(Status::Input);
    }
    let platform = session.platform();
    let realm = Realm::owner(platform, session.rec.owner());
    let walk = realm.walk(start, Level::LAST);
    let ripas = walk.entry.ripas();
    let alike = (walk.index..ENTRIES)
        .take_while(|&index| read(platform, &walk.table, index, walk.level).ripas() == ripas)
        .count();
    let reach = walk.level.floor(start).saturating_add((alike as u64) << walk.level.shift());
    Reply::Values([Status::Success as u64, reach.min(end), ripas.unwrap_or(Ripas::Empty) as u64, 0])
}

/// Says whether two addresses bound a range of granules that is protected.
fn is_range<P: Platform>(session: &Session<'_, P>, base: u64, top: u64) -> bool {
    Level::LAST.aligned(base) && Level::LAST.aligned(top) && base < top && session.rec.is_protected(top.wrapping_sub(1))
}
