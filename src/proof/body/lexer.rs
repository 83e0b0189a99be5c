//! Tokens of SQL.

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word without quotes, in lower case.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    String(String),
    Number(String),
    /// `$1`
    Parameter(usize),
    /// An operator, `::`, or a sign of its own.
    Sign(String),
}

const OPERATOR_CHARS: &str = "+-*/<>=~!@#%^&|`?";

/// The tokens of a text, or what could not be read.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text;
    let mut tokens = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c', '\x0b']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once(['\n', '\r']).map_or("", |(_, rest)| rest);
            continue;
        }
        if rest.starts_with("/*") {
            let (comment, behind) = rest[2..].split_once("*/").ok_or("a comment does not end")?;
            if comment.contains("/*") {
                return Err("a comment within a comment is not understood".into());
            }
            rest = behind;
            continue;
        }
        let Some(first) = rest.chars().next() else {
            return Ok(tokens);
        };
        let token;
        (token, rest) = match first {
            '\'' => quoted(rest, '\'').map(|(text, rest)| (Token::String(text), rest))?,
            '"' => quoted(rest, '"').map(|(text, rest)| (Token::Quoted(text), rest))?,
            '$' => dollar(rest)?,
            '0'..='9' => {
                let end = rest
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .unwrap_or(rest.len());
                if rest[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                    return Err("a number is not understood".into());
                }
                (Token::Number(rest[..end].to_owned()), &rest[end..])
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                    .unwrap_or(rest.len());
                // E'…', B'…', X'…', N'…' and U&'…' are other literals.
                if rest[end..].starts_with('\'')
                    || rest[end..].starts_with("&'")
                    || rest[end..].starts_with("&\"")
                {
                    return Err("a literal with a prefix is not understood".into());
                }
                (Token::Word(rest[..end].to_ascii_lowercase()), &rest[end..])
            }
            ':' if rest.starts_with("::") => (Token::Sign("::".into()), &rest[2..]),
            '(' | ')' | ',' | ';' | '.' | '[' | ']' | ':' => (Token::Sign(first.into()), &rest[1..]),
            c if OPERATOR_CHARS.contains(c) => {
                let end = rest
                    .find(|c: char| !OPERATOR_CHARS.contains(c))
                    .unwrap_or(rest.len());
                if rest[..end].contains("--") || rest[..end].contains("/*") {
                    return Err("a comment within an operator is not understood".into());
                }
                (Token::Sign(rest[..end].to_owned()), &rest[end..])
            }
            _ => return Err(format!("the character {first:?} is not understood")),
        };
        tokens.push(token);
    }
}

/// A literal or name in quotes, which are doubled within.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            if chars.next_if(|(_, next)| *next == quote).is_none() {
                return Ok((value, &text[at + 1..]));
            }
        } else if c == '\\' {
            // Its meaning depends on standard_conforming_strings.
            return Err("a backslash in a literal is not understood".into());
        }
        value.push(c);
    }
    Err("a literal does not end".into())
}

/// `$1` or `$tag$…$tag$`.
fn dollar(text: &str) -> Result<(Token, &str), String> {
    let end = text[1..]
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(text.len(), |n| n + 1);
    if text[end..].starts_with('$') {
        let tag = &text[..=end];
        let (value, rest) = text[tag.len()..]
            .split_once(tag)
            .ok_or("a literal does not end")?;
        return Ok((Token::String(value.to_owned()), rest));
    }
    let number = text[1..end]
        .parse()
        .map_err(|_| "a parameter is not understood")?;
    Ok((Token::Parameter(number), &text[end..]))
}
