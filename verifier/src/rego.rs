//! Policies in Rego: what users demand beyond what every verification demands.
//!
//! A policy is one file of `package allod` with these rules, of which the first alone must be there:
//!
//! | Rule | Type | What it does |
//! |---|---|---|
//! | `allow` | boolean | unless it is `true`, the verdict is contraindicated |
//! | `deny` | set of strings | each is a reason for which the verdict is contraindicated |
//! | `warn` | set of strings | each is a reason for which the verdict does not affirm |
//! | `note` | set of strings | each is shown with the verdict |
//! | `may_miss` | set of strings | names of steps that may stay undone in a verdict that affirms |
//!
//! It makes a verdict worse or leaves it alone. What `may_miss` names is the one exception, and is shown; a step that
//! failed stays failed. Whatever else comes out of a policy, such as an undefined `allow`, an error or an endless
//! computation, is a [`Refusal`], and that contraindicates.
//!
//! Equal policies say the same of equal documents: there is no clock but the time of verification, no chance, no
//! network, no file, no environment. [`evaluate`] bounds the time of an evaluation. That of reading a policy, memory and
//! the depth of the stack can only be bounded around a process: whoever takes policies from strangers has one of its own
//! for each, as `allod verify` does.

mod decision;
mod document;
mod evaluate;
mod refusal;
mod ruling;
mod source;
mod stock;

pub use decision::Decision;
pub use document::{document, steps};
pub use evaluate::{evaluate, read};
pub use refusal::Refusal;
pub use ruling::Ruling;
pub use source::{MAX_SOURCE, Source};
pub use stock::{STOCK, Stock};

/// The package of a policy.
pub const PACKAGE: &str = "allod";
/// The value of `profile` in a document that a policy is asked about.
pub const PROFILE: &str = "allod-policy-input-1";

#[cfg(test)]
mod tests;
