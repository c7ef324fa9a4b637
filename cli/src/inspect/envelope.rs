//! Evidence in the envelopes of other systems, and everything that came along.

use super::{Found, token_kind};
use crate::{anchors, eventlog};
use evidence::Token;
use evidence::eventlog::EventLog;
use std::fmt::Write;
use verifier::envelope::{Opened, Refusal, open};

/// Says what is in an envelope, if bytes are one.
pub fn of(bytes: &[u8]) -> Option<Found> {
    match open(bytes) {
        Ok(opened) if opened.layers().is_empty() => None,
        Ok(opened) => Some(opened_as(&opened)),
        // What is no evidence may be much else.
        Err(Refusal::Json(_) | Refusal::NoToken { .. } | Refusal::Result | Refusal::TooLong { .. }) => None,
        Err(Refusal::Encoding { .. }) => None,
        // Text in which certificates stand, for whatever reason.
        Err(Refusal::Certificate(_)) if !bytes.starts_with(b"{") => None,
        Err(refusal) => Some(Found::broken(format!("evidence in an envelope, refused: {refusal}"))),
    }
}

fn opened_as(opened: &Opened) -> Found {
    let outside = opened.layers().join(", ");
    let mut found = match Token::parse(opened.token()) {
        Ok(token) => Found::new(token_kind(opened.token()), token.allegations().to_string()),
        Err(malformed) => Found::broken(format!("token, malformed: {malformed}")),
    };
    for file in opened.certificates() {
        let said = anchors::describe(file).unwrap_or_else(|error| vec![format!("unusable: {error}")]);
        for it in said {
            let _ = writeln!(found.text, "certificate  {it}");
        }
    }
    for what in opened.beside() {
        let _ = writeln!(found.text, "also there   {what}");
    }
    if let Some(log) = opened.log() {
        match EventLog::parse(log) {
            Ok(log) => {
                let _ = write!(found.text, "\nThe event log in it:\n{}", eventlog::text(&log));
            }
            Err(refusal) => {
                let _ = writeln!(found.text, "event log    malformed: {refusal}");
                found.known = false;
            }
        }
    }
    found.within(&outside)
}
