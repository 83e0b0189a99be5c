//! Where migrations and policies come from: folders, or the reference schema compiled into the library. Both end in
//! the same [`Files`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::migrate::embedded;
use crate::migrate::file::SqlFile;
use crate::migrate::folder;
use crate::migrate::migration::MigrationFile;
use crate::policy::PolicyFile;

/// Where the SQL files are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The reference schema of this library, migrations and policies, compiled in.
    Reference,
    /// Folders of SQL files; what is `None` is left alone.
    Folders {
        /// `V<n>__<name>.sql`
        migrations: Option<PathBuf>,
        /// `<table>.sql`
        policies: Option<PathBuf>,
    },
}

impl Source {
    /// The command line's rule: the folders named; where only one is named, the other of `migrations` and `policies`
    /// beside it, if it exists; where none is named, those two in the working directory; where neither exists, the
    /// reference schema.
    pub fn resolve(migrations: Option<PathBuf>, policies: Option<PathBuf>) -> Self {
        let beside = |given: &Path, name: &str| {
            let folder = match given.parent() {
                Some(parent) => parent.join(name),
                None => PathBuf::from(name),
            };
            folder.is_dir().then_some(folder)
        };
        let (migrations, policies) = match (migrations, policies) {
            (Some(given), None) => {
                let policies = beside(&given, "policies");
                (Some(given), policies)
            }
            (None, Some(given)) => (beside(&given, "migrations"), Some(given)),
            (None, None) => (
                beside(Path::new("migrations"), "migrations"),
                beside(Path::new("policies"), "policies"),
            ),
            both => both,
        };
        if migrations.is_none() && policies.is_none() {
            return Self::Reference;
        }
        Self::Folders { migrations, policies }
    }

    /// Reads and checks every file.
    pub(crate) fn load(&self) -> Result<Files> {
        match self {
            Self::Reference => {
                let read = |list: &[(&str, &str)]| -> Result<Vec<SqlFile>> {
                    list.iter()
                        .map(|(name, sql)| SqlFile::new((*name).to_owned(), sql))
                        .collect()
                };
                Files::new(Some(read(embedded::MIGRATIONS)?), Some(read(embedded::POLICIES)?))
            }
            Self::Folders { migrations, policies } => {
                let read = |path: &Option<PathBuf>| path.as_deref().map(folder::read).transpose();
                Files::new(read(migrations)?, read(policies)?)
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference => f.write_str("the reference schema built into rls-tool"),
            Self::Folders { migrations, policies } => {
                let folders: Vec<_> = [migrations, policies]
                    .into_iter()
                    .flatten()
                    .map(|path| path.display().to_string())
                    .collect();
                f.write_str(&folders.join(" and "))
            }
        }
    }
}

/// The files of a [`Source`], understood and in order.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// By version; `None` where migrations are not this source's business.
    pub(crate) migrations: Option<Vec<MigrationFile>>,
    /// By name; `None` likewise.
    pub(crate) policies: Option<Vec<PolicyFile>>,
}

impl Files {
    fn new(migrations: Option<Vec<SqlFile>>, policies: Option<Vec<SqlFile>>) -> Result<Self> {
        let mut by_version = BTreeMap::new();
        for file in migrations.iter().flatten() {
            let migration = MigrationFile::new(file.clone())?;
            if let Some(other) = by_version.insert(migration.version, migration) {
                return Err(Error::input(format!(
                    "{} and {} have the same version {}",
                    other.file.label, file.label, other.version
                ))
                .with_help("give the newer one the next free number"));
            }
        }
        let mut by_name = BTreeMap::new();
        for file in policies.iter().flatten() {
            let policy = PolicyFile::new(file.clone())?;
            if let Some(other) = by_name.insert(policy.name().to_owned(), policy) {
                return Err(
                    Error::input(format!("{} and {} have the same name", other.label(), file.label))
                        .with_help("there is one policies file a table"),
                );
            }
        }
        Ok(Self {
            migrations: migrations.map(|_| by_version.into_values().collect()),
            policies: policies.map(|_| by_name.into_values().collect()),
        })
    }
}
