//! A password is never shown: not in errors, not with --verbose, not in a report of any format, not in a saved file. On a
//! server that really asks for one (scram-sha-256), and for connection strings that go wrong in every way we know of.

use std::path::Path;
use std::process::Output;

use rls_tool::ephemeral::Server;
use rls_tool::report::Format;

use crate::support::{connect, run as sql};
use crate::{command, run_in, shown, stderr};

const PASSWORD: &str = "s3cr3t-hunter2";
const COMMANDS: [&[&str]; 8] = [
    &["verify-isolation", "--role", "locked_app"],
    &["matrix", "--role", "locked_app"],
    &["fix", "--role", "locked_app"],
    &["init", "--output", "-"],
    &["migrate"],
    &["migrate", "--dry-run"],
    &["migrate", "status"],
    &["test", "one.sql", "--role", "locked_app"],
];

/// A folder with what the commands read.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let test = "-- test: one\n-- as: nobody\n-- expect: 1 row\nselect 1;\n";
    std::fs::write(folder.path().join("one.sql"), test).unwrap();
    folder
}

/// A server on which everybody but postgres needs a password, with a role that has one and a table that leaks.
async fn locked() -> Server {
    let server = Server::start().await.unwrap();
    let admin = connect(&server.options()).await;
    sql(
        &admin,
        &format!(
            "set password_encryption = 'scram-sha-256';
             create role locked superuser login password '{PASSWORD}';
             create role locked_app login;
             create table t (tenant_id text not null); grant select, update on t to locked_app;
             do $$ begin
                 execute format('copy (values (%L), (%L)) to %L', 'host all postgres 127.0.0.1/32 trust',
                     'host all all 127.0.0.1/32 scram-sha-256', current_setting('hba_file'));
             end $$;
             select pg_reload_conf();"
        ),
    )
    .await;
    // The postmaster reads the file when its signal arrives.
    while server.options().as_role("locked", None).connect().await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server
}

fn url(server: &Server, password: &str) -> String {
    let port = server.options().config().get_ports()[0];
    format!("postgres://locked{password}@127.0.0.1:{port}/postgres")
}

/// With everything that makes a program talk.
fn talkative(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = command(folder, arguments);
    command.env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace");
    command.output().unwrap()
}

fn assert_silent(output: &Output, about: &str) {
    let told = shown(output);
    assert!(!told.contains(PASSWORD), "{about}: {told}");
    assert!(!told.contains("panicked"), "{about}: {told}");
}

#[tokio::test]
async fn a_wrong_password_is_told_with_user_host_and_what_to_do() {
    let server = locked().await;
    let port = server.options().config().get_ports()[0];
    let folder = folder();
    for arguments in COMMANDS {
        for (given, reason) in [
            (":not-it", "password authentication failed for user \"locked\""),
            ("", "password"),
        ] {
            let url = url(&server, given);
            let output = talkative(folder.path(), &[arguments, &["--database-url", &url]].concat());
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            let told = stderr(&output);
            let told = &told[told.find("error: ").unwrap_or_else(|| panic!("{told}"))..];
            let host = format!("127.0.0.1:{port}, database \"postgres\", user \"locked\"");
            for part in [host.as_str(), reason, "PGPASSWORD"] {
                assert!(told.contains(part), "{arguments:?}: {told} lacks {part:?}");
            }
            assert!(told.lines().count() <= 2 && !told.contains("not-it"), "{told}");
        }
    }
    // Twin: with the password it works, wherever it is given.
    let audit = [
        "verify-isolation",
        "--role",
        "locked_app",
        "--attack",
        "off",
        "--quiet",
    ];
    let plain = url(&server, "");
    let base = [&audit[..], &["--database-url", &plain]].concat();
    let by_variable = command(folder.path(), &base)
        .env("PGPASSWORD", PASSWORD)
        .output()
        .unwrap();
    let passfile = folder.path().join("pass");
    std::fs::write(&passfile, format!("*:*:*:locked:{PASSWORD}\n")).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&passfile, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let by_file = command(folder.path(), &base)
        .env("PGPASSFILE", &passfile)
        .output()
        .unwrap();
    std::fs::write(
        folder.path().join(".env"),
        format!("DATABASE_URL={}\n", url(&server, &format!(":{PASSWORD}"))),
    )
    .unwrap();
    let by_dotenv = run_in(folder.path(), &audit);
    for output in [by_variable, by_file, by_dotenv] {
        assert_eq!(output.status.code(), Some(1), "it leaks: {}", stderr(&output));
        assert_silent(&output, "audited");
    }
}

