//! Connections that break: at every message, by a killed backend, by a server that restarts. The operation fails or is
//! done; what the next one sees is its own tenant's, on a connection that works.

use std::time::Duration;

use rls_tool::ephemeral::Server;
use rls_tool::session::{SessionConfig, TenantPool};
use rls_tool::{Error, ErrorKind};

use crate::proxy::{Proxy, Way};
use crate::support::run;
use crate::tenants::{SEEN, World};

const INSERT: &str = "insert into shop.items (id) values ($1)";

struct Broken {
    world: World,
    proxy: Proxy,
    pool: TenantPool,
}

impl Broken {
    async fn new(hint: &str) -> Self {
        let world = World::new(hint).await;
        let proxy = Proxy::start(world.db.port());
        let pool = TenantPool::builder()
            .url(world.url(proxy.port()))
            .max_size(1)
            .config(SessionConfig::new().checkout_timeout(Duration::from_secs(5)))
            .build()
            .await
            .unwrap();
        Self { world, proxy, pool }
    }

    /// The pool works, each tenant sees its own, and nobody is bound who did not say so.
    async fn is_whole(&self) {
        for tenant in ["b", "a"] {
            // A connection that died in the pool may cost one error, never more: there is only one.
            let seen = match self.seen(tenant).await {
                Err(error) if error.kind() == ErrorKind::Closed => self.seen(tenant).await,
                other => other,
            };
            match seen {
                Ok(seen) => assert_eq!(seen, [tenant]),
                Err(error) => panic!("the pool did not recover: {}", error.chain()),
            }
        }
    }

    async fn seen(&self, tenant: &str) -> Result<Vec<String>, Error> {
        let rows = self.pool.tenant(tenant).query(SEEN, &[]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn stored(&self, id: &str) -> bool {
        let sql = "select count(*) from shop.items where id = $1 and tenant_id = 'a'";
        let count: i64 = self.world.admin.query_one(sql, &[&id]).await.unwrap().get(0);
        count == 1
    }

    /// Cuts the connection at each message of the operation in turn, until there is none left to cut at. The operation
    /// gets an id to insert for tenant a.
    async fn cut_everywhere<F>(&self, operation: impl Fn(TenantPool, String) -> F)
    where
        F: Future<Output = Result<(), Error>>,
    {
        let (mut lost, mut kept) = (0, 0);
        for way in [Way::Request, Way::Answer] {
            for messages in 0.. {
                assert!(messages < 100, "an operation without an end");
                self.is_whole().await;
                let id = format!("{way:?}-{messages}");
                self.proxy.cut_after(way, messages);
                let outcome = operation(self.pool.clone(), id.clone()).await;
                let was_cut = !self.proxy.disarm();
                match &outcome {
                    Ok(()) => assert!(self.stored(&id).await, "acknowledged and lost: {id}"),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Closed, "{id}: {}", error.chain());
                        // The server may still be reading what arrived before the cut.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        if self.stored(&id).await {
                            kept += 1;
                        } else {
                            lost += 1;
                        }
                    }
                }
                self.is_whole().await;
                if !was_cut {
                    outcome.unwrap();
                    break;
                }
            }
        }
        // Before the COMMIT arrives nothing is stored; after it, the answer alone is lost.
        assert!(
            lost > 0 && kept > 0,
            "{lost} not stored, {kept} stored but unanswered"
        );
    }
}

#[tokio::test]
async fn a_one_shot_cut_at_each_message() {
    let broken = Broken::new("cut_one").await;
    broken
        .cut_everywhere(|pool, id| async move { pool.tenant("a").execute(INSERT, &[&id]).await.map(drop) })
        .await;
}

#[tokio::test]
async fn a_transaction_cut_at_each_message() {
    let broken = Broken::new("cut_tx").await;
    broken
        .cut_everywhere(|pool, id| async move {
            let tx = pool.tenant("a").begin().await?;
            let rows = tx.query(SEEN, &[]).await?;
            assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["a"]);
            tx.execute(INSERT, &[&id]).await?;
            tx.commit().await
        })
        .await;
}

/// The backend ends at each step of a transaction; the pool's next connection is a new one.
#[tokio::test]
async fn a_backend_killed_at_each_step() {
    let broken = Broken::new("killed").await;
    for step in 0..4 {
        broken.is_whole().await;
        let id = format!("killed-{step}");
        let outcome = async {
            broken.kill(step == 0).await;
            let tx = broken.pool.tenant("a").begin().await?;
            broken.kill(step == 1).await;
            tx.execute(INSERT, &[&id]).await?;
            broken.kill(step == 2).await;
            tx.query(SEEN, &[]).await?;
            broken.kill(step == 3).await;
            tx.commit().await
        };
        match outcome.await {
            // Nothing had been sent yet: a connection that is seen to be dead is not used.
            Ok(()) => assert!(step < 2 && broken.stored(&id).await, "step {step}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Closed, "step {step}: {}", error.chain());
                assert!(!broken.stored(&id).await, "step {step}");
            }
        }
        broken.is_whole().await;
    }
}

impl Broken {
    /// Ends the pool's backends and waits until they are gone.
    async fn kill(&self, now: bool) {
        if !now {
            return;
        }
        let sql = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity \
                   where usename = $1 and datname = current_database()";
        let killed: i64 = self
            .world
            .admin
            .query_one(sql, &[&self.world.role])
            .await
            .unwrap()
            .get(0);
        assert_eq!(killed, 1);
        // The news has to reach the client.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A crash of one backend makes the server restart itself, with every connection.
#[tokio::test]
async fn the_server_restarts() {
    // A server of its own: every test of another's would fail.
    let server = Server::start().await.unwrap();
    let admin = server.options().connect().await.unwrap();
    run(
        &admin,
        &include_str!("../support/tenants.sql").replace("{role}", "restarted_app"),
    )
    .await;
    // Throwaway servers write nothing to disk by themselves, and what was not written is gone with the crash.
    run(&admin, "checkpoint").await;
    let url = server.url().replace("postgres@", "restarted_app@") + "?sslmode=disable";
    let pool = TenantPool::builder()
        .url(&*url)
        .max_size(2)
        .build()
        .await
        .unwrap();
    let pid: i32 = admin
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let tx = pool.tenant("a").begin().await.unwrap();
    tx.execute(INSERT, &[&"uncommitted"]).await.unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    // The server notices a moment later.
    let error = loop {
        if let Err(error) = tx.query(SEEN, &[]).await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Closed, "{}", error.chain());
    assert!(tx.commit().await.is_err());
    let mut tries = 0;
    let rows = loop {
        match pool.tenant("a").query("select id from shop.items", &[]).await {
            Ok(rows) => break rows,
            Err(error) if tries < 500 => {
                assert!(
                    matches!(error.kind(), ErrorKind::Closed | ErrorKind::Connect),
                    "{}",
                    error.chain()
                );
                tries += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => panic!("the pool did not recover: {}", error.chain()),
        }
    };
    let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, ["a-1", "a-2", "a-3"]);
    server.stop().await;
}
