//! All stages in one call.

use crate::anchors::Anchors;
use crate::authenticate::{Authenticate, Nonce, completed, malformed};
use crate::check::{Check, Step};
use crate::log::replayed;
use crate::policy::Policy;
use crate::reference::References;
use crate::verdict::{Outcome, Verdict};
use evidence::Token;

/// Everything that a token is judged against.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// Whom to trust.
    pub anchors: &'a Anchors,
    /// What the token was asked for with.
    pub nonce: Nonce,
    /// The time of verification, in seconds since 1970.
    pub at: u64,
    /// What to expect.
    pub references: &'a References,
    /// What to let pass.
    pub policy: &'a Policy,
}

/// Parses, authenticates and appraises a token. Whatever happens is in the verdict.
#[must_use]
pub fn verify(token: &[u8], case: &Case<'_>) -> Verdict {
    verify_with_log(token, None, case)
}

/// The same, with the Realm's event log, if there is one: its replay must give the extensible measurements.
#[must_use]
pub fn verify_with_log(token: &[u8], log: Option<&[u8]>, case: &Case<'_>) -> Verdict {
    let token = match Token::parse(token) {
        Ok(token) => token,
        Err(why) => return Verdict::refused(Outcome::Malformed, malformed(&why)),
    };
    let anchors = match case.anchors.with_those_of(&token) {
        Ok(anchors) => anchors,
        Err(why) => {
            let failed = Check::failed(Step::Structure, "certificates that can be read", why);
            return Verdict::refused(Outcome::Malformed, completed(Vec::new(), failed));
        }
    };
    let authentic = match token.authenticate(&anchors, &case.nonce, case.at) {
        Ok(authentic) => authentic,
        Err(refused) => return refused.into(),
    };
    let authentic = match log {
        Some(log) => {
            let realm = &authentic.claims().realm;
            let replay = replayed(log, realm.hash, Some(&realm.rems));
            let authentic = authentic.with_log(replay);
            match &case.policy.rules {
                Some(rules) => authentic.with_rules(log, rules),
                None => authentic,
            }
        }
        None => authentic,
    };
    authentic.appraise(case.references, case.policy)
}
