//! What is fuzzed: each function takes any bytes and panics when something is wrong. libFuzzer calls them (`targets/`),
//! and so does `cargo test` (`main.rs`), so that they cannot rot.

#![allow(dead_code, reason = "a fuzz target uses one of them")]

use rls_tool::id::TypeId;
use rls_tool::model::Config;
use rls_tool::proof::tree::Node;
use rls_tool::sql::{Ident, Literal, QualifiedName};
use rls_tool::{ApiKeyId, TenantId};

/// Ids: nothing makes the parser panic; what it takes is printed as it was, and has the one prefix of its kind.
pub(crate) fn id(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let parsed = text.parse::<TypeId>();
    if let Ok(id) = &parsed {
        assert_eq!(id.to_string(), text);
        assert_eq!(TypeId::new(id.prefix(), id.uuid()).as_ref(), Ok(id));
    }
    let prefix = parsed.as_ref().map(TypeId::prefix);
    assert_eq!(text.parse::<TenantId>().is_ok(), prefix == Ok("ten"), "{text:?}");
    assert_eq!(text.parse::<ApiKeyId>().is_ok(), prefix == Ok("key"), "{text:?}");
}

/// Stored expressions: nothing makes the parser panic, and its errors point into the text.
pub(crate) fn node_tree(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = Node::parse(text) {
        assert!(error.offset <= text.len() + 1, "{error}");
    }
}

/// rls.toml: nothing makes it panic, a byte order mark changes nothing, and an error names a line that there is.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let parsed = Config::parse(text, "rls.toml");
    if let Err(error) = &parsed {
        let chain = error.chain();
        let line = chain
            .strip_prefix("rls.toml, line ")
            .and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
        let lines = 1 + text.matches('\n').count();
        assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{chain}");
    }
    if !text.starts_with('\u{feff}') {
        let marked = Config::parse(&format!("\u{feff}{text}"), "rls.toml");
        assert_eq!(marked.ok(), parsed.ok());
    }
}

/// Quoting: PostgreSQL reads back exactly the value, as one token that nothing in it can end.
pub(crate) fn quoting(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let nul = text.contains('\0');
    match Literal::new(text) {
        Ok(literal) => assert_eq!(read_literal(&literal.to_string()).as_deref(), Some(text)),
        Err(_) => assert!(nul),
    }
    let Ok(name) = Ident::new(text) else {
        assert!(nul || text.is_empty());
        return;
    };
    let quoted = name.to_string();
    assert_eq!(read_quoted(&quoted, '"'), Some((text.to_owned(), "")));
    let sql = QualifiedName::new("s", text).expect("both are names").to_string();
    let (first, rest) = read_quoted(&sql, '"').expect("a quoted name");
    assert_eq!(first, "s");
    let second = rest.strip_prefix('.').and_then(|rest| read_quoted(rest, '"'));
    assert_eq!(second, Some((text.to_owned(), "")));
}

/// What PostgreSQL's lexer makes of a quoted token, and what follows it.
fn read_quoted(sql: &str, quote: char) -> Option<(String, &str)> {
    let mut rest = sql.strip_prefix(quote)?;
    let mut value = String::new();
    loop {
        let end = rest.find(quote)?;
        value.push_str(&rest[..end]);
        rest = &rest[end + quote.len_utf8()..];
        match rest.strip_prefix(quote) {
            Some(more) => {
                value.push(quote);
                rest = more;
            }
            None => return Some((value, rest)),
        }
    }
}

/// What PostgreSQL's lexer makes of a literal, whatever `standard_conforming_strings` says.
pub(crate) fn read_literal(sql: &str) -> Option<String> {
    let Some(escaped) = sql.strip_prefix('E') else {
        let (value, rest) = read_quoted(sql, '\'')?;
        // Without E a backslash means one thing or another, as the setting has it.
        return (rest.is_empty() && !value.contains('\\')).then_some(value);
    };
    let mut chars = escaped.strip_prefix('\'')?.chars();
    let mut value = String::new();
    loop {
        match chars.next()? {
            '\\' => value.push(chars.next().filter(|next| *next == '\\')?),
            '\'' => match chars.next() {
                Some('\'') => value.push('\''),
                Some(_) => return None,
                None => return Some(value),
            },
            other => value.push(other),
        }
    }
}
