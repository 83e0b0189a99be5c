//! The model in words: every decision with its ground, for `--explain-model`.

use std::fmt;

use super::Model;
use crate::catalog::{Catalog, Oid, Relation};

/// A model's decisions, to be displayed.
#[derive(Debug, Clone, Copy)]
pub struct Explanation<'a> {
    model: &'a Model,
    catalog: &'a Catalog,
}

impl Model {
    /// Every decision with its ground, one a line.
    pub fn explain<'a>(&'a self, catalog: &'a Catalog) -> Explanation<'a> {
        Explanation { model: self, catalog }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, catalog } = self;
        let relation = |oid: Oid| {
            catalog
                .relations
                .get(oid)
                .map(Relation::plain_name)
                .unwrap_or_default()
        };
        writeln!(out, "tenant column   {}", model.tenant_column)?;
        writeln!(
            out,
            "tenant setting  {}: {}",
            model.tenant_setting, model.setting_ground
        )?;
        for (name, template) in model.binding.iter().flat_map(|binding| &binding.settings) {
            writeln!(out, "  a session is bound by {name} = {template}")?;
        }
        if let Some(identity) = &model.identity {
            let column = catalog
                .relations
                .get(identity.relation)
                .and_then(|relation| relation.column(identity.column));
            let column = column.map(|column| &*column.name).unwrap_or_default();
            let table = relation(identity.relation);
            writeln!(
                out,
                "  {{user}} is a value of {table}.{column}: {}",
                identity.ground
            )?;
        }
        for sql in model.binding.iter().filter_map(|binding| binding.sql.as_ref()) {
            writeln!(out, "  a session is bound by {sql}")?;
        }
        for role in model
            .binding
            .iter()
            .filter_map(|binding| binding.role_per_tenant.as_ref())
        {
            writeln!(out, "  each tenant has the role {role}")?;
        }
        writeln!(out, "\naudited roles")?;
        for role in &model.roles {
            writeln!(out, "  {}: {}", role.name, role.ground)?;
            for escape in &role.escapes {
                writeln!(
                    out,
                    "    row security does not hold it: it {}",
                    escape.describe(catalog)
                )?;
            }
        }
        writeln!(out, "\ntenant-scoped tables")?;
        for table in &model.tables {
            writeln!(out, "  {}: {}", relation(table.relation), table.ground)?;
        }
        writeln!(
            out,
            "\nglobal tables (no tenant column, no mandatory foreign key leads to a tenant)"
        )?;
        for &oid in &model.global {
            writeln!(out, "  {}", relation(oid))?;
        }
        if !model.exempt.is_empty() {
            writeln!(out, "\nexempt tables (rls.toml)")?;
        }
        for (oid, reason) in &model.exempt {
            writeln!(out, "  {}: {reason}", relation(*oid))?;
        }
        writeln!(out, "\ndoors")?;
        for door in &model.doors {
            let command = door.command.as_sql();
            writeln!(
                out,
                "  {}: {command} {} ({})",
                door.role_name, door.object, door.ground
            )?;
        }
        Ok(())
    }
}
