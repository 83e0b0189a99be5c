//! Isolation tests in your own crate: a PostgreSQL server a test process, a database a test, two tenants with rows in
//! every table, the audit, and assertions that say what went wrong.
//!
//! ```no_run
//! # async fn example() -> rls_tool::Result<()> {
//! use rls_tool::testing;
//!
//! let db = testing::Postgres::start().await?;
//! db.migrate("migrations", "policies").await?;
//! let report = testing::audit(&db).role("app").run().await?;
//! testing::assert_isolated(&report);
//!
//! let [a, b] = db.tenants().await?;
//! db.as_tenant(&a).await?.sees_only("public.invoices").await;
//! db.as_tenant(&b).await?.cannot_delete("public.invoices").await;
//! db.as_role("app").await?.sees_nothing("public.invoices").await;
//! # Ok(())
//! # }
//! ```
//!
//! # The server
//!
//! Programs on this machine, a Docker daemon (feature `docker`), or a fetched build: the first that works, as
//! [`ephemeral`](crate::ephemeral) says. `RLS_TEST_PG_VERSION` asks for a major version, `RLS_TEST_SERVER` for one of
//! `installed`, `docker` and `fetched`. `RLS_TEST_DATABASE_URL` names a
//! server that is there already, with a role that may create databases and roles; nothing but new databases is touched
//! there. Where no server can be had, [`Postgres::start`] is an error that says how to get one: nothing is skipped.
//!
//! # Who is who
//!
//! Migrations are applied by a role that owns the database and is no superuser, as in production. The application's role
//! is logged in as itself: a superuser, and a role with BYPASSRLS, is refused, because it would see everything. Roles
//! belong to the whole server: migrations that create one must expect that it exists, or leave it to
//! [`Postgres::create_role`].
//!
//! Assertions panic, with the rows or the runnable exploit in the message; everything else returns a [`Result`](crate::Result).

mod assertions;
mod audit;
mod builder;
mod cannot;
mod keeper;
mod logins;
mod names;
mod owned;
mod postgres;
mod role_session;
mod roles;
mod server;
mod sql_files;
mod templates;
mod tenants;

pub use assertions::{assert_every_door_decided, assert_isolated, assert_no_table_left_uncategorised};
pub use audit::{TestAudit, audit};
pub use builder::Builder;
pub use postgres::Postgres;
pub use role_session::RoleSession;
pub use server::{Server, server};
pub use tenants::Tenant;
