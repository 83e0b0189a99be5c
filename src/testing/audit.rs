//! The audit of a test's database.

use super::postgres::Postgres;
use crate::audit::{Audit, Report};
use crate::error::Result;
use crate::model::Config;

/// An audit of this database, with attacks: as `rls-tool verify-isolation`.
pub fn audit(db: &Postgres) -> TestAudit<'_> {
    TestAudit {
        db,
        config: None,
        roles: Vec::new(),
    }
}

/// An audit of a test's database. Made by [`audit`].
#[derive(Debug, Clone)]
#[must_use = "an audit does nothing until `run`"]
pub struct TestAudit<'a> {
    db: &'a Postgres,
    config: Option<Config>,
    roles: Vec<String>,
}

impl TestAudit<'_> {
    /// Audits this role; may be given several times. Default: as declared for the database, else detected.
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.roles.push(name.into());
        self
    }

    /// Declarations of its own instead of the database's.
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Runs the audit, as superuser and on a connection on which no tenant was ever bound; everything is rolled back.
    ///
    /// # Errors
    ///
    /// As [`Audit::run`].
    pub async fn run(self) -> Result<Report> {
        let mut config = self.config.unwrap_or_else(|| self.db.config.clone());
        if !self.roles.is_empty() {
            config.roles = self.roles;
        }
        let mut client = self.db.superuser_options().connect().await?;
        Audit::new().config(config).run(&mut client).await
    }
}
