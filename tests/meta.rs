//! Tests about the repository itself: every check has a well-formed name and page, expectations that make sense, and a
//! message style. Needs no server.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rls_tool::audit::{Entry, check, checks};

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut list = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                list.push(path);
            }
        }
    }
    list.sort();
    list
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn each(complaint: impl Fn(&Entry) -> Vec<String>) {
    let complaints: Vec<String> = checks()
        .iter()
        .flat_map(|entry| {
            complaint(entry)
                .into_iter()
                .map(|text| format!("{}: {text}", entry.name))
        })
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn names_are_unique_kebab_case_and_name_the_defect() {
    let names: BTreeSet<_> = checks().iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), checks().len());
    each(|entry| {
        let mut complaints = Vec::new();
        let well_formed = entry.name.split('-').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        if !well_formed {
            complaints.push("is not in kebab case".to_owned());
        }
        for remedy in [
            "use-", "prefer-", "avoid-", "require-", "ban-", "force-", "enable-", "add-", "do-",
        ] {
            if entry.name.starts_with(remedy) {
                complaints.push(format!("names a remedy ({remedy})"));
            }
        }
        assert_eq!(check(entry.name).unwrap().name, entry.name);
        complaints
    });
}

#[test]
fn pages_have_one_sentence_and_the_four_headings() {
    each(|entry| {
        let mut complaints = Vec::new();
        let first = entry.page.split("\n\n").next().unwrap_or_default();
        if first.starts_with('#') || !first.ends_with('.') {
            complaints.push("the page does not begin with a sentence".to_owned());
        }
        let headings: Vec<_> = entry.page.lines().filter(|line| line.starts_with('#')).collect();
        if headings
            != [
                "## What it does",
                "## Why it matters",
                "## How to fix",
                "## Known problems",
            ]
        {
            complaints.push(format!("headings are {headings:?}"));
        }
        if entry.page.contains("```") {
            complaints.push("examples belong into bad.sql and good.sql".to_owned());
        }
        complaints
    });
}

#[test]
fn bad_files_expect_something_that_exists_and_good_files_nothing() {
    each(|entry| {
        let mut complaints = Vec::new();
        for (file, sql) in entry.bad {
            let expected: Vec<_> = sql
                .lines()
                .filter_map(|line| line.trim().strip_prefix("-- expect"))
                .filter_map(|line| line.split_once(": ").map(|(_, expected)| expected))
                .collect();
            if expected.is_empty() {
                complaints.push(format!("{file} expects nothing"));
            }
            for line in expected {
                let name = line.split(' ').next().unwrap_or_default();
                if check(name).is_none() {
                    complaints.push(format!("{file} expects {name}, which is no check"));
                }
            }
        }
        for (file, sql) in entry.good {
            if sql.contains("-- expect") {
                complaints.push(format!("{file} expects something"));
            }
        }
        // A variant says in its first line what is special about it.
        for (file, sql) in entry.bad.iter().chain(entry.good) {
            if file.contains('-') && !sql.starts_with("-- ") {
                complaints.push(format!("{file} does not begin with a comment"));
            }
        }
        complaints
    });
}

#[test]
fn roles_of_fixtures_are_their_own() {
    // Fixtures run at the same time on one server, where roles are shared: equal names would make them wait in turn.
    let mut seen = std::collections::BTreeMap::<String, String>::new();
    each(|entry| {
        let mut complaints = Vec::new();
        for (_, sql) in entry.bad.iter().chain(entry.good) {
            for line in sql.lines() {
                if let Some(rest) = line.trim().strip_prefix("create role ") {
                    let role = rest.split([' ', ';']).next().unwrap_or_default();
                    if !role.contains('_') {
                        complaints.push(format!("role {role} has no prefix"));
                    }
                }
            }
        }
        complaints
    });
    for entry in checks() {
        for (_, sql) in entry.bad.iter().chain(entry.good) {
            for line in sql
                .lines()
                .filter_map(|line| line.trim().strip_prefix("create role "))
            {
                let role = line.split([' ', ';']).next().unwrap_or_default().to_owned();
                let owner = seen.entry(role.clone()).or_insert_with(|| entry.name.to_owned());
                assert_eq!(owner, entry.name, "role {role} is used by two checks");
            }
        }
    }
}

#[test]
fn summaries_are_lowercase_fragments() {
    each(|entry| {
        let summary = entry.item.summary;
        let acronym = summary.chars().nth(1).is_some_and(char::is_uppercase);
        let mut complaints = Vec::new();
        if summary.starts_with(char::is_uppercase) && !acronym || summary.ends_with('.') {
            complaints.push(format!("summary {summary:?}"));
        }
        complaints
    });
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let mut complaints = Vec::new();
    for folder in ["src", "tests", "benches"] {
        let folder = root().join(folder);
        for path in files(&folder, "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // The crate's page is README.md.
            if !text.starts_with("//! ") && !text.starts_with("#![doc = include_str!") {
                complaints.push(path.display().to_string());
            }
        }
    }
    assert!(complaints.is_empty(), "without a //! header: {complaints:#?}");
}

#[test]
fn nothing_was_left_behind() {
    // Put together, so that this file does not find itself.
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["dbg", "!("].concat(),
        ["todo", "!("].concat(),
    ];
    let mut complaints = Vec::new();
    for folder in ["src", "tests"] {
        for path in files(&root().join(folder), "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // PostgreSQL has a node CoerceToDomain, which is no note to anybody.
            let text = text.replace("COERCETODOMAIN", "");
            for word in words.iter().filter(|word| text.contains(word.as_str())) {
                complaints.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn layers_are_kept() {
    // A room may use only what stands before it (DESIGN, section 3).
    let forbidden = [
        (
            "catalog",
            &["crate::model", "crate::checks", "crate::attack", "crate::report"][..],
        ),
        ("model", &["crate::checks", "crate::attack", "crate::report"]),
        ("checks", &["tokio_postgres", "crate::attack", "crate::report"]),
        (
            "report",
            &[
                "crate::catalog",
                "crate::model",
                "crate::checks",
                "tokio_postgres",
            ],
        ),
    ];
    let mut complaints = Vec::new();
    for (room, words) in forbidden {
        for path in files(&root().join("src").join(room), "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for word in words.iter().filter(|word| text.contains(**word)) {
                complaints.push(format!("{} uses {word}", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn check_folders_are_formatted() {
    // `cargo fmt` does not follow modules that the build script declares.
    let paths: Vec<_> = files(&root().join("src/checks"), "rs");
    let output = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .args(&paths)
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "run .ci/lint or rustfmt on src/checks/*/mod.rs\n{said}"
    );
}
