//! Servers in containers. Needs a Docker daemon on this machine and the `docker` command to look at its containers, so
//! plain `cargo test` leaves it out: `cargo test --all-features --test ephemeral_docker`.
//!
//! `RLS_TEST_PG_VERSION` chooses the image's tag. Where no image registry is reached, `tests/docker/image.sh` makes an image.

#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests are tests")]

#[path = "ephemeral/owner.rs"]
mod owner;

use std::process::Command;
use std::time::Duration;

use owner::{Owner, command};
use rls_tool::ephemeral::{Server, Source};

fn version() -> Option<u32> {
    std::env::var("RLS_TEST_PG_VERSION")
        .ok()
        .map(|text| text.parse().unwrap())
}

async fn start() -> Server {
    match Server::builder()
        .source(Source::Docker)
        .version(version())
        .start()
        .await
    {
        Ok(server) => server,
        Err(error) => panic!("this test needs a Docker daemon: {}", error.chain()),
    }
}

/// What `docker ps` shows of our container on `port`.
fn container(port: u16) -> String {
    let output = Command::new("docker")
        .args([
            "ps",
            "--all",
            "--filter",
            "label=rls-tool.throwaway",
            "--format",
            "{{.ID}} {{.Ports}}",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| line.contains(&format!(":{port}->")))
        .collect()
}

async fn vanishes(port: u16) -> bool {
    for _ in 0..30 {
        if container(port).is_empty() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    false
}

fn port_of(options: &rls_tool::connect::ConnectOptions) -> u16 {
    options.config().get_ports()[0]
}

#[tokio::test]
async fn a_container_starts_reaches_only_this_machine_and_is_removed() {
    let server = start().await;
    if let Some(version) = version() {
        assert_eq!(server.version(), version);
    }
    let client = server.options().connect().await.unwrap();
    client
        .batch_execute("create role app login; create table t ()")
        .await
        .unwrap();
    let app = server.options().as_role("app", None).connect().await.unwrap();
    drop(app);
    let port = port_of(&server.options());
    let shown = container(port);
    assert!(
        shown.contains("127.0.0.1:") && !shown.contains("0.0.0.0") && !shown.contains("[::]"),
        "{shown}"
    );
    server.stop().await;
    assert!(vanishes(port).await);
}

#[tokio::test]
async fn settings_reach_the_container() {
    let server = Server::builder()
        .source(Source::Docker)
        .version(version())
        .config("work_mem", "7MB")
        .start()
        .await
        .unwrap();
    let client = server.options().connect().await.unwrap();
    let row = client.query_one("show work_mem", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "7MB");
}

#[tokio::test]
async fn an_image_that_does_not_exist_is_named() {
    let error = Server::builder()
        .source(Source::Docker)
        .version(Some(99))
        .start()
        .await
        .unwrap_err();
    assert!(error.chain().contains("postgres:99"), "{}", error.chain());
}

#[tokio::test]
async fn a_setting_that_the_server_refuses_is_quoted_in_the_error() {
    let error = Server::builder()
        .source(Source::Docker)
        .version(version())
        .config("work_mem", "banana")
        .start()
        .await
        .unwrap_err();
    assert!(error.chain().contains("banana"), "{}", error.chain());
}

/// Nothing of ours runs after SIGKILL: the container itself notices that its owner's connection is gone.
#[tokio::test]
async fn a_killed_owners_container_removes_itself() {
    let mut owner = Owner::start(command("wait").env("RLS_TEST_SOURCE", "docker"));
    let port = port_of(&owner.options);
    // While the owner lives the container does too, well beyond its patience.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(owner.answers().await, "a living owner's container stays");
    owner.child.kill().unwrap();
    owner.child.wait().unwrap();
    assert!(vanishes(port).await);
}

#[tokio::test]
async fn a_kept_container_outlives_its_owner_and_goes_when_it_is_stopped() {
    let mut owner = Owner::start(command("keep").env("RLS_TEST_SOURCE", "docker"));
    let stop = owner.line("kept ").unwrap();
    owner.child.wait().unwrap();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(owner.answers().await);
    let status = Command::new("sh")
        .args(["-c", stop.trim_matches('"')])
        .status()
        .unwrap();
    assert!(status.success());
    assert!(vanishes(port_of(&owner.options)).await);
}
