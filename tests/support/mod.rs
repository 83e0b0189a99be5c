//! What integration tests share: one throwaway server a test process, a fresh database a test.
//!
//! Both are the library's own `testing`, with its variables (`RLS_TEST_PG_VERSION`, `RLS_TEST_DATABASE_URL`); here every
//! failure fails the test, and the superuser is at hand. `RLS_TOOL_PG_BIN` says where PostgreSQL's programs are.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test target uses a part of this"
)]

use std::io::{Read, Write};
use std::net::TcpListener;

use rls_tool::connect::ConnectOptions;
use rls_tool::testing::{Postgres, Server};
use tokio_postgres::Client;

/// This test process's server. Its data is deleted after the process ended, however it ends.
pub async fn server() -> &'static Server {
    had(rls_tool::testing::server().await)
}

/// A database of one test, dropped at its end.
#[derive(Debug)]
pub struct Database {
    db: Postgres,
}

impl Database {
    /// A fresh, empty database; `hint` becomes part of its name.
    pub async fn create(hint: &str) -> Self {
        let builder = Postgres::builder().name(hint).superuser_migrations(true);
        Self {
            db: had(builder.start().await),
        }
    }

    /// A fresh database with the reference schema and its policies.
    pub async fn migrated(hint: &str) -> Self {
        let new = Self::create(hint).await;
        had(new.db.migrate_reference().await);
        new
    }

    /// How to reach it as superuser.
    pub fn options(&self) -> ConnectOptions {
        self.db.superuser_options()
    }

    /// Its URL, as superuser: for the command line.
    pub fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// Its URL as another role.
    pub fn url_as(&self, role: &str) -> String {
        self.url_through(self.port(), role)
    }

    /// The same by way of what listens on `port`: a proxy, a pooler.
    pub fn url_through(&self, port: u16, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{port}/{}", self.db.name())
    }

    /// Where the server itself listens.
    pub fn port(&self) -> u16 {
        self.options().config().get_ports()[0]
    }

    /// A client as superuser: for setting up. Never test row security with it.
    pub async fn admin(&self) -> Client {
        connect(&self.options()).await
    }

    /// A client as `role`.
    pub async fn client_as(&self, role: &str) -> Client {
        connect(&self.options().as_role(role, None)).await
    }
}

/// The value, or the test fails with the whole reason and the way out.
fn had<T>(result: rls_tool::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{}\n  help: {}", error.chain(), error.help().unwrap_or("none")),
    }
}

/// Connects, or fails the test with the whole reason.
pub async fn connect(options: &ConnectOptions) -> Client {
    match options.connect().await {
        Ok(client) => client,
        Err(error) => panic!("{}", error.chain()),
    }
}

/// Runs statements, or fails the test with PostgreSQL's message.
pub async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!(
            "{}\nin: {sql}",
            error
                .as_db_error()
                .map_or(error.to_string(), |db| format!("{db:?}"))
        );
    }
}

/// What PostgreSQL answers to a wrong password.
pub fn refuse_password(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().unwrap();
    let read = stream.read(&mut [0; 1024]).unwrap();
    assert!(read > 0);
    let fields = "SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"u\"\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap();
    stream.write_all(b"E").unwrap();
    stream.write_all(&length.to_be_bytes()).unwrap();
    stream.write_all(fields.as_bytes()).unwrap();
}
