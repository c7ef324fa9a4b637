//! RSI_HOST_CALL (RMM 1.0, B5.3.3, A4.3.8).

use super::{Reply, status, with_page};
use crate::address::GRANULE;
use crate::platform::Platform;
use crate::rec::HostCall;
use crate::run::{Next, Session, missing_page};
use abi::rmi::ExitReason;
use abi::rsi::{self, Status};
use core::mem::offset_of;
use zerocopy::{FromZeros, IntoBytes};

const OFFSET: u64 = GRANULE as u64 - 1;

/// RSI_HOST_CALL: passes the host a number and registers, from a structure in the Realm's own memory.
pub fn begin<P: Platform>(session: &mut Session<'_, P>, ipa: u64) -> Reply {
    if ipa & (size_of::<rsi::HostCall>() as u64 - 1) != 0 {
        return status(Status::Input);
    }
    let mut call = rsi::HostCall::new_zeroed();
    let read = with_page(session, ipa & !OFFSET, |platform, _, page| {
        platform.read_realm(page, (ipa & OFFSET) as usize, call.as_mut_bytes());
    });
    if let Err(reply) = read {
        return reply;
    }
    session.rec.host_call = HostCall { pending: 1, ipa };
    session.exit.imm = call.imm;
    session.exit.gprs = call.gprs;
    Reply::Leave(ExitReason::HostCall)
}

/// Ends a host call by the registers that the host brings. If the page is gone the host has to provide it first, and
/// the call stays pending; if the Realm gave the page up, the registers have nowhere to go.
pub fn complete<P: Platform>(session: &mut Session<'_, P>, gprs: &[u64; 31]) -> Next {
    let HostCall { pending, ipa } = session.rec.host_call;
    if pending == 0 {
        return Next::Resume;
    }
    let offset = (ipa & OFFSET) as usize + offset_of!(rsi::HostCall, gprs);
    let written = with_page(session, ipa & !OFFSET, |platform, _, page| {
        platform.write_realm(page, offset, gprs.as_bytes());
    });
    if let Err(Reply::Missing(page, level)) = written {
        return missing_page(session, page, level);
    }
    session.rec.host_call = HostCall::default();
    session.rec.answer([Status::Success as u64, 0, 0, 0]);
    Next::Resume
}
