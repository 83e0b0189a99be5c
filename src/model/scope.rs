//! Which tables belong to tenants, and by which column or foreign key.

use std::collections::{BTreeMap, BTreeSet};

use super::config::Config;
use super::identity::Identity;
use crate::catalog::{Catalog, Constraint, ForeignKey, Oid, Relation};

/// How a table's rows belong to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// By a column that holds the tenant.
    Column {
        /// Its number.
        column: i16,
    },
    /// It is the tenants table: a row is a tenant.
    Root {
        /// The column by which others refer to it.
        key: i16,
    },
    /// Each row belongs to exactly one row of a table that is tenant-scoped.
    Child {
        /// The foreign key, all of whose columns are NOT NULL.
        constraint: Oid,
        /// The table that it refers to.
        parent: Oid,
    },
    /// Its rows are those who ask, of whom another table says which tenants they belong to.
    Identity {
        /// The column by which others refer to it.
        key: i16,
    },
}

/// A tenant-scoped table.
#[derive(Debug, Clone)]
pub struct TenantTable {
    /// The table.
    pub relation: Oid,
    /// How its rows belong to a tenant.
    pub scope: Scope,
    /// The table of which it is a partition or an inheritance child, if that is tenant-scoped too.
    pub part_of: Option<Oid>,
    /// Why it is taken for one, in words.
    pub ground: String,
}

impl TenantTable {
    /// The column that holds the tenant, unless only a foreign key leads to it.
    pub fn tenant_column(&self) -> Option<i16> {
        match self.scope {
            Scope::Column { column } => Some(column),
            Scope::Root { key } => Some(key),
            Scope::Child { .. } | Scope::Identity { .. } => None,
        }
    }
}

/// Tables found so far.
pub(super) struct Scopes<'a> {
    catalog: &'a Catalog,
    found: BTreeMap<Oid, (Scope, String)>,
}

/// How policies know the tenant of a row.
pub(super) struct Policies<'p> {
    /// Whether who is asking is the tenant.
    pub(super) is_tenant: bool,
    /// The column that a table's policies compare with who is asking.
    pub(super) compared: &'p dyn Fn(&Relation) -> Option<i16>,
    /// Where who is asking is looked up, if that is not the tenant.
    pub(super) identity: Option<&'p Identity>,
    /// The column that a table's policies compare with what the look-up gives.
    pub(super) looked_up: &'p dyn Fn(&Relation) -> Option<i16>,
}

/// Sorts `candidates` into tenant-scoped tables; the others are global.
pub(super) fn tenant_tables(
    catalog: &Catalog,
    config: &Config,
    candidates: &[&Relation],
    policies: &Policies<'_>,
) -> Vec<TenantTable> {
    let mut scopes = Scopes {
        catalog,
        found: BTreeMap::new(),
    };
    scopes.by_column(config, candidates);
    let ground = |name: &str| format!("its policies compare {name} with what they look up by who is asking");
    scopes.by_policy(candidates, policies.looked_up, &ground);
    // Without any tenant column of the common name, who is asking is taken for the tenant: what else could it be.
    if policies.is_tenant || scopes.found.is_empty() && config.tenant_column.is_none() {
        let ground = |name: &str| format!("its policies compare {name} with the tenant");
        scopes.by_policy(candidates, policies.compared, &ground);
    }
    scopes.roots(candidates);
    scopes.references_to_root(candidates);
    if let Some(identity) = policies.identity {
        scopes.members(candidates, identity);
        scopes.users(candidates, identity);
    }
    scopes.children(candidates);
    scopes.parts(candidates);
    candidates
        .iter()
        .filter_map(|relation| {
            let (scope, ground) = scopes.found.get(&relation.oid)?;
            let part_of = relation
                .parents
                .iter()
                .copied()
                .find(|parent| scopes.found.contains_key(parent));
            Some(TenantTable {
                relation: relation.oid,
                scope: *scope,
                part_of,
                ground: ground.clone(),
            })
        })
        .collect()
}

