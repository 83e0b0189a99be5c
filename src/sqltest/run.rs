//! Runs a folder's tests in one transaction that is rolled back.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::case::{Case, Who};
use super::file::Folder;
use super::judge;
use crate::attack::Actors;
use crate::audit::Audit;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Config, Model};
use crate::sql::Literal;

/// The tests of a folder.
///
/// ```no_run
/// # async fn example(client: &mut tokio_postgres::Client) -> rls_tool::Result<()> {
/// use rls_tool::model::Config;
/// use rls_tool::sqltest::SqlTests;
///
/// let tests = SqlTests::read("tests/isolation".as_ref())?;
/// let run = tests.run(client, &Config { roles: vec!["app".to_owned()], ..Config::default() }).await?;
/// assert!(run.passed(), "{}", run.tap());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqlTests {
    folder: Folder,
    tenants: Option<[String; 2]>,
}

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestResult {
    /// The file.
    pub file: String,
    /// The line at which the test starts.
    pub line: usize,
    /// What it shows.
    pub name: String,
    /// How it differs from what was expected; `None`: it passed.
    pub failure: Option<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What came of all tests, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestRun {
    /// The role that was tested.
    pub role: String,
    /// The tests.
    pub tests: Vec<TestResult>,
}

impl TestRun {
    /// Whether every test passed.
    pub fn passed(&self) -> bool {
        self.tests.iter().all(|test| test.failure.is_none())
    }
}

impl SqlTests {
    /// Reads the `.sql` files of a folder, or one file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] for what cannot be read, [`ErrorKind::Input`] with file and line for what is no test, or one
    /// that cannot fail; a folder without a test.
    pub fn read(folder: &Path) -> Result<Self> {
        Ok(Self {
            folder: Folder::read(folder)?,
            tenants: None,
        })
    }

    /// These values stand for A and B, and no rows are made. Default: two tenants with rows in every table.
    #[must_use]
    pub fn tenants(mut self, a: impl Into<String>, b: impl Into<String>) -> Self {
        self.tenants = Some([a.into(), b.into()]);
        self
    }

    /// Runs the tests as the configured role (or the one that is detected). Everything is rolled back.
    ///
    /// # Errors
    ///
    /// Connection, and a connection that cannot become the role or make rows; a role that row security does not hold.
    /// What a test gets is no error but its result.
    pub async fn run(&self, client: &mut Client, config: &Config) -> Result<TestRun> {
        let catalog = Audit::new().config(config.clone()).read_catalog(client).await?;
        let model = Model::build(&catalog, config)?;
        let role = match model.roles.as_slice() {
            [role] => role,
            roles => {
                let list: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
                return Err(Error::input(format!(
                    "tests run as one role, and there are {}: {}",
                    list.len(),
                    list.join(", ")
                ))
                .with_help("name it with --role, or as roles = [\"app\"] in rls.toml"));
            }
        };
        if let Some(attributes) = catalog.roles.get(role.oid)
            && (attributes.superuser || attributes.bypass_rls)
        {
            return Err(Error::new(
                ErrorKind::UnsafeRole,
                format!(
                    "row security does not hold {}: tests with it show nothing",
                    role.name
                ),
            )
            .with_help("name the role that the application logs in as"));
        }
        let actors = Actors::open(client, &catalog, &model, role.oid, self.tenants.clone()).await?;
        let results = self.run_as(&actors).await;
        // Also after an error, and then the error is what matters.
        let closed = actors.close().await;
        let tests = results?;
        closed?;
        Ok(TestRun {
            role: role.name.clone(),
            tests,
        })
    }

    async fn run_as(&self, actors: &Actors<'_>) -> Result<Vec<TestResult>> {
        if let Some(setup) = &self.folder.setup {
            let sql = filled_in(&setup.sql, actors)?;
            actors.set_up(&setup.label, &sql).await?;
        }
        let mut results = Vec::new();
        for case in &self.folder.cases {
            let start = Instant::now();
            let tenant = match &case.who {
                Who::A => Some(actors.tenants[0].as_str()),
                Who::B => Some(actors.tenants[1].as_str()),
                Who::Value(value) => Some(value.as_str()),
                Who::Nobody => None,
            };
            let statements = case
                .statements
                .iter()
                .map(|statement| filled_in(statement, actors))
                .collect::<Result<Vec<_>>>()?;
            let failure = match actors.act(tenant, statements).await? {
                Ok(replies) => judge::difference(&case.expected, &replies),
                Err(reason) => Some(format!("it could not be run: {reason}")),
            };
            results.push(result(case, failure, start.elapsed()));
        }
        Ok(results)
    }
}

fn result(case: &Case, failure: Option<String>, elapsed: Duration) -> TestResult {
    TestResult {
        file: case.file.clone(),
        line: case.line,
        name: case.name.clone(),
        failure,
        elapsed,
    }
}

/// The tenants' values in place of `:'A'` and `:'B'`, as psql writes its variables.
fn filled_in(sql: &str, actors: &Actors<'_>) -> Result<String> {
    let mut text = sql.to_owned();
    for (name, value) in [":'A'", ":'B'"].iter().zip(&actors.tenants) {
        text = text.replace(name, &Literal::new(value)?.to_string());
    }
    Ok(text)
}
