//! The documentation is true: SQL blocks run on the reference schema, command lines are ones that rls-tool takes, rls.toml
//! examples are read, links lead somewhere, and docs/checks.md lists the checks that there are. (Rust blocks are doctests, src/doctests.rs;
//! those that are tests are run by tests/testing/guide.rs.)
//!
//! An HTML comment before a block says what it needs: `<!-- test: SQL -->` is run first, `<!-- test: skip, REASON -->`
//! leaves the block out.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../support/mod.rs"]
mod support;

mod blocks;
mod checks;
mod commands;
mod links;
mod rust;
mod sql;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and docs/*.md, with their text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|found| found == "md") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().to_owned(), text)
    };
    paths.into_iter().map(read).collect()
}
