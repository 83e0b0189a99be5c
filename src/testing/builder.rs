//! What is said about a test's database before it is made.

use std::path::Path;

use super::postgres::Postgres;
use super::server;
use crate::error::Result;
use crate::model::Config;

/// Describes a test's database. Made by [`Postgres::builder`].
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    name: String,
    config: Option<Config>,
    roles: Vec<String>,
    tenant_column: Option<String>,
    tenant_setting: Option<String>,
    superuser_migrations: bool,
}

impl Builder {
    /// Becomes part of the database's name, so that the server's log can be read.
    pub fn name(mut self, hint: impl Into<String>) -> Self {
        self.name = hint.into();
        self
    }

    /// What cannot be seen in the schema, declared. Default: `rls.toml` in the package's folder, if there is one.
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// The role that the application logs in as; may be given several times. Default: as declared, else detected.
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.roles.push(name.into());
        self
    }

    /// The column that says whose row it is. Default: as declared, else `tenant_id`.
    pub fn tenant_column(mut self, name: impl Into<String>) -> Self {
        self.tenant_column = Some(name.into());
        self
    }

    /// The setting that says who is asking. Default: as declared, else found in the policies.
    pub fn tenant_setting(mut self, name: impl Into<String>) -> Self {
        self.tenant_setting = Some(name.into());
        self
    }

    /// Lets a superuser apply the migrations, for what only a superuser can do (an extension that is not trusted, a
    /// role with BYPASSRLS). Views and SECURITY DEFINER functions then belong to a superuser, which row security does
    /// not hold: give them to another role if production does not have it so.
    pub fn superuser_migrations(mut self, wanted: bool) -> Self {
        self.superuser_migrations = wanted;
        self
    }

    /// An empty database; the first call in a process starts the server.
    ///
    /// # Errors
    ///
    /// As [`server`](super::server()), and what `rls.toml` has wrong.
    pub async fn start(self) -> Result<Postgres> {
        let default = Path::new("rls.toml");
        let mut config = match self.config {
            Some(config) => config,
            None if default.exists() => Config::read(default)?,
            None => Config::default(),
        };
        if !self.roles.is_empty() {
            config.roles = self.roles;
        }
        config.tenant_column = self.tenant_column.or(config.tenant_column);
        config.tenant_setting = self.tenant_setting.or(config.tenant_setting);
        let server = server::server().await?;
        let owner = if self.superuser_migrations {
            server.admin.config().get_user().unwrap_or_default().to_owned()
        } else {
            server.owner.clone()
        };
        Ok(Postgres::create(server, &self.name, owner, config))
    }
}
