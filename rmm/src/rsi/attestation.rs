//! RSI_ATTESTATION_TOKEN_INIT and RSI_ATTESTATION_TOKEN_CONTINUE (RMM 1.0, B5.3.1, B5.3.2).

use super::{Reply, status, with_page};
use crate::address::GRANULE;
use crate::platform::{El3Error, Platform};
use crate::realm::Realm;
use crate::rec::TokenState;
use crate::run::Session;
use crate::token::{self, Claims};
use abi::rmi::ExitReason;
use abi::rsi::Status;

/// Stages of [`TokenState`].
const NONE: u64 = 0;
const UNSIGNED: u64 = 1;
const SIGNED: u64 = 2;
const FAILED: u64 = 3;

const IDLE: TokenState = TokenState { stage: NONE, length: 0, read: 0, digest: [0; 48] };

/// RSI_ATTESTATION_TOKEN_INIT: captures the claims; the token is whole but for its signature.
pub fn init<P: Platform>(session: &mut Session<'_, P>, challenge: [u64; 8]) -> Reply {
    let challenge = zerocopy::transmute!(challenge.map(u64::to_le_bytes));
    let mut realm = Realm::owner(session.platform(), session.rec.owner());
    let (rpv, hash, measurements) = realm.with(|rd| (rd.rpv, rd.hash(), rd.measurements));
    drop(realm);
    let rmm = session.rmm;
    let claims = Claims { challenge, rpv, hash, measurements, attestation: &rmm.attestation };
    let made = rmm.platform.page(session.token, |page| token::build(&mut page.0, &claims));
    session.rec.token = match made {
        Some((length, digest)) => TokenState { stage: UNSIGNED, length: length as u64, read: 0, digest },
        None => TokenState { stage: FAILED, ..IDLE },
    };
    Reply::Values([Status::Success as u64, GRANULE as u64, 0, 0])
}

/// RSI_ATTESTATION_TOKEN_CONTINUE: signs the token if that is still to do, and copies the next piece to the Realm.
pub fn proceed<P: Platform>(session: &mut Session<'_, P>, ipa: u64, offset: u64, size: u64) -> Reply {
    let inside = offset < GRANULE as u64 && offset.checked_add(size).is_some_and(|end| end <= GRANULE as u64);
    if ipa & (GRANULE as u64 - 1) != 0 || !inside || !session.rec.is_protected(ipa) {
        return status(Status::Input);
    }
    match session.rec.token.stage {
        NONE => return status(Status::State),
        UNSIGNED => {
            if let Some(reply) = sign(session) {
                return reply;
            }
        }
        _ => {}
    }
    if session.rec.token.stage != SIGNED {
        session.rec.token = IDLE;
        return status(Status::Unknown);
    }
    copy(session, ipa, offset as usize, size as usize)
}

/// Has the token signed. An interrupt comes first: the Realm is told to come again when it runs next.
fn sign<P: Platform>(session: &mut Session<'_, P>) -> Option<Reply> {
    let rmm = session.rmm;
    let rec = session.rec.token_aux();
    let TokenState { length, digest, .. } = session.rec.token;
    let mut signature = [0; 96];
    let outcome = loop {
        if rmm.platform.irq_pending() {
            session.rec.answer([Status::Incomplete as u64, 0, 0, 0]);
            return Some(Reply::Leave(ExitReason::Irq));
        }
        match rmm.platform.sign(rec, &digest, &mut signature) {
            Err(El3Error::Again) => core::hint::spin_loop(),
            other => break other,
        }
    };
    session.rec.token.stage = match outcome {
        Ok(()) => {
            rmm.platform.page(session.token, |page| token::set_signature(&mut page.0, length as usize, &signature));
            SIGNED
        }
        Err(_) => FAILED,
    };
    None
}

fn copy<P: Platform>(session: &mut Session<'_, P>, ipa: u64, offset: usize, size: usize) -> Reply {
    let TokenState { length, read, .. } = session.rec.token;
    let (length, read) = (length as usize, read as usize);
    let end = read.saturating_add(size).min(length);
    // The token is copied aside: the Realm's page may not be written while a reference to the token's is open.
    let mut piece = [0; GRANULE];
    let count = session.rmm.platform.page(session.token, |page| {
        let from = page.0.get(read..end).unwrap_or(&[]);
        piece.iter_mut().zip(from).map(|(to, from)| *to = *from).count()
    });
    let (piece, _) = piece.split_at(count);
    let written = with_page(session, ipa, |platform, _, page| platform.write_realm(page, offset, piece));
    if let Err(reply) = written {
        return reply;
    }
    let done = end == length;
    if done {
        session.rec.token = IDLE;
    } else {
        session.rec.token.read = end as u64;
    }
    let status = if done { Status::Success } else { Status::Incomplete };
    Reply::Values([status as u64, count as u64, 0, 0])
}
