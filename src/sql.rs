//! The only place where SQL text is put together from pieces: identifiers and literals, quoted.
//!
//! Values travel as parameters wherever PostgreSQL takes one; this module is for the rest (names, `SET LOCAL`, DDL,
//! runnable scripts in reports). Quoting is `postgres-protocol`'s, which is what libpq's `PQescapeIdentifier` and
//! `PQescapeLiteral` do for UTF-8; what cannot be quoted at all (a NUL) is refused.

use std::fmt;

use postgres_protocol::escape;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An SQL identifier, always printed in double quotes.
///
/// Names keep their case and may hold any character but NUL, so `"tenantId"` and `"weird ""name"` work as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ident(String);

impl Ident {
    /// An identifier with exactly this name.
    ///
    /// # Errors
    ///
    /// The empty name, and a name with a NUL character: PostgreSQL has neither.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() {
            return Err(Error::input("an SQL identifier must not be empty"));
        }
        if name.contains('\0') {
            return Err(Error::input(format!(
                "the identifier {name:?} holds a NUL character"
            )));
        }
        Ok(Self(name))
    }

    /// The name without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape::escape_identifier(&self.0))
    }
}

impl TryFrom<String> for Ident {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::new(name)
    }
}

impl From<Ident> for String {
    fn from(ident: Ident) -> Self {
        ident.0
    }
}

/// A schema-qualified name, printed as `"schema"."name"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QualifiedName {
    /// The schema.
    pub schema: Ident,
    /// The object within it.
    pub name: Ident,
}

impl QualifiedName {
    /// The object `name` in `schema`.
    ///
    /// # Errors
    ///
    /// As [`Ident::new`].
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Result<Self> {
        Ok(Self {
            schema: Ident::new(schema)?,
            name: Ident::new(name)?,
        })
    }

    /// `schema.name` without quotes: for people and reports, never for SQL.
    pub fn plain(&self) -> String {
        format!("{}.{}", self.schema.as_str(), self.name.as_str())
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// A string literal, printed in single quotes, right whatever `standard_conforming_strings` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    /// A literal with exactly this value.
    ///
    /// # Errors
    ///
    /// A value with a NUL character: PostgreSQL's text cannot hold one.
    pub fn new(value: &'a str) -> Result<Self> {
        if value.contains('\0') {
            return Err(Error::input(
                "a text value holds a NUL character, which PostgreSQL cannot store",
            ));
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // escape_literal puts a space before E'…' so that it can follow a keyword; we place our own spaces.
        f.write_str(escape::escape_literal(self.0).trim_start())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_always_quoted() {
        assert_eq!(Ident::new("tenantId").unwrap().to_string(), "\"tenantId\"");
        assert_eq!(
            Ident::new("a\"; drop table x --").unwrap().to_string(),
            "\"a\"\"; drop table x --\""
        );
        assert_eq!(
            QualifiedName::new("public", "select").unwrap().to_string(),
            "\"public\".\"select\""
        );
        assert!(Ident::new("").is_err());
        assert!(Ident::new("a\0b").is_err());
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(Literal::new("it's").unwrap().to_string(), "'it''s'");
        assert_eq!(Literal::new(r"a\'b").unwrap().to_string(), r"E'a\\''b'");
        assert!(Literal::new("\0").is_err());
    }

    /// Reads back what PostgreSQL would read: doubled quotes are one, and nothing may end the token early.
    fn unquote(text: &str, quote: char) -> Option<String> {
        let mut chars = text.strip_prefix(quote)?.strip_suffix(quote)?.chars();
        let mut value = String::new();
        while let Some(c) = chars.next() {
            if c == quote && chars.next() != Some(quote) {
                return None;
            }
            value.push(c);
        }
        Some(value)
    }

    proptest! {
        #[test]
        fn any_identifier_reads_back(name in "[^\0]{1,40}") {
            let quoted = Ident::new(name.clone()).unwrap().to_string();
            prop_assert_eq!(unquote(&quoted, '"'), Some(name));
        }

        #[test]
        fn any_literal_reads_back(value in "[^\0]{0,40}") {
            let quoted = Literal::new(&value).unwrap().to_string();
            let plain = match quoted.strip_prefix('E') {
                Some(escaped) => unquote(escaped, '\'').map(|v| v.replace("\\\\", "\\")),
                None => unquote(&quoted, '\''),
            };
            prop_assert_eq!(plain, Some(value));
        }
    }
}
