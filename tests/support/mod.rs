//! What integration tests share: one throwaway server a test process, a fresh database a test.
//!
//! `RLS_TEST_PG_VERSION` chooses the server's major version, `RLS_TOOL_PG_BIN` where its programs are. A test whose
//! server cannot be had fails and says how to get one.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test target uses a part of this"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

use rls_tool::connect::ConnectOptions;
use rls_tool::ephemeral::Server;
use rls_tool::migrate::Migrator;
use rls_tool::sql::Ident;
use tokio::sync::OnceCell;
use tokio_postgres::Client;

/// This test process's server. Its data is deleted after the process ended, however it ends.
pub async fn server() -> &'static Server {
    // Nothing in `Server` belongs to a Tokio runtime, so it outlives the runtime of the test that started it.
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            let version = std::env::var("RLS_TEST_PG_VERSION").ok().map(|text| {
                text.parse()
                    .expect("RLS_TEST_PG_VERSION is a major version such as 17")
            });
            match Server::builder().version(version).start().await {
                Ok(server) => server,
                Err(error) => panic!(
                    "this test needs a PostgreSQL server: {}\n  help: {}",
                    error.chain(),
                    error.help().unwrap_or_default()
                ),
            }
        })
        .await
}

/// A database of one test, dropped at its end.
#[derive(Debug)]
pub struct Database {
    name: String,
    options: ConnectOptions,
}

impl Database {
    /// A fresh, empty database; `hint` becomes part of its name.
    pub async fn create(hint: &str) -> Self {
        Self::from_template(hint, None).await
    }

    /// A fresh database with the reference schema and its policies.
    pub async fn migrated(hint: &str) -> Self {
        const TEMPLATE: &str = "rls_template";
        static READY: OnceCell<()> = OnceCell::const_new();
        READY
            .get_or_init(|| async {
                let server = server().await;
                create_database(server, TEMPLATE, None).await;
                // A database with a connection cannot serve as a template: the client is closed in here.
                apply_reference_schema(&mut connect(&server.options().with_database(TEMPLATE)).await).await;
                wait_until_unused(server, TEMPLATE).await;
            })
            .await;
        Self::from_template(hint, Some(TEMPLATE)).await
    }

    async fn from_template(hint: &str, template: Option<&str>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let server = server().await;
        let name = format!("{hint}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        create_database(server, &name, template).await;
        let options = server.options().with_database(&name);
        Self { name, options }
    }

    /// How to reach it as superuser.
    pub fn options(&self) -> ConnectOptions {
        self.options.clone()
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
        format!("postgres://{role}@127.0.0.1:{port}/{}", self.name)
    }

    /// Where the server itself listens.
    pub fn port(&self) -> u16 {
        self.options.config().get_ports()[0]
    }

    /// A client as superuser: for setting up. Never test row security with it.
    pub async fn admin(&self) -> Client {
        connect(&self.options).await
    }

    /// A client as `role`.
    pub async fn client_as(&self, role: &str) -> Client {
        connect(&self.options.as_role(role, None)).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Best effort, to save disk space. The test's own runtime may be ending, so on one of our own.
        let options = self.options.with_database("postgres");
        let sql = format!(
            "drop database if exists {} with (force)",
            Ident::new(&self.name).unwrap()
        );
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async {
                    if let Ok(client) = options.connect().await {
                        drop(client.batch_execute(&sql).await);
                    }
                });
            }
        });
        drop(thread.join());
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

async fn create_database(server: &Server, name: &str, template: Option<&str>) {
    let admin = connect(&server.options()).await;
    let name = Ident::new(name).unwrap();
    let template = Ident::new(template.unwrap_or("template0")).unwrap();
    run(&admin, &format!("create database {name} template {template}")).await;
}

async fn wait_until_unused(server: &Server, name: &str) {
    let admin = connect(&server.options()).await;
    loop {
        let sql = "select count(*) from pg_stat_activity where datname = $1";
        let count: i64 = admin.query_one(sql, &[&name]).await.unwrap().get(0);
        if count == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// As `rls-tool migrate` does where there are no folders.
async fn apply_reference_schema(client: &mut Client) {
    let migrated = match Migrator::reference() {
        Ok(migrator) => migrator.run(client).await,
        Err(error) => Err(error),
    };
    if let Err(error) = migrated {
        panic!("{}", error.chain());
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
