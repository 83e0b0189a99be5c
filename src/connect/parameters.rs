//! Which parameters hold: the text's own, then the service's, then libpq's environment variables; and which keywords
//! are known, harmless or refused.

use std::path::PathBuf;

use super::service;
use super::text::{self, Keywords};
use crate::error::{Error, Result};

/// libpq's environment variables and the keywords they stand for.
const VARIABLES: &[(&str, &str)] = &[
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSERVICE", "service"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGREQUIREAUTH", "require_auth"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
];

/// Keywords that [`super::tls`] and [`super::options`] read themselves.
const OURS: &[&str] = &["passfile", "sslcert", "sslkey", "sslmode", "sslrootcert"];

/// Keywords handed on to tokio-postgres.
const DRIVER: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// Keywords of libpq whose absence changes nothing that anybody relies on for safety.
const HARMLESS: &[&str] = &[
    "client_encoding",
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "max_protocol_version",
    "min_protocol_version",
    "sslcompression",
    "sslsni",
];

/// The environment variables, as a function so that tests bring their own.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Environment<'a> {
    /// An environment that `get` answers for.
    pub(super) fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { get }
    }

    /// The variable's value, if it is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }

    /// The home folder.
    pub(super) fn home(&self) -> Option<PathBuf> {
        self.get("HOME")
            .or_else(|| self.get("USERPROFILE"))
            .map(PathBuf::from)
    }
}

/// Checked parameters, all of them known.
#[derive(Debug, Default)]
pub(super) struct Parameters(Keywords);

impl Parameters {
    /// The text's own parameters only.
    pub(super) fn from_text(text: &str) -> Result<Self> {
        let keywords = text::parse(text)?;
        if keywords.contains_key("service") {
            return Err(Error::input("a service cannot be used here")
                .with_help("service files are read where libpq's variables are: ConnectOptions::resolve"));
        }
        Self::check(keywords)
    }

    /// The text's parameters, what they leave open from its service, and the rest from libpq's variables.
    pub(super) fn resolve(text: Option<&str>, environment: &Environment<'_>) -> Result<Self> {
        let mut keywords = text.map(text::parse).transpose()?.unwrap_or_default();
        let service = keywords
            .remove("service")
            .or_else(|| environment.get("PGSERVICE"));
        if let Some(name) = service {
            fill(&mut keywords, service::load(&name, environment)?);
        }
        let variables = VARIABLES
            .iter()
            .filter(|(_, keyword)| *keyword != "service")
            .filter_map(|(variable, keyword)| Some(((*keyword).to_owned(), environment.get(variable)?)));
        fill(&mut keywords, variables);
        Self::check(keywords)
    }

    fn check(mut keywords: Keywords) -> Result<Self> {
        keywords.retain(|_, value| !value.is_empty());
        for (alias, keyword) in [
            ("keepalives_count", "keepalives_retries"),
            ("fallback_application_name", "application_name"),
        ] {
            if let Some(value) = keywords.remove(alias) {
                keywords.entry(keyword.to_owned()).or_insert(value);
            }
        }
        // JDBC's spelling, which libpq takes as well.
        if keywords.remove("ssl").is_some_and(|value| value == "true") {
            keywords
                .entry("sslmode".to_owned())
                .or_insert("require".to_owned());
        }
        for (keyword, value) in &keywords {
            accept(keyword, value)?;
        }
        keywords.retain(|keyword, _| DRIVER.contains(&keyword.as_str()) || OURS.contains(&keyword.as_str()));
        Ok(Self(keywords))
    }

