//! `sslmode` and its certificates: what they mean, which attempts they allow, and the connector for them.
//!
//! tokio-postgres knows whether to encrypt; whom to trust is decided here, with rustls (feature `tls`). Without the
//! feature every mode that insists on encryption is an error, never a plain connection.

use std::path::PathBuf;

use tokio_postgres::config::SslMode;

use super::parameters::{Environment, Parameters};
use crate::error::{Error, Result};

/// How far the connection is encrypted and the server's identity checked: libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsMode {
    /// Never encrypted.
    Disable,
    /// Encrypted only where the server insists.
    Allow,
    /// Encrypted where the server can; the default. A network attacker can turn it off.
    Prefer,
    /// Always encrypted; the server's identity is not checked unless a root certificate is given.
    Require,
    /// Encrypted, and the certificate comes from a trusted authority.
    VerifyCa,
    /// Encrypted, the certificate comes from a trusted authority, and it names the host.
    VerifyFull,
}

impl TlsMode {
    fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(Error::input("the value of sslmode is not known")
                    .with_help("sslmode is disable, allow, prefer, require, verify-ca or verify-full"));
            }
        })
    }

    /// What to tell tokio-postgres, in order; a later attempt is made where the server refused the earlier one for its
    /// encryption.
    pub(super) fn attempts(self) -> &'static [SslMode] {
        match self {
            Self::Disable => &[SslMode::Disable],
            Self::Allow => &[SslMode::Disable, SslMode::Require],
            Self::Prefer => &[SslMode::Prefer, SslMode::Disable],
            Self::Require | Self::VerifyCa | Self::VerifyFull => &[SslMode::Require],
        }
    }
}

impl From<SslMode> for TlsMode {
    fn from(mode: SslMode) -> Self {
        match mode {
            SslMode::Disable => Self::Disable,
            SslMode::Prefer => Self::Prefer,
            // Require, and whatever stricter mode a later tokio-postgres adds.
            _ => Self::Require,
        }
    }
}

/// Where trusted authorities come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// Nobody is asked.
    Unchecked,
    /// A PEM file.
    File(PathBuf),
    /// The operating system's.
    System,
}

/// The mode and what goes with it. Paths only: keys are read when connecting, so that renewed ones are picked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsOptions {
    pub(super) mode: TlsMode,
    pub(super) roots: Roots,
    /// The client's certificate chain and key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

impl TlsOptions {
    /// Encrypts as told, checks nobody.
    pub(super) fn unchecked(mode: TlsMode) -> Self {
        Self {
            mode,
            roots: Roots::Unchecked,
            identity: None,
        }
    }

    /// Reads `sslmode`, `sslrootcert`, `sslcert` and `sslkey`; unset files default to those in `~/.postgresql`.
    pub(super) fn from_parameters(parameters: &Parameters, environment: &Environment<'_>) -> Result<Self> {
        let default_file = |name: &str| {
            let path = environment.home()?.join(".postgresql").join(name);
            path.exists().then_some(path)
        };
        let roots = match parameters.get("sslrootcert") {
            Some("system") => Roots::System,
            Some(path) => Roots::File(path.into()),
            None => default_file("root.crt").map_or(Roots::Unchecked, Roots::File),
        };
        let mode = parameters.get("sslmode").map(TlsMode::parse).transpose()?;
        // As in libpq: with the public authorities anybody can have a certificate, so only the host's name tells.
        let mode = match (mode, &roots) {
            (None, Roots::System) => TlsMode::VerifyFull,
            (Some(mode), Roots::System) if mode < TlsMode::VerifyFull => {
                return Err(Error::input("sslrootcert=system needs sslmode=verify-full")
                    .with_help("any public authority is trusted then, so the host's name must be checked"));
            }
            // As in libpq: a root certificate that is there is used.
            (Some(TlsMode::Require), Roots::File(_)) => TlsMode::VerifyCa,
            (mode, _) => mode.unwrap_or(TlsMode::Prefer),
        };
        let roots = match (mode, roots) {
            (TlsMode::VerifyFull, Roots::Unchecked) => Roots::System,
            (TlsMode::VerifyCa, Roots::Unchecked) => {
                return Err(Error::input("sslmode=verify-ca needs a root certificate")
                    .with_help("give sslrootcert=FILE, or use sslmode=verify-full, which may use the system's authorities"));
            }
            (TlsMode::VerifyCa | TlsMode::VerifyFull, roots) => roots,
            _ => Roots::Unchecked,
        };
        let certificate = parameters
            .get("sslcert")
            .map(PathBuf::from)
            .or_else(|| default_file("postgresql.crt"));
        let key = parameters
            .get("sslkey")
            .map(PathBuf::from)
            .or_else(|| default_file("postgresql.key"));
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(certificate), None) => {
                return Err(Error::input(format!(
                    "the client certificate {} has no key",
                    certificate.display()
                ))
                .with_help("give sslkey=FILE"));
            }
            (None, _) => None,
        };
        if mode > TlsMode::Prefer && cfg!(not(feature = "tls")) {
            return Err(no_tls());
        }
        Ok(Self {
            mode,
            roots,
            identity,
        })
    }
}

