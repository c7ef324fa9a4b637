//! The boot as a line of events, each in words, in the lane of the register that it went into.

use super::escape::Escaped;
use super::state::State;
use evidence::eventlog::{Digest, Entry, Event, EventLog, Refusal};
use evidence::hex::encode;
use std::fmt::{self, Formatter};
use verifier::replay::Agreement;

/// Lanes of registers 1 to 4, which are REM 0 to 3.
const LANES: u32 = 4;

/// A log beside what its replay came to.
pub struct Timeline<'a> {
    pub log: &'a Result<EventLog<'a>, Refusal>,
    /// Of the check that compares it with the token.
    pub replayed: State,
    /// The algorithm of the Realm's measurements, if it is known.
    pub hash: Option<&'a str>,
}

impl fmt::Display for Timeline<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let log = match self.log {
            Ok(log) => log,
            Err(refusal) => {
                return writeln!(
                    out,
                    "<p class=\"note failed\">{} This is no event log that can be read: {}</p>",
                    State::Failed,
                    Escaped(refusal)
                );
            }
        };
        let (state, words) = match self.replayed {
            State::Held => (
                State::Held,
                "Its replay gives exactly the token's measurements: the digests below are what was measured.",
            ),
            State::Undone => {
                (State::Undone, "It was not compared with a token: this is what the log says, not yet what booted.")
            }
            _ => (State::Failed, "It does not lead to the token's measurements: do not believe what stands below."),
        };
        writeln!(out, "<p class=\"note {}\">{state} {words} Order holds within a lane only.</p>", state.class())?;
        legend(out, log)?;
        out.write_str("<ol class=\"timeline\">\n")?;
        log.entries().iter().try_for_each(|entry| event(out, log, entry, self.hash))?;
        out.write_str("</ol>\n")?;
        match log.end().residue {
            Some(at) => writeln!(
                out,
                "<p class=\"note failed\">{} Byte {at}: something that is not filler stands behind the end.</p>",
                State::Failed
            ),
            None => Ok(()),
        }
    }
}

fn legend(out: &mut Formatter<'_>, log: &EventLog<'_>) -> fmt::Result {
    let measured = log.entries().iter().filter(|entry| entry.kind.is_extended()).count();
    write!(
        out,
        "<p class=\"legend\"><span>{} events, {measured} of them measured; log of {}</span>",
        log.entries().len(),
        Escaped(log.numbering())
    )?;
    for lane in 1..=LANES {
        write!(out, "<span><i class=\"dot lane{lane}\"></i>REM {}</span>", lane - 1)?;
    }
    out.write_str(
        "<span><b class=\"trust measured\">measured</b> the words are what was hashed</span>\
         <span><b class=\"trust hint\">a hint</b> something else was hashed</span>\
         <span><b class=\"trust wrong\">changed</b> the digest is of other words</span></p>\n",
    )
}

/// How far the words of an event can be believed, once its digest is.
fn trust(agreement: Agreement) -> (&'static str, &'static str) {
    match agreement {
        Agreement::Agrees => ("measured", "measured"),
        Agreement::Differs(_) => ("wrong", "changed"),
        Agreement::Apart => ("hint", "a hint"),
        Agreement::Unmeasured => ("none", "not measured"),
    }
}

fn event(out: &mut Formatter<'_>, log: &EventLog<'_>, entry: &Entry<'_>, hash: Option<&str>) -> fmt::Result {
    let agreement = Agreement::of(entry);
    let (class, trusted) = trust(agreement);
    let measured = entry.kind.is_extended();
    let lane = if measured { log.numbering().measurement_register(entry.register) } else { 0 };
    let register = if measured { log.numbering().name(entry.register) } else { "–".into() };
    write!(out, "<li class=\"{class}\" data-event=\"{}\"><span class=\"lanes\" aria-hidden=\"true\">", entry.number)?;
    for number in 1..=LANES {
        let dot = if number == lane { format!(" lane{number} here") } else { String::new() };
        write!(out, "<i class=\"lane{dot}\"></i>")?;
    }
    write!(
        out,
        "</span><div><p class=\"head\"><span class=\"number\">{}</span><b>{}</b>",
        entry.number,
        Escaped(register)
    )?;
    write!(out, "<span class=\"type\">{}</span><b class=\"trust {class}\">{trusted}</b></p>", Escaped(entry.kind))?;
    match Event::decode(entry) {
        Ok(event) => write!(out, "<p class=\"says\">{}</p>", Escaped(event))?,
        Err(refusal) => write!(out, "<p class=\"says failed\">{}</p>", Escaped(refusal))?,
    }
    if let Agreement::Differs(_) = agreement {
        write!(out, "<p class=\"says failed\">{}</p>", Escaped(agreement))?;
    }
    if measured {
        digests(out, entry, hash)?;
    }
    out.write_str("</div></li>\n")
}

/// The digest that the Realm's measurements are made of; others are there for whoever asks.
fn digests(out: &mut Formatter<'_>, entry: &Entry<'_>, hash: Option<&str>) -> fmt::Result {
    let (own, others): (Vec<&Digest<'_>>, Vec<_>) =
        entry.digests.iter().partition(|digest| hash.is_some_and(|hash| digest.algorithm.to_string() == hash));
    let line = |out: &mut Formatter<'_>, digest: &Digest<'_>| {
        write!(out, "<p class=\"digest\">{} {}</p>", Escaped(digest.algorithm), encode(digest.value))
    };
    own.into_iter().try_for_each(|digest| line(out, digest))?;
    if others.is_empty() {
        return Ok(());
    }
    write!(out, "<details><summary>{} digests</summary>", if hash.is_some() { "other" } else { "its" })?;
    others.into_iter().try_for_each(|digest| line(out, digest))?;
    out.write_str("</details>")
}
