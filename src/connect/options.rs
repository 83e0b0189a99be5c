//! Connection options: precedence and defaults, the password file, and how they are shown.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::parameters::{Environment, Parameters};
use super::passfile::{self, DEFAULT_SOCKET_FOLDERS, Wanted};
use super::tls::{TlsMode, TlsOptions};
use crate::error::{Error, Result};

/// How long a connection may take to open unless told otherwise.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is and who logs in. `Debug` and `Display` never show the password.
#[derive(Clone)]
pub struct ConnectOptions {
    pub(super) config: Config,
    pub(super) tls: TlsOptions,
    /// Where passwords are looked up for whoever has none of his own.
    passfile: Option<PathBuf>,
}

impl ConnectOptions {
    /// The options for `url` if given, else for `DATABASE_URL`; what the text leaves open comes from its service (or
    /// `PGSERVICE`) and then from libpq's variables (`PGHOST`, `PGUSER`, `PGPASSWORD`, `PGSSLMODE`, …), and a missing
    /// password from the password file (`PGPASSFILE`, else `~/.pgpass`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where the text is malformed, asks for what is not supported, or nothing names a database.
    pub fn resolve(url: Option<&str>) -> Result<Self> {
        Self::resolve_in(url, &Environment::new(&|name| env::var(name).ok()))
    }

    fn resolve_in(url: Option<&str>, environment: &Environment<'_>) -> Result<Self> {
        let from_variable = if url.is_none() {
            environment.get("DATABASE_URL")
        } else {
            None
        };
        let text = url.or(from_variable.as_deref());
        let named = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"];
        if text.is_none() && !named.iter().any(|name| environment.get(name).is_some()) {
            return Err(Error::input("no database was named")
                .with_help("give --database-url, or set DATABASE_URL, or PGHOST, PGUSER and PGDATABASE"));
        }
        let mut parameters = Parameters::resolve(text, environment)?;
        if let Some(user) = environment.get("USER").or_else(|| environment.get("LOGNAME")) {
            parameters.set_default("user", user);
        }
        let passfile = parameters
            .get("passfile")
            .map(PathBuf::from)
            .or_else(|| environment.home().map(|home| home.join(".pgpass")));
        Self::new(parameters, environment, passfile)
    }

    fn new(
        mut parameters: Parameters,
        environment: &Environment<'_>,
        passfile: Option<PathBuf>,
    ) -> Result<Self> {
        if let Some(user) = parameters.get("user").map(str::to_owned) {
            parameters.set_default("dbname", user);
        }
        match parameters.get("hostaddr").map(str::to_owned) {
            // A certificate is checked against the host's name; an address is the only name there is.
            Some(address) => parameters.set_default("host", address),
            None => parameters.set_default("host", default_host(parameters.get("port"))),
        }
        let tls = TlsOptions::from_parameters(&parameters, environment)?;
        let mut config: Config =
            parameters
                .driver_text()
                .parse()
                .map_err(|cause: tokio_postgres::Error| {
                    // Its cause names the keyword and never the value.
                    Error::input("the database URL has a malformed value").caused_by(cause)
                })?;
        if let Some(first) = tls.mode.attempts().first() {
            config.ssl_mode(*first);
        }
        config.connect_timeout(config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT));
        let mut options = Self {
            config,
            tls,
            passfile,
        };
        options.look_up_password()?;
        Ok(options)
    }

    /// The same database as another role. The password is dropped unless one is given; the password file is asked then.
    #[must_use]
    pub fn as_role(&self, user: &str, password: Option<&str>) -> Self {
        let mut other = self.clone();
        other.config.user(user);
        other.config.password(password.unwrap_or_default());
        other.look_up_password().ok();
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

    /// How long opening a connection may take, whatever the URL says.
    #[must_use]
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.config.connect_timeout(limit);
        self
    }

    /// The options as tokio-postgres has them. Whom to trust is not among them: tokio-postgres leaves that to its caller.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How far the connection is encrypted and the server's identity checked.
    pub fn tls_mode(&self) -> TlsMode {
        self.tls.mode
    }

    /// Asks the password file where there is no password.
    fn look_up_password(&mut self) -> Result<()> {
        if self
            .config
            .get_password()
            .is_some_and(|password| !password.is_empty())
        {
            return Ok(());
        }
        let Some(text) = self.passfile.as_deref().and_then(passfile::read) else {
            return Ok(());
        };
        let user = self.config.get_user().unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or(user);
        let ports = self.config.get_ports();
        let mut found = self.config.get_hosts().iter().enumerate().map(|(index, host)| {
            let port = ports
                .get(index)
                .or_else(|| ports.first())
                .copied()
                .unwrap_or(5432);
            passfile::find(
                &text,
                &Wanted {
                    host: &host_name(host),
                    port,
                    database,
                    user,
                },
            )
        });
        let password = found.next().flatten();
        if found.any(|other| other != password) {
            // tokio-postgres has one password for all hosts; one host's must not be shown to another.
            return Err(Error::input(
                "the password file has different passwords for the hosts of one connection",
            )
            .with_help("name one host, or give the password in the URL or PGPASSWORD"));
        }
        if let Some(password) = password {
            self.config.password(password);
        }
        Ok(())
    }
}

