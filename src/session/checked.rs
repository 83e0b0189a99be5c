//! Statements that would leave the tenant's transaction are refused before they are sent.
//!
//! The extended protocol takes one statement a message, so its first word decides. A batch is split at its semicolons.
//! This is no parser and no security border: a caller who sets the tenant setting himself is that tenant. It keeps
//! honest code from ending the transaction by accident, or from changing the connection for whoever uses it next; what
//! slips through a batch is found afterwards, because the binding is then gone (`verify` in `core`).

use crate::error::{Error, Result};

/// Whether a statement may leave something on the connection that outlives the transaction: a temporary table, a
/// cursor WITH HOLD, a session lock, a setting. The connection is reset when the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    No,
    Perhaps,
}

/// Checks one statement.
pub(super) fn check(sql: &str, tenant_setting: &str) -> Result<Lasting> {
    const TRACES: [&str; 4] = ["set_config", "temp", "hold", "pg_advisory_lock"];
    first_words(sql, tenant_setting)?;
    let lasting = TRACES.iter().any(|trace| contains(sql, trace));
    Ok(if lasting { Lasting::Perhaps } else { Lasting::No })
}

/// Checks every statement of a batch. What a batch leaves behind is not looked into: its connection is always reset.
pub(super) fn check_batch(sql: &str, tenant_setting: &str) -> Result<()> {
    let mut rest = sql;
    while !rest.is_empty() {
        let end = statement_end(rest);
        first_words(&rest[..end], tenant_setting)?;
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Ok(())
}

fn first_words(sql: &str, tenant_setting: &str) -> Result<()> {
    let (first, rest) = word(sql);
    let is = |word: &str| first.eq_ignore_ascii_case(word);
    let second = || word(rest).0;
    let second_is = |word: &str| second().eq_ignore_ascii_case(word);
    let ends = ["begin", "start", "commit", "end", "rollback", "abort"]
        .iter()
        .any(|word| is(word))
        || (is("prepare") && second_is("transaction"));
    if ends {
        return Err(refused(
            first,
            "would begin or end the transaction that the tenant is bound to",
        )
        .with_help("use commit(), rollback(), or a scope of its own for another transaction"));
    }
    if is("savepoint") || is("release") {
        return Err(refused(first, "is what savepoint() does")
            .with_help("use savepoint(): dropped, it is rolled back"));
    }
    if is("reset") || is("discard") || is("listen") {
        return Err(refused(
            first,
            "would change the connection beyond this transaction",
        ));
    }
    if is("set")
        && !["local", "transaction", "constraints"]
            .iter()
            .any(|word| second_is(word))
    {
        return Err(
            refused(first, "would change the connection beyond this transaction")
                .with_help("use SET LOCAL, or setting() and role() of the scope"),
        );
    }
    if is("set") && second_is("local") {
        let (_, rest) = word(rest);
        let name: String = rest
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '"')
            .take(tenant_setting.len())
            .collect();
        if name.eq_ignore_ascii_case(tenant_setting) {
            return Err(refused(
                first,
                "would bind another tenant within the transaction of this one",
            )
            .with_help("begin a scope of the other tenant"));
        }
    }
    Ok(())
}

fn refused(word: &str, why: &str) -> Error {
    Error::input(format!(
        "{} in a tenant's transaction {why}",
        word.to_ascii_uppercase()
    ))
}

/// The first word of the text and what follows it; comments, white space and stray semicolons in front are skipped.
fn word(sql: &str) -> (&str, &str) {
    let rest = skip_blanks(sql);
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    rest.split_at(end)
}

fn skip_blanks(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';' || c == '\u{b}');
        if rest.starts_with("--") {
            rest = rest.find(['\n', '\r']).map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = &rest[comment_end(rest)..];
        } else {
            return rest;
        }
    }
}

