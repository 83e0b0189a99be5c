//! What a CHECK expression, as PostgreSQL prints it, gives away about the values that satisfy it: its constants and
//! how they are used. Not an evaluation; PostgreSQL does that (see `solve`).

/// The constants of some expressions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Constants {
    /// Regular expressions (right of `~` or `~*`).
    pub(crate) patterns: Vec<String>,
    /// Patterns of LIKE or ILIKE (right of `~~` or `~~*`).
    pub(crate) likes: Vec<String>,
    /// Other strings.
    pub(crate) strings: Vec<String>,
    /// Whole numbers.
    pub(crate) numbers: Vec<i64>,
    /// Whether lengths are looked at.
    pub(crate) lengths: bool,
}

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(String),
    Number(String),
    Word(String),
    /// In double quotes.
    Name(String),
    Operator(String),
    Close,
    Other,
}

impl Constants {
    /// Collects from one more expression.
    pub(crate) fn read(&mut self, expression: &str) {
        self.take(tokens(expression));
    }

    /// Collects from some of an expression's pieces.
    pub(super) fn take(&mut self, tokens: impl IntoIterator<Item = Token>) {
        let mut operator = String::new();
        for token in tokens {
            match token {
                Token::Operator(text) => operator = text,
                Token::Text(text) => {
                    let list = match operator.as_str() {
                        "~" | "~*" => &mut self.patterns,
                        "~~" | "~~*" => &mut self.likes,
                        "!~" | "!~*" | "!~~" | "!~~*" => continue,
                        _ => &mut self.strings,
                    };
                    if !list.contains(&text) {
                        list.push(text);
                    }
                }
                Token::Number(text) => {
                    // `-` before a number is its sign as far as a candidate goes; both are worth a try.
                    if let Ok(number) = text.split('.').next().unwrap_or_default().parse::<i64>() {
                        let signed = if operator == "-" { -number } else { number };
                        if !self.numbers.contains(&signed) {
                            self.numbers.push(signed);
                        }
                    }
                }
                Token::Word(word) => {
                    if word.ends_with("length") || word == "cardinality" || word == "bit_count" {
                        self.lengths = true;
                    }
                }
                Token::Name(_) | Token::Close | Token::Other => {}
            }
        }
    }
}

/// The pieces of an expression; blanks, commas and the like are `Other`.
pub(super) fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' => string(rest, false),
            'E' if rest[1..].starts_with('\'') => {
                let (token, length) = string(&rest[1..], true);
                (token, length + 1)
            }
            '"' => {
                let length = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
                (Token::Name(rest[..length].trim_matches('"').to_owned()), length)
            }
            '0'..='9' => {
                let length = run(rest, |c| c.is_ascii_digit() || c == '.');
                (Token::Number(rest[..length].to_owned()), length)
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = run(rest, |c| c.is_alphanumeric() || c == '_' || c == '$');
                (Token::Word(rest[..length].to_owned()), length)
            }
            c if is_operator(c) => {
                let length = run(rest, is_operator);
                (Token::Operator(rest[..length].to_owned()), length)
            }
            ')' => (Token::Close, 1),
            c => (Token::Other, c.len_utf8()),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

fn is_operator(c: char) -> bool {
    "+-*/<>=~!@#%^&|`?".contains(c)
}

/// Bytes of the leading run of characters that satisfy `wanted`.
fn run(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

/// A string constant at the start of `text`, and how many bytes it takes.
fn string(text: &str, escapes: bool) -> (Token, usize) {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.peek().is_some_and(|&(_, next)| next == '\'') => {
                value.push('\'');
                chars.next();
            }
            '\'' => return (Token::Text(value), at + 1),
            '\\' if escapes => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (Token::Text(value), text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(expression: &str) -> Constants {
        let mut constants = Constants::default();
        constants.read(expression);
        constants
    }

    #[test]
    fn constants_are_sorted_by_their_use() {
        let found = read(
            "(((id ~ '^ten_[0-7]$'::text) AND (length(\"the 'name'\") <= 200)) OR (kind = ANY (ARRAY['a'::text, 'it''s'::text]))) \
             AND (x > '-5'::integer) AND (mail ~~ '%@%'::text) AND (y !~ 'no')",
        );
        assert_eq!(found.patterns, ["^ten_[0-7]$"]);
        assert_eq!(found.likes, ["%@%"]);
        assert_eq!(found.strings, ["a", "it's", "-5"]);
        assert_eq!(found.numbers, [200]);
        assert!(found.lengths);
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(read(r"(x ~ E'^\\d+$'::text)").patterns, [r"^\d+$"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "\\PC{0,60}") {
            read(&text);
        }
    }
}
