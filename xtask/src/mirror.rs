//! The Debian mirror that this machine's own apt sources name. No host stands in this repository.

use crate::Done;
use std::fs;
use std::path::{Path, PathBuf};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A Debian archive and the keys that sign it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mirror {
    /// Base URI, without a slash at its end.
    pub base: String,
    /// Keyring file of the archive's signers.
    pub keyring: PathBuf,
}

/// The first Debian archive among the machine's apt sources (not its security or ports archives).
///
/// `ALLOD_DEBIAN_MIRROR` (a base URI) stands in where there is none, on a machine of another distribution.
pub(crate) fn find() -> Done<Mirror> {
    let base = match std::env::var("ALLOD_DEBIAN_MIRROR") {
        Ok(base) => Some(base.trim_end_matches('/').to_owned()),
        Err(_) => source_files().iter().flat_map(|path| read(path)).next(),
    };
    let base = base
        .ok_or("this machine's apt sources name no Debian archive; set ALLOD_DEBIAN_MIRROR to a mirror's base URI")?;
    let keyring = PathBuf::from(KEYRING);
    if !keyring.exists() {
        return Err(format!("{KEYRING} is missing; install the package debian-archive-keyring").into());
    }
    Ok(Mirror { base, keyring })
}

/// The files that apt itself reads, in its order.
fn source_files() -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let listed = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut parts: Vec<PathBuf> =
        listed.filter(|path| path.extension().is_some_and(|ext| ext == "list" || ext == "sources")).collect();
    parts.sort();
    files.append(&mut parts);
    files
}

fn read(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    if path.extension().is_some_and(|ext| ext == "sources") { deb822(&text) } else { one_line(&text) }
}

/// Debian archives in a file of one-line sources (`deb [options] URI suite component…`).
fn one_line(text: &str) -> Vec<String> {
    let uri = |line: &str| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
        rest.split_whitespace().next().map(str::to_owned)
    };
    text.lines().filter_map(uri).filter_map(|uri| archive(&uri)).collect()
}

/// Debian archives in a file of deb822 stanzas (`URIs:` may be folded over several lines).
fn deb822(text: &str) -> Vec<String> {
    let plain: String = text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let stanzas = plain.split("\n\n").filter(|stanza| {
        field(stanza, "Enabled").is_none_or(|value| value != "no")
            && field(stanza, "Types").is_none_or(|value| value.split_whitespace().any(|kind| kind == "deb"))
    });
    let uris = stanzas.filter_map(|stanza| field(stanza, "URIs"));
    uris.flat_map(|value| value.split_whitespace().filter_map(archive).collect::<Vec<_>>()).collect()
}

/// The value of a field in a stanza of `Name: value` lines, its continuation lines joined by spaces.
pub(crate) fn field(stanza: &str, name: &str) -> Option<String> {
    let mut lines =
        stanza.lines().skip_while(|line| !line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name)));
    let first = lines.next()?.split_once(':')?.1.trim().to_owned();
    let more = lines.take_while(|line| line.starts_with([' ', '\t'])).map(str::trim);
    Some(more.fold(first, |value, line| format!("{value} {line}").trim().to_owned()))
}

/// The URI without its last slash, if it is a Debian archive's: its path's last part is `debian`.
fn archive(uri: &str) -> Option<String> {
    let base = uri.trim_end_matches('/');
    let known = ["http://", "https://", "file:", "mirror+"].iter().any(|scheme| base.starts_with(scheme));
    (known && base.ends_with("/debian")).then(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deb822_file_gives_its_archive_and_not_the_security_one() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/debian/\nSuites: x x-updates\n\n\
                    Types: deb\nURIs: http://mirror.example/debian-security\nSuites: x-security\n";
        assert_eq!(deb822(text), ["http://mirror.example/debian"]);
    }

    #[test]
    fn disabled_and_source_only_stanzas_do_not_count() {
        let text =
            "Types: deb\nEnabled: no\nURIs: http://a.example/debian\n\nTypes: deb-src\nURIs: http://b.example/debian\n";
        assert_eq!(deb822(text), Vec::<String>::new());
    }

    #[test]
    fn one_line_sources_may_carry_options() {
        let text = "# deb http://no.example/debian x main\ndeb [arch=amd64 signed-by=/k.gpg] https://a.example/debian x main\n\
                    deb-src https://b.example/debian x main\n";
        assert_eq!(one_line(text), ["https://a.example/debian"]);
    }

    #[test]
    fn a_folded_field_is_joined() {
        assert_eq!(
            field("A: b\nURIs:\n http://a.example/debian\n\thttp://b.example/debian\nC: d", "uris").as_deref(),
            Some("http://a.example/debian http://b.example/debian")
        );
    }
}
