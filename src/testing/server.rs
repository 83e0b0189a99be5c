//! The server that the tests of one process share: a throwaway one, or the one that `RLS_TEST_DATABASE_URL` names.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use rand::TryRng;
use rand::rngs::SysRng;
use tokio::sync::OnceCell;
use tokio_postgres::Client;

use super::keeper::Keeper;
use super::names::{self, Process};
use super::templates::Templates;
use crate::connect::ConnectOptions;
use crate::ephemeral::{self, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Ident, Literal};

/// Names a server that is there already.
const URL_VARIABLE: &str = "RLS_TEST_DATABASE_URL";
/// Asks for a major version.
const VERSION_VARIABLE: &str = "RLS_TEST_PG_VERSION";
/// Says where a throwaway server comes from: `installed`, `docker` or `fetched`.
const SOURCE_VARIABLE: &str = "RLS_TEST_SERVER";

/// This test process's server. A throwaway server's data is deleted when the process ends, however it ends.
#[derive(Debug)]
pub struct Server {
    pub(super) admin: ConnectOptions,
    pub(super) superuser: bool,
    version: u32,
    throwaway: Option<ephemeral::Server>,
    /// The role that owns test databases.
    pub(super) owner: String,
    pub(super) keeper: Keeper,
    pub(super) templates: Templates,
    process: Process,
    count: AtomicU32,
    /// Passwords on a server that is not ours are made of this; a throwaway server trusts everybody.
    secret: Option<String>,
}

/// The server; the first call starts it.
///
/// # Errors
///
/// [`ErrorKind::Server`] where none can be had, saying what was tried and how to get one; whatever the server of
/// `RLS_TEST_DATABASE_URL` says.
pub async fn server() -> Result<&'static Server> {
    // Nothing in `Server` belongs to a Tokio runtime, so it outlives the runtime of the test that started it.
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_try_init(Server::start).await
}

impl Server {
    async fn start() -> Result<Self> {
        let version = wanted_version()?;
        let server = match std::env::var(URL_VARIABLE) {
            Ok(url) if !url.is_empty() => Self::existing(&url, version).await?,
            _ => Self::throwaway(version).await?,
        };
        server.clean_up().await?;
        Ok(server)
    }

    async fn throwaway(version: Option<u32>) -> Result<Self> {
        let server = ephemeral::Server::builder()
            .version(version)
            .source(wanted_source()?)
            // Tells the lines of one database from the others'.
            .config("log_line_prefix", "%m %q%u@%d ")
            .start()
            .await?;
        let mut new = Self::over(server.options(), None).await?;
        new.throwaway = Some(server);
        Ok(new)
    }

    async fn existing(url: &str, version: Option<u32>) -> Result<Self> {
        let named = |error: Error| {
            Error::new(
                error.kind(),
                format!("the server that {URL_VARIABLE} names cannot be used"),
            )
            .with_help(error.help().map_or_else(
                || {
                    format!(
                        "{URL_VARIABLE} names a PostgreSQL server for tests and a role there that is a superuser, or \
                         has CREATEDB and CREATEROLE; unset it to have a throwaway server started"
                    )
                },
                str::to_owned,
            ))
            .caused_by(error)
        };
        let options = ConnectOptions::resolve(Some(url)).map_err(named)?;
        let secret = names::digest(&["rls-tool testing", url]);
        let server = Self::over(options, Some(secret)).await.map_err(named)?;
        match version {
            Some(wanted) if wanted != server.version => Err(Error::new(
                ErrorKind::Server,
                format!(
                    "{URL_VARIABLE} names a server of version {}, {VERSION_VARIABLE} wants {wanted}",
                    server.version
                ),
            )
            .with_help("unset one of the two")),
            _ => Ok(server),
        }
    }