impl Scopes<'_> {
    /// Tables with the tenant column, by its common name or as declared for the table.
    fn by_column(&mut self, config: &Config, candidates: &[&Relation]) {
        for relation in candidates {
            let name = relation.plain_name();
            let declared = config
                .tables
                .iter()
                .filter(|table| table.name.matches(&name))
                .find_map(|table| table.tenant_column.as_deref());
            let wanted = declared.unwrap_or(config.tenant_column());
            if let Some(column) = relation.column_named(wanted) {
                let ground = match declared {
                    Some(_) => format!("rls.toml declares its tenant column {wanted}"),
                    None => format!("has the tenant column {wanted}"),
                };
                let scope = Scope::Column {
                    column: column.number,
                };
                self.found.insert(relation.oid, (scope, ground));
            }
        }
    }

    /// Tables whose policies compare one of their columns with the tenant.
    fn by_policy(
        &mut self,
        candidates: &[&Relation],
        compared: &dyn Fn(&Relation) -> Option<i16>,
        ground: &dyn Fn(&str) -> String,
    ) {
        for relation in candidates {
            if self.found.contains_key(&relation.oid) {
                continue;
            }
            let number = compared(relation);
            let Some(column) = number.and_then(|number| relation.column(number)) else {
                continue;
            };
            let found = (keyed(relation, column.number), ground(&column.name));
            self.found.insert(relation.oid, found);
        }
    }

    /// The table in which who is asking is looked up, by the column that the look-up gives: what a function's body
    /// suggests must refer to the tenants.
    fn members(&mut self, candidates: &[&Relation], identity: &Identity) {
        let relation = candidates
            .iter()
            .find(|relation| relation.oid == identity.relation);
        if let (Some(relation), Some((tenant, certain))) = (relation, identity.tenant) {
            let mut keys = relation.foreign_keys();
            let refers = keys.any(|(constraint, key)| {
                constraint.columns == [tenant]
                    && matches!(self.found.get(&key.relation), Some((Scope::Root { key: root }, _)) if key.columns == [*root])
            });
            if certain || refers {
                let ground = "who is asking is looked up in it".to_owned();
                let scope = keyed(relation, tenant);
                self.found.entry(relation.oid).or_insert((scope, ground));
            }
        }
    }

    /// The table of those who ask, which the look-up refers to: nothing in it names a tenant.
    fn users(&mut self, candidates: &[&Relation], identity: &Identity) {
        let members = candidates
            .iter()
            .find(|relation| relation.oid == identity.relation);
        for (constraint, key) in members.iter().flat_map(|relation| relation.foreign_keys()) {
            let known = candidates.iter().any(|relation| relation.oid == key.relation);
            if let (true, true, [key_column]) = (
                known,
                constraint.columns == [identity.column],
                key.columns.as_slice(),
            ) {
                let ground = format!("who is asking refers to it ({})", constraint.name);
                let scope = Scope::Identity { key: *key_column };
                self.found.entry(key.relation).or_insert((scope, ground));
            }
        }
    }

    /// Tables that tenant columns refer to and that have no tenant column themselves.
    fn roots(&mut self, candidates: &[&Relation]) {
        let mut roots = Vec::new();
        let known: BTreeSet<Oid> = candidates.iter().map(|relation| relation.oid).collect();
        for relation in candidates {
            let Some((Scope::Column { column }, _)) = self.found.get(&relation.oid) else {
                continue;
            };
            for (constraint, key) in relation.foreign_keys() {
                let Some(key_column) = referenced(constraint, key, *column) else {
                    continue;
                };
                if known.contains(&key.relation) && !self.found.contains_key(&key.relation) {
                    let ground = format!(
                        "the tenant column of {} refers to it ({})",
                        relation.plain_name(),
                        constraint.name
                    );
                    roots.push((key.relation, (Scope::Root { key: key_column }, ground)));
                }
            }
        }
        for (oid, root) in roots {
            self.found.entry(oid).or_insert(root);
        }
    }

    /// Tables whose rows must name a tenant in a column of another name.
    fn references_to_root(&mut self, candidates: &[&Relation]) {
        for relation in candidates {
            if self.found.contains_key(&relation.oid) {
                continue;
            }
            let mut columns = Vec::new();
            for (constraint, key) in mandatory_keys(relation) {
                if let Some((Scope::Root { key: root_key }, _)) = self.found.get(&key.relation) {
                    let place = key.columns.iter().position(|column| column == root_key);
                    let column = place.and_then(|place| constraint.columns.get(place));
                    columns.extend(column.map(|&column| (column, constraint)));
                }
            }
            if let Some(&(column, constraint)) = columns.first() {
                let mut ground = format!("its mandatory foreign key {} names a tenant", constraint.name);
                if columns.iter().any(|(other, _)| *other != column) {
                    ground.push_str("; others do too, so declare its tenant column in rls.toml");
                }
                self.found
                    .insert(relation.oid, (Scope::Column { column }, ground));
            }
        }
    }

    /// Tables whose rows must belong to a row of a tenant-scoped table, nearest first.
    fn children(&mut self, candidates: &[&Relation]) {
        loop {
            let mut next = Vec::new();
            for relation in candidates {
                if self.found.contains_key(&relation.oid) {
                    continue;
                }
                // Users come last: a row that names its author belongs to what else it names.
                let parent = mandatory_keys(relation)
                    .filter(|(_, key)| key.relation != relation.oid && self.found.contains_key(&key.relation))
                    .min_by_key(|(_, key)| matches!(self.found[&key.relation].0, Scope::Identity { .. }));
                if let Some((constraint, key)) = parent {
                    let parent = self.catalog.relations.get(key.relation);
                    let ground = format!(
                        "each row belongs to a row of {} ({})",
                        parent.map(Relation::plain_name).unwrap_or_default(),
                        constraint.name
                    );
                    let scope = Scope::Child {
                        constraint: constraint.oid,
                        parent: key.relation,
                    };
                    next.push((relation.oid, (scope, ground)));
                }
            }
            if next.is_empty() {
                return;
            }
            self.found.extend(next);
        }
    }

    /// Partitions and inheritance children of what was found: their rows are the parent's rows.
    fn parts(&mut self, candidates: &[&Relation]) {
        loop {
            let mut next = Vec::new();
            for relation in candidates {
                if self.found.contains_key(&relation.oid) {
                    continue;
                }
                let parent = relation.parents.iter().find_map(|oid| {
                    let (scope, _) = self.found.get(oid)?;
                    Some((self.catalog.relations.get(*oid)?, *scope))
                });
                if let Some((parent, scope)) = parent {
                    // The same column may have another number there.
                    let same = |number| {
                        let name = &parent.column(number)?.name;
                        relation.column_named(name).map(|column| column.number)
                    };
                    let scope = match scope {
                        Scope::Column { column } => same(column).map(|column| Scope::Column { column }),
                        Scope::Root { key } => same(key).map(|key| Scope::Root { key }),
                        Scope::Identity { key } => same(key).map(|key| Scope::Identity { key }),
                        child @ Scope::Child { .. } => Some(child),
                    };
                    let ground = format!("part of {}", parent.plain_name());
                    next.extend(scope.map(|scope| (relation.oid, (scope, ground))));
                }
            }
            if next.is_empty() {
                return;
            }
            self.found.extend(next);
        }
    }
}

/// By this column: a table that has it as its primary key holds the tenants themselves.
fn keyed(relation: &Relation, column: i16) -> Scope {
    let mut indexes = relation.indexes.iter();
    if indexes.any(|index| index.primary && index.keys == [column]) {
        return Scope::Root { key: column };
    }
    Scope::Column { column }
}

/// The column that `column` of the referencing table stands beside in the foreign key.
fn referenced(constraint: &Constraint, key: &ForeignKey, column: i16) -> Option<i16> {
    let place = constraint.columns.iter().position(|&own| own == column)?;
    key.columns.get(place).copied()
}

/// Foreign keys that hold for every row: enforced, validated, and without NULLs.
fn mandatory_keys(relation: &Relation) -> impl Iterator<Item = (&Constraint, &ForeignKey)> {
    relation.foreign_keys().filter(|(constraint, _)| {
        constraint.enforced
            && constraint.validated
            && constraint
                .columns
                .iter()
                .all(|&number| relation.column(number).is_some_and(|column| column.not_null))
    })
}
