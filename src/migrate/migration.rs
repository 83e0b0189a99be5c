//! A migration file: `V<version>__<name>.sql`, what may stand in it, and its identity in Refinery's history.

use refinery_core::{Migration, SchemaVersion};

use crate::error::{Error, Result};
use crate::migrate::file::SqlFile;
use crate::migrate::lexer::{self, Statement, Token};

/// The mark of a file that runs outside a transaction.
pub(crate) const NO_TRANSACTION: &str = "no-transaction";
/// The mark of a file whose author knows that row security filters what it changes.
pub(crate) const RLS_AWARE: &str = "rls-aware";

/// A migration as its file says it.
#[derive(Debug, Clone)]
pub(crate) struct MigrationFile {
    pub(crate) file: SqlFile,
    pub(crate) version: SchemaVersion,
    pub(crate) name: String,
    /// To be run statement by statement outside a transaction.
    pub(crate) no_transaction: bool,
    /// Zero rows changed under row security are no mistake here.
    pub(crate) rls_aware: bool,
}

impl MigrationFile {
    /// Understands the file's name and marks, and refuses what could not be run as one unit.
    pub(crate) fn new(file: SqlFile) -> Result<Self> {
        let (version, name) = parse_stem(&file)?;
        let marks = file.marks(&[NO_TRANSACTION, RLS_AWARE])?;
        let has = |mark| marks.iter().any(|(word, _)| *word == mark);
        let (no_transaction, rls_aware) = (has(NO_TRANSACTION), has(RLS_AWARE));
        let statements = lexer::statements(&file.sql);
        refuse_what_cannot_run(&file, &statements)?;
        if no_transaction && statements.is_empty() {
            return Err(Error::input(format!(
                "{}: the file holds no statement",
                file.label
            )));
        }
        Ok(Self {
            file,
            version,
            name,
            no_transaction,
            rls_aware,
        })
    }

    /// `V3__add_orders`, as Refinery prints it.
    pub(crate) fn title(&self) -> String {
        format!("V{}__{}", self.version, self.name)
    }

    /// The migration for Refinery, whose checksum covers version, name and text.
    pub(crate) fn refinery(&self) -> Result<Migration> {
        self.refinery_with(&self.file.sql)
    }

    /// As [`refinery`](Self::refinery), for a history that says it was applied with `checksum`: a history that
    /// Refinery wrote on Windows may hold the checksum of the same text with CRLF line endings.
    pub(crate) fn refinery_matching(&self, checksum: u64) -> Result<Migration> {
        let plain = self.refinery()?;
        if plain.checksum() != checksum {
            let windows = self.refinery_with(&self.file.sql.replace('\n', "\r\n"))?;
            if windows.checksum() == checksum {
                return Ok(windows);
            }
        }
        Ok(plain)
    }

    fn refinery_with(&self, sql: &str) -> Result<Migration> {
        Migration::unapplied(&self.title(), sql)
            .map_err(|cause| Error::input(format!("{}: {cause}", self.file.label)))
    }
}

/// Version and name. Refinery itself skips a file with another name without an error.
fn parse_stem(file: &SqlFile) -> Result<(SchemaVersion, String)> {
    let label = &file.label;
    let form =
        "migrations are named V<number>__<name>.sql, the name of letters, digits and _: V7__add_orders.sql";
    let misnamed = |reason: &str| Error::input(format!("{label}: {reason}")).with_help(form);
    if let Some(rest) = file.stem.strip_prefix('U')
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(misnamed("unversioned (U) migrations are not supported"));
    }
    let Some((digits, name)) = file.stem.strip_prefix('V').and_then(|rest| rest.split_once("__")) else {
        return Err(misnamed("the file name is not that of a migration"));
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(misnamed(&format!("the version {digits:?} is not a whole number")));
    }
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(misnamed(&format!(
            "the name {name:?} is not of letters, digits and _"
        )));
    }
    if name.chars().count() > 255 {
        return Err(misnamed("the name is longer than 255 characters"));
    }
    let version = digits.parse::<SchemaVersion>().map_err(|_| {
        Error::input(format!(
            "{label}: the version {digits} is too large, the largest is {}",
            SchemaVersion::MAX
        ))
        .with_help("Refinery's history counts in 32 bits: use 1, 2, 3, … or a date such as 20260131, not a timestamp")
    })?;
    Ok((version, name.to_owned()))
}