/// What to say where encryption is wanted and the library cannot.
pub(super) fn no_tls() -> Error {
    Error::input("sslmode asks for an encrypted connection, and this build of rls-tool cannot encrypt")
        .with_help("build it with the Cargo feature tls")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str, home: &std::path::Path) -> Result<TlsOptions> {
        let home = home.to_str().map(str::to_owned);
        let get = move |name: &str| home.clone().filter(|_| name == "HOME");
        TlsOptions::from_parameters(&Parameters::from_text(text)?, &Environment::new(&get))
    }

    #[test]
    fn every_mode_of_libpq_is_understood_in_both_forms() {
        let home = tempfile::tempdir().unwrap();
        for (name, mode) in [
            ("disable", TlsMode::Disable),
            ("allow", TlsMode::Allow),
            ("prefer", TlsMode::Prefer),
            ("require", TlsMode::Require),
            ("verify-full", TlsMode::VerifyFull),
        ] {
            assert_eq!(
                options(&format!("host=h sslmode={name}"), home.path())
                    .unwrap()
                    .mode,
                mode
            );
            assert_eq!(
                options(&format!("postgres://h/d?sslmode={name}"), home.path())
                    .unwrap()
                    .mode,
                mode
            );
        }
        assert_eq!(
            options("sslmode=verify-ca sslrootcert=r", home.path())
                .unwrap()
                .mode,
            TlsMode::VerifyCa
        );
        assert_eq!(options("host=h", home.path()).unwrap().mode, TlsMode::Prefer);
        assert!(options("sslmode=yes", home.path()).is_err());
    }

    #[test]
    fn nobody_is_trusted_by_accident() {
        let home = tempfile::tempdir().unwrap();
        assert!(options("sslmode=verify-ca", home.path()).is_err());
        assert!(options("sslmode=require sslrootcert=system", home.path()).is_err());
        assert!(options("sslcert=c", home.path()).is_err());
        assert_eq!(
            options("sslrootcert=system", home.path()).unwrap().mode,
            TlsMode::VerifyFull
        );
        assert_eq!(
            options("sslmode=verify-full", home.path()).unwrap().roots,
            Roots::System
        );
        // A root certificate that is there is used, as in libpq.
        assert_eq!(
            options("sslmode=require", home.path()).unwrap().mode,
            TlsMode::Require
        );
        std::fs::create_dir(home.path().join(".postgresql")).unwrap();
        std::fs::write(home.path().join(".postgresql/root.crt"), "").unwrap();
        assert_eq!(
            options("sslmode=require", home.path()).unwrap().mode,
            TlsMode::VerifyCa
        );
    }
}
