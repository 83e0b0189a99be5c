//! What is known besides the premises, and what is to be shown.

use std::collections::BTreeSet;

use super::term::{RowKey, TermId, TermKind, Terms};
use super::theory::Theory;
use crate::proof::question::{Session, Tenancy};
use crate::proof::value::Sort;

/// What is known of the rows and the session, whichever case is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Knowledge<'a> {
    pub(crate) session: &'a Session,
    /// The rows that exist, with their tables.
    pub(crate) rows: Vec<(RowKey, u32)>,
    /// The bound tenant's value, if the session is bound.
    pub(crate) tenant: Option<TermId>,
    /// A text that is no tenant's value, with the sort of those values, if that is what the setting holds.
    pub(crate) garbage: Option<(TermId, Sort)>,
    /// Columns whose value a changed row has from the old one.
    pub(crate) fixed_columns: &'a BTreeSet<i16>,
}

/// What is to be shown of a row: that one of these holds. None means that the premises must not hold together at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Goal {
    /// The row is the bound tenant's.
    pub(crate) owned: Option<(RowKey, Tenancy)>,
    /// These are NULL.
    pub(crate) null: Vec<TermId>,
    /// These are true.
    pub(crate) true_: Vec<TermId>,
}

/// A child of a child of … is followed this far.
const MAX_PARENTS: usize = 8;

impl Knowledge<'_> {
    /// The row that this row has the column's value from: itself, or the old row.
    pub(crate) fn origin_of(&self, row: RowKey, attnum: i16) -> RowKey {
        if row.row == 0 && self.fixed_columns.contains(&attnum) {
            RowKey { premise: 0, row: 0 }
        } else {
            row
        }
    }

    /// Whether the row is the bound tenant's in every world that the theory leaves.
    pub(crate) fn is_owned(&self, row: RowKey, tenancy: &Tenancy, terms: &Terms, theory: &Theory) -> bool {
        self.is_owned_within(row, tenancy, terms, theory, MAX_PARENTS)
    }

    fn is_owned_within(
        &self,
        row: RowKey,
        tenancy: &Tenancy,
        terms: &Terms,
        theory: &Theory,
        depth: usize,
    ) -> bool {
        let Some(tenant) = self.tenant else { return false };
        if depth == 0 {
            return false;
        }
        let column = |row: RowKey, attnum: i16| {
            let kind = TermKind::Column(self.origin_of(row, attnum), attnum);
            let found = terms.iter().find(|(_, term)| term.kind == kind);
            found.map(|(id, _)| id)
        };
        match tenancy {
            Tenancy::Columns(columns) => columns
                .iter()
                .any(|attnum| column(row, *attnum).is_some_and(|column| theory.same(column, tenant))),
            // The parent is the row with that key: any row whose key is equal is the parent.
            Tenancy::Parent {
                columns,
                parent,
                parent_columns,
            } => {
                let matches = |other: RowKey| {
                    columns.len() == parent_columns.len()
                        && !columns.is_empty()
                        && columns.iter().zip(parent_columns).all(|(child, key)| {
                            match (column(row, *child), column(other, *key)) {
                                (Some(child), Some(key)) => {
                                    theory.same(child, key) && theory.is_not_null(child)
                                }
                                _ => false,
                            }
                        })
                };
                let mut parents = self
                    .rows
                    .iter()
                    .filter(|(other, relation)| relation == parent && matches(*other));
                parents.any(|(other, _)| {
                    theory.is_owned(*other)
                        || self.session.tenancies.get(parent).is_some_and(|tenancy| {
                            self.is_owned_within(*other, tenancy, terms, theory, depth - 1)
                        })
                })
            }
        }
    }

    /// Whether the goal holds in every world that the theory leaves.
    pub(crate) fn holds(&self, goal: &Goal, terms: &Terms, theory: &Theory) -> bool {
        let owned = goal.owned.as_ref();
        owned.is_some_and(|(row, tenancy)| self.is_owned(*row, tenancy, terms, theory))
            || goal.null.iter().any(|term| theory.is_null(*term))
            || goal.true_.iter().any(|term| theory.is_true(*term, terms))
    }
}
