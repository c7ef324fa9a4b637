//! The repository's Rust files, read just far enough to tell code from comments and text.

use crate::{Done, room, tool};
use std::fs;
use std::process::Command;

/// A source file.
pub(super) struct Source {
    /// Its path from the repository's root, with `/`.
    pub path: String,
    /// Its text as it stands.
    pub text: String,
    /// The same lines with comments, strings and characters blanked out.
    pub code: String,
    /// Whether another file declares this one for tests alone.
    pub declared_test: bool,
}

impl Source {
    /// The crate's folder: the path before `/src/`, `/tests/` or `/build.rs`.
    pub fn room(&self) -> &str {
        let end = ["/src/", "/tests/", "/build.rs"].iter().filter_map(|part| self.path.find(part)).min();
        &self.path[..end.unwrap_or(0)]
    }

    /// Whether the whole file is tests.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.declared_test
            || self.path.contains("/tests/")
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
            || self.room() == "stories"
            || self.path.starts_with("fuzz/")
    }

    /// The code before the tests at the file's end, if it has some.
    pub fn product(&self) -> &str {
        let end = self.code.find("#[cfg(test)]\nmod tests {").unwrap_or(self.code.len());
        if self.is_test() { "" } else { &self.code[..end] }
    }
}

/// All files that git knows or would know, with the ending given; without target and other ignored ones.
pub(super) fn files(ending: &str) -> Done<Vec<String>> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = tool::output(Command::new("git").current_dir(room::root()).args(args))?;
    let kept = |path: &&str| path.ends_with(ending) && room::root().join(path).is_file();
    Ok(listed.lines().filter(kept).map(str::to_owned).collect())
}

/// All Rust sources.
pub(super) fn rust() -> Done<Vec<Source>> {
    let read = |path: String| {
        let text = fs::read_to_string(room::root().join(&path))?;
        let code = code_of(&text);
        Ok(Source { path, text, code, declared_test: false })
    };
    let mut sources = files(".rs")?.into_iter().map(read).collect::<Done<Vec<Source>>>()?;
    let tests: Vec<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let below =
            |stem: &str| source.path.strip_prefix(stem).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
        source.declared_test = tests.iter().any(|stem| below(stem));
    }
    Ok(sources)
}

/// The modules that a file declares under `#[cfg(test)]` in files of their own: their paths without `.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let inner = match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => source.path.trim_end_matches(".rs").to_owned(),
    };
    let mut found = Vec::new();
    let mut lines = source.text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            continue;
        }
        let mut path = None;
        for line in lines.by_ref().take(3) {
            if let Some(quoted) = line.strip_prefix("#[path = \"") {
                path = quoted.split('"').next().map(|name| format!("{folder}/{}", name.trim_end_matches(".rs")));
            } else if let Some(name) = line.split("mod ").nth(1).and_then(|rest| rest.strip_suffix(';')) {
                found.push(path.take().unwrap_or_else(|| format!("{inner}/{name}")));
                break;
            } else if !line.starts_with("#[") {
                break;
            }
        }
    }
    found
}

/// Blanks out comments, strings and characters; line ends stay where they are.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + span(&bytes[at..], at.checked_sub(1).map(|before| bytes[before]));
        if end > at + 1 || bytes[at] == b'"' {
            code[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Length of the comment, string or character that begins here, or 1.
fn span(rest: &[u8], before: Option<u8>) -> usize {
    let word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'r', b'"' | b'#', ..] if !word => raw_string(rest, 1),
        [b'b', b'r', b'"' | b'#', ..] if !word => raw_string(rest, 2),
        [b'"', ..] => quoted(rest, b'"'),
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        [b'\'', _, b'\'', ..] => 3,
        [b'\'', first, tail @ ..] if *first >= 0x80 => {
            tail.iter().position(|byte| *byte == b'\'').map_or(1, |at| at + 3)
        }
        _ => 1,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 1;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = prefix + hashes + 1;
    rest[body..].windows(end.len()).position(|window| window == end).map_or(rest.len(), |at| body + at + end.len())
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_text_are_blanked_and_lines_stay() {
        let code = code_of("a(); // unsafe\nlet s = \"unsafe \\\" {\";\n/* unsafe\n/* x */ */ b()");
        assert!(!code.contains("unsafe"), "{code}");
        assert!(code.contains("a();") && code.contains("b()") && code.contains("let s ="));
        assert_eq!(code.lines().count(), 4);
    }

    #[test]
    fn modules_of_tests_are_found_wherever_they_lie() {
        let text = "#[cfg(test)]\nmod fake;\n#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod tests;\n#[cfg(test)]\nfn x() {}\nmod y;";
        let source =
            |path: &str| Source { path: path.into(), text: text.into(), code: String::new(), declared_test: false };
        assert_eq!(test_modules(&source("c/src/lib.rs")), ["c/src/fake", "c/src/a_tests"]);
        assert_eq!(test_modules(&source("c/src/m.rs")), ["c/src/m/fake", "c/src/a_tests"]);
    }

    #[test]
    fn raw_strings_characters_and_lifetimes_are_told_apart() {
        let code =
            code_of("fn f<'a>(x: &'a str) { let q = '\"'; let r = r#\"unsafe \"# ; let e = '\\''; unsafe { g() } }");
        assert_eq!(code.matches("unsafe").count(), 1, "{code}");
        assert!(code.contains("fn f<'a>(x: &'a str)"));
    }
}
