//! LIKE patterns, and the part of PostgreSQL's regular expressions that CHECK constraints on ids are made of.

use std::collections::BTreeSet;

/// `text LIKE pattern`; `None` where the pattern ends in its escape character, which may or may not be an error.
pub(super) fn like(text: &str, pattern: &str) -> Option<bool> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Char(chars.next()?),
            c => Part::Char(c),
        });
    }
    // The prefixes of the text, by length, that the parts so far can match.
    let text: Vec<char> = text.chars().collect();
    let mut ends = BTreeSet::from([0]);
    for part in parts {
        ends = match part {
            Part::Any => ends
                .first()
                .map_or_else(BTreeSet::new, |first| (*first..=text.len()).collect()),
            Part::One => ends
                .iter()
                .filter(|end| **end < text.len())
                .map(|end| end + 1)
                .collect(),
            Part::Char(c) => ends
                .iter()
                .filter(|end| text.get(**end) == Some(&c))
                .map(|end| end + 1)
                .collect(),
        };
    }
    Some(ends.contains(&text.len()))
}

enum Part {
    Any,
    One,
    Char(char),
}

/// A regular expression of literal characters, classes, groups, alternatives and greedy counts.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Node);

#[derive(Debug, Clone)]
enum Node {
    Start,
    End,
    /// Characters that match, or with `true` that do not.
    Class(Vec<(char, char)>, bool),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize, usize),
}

const MANY: usize = usize::MAX;

impl Pattern {
    /// The pattern, if all of it is understood.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser {
            chars: text.chars().collect(),
            at: 0,
            depth: 0,
        };
        let node = parser.either()?;
        (text.is_ascii() && parser.at == parser.chars.len()).then_some(Self(node))
    }

    /// Whether it matches somewhere in an ASCII text of moderate length.
    pub(crate) fn is_match(&self, text: &str) -> Option<bool> {
        if !text.is_ascii() || text.len() > 300 {
            return None;
        }
        let chars: Vec<char> = text.chars().collect();
        Some((0..=chars.len()).any(|start| !self.0.ends(&chars, start).is_empty()))
    }

    /// A text that it matches, different for different `variant`s as far as it leaves a choice.
    pub(crate) fn sample(&self, variant: usize) -> Option<String> {
        let mut text = String::new();
        self.0.sample(variant, &mut text);
        (self.is_match(&text) == Some(true)).then_some(text)
    }
}

impl Node {
    /// Where a match that starts at `start` can end.
    fn ends(&self, text: &[char], start: usize) -> BTreeSet<usize> {
        let only = |condition: bool, end| {
            if condition {
                BTreeSet::from([end])
            } else {
                BTreeSet::new()
            }
        };
        match self {
            Self::Start => only(start == 0, start),
            Self::End => only(start == text.len(), start),
            Self::Class(ranges, negated) => {
                let matches = |c: &char| ranges.iter().any(|(from, to)| from <= c && c <= to) != *negated;
                only(text.get(start).is_some_and(matches), start + 1)
            }
            Self::Sequence(nodes) => nodes.iter().fold(BTreeSet::from([start]), |ends, node| {
                ends.into_iter().flat_map(|end| node.ends(text, end)).collect()
            }),
            Self::Either(nodes) => nodes.iter().flat_map(|node| node.ends(text, start)).collect(),
            Self::Repeat(node, least, most) => {
                let mut current = BTreeSet::from([start]);
                let mut all = only(*least == 0, start);
                // Beyond the text's length, further repetitions add nothing.
                for count in 1..=(*most).min(least + text.len() + 1) {
                    current = current.into_iter().flat_map(|end| node.ends(text, end)).collect();
                    if count >= *least {
                        all.extend(&current);
                    }
                    if current.is_empty() {
                        break;
                    }
                }
                all
            }
        }
    }

