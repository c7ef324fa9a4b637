//! The policies that come with this tool.

/// A policy that comes with this tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All of them. Each denies by default.
pub const STOCK: [Stock; 3] = [
    Stock {
        name: "cca",
        about: "Arm CCA: a secured platform and a Realm whose every measurement is explained",
        text: include_str!("../../../policies/cca.rego"),
    },
    Stock {
        name: "virtcca",
        about: "Huawei virtCCA: the same; the first generation gets a warning at best",
        text: include_str!("../../../policies/virtcca.rego"),
    },
    Stock {
        name: "virtcca-unattested-platform",
        about: "virtCCA's first generation, for who accepts that its firmware is not attested: this can affirm",
        text: include_str!("../../../policies/virtcca-unattested-platform.rego"),
    },
];
