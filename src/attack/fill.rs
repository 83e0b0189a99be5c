//! Rows for tests: what the attacks make for themselves, kept. Only for a test's own database.

use tokio_postgres::Client;

use super::rows::{Belongs, Seed, Side};
use super::sandbox::{self, Limits, Sandbox};
use super::session::Bindings;
use super::stage::Stage;
use crate::catalog::Catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;

/// Two tenants, and the tables in which no rows could be made.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    pub(crate) tenants: [String; 2],
    /// Tenant-scoped tables with PostgreSQL's reason.
    pub(crate) refused: Vec<(String, String)>,
}

/// Makes two tenants' rows in every tenant-scoped table and in what those refer to, and commits them.
pub(crate) async fn fill(client: &mut Client, catalog: &Catalog, model: &Model) -> Result<Filled> {
    let transaction = sandbox::begin(client).await?;
    let sandbox = Sandbox::open_to_keep(transaction, Limits::default()).await?;
    let stage = Stage::build(
        &sandbox,
        catalog,
        model,
        &Bindings::new(model),
        (Seed::random()?, false),
    )
    .await?;
    let mut scene = stage.scene;
    let refused = scene
        .refused
        .iter()
        .filter(|(table, _)| scene.belongs[**table] != Belongs::ToNobody)
        .map(|(table, reason)| (scene.shapes[*table].name.plain(), reason.clone()))
        .collect();
    let (Some(a), Some(b)) = (
        scene.tenant(Side::A).map(str::to_owned),
        scene.tenant(Side::B).map(str::to_owned),
    ) else {
        return Err(
            Error::new(ErrorKind::Database, "no tenants could be made").with_help(
                scene
                    .refused
                    .values()
                    .next()
                    .cloned()
                    .unwrap_or_else(|| "declare the tenant column".to_owned()),
            ),
        );
    };
    sandbox.keep().await?;
    Ok(Filled {
        tenants: [a, b],
        refused,
    })
}