/// Where a server is likely to listen when nobody says: a socket in one of the usual folders, else this machine.
fn default_host(port: Option<&str>) -> String {
    let socket = format!(".s.PGSQL.{}", port.unwrap_or("5432"));
    let folder = DEFAULT_SOCKET_FOLDERS
        .iter()
        .find(|folder| Path::new(folder).join(&socket).exists());
    folder.map_or_else(|| "localhost".to_owned(), |folder| (*folder).to_owned())
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

impl From<Config> for ConnectOptions {
    fn from(mut config: Config) -> Self {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let tls = TlsOptions::unchecked(config.get_ssl_mode().into());
        Self {
            config,
            tls,
            passfile: None,
        }
    }
}

/// The text's own parameters; neither environment variables nor the password file are read.
impl FromStr for ConnectOptions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(Parameters::from_text(text)?, &Environment::new(&|_| None), None)
    }
}

impl fmt::Display for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports
                .get(index)
                .or_else(|| ports.first())
                .copied()
                .unwrap_or(5432);
            write!(
                f,
                "{}{}:{port}",
                if index == 0 { "" } else { "," },
                host_name(host)
            )?;
        }
        let user = self.config.get_user().unwrap_or("?");
        let database = self.config.get_dbname().unwrap_or(user);
        write!(f, ", database {database:?}, user {user:?}")
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectOptions({self})")
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;

    fn resolve(url: Option<&str>, variables: &[(&str, &str)]) -> Result<ConnectOptions> {
        let get = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        ConnectOptions::resolve_in(url, &Environment::new(&get))
    }

    #[test]
    fn the_password_is_never_shown() {
        let options: ConnectOptions = "postgres://app:s3cret@db.example:6432/shop".parse().unwrap();
        let shown = format!("{options} {options:?} {:?}", options.config());
        assert!(
            shown.contains("db.example:6432") && !shown.contains("s3cret"),
            "{shown}"
        );
        for text in [
            "postgres://app:s3cret@db.example:notaport/shop",
            "postgres://app:s3cret@db.example/shop?s3cret=1",
            "postgres://app:s3cret@db.example/shop?sslmode=s3cret",
            "host=h password=s3cret hostaddr=s3cret",
        ] {
            let error = text.parse::<ConnectOptions>().unwrap_err();
            assert!(
                !format!("{} {error:?} {:?}", error.chain(), error.help()).contains("s3cret"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_database_must_be_named_somewhere() {
        assert!(resolve(None, &[("USER", "me")]).is_err());
        let options = resolve(None, &[("PGHOST", "h"), ("USER", "me")]).unwrap();
        assert_eq!(options.to_string(), "h:5432, database \"me\", user \"me\"");
        let options = resolve(None, &[("DATABASE_URL", "postgres://u@db/x"), ("PGPORT", "7")]).unwrap();
        assert_eq!(options.to_string(), "db:7, database \"x\", user \"u\"");
    }

    #[cfg(unix)]
    #[test]
    fn the_password_file_is_asked_for_each_role() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        std::fs::write(&path, "a:*:*:app:of-app\na:*:*:admin:of-admin\nb:*:*:app:other\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let variables = [("PGPASSFILE", path.to_str().unwrap())];
        let password = |options: &ConnectOptions| options.config().get_password().map(<[u8]>::to_vec);
        let options = resolve(Some("postgres://app@a/x"), &variables).unwrap();
        assert_eq!(password(&options).unwrap(), b"of-app");
        assert_eq!(password(&options.as_role("admin", None)).unwrap(), b"of-admin");
        assert_eq!(
            password(&options.as_role("admin", Some("given"))).unwrap(),
            b"given"
        );
        assert_eq!(password(&options.as_role("nobody", None)).unwrap(), b"");
        let explicit = resolve(Some("postgres://app:mine@a/x"), &variables).unwrap();
        assert_eq!(password(&explicit).unwrap(), b"mine");
        // One host's password is not shown to the other.
        assert!(resolve(Some("postgres://app@a,b/x"), &variables).is_err());
    }

    #[test]
    fn a_tokio_postgres_config_keeps_its_tls_mode() {
        let mut config = Config::new();
        config.host("h").ssl_mode(SslMode::Require);
        assert_eq!(ConnectOptions::from(config).tls_mode(), TlsMode::Require);
    }
}