    fn sample(&self, variant: usize, text: &mut String) {
        match self {
            Self::Start | Self::End => {}
            Self::Class(ranges, false) => {
                let all: Vec<char> = ranges.iter().flat_map(|(from, to)| *from..=*to).collect();
                if let Some(count) = all.len().checked_sub(1) {
                    text.push(all[variant.min(count)]);
                }
            }
            Self::Class(ranges, true) => {
                let outside = |c: &char| !ranges.iter().any(|(from, to)| from <= c && c <= to);
                text.extend(('a'..='z').filter(outside).nth(variant));
            }
            Self::Sequence(nodes) => nodes.iter().for_each(|node| node.sample(variant, text)),
            Self::Either(nodes) => {
                if let Some(node) = nodes.first() {
                    node.sample(variant, text);
                }
            }
            Self::Repeat(node, least, most) => {
                for _ in 0..(*least).max(usize::from(*most > 0)).min(100) {
                    node.sample(variant, text);
                }
            }
        }
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn accept(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Option<Node> {
        let mut list = vec![self.sequence()?];
        while self.accept('|') {
            list.push(self.sequence()?);
        }
        Some(if list.len() == 1 {
            list.remove(0)
        } else {
            Node::Either(list)
        })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut list = Vec::new();
        while self.peek().is_some_and(|c| c != '|' && c != ')') {
            let atom = self.atom()?;
            list.push(self.repeated(atom)?);
        }
        Some(Node::Sequence(list))
    }

    fn repeated(&mut self, atom: Node) -> Option<Node> {
        let (least, most) = match self.peek() {
            Some('*') => (0, MANY),
            Some('+') => (1, MANY),
            Some('?') => (0, 1),
            Some('{') => {
                self.at += 1;
                let least = self.number()?;
                let most = match self.accept(',') {
                    true if self.peek() == Some('}') => MANY,
                    true => self.number()?,
                    false => least,
                };
                // Left at the closing brace, as at the other signs.
                if self.peek() != Some('}') {
                    return None;
                }
                (least, most)
            }
            _ => return Some(atom),
        };
        self.at += 1;
        // Counts of an anchor, and counts of counts (which would be non-greedy ones), are left alone.
        let countable = !matches!(atom, Node::Start | Node::End);
        let ends = !matches!(self.peek(), Some('*' | '+' | '?' | '{'));
        (countable && ends && least <= most && least <= 255 && (most <= 255 || most == MANY))
            .then(|| Node::Repeat(Box::new(atom), least, most))
    }

    fn number(&mut self) -> Option<usize> {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect::<String>().parse().ok()
    }

    fn atom(&mut self) -> Option<Node> {
        let c = self.peek()?;
        self.at += 1;
        let one = |c| Some(Node::Class(vec![(c, c)], false));
        match c {
            '^' => Some(Node::Start),
            '$' => Some(Node::End),
            '.' => Some(Node::Class(Vec::new(), true)),
            '[' => self.class(),
            '(' => {
                self.depth += 1;
                if self.depth > 30
                    || self.peek() == Some('?') && !self.chars[self.at..].starts_with(&['?', ':'])
                {
                    return None;
                }
                if self.accept('?') {
                    self.at += 1;
                }
                let node = self.either()?;
                self.depth -= 1;
                self.accept(')').then_some(node)
            }
            '\\' => {
                let c = self.peek()?;
                self.at += 1;
                match c {
                    'd' => Some(Node::Class(vec![('0', '9')], false)),
                    'w' => Some(Node::Class(
                        vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
                        false,
                    )),
                    c if c.is_ascii_punctuation() => one(c),
                    _ => None,
                }
            }
            '*' | '+' | '?' | '{' | ')' | '|' => None,
            c => one(c),
        }
    }

    fn class(&mut self) -> Option<Node> {
        let negated = self.accept('^');
        let mut ranges = Vec::new();
        loop {
            let from = self.peek()?;
            self.at += 1;
            if from == ']' && !ranges.is_empty() {
                return Some(Node::Class(ranges, negated));
            }
            // Character classes, equivalence classes and escapes are left alone.
            let is_stray_hyphen = from == '-' && !ranges.is_empty() && self.peek() != Some(']');
            if matches!(from, '[' | '\\' | ']') || is_stray_hyphen {
                return None;
            }
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1) != Some(&']');
            let to = if is_range {
                self.at += 2;
                self.chars
                    .get(self.at - 1)
                    .copied()
                    .filter(|c| !matches!(c, '[' | '\\'))?
            } else {
                from
            };
            if from > to {
                return None;
            }
            ranges.push((from, to));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_its_two_signs_and_the_escape() {
        for (text, pattern, expected) in [
            ("abc", "a%", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("", "%", true),
            ("a%c", "a\\%c", true),
            ("abc", "a\\%c", false),
            ("abcabc", "%bc", true),
        ] {
            assert_eq!(like(text, pattern), Some(expected), "{text} {pattern}");
        }
        assert_eq!(like("a\\", "a\\"), None);
    }

    #[test]
    fn the_format_of_ids_is_matched_and_sampled() {
        let pattern = Pattern::parse("^ten_[0-7][0-9a-hjkmnp-tv-z]{25}$").unwrap();
        let (a, b) = (pattern.sample(1).unwrap(), pattern.sample(2).unwrap());
        assert!(a != b && pattern.is_match(&a) == Some(true) && a.len() == 30);
        assert_eq!(pattern.is_match("ten_x"), Some(false));
        assert_eq!(Pattern::parse("b+|^c?$").unwrap().is_match("abc"), Some(true));
        assert_eq!(Pattern::parse("b+|^c?$").unwrap().is_match(""), Some(true));
        assert_eq!(
            Pattern::parse("^(?:ab|c){2,3}$").unwrap().is_match("abcc"),
            Some(true)
        );
    }

    #[test]
    fn what_is_not_understood_is_no_pattern() {
        for text in [
            "(?i)a",
            "a*?",
            "[[:alpha:]]",
            "a{1",
            "\\1",
            "***=a",
            "(a",
            "a)",
            "[z-a]",
            "[a-b-c]",
            "\\yb",
            "é",
        ] {
            assert!(Pattern::parse(text).is_none(), "{text}");
        }
    }
}
