//! Text that matches a regular expression, for CHECKs such as `id ~ '^ten_[0-7][0-9a-hjkmnp-tv-z]{25}$'`.
//!
//! The expression is read with Rust's regular-expression syntax, whose common ground with PostgreSQL's is what CHECKs
//! use; what is beyond it (back references, `\m`) gives `None`. PostgreSQL itself judges the result.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::seed::Seed;

/// How often an unbounded repetition repeats beyond its minimum.
const EXTRA: u32 = 12;

/// A text that matches `pattern`; `filler` stands in where the pattern is open at its start or end.
pub(crate) fn matching(pattern: &str, filler: &str, seed: &mut Seed) -> Option<String> {
    let tree = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write(&tree, seed, &mut text)?;
    let look = tree.properties();
    if !look.look_set_prefix_any().contains(Look::Start) {
        text.insert_str(0, filler);
    }
    if !look.look_set_suffix_any().contains(Look::End) {
        text.push_str(filler);
    }
    Some(text)
}

fn write(tree: &Hir, seed: &mut Seed, text: &mut String) -> Option<()> {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(member(class, seed)?),
        HirKind::Capture(capture) => write(&capture.sub, seed, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, seed, text)?;
            }
        }
        HirKind::Alternation(branches) => {
            let branch = seed.index(branches.len());
            write(&branches[branch], seed, text)?;
        }
        HirKind::Repetition(repetition) => {
            let most = repetition
                .max
                .unwrap_or(u32::MAX)
                .min(repetition.min.saturating_add(EXTRA));
            // The most, not something between: longer texts are more distinct.
            for _ in 0..most {
                write(&repetition.sub, seed, text)?;
            }
        }
    }
    Some(())
}

/// A member of a class, preferably a lower-case letter, else a digit, else what is printable.
fn member(class: &Class, seed: &mut Seed) -> Option<char> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let contains = |c: char| {
        class
            .ranges()
            .iter()
            .any(|range| range.start() <= c && c <= range.end())
    };
    for preferred in [('a', 'z'), ('0', '9'), ('A', 'Z'), (' ', '~')] {
        let all: Vec<char> = (preferred.0..=preferred.1).filter(|&c| contains(c)).collect();
        if !all.is_empty() {
            return Some(all[seed.index(all.len())]);
        }
    }
    class
        .ranges()
        .first()
        .map(regex_syntax::hir::ClassUnicodeRange::start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str) -> Option<String> {
        matching(pattern, "canary", &mut Seed::fixed(7))
    }

    #[test]
    fn a_type_id() {
        let id = text("^ten_[0-7][0-9a-hjkmnp-tv-z]{25}$").unwrap();
        assert!(id.parse::<crate::TenantId>().is_ok(), "{id}");
    }

    #[test]
    fn open_ends_take_the_filler() {
        assert_eq!(text("@").unwrap(), "canary@canary");
        assert_eq!(text("^x").unwrap(), "xcanary");
        assert!(text(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$").unwrap().contains('@'));
    }

    #[test]
    fn beyond_the_common_ground() {
        assert_eq!(text(r"(a)\1"), None);
    }
}
