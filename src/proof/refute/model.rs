//! A counterexample without names, so that tables of one making can share it.

use std::collections::{BTreeMap, BTreeSet};

use crate::proof::eval::{Outcome, World};
use crate::proof::ir::Expr;
use crate::proof::question::{Scope, Session, Shared, Tenancy};
use crate::proof::symbols::Symbols;
use crate::proof::value::Value;

/// A row by column number; a column that is missing does not matter.
pub(crate) type Row = BTreeMap<i16, Option<Value>>;

/// A concrete session and the rows of each premise.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    /// The bound tenant's value.
    pub(crate) tenant: Option<Value>,
    pub(crate) rows: Vec<Row>,
    /// The settings, the tenant's among them: `None` was never set.
    pub(crate) settings: BTreeMap<String, Option<String>>,
    pub(crate) role: String,
    /// Whether its tenants are special: named by the expressions, or such as only certain tenants are.
    pub(crate) is_special: bool,
    /// CHECK constraints that could not be evaluated.
    pub(crate) unchecked: BTreeSet<String>,
}

impl Model {
    pub(crate) fn world<'s>(&self, symbols: &'s Symbols, row: usize) -> World<'s> {
        World {
            symbols,
            row: self.rows[row].clone(),
            settings: self.settings.clone(),
            role: Some(self.role.clone()),
        }
    }

    /// Whether every premise is certainly true of its row.
    pub(crate) fn satisfies(&self, symbols: &Symbols, premises: &[&Expr]) -> bool {
        premises
            .iter()
            .enumerate()
            .all(|(row, premise)| self.world(symbols, row).eval(premise) == Outcome::TRUE)
    }

    /// Whether this row may be one that every tenant is meant to see.
    pub(crate) fn may_be_shared(&self, row: usize, scope: &Scope, shared: &[Shared]) -> bool {
        let row = &self.rows[row];
        shared.iter().any(|shared| match (shared, &scope.tenancy) {
            (Shared::NoTenant, Tenancy::Columns(columns) | Tenancy::Parent { columns, .. }) => {
                columns.iter().any(|attnum| row.get(attnum) == Some(&None))
            }
            // A flag that is not known could excuse the row.
            (Shared::Flag(attnum), _) => !matches!(row.get(attnum), Some(Some(Value::Bool(false)) | None)),
        })
    }

    /// Whether this row is certainly not the bound tenant's.
    pub(crate) fn is_foreign(&self, row: usize, scope: &Scope) -> bool {
        let row = &self.rows[row];
        match &scope.tenancy {
            // A column of a type that is not understood, which no policy looks at, can hold anything.
            Tenancy::Columns(columns) => columns
                .iter()
                .all(|attnum| row.get(attnum).is_none_or(|value| *value != self.tenant)),
            // The row's parent can be anyone's, as no premise has looked.
            Tenancy::Parent { columns, .. } => columns.iter().all(|attnum| row.get(attnum) != Some(&None)),
        }
    }
}

/// The role's name in a session bound to this tenant text.
pub(crate) fn role_name(session: &Session, tenant: Option<&str>) -> String {
    match (&session.role_template, tenant) {
        (Some(template), Some(tenant)) => template.replace("{tenant}", tenant),
        _ => session.role.clone(),
    }
}
