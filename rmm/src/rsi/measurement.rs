//! RSI_MEASUREMENT_READ and RSI_MEASUREMENT_EXTEND (RMM 1.0, B5.3.7, B5.3.8).

use super::{Reply, status};
use crate::measurement::{Register, rem};
use crate::platform::Platform;
use crate::realm::Realm;
use crate::run::Session;
use abi::rsi::Status;
use zerocopy::IntoBytes;

/// RSI_MEASUREMENT_READ: gives a register in x1 to x8.
pub fn read<P: Platform>(session: &mut Session<'_, P>, index: u64) -> Reply {
    let mut realm = Realm::owner(session.platform(), session.rec.owner());
    let register = realm.with(|rd| usize::try_from(index).ok().and_then(|index| rd.measurements.get(index)).copied());
    drop(realm);
    let Some(register) = register else { return status(Status::Input) };
    let words: [[u8; 8]; 8] = zerocopy::transmute!(register);
    session.rec.set_register(0, Status::Success as u64);
    for (number, word) in (1..).zip(words) {
        session.rec.set_register(number, u64::from_le_bytes(word));
    }
    Reply::Written
}

/// RSI_MEASUREMENT_EXTEND: extends one of the REMs; the RIM is not the Realm's to change.
pub fn extend<P: Platform>(session: &Session<'_, P>, index: u64, size: u64, value: [u64; 8]) -> Reply {
    let bytes: Register = zerocopy::transmute!(value.map(u64::to_le_bytes));
    let (Ok(index @ 1..), Some(value)) =
        (usize::try_from(index), usize::try_from(size).ok().and_then(|n| bytes.get(..n)))
    else {
        return status(Status::Input);
    };
    let platform = session.platform();
    let mut realm = Realm::owner(platform, session.rec.owner());
    realm.with(|rd| {
        let hash = rd.hash();
        let Some(register) = rd.measurements.get_mut(index) else { return status(Status::Input) };
        *register = rem(platform, hash, register, value.as_bytes());
        status(Status::Success)
    })
}
