//! A test's database: made from a template, filled by migrations, dropped at the end.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex as Blocking, MutexGuard, PoisonError};

use tokio::sync::Mutex;
use tokio_postgres::Client;

use super::builder::Builder;
use super::names;
use super::server::Server;
use super::sql_files::SqlFiles;
use super::templates::Template;
use super::tenants::{self, Tenant};
use crate::audit::Audit;
use crate::catalog::Catalog;
use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::migrate::{Migrator, Source};
use crate::model::{Config, Model};
use crate::sql::Ident;

/// A database of one test, on the server that all tests of this process share. Dropped with the value, also when the test
/// panics; the server's log about it is then printed.
pub struct Postgres {
    pub(super) server: &'static Server,
    name: String,
    owner: String,
    pub(super) config: Config,
    place: Blocking<Place>,
    /// Whoever migrates or makes the tenants holds it.
    tenants: Mutex<Option<[Tenant; 2]>>,
}

/// The database is created when somebody is about to connect, so that of several layers of migrations only the last
/// template is copied.
#[derive(Debug, Default)]
struct Place {
    template: Option<Template>,
    made: bool,
}

impl Postgres {
    /// An empty database; the first call in a process starts the server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Server`] where no server can be had, saying what was tried and how to get one.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// An empty database about which something is to be said.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn create(server: &'static Server, hint: &str, owner: String, config: Config) -> Self {
        Self {
            server,
            name: server.next_name(hint),
            owner,
            config,
            place: Blocking::default(),
            tenants: Mutex::default(),
        }
    }

    /// Applies migrations (`V<n>__<name>.sql`) and then policies, as `rls-tool migrate` does. Folders are relative to
    /// the package's. The first test that asks for these files applies them; for every other one that is copied.
    ///
    /// # Errors
    ///
    /// As [`Migrator::new`] and [`Migrator::run`].
    pub async fn migrate(&self, migrations: impl Into<PathBuf>, policies: impl Into<PathBuf>) -> Result<()> {
        let (migrations, policies) = (migrations.into(), policies.into());
        let content = [
            SqlFiles::read(&migrations)?.digest(),
            SqlFiles::read(&policies)?.digest(),
        ];
        let source = Source::Folders {
            migrations: Some(migrations),
            policies: Some(policies),
        };
        self.apply(
            &["migrate", &content[0], &content[1]],
            migration(Migrator::new(source)?),
        )
        .await
    }

    /// Applies the reference schema that is built into this library.
    ///
    /// # Errors
    ///
    /// As [`migrate`](Self::migrate).
    pub async fn migrate_reference(&self) -> Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        // Of another checkout of this library: another schema under the same version.
        let nonce = self.server.nonce();
        self.apply(&["reference", version, &nonce], migration(Migrator::reference()?))
            .await
    }

    /// Applies plain SQL files of any other tool: a file, or all `.sql` files of a folder in order (`2_b` before
    /// `10_a`), without those that undo a migration (`….down.sql`). The first test that asks for them applies them; for
    /// every other one that is copied.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] for what cannot be read, and PostgreSQL's with file and line.
    pub async fn sql_files(&self, path: impl AsRef<Path>) -> Result<()> {
        let files = SqlFiles::read(path.as_ref())?;
        let digest = files.digest();
        self.apply(&["sql", &digest], async |client: &mut Client| {
            files.run(client).await
        })
        .await
    }

    /// Applies what the closure does, as the database's owner: another tool's migrator, say. `name` stands for what it
    /// does: the first test of this process that passes the name runs its closure, for every other one that is copied.
    ///
    /// # Errors
    ///
    /// What the closure returns.
    pub async fn migrate_with<E>(
        &self,
        name: &str,
        apply: impl AsyncFnOnce(&mut Client) -> std::result::Result<(), E>,
    ) -> Result<()>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let nonce = self.server.nonce();
        self.apply(&["closure", name, &nonce], async |client: &mut Client| {
            apply(client).await.map_err(|cause| {
                Error::new(ErrorKind::Migration, format!("failed to migrate with {name}")).caused_by(cause)
            })
        })
        .await
    }

    /// Does it to a template and copies that; or to the database itself where it is no copy any more.
    async fn apply(&self, content: &[&str], how: impl AsyncFnOnce(&mut Client) -> Result<()>) -> Result<()> {
        let _turn = self.tenants.lock().await;
        let base = {
            let place = self.place();
            if place.made {
                None
            } else {
                Some(place.template.clone())
            }
        };
        let Some(base) = base else {
            let mut client = self.owner_options().connect().await?;
            return how(&mut client).await.map_err(about_roles);
        };
        let (base_content, base) = match &base {
            Some(template) => (template.content.as_str(), Some(template.name.as_str())),
            None => ("", None),
        };
        let pieces: Vec<&str> = [base_content, self.owner.as_str()]
            .into_iter()
            .chain(content.iter().copied())
            .collect();
        let content = names::digest(&pieces);
        let template = self
            .server
            .templates
            .get(self.server, &self.owner, base, &content, how)
            .await
            .map_err(about_roles)?;
        self.place().template = Some(template);
        Ok(())
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates the database unless it is there. Blocks, for as long as PostgreSQL copies files.
    pub(super) fn make(&self) -> Result<()> {
        let mut place = self.place();
        if place.made {
            return Ok(());
        }
        let (name, owner) = (Ident::new(&self.name)?, Ident::new(&self.owner)?);
        let template = place.template.as_ref();
        let from = Ident::new(template.map_or(names::EMPTY, |template| template.name.as_str()))?;
        let step = "create a test's database";
        let keeper = &self.server.keeper;
        keeper.run_blocking(step, &names::create_database(&name, &owner, &from))?;
        for sql in template
            .into_iter()
            .flat_map(|template| template.properties_of(&name))
        {
            keeper.run_blocking(step, &sql)?;
        }
        place.made = true;
        Ok(())
    }

    /// Two tenants with rows in every tenant-scoped table, made to fit the schema's constraints and committed. Further
    /// calls give the same two.
    ///
    /// # Errors
    ///
    /// Where a table could not be filled, with the reason; [`ErrorKind::Input`] where there is no tenant-scoped table.
    pub async fn tenants(&self) -> Result<[Tenant; 2]> {
        let mut known = self.tenants.lock().await;
        if let Some(tenants) = &*known {
            return Ok(tenants.clone());
        }
        let made = tenants::make(self).await?;
        *known = Some(made.clone());
        Ok(made)
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's log about this database: the statements that failed, with their errors. Empty where the server is
    /// not ours.
    pub fn log(&self) -> String {
        self.server.log_of(&self.name)
    }

    pub(super) fn owner_options(&self) -> ConnectOptions {
        self.server.options_as(&self.owner).with_database(&self.name)
    }

    /// The catalog, and what it means for `roles`, or for those that are declared.
    pub(super) async fn model(&self, roles: &[&str]) -> Result<(Catalog, Model)> {
        let config = self.config_for(roles);
        let mut client = self.superuser_options().connect().await?;
        let catalog = Audit::new()
            .config(config.clone())
            .read_catalog(&mut client)
            .await?;
        let model = Model::build(&catalog, &config)?;
        Ok((catalog, model))
    }

    pub(super) fn config_for(&self, roles: &[&str]) -> Config {
        let mut config = self.config.clone();
        if !roles.is_empty() {
            config.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        }
        config
    }
}

/// What runs a migrator.
fn migration(migrator: Migrator) -> impl AsyncFnOnce(&mut Client) -> Result<()> {
    async move |client: &mut Client| migrator.run(client).await.map(drop)
}

/// Roles outlive databases: a migration that creates one fails the second time.
fn about_roles(error: Error) -> Error {
    let again = error.sql_state() == Some(&tokio_postgres::error::SqlState::DUPLICATE_OBJECT);
    if again && error.chain().contains("role") {
        return error.with_help(
            "roles belong to the whole server, which other tests use too: make it with db.create_role(…) before the \
             migrations, or let the migration look into pg_roles first",
        );
    }
    error
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("name", &self.name)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl Drop for Postgres {
    #[expect(
        clippy::print_stderr,
        reason = "a failing test shows what it printed; nothing else captures by test"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            if !log.is_empty() {
                eprintln!("the server's log about database {}:\n{log}", self.name);
            }
        }
        let made = self.place().made;
        if let (true, Ok(name)) = (made, Ident::new(&self.name)) {
            // Best effort: a left-over database is no reason to fail.
            drop(
                self.server
                    .keeper
                    .run_blocking("drop a test's database", &names::drop_database(&name)),
            );
        }
    }
}
