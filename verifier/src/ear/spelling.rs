//! The two spellings of a result's members.

/// How members are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// With a dot, as Veraison and Trustee have it deployed.
    Deployed,
    /// With an underscore, as the draft of 2026 has it.
    Draft,
}

/// The value of `eat_profile` in results of Trustee, which are spelled as deployed.
const TRUSTEE: &str = "tag:github.com,2024:confidential-containers/Trustee";
/// The value of `eat_profile` by the later text of the draft, which adds to the former.
const LATER_DRAFT: &str = "tag:ietf.org,2026:rats/ear#04";

/// The names of members in one spelling.
pub(super) struct Names {
    pub status: &'static str,
    pub vector: &'static str,
    pub policy: &'static str,
    pub verifier: &'static str,
    pub raw_evidence: &'static str,
    pub annotated_evidence: &'static str,
    pub policy_claims: &'static str,
}

const DEPLOYED: Names = Names {
    status: "ear.status",
    vector: "ear.trustworthiness-vector",
    policy: "ear.appraisal-policy-id",
    verifier: "ear.verifier-id",
    raw_evidence: "ear.raw-evidence",
    annotated_evidence: "ear.veraison.annotated-evidence",
    policy_claims: "ear.veraison.policy-claims",
};

const DRAFT: Names = Names {
    status: "ear_status",
    vector: "ear_trustworthiness_vector",
    policy: "ear_appraisal_policy_ids",
    verifier: "ear_verifier_id",
    raw_evidence: "ear_raw_evidence",
    annotated_evidence: "ear_veraison_annotated_evidence",
    policy_claims: "ear_veraison_policy_claims",
};

impl Spelling {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Deployed, Self::Draft];

    /// The name on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Draft => "draft",
        }
    }

    /// The value of `eat_profile` in results that are written.
    #[must_use]
    pub const fn profile(self) -> &'static str {
        match self {
            Self::Deployed => "tag:github.com,2023:veraison/ear",
            Self::Draft => "tag:ietf.org,2026:rats/ear#03",
        }
    }

    /// The spelling of results of a profile; `None` for one that is not known.
    #[must_use]
    pub fn of_profile(profile: &str) -> Option<Self> {
        let written = Self::ALL.into_iter().find(|spelling| spelling.profile() == profile);
        written.or(match profile {
            TRUSTEE => Some(Self::Deployed),
            LATER_DRAFT => Some(Self::Draft),
            _ => None,
        })
    }

    pub(super) const fn names(self) -> &'static Names {
        match self {
            Self::Deployed => &DEPLOYED,
            Self::Draft => &DRAFT,
        }
    }
}
