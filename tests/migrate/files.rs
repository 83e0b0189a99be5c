//! Files and folders that cannot be right: each is one clear error before the database is touched.

use std::fs;
use std::os::unix::fs::symlink;

use rls_tool::ErrorKind;
use rls_tool::migrate::{Migrator, Source};

use crate::project::{Project, exists, names, text, value, versions};
use crate::support::Database;
use crate::tool::failure;

/// The error of reading the project's files.
fn unreadable(project: &Project) -> String {
    text(&Migrator::new(project.source()).unwrap_err())
}

#[test]
fn a_misnamed_file_is_named() {
    for name in [
        "1__a.sql",
        "v1__a.sql",
        "V1_a.sql",
        "V1__a b.sql",
        "V1.1__a.sql",
        "add_orders.sql",
        "U1__a.sql",
        // A migration by its name that Refinery, and a look at *.sql alone, would pass over.
        "V2__b.sq",
        "V2__b",
        "V2__b.sql.txt",
        "V2__b.pgsql",
        "V2__b.rs",
        "orders.sql.bak",
    ] {
        let project = Project::new(&[("migrations/V1__first.sql", "select 1")]);
        project.write(&format!("migrations/{name}"), "select 1");
        let error = unreadable(&project);
        assert!(
            error.contains(name) && error.contains("help: "),
            "{name}: {error}"
        );
    }
}

#[test]
fn other_files_may_lie_beside_the_migrations() {
    let project = Project::new(&[("migrations/V1__first.sql", "select 1")]);
    for name in [
        "README.md",
        ".gitkeep",
        ".V1__first.sql.swp",
        "V1__first.sql~",
        "notes.txt",
        ".git/V9__x.sql",
    ] {
        project.write(&format!("migrations/{name}"), "not sql");
    }
    drop(project.migrator());
}

#[test]
fn two_files_of_one_version_are_named() {
    let project = Project::new(&[
        ("migrations/V2__b.sql", "select 1"),
        ("migrations/sub/V02__c.sql", "select 1"),
    ]);
    let error = unreadable(&project);
    assert!(
        error.contains("V2__b.sql") && error.contains("V02__c.sql") && error.contains("version 2"),
        "{error}"
    );
    let project = Project::new(&[("policies/t.sql", "select 1"), ("policies/sub/t.sql", "select 1")]);
    assert!(unreadable(&project).contains("have the same name"));
}

