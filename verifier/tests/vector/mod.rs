//! Other people's evidence, as files that are read in place.
#![allow(dead_code, reason = "each test file uses its own part")]

use allod_verifier::anchors::Anchors;
use allod_verifier::certificate::Identity;
use allod_verifier::key::Key;
use allod_verifier::{Case, Nonce, Policy, References, Step, Verdict, verify};
use evidence::hex::decode;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

pub const ROOT: &str = "huawei-equipment-root-ca-rsa.pem";
pub const SUB: &str = "huawei-it-product-ca-rsa.pem";
pub const ECC_ROOT: &str = "huawei-ecc-attestation-root-ca-1.pem";
pub const ECC_SUB: &str = "huawei-computing-ecc-cca-ca-1.pem";
pub const DEVICE: &str = "gta-dev-cert.der";
const TOKEN: &str = "gta-vcca-token-2.cbor";

/// A time at which the real machine's certificates are valid: 2026-11-22.
pub const NOW: u64 = 1_795_305_600;

/// A folder of vectors, or a line that says how many were skipped.
pub fn vectors(folder: &str, tokens: usize) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("ALLOD_VECTORS").map_or(beside, PathBuf::from).join(folder);
    if folder.join("expected.json").is_file() {
        return Some(folder);
    }
    // Past the capture of passing tests' output: a skipped test must be seen. Each of the tests here says it for itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED a test over {tokens} tokens: no vectors; set ALLOD_VECTORS");
    None
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the vector is there")).expect("JSON")
}

fn bytes(value: &Value) -> Vec<u8> {
    decode(value.as_str().expect("a text")).expect("hexadecimal")
}

/// A token, what is known of it, and whom it is judged by.
pub struct Vector {
    pub token: Vec<u8>,
    pub anchors: Anchors,
    pub at: u64,
    nonce: Nonce,
    may_stay_undone: Vec<Step>,
}

impl Vector {
    /// A token of Arm CCA under a key of a file.
    pub fn arm(folder: &Path, name: &str, key_file: &str) -> Self {
        let expected = json(&folder.join("expected.json"))[name].clone();
        let mut anchors = Anchors::new();
        anchors.add(&std::fs::read(folder.join(key_file)).expect("the key")).expect("a key");
        anchors.allow_test_keys();
        Self {
            token: std::fs::read(folder.join(name)).expect("the token"),
            anchors,
            at: NOW,
            nonce: Nonce::new(&bytes(&expected["realm"]["challenge"])).expect("64 bytes"),
            // Devices of a platform have evidence of their own.
            may_stay_undone: vec![Step::Extension],
        }
    }

    /// The token of a real virtCCA machine of the first generation, below Huawei's roots.
    pub fn virtcca(folder: &Path) -> Self {
        let expected = json(&folder.join("expected.json"))[TOKEN].clone();
        let file = |name: &str| std::fs::read(folder.join(name)).expect("the file");
        let mut anchors = Anchors::new();
        anchors.add(&file(ROOT)).expect("a root");
        anchors.add_endorsements(&file(SUB)).expect("an authority");
        anchors.add_endorsements(&file(DEVICE)).expect("a device");
        Self {
            token: file(TOKEN),
            anchors,
            at: NOW,
            nonce: Nonce::new(&bytes(&expected["challenge"])).expect("64 bytes"),
            may_stay_undone: vec![Step::Lifecycle, Step::ImplementationId, Step::Config, Step::Component],
        }
    }

    /// The same with the key itself pinned, so that no chain has to be followed.
    pub fn pinned(mut self, key: Key, identity: Option<Identity>) -> Self {
        self.anchors = Anchors::new();
        match identity {
            Some(identity) => self.anchors.pin(identity, key),
            None => self.anchors.pin_any(key),
        }
        self.anchors.allow_test_keys();
        self
    }

    pub fn judge(&self, token: &[u8], references: &References) -> Verdict {
        let policy = Policy { may_stay_undone: self.may_stay_undone.clone(), ..Policy::default() };
        verify(token, &Case { anchors: &self.anchors, nonce: self.nonce, at: self.at, references, policy: &policy })
    }

    /// References that say what the authentic token says: an affirming verdict must then follow.
    pub fn echo(&self) -> References {
        let verdict = self.judge(&self.token, &References::new());
        let realm = serde_json::to_value(verdict.realm().expect("authentic")).expect("JSON");
        let mut file = json!({"profile": "allod-reference-1", "realm": {"hash": realm["hash"], "rim": realm["rim"],
            "rems": realm["rems"], "rpv": realm["rpv"]}});
        if let Some(policy) = realm.get("mec_policy") {
            file["realm"]["mec_policy"] = policy.clone();
        }
        if let Some(platform) = verdict.platform() {
            let platform = serde_json::to_value(platform).expect("JSON");
            let components = platform["components"].as_array().expect("a list").iter();
            let components: Vec<Value> = components
                .map(|it| {
                    json!({"type": it["type"], "measurement": it["measurement"], "version": it["version"],
                    "signer_id": it["signer_id"]})
                })
                .collect();
            file["platform"] = json!({"implementation_id": platform["implementation_id"], "config": platform["config"],
                "lifecycle": ["secured"], "components": components});
            for optional in ["manufacturing_config", "rotpks"] {
                if let Some(value) = platform.get(optional) {
                    file["platform"][optional] = value.clone();
                }
            }
        }
        let mut references = References::new();
        references.add(file.to_string().as_bytes()).expect("a reference");
        references
    }
}
