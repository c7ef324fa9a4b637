//! The Realm's token, through the kernel's interface for attestation reports (configfs-tsm).

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Folder in which reports are asked for.
const REPORTS: &str = "/sys/kernel/config/tsm/report";
/// What the kernel calls its source of CCA tokens.
const PROVIDER: &str = "arm_cca_guest";
/// Lengths of a challenge that the kernel takes, in bytes.
const CHALLENGE: std::ops::RangeInclusive<usize> = 32..=64;
/// Length of the longest token that is read, in bytes: the kernel's own limit is 16 MiB at most.
const LONGEST: u64 = 16 * 1024 * 1024;
/// Room for a token of the usual size, so that it is read in one piece.
const USUAL: usize = 32 * 1024;

/// Asks the kernel for a token with this challenge.
pub fn token(challenge: &[u8]) -> Result<Vec<u8>, String> {
    if !CHALLENGE.contains(&challenge.len()) {
        return Err(format!("expected a challenge of 32 to 64 bytes, found {}", challenge.len()));
    }
    let report = Report::create(Path::new(REPORTS))?;
    let provider = report.text("provider")?;
    if provider != PROVIDER {
        return Err(format!("expected evidence from {PROVIDER}, found {provider:?}: this is not a Realm of Arm CCA"));
    }
    let before = report.generation()?;
    report.challenge(challenge)?;
    let token = report.token()?;
    let after = report.generation()?;
    // Every write counts as one: another count means that somebody else wrote between ours and the answer.
    if before.checked_add(1) != Some(after) {
        return Err(format!("somebody else wrote to the report: generation {before} became {after}"));
    }
    if token.is_empty() { Err("the kernel gave an empty token".into()) } else { Ok(token) }
}

/// A folder in configfs, which is a request for a report; it goes when this goes.
struct Report {
    folder: PathBuf,
}

impl Report {
    fn create(reports: &Path) -> Result<Self, String> {
        let folder = reports.join(format!("allod-{}", std::process::id()));
        let created = match fs::create_dir(&folder) {
            // Left over from a process of the same number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_dir(&folder).and_then(|()| fs::create_dir(&folder))
            }
            other => other,
        };
        match created {
            Ok(()) => Ok(Self { folder }),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
                "{} is not there: configfs is not mounted, or the kernel has no source of evidence (module {PROVIDER})",
                reports.display()
            )),
            Err(error) => Err(format!("{}: {error}; is this a Realm?", folder.display())),
        }
    }

    fn about(&self, file: &str, error: &std::io::Error) -> String {
        format!("{}: {error}", self.folder.join(file).display())
    }

    fn text(&self, file: &str) -> Result<String, String> {
        let text = fs::read_to_string(self.folder.join(file)).map_err(|error| self.about(file, &error))?;
        Ok(text.trim().to_string())
    }

    fn generation(&self) -> Result<u64, String> {
        let text = self.text("generation")?;
        text.parse().map_err(|_| format!("expected a number as generation, found {text:?}"))
    }

    fn challenge(&self, challenge: &[u8]) -> Result<(), String> {
        fs::write(self.folder.join("inblob"), challenge).map_err(|error| self.about("inblob", &error))
    }

    fn token(&self) -> Result<Vec<u8>, String> {
        let mut token = Vec::with_capacity(USUAL);
        let file = File::open(self.folder.join("outblob")).map_err(|error| self.about("outblob", &error))?;
        file.take(LONGEST).read_to_end(&mut token).map_err(|error| self.about("outblob", &error))?;
        Ok(token)
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // What stays behind is an empty request, which the next process of this number removes.
        let _ = fs::remove_dir(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_of_a_wrong_length_is_refused_before_the_kernel_is_asked() {
        for length in [0, 31, 65] {
            let error = token(&vec![0; length]).err();
            assert!(error.is_some_and(|it| it.starts_with("expected a challenge of 32 to 64 bytes")), "{length}");
        }
    }

    #[test]
    fn a_kernel_without_reports_is_named() {
        let error = Report::create(Path::new("/nowhere/at/all")).err();
        assert!(error.is_some_and(|it| it.contains("/nowhere/at/all is not there")));
    }
}
