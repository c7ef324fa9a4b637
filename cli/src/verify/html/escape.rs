//! Foreign text in a page: it can say anything, and do nothing.

use std::fmt;

/// Text between tags or in a quoted attribute. What HTML gives a meaning becomes an entity; control characters, and those
/// that change the direction of writing, are shown by their numbers.
pub struct Escaped<T>(pub T);

struct Filter<'f, 'o>(&'f mut fmt::Formatter<'o>);

impl fmt::Write for Filter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| match character {
            '&' => self.0.write_str("&amp;"),
            '<' => self.0.write_str("&lt;"),
            '>' => self.0.write_str("&gt;"),
            '"' => self.0.write_str("&quot;"),
            '\'' => self.0.write_str("&#39;"),
            '\\' => self.0.write_str("\\"),
            other => write!(self.0, "{}", other.escape_debug()),
        })
    }
}

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        write!(Filter(out), "{}", self.0)
    }
}

/// The beginning of a text that has to fit.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_text() {
        let hostile = "<script>alert('1')</script>&\"\u{202e}\u{0}\n\\";
        let shown = Escaped(hostile).to_string();
        assert_eq!(shown, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;\\u{202e}\\0\\n\\");
        assert_eq!(Escaped("REM 0 ← Größe").to_string(), "REM 0 ← Größe");
    }

    #[test]
    fn what_is_too_long_says_so() {
        assert_eq!((shortened("abcdef", 6).as_str(), shortened("abcdefg", 6).as_str()), ("abcdef", "abcde…"));
    }
}
