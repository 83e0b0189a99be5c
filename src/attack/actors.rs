//! Sessions of one role in the sandbox, bound as the caller says, running the caller's statements: for tests in SQL.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Transaction};

use super::attempt::State;
use super::rows::{Seed, Side};
use super::sandbox::{self, Limits, Reply, Sandbox, Trial};
use super::session::{Bindings, Session};
use super::stage::Stage;
use crate::catalog::{Catalog, Oid};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;

/// The sandbox with two tenants in it.
#[derive(Debug)]
pub(crate) struct Actors<'a> {
    sandbox: Sandbox<'a>,
    session: Session,
    /// The values that stand for A and B.
    pub(crate) tenants: [String; 2],
}

impl<'a> Actors<'a> {
    /// Opens the sandbox; makes two tenants with rows in every table unless two are given.
    pub(crate) async fn open(
        client: &'a mut Client,
        catalog: &Catalog,
        model: &Model,
        role: Oid,
        tenants: Option<[String; 2]>,
    ) -> Result<Self> {
        let transaction: Transaction<'a> = sandbox::begin(client).await?;
        let sandbox = Sandbox::open(transaction, Limits::default()).await?;
        let bindings = Bindings::new(model);
        let (tenants, users) = match tenants {
            Some(tenants) => (tenants, BTreeMap::new()),
            None => make(&sandbox, catalog, model, &bindings).await?,
        };
        let session = Session::new(catalog, role, sandbox.standing(), bindings.with_users(users))?
            .map_err(|reason| Error::new(ErrorKind::Permission, reason))?;
        Ok(Self {
            sandbox,
            session,
            tenants,
        })
    }

    /// Runs statements as the connection's own role; they stay until the end.
    pub(crate) async fn set_up(&self, name: &str, sql: &str) -> Result<()> {
        self.sandbox.must(&format!("run {name}"), sql).await.map(drop)
    }

    /// Runs statements as the role, bound to the tenant, and rolls them back. The inner error is in words.
    pub(crate) async fn act(
        &self,
        tenant: Option<&str>,
        statements: Vec<String>,
    ) -> Result<std::result::Result<Vec<Reply>, String>> {
        let (state, tenant) = match tenant {
            Some(tenant) => (State::Bound, tenant),
            None => (State::Empty, ""),
        };
        let trial = Trial {
            before: String::new(),
            enter: self.session.enter(state, tenant)?,
            statements,
            witness: String::new(),
        };
        let mut traces = self.sandbox.try_all(&[trial], self.session.leave()).await?;
        let Some(trace) = traces.pop().flatten() else {
            return Ok(Err("the time for all tests was up".to_owned()));
        };
        Ok(match trace.enter {
            Ok(_) => Ok(trace.statements),
            Err(failure) => Err(format!("the session could not be bound: {failure}")),
        })
    }

    /// Rolls everything back.
    pub(crate) async fn close(self) -> Result<()> {
        self.sandbox.close().await
    }
}

/// Two tenants, and who asks for them where that is not the tenant.
async fn make(
    sandbox: &Sandbox<'_>,
    catalog: &Catalog,
    model: &Model,
    bindings: &Bindings,
) -> Result<([String; 2], BTreeMap<String, String>)> {
    if model.tables.is_empty() {
        return Err(Error::input("no table belongs to tenants").with_help(
            "declare the tenant column with --tenant-column or in rls.toml, or name two tenants that are there",
        ));
    }
    let stage = Stage::build(sandbox, catalog, model, bindings, (Seed::random()?, false)).await?;
    let users = stage.users(catalog, model);
    let mut scene = stage.scene;
    let mut value = |side| scene.tenant(side).map(str::to_owned);
    let (Some(a), Some(b)) = (value(Side::A), value(Side::B)) else {
        let reasons: Vec<_> = scene.refused.values().cloned().collect();
        return Err(Error::new(
            ErrorKind::Database,
            format!("no tenants could be made: {}", reasons.join("; ")),
        )
        .with_help("name two tenants that are there with --tenant-a and --tenant-b"));
    };
    Ok(([a, b], users))
}
