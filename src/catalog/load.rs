//! Reads the catalog: every query of `queries/` sent at once on one transaction, then put together.
//!
//! The queries look at nothing made by initdb (OIDs under 16384) unless it was changed, so that the one rule of what
//! is PostgreSQL's own holds in every file.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Mutex;

use futures_util::TryStreamExt;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type as WireType;

use super::assemble::{Dependency, Parts};
use super::fields::{Fields, Strings};
use super::small;
use super::{
    Acl, Builtins, Catalog, Column, Constraint, Function, Index, Membership, Oid, PinnedSetting, Policy,
    Relation, Role, Rule, Server, Trigger, Type,
};
use crate::error::{Error, Result};

/// What to read beyond the structure.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Names of settings whose pinned value is kept: the tenant setting.
    pub shown_settings: Vec<String>,
}

/// Reads one query's rows with `$read`.
macro_rules! rows {
    ($loader:expr, $name:literal, $read:expr) => {
        $loader.rows($name, include_str!(concat!("queries/", $name, ".sql")), $read)
    };
}

impl Catalog {
    /// Reads the catalog on `transaction`, which should be REPEATABLE READ (one snapshot for all queries); whether it
    /// is read-only does not matter. `search_path` is empty while the queries run, so that PostgreSQL prints every
    /// name with its schema, and is put back afterwards.
    ///
    /// # Errors
    ///
    /// What PostgreSQL reports. Every catalog that is read here is readable by every role.
    pub async fn load(transaction: &Transaction<'_>, options: &LoadOptions) -> Result<Self> {
        let failed = |cause| Error::postgres("set search_path for reading the catalog", cause);
        let row = transaction
            .query_typed_one(
                "select pg_catalog.current_setting('search_path'), pg_catalog.set_config('search_path', '', true)",
                &[],
            )
            .await
            .map_err(failed)?;
        let search_path: &str = row.get(0);
        let loader = Loader {
            transaction,
            strings: Mutex::default(),
        };
        let catalog = loader.load(options).await?;
        transaction
            .query_typed(
                "select pg_catalog.set_config('search_path', $1, true)",
                &[(&search_path, WireType::TEXT)],
            )
            .await
            .map_err(failed)?;
        Ok(catalog)
    }
}

struct Loader<'a> {
    transaction: &'a Transaction<'a>,
    strings: Mutex<Strings>,
}

impl Loader<'_> {
    /// The rows of one query, each read by `read` as it arrives.
    async fn rows<T>(
        &self,
        name: &'static str,
        sql: &'static str,
        read: impl Fn(&mut Fields<'_, '_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let failed = |cause| Error::postgres(format_args!("read the catalog ({name})"), cause);
        let stream = self
            .transaction
            .query_typed_raw::<&str, _>(sql, [])
            .await
            .map_err(failed)?;
        let mut stream = pin!(stream);
        let mut list = Vec::new();
        while let Some(row) = stream.try_next().await.map_err(failed)? {
            let mut strings = self
                .strings
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            list.push(read(&mut Fields::new(name, &row, &mut strings))?);
        }
        Ok(list)
    }

    async fn load(&self, options: &LoadOptions) -> Result<Catalog> {
        // Grants name roles, so the roles come first.
        let roles = rows!(self, "roles", Role::read).await?;
        let names: BTreeMap<String, Oid> = roles.iter().map(|role| (role.name.clone(), role.oid)).collect();
        let acl = |items: &[&str]| {
            Acl::parse(items, &names).map_err(|message| Error::new(crate::ErrorKind::Internal, message))
        };
        // All others travel together. Each reads its rows as they arrive, which is in the order of sending.
        let (server, schemas, memberships, settings, relations, columns, constraints, indexes) = tokio::try_join!(
            rows!(self, "server", |f| Server::read(f, acl)),
            rows!(self, "schemas", |f| small::schema(f, acl)),
            rows!(self, "memberships", Membership::read),
            rows!(self, "settings", |f| PinnedSetting::read(
                f,
                &options.shown_settings
            )),
            rows!(self, "relations", |f| Relation::read(f, acl)),
            rows!(self, "columns", |f| Column::read(f, acl)),
            rows!(self, "constraints", Constraint::read),
            rows!(self, "indexes", Index::read),
        )?;
        let (policies, triggers, rewrites, dependencies, functions, types, operators, collations) = tokio::try_join!(
            rows!(self, "policies", Policy::read),
            rows!(self, "triggers", Trigger::read),
            rows!(self, "rules", Rule::read),
            rows!(self, "dependencies", Dependency::read),
            rows!(self, "functions", |f| Function::read(f, acl)),
            rows!(self, "types", Type::read),
            rows!(self, "operators", small::operator),
            rows!(self, "collations", small::collation),
        )?;
        let (sequences, extensions, foreign_servers, publications, event_triggers, default_privileges) = tokio::try_join!(
            rows!(self, "sequences", |f| small::sequence(f, acl)),
            rows!(self, "extensions", small::extension),
            rows!(self, "foreign_servers", |f| small::foreign_server(f, acl)),
            rows!(self, "publications", small::publication),
            rows!(self, "event_triggers", small::event_trigger),
            rows!(self, "default_privileges", |f| small::default_privileges(f, acl)),
        )?;
        let (large_objects, system_grants, builtins) = tokio::try_join!(
            rows!(self, "large_objects", |f| small::large_objects(f, acl)),
            rows!(self, "system_grants", |f| small::system_grant(f, acl)),
            rows!(self, "builtins", Builtins::read),
        )?;
        Parts {
            server,
            builtins,
            schemas,
            roles,
            memberships,
            settings,
            relations,
            columns,
            constraints,
            indexes,
            policies,
            triggers,
            rules: rewrites,
            dependencies,
            functions,
            types,
            operators,
            collations,
            sequences,
            extensions,
            foreign_servers,
            publications,
            event_triggers,
            default_privileges,
            large_objects,
            system_grants,
        }
        .assemble()
    }
}
