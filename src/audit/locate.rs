//! Where in the user's own SQL files a finding's object was written: the policy that the finding names, else the
//! statement that creates the object. A guess for readers, never ground for a verdict.

use super::finding::{Finding, Location, Object};
use super::report::Report;
use crate::migrate::{Token, statements};

/// A statement that creates something.
struct Place {
    location: Location,
    /// The policy's name, if it is one.
    policy: Option<String>,
    schema: Option<String>,
    name: String,
}

impl Report {
    /// Fills in the findings' locations from SQL files (path, text), the most important first: policies, then
    /// migrations. A file that cannot be understood is passed over.
    pub fn locate(&mut self, files: &[(String, String)]) {
        let places: Vec<Place> = files.iter().flat_map(|(path, sql)| places(path, sql)).collect();
        for finding in &mut self.findings {
            finding.location = location(finding, &places);
        }
    }
}

fn places(path: &str, sql: &str) -> Vec<Place> {
    statements(sql)
        .iter()
        .filter(|statement| statement.starts_with(&["create"]))
        .filter_map(|statement| {
            let (policy, rest) = created(&statement.tokens)?;
            let (schema, name) = qualified(rest)?;
            Some(Place {
                location: Location {
                    file: path.replace('\\', "/"),
                    line: statement.line,
                },
                policy,
                schema,
                name,
            })
        })
        .collect()
}

/// The policy's name, if it is one, and the tokens from the object's name on.
fn created<'t>(tokens: &'t [Token<'t>]) -> Option<(Option<String>, &'t [Token<'t>])> {
    let kinds = [
        "table",
        "view",
        "function",
        "procedure",
        "sequence",
        "policy",
        "role",
        "user",
    ];
    let at = tokens
        .iter()
        .take(6)
        .position(|token| kinds.iter().any(|kind| token.is(kind)))?;
    let mut rest = &tokens[at + 1..];
    if tokens[at].is("policy") {
        let name = rest.first()?.name()?;
        rest.get(1).filter(|token| token.is("on"))?;
        return Some((Some(name), &rest[2..]));
    }
    while rest
        .first()
        .is_some_and(|token| ["if", "not", "exists"].iter().any(|word| token.is(word)))
    {
        rest = &rest[1..];
    }
    Some((None, rest))
}

fn qualified(tokens: &[Token<'_>]) -> Option<(Option<String>, String)> {
    let first = tokens.first()?.name()?;
    match (tokens.get(1), tokens.get(2)) {
        (Some(Token::Symbol('.')), Some(second)) => Some((Some(first), second.name()?)),
        _ => Some((None, first)),
    }
}

fn location(finding: &Finding, places: &[Place]) -> Option<Location> {
    let (schema, name) = match finding.door.as_ref().unwrap_or(&finding.object) {
        Object::InSchema { schema, name } => (Some(schema.as_str()), name.split('(').next()?),
        Object::Role(name) => (None, name.as_str()),
        Object::Setting(_) | Object::Database(_) => return None,
    };
    let fits = |place: &&Place| {
        let unqualified = place.schema.is_none() || schema.is_none();
        place.name == name && (unqualified || place.schema.as_deref() == schema)
    };
    let named = |place: &&Place| {
        let policy = place.policy.as_deref();
        policy.is_some_and(|policy| mentions(&finding.message, policy))
    };
    let fitting: Vec<_> = places.iter().filter(fits).collect();
    // A later statement replaces an earlier one of the same name.
    let by_name = fitting.iter().copied().rfind(named);
    let creating = fitting.iter().copied().find(|place| place.policy.is_none());
    let any = fitting.first().copied();
    by_name.or(creating).or(any).map(|place| place.location.clone())
}

/// Whether the word stands in the text by itself.
fn mentions(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Severity, Summary};
    use super::*;

    const POLICIES: &str = "\
-- policies of app.invoices
ALTER TABLE app.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON app.invoices USING (true);

CREATE POLICY \"support\" ON invoices
    FOR SELECT USING (true);
";
    const MIGRATION: &str = "\
CREATE TABLE IF NOT EXISTS app.invoices (id text);
CREATE OR REPLACE VIEW app.totals AS SELECT 1;
CREATE FUNCTION app.lookup(key text) RETURNS text AS $$ select 'create table x' $$ LANGUAGE sql;
CREATE TABLE other.invoices ();
";

    fn located(object: Object, message: &str) -> Option<(String, usize)> {
        let finding = Finding::new("c", Severity::Error, object, None, None, "").saying(message, "");
        let summary = Summary::default();
        let mut report = Report::new(Vec::new(), String::new(), vec![finding], Vec::new(), summary);
        report.locate(&[
            ("policies/invoices.sql".to_owned(), POLICIES.to_owned()),
            ("migrations/V1__t.sql".to_owned(), MIGRATION.to_owned()),
        ]);
        let location = report.findings[0].location.take()?;
        Some((location.file, location.line))
    }

    #[test]
    fn the_policy_that_is_named_else_the_statement_that_creates() {
        let at = |file: &str, line| Some((file.to_owned(), line));
        let app = |name: &str| Object::in_schema("app", name);
        assert_eq!(
            located(app("invoices"), "policy support is open"),
            at("policies/invoices.sql", 5)
        );
        assert_eq!(
            located(app("invoices"), "policy tenant is open"),
            at("policies/invoices.sql", 3)
        );
        assert_eq!(
            located(app("invoices"), "tenants leak"),
            at("migrations/V1__t.sql", 1)
        );
        assert_eq!(located(app("totals"), "x"), at("migrations/V1__t.sql", 2));
        assert_eq!(located(app("lookup(text)"), "x"), at("migrations/V1__t.sql", 3));
        assert_eq!(
            located(Object::in_schema("other", "invoices"), "x"),
            at("migrations/V1__t.sql", 4)
        );
        assert_eq!(located(app("x"), "x"), None, "text in a literal is no statement");
        assert_eq!(located(Object::Database("d".to_owned()), "x"), None);
    }
}
