//! A login as a role under test, perhaps bound to a tenant, with assertions about what it sees and may do.

use std::fmt;
use std::ops::{Deref, DerefMut};

use tokio_postgres::Client;

use super::owned;
use super::postgres::Postgres;
use super::{cannot, owned::Seen};
use crate::audit::Command;

/// A client that is logged in as a role under test; it is a [`Client`] in every respect.
///
/// The assertions panic where what they say is not so, and where it cannot be told.
pub struct RoleSession<'a> {
    db: &'a Postgres,
    client: Client,
    role: String,
    tenant: Option<String>,
}

impl<'a> RoleSession<'a> {
    pub(super) fn new(db: &'a Postgres, client: Client, role: String, tenant: Option<String>) -> Self {
        Self {
            db,
            client,
            role,
            tenant,
        }
    }

    pub(super) fn bound_to(self, tenant: &str) -> Self {
        Self {
            tenant: Some(tenant.to_owned()),
            ..self
        }
    }

    /// The session sees all of its tenant's rows of the table, or view, and no others; there is at least one.
    ///
    /// # Panics
    ///
    /// Where it sees other rows, lacks some, or sees none; where the session is bound to no tenant or the relation does
    /// not belong to tenants.
    pub async fn sees_only(&self, table: &str) {
        let Some(tenant) = &self.tenant else {
            panic!("{self} is bound to no tenant: sees_only is for sessions of as_tenant");
        };
        let Seen {
            foreign,
            missing,
            own,
        } = self.look(table, Some(tenant)).await;
        assert!(
            foreign.is_empty(),
            "{self} sees {} of {table} that {} not its own:\n{}",
            rows(foreign.len()),
            if foreign.len() == 1 { "is" } else { "are" },
            list(&foreign)
        );
        assert!(
            missing.is_empty(),
            "{self} does not see {} of {table} that {} its own:\n{}",
            rows(missing.len()),
            if missing.len() == 1 { "is" } else { "are" },
            list(&missing)
        );
        assert!(
            own > 0,
            "{self} sees no rows of {table} because it has none there, which shows nothing: make some first, with \
             db.tenants() for example"
        );
    }

    /// The session sees no row of the table, or view, although there are some.
    ///
    /// # Panics
    ///
    /// Where it sees rows, and where the table is empty: not to see its rows shows nothing then.
    pub async fn sees_nothing(&self, table: &str) {
        let Seen { foreign, missing, .. } = self.look(table, None).await;
        assert!(
            foreign.is_empty(),
            "{self} sees {} of {table}:\n{}",
            rows(foreign.len()),
            list(&foreign)
        );
        assert!(
            !missing.is_empty(),
            "{self} sees no rows of {table} because there are none, which shows nothing: make some first, with \
             db.tenants() for example"
        );
    }

    /// The role cannot add rows of another tenant to the table, however it is bound: inserting, giving rows away in the
    /// INSERT, ON CONFLICT, COPY. Tried as `rls-tool verify-isolation` does, with rows made for it, and rolled back.
    ///
    /// # Panics
    ///
    /// Where one of the attacks works, with a script that shows it; where they could not be made, with the reason.
    pub async fn cannot_insert(&self, table: &str) {
        self.cannot(table, Command::Insert).await;
    }

    /// The same for changing another tenant's rows, taking them over and giving rows away.
    ///
    /// # Panics
    ///
    /// As [`cannot_insert`](Self::cannot_insert).
    pub async fn cannot_update(&self, table: &str) {
        self.cannot(table, Command::Update).await;
    }

    /// The same for removing another tenant's rows.
    ///
    /// # Panics
    ///
    /// As [`cannot_insert`](Self::cannot_insert).
    pub async fn cannot_delete(&self, table: &str) {
        self.cannot(table, Command::Delete).await;
    }

    async fn look(&self, table: &str, tenant: Option<&str>) -> Seen {
        // Boxed: the futures of a whole audit would be the test's.
        match Box::pin(owned::look(self.db, &self.client, &self.role, table, tenant)).await {
            Ok(seen) => seen,
            Err(error) => panic!("{self}: {}{}", error.chain(), help(&error)),
        }
    }

    async fn cannot(&self, table: &str, command: Command) {
        match Box::pin(cannot::tried(self.db, &self.role, table, command)).await {
            Ok(Ok(())) => {}
            Ok(Err(shown)) => panic!("{shown}"),
            Err(error) => panic!(
                "whether {} can {} {table} could not be found out: {}{}",
                self.role,
                command.as_sql(),
                error.chain(),
                help(&error)
            ),
        }
    }
}

pub(super) fn help(error: &crate::Error) -> String {
    error
        .help()
        .map(|help| format!("\n  help: {help}"))
        .unwrap_or_default()
}

fn rows(count: usize) -> String {
    if count == 1 {
        "1 row".to_owned()
    } else {
        format!("{count} rows")
    }
}

/// The first of them, a line each.
fn list(rows: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<_> = rows.iter().take(SHOWN).map(|row| format!("  {row}")).collect();
    if rows.len() > SHOWN {
        lines.push(format!("  … and {} more", rows.len() - SHOWN));
    }
    lines.join("\n")
}

impl fmt::Display for RoleSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tenant {
            Some(tenant) => write!(f, "{} bound to {tenant}", self.role),
            None => write!(f, "{} bound to no tenant", self.role),
        }
    }
}

impl fmt::Debug for RoleSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleSession")
            .field("database", &self.db.name())
            .field("role", &self.role)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl Deref for RoleSession<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for RoleSession<'_> {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