/// Refuses what would end the run's transaction half-way, and what only psql understands.
///
/// The server is asked again after each file (its transaction id must be the same); this check is here so that
/// nothing has been committed by then.
pub(crate) fn refuse_what_cannot_run(file: &SqlFile, statements: &[Statement<'_>]) -> Result<()> {
    for statement in statements {
        let place = format!("{}, line {}", file.label, statement.line);
        if let Some(command) = ends_transaction(statement) {
            return Err(Error::input(format!(
                "{place}: {command} would end the run's transaction half-way"
            ))
            .with_help("leave BEGIN, COMMIT and ROLLBACK out: a whole run is one transaction already"));
        }
        if statement.tokens.contains(&Token::Symbol('\\')) {
            return Err(
                Error::input(format!("{place}: a backslash command is psql's, not SQL"))
                    .with_help("put the SQL itself into the file"),
            );
        }
        if statement.starts_with(&["copy"])
            && statement.tokens.iter().any(|t| t.is("stdin") || t.is("stdout"))
        {
            return Err(
                Error::input(format!("{place}: COPY from or to the client needs psql"))
                    .with_help("use INSERT … VALUES, or dump with pg_dump --inserts"),
            );
        }
    }
    Ok(())
}

/// The command, if the statement starts or ends a transaction. Savepoints are welcome.
fn ends_transaction(statement: &Statement<'_>) -> Option<String> {
    let alone = ["begin", "commit", "end", "abort"];
    if let Some(word) = alone.iter().find(|word| statement.starts_with(&[**word])) {
        return Some(word.to_uppercase());
    }
    if statement.starts_with(&["rollback"]) {
        let to_savepoint = statement.tokens.iter().any(|token| token.is("to"));
        return (!to_savepoint).then(|| "ROLLBACK".to_owned());
    }
    let pairs = [["start", "transaction"], ["prepare", "transaction"]];
    pairs
        .iter()
        .find(|pair| statement.starts_with(*pair))
        .map(|pair| pair.join(" ").to_uppercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(name: &str, sql: &str) -> Result<MigrationFile> {
        MigrationFile::new(SqlFile::new(format!("migrations/{name}"), sql)?)
    }

    #[test]
    fn a_misnamed_file_is_an_error_that_says_why() {
        for (name, reason) in [
            ("1__a.sql", "not that of a migration"),
            ("v1__a.sql", "not that of a migration"),
            ("V1_a.sql", "not that of a migration"),
            ("V__a.sql", "not a whole number"),
            ("V1.5__a.sql", "not a whole number"),
            ("V-1__a.sql", "not a whole number"),
            ("V1__.sql", "letters, digits"),
            ("V1__a-b.sql", "letters, digits"),
            ("V1__a b.sql", "letters, digits"),
            ("U2__late.sql", "unversioned"),
            ("R__views.sql", "not that of a migration"),
            ("V99999999999__a.sql", "too large"),
            ("V20260131120000__a.sql", "too large"),
        ] {
            let error = parse(name, "select 1").unwrap_err();
            assert!(
                error.chain().contains(reason) && error.chain().contains(name),
                "{}",
                error.chain()
            );
            assert!(error.help().is_some());
        }
        let good = parse("V007__größe_2.sql", "select 1").unwrap();
        assert_eq!((good.version, good.title().as_str()), (7, "V7__größe_2"));
    }

    #[test]
    fn a_file_that_would_end_the_transaction_is_refused_with_its_line() {
        for sql in [
            "begin; select 1; commit",
            "select 1;\ncommit",
            "select 1;\nend work",
            "select 1;\nROLLBACK",
            "select 1;\nabort",
            "select 1;\nstart transaction",
            "select 1;\nprepare transaction 'x'",
            "select 1;\ncommit prepared 'x'",
            "select 1;\nrollback and chain",
        ] {
            let error = parse("V1__a.sql", sql).unwrap_err();
            assert!(
                error.chain().contains("transaction half-way"),
                "{}",
                error.chain()
            );
        }
        for sql in [
            "savepoint a; select 1; rollback to a; release a",
            "select 1;\nrollback work to savepoint a",
            "do $$ begin null; end $$",
            "create function f() returns int language sql begin atomic select 1; end",
            "-- commit;\nselect 'commit;'",
            "comment on table t is 'begin; end'",
        ] {
            parse("V1__a.sql", sql).unwrap();
        }
    }

    #[test]
    fn what_only_psql_understands_is_refused() {
        assert!(parse("V1__a.sql", "\\restrict abc\nselect 1;").is_err());
        assert!(parse("V1__a.sql", "copy t from stdin;\n1\n\\.\n").is_err());
        assert!(parse("V1__a.sql", "select E'\\\\'").is_ok());
        assert!(parse("V1__a.sql", "copy t from '/tmp/stdin'").is_ok());
    }

    #[test]
    fn the_checksum_is_refinerys_own_and_windows_history_still_fits() {
        let file = parse("V1__a.sql", "select 1;\nselect 2;\n").unwrap();
        let unix = Migration::unapplied("V1__a", "select 1;\nselect 2;\n").unwrap();
        let windows = Migration::unapplied("V1__a", "select 1;\r\nselect 2;\r\n").unwrap();
        assert_eq!(file.refinery().unwrap(), unix);
        assert_eq!(file.refinery_matching(windows.checksum()).unwrap(), windows);
        assert_eq!(file.refinery_matching(1).unwrap(), unix);
    }

    proptest! {
        #[test]
        fn whatever_name_is_accepted_refinery_accepts(stem in "[VU]?[0-9]{0,12}_{0,3}[a-zé_ .-]{0,6}") {
            if let Ok(file) = parse(&format!("{stem}.sql"), "select 1") {
                prop_assert_eq!(file.refinery().unwrap().to_string(), file.title());
            }
        }
    }
}