#[test]
fn a_huge_version_says_how_large_one_may_be() {
    for version in ["2147483648", "20260131120000", "99999999999999999999999999"] {
        let project = Project::new(&[]);
        project.write(&format!("migrations/V{version}__a.sql"), "select 1");
        let error = unreadable(&project);
        assert!(
            error.contains(version) && error.contains("largest is 2147483647"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_largest_version_is_applied() {
    let database = Database::create("files").await;
    let project = Project::new(&[("migrations/V2147483647__a.sql", "create table t ()")]);
    let mut client = database.admin().await;
    project.run(&mut client).await;
    assert_eq!(versions(&client).await, "2147483647");
    assert!(project.run(&mut client).await.is_empty());
}

#[test]
fn text_that_is_not_utf_8_names_file_and_line() {
    let project = Project::new(&[]);
    project.write("migrations/V1__a.sql", b"select 1;\nselect '\xfc';\n");
    let error = unreadable(&project);
    assert!(
        error.contains("V1__a.sql, line 2: the file is not UTF-8"),
        "{error}"
    );
    let utf_16: Vec<u8> = "select 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    project.write("migrations/V1__a.sql", utf_16);
    assert!(unreadable(&project).contains("UTF-16"));
    project.write("migrations/V1__a.sql", "\u{feff}select 1");
    assert!(unreadable(&project).contains("byte order mark"));
}

#[test]
fn a_folder_that_is_missing_or_empty_is_named() {
    let project = Project::new(&[]);
    let source = |folder| Source::Folders {
        migrations: Some(project.path(folder)),
        policies: None,
    };
    let error = Migrator::new(source("nowhere")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        text(&error).contains("nowhere") && text(&error).contains("help: "),
        "{}",
        text(&error)
    );
    fs::create_dir(project.path("empty")).unwrap();
    assert!(
        text(&Migrator::new(source("empty")).unwrap_err()).contains("empty: the folder holds no .sql file")
    );
    project.write("file.sql", "select 1");
    assert!(text(&Migrator::new(source("file.sql")).unwrap_err()).contains("file.sql"));
}

/// Kubernetes mounts a ConfigMap so: the files are links into a hidden folder, which must not count a second time.
#[test]
fn links_to_files_are_read_and_hidden_folders_are_not() {
    let project = Project::new(&[("migrations/..2026_01_31/V1__a.sql", "select 1")]);
    symlink("..2026_01_31", project.path("migrations/..data")).unwrap();
    symlink("..data/V1__a.sql", project.path("migrations/V1__a.sql")).unwrap();
    drop(project.migrator());
    // A link to a folder would be left out without a word otherwise.
    symlink("..data", project.path("migrations/more")).unwrap();
    assert!(
        unreadable(&project).contains("more: "),
        "{}",
        unreadable(&project)
    );
    fs::remove_file(project.path("migrations/more")).unwrap();
    symlink("gone.sql", project.path("migrations/V2__gone.sql")).unwrap();
    assert!(unreadable(&project).contains("V2__gone.sql"));
}

#[tokio::test]
async fn line_endings_make_no_other_file() {
    let database = Database::create("files").await;
    let mut client = database.admin().await;
    let unix = "create table t (id int);\ncomment on table t is 'two\nlines';\n";
    let policy = "alter table t enable row level security;\ncreate policy p on t\n using (true);\n";
    let project = Project::new(&[("migrations/V1__t.sql", &unix.replace('\n', "\r\n"))]);
    project.write("policies/t.sql", policy.replace('\n', "\r\n"));
    project.run(&mut client).await;
    assert_eq!(
        value(&client, "obj_description('t'::regclass)").await,
        "two\nlines"
    );
    project.write("migrations/V1__t.sql", unix);
    project.write("policies/t.sql", policy);
    assert!(project.run(&mut client).await.is_empty());
}

#[tokio::test]
async fn the_program_refuses_each_and_applies_nothing() {
    let database = Database::create("files").await;
    let url = database.url();
    let project = Project::new(&[("migrations/V1__t.sql", "create table t ()")]);
    for (name, bytes) in [
        ("V2__bad-name.sql", &b"select 1"[..]),
        ("V1__twice.sql", b"select 1"),
        ("V99999999999__huge.sql", b"select 1"),
        ("V2__latin.sql", b"select '\xe9'"),
        ("V2__bom.sql", b"\xef\xbb\xbfselect 1"),
        ("V2__mark.sql", b"-- rls-tool: no-transactions\nselect 1"),
        ("V2__commit.sql", b"select 1;\ncommit;"),
    ] {
        project.write(&format!("migrations/{name}"), bytes);
        let error = failure(&project.path(""), &["migrate", "--database-url", &url]);
        assert!(error.contains(name), "{error}");
        assert!(error.contains("help: "), "{error}");
        project.remove(&format!("migrations/{name}"));
    }
    for arguments in [["--migrations", "nowhere"], ["--policies", "nowhere"]] {
        let error = failure(
            &project.path(""),
            &[&["migrate", "--database-url", &url][..], &arguments].concat(),
        );
        assert!(error.contains("nowhere"), "{error}");
    }
    let mut client = database.admin().await;
    assert!(!exists(&client, "t").await && versions(&client).await.is_empty());
    // The twin: without the bad files, the same project is applied.
    assert_eq!(names(&project.run(&mut client).await), ["V1__t.sql"]);
}
