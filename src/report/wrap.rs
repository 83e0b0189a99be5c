//! Fitting words into columns, and taking the sting out of control characters.

/// Columns of a line.
pub(super) const WIDTH: usize = 80;

/// `text` in lines of at most [`WIDTH`] columns, each behind `indent` spaces; the first one behind `first` instead,
/// which must be as wide. A word that is too long gets a line of its own.
pub(super) fn wrap(first: &str, indent: usize, text: &str) -> String {
    let mut out = String::from(first);
    let mut column = first.chars().count();
    let mut at_start = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !at_start && column + 1 + width > WIDTH {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
            at_start = true;
        }
        if !at_start {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        at_start = false;
    }
    out.push('\n');
    out
}

/// `text` with control characters, and characters that turn the direction of writing, written out: a name must not be
/// able to move the cursor of whoever reads a report. Line breaks are kept where `lines` says so.
pub(super) fn tame(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() && !(lines && c == '\n') || turns {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_within_the_width() {
        let text = wrap("  x ", 4, &"word ".repeat(60));
        assert!(text.lines().count() > 3 && text.lines().all(|line| line.len() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("    word")));
        assert_eq!(wrap("", 2, &"y".repeat(90)), format!("{}\n", "y".repeat(90)));
    }

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(tame("a\u{1b}[31m\n", false), "a\\u{1b}[31m\\u{a}");
        assert_eq!(tame("a\n\u{202e}b", true), "a\n\\u{202e}b");
    }
}
