//! `rls-tool test`: isolation tests in plain SQL.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use rls_tool::sqltest::SqlTests;

use crate::database::Database;
use crate::exit::Outcome;
use crate::output;
use crate::scope::Scope;

/// Run isolation tests written in plain SQL: who runs a statement, and what must come of it.
///
/// Two tenants, A and B, get rows in every table. Everything happens in one transaction that is rolled back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool test --role my_app                                          the folder tests/isolation
  rls-tool test sql/isolation --format junit --output isolation.xml    for a CI server
  rls-tool test --tenant-a 1 --tenant-b 2                              with tenants that are there

A test file:

  -- test: a tenant sees only its own invoices
  -- as: A
  -- expect: no rows
  SELECT * FROM invoices WHERE tenant_id <> :'A';

  -- test: nobody writes for somebody else
  -- as: A
  -- expect: error 42501
  INSERT INTO invoices (tenant_id, total) VALUES (:'B', 1);

as: A, B, nobody, or 'any value'.  expect: no rows, 3 rows, at least 1 row, 0 affected, error 42501,
rows (one a line below, as `--   value | value`), rows in order.  setup.sql runs first, as the connection's own role.

Exit status: 0 every test passed; 1 a test failed; 2 the tests could not be run.")]
pub(crate) struct Test {
    /// The folder of the *.sql files, or one file.
    #[arg(default_value = "tests/isolation")]
    folder: PathBuf,

    #[command(flatten)]
    database: Database,

    #[command(flatten)]
    scope: Scope,

    /// A tenant that is there, to stand for A; no rows are made then.
    #[arg(long, value_name = "VALUE", requires = "tenant_b", help_heading = "Tests")]
    tenant_a: Option<String>,

    /// And one to stand for B.
    #[arg(long, value_name = "VALUE", requires = "tenant_a")]
    tenant_b: Option<String>,

    /// How results are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write the results to a file instead of stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// Test Anything Protocol.
    #[default]
    Tap,
    /// JUnit XML.
    Junit,
}

impl Test {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let config = self.scope.config()?;
        let mut tests = SqlTests::read(&self.folder)?;
        if let (Some(a), Some(b)) = (self.tenant_a, self.tenant_b) {
            tests = tests.tenants(a, b);
        }
        let mut client = self.database.connect().await?;
        let run = tests.run(&mut client, &config).await?;
        let text = match self.format {
            Format::Tap => run.tap(),
            Format::Junit => run.junit()?,
        };
        match &self.output {
            None => output::print(&text)?,
            Some(path) => {
                std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))?;
            }
        }
        Ok(if run.passed() {
            Outcome::Done
        } else {
            Outcome::FallsShort
        })
    }
}
