//! A policy file: named after its table, free of anything that would end the run's transaction.

use refinery_core::{Migration, SchemaVersion};

use crate::error::{Error, Result};
use crate::migrate::{SqlFile, refuse_what_cannot_run, statements};

/// The mark that names the table where the file's name cannot.
const TABLE: &str = "table";

/// The wanted policies of one table.
#[derive(Debug, Clone)]
pub(crate) struct PolicyFile {
    file: SqlFile,
    table: Option<String>,
}

impl PolicyFile {
    pub(crate) fn new(file: SqlFile) -> Result<Self> {
        let stem = &file.stem;
        if stem.is_empty() || stem.len() > 200 || !stem.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(Error::input(format!(
                "{}: the name {stem:?} is not of letters, digits and _",
                file.label
            ))
            .with_help(
                "a policies file is named after its table: orders.sql; where that cannot be, any name and the first \
                 line -- rls-tool: table app.\"the name\"",
            ));
        }
        let table = match file.marks(&[TABLE])?.as_slice() {
            [] => None,
            [(_, "")] => return Err(Error::input(format!("{}: the mark names no table", file.label))),
            [(_, name)] => Some((*name).to_owned()),
            _ => {
                return Err(Error::input(format!(
                    "{}: the mark names more than one table",
                    file.label
                )));
            }
        };
        let statements = statements(&file.sql);
        if statements.is_empty() {
            return Err(
                Error::input(format!("{}: the file holds no statement", file.label)).with_help(
                    "a table that is to have no policies says so: alter table … disable row level security;",
                ),
            );
        }
        refuse_what_cannot_run(&file, &statements)?;
        Ok(Self { file, table })
    }

    /// The file's name without `.sql`: its name in the history.
    pub(crate) fn name(&self) -> &str {
        &self.file.stem
    }

    /// How messages name the file.
    pub(crate) fn label(&self) -> &str {
        &self.file.label
    }

    /// The table's name as SQL, where a mark gives it.
    pub(crate) fn marked_table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    pub(crate) fn file(&self) -> &SqlFile {
        &self.file
    }

    /// The file as the policies' migration number `version`.
    pub(crate) fn refinery(&self, version: SchemaVersion) -> Result<Migration> {
        Migration::unapplied(&format!("V{version}__{}", self.name()), &self.file.sql)
            .map_err(|cause| Error::input(format!("{}: {cause}", self.label())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, sql: &str) -> Result<PolicyFile> {
        PolicyFile::new(SqlFile::new(format!("policies/{name}"), sql)?)
    }

    #[test]
    fn a_file_is_named_after_its_table_or_marks_it() {
        assert_eq!(parse("orders.sql", "select 1").unwrap().name(), "orders");
        let marked = parse("o.sql", "-- rls-tool: table app.\"weird name\"\nselect 1").unwrap();
        assert_eq!(marked.marked_table(), Some("app.\"weird name\""));
        for name in ["app.orders.sql", "two words.sql", "a-b.sql"] {
            assert!(parse(name, "select 1").unwrap_err().help().is_some(), "{name}");
        }
    }

    #[test]
    fn a_file_without_statements_is_no_way_to_drop_policies() {
        assert!(parse("orders.sql", "-- nothing\n").is_err());
        assert!(parse("orders.sql", "commit;").is_err());
    }
}
