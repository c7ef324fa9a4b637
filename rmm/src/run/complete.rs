//! Completion of the last exit by what the host brings with the next entry (RMM 1.0, A4.3.4 to A4.3.8).

use super::abort;
use super::session::{Next, Session};
use crate::platform::Platform;
use crate::rec::RipasRequest;
use crate::rsi::host_call;
use abi::rmi::{RecEnter, enter};
use abi::rsi;

/// Completes the last exit; the REC does not run if a page of its own is missing for that.
pub fn last_exit<P: Platform>(session: &mut Session<'_, P>, enter: &RecEnter) -> Next {
    let last = session.rec.last;
    if enter.flags & enter::INJECT_SEA != 0 {
        if last.unprotected != 0 {
            abort::external(session, last.esr, last.far);
        }
    } else if enter.flags & enter::EMUL_MMIO != 0 {
        emulated(session, last.esr, enter);
    }
    ripas_change(session, enter.flags);
    host_call::complete(session, &enter.gprs)
}

/// Ends an access that the host emulated.
fn emulated<P: Platform>(session: &mut Session<'_, P>, esr: u64, enter: &RecEnter) {
    if !abort::is_store(esr) {
        session.rec.set_register(abort::transfer(esr), abort::loaded(esr, enter.gprs[0]));
    }
    session.rec.advance();
}

/// Answers RSI_IPA_STATE_SET: how far the host came, and whether it refused.
fn ripas_change<P: Platform>(session: &mut Session<'_, P>, flags: u64) {
    let request = session.rec.ripas;
    if request.pending == 0 {
        return;
    }
    session.rec.ripas = RipasRequest::default();
    let rejected = flags & enter::RIPAS_RESPONSE != 0 && request.value != 0 && request.address != request.top;
    let response = if rejected { rsi::RESPONSE_REJECT } else { rsi::RESPONSE_ACCEPT };
    session.rec.answer([rsi::Status::Success as u64, request.address, response, 0]);
}