/// Where the comment that the text opens with ends; comments nest.
fn comment_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// Where the first statement of the batch ends: at a semicolon outside of quotes and comments, or at the end.
fn statement_end(sql: &str) -> usize {
    let bytes = sql.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &sql[at..];
        at += match bytes[at] {
            b';' => return at,
            b'-' if rest.starts_with("--") => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => comment_end(rest),
            b'\'' => {
                let escapes =
                    at > 0 && bytes[at - 1].eq_ignore_ascii_case(&b'e') && !is_in_word(bytes, at - 1);
                quoted_end(rest, b'\'', escapes)
            }
            b'"' => quoted_end(rest, b'"', false),
            b'$' if !is_in_word(bytes, at) => dollar_end(rest),
            byte if byte.is_ascii() => 1,
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    sql.len()
}

/// Whether the byte at `at` continues an identifier.
fn is_in_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_' || !bytes[at - 1].is_ascii())
}

fn quoted_end(text: &str, quote: u8, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if escapes && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// Behind `$tag$…$tag$`, or behind the `$` of a parameter.
fn dollar_end(text: &str) -> usize {
    let Some(tag_end) = text[1..].find('$').map(|end| end + 2) else {
        return 1;
    };
    let tag = &text[..tag_end];
    let name = &tag[1..tag.len() - 1];
    let is_tag = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_tag {
        return 1;
    }
    text[tag_end..]
        .find(tag)
        .map_or(text.len(), |end| tag_end + end + tag.len())
}

/// Whether the text holds the word, in any case of letters.
fn contains(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: &str = "app.current_tenant";

    #[test]
    fn what_ends_the_transaction_is_refused() {
        for sql in [
            "COMMIT",
            " commit and chain",
            "/* a /* nested */ comment */ -- and a line\n\tRollback",
            ";;end",
            "abort",
            "begin",
            "START TRANSACTION",
            "prepare transaction 'x'",
            "savepoint a",
            "release a",
            "set role x",
            "SET app.current_tenant = 'b'",
            "set session x.y = 1",
            "reset all",
            "discard temp",
            "listen x",
            "set local APP.current_tenant to 'b'",
            "set local \"app\" . \"current_tenant\" = 'b'",
        ] {
            assert!(check(sql, SETTING).is_err(), "{sql}");
            assert!(
                check_batch(&format!("select 1; {sql}"), SETTING).is_err(),
                "{sql}"
            );
        }
    }

    #[test]
    fn the_rest_passes() {
        for sql in [
            "select 'commit'",
            "with x as (select 1) select * from x",
            "set local statement_timeout = 5",
            "set transaction read only",
            "SET CONSTRAINTS ALL DEFERRED",
            "prepare x as select 1",
            "endow",
            "",
        ] {
            assert!(check(sql, SETTING).is_ok(), "{sql}");
        }
    }

    #[test]
    fn semicolons_in_quotes_and_comments_end_nothing() {
        for sql in [
            "select '; commit'",
            "select E'\\'; commit; '",
            "select \"; commit\"",
            "select $$; commit; $$, $a$ $$; commit; $a$",
            "select 1 -- ; commit",
            "/* ; commit */ select 1",
            "select $1; select 2",
            "insert into t values ('ä;commit')",
            "select namee'; commit'",
        ] {
            assert!(check_batch(sql, SETTING).is_ok(), "{sql}");
        }
        for sql in [
            "select '\\'; commit",
            "select a$b$; commit; select $b$",
            "select $1; commit",
        ] {
            assert!(check_batch(sql, SETTING).is_err(), "{sql}");
        }
    }

    #[test]
    fn what_may_outlive_the_transaction_is_marked() {
        let lasting = |sql| check(sql, SETTING).unwrap();
        assert_eq!(lasting("select 1"), Lasting::No);
        assert_eq!(lasting("create TEMP table x (id int)"), Lasting::Perhaps);
        assert_eq!(
            lasting("declare c cursor with hold for select 1"),
            Lasting::Perhaps
        );
        assert_eq!(lasting("select SET_CONFIG('a.b', 'c', false)"), Lasting::Perhaps);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(sql in "\\PC{0,60}|[;'\"$aE\\\\/*\\-\n ]{0,40}") {
            let _ = check(&sql, SETTING);
            let _ = check_batch(&sql, SETTING);
        }
    }
}
