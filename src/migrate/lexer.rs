//! Cuts SQL text into statements and tokens, as PostgreSQL's own scanner would: comments, every kind of quoting, nested
//! parentheses and `BEGIN ATOMIC` bodies are understood, nothing else is.
//!
//! It is used to refuse files that would end the run's transaction, and to say which role and table a file names. It
//! never decides what is sent to the server. Settings that change the scanner (`standard_conforming_strings = off`) are
//! not followed.

/// One token that matters; numbers, parameters and comments are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An unquoted identifier or keyword, as written.
    Word(&'a str),
    /// A quoted identifier, without its quotes.
    Quoted(String),
    /// What stands between the quotes of a string or dollar-quoted literal.
    Text(&'a str),
    /// Any other character.
    Symbol(char),
}

impl Token<'_> {
    /// Whether this is the keyword, in any case.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// The name that PostgreSQL reads: unquoted identifiers in lower case.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Token::Word(word) => Some(word.to_lowercase()),
            Token::Quoted(name) => Some(name.clone()),
            Token::Text(_) | Token::Symbol(_) => None,
        }
    }
}

/// One statement: its text without the semicolon, where it starts, its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    pub(crate) text: &'a str,
    /// Line of the first token, from 1.
    pub(crate) line: usize,
    pub(crate) tokens: Vec<Token<'a>>,
}

impl Statement<'_> {
    /// Whether the statement starts with these keywords.
    pub(crate) fn starts_with(&self, keywords: &[&str]) -> bool {
        self.tokens.len() >= keywords.len()
            && keywords
                .iter()
                .zip(&self.tokens)
                .all(|(keyword, token)| token.is(keyword))
    }
}

/// The statements of `sql`; empty ones (`;;`, comments alone) are left out.
pub(crate) fn statements(sql: &str) -> Vec<Statement<'_>> {
    let mut cursor = Cursor { sql, at: 0 };
    let mut found = Vec::new();
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut parens = 0_usize;
    let mut body = Body::default();
    while let Some((at, token)) = cursor.next_token() {
        if token == Token::Symbol(';') && parens == 0 && body.depth == 0 {
            close(sql, start, at, &mut tokens, &mut found);
            body = Body::default();
            continue;
        }
        match token {
            Token::Symbol('(') => parens += 1,
            Token::Symbol(')') => parens = parens.saturating_sub(1),
            _ => {}
        }
        if tokens.is_empty() {
            start = at;
        }
        body.see(&tokens, &token);
        tokens.push(token);
    }
    close(sql, start, sql.len(), &mut tokens, &mut found);
    found
}

