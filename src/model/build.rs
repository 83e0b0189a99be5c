//! Puts the model together, and refuses declarations that fit nothing in the database.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::config::Config;
use super::expression::Expr;
use super::names::nearest;
use super::scope::Policies;
use super::views::tables_behind_views;
use super::{Expressions, Model, doors, roles, scope, setting};
use crate::catalog::{Catalog, Relation};
use crate::error::{Error, Result};

impl Model {
    /// Decides what is what.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where a role, column or schema that was named does not exist, where no table belongs to a
    /// tenant, or where no role was named and none can be detected.
    pub fn build(catalog: &Catalog, config: &Config) -> Result<Self> {
        for name in &config.schemas {
            if catalog.schema_named(name).is_none() {
                return Err(unknown_schema(catalog, name));
            }
        }
        let considered: Vec<&Relation> = catalog
            .relations
            .iter()
            .filter(|relation| relation.kind.is_table())
            .filter(|relation| {
                config.schemas.is_empty() || config.schemas.iter().any(|name| **name == *relation.schema)
            })
            .collect();
        check_declared_tables(config, &considered)?;
        let candidates: Vec<&Relation> = considered
            .iter()
            .copied()
            .filter(|relation| !config.is_exempt(relation))
            .collect();
        let expressions = Expressions::read(catalog, &candidates);
        let mut asking = setting::asking(config, &expressions, &candidates);
        let looked_up = asking.look_up(catalog, config, &expressions, &candidates)?;
        let policies = Policies {
            is_tenant: asking.is_tenant(),
            compared: &|relation| asking.compared_column(&expressions, relation),
            identity: asking.identity.as_ref(),
            looked_up: &|relation| looked_up.column(relation),
        };
        let tables = scope::tenant_tables(catalog, config, &candidates, &policies);
        if tables.is_empty() {
            return Err(no_tenant_table(config, &candidates));
        }
        let by_oid = tables
            .iter()
            .enumerate()
            .map(|(index, table)| (table.relation, index))
            .collect();
        let tenant: BTreeSet<_> = tables.iter().map(|table| table.relation).collect();
        let global: Vec<&Relation> = candidates
            .iter()
            .copied()
            .filter(|relation| !tenant.contains(&relation.oid))
            .collect();
        let unknown: Vec<&Relation> = global
            .iter()
            .copied()
            .filter(|relation| relation.row_security && expressions.of(relation).any(Expr::asks))
            .collect();
        let exempt = considered
            .iter()
            .filter_map(|relation| Some((relation.oid, config.exemption(relation)?.to_owned())))
            .collect();
        let views = tables_behind_views(catalog, |oid| tenant.contains(&oid));
        let roles = roles::audited(catalog, config, &tables, &views)?;
        let doors = doors::doors(catalog, &roles, &tables, &views, &unknown);
        Ok(Self {
            tenant_column: config.tenant_column().to_owned(),
            tenant_setting: asking.setting,
            setting_ground: asking.ground,
            roles,
            tables,
            doors,
            global: global.iter().map(|relation| relation.oid).collect(),
            exempt,
            binding: asking.binding,
            identity: asking.identity,
            expressions: Arc::new(expressions),
            by_oid,
        })
    }
}

impl Config {
    /// Whether `rls.toml` declares that the table belongs to no tenant.
    pub fn is_exempt(&self, relation: &Relation) -> bool {
        self.exemption(relation).is_some()
    }

    /// The reason for which `rls.toml` declares so.
    fn exemption(&self, relation: &Relation) -> Option<&str> {
        let name = relation.plain_name();
        let exemption = self
            .exempt
            .iter()
            .find(|exemption| !exemption.is_expired() && exemption.table.matches(&name));
        exemption.map(|exemption| exemption.reason.as_str())
    }
}

fn unknown_schema(catalog: &Catalog, name: &str) -> Error {
    let error = Error::input(format!("there is no schema {name:?}"));
    match nearest(name, catalog.schemas.iter().map(|schema| &*schema.name)) {
        Some(other) => error.with_help(format!("did you mean {other:?}?")),
        None => error,
    }
}

/// A table that is declared with a tenant column must exist, with that column.
fn check_declared_tables(config: &Config, considered: &[&Relation]) -> Result<()> {
    for declared in &config.tables {
        let matching: Vec<_> = considered
            .iter()
            .filter(|relation| declared.name.matches(&relation.plain_name()))
            .collect();
        let name = declared.name.as_str();
        let names: Vec<String> = considered.iter().map(|relation| relation.plain_name()).collect();
        if matching.is_empty() {
            let error = Error::input(format!(
                "rls.toml declares the table {name:?}, which does not exist"
            ));
            return Err(match nearest(name, names.iter().map(String::as_str)) {
                Some(other) => error.with_help(format!("did you mean {other:?}?")),
                None => error,
            });
        }
        let Some(column) = &declared.tenant_column else {
            continue;
        };
        for relation in matching {
            if relation.column_named(column).is_none() {
                let table = relation.plain_name();
                let error = Error::input(format!(
                    "rls.toml declares the tenant column {column:?} of {table}, which has no such column"
                ));
                let columns = relation.columns.iter().map(|column| &*column.name);
                return Err(match nearest(column, columns) {
                    Some(other) => error.with_help(format!("did you mean {other:?}?")),
                    None => error,
                });
            }
        }
    }
    Ok(())
}

fn no_tenant_table(config: &Config, candidates: &[&Relation]) -> Error {
    if candidates.is_empty() {
        return Error::input("there is no table to audit")
            .with_help("is this the right database? --schema limits the audit to schemas");
    }
    let column = config.tenant_column();
    let error = Error::input(format!("no table has the tenant column {column:?}"));
    let known: BTreeSet<&str> = candidates
        .iter()
        .flat_map(|relation| &relation.columns)
        .map(|column| &*column.name)
        .collect();
    match nearest(column, known).or_else(|| likely_tenant_column(candidates)) {
        Some(other) => error.with_help(format!("did you mean --tenant-column {other}?")),
        None => error.with_help("give --tenant-column the column that says whose row it is"),
    }
}

/// The column that most tables refer to one and the same table with.
fn likely_tenant_column<'a>(candidates: &[&'a Relation]) -> Option<&'a str> {
    let mut counts = std::collections::BTreeMap::<(u32, &str), usize>::new();
    for relation in candidates {
        for (constraint, key) in relation.foreign_keys() {
            let column = constraint
                .columns
                .first()
                .and_then(|&number| relation.column(number));
            if let Some(column) = column {
                *counts.entry((key.relation, &column.name)).or_default() += 1;
            }
        }
    }
    let ((_, column), count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 1).then_some(column)
}
