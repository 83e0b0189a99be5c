//! Bad input to `rls-tool migrate`: each exits with 2 and one clear message. Bad files: files.rs.

use std::net::TcpListener;

use crate::project::Project;
use crate::support::{Database, refuse_password};
use crate::tool::{command, failure, tool};

fn project() -> Project {
    Project::new(&[("migrations/V1__t.sql", "create table t ();")])
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let (project, listener) = (project(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    let url = format!("postgres://u:s3cret@127.0.0.1:{port}/x?sslmode=disable");
    for arguments in [&["migrate", "status"][..], &["migrate"]] {
        let thread = std::thread::spawn({
            let listener = listener.try_clone().unwrap();
            move || refuse_password(&listener)
        });
        let error = failure(
            &project.path(""),
            &[arguments, &["--database-url", &url]].concat(),
        );
        thread.join().unwrap();
        assert!(
            error.contains("password authentication failed for user \"u\""),
            "{error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
    }
    drop(listener);
    let error = failure(&project.path(""), &["migrate", "--database-url", &url]);
    assert!(
        error.contains(&format!("127.0.0.1:{port}")) && error.contains("is the server running"),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");

    let error = failure(
        &project.path(""),
        &["migrate", "--database-url", "postgres://u@no-such-host.invalid/x"],
    );
    assert!(error.contains("no-such-host.invalid"), "{error}");
}

#[tokio::test]
async fn a_role_or_database_that_does_not_exist_is_named() {
    let (project, database) = (project(), Database::create("input").await);
    let error = failure(
        &project.path(""),
        &["migrate", "--database-url", &database.url_as("no_such_role")],
    );
    assert!(error.contains("role \"no_such_role\" does not exist"), "{error}");
    let elsewhere = database.url().rsplit_once('/').unwrap().0.to_owned() + "/no_such_database";
    let error = failure(&project.path(""), &["migrate", "--database-url", &elsewhere]);
    assert!(
        error.contains("database \"no_such_database\" does not exist"),
        "{error}"
    );
}

#[test]
fn a_command_line_that_makes_no_sense_is_usage() {
    let folder = project();
    for arguments in [
        &["migrate", "--lock-timeout", "soon"][..],
        &["migrate", "--lock-timeout", "10parsecs"],
        &["migrate", "--target", "1.5"],
        &["migrate", "--target", "99999999999999999999"],
        &["migrate", "status", "--format", "xml"],
        &["migrate", "down"],
        &["migrate", "--database-url"],
    ] {
        let (code, out, err) = tool(&folder.path(""), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.starts_with("error: "), "{err}");
    }
    assert!(failure(&folder.path(""), &["migrate"]).contains("no database was named"));
    let malformed = ["migrate", "--database-url", "postgres://u:s3cret@[/x"];
    let error = failure(&folder.path(""), &malformed);
    assert!(
        error.contains("malformed") && !error.contains("s3cret"),
        "{error}"
    );
}

/// Flags that a command would not follow are errors, not ignored: `status` changes nothing in any case.
#[tokio::test]
async fn status_takes_no_flag_that_only_a_run_follows() {
    let (project, database) = (project(), Database::create("input").await);
    for flag in [&["--dry-run"][..], &["--target", "1"], &["--lock-timeout", "1s"]] {
        let url = database.url();
        let arguments = [&["migrate", "--database-url", &url][..], flag, &["status"]].concat();
        let (code, out, err) = tool(&project.path(""), &arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{flag:?}: {err}");
    }
}

#[tokio::test]
async fn the_database_may_come_from_the_environment() {
    let (project, database) = (project(), Database::create("input").await);
    let output = command(&project.path(""), &["migrate"])
        .env("DATABASE_URL", database.url())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let output = command(&project.path(""), &["migrate"])
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/x")
        .args(["--database-url", &database.url()])
        .output()
        .unwrap();
    assert_eq!(
        output.stdout, b"nothing to do\n",
        "the flag goes before the variable"
    );
}
