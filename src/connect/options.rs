//! Connection options: parsing, precedence, and opening one connection.

use std::env;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

use crate::error::{Error, Result};

/// How long a connection may take to open unless told otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is and who logs in. `Debug` and `Display` never show the password.
#[derive(Clone)]
pub struct ConnectOptions {
    config: Config,
}

impl ConnectOptions {
    /// The options for `url` if given, else for `DATABASE_URL`, else from libpq's variables (`PGHOST`, `PGPORT`,
    /// `PGUSER`, `PGPASSWORD`, `PGDATABASE`, …).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where the text is malformed, or none of the three names a database.
    pub fn resolve(url: Option<&str>) -> Result<Self> {
        if let Some(url) = url {
            return url.parse();
        }
        if let Some(url) = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
            return url.parse();
        }
        Self::from_pg_variables()
    }

    fn from_pg_variables() -> Result<Self> {
        let get = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let Some(host) = get("PGHOST") else {
            return Err(Error::input("no database was named")
                .with_help("give --database-url, or set DATABASE_URL, or PGHOST, PGUSER and PGDATABASE"));
        };
        let mut config = Config::new();
        config.host(&host);
        if let Some(port) = get("PGPORT") {
            config.port(
                port.parse()
                    .map_err(|_| Error::input(format!("PGPORT is {port:?}, not a port number")))?,
            );
        }
        let user = get("PGUSER")
            .or_else(|| get("USER"))
            .unwrap_or_else(|| "postgres".to_owned());
        config.dbname(get("PGDATABASE").as_deref().unwrap_or(&user));
        config.user(user);
        if let Some(password) = get("PGPASSWORD") {
            config.password(password);
        }
        Ok(Self::from(config))
    }

    /// The same database as another role; the password is dropped unless one is given.
    #[must_use]
    pub fn as_role(&self, user: &str, password: Option<&str>) -> Self {
        let mut other = self.clone();
        other.config.user(user);
        other.config.password(password.unwrap_or_default());
        other
    }

    /// The same server and role, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other
    }

    /// What `pg_stat_activity` shows of the connection.
    #[must_use]
    pub fn with_application_name(mut self, name: &str) -> Self {
        self.config.application_name(name);
        self
    }

    /// The options as tokio-postgres has them.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Opens one connection and drives it on a task of the current Tokio runtime; the connection closes when the
    /// client is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect), naming host, port and user, never the password.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn connect(&self) -> Result<Client> {
        let (client, connection) = self.config.connect(NoTls).await.map_err(|cause| {
            Error::new(crate::ErrorKind::Connect, format!("failed to connect to {self}")).caused_by(cause)
        })?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
        Ok(client)
    }
}

impl From<Config> for ConnectOptions {
    fn from(mut config: Config) -> Self {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        Self { config }
    }
}

impl FromStr for ConnectOptions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // The cause is not repeated: tokio-postgres quotes parts of the text, which may hold a password.
        let config: Config = text.parse().map_err(|_: tokio_postgres::Error| {
            Error::input("the database URL is malformed").with_help(
                "the form is postgres://user:password@host:port/database, or host=… user=… dbname=…",
            )
        })?;
        Ok(Self::from(config))
    }
}

impl fmt::Display for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            _ => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let user = self.config.get_user().unwrap_or("?");
        let database = self.config.get_dbname().unwrap_or(user);
        write!(f, "{host}:{port}, database {database:?}, user {user:?}")
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectOptions({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        let options: ConnectOptions = "postgres://app:s3cret@db.example:6432/shop".parse().unwrap();
        let shown = format!("{options} {options:?}");
        assert!(
            shown.contains("db.example:6432") && !shown.contains("s3cret"),
            "{shown}"
        );
        let error = "postgres://app:s3cret@db.example:notaport/shop"
            .parse::<ConnectOptions>()
            .unwrap_err();
        assert!(!error.chain().contains("s3cret"), "{error:?}");
    }
}
