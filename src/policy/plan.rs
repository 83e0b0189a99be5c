//! Compares policy files, their history and the live tables: what is new, changed, drifted, gone.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::migrate::{AppliedPolicy, Token, statements};
use crate::policy::drift::{Drift, drift};
use crate::policy::file::PolicyFile;
use crate::policy::live::Live;
use crate::sql::QualifiedName;

/// One policies file and how it stands.
#[derive(Debug)]
pub(crate) struct PolicyEntry<'a> {
    pub(crate) file: &'a PolicyFile,
    /// The live table; none where it does not exist (yet).
    pub(crate) table: Option<QualifiedName>,
    /// The latest version in the history.
    pub(crate) applied: Option<&'a AppliedPolicy>,
    /// Applied, and changed since.
    pub(crate) changed: bool,
    /// Applied, and the database is no longer what came of it.
    pub(crate) drift: Vec<Drift>,
}

impl PolicyEntry<'_> {
    /// Whether the file has to be run.
    pub(crate) fn is_pending(&self) -> bool {
        self.applied.is_none() || self.changed || !self.drift.is_empty()
    }
}

/// How all policy files stand.
#[derive(Debug)]
pub(crate) struct PolicyPlan<'a> {
    /// One a file, by name.
    pub(crate) entries: Vec<PolicyEntry<'a>>,
    /// In the history, with policies still in force, and no file says them any more.
    pub(crate) orphans: Vec<&'a AppliedPolicy>,
    /// Tables with policies that no file says and the history does not know.
    pub(crate) undeclared: Vec<QualifiedName>,
}

/// Compares.
///
/// # Errors
///
/// A file whose table cannot be told, and two files for one table.
pub(crate) fn plan<'a>(
    files: &'a [PolicyFile],
    history: &'a [AppliedPolicy],
    live: &Live,
) -> Result<PolicyPlan<'a>> {
    let latest: BTreeMap<&str, &AppliedPolicy> = history
        .iter()
        .map(|applied| (applied.row.name.as_str(), applied))
        .collect();
    let mut entries = Vec::new();
    let mut owners: BTreeMap<QualifiedName, &PolicyFile> = BTreeMap::new();
    for file in files {
        let applied = latest.get(file.name()).copied();
        let table = table_of(file, applied, live)?;
        if let Some(table) = &table
            && let Some(other) = owners.insert(table.clone(), file)
        {
            return Err(Error::input(format!(
                "{} and {} are both for table {}",
                other.label(),
                file.label(),
                table.plain()
            ))
            .with_help("there is one policies file a table"));
        }
        entries.push(PolicyEntry {
            changed: match applied {
                Some(applied) => applied.differs_from(file)?,
                None => false,
            },
            drift: applied.map(|applied| drift_of(applied, live)).unwrap_or_default(),
            file,
            table,
            applied,
        });
    }
    let orphans: Vec<_> = latest
        .values()
        .filter(|applied| !files.iter().any(|file| file.name() == applied.row.name))
        .filter(|applied| {
            let in_force = |table| {
                !owners.contains_key(table)
                    && live.tables.get(table).is_some_and(|live| !live.state.is_bare())
            };
            applied.tables().any(in_force)
        })
        .copied()
        .collect();
    let known = |table: &QualifiedName| {
        owners.contains_key(table)
            || latest
                .values()
                .any(|applied| applied.tables().any(|other| other == table))
    };
    let undeclared = live
        .tables
        .iter()
        .filter(|(table, live)| !live.state.policies.is_empty() && !known(table))
        .map(|(table, _)| table.clone())
        .collect();
    Ok(PolicyPlan {
        entries,
        orphans,
        undeclared,
    })
}

/// The drift of every table that the file made something of and that still exists.
fn drift_of(applied: &AppliedPolicy, live: &Live) -> Vec<Drift> {
    let states = applied.states.iter().flatten();
    states
        .filter_map(|wanted| Some(drift(wanted, &live.tables.get(&wanted.table)?.state)))
        .flatten()
        .collect()
}

/// The table that the file is for.
fn table_of(
    file: &PolicyFile,
    applied: Option<&AppliedPolicy>,
    live: &Live,
) -> Result<Option<QualifiedName>> {
    let (schema, name) = match file.marked_table() {
        None => (None, file.name().to_owned()),
        Some(text) => parse_table(text).ok_or_else(|| {
            Error::input(format!("{}: {text:?} in the mark is no table name", file.label())).with_help(
                "the form is -- rls-tool: table schema.name, with double quotes where SQL needs them",
            )
        })?,
    };
    let mut found = live.called(&name);
    found.retain(|table| {
        schema
            .as_ref()
            .is_none_or(|schema| table.schema.as_str() == schema)
    });
    if found.len() > 1 {
        // Several schemas have such a table: the history knows which one, else the file's own text may say it.
        let known: Vec<_> = found
            .iter()
            .filter(|table| applied.is_some_and(|applied| applied.tables().any(|other| other == **table)))
            .copied()
            .collect();
        let named: Vec<_> = found.iter().filter(|table| names(file, table)).copied().collect();
        for narrowed in [known, named] {
            if let [table] = narrowed.as_slice() {
                return Ok(Some((*table).clone()));
            }
        }
        let list: Vec<_> = found.iter().map(|table| table.plain()).collect();
        return Err(Error::input(format!(
            "{}: several tables are called {name:?}: {}",
            file.label(),
            list.join(", ")
        ))
        .with_help(format!(
            "say which in the file's first line: -- rls-tool: table {}",
            list[0]
        )));
    }
    Ok(found.first().map(|table| (*table).clone()))
}

/// `schema.name` or `name`, as SQL reads it.
fn parse_table(text: &str) -> Option<(Option<String>, String)> {
    let statements = statements(text);
    let [statement] = statements.as_slice() else {
        return None;
    };
    match statement.tokens.as_slice() {
        [name] => Some((None, name.name()?)),
        [schema, Token::Symbol('.'), name] => Some((Some(schema.name()?), name.name()?)),
        _ => None,
    }
}

/// Whether the file's text says the table with its schema.
fn names(file: &PolicyFile, table: &QualifiedName) -> bool {
    statements(&file.file().sql).iter().any(|statement| {
        statement.tokens.windows(3).any(|window| {
            let is = |token: &Token<'_>, name: &str| token.name().is_some_and(|other| other == name);
            is(&window[0], table.schema.as_str())
                && window[1] == Token::Symbol('.')
                && is(&window[2], table.name.as_str())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_read_as_sql_reads_a_name() {
        assert_eq!(
            parse_table("App.Orders"),
            Some((Some("app".to_owned()), "orders".to_owned()))
        );
        assert_eq!(
            parse_table("\"a b\".\"C\""),
            Some((Some("a b".to_owned()), "C".to_owned()))
        );
        assert_eq!(parse_table("orders"), Some((None, "orders".to_owned())));
        for text in ["", "a.b.c", "a b", "a; b", "'a'"] {
            assert_eq!(parse_table(text), None, "{text}");
        }
    }
}
