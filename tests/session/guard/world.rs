//! A database of two tenants in which a danger is made, attacked, refused, and mended.

use rls_tool::session::guard::{GuardOptions, check};
use rls_tool::{Error, ErrorKind};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::support::{self, Database, run};

/// Two tenants' rows under a forced policy; `{app}` logs in, `{owner}` owns, `{free}` and `{team}` are given what a test
/// needs.
const SCHEMA: &str = include_str!("world.sql");

/// Whether both tenants' rows can be read.
pub(super) const READS_ALL: &str = "select count(distinct tenant_id) = 2 from guarded.items";

pub(super) struct World {
    db: Database,
    pub(super) admin: Client,
    name: String,
}

impl World {
    pub(super) async fn new(hint: &str) -> Self {
        let db = Database::create(hint).await;
        let admin = db.admin().await;
        let name = admin
            .query_one("select current_database()::text", &[])
            .await
            .unwrap()
            .get(0);
        let world = Self { db, admin, name };
        run(&world.admin, &world.fill(SCHEMA)).await;
        world
    }

    pub(super) fn fill(&self, sql: &str) -> String {
        ["app", "owner", "free", "team"].iter().fold(
            sql.replace("{database}", &self.name)
                .replace("{setting}", &self.setting()),
            |sql, role| sql.replace(&format!("{{{role}}}"), &self.role(role)),
        )
    }

    /// Roles and settings of the cluster are shared with other tests, so each world has names of its own. One needs
    /// quotes, so that a statement without them fails.
    fn role(&self, role: &str) -> String {
        format!("\"{}-{role}\"", self.name)
    }

    fn setting(&self) -> String {
        format!("{}.Tenant", self.name)
    }

    pub(super) async fn app(&self) -> Client {
        self.db.client_as(self.role("app").trim_matches('"')).await
    }

    pub(super) async fn checked(&self, client: &Client) -> Result<(), Error> {
        check(client, &GuardOptions::new([self.setting()])).await
    }

    /// Makes the danger, and sees the guard refuse what the attack exploits, and only that.
    pub(super) async fn refuses(&self, danger: &str, attack: &str, says: &str) {
        self.is_safe(attack).await;
        run(&self.admin, &self.fill(danger)).await;
        let app = self.app().await;
        assert!(self.works(&app, attack).await, "no danger: {attack}");
        let error = self.checked(&app).await.expect_err("the guard saw nothing");
        assert_eq!(error.kind(), ErrorKind::UnsafeRole);
        let says = self.fill(says);
        assert!(error.to_string().contains(&says), "{says:?} not in: {error}");
        run(&self.admin, error.help().unwrap()).await;
        self.is_safe(attack).await;
    }

    /// The guard has nothing to say, and the attack fails.
    pub(super) async fn is_safe(&self, attack: &str) {
        let app = self.app().await;
        if let Err(error) = self.checked(&app).await {
            panic!("{error}");
        }
        assert!(!self.works(&app, attack).await, "works unnoticed: {attack}");
    }

    /// Runs the attack and takes it back; whether its last statement said true.
    pub(super) async fn works(&self, client: &Client, attack: &str) -> bool {
        let script = self.fill(&format!("begin; {attack}"));
        let result = client.simple_query(&script).await;
        run(client, "rollback").await;
        let Ok(messages) = result else { return false };
        let last = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        last == Some("t")
    }

    pub(super) async fn version(&self) -> u32 {
        support::server().await.version()
    }
}