    async fn over(admin: ConnectOptions, secret: Option<String>) -> Result<Self> {
        let client = admin.connect().await?;
        let sql = "SELECT rolname::text, rolsuper, current_setting('server_version_num')::integer / 10000 \
                   FROM pg_catalog.pg_roles WHERE rolname = current_user";
        let failed = |cause| Error::postgres("find out about the test server", cause);
        let row = client.query_typed_one(sql, &[]).await.map_err(failed)?;
        let (user, superuser): (String, bool) =
            (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        let version: i32 = row.try_get(2).map_err(failed)?;
        let place = admin.config().get_dbname().unwrap_or_default().to_owned();
        let mut number = [0; 4];
        SysRng.try_fill_bytes(&mut number).map_err(|cause| {
            Error::new(ErrorKind::Internal, "no random number was to be had").caused_by(cause)
        })?;
        let process = Process::new(&place, u32::from_le_bytes(number));
        let greeting = secret.is_some().then(|| process.greeting());
        let server = Self {
            keeper: Keeper::start(admin.clone(), greeting)?,
            admin,
            superuser,
            version: u32::try_from(version).unwrap_or_default(),
            throwaway: None,
            owner: if superuser { names::OWNER.to_owned() } else { user },
            templates: Templates::default(),
            process,
            count: AtomicU32::new(1),
            secret,
        };
        if superuser {
            server.make_owner(&client).await?;
        }
        Ok(server)
    }

    /// The owner may create roles, as a migrator must, but is no superuser.
    async fn make_owner(&self, client: &Client) -> Result<()> {
        super::roles::create(self, client, names::OWNER, " CREATEROLE").await
    }

    /// Drops what processes that were killed left behind.
    async fn clean_up(&self) -> Result<()> {
        if self.throwaway.is_some() {
            return Ok(());
        }
        let client = self.admin.connect().await?;
        let failed = |cause| Error::postgres("look for what earlier tests left behind", cause);
        let sql = "SELECT datname::text FROM pg_catalog.pg_database WHERE datname LIKE 'rls\\_test\\_%'";
        let rows = client.query_typed(sql, &[]).await.map_err(failed)?;
        for row in rows {
            let name: String = row.try_get(0).map_err(failed)?;
            let abandoned = match (self.process.number_in(&name), names::day_of(&name)) {
                (Some(number), _) => {
                    let sql = format!(
                        "SELECT pg_catalog.pg_try_advisory_xact_lock({}, {number})",
                        names::LOCK
                    );
                    let row = client.query_typed_one(&sql, &[]).await.map_err(failed)?;
                    row.try_get(0).map_err(failed)?
                }
                // Yesterday's may be in use around midnight.
                (None, Some(day)) => day + 1 < today(),
                (None, None) => false,
            };
            if abandoned {
                // Somebody else may be dropping it too.
                drop(
                    client
                        .batch_execute(&names::drop_database(&Ident::new(name)?))
                        .await,
                );
            }
        }
        Ok(())
    }

    /// How to reach the server as the role that creates databases. Never test row security with it.
    pub fn options(&self) -> ConnectOptions {
        self.admin.clone()
    }

    /// PostgreSQL's major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Where its programs come from, for messages.
    pub fn origin(&self) -> &str {
        self.throwaway
            .as_ref()
            .map_or(URL_VARIABLE, ephemeral::Server::origin)
    }

    /// Where a role logs in, whatever the database.
    pub(super) fn options_as(&self, role: &str) -> ConnectOptions {
        let own = self.admin.config().get_user() == Some(role);
        if own {
            return self.admin.clone();
        }
        self.admin.as_role(role, self.password_of(role).as_deref())
    }

    /// The password that roles made here have, where they need one: the same in every process.
    pub(super) fn password_of(&self, role: &str) -> Option<String> {
        let secret = self.secret.as_deref()?;
        Some(names::digest(&[secret, role]))
    }

    /// A new database's name.
    pub(super) fn next_name(&self, hint: &str) -> String {
        self.process
            .database(self.count.fetch_add(1, Ordering::Relaxed), hint)
    }

    /// Something that no other process has.
    pub(super) fn nonce(&self) -> String {
        self.process.nonce()
    }

    /// Whether other processes use the server too.
    pub(super) fn is_shared(&self) -> bool {
        self.throwaway.is_none()
    }

    /// The lines of the server's log about one database; empty where the log cannot be read.
    pub(super) fn log_of(&self, database: &str) -> String {
        let Some(server) = &self.throwaway else {
            return String::new();
        };
        lines_of(&server.log(), database)
    }
}

/// Lines with `@database ` and the lines that go on from them.
fn lines_of(log: &str, database: &str) -> String {
    let mark = format!("@{database} ");
    let mut ours = false;
    let mut text = String::new();
    for line in log.lines() {
        // Statements and details of several lines go on behind a tab.
        ours = line.contains(&mark) || ours && line.starts_with('\t');
        if ours {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// Days since 1970.
pub(super) fn today() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .map(|time| time.as_secs() / 86_400)
        .unwrap_or_default()
}

fn wanted_source() -> Result<Source> {
    match std::env::var(SOURCE_VARIABLE).as_deref() {
        Err(_) | Ok("") => Ok(Source::Auto),
        Ok("installed") => Ok(Source::Installed),
        Ok("docker") => Ok(Source::Docker),
        Ok("fetched") => Ok(Source::Fetched),
        Ok(other) => Err(Error::input(format!(
            "{SOURCE_VARIABLE} is {other:?}, not installed, docker or fetched"
        ))),
    }
}

fn wanted_version() -> Result<Option<u32>> {
    match std::env::var(VERSION_VARIABLE) {
        Ok(text) if !text.is_empty() => text.parse().map(Some).map_err(|_| {
            Error::input(format!(
                "{VERSION_VARIABLE} is {text:?}, not a major version such as 17"
            ))
        }),
        _ => Ok(None),
    }
}

/// A password as SQL.
pub(super) fn literal(password: Option<&str>) -> Result<Option<Literal<'_>>> {
    password.map(Literal::new).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_databases_lines_are_told_from_the_others() {
        let log = "t app@a ERROR:  x\n\tmore of it\nt app@b ERROR:  y\n\tmore of y\nt LOG:  checkpoint\n\
                   t app@a STATEMENT:  select\n\t  1\n";
        assert_eq!(
            lines_of(log, "a"),
            "t app@a ERROR:  x\n\tmore of it\nt app@a STATEMENT:  select\n\t  1\n"
        );
        assert_eq!(lines_of(log, "c"), "");
    }
}