#[tokio::test]
async fn no_report_and_no_file_shows_the_password() {
    let server = locked().await;
    let folder = folder();
    let url = url(&server, &format!(":{PASSWORD}"));
    for arguments in COMMANDS {
        let arguments = [arguments, &["--database-url", &url, "-vvv"]].concat();
        let output = talkative(folder.path(), &arguments);
        assert_silent(&output, &format!("{arguments:?}"));
        assert!(stderr(&output).contains("user \"locked\""), "{}", stderr(&output));
    }
    for format in Format::ALL {
        let flags = ["--format", format.name(), "--database-url", &url, "--verbose"];
        let files = [
            "--save-catalog",
            "catalog.json",
            "--save-baseline",
            "baseline.json",
        ];
        let arguments = [COMMANDS[0], &flags, &files].concat();
        assert_silent(&talkative(folder.path(), &arguments), format.name());
    }
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(PASSWORD));
        files += 1;
    }
    assert_eq!(files, 3);
}

#[test]
fn no_failure_shows_the_password() {
    let folder = folder();
    let strings = [
        "postgres://u:PASSWORD@127.0.0.1:1/x",
        "postgres://u:PASSWORD@h:port/x",
        "postgres://u:PASSWORD@127.0.0.1:1,127.0.0.1:2/x",
        "postgres://u:PASSWORD@no.such.host.invalid/x",
        "postgres://u:PASSWORD@[::1/x",
        "postgres://u:PASSWORD@h/x?sslmode=PASSWORD",
        "postgres://u:PASSWORD@h/x?connect_timeout=PASSWORD",
        "postgres://u:PASSWORD@h/x?PASSWORD=1",
        "postgres://u:PASSWORD%zz@h/x",
        "postgres//u:PASSWORD@h/x",
        "u:PASSWORD@h/x",
        "host=127.0.0.1 port=1 user=u password=PASSWORD dbname=x",
        "host=h password='PASSWORD",
        "host=h password=PASSWORD sslrootcert=/no/such/file sslmode=verify-full",
        "host=/no/such/folder user=u password=PASSWORD",
    ];
    for (place, string) in strings.iter().enumerate() {
        let string = string.replace("PASSWORD", PASSWORD);
        // They read it in one place; two strings show that every command does.
        let commands = if place < 2 { &COMMANDS[..] } else { &COMMANDS[..1] };
        for arguments in commands {
            let named = talkative(
                folder.path(),
                &[arguments, &["--database-url", &string][..]].concat(),
            );
            assert_eq!(named.status.code(), Some(2), "{string}");
            assert_silent(&named, "as --database-url");
        }
        let variable = command(folder.path(), &["verify-isolation", "-v"])
            .env("DATABASE_URL", &string)
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap();
        assert_silent(&variable, "as DATABASE_URL");
    }
}

/// What people type when they forget the flag: clap and others show the word that does not fit.
#[test]
fn a_url_in_the_wrong_place_is_shown_without_its_password() {
    let url = format!("postgres://u:{PASSWORD}@h/x");
    let words = format!("host=h password={PASSWORD}");
    let folder = tempfile::tempdir().unwrap();
    for string in [&url, &words] {
        for arguments in [
            &["verify-isolation", string][..],
            &["fix", string],
            &["explain", string],
            &["migrate", string],
            &["diff", string, string],
            &["verify-isolation", "--format", string],
            &["verify-isolation", "--attack", string],
            &["verify-isolation", "--config", string],
            &["verify-isolation", "--baseline", string],
            &["completions", string],
            &[string],
        ] {
            let output = talkative(folder.path(), arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert_silent(&output, &format!("{arguments:?}"));
        }
    }
    // Twin: without a password the word is shown, so that the mistake can be seen.
    let output = run_in(folder.path(), &["explain", "postgres://u@h/x"]);
    assert!(
        stderr(&output).contains("postgres://u@h/x"),
        "{}",
        stderr(&output)
    );
}
