//! A user's project: a folder with `migrations/` and `policies/`, and what running it gives.

use std::fs;
use std::path::PathBuf;

use rls_tool::Error;
use rls_tool::migrate::{MigrationReport, Migrator, Source, Status};
use tempfile::TempDir;
use tokio_postgres::Client;

/// A folder of a project, deleted at the end.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// With these files, `migrations/V1__a.sql` or `policies/t.sql`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// The folders that exist, as the command line would find them.
    pub(crate) fn source(&self) -> Source {
        let folder = |name| Some(self.path(name)).filter(|path| path.exists());
        Source::Folders {
            migrations: folder("migrations"),
            policies: folder("policies"),
        }
    }

    pub(crate) fn migrator(&self) -> Migrator {
        Migrator::new(self.source()).unwrap_or_else(|error| panic!("{}", error.chain()))
    }

    /// Runs it, or fails the test with the whole reason.
    pub(crate) async fn run(&self, client: &mut Client) -> MigrationReport {
        self.try_run(client)
            .await
            .unwrap_or_else(|error| panic!("{}", text(&error)))
    }

    pub(crate) async fn try_run(&self, client: &mut Client) -> Result<MigrationReport, Error> {
        Migrator::new(self.source())?.run(client).await
    }

    /// The error of a run that must fail, with its help.
    pub(crate) async fn refused(&self, client: &mut Client) -> String {
        match self.try_run(client).await {
            Ok(report) => panic!("it ran: {report:?}"),
            Err(error) => text(&error),
        }
    }

    pub(crate) async fn status(&self, client: &mut Client) -> Status {
        self.migrator()
            .status(client)
            .await
            .unwrap_or_else(|error| panic!("{}", text(&error)))
    }
}

/// The message with its causes, then every help on the way.
pub(crate) fn text(error: &Error) -> String {
    let mut text = error.chain();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(help) = cause.downcast_ref::<Error>().and_then(Error::help) {
            text.push_str("\n  help: ");
            text.push_str(help);
        }
        next = cause.source();
    }
    text
}

/// The names of the files that ran, without their folders: migrations, then policies.
pub(crate) fn names(report: &MigrationReport) -> Vec<String> {
    let ran = report.migrations.iter().chain(&report.policies);
    ran.map(|ran| ran.file.rsplit('/').next().unwrap().to_owned())
        .collect()
}

/// One value as text.
pub(crate) async fn value(client: &Client, sql: &str) -> String {
    let row = client
        .query_one(&format!("select ({sql})::text"), &[])
        .await
        .unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    row.get::<_, Option<String>>(0)
        .unwrap_or_else(|| "NULL".to_owned())
}

/// Applied versions, in order: `1,2,3`; empty where there is no history.
pub(crate) async fn versions(client: &Client) -> String {
    if value(client, "to_regclass('refinery_schema_history')").await == "NULL" {
        return String::new();
    }
    value(
        client,
        "select coalesce(string_agg(version::text, ',' order by version), '') from refinery_schema_history",
    )
    .await
}

/// Whether a table of this name exists.
pub(crate) async fn exists(client: &Client, table: &str) -> bool {
    value(client, &format!("to_regclass('{table}') is not null")).await == "true"
}