    /// The parameter's value.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        self.0.get(keyword).map(String::as_str)
    }

    /// Sets the parameter unless it is set.
    pub(super) fn set_default(&mut self, keyword: &str, value: impl Into<String>) {
        self.0.entry(keyword.to_owned()).or_insert_with(|| value.into());
    }

    /// What tokio-postgres takes, in the key=value form.
    pub(super) fn driver_text(&self) -> String {
        let pairs = self
            .0
            .iter()
            .filter(|(keyword, _)| DRIVER.contains(&keyword.as_str()));
        pairs
            .map(|(keyword, value)| text::quote(keyword, value))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn fill(keywords: &mut Keywords, more: impl IntoIterator<Item = (String, String)>) {
    for (keyword, value) in more {
        keywords.entry(keyword).or_insert(value);
    }
}

/// Refuses what is unknown, and what would make the connection less safe if it were ignored.
fn accept(keyword: &str, value: &str) -> Result<()> {
    if DRIVER.contains(&keyword) || OURS.contains(&keyword) || HARMLESS.contains(&keyword) {
        return Ok(());
    }
    let refused = match (keyword, value) {
        ("gssencmode", "disable" | "prefer")
        | ("ssl_min_protocol_version", "TLSv1" | "TLSv1.1" | "TLSv1.2") => {
            return Ok(());
        }
        ("require_auth" | "requirepeer" | "sslcrl" | "sslcrldir" | "sslpassword", _) => "it",
        ("ssl_min_protocol_version", _) => "a minimum above TLSv1.2",
        ("gssencmode", _) => "GSSAPI encryption",
        // The word is not repeated: a password with an unescaped '?' or '&' looks like one.
        _ => {
            return Err(Error::input("the database URL has a parameter that is not known")
                .with_help("parameters are libpq's keywords; a ?, & or @ in a password is written as %3F, %26 or %40"));
        }
    };
    Err(Error::input(format!(
        "the connection parameter {keyword} cannot be honoured: {refused} is not supported, and ignoring it would not be safe"
    ))
    .with_help("remove the parameter or its environment variable if the connection may do without"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: Option<&str>, variables: &[(&str, &str)]) -> Result<Parameters> {
        let get = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Parameters::resolve(text, &Environment::new(&get))
    }

    #[test]
    fn variables_fill_what_the_text_leaves_open() {
        let variables = [("PGHOST", "other"), ("PGPASSWORD", "secret"), ("PGPORT", "")];
        let parameters = resolve(Some("postgres://app@db.example/shop"), &variables).unwrap();
        assert_eq!(parameters.get("host"), Some("db.example"));
        assert_eq!(parameters.get("password"), Some("secret"));
        assert_eq!(parameters.get("port"), None);
    }

    #[test]
    fn the_service_stands_between_text_and_variables() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services");
        std::fs::write(&file, "[shop]\nhost=db.example\nport=1\n").unwrap();
        let variables = [
            ("PGSERVICEFILE", file.to_str().unwrap()),
            ("PGSERVICE", "shop"),
            ("PGHOST", "other"),
        ];
        let parameters = resolve(Some("port=2"), &variables).unwrap();
        assert_eq!(parameters.get("host"), Some("db.example"));
        assert_eq!(parameters.get("port"), Some("2"));
        assert!(resolve(Some("service=none"), &variables).is_err());
    }

    #[test]
    fn what_would_be_unsafe_to_ignore_is_refused_by_name() {
        for text in [
            "sslcrl=x",
            "require_auth=scram-sha-256",
            "requirepeer=postgres",
            "gssencmode=require",
        ] {
            let error = resolve(Some(text), &[]).unwrap_err();
            let keyword = text.split('=').next().unwrap();
            assert!(error.to_string().contains(keyword), "{error}");
        }
        assert!(resolve(Some("host=h"), &[("PGSSLCRL", "x")]).is_err());
        assert!(
            resolve(
                Some("gssencmode=prefer sslsni=1 ssl_min_protocol_version=TLSv1.2"),
                &[]
            )
            .is_ok()
        );
    }

    #[test]
    fn an_unknown_parameter_is_refused_without_its_name() {
        let error = resolve(Some("postgres://app:x?s3cret=1@h/d"), &[]).unwrap_err();
        assert!(!error.chain().contains("s3cret"), "{error}");
    }
}
