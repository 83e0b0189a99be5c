//! What row security of one table is: its flags and policies, as the catalog shows them, by name and never by OID.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sql::QualifiedName;

/// Row security of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableState {
    /// The table.
    pub table: QualifiedName,
    /// `ENABLE ROW LEVEL SECURITY`.
    pub enabled: bool,
    /// `FORCE ROW LEVEL SECURITY`.
    pub forced: bool,
    /// Its policies, by name.
    pub policies: BTreeMap<String, PolicyState>,
}

impl TableState {
    /// Neither flag nor policy.
    pub(crate) fn is_bare(&self) -> bool {
        !self.enabled && !self.forced && self.policies.is_empty()
    }
}

/// One policy, with its expressions as PostgreSQL deparses them under an empty `search_path`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyState {
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// Permissive, not restrictive.
    pub permissive: bool,
    /// The roles it applies to, sorted; `public` is everyone.
    pub roles: Vec<String>,
    /// The `USING` expression.
    pub using: Option<String>,
    /// The `WITH CHECK` expression.
    pub check: Option<String>,
}
