//! Tenant sessions: no statement without a tenant, in one round trip.
//!
//! A [`TenantPool`] (or a [`TenantSession`] over one client) hands out nothing but scopes of one tenant; a scope runs
//! one statement, or begins a [`TenantTransaction`]. The tenant is bound for one transaction only, by a custom setting
//! (`app.current_tenant`) that PostgreSQL itself takes back when the transaction ends, however it ends. There is no way
//! to the raw client.
//!
//! ```no_run
//! # async fn example(url: &str) -> rls_tool::Result<()> {
//! use rls_tool::{TenantId, TenantPool};
//!
//! let pool = TenantPool::builder().url(url).max_size(16).build().await?;
//! let tenant: TenantId = "ten_01h455vb4pex5vsknk084sn02q".parse().unwrap();
//!
//! // One round trip: BEGIN, the binding, the statement and COMMIT travel together.
//! let rows = pool.tenant(&tenant).query("select id, name from app.processes", &[]).await?;
//!
//! // Two statements that depend on each other: three round trips, the third of them COMMIT.
//! let tx = pool.tenant(&tenant).begin().await?;
//! let id: String = tx.query_one("select id from app.processes limit 1", &[]).await?.get(0);
//! tx.execute("update app.processes set name = 'new' where id = $1", &[&id]).await?;
//! tx.commit().await?; // dropped instead: rolled back
//! # Ok(())
//! # }
//! ```
//!
//! An unbound statement does not compile, because neither the pool nor the session has a way to run one:
//!
//! ```compile_fail
//! # async fn example(pool: rls_tool::TenantPool) {
//! pool.query("select 1", &[]).await;
//! # }
//! ```
//!
//! Nor is there a way from a transaction to its client, or for a stream of rows to outlive its transaction:
//!
//! ```compile_fail
//! # async fn example(tx: rls_tool::TenantTransaction<'_>) {
//! tx.client().batch_execute("select 1").await;
//! # }
//! ```
//!
//! ```compile_fail
//! # async fn example(tx: rls_tool::TenantTransaction<'_>) -> rls_tool::Result<()> {
//! let rows = tx.query_raw("select 1", &[]).await?;
//! tx.commit().await?;
//! drop(rows);
//! # Ok(())
//! # }
//! ```
//!
//! A statement that was prepared elsewhere is not taken either: it might be a COMMIT.
//!
//! ```compile_fail
//! # async fn example(tx: rls_tool::TenantTransaction<'_>, client: tokio_postgres::Client) {
//! let commit = client.prepare("commit").await.unwrap();
//! tx.execute(&commit, &[]).await;
//! # }
//! ```
//!
//! # What a failed or cancelled call leaves behind
//!
//! Nothing. BEGIN, binding, statement and COMMIT of a one-shot call are queued in one go, so that a dropped future has
//! sent all of them or none. A dropped transaction queues ROLLBACK ahead of whatever the connection does next, and a
//! connection that is still busy stays out of its pool until the server has answered that ROLLBACK.
//!
//! Where BEGIN or the binding fails, the statement that travels behind it fails too (PostgreSQL refuses statements in
//! a failed transaction) or, where there is no transaction at all, runs with no tenant bound: policies then show it no
//! row and refuse every new one. The call returns the error of BEGIN, never rows.

pub mod guard;

mod binding;
mod checked;
mod config;
mod connection;
mod core;
mod cross;
#[cfg(feature = "deadpool")]
mod deadpool;
mod detect;
mod error;
mod in_order;
mod params;
mod pool;
mod pooler;
mod retry;
mod scope;
mod shared;
mod single;
mod source;
mod statement;
mod stream;
mod transaction;
mod value;

pub use config::{Engine, Observer, Retry, SessionConfig, Statements, TransactionEnd};
pub use cross::{
    AllTenants, CrossTenantPool, CrossTenantPoolBuilder, CrossTenantScope, CrossTenantTransaction, OneTenant,
};
pub use pool::{TenantPool, TenantPoolBuilder};
pub use scope::TenantScope;
pub use single::TenantSession;
pub use statement::{TenantStatement, ToTenantStatement};
pub use stream::{CopyInSink, CopyOutStream, RowStream, TenantRowStream};
pub use transaction::{Portal, TenantTransaction};
pub use value::{AsTenant, TenantValue};
