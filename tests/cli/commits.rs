//! Only `migrate` and `fix --apply` may commit. Every other command is run against a database whose whole content is
//! compared before and after: each row of each table, PostgreSQL's own catalogs among them.

use std::path::Path;

use rls_tool::connect::ConnectOptions;
use rls_tool::ephemeral::Server;
use tokio_postgres::Client;

use crate::support::{connect, run as sql};
use crate::{run, run_in, stderr, stdout};

const SCHEMA: &str = "
    create role commits_app login;
    create schema app; grant usage on schema app to commits_app;
    create table app.tenants (id text primary key);
    create table app.notes (id int generated always as identity primary key, tenant_id text not null references app.tenants, note text);
    create policy tenant on app.notes using (tenant_id = current_setting('app.current_tenant', true));
    grant select, insert, update, delete on app.notes to commits_app;
    insert into app.tenants values ('a'), ('b');
    insert into app.notes (tenant_id, note) values ('a', 'of a'), ('b', 'of b');
";
/// What vacuum and statistics change on their own.
const VOLATILE: &str = "'{relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,datfrozenxid,datminmxid,datvacuumcold}'";

/// A hash of every row of every table.
async fn fingerprint(options: &ConnectOptions) -> String {
    let client: Client = connect(options).await;
    let names = "select format('%I.%I', n.nspname, c.relname) from pg_class as c join pg_namespace as n on n.oid = relnamespace
        where relkind in ('r', 'm') and relpersistence <> 't' and relname not like 'pg_statistic%' and nspname <> 'pg_toast' order by 1";
    let mut parts = Vec::new();
    for row in client.query(names, &[]).await.unwrap() {
        let name: String = row.get(0);
        parts.push(format!(
            "select '{name}', md5(coalesce(string_agg(line, e'\\n' order by line), '')) from \
             (select (to_jsonb(t) - {VOLATILE}::text[])::text as line from {name} as t) as lines"
        ));
    }
    assert!(parts.len() > 50, "{}", parts.len());
    let rows = client.query(&parts.join(" union all "), &[]).await.unwrap();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row.get::<_, &str>(0), row.get::<_, &str>(1)))
        .collect();
    lines.sort();
    lines.join("\n")
}

/// The tables in which two fingerprints differ.
fn difference<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    let known: Vec<_> = before.lines().collect();
    let changed = after.lines().filter(|line| !known.contains(line));
    changed.map(|line| line.split(' ').next().unwrap()).collect()
}

/// Each subcommand that there is, as it is run here; none where it does not take a database.
fn lines(subcommand: &str) -> &'static [&'static [&'static str]] {
    match subcommand {
        "verify-isolation" => &[
            &["verify-isolation"],
            &["verify-isolation", "--attack", "off", "--save-catalog", "c.json"],
            &[
                "verify-isolation",
                "--save-baseline",
                "b.json",
                "--format",
                "html",
                "--output",
                "r.html",
            ],
            &["verify-isolation", "--explain-model"],
        ],
        "fix" => &[&["fix"], &["fix", "rls-disabled"]],
        "matrix" => &[&["matrix"]],
        "test" => &[&["test", "one.sql"]],
        "init" => &[&["init", "--output", "init.toml", "--force"]],
        "migrate" => &[
            &["migrate", "status"],
            &["migrate", "--dry-run", "--migrations", "dry"],
        ],
        // These work on files and on what is built in, or on a server of their own.
        "checks" | "completions" | "demo" | "diff" | "explain" | "help" | "man" | "schema" => &[],
        other => panic!("say here how {other} is run, or that it takes no database"),
    }
}

fn subcommands() -> Vec<String> {
    let help = stdout(&run(&["--help"]));
    let listed = help.split("Commands:").nth(1).unwrap();
    let listed = listed.split("\n\n").next().unwrap().lines();
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    names
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn only_migrate_and_fix_apply_commit() {
    // A server of its own: roles and databases belong to the whole of it.
    let server = Server::start().await.unwrap();
    let options = server.options();
    sql(&connect(&options).await, SCHEMA).await;
    let url = server.url();
    let folder = tempfile::tempdir().unwrap();
    let tool = |folder: &Path, arguments: &[&str]| {
        let mut arguments = [arguments, &["--database-url", &url]].concat();
        if !["migrate", "init"].contains(&arguments[0]) {
            arguments.extend(["--role", "commits_app"]);
        }
        let output = run_in(folder, &arguments);
        let status = output.status.code();
        assert!(
            matches!(status, Some(0 | 1)),
            "{arguments:?}: {}",
            stderr(&output)
        );
    };
    std::fs::create_dir(folder.path().join("dry")).unwrap();
    std::fs::write(
        folder.path().join("dry/V1__dry.sql"),
        "create table app.dry (id int); update app.notes set note = 'dry';",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("one.sql"),
        "-- test: a tenant writes its own rows\n-- as: A\n-- expect: 1 affected\n\
         insert into app.notes (tenant_id, note) values (:'A', 'of the test');\n",
    )
    .unwrap();
    let before = fingerprint(&options).await;
    assert_eq!(before, fingerprint(&options).await, "it is stable by itself");
    let mut ran = 0;
    for name in subcommands() {
        for line in lines(&name) {
            tool(folder.path(), line);
            let after = fingerprint(&options).await;
            assert_eq!(difference(&before, &after), [""; 0], "{line:?} changed something");
            assert_eq!(before, after, "{line:?} removed something");
            ran += 1;
        }
    }
    assert!(ran >= 10, "{ran}");

    // Twins: these two do commit, and the fingerprint notices.
    tool(folder.path(), &["fix", "--apply", "rls-disabled"]);
    let fixed = fingerprint(&options).await;
    assert!(
        difference(&before, &fixed).contains(&"pg_catalog.pg_class"),
        "{:?}",
        difference(&before, &fixed)
    );
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    let insert = "insert into app.notes (tenant_id, note) values ('a', 'more');";
    std::fs::write(folder.path().join("migrations/V1__note.sql"), insert).unwrap();
    tool(folder.path(), &["migrate"]);
    let migrated = fingerprint(&options).await;
    assert!(
        difference(&fixed, &migrated).contains(&"app.notes"),
        "{:?}",
        difference(&fixed, &migrated)
    );
}
