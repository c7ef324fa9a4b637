//! What a virtCCA image boots as Huawei's tools write it, `image_reference_measurement.json`, and rules.
//!
//! That file pins the images of GRUB, its configuration, kernel and initramfs, and nothing else: command lines, GRUB's
//! commands and modules, Secure Boot variables and option ROMs may be anything. Rules made of it say so, by `any`.
//!
//! Older tools write one kernel, without a version, where newer ones have a list; that is read, and not written.

use super::rule::{Requirement, Rule};
use super::{PROFILE, Rules};
use evidence::eventlog::{Algorithm, EventType};
use evidence::hex::{decode, encode};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// What stands in the place of an initramfs that there is none of.
const NOT_FOUND: &str = "NOT_FOUND";
/// How the rules of what is pinned are called; that of the kernel is followed by its version.
const GRUB: &str = "grub";
const CONFIG: &str = "grub.cfg";
const KERNEL: &str = "kernel";
const INITRAMFS: &str = "initramfs";

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    grub: String,
    #[serde(rename = "grub.cfg")]
    config: String,
    kernels: Vec<Kernel>,
    hash_alg: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kernel {
    version: String,
    kernel: String,
    initramfs: String,
}

/// The file as older tools write it: one kernel.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Single {
    grub: String,
    #[serde(rename = "grub.cfg")]
    config: String,
    kernel: String,
    initramfs: String,
    hash_alg: String,
}

impl From<Single> for Image {
    fn from(single: Single) -> Self {
        let Single { grub, config, kernel, initramfs, hash_alg } = single;
        Self { grub, config, kernels: vec![Kernel { version: String::new(), kernel, initramfs }], hash_alg }
    }
}

/// Why one form cannot be said in the other.
#[derive(Debug, PartialEq, Eq)]
pub enum Unconvertible {
    /// Not such a file.
    Json(String),
    /// A value that is not what it must be.
    Value {
        /// Of which member.
        member: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Several kernels, or none of that version.
    Kernels {
        /// The versions that there are.
        versions: Vec<String>,
    },
    /// No rule that pins this by one digest.
    Missing {
        /// What.
        what: &'static str,
    },
}

impl fmt::Display for Unconvertible {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(out, "{error}"),
            Self::Value { member, expected } => write!(out, "{member}: expected {expected}"),
            Self::Kernels { versions } => {
                write!(
                    out,
                    "a boot has one kernel with its initramfs: choose by --kernel one of {}",
                    versions.join(", ")
                )
            }
            Self::Missing { what } => write!(out, "expected one rule that pins {what} by one digest, found none"),
        }
    }
}

impl std::error::Error for Unconvertible {}

/// Whether a file looks like one of these.
#[must_use]
pub fn is_image(file: &[u8]) -> bool {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(file) else { return false };
    fields.contains_key("grub") && (fields.contains_key("kernels") || fields.contains_key(KERNEL))
}

impl Image {
    /// Reads a file, strictly.
    ///
    /// # Errors
    /// [`Unconvertible`].
    pub fn read(file: &[u8]) -> Result<Self, Unconvertible> {
        let json = |error: serde_json::Error| Unconvertible::Json(error.to_string());
        let image: Self = match serde_json::from_slice::<Single>(file) {
            Ok(single) => single.into(),
            Err(_) => serde_json::from_slice(file).map_err(json)?,
        };
        let size = image.algorithm()?.size();
        let digest = |member: &str, text: &str| {
            let expected = "a digest of hash_alg in hexadecimal";
            let wrong = || Unconvertible::Value { member: member.to_string(), expected };
            decode(text).filter(|it| it.len() == size).map(drop).ok_or_else(wrong)
        };
        digest(GRUB, &image.grub)?;
        digest(CONFIG, &image.config)?;
        for it in &image.kernels {
            digest(KERNEL, &it.kernel)?;
            if it.initramfs != NOT_FOUND {
                digest(INITRAMFS, &it.initramfs)?;
            }
        }
        Ok(image)
    }

    fn algorithm(&self) -> Result<Algorithm, Unconvertible> {
        let expected = "sha-256, sha-384 or sha-512";
        let wrong = || Unconvertible::Value { member: "hash_alg".to_string(), expected };
        Algorithm::from_name(&self.hash_alg.to_ascii_lowercase()).ok_or_else(wrong)
    }

    fn chosen(&self, version: Option<&str>) -> Result<&Kernel, Unconvertible> {
        let mut fitting = self.kernels.iter().filter(|it| version.is_none_or(|version| it.version == version));
        match (fitting.next(), fitting.next()) {
            (Some(kernel), None) => Ok(kernel),
            _ => Err(Unconvertible::Kernels { versions: self.kernels.iter().map(|it| it.version.clone()).collect() }),
        }
    }

