//! The chain of trust: what there is, what leads from one to the next, and how each of them stands.

use super::escape::shortened;
use super::state::State;
use verifier::{Check, Status, Step, Verdict};

/// Characters of a digest that are shown in a drawing.
const DIGEST: usize = 14;

/// Something that trust is put in.
pub struct Node {
    /// What it is.
    pub kind: &'static str,
    /// Which one.
    pub title: String,
    /// More about it.
    pub line: String,
    /// All of it, for whoever points at it.
    pub whole: String,
    pub state: State,
}

/// Why something is trusted: because of what stands before it.
pub struct Link {
    /// What leads there.
    pub verb: &'static str,
    pub state: State,
}

/// A register with what was measured into it.
pub struct Register {
    pub name: String,
    pub value: String,
    pub state: State,
}

/// The chain, from whom the reader trusts to what runs.
pub struct Chain {
    /// From the root to the platform's key; each but the first with what leads there.
    pub endorsed: Vec<(Option<Link>, Node)>,
    /// From the platform's token to the Realm's, each with what leads there.
    pub attested: Vec<(Link, Node)>,
    /// What the Realm was measured to be.
    pub registers: Vec<Register>,
    /// The event log, and what leads from it to the registers.
    pub log: (Node, Link),
    /// Whether certificates have been looked up in lists of revoked ones.
    pub revocation: State,
}

fn check(verdict: &Verdict, step: Step) -> Option<&Check> {
    verdict.checks().iter().find(|check| check.step == step)
}

fn found(verdict: &Verdict, step: Step) -> String {
    check(verdict, step).and_then(|check| check.found.clone()).unwrap_or_default()
}

fn state(verdict: &Verdict, step: Step) -> State {
    State::of_steps(verdict, &[step])
}

fn link(verdict: &Verdict, verb: &'static str, step: Step) -> Link {
    Link { verb, state: state(verdict, step) }
}

impl Chain {
    pub fn of(verdict: &Verdict) -> Self {
        Self {
            endorsed: endorsed(verdict),
            attested: attested(verdict),
            registers: registers(verdict),
            log: log(verdict),
            revocation: state(verdict, Step::Revocation),
        }
    }

    /// Everything in words, for those who do not see the drawing.
    pub fn words(&self) -> String {
        let node = |node: &Node| format!("{} {}: {}", node.kind, node.title, node.state.word());
        let mut words: Vec<String> = self.endorsed.iter().map(|(_, it)| node(it)).collect();
        words.extend(self.attested.iter().map(|(_, it)| node(it)));
        words.push(node(&self.log.0));
        words.extend(self.registers.iter().map(|it| format!("{}: {}", it.name, it.state.word())));
        words.join("; ")
    }
}

/// The names in a path, root first, as the check lists them.
fn names(verdict: &Verdict) -> Vec<String> {
    let chain = check(verdict, Step::Chain).filter(|check| check.status == Status::Ok);
    let found = chain.and_then(|check| check.found.as_deref()).unwrap_or_default();
    let mut names: Vec<String> = found.split(" ← ").filter(|it| !it.is_empty()).map(str::to_string).collect();
    names.reverse();
    names
}

/// What a certificate's subject is called for short.
fn common_name(subject: &str) -> String {
    let part = subject.split(',').map(str::trim).find_map(|part| part.strip_prefix("CN="));
    part.unwrap_or(subject).to_string()
}

fn endorsed(verdict: &Verdict) -> Vec<(Option<Link>, Node)> {
    let (chain, anchor) = (state(verdict, Step::Chain), state(verdict, Step::TrustAnchor));
    let first_generation = verdict.realm().is_some() && verdict.platform().is_none();
    let key = if first_generation { "device key" } else { "platform key (CPAK)" };
    let identity = found(verdict, Step::TrustAnchor);
    let names = names(verdict);
    let pinned = check(verdict, Step::Chain).is_some_and(|check| check.status == Status::NotApplicable);
    let last = Node {
        kind: key,
        title: names.last().map_or_else(|| key_title(pinned, anchor), |name| common_name(name)),
        line: String::new(),
        whole: identity,
        state: anchor,
    };
    if pinned {
        return vec![(None, last)];
    }
    let certificates = names.len().saturating_sub(1);
    let mut nodes: Vec<(Option<Link>, Node)> = names
        .iter()
        .take(certificates)
        .enumerate()
        .map(|(index, name)| {
            let (kind, link) = match index {
                0 => ("root you trust", None),
                _ => ("authority", Some(Link { verb: "certifies", state: chain })),
            };
            (link, Node { kind, title: common_name(name), line: String::new(), whole: name.clone(), state: chain })
        })
        .collect();
    if names.is_empty() {
        let whole = found(verdict, Step::Chain);
        let title = "root certificate".to_string();
        nodes.push((None, Node { kind: "root you trust", title, line: String::new(), whole, state: chain }));
    }
    let link = (!nodes.is_empty()).then_some(Link { verb: "certifies", state: chain });
    nodes.push((link, last));
    nodes
}