fn close<'a>(
    sql: &'a str,
    start: usize,
    end: usize,
    tokens: &mut Vec<Token<'a>>,
    found: &mut Vec<Statement<'a>>,
) {
    if tokens.is_empty() {
        return;
    }
    found.push(Statement {
        text: sql[start..end].trim_end(),
        line: line_of(sql, start),
        tokens: std::mem::take(tokens),
    });
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(sql: &str, at: usize) -> usize {
    1 + sql.as_bytes()[..at.min(sql.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

/// How deep inside `CREATE FUNCTION … BEGIN ATOMIC … END` the scanner is: its semicolons end no statement.
#[derive(Default)]
struct Body {
    depth: usize,
}

impl Body {
    fn see(&mut self, before: &[Token<'_>], token: &Token<'_>) {
        if self.depth == 0 {
            let opens = token.is("atomic") && before.last().is_some_and(|last| last.is("begin"));
            if opens && creates_routine(before) {
                self.depth = 1;
            }
        } else if token.is("case") || token.is("begin") {
            self.depth += 1;
        } else if token.is("end") {
            self.depth -= 1;
        }
    }
}

fn creates_routine(tokens: &[Token<'_>]) -> bool {
    let mut words = tokens.iter();
    let mut next = || words.next();
    if !next().is_some_and(|token| token.is("create")) {
        return false;
    }
    let mut kind = next();
    if kind.is_some_and(|token| token.is("or")) {
        next();
        kind = next();
    }
    kind.is_some_and(|token| token.is("function") || token.is("procedure"))
}

struct Cursor<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.sql[self.at..]
    }

    fn next_token(&mut self) -> Option<(usize, Token<'a>)> {
        loop {
            let rest = self.rest();
            let c = rest.chars().next()?;
            let at = self.at;
            if matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') {
                self.at += c.len_utf8();
            } else if rest.starts_with("--") {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.skip_comment();
            } else if c.is_ascii_digit() {
                self.at += rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))
                    .unwrap_or(rest.len());
            } else if c == '\'' {
                return Some((at, Token::Text(self.quoted('\'', false))));
            } else if c == '"' {
                return Some((at, Token::Quoted(self.quoted('"', false).replace("\"\"", "\""))));
            } else if c == '$' {
                if let Some(token) = self.dollar() {
                    return Some((at, token));
                }
            } else if is_identifier_start(c) {
                return Some((at, self.word()));
            } else {
                self.at += c.len_utf8();
                return Some((at, Token::Symbol(c)));
            }
        }
    }

    /// Comments nest.
    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
            } else if let Some(c) = rest.chars().next() {
                self.at += c.len_utf8();
            } else {
                return;
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// What stands between quotes; a doubled quote does not end it, nor, in `E'…'`, a quote behind a backslash.
    fn quoted(&mut self, quote: char, escapes: bool) -> &'a str {
        self.at += 1;
        let start = self.at;
        while let Some(c) = self.rest().chars().next() {
            self.at += c.len_utf8();
            if escapes && c == '\\' {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            } else if c == quote {
                if !self.rest().starts_with(quote) {
                    return &self.sql[start..self.at - 1];
                }
                self.at += 1;
            }
        }
        &self.sql[start..]
    }

    /// `$tag$ … $tag$`; a parameter such as `$1` gives nothing.
    fn dollar(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let tag_end = rest[1..]
            .find(|c: char| !is_identifier_part(c) || c == '$')
            .map(|end| end + 1);
        let Some(tag_end) = tag_end.filter(|end| {
            rest[*end..].starts_with('$') && !rest[1..].starts_with(|c: char| c.is_ascii_digit())
        }) else {
            self.at += 1;
            return None;
        };
        let tag = &rest[..=tag_end];
        let body = &rest[tag.len()..];
        let length = body.find(tag);
        self.at += tag.len() + length.map_or(body.len(), |length| length + tag.len());
        Some(Token::Text(&body[..length.unwrap_or(body.len())]))
    }

    /// An identifier; or a literal, where it is a prefix such as `E'…'` or `U&"…"`.
    fn word(&mut self) -> Token<'a> {
        let rest = self.rest();
        let length = rest.find(|c: char| !is_identifier_part(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        let next = self.rest();
        let prefix = word.to_ascii_lowercase();
        if next.starts_with('\'') && matches!(prefix.as_str(), "e" | "b" | "x" | "n") {
            return Token::Text(self.quoted('\'', prefix == "e"));
        }
        if prefix == "u" && next.starts_with("&'") {
            self.at += 1;
            return Token::Text(self.quoted('\'', false));
        }
        if prefix == "u" && next.starts_with("&\"") {
            self.at += 1;
            return Token::Quoted(self.quoted('"', false).replace("\"\"", "\""));
        }
        Token::Word(word)
    }
}

fn is_identifier_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_identifier_part(c: char) -> bool {
    is_identifier_start(c) || c.is_ascii_digit() || c == '$'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        statements(sql)
            .into_iter()
            .map(|statement| statement.text)
            .collect()
    }

    #[test]
    fn semicolons_end_statements_only_outside_quotes_comments_and_parentheses() {
        let sql = "select ';'; -- a; b\nselect $q$;$q$, \"a;b\", E'\\';', U&';' /* ; /* ; */ ; */;\n\
                   create rule r as on insert to t do also (delete from a; delete from b);;";
        assert_eq!(texts(sql).len(), 3, "{:?}", texts(sql));
        assert_eq!(statements(sql)[1].line, 2);
    }

    #[test]
    fn a_sql_standard_function_body_is_one_statement() {
        let sql = "create or replace function f(i int) returns int language sql\n\
                   begin atomic select 1; select case when i > 0 then 1 else 2 end; end; commit";
        assert_eq!(texts(sql), [&sql[..sql.len() - "; commit".len()], "commit"]);
        assert!(statements(sql)[1].starts_with(&["COMMIT"]));
        // Only a routine has such a body.
        assert_eq!(texts("begin; atomic; end").len(), 3);
    }

    #[test]
    fn a_dollar_inside_an_identifier_or_parameter_quotes_nothing() {
        assert_eq!(texts("select a$b$; select $1; select $2;").len(), 3);
        assert_eq!(texts("do $$ begin commit; end $$; select 1").len(), 2);
        assert_eq!(texts("do $a$ $$ ; $b$ $a$").len(), 1);
    }

    #[test]
    fn names_are_read_as_postgresql_reads_them() {
        let tokens = &statements("update App.\"Weird \"\"T\" set x = 1")[0].tokens;
        assert_eq!(tokens[1].name().unwrap(), "app");
        assert_eq!(tokens[3].name().unwrap(), "Weird \"T");
    }

    #[test]
    fn text_that_never_ends_is_one_statement() {
        for sql in [
            "select 'a; b",
            "select $q$ a; b",
            "select \"a; b",
            "select 1 /* ; /* */ ;",
        ] {
            assert_eq!(texts(sql).len(), 1, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_a_panic(sql in "[-a-z$'\"/*;()\\\\ \n\u{e9}0-9E]{0,60}") {
            for statement in statements(&sql) {
                prop_assert!(sql.contains(statement.text));
            }
        }

        #[test]
        fn a_quoted_literal_never_ends_a_statement(text in "[^\0]{0,30}") {
            let sql = format!("select {}; select 2", crate::sql::Literal::new(&text).unwrap());
            prop_assert_eq!(texts(&sql).len(), 2);
        }
    }
}