    /// The rules as a file, for one of the kernels.
    ///
    /// # Errors
    /// [`Unconvertible`] if no version is given where there are several.
    pub fn to_rules(&self, version: Option<&str>) -> Result<String, Unconvertible> {
        let kernel = self.chosen(version)?;
        let mut out = format!("profile = \"{PROFILE}\"\nhash = \"{}\"\n\n{NOTE}", self.algorithm()?);
        let mut rule = |register: &str, kind: &str, name: &str, rest: &str| {
            let name = serde_json::to_string(name).unwrap_or_default();
            let _ = writeln!(
                out,
                "\n[[rule]]\nname = {name}\nregister = \"{register}\"\ntype = \"{kind}\"\ngroup = \"{register}\"\n{rest}"
            );
        };
        const MANY: &str = "any = true\ntimes = \"0..\"";
        rule("REM0", "EV_EFI_VARIABLE_DRIVER_CONFIG", "Secure Boot variables", MANY);
        rule("REM0", "EV_PLATFORM_CONFIG_FLAGS", "ACPI tables", MANY);
        rule("REM0", "EV_EFI_VARIABLE_BOOT", "boot options", MANY);
        rule("REM0", "EV_SEPARATOR", "separator of REM0", "value = \"00000000\"");
        rule("REM1", "EV_EFI_BOOT_SERVICES_DRIVER", "option ROMs", MANY);
        rule("REM1", "EV_EFI_ACTION", "actions", ACTIONS);
        rule("REM1", "EV_SEPARATOR", "separator of REM1", "value = \"00000000\"");
        let pinned = |subject: &str, digest: &str| {
            format!("subject = \"{subject}\"\ndigest = \"{}\"", digest.to_ascii_lowercase())
        };
        rule("REM1", "EV_EFI_BOOT_SERVICES_APPLICATION", GRUB, &pinned("image", &self.grub));
        rule("REM2", "EV_IPL", "GRUB's modules", &format!("subject = \"file:*.mod\"\n{MANY}"));
        rule("REM2", "EV_IPL", "GRUB's lists", &format!("subject = \"file:*.lst\"\n{MANY}"));
        rule("REM2", "EV_IPL", CONFIG, &format!("{}\ntimes = \"1..\"", pinned("file:*grub.cfg", &self.config)));
        rule("REM2", "EV_IPL", "GRUB's commands", &format!("subject = \"grub_cmd\"\n{MANY}"));
        let name = format!("{KERNEL} {}", kernel.version);
        rule("REM2", "EV_IPL", name.trim_end(), &pinned("file:*/vmlinuz-*", &kernel.kernel));
        rule("REM2", "EV_IPL", "command line of the kernel", "subject = \"kernel_cmdline\"\nany = true");
        if kernel.initramfs != NOT_FOUND {
            rule("REM2", "EV_IPL", INITRAMFS, &pinned("file:*/initramfs-*", &kernel.initramfs));
        }
        Ok(out)
    }

    /// What rules pin of such a boot, and how many of the rules this form cannot say.
    ///
    /// # Errors
    /// [`Unconvertible`] if they do not pin it.
    pub fn from_rules(rules: &Rules) -> Result<(Self, usize), Unconvertible> {
        let application = |rule: &&Rule| rule.kind == EventType::EFI_BOOT_SERVICES_APPLICATION;
        let file = |part: &'static str| {
            move |rule: &&Rule| {
                rule.kind == EventType::IPL
                    && rule.subject.as_deref().is_some_and(|it| it.starts_with("file:") && it.contains(part))
            }
        };
        let missing = |what| Unconvertible::Missing { what };
        let (_, grub) = one(rules, application).ok_or(missing(GRUB))?;
        let (_, config) = one(rules, file("grub.cfg")).ok_or(missing(CONFIG))?;
        let (rule, kernel) = one(rules, file("/vmlinuz-")).ok_or(missing(KERNEL))?;
        let named = rule.name.strip_prefix("kernel ").map(str::to_string);
        let of_path = rule.subject.as_deref().and_then(|it| it.rsplit_once("/vmlinuz-")).map(|(_, it)| it.to_string());
        let of_path = of_path.filter(|it| it != "*");
        let version = named.or(of_path).unwrap_or_default();
        let initramfs = one(rules, file("/initramfs-")).map(|(_, digest)| digest);
        let said = 3 + usize::from(initramfs.is_some());
        let kernel = Kernel { version, kernel, initramfs: initramfs.unwrap_or_else(|| NOT_FOUND.to_string()) };
        let image = Self { grub, config, kernels: vec![kernel], hash_alg: rules.hash.to_string() };
        Ok((image, rules.rules.len().saturating_sub(said)))
    }

    /// The file, written.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// The one rule of a kind, and the one digest that it demands.
fn one<'r>(rules: &'r Rules, fits: impl Fn(&&'r Rule) -> bool) -> Option<(&'r Rule, String)> {
    let mut found = rules.rules.iter().filter(fits);
    let rule = found.next().filter(|_| found.next().is_none())?;
    match rule.requirements.as_slice() {
        [Requirement::Digest(digests)] if digests.len() == 1 => Some((rule, encode(digests.first()?))),
        _ => None,
    }
}

const NOTE: &str =
    "# Made of image_reference_measurement.json, which pins GRUB, its configuration, kernel and initramfs.
# Rules with `any` let everything else pass: `allod eventlog draft` of a boot that is known to be good pins that too.
";
const ACTIONS: &str = "text = [
    \"Calling EFI Application from Boot Option\",
    \"Returning from EFI Application from Boot Option\",
    \"Exit Boot Services Invocation\",
    \"Exit Boot Services Returned with Failure\",
    \"Exit Boot Services Returned with Success\",
]
times = \"0..\"";