fn key_title(pinned: bool, state: State) -> String {
    match state {
        State::Failed => "none for this platform",
        _ if pinned => "pinned by you",
        _ => "endorsed key",
    }
    .to_string()
}

fn attested(verdict: &Verdict) -> Vec<(Link, Node)> {
    const TOKEN: [Step; 2] = [Step::Structure, Step::Profile];
    let authentic = verdict.realm().is_some();
    let mut nodes = Vec::new();
    let mut realm_link = link(verdict, "signs", Step::RealmSignature);
    if verdict.platform().is_some() || !authentic {
        nodes.push((link(verdict, "signs", Step::PlatformSignature), platform(verdict)));
    }
    if authentic && realm_link.state == State::Apart {
        realm_link = link(verdict, "vouches for its hash", Step::Binding);
    } else {
        let verb = if nodes.is_empty() { "is the same key" } else { "vouches for its hash" };
        let binding = found(verdict, Step::Binding);
        let (title, state) = ("RAK".to_string(), state(verdict, Step::Binding));
        let line = binding.split(' ').next_back().map(|it| shortened(it, DIGEST)).unwrap_or_default();
        let node = Node { kind: "realm attestation key", title, line, whole: binding, state };
        nodes.push((link(verdict, verb, Step::Binding), node));
    }
    let steps = [Step::Nonce, Step::RealmHash, Step::Rpv, Step::MecPolicy, Step::Devices];
    let realm = verdict.realm();
    let profile = realm.map(|it| it.profile.clone()).unwrap_or_default();
    let challenge = realm.map(|it| format!("challenge {}", shortened(&it.challenge, DIGEST))).unwrap_or_default();
    let node = Node {
        kind: "realm token",
        title: if realm.is_some() { "what the RMM says".into() } else { "not believed".into() },
        whole: format!("{profile} {challenge}"),
        line: challenge,
        state: State::of_steps(verdict, &[&TOKEN[..], &steps].concat()),
    };
    nodes.push((realm_link, node));
    nodes
}

fn platform(verdict: &Verdict) -> Node {
    let steps = [
        Step::Structure,
        Step::Profile,
        Step::Lifecycle,
        Step::ImplementationId,
        Step::Config,
        Step::ManufacturingConfig,
        Step::Component,
        Step::Rotpk,
        Step::Extension,
    ];
    let claims = verdict.platform();
    Node {
        kind: "platform token",
        title: claims.map_or_else(|| "not believed".into(), |it| it.lifecycle.clone()),
        line: claims.map(|it| format!("{} components", it.components.len())).unwrap_or_default(),
        whole: claims.map(|it| it.profile.clone()).unwrap_or_default(),
        state: State::of_steps(verdict, &steps),
    }
}

fn registers(verdict: &Verdict) -> Vec<Register> {
    let realm = verdict.realm();
    let register = |name: String, label: &str, value: Option<&String>| Register {
        name,
        value: value.cloned().unwrap_or_default(),
        state: State::of_label(verdict, label).unwrap_or(State::Undone),
    };
    let rim = register("RIM".into(), "rim", realm.map(|it| &it.rim));
    let rem = |index: usize| {
        let mut found =
            register(format!("REM {index}"), &format!("rem {index}"), realm.and_then(|it| it.rems.get(index)));
        // Without a reference, the log tells what was measured.
        if found.state == State::Undone && state(verdict, Step::Log) == State::Held {
            found.state = State::Held;
        }
        found
    };
    std::iter::once(rim).chain((0..4).map(rem)).collect()
}

fn log(verdict: &Verdict) -> (Node, Link) {
    let replayed = state(verdict, Step::Log);
    let title = match replayed {
        State::Apart => "none needed",
        State::Undone => "none given",
        State::Held => "leads to the REMs",
        State::Weak | State::Failed => "leads elsewhere",
    };
    let rules = State::of_steps(verdict, &[Step::LogRules]);
    let line = match rules {
        State::Apart => String::new(),
        rules => format!("rules: {}", rules.word()),
    };
    let node = Node {
        kind: "event log",
        title: title.into(),
        line,
        whole: found(verdict, Step::Log),
        state: replayed.max(rules),
    };
    (node, Link { verb: "replay", state: replayed })
}
