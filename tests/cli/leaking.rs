//! A database with a leak, a folder to work in, and the command run against both.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tokio_postgres::Client;

use crate::support::{Database, run as sql};
use crate::{run_in, stderr, stdout};

pub(crate) const ROLE: &str = "findings_app";
const SCHEMA: &str = "
    do $$ begin create role findings_app login; exception when duplicate_object or unique_violation then null; end $$;
    do $$ begin create role findings_owner; exception when duplicate_object or unique_violation then null; end $$;
    create schema app;
    grant usage on schema app to findings_app;
    create table app.tenants (id text primary key);
    create table app.notes (id int primary key, tenant_id text not null references app.tenants, text text);
    create policy tenant on app.notes using (tenant_id = current_setting('my.tenant', true));
    alter table app.notes owner to findings_owner;
    grant select, insert on app.notes to findings_app;
";

/// A database whose table has a dormant policy, and a folder to work in.
pub(crate) struct Leaking {
    database: Database,
    folder: tempfile::TempDir,
}

impl Leaking {
    pub(crate) async fn new() -> Self {
        let database = Database::create("findings").await;
        sql(&database.admin().await, SCHEMA).await;
        Self {
            database,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        self.database.url()
    }

    pub(crate) async fn admin(&self) -> Client {
        self.database.admin().await
    }

    /// The subcommand, for the role and its setting.
    pub(crate) fn run(&self, command: &str, flags: &[&str]) -> Output {
        let url = self.url();
        let base = [
            command,
            "--database-url",
            &url,
            "--role",
            ROLE,
            "--tenant-setting",
            "my.tenant",
        ];
        run_in(self.folder(), &[&base[..], flags].concat())
    }

    /// verify-isolation's exit status and report.
    pub(crate) fn audit(&self, flags: &[&str]) -> (Option<i32>, Value) {
        let output = self.run("verify-isolation", &[&["--format", "json"], flags].concat());
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (output.status.code(), report)
    }

    pub(crate) async fn row_security(&self) -> bool {
        let sql = "select relrowsecurity from pg_class where oid = 'app.notes'::regclass";
        self.admin().await.query_one(sql, &[]).await.unwrap().get(0)
    }
}

/// What stands on stdout, of a command that ended so.
pub(crate) fn ended(status: i32, output: &Output) -> String {
    let told = format!("{}{}", stdout(output), stderr(output));
    assert_eq!(output.status.code(), Some(status), "{told}");
    stdout(output)
}

/// The severities of a check's findings about app.notes.
pub(crate) fn found(report: &Value, check: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .filter(|finding| finding["check"] == check && finding["object"] == "app.notes");
    found
        .map(|finding| finding["severity"].as_str().unwrap().to_owned())
        .collect()
}
