//! Who is asking, where that is not the tenant: a user whose tenants a membership table names, a session that is looked
//! up in a table, by a sub-select of the policies or by a function that they call.

mod bodies;
mod policies;

use std::collections::BTreeMap;

use self::policies::{Lookup, Lookups};
use super::config::{Binding, Config};
use super::setting::Expressions;
use super::source::Source;
use crate::catalog::{Catalog, Oid, Relation};
use crate::error::{Error, Result};

/// A column of a relation.
type Place = (Oid, i16);

/// The table in which who is asking is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The table.
    pub relation: Oid,
    /// The column that holds who is asking: what `{user}` stands for in templates.
    pub column: i16,
    /// Why it is taken for the one.
    pub ground: String,
    /// The column that says of which tenant it is, where that can be seen, and whether a policy compares it.
    pub(super) tenant: Option<(i16, bool)>,
}

/// What the policies show about who is asking.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) identity: Option<Identity>,
    /// What it is looked up by.
    pub(super) source: Option<Source>,
    /// Columns of the policies' own tables that are compared with what the look-up gives.
    looked_up: BTreeMap<Oid, Vec<i16>>,
}

impl Found {
    /// The column of `relation` that policies compare with what the look-up gives, where it is one column only.
    pub(super) fn column(&self, relation: &Relation) -> Option<i16> {
        match self.looked_up.get(&relation.oid)?.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// How many tables' policies compare a column with it.
    pub(super) fn tables(&self) -> usize {
        self.looked_up.len()
    }
}

/// Looks for it in the policies of these relations. `wanted` says which settings may say who is asking; none means any.
pub(super) fn find(
    catalog: &Catalog,
    expressions: &Expressions,
    relations: &[&Relation],
    wanted: &dyn Fn(&str) -> bool,
) -> Found {
    let lookups = Lookups::new(catalog);
    let mut all: Vec<(Oid, Lookup)> = Vec::new();
    for relation in relations {
        for expression in expressions.of(relation) {
            all.extend(
                lookups
                    .of(expression)
                    .into_iter()
                    .map(|lookup| (relation.oid, lookup)),
            );
        }
    }
    all.retain(|(_, lookup)| lookup.source.setting().is_some_and(wanted));
    let Some((member, source)) = most(all.iter().map(|(_, one)| (one.member, one.source.clone()))) else {
        return Found::default();
    };
    all.retain(|(_, one)| (one.member, &one.source) == (member, &source));
    let tenants = all.iter().filter_map(|(_, one)| Some((one.certain, one.tenant?)));
    let tenants = tenants.filter(|(_, (relation, _))| *relation == member.0);
    let tenant = most(tenants.clone().filter(|(certain, _)| *certain)).or_else(|| most(tenants));
    let tenant = tenant.map(|(certain, (_, column))| (column, certain));
    let mut looked_up = BTreeMap::<Oid, Vec<i16>>::new();
    for (relation, lookup) in &all {
        let columns = looked_up.entry(*relation).or_default();
        columns.extend(lookup.own.filter(|own| !columns.contains(own)));
    }
    looked_up.retain(|_, columns| !columns.is_empty());
    let ground = format!("policies look there for {}", source.describe());
    Found {
        identity: named(catalog, member).map(|_| Identity {
            relation: member.0,
            column: member.1,
            ground,
            tenant,
        }),
        source: Some(source),
        looked_up,
    }
}

/// The column that `rls.toml` declares with `[binding] user = "schema.table.column"`.
///
/// # Errors
///
/// Where there is no such column.
pub(super) fn declared(catalog: &Catalog, config: &Config) -> Result<Option<Identity>> {
    let Some(text) = config
        .binding
        .as_ref()
        .and_then(|binding| binding.user.as_deref())
    else {
        return Ok(None);
    };
    let mut parts = text.split('.');
    let place = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(schema), Some(table), Some(column), None) => catalog
            .relation_named(schema, table)
            .and_then(|relation| Some((relation.oid, relation.column_named(column)?.number))),
        _ => None,
    };
    let Some((relation, column)) = place else {
        let error = Error::input(format!("rls.toml's [binding] user = {text:?} names no column"));
        return Err(
            error.with_help("write user = \"schema.table.column\": the column that {user} is a value of")
        );
    };
    Ok(Some(Identity {
        relation,
        column,
        ground: "rls.toml declares it".to_owned(),
        tenant: None,
    }))
}

impl Binding {
    /// Whether a template asks for the user.
    pub(super) fn names_user(&self) -> bool {
        self.settings
            .values()
            .chain(&self.sql)
            .any(|text| text.contains("{user}"))
    }
}

/// The column's name, with its table's.
pub(super) fn named(catalog: &Catalog, (relation, column): Place) -> Option<String> {
    let relation = catalog.relations.get(relation)?;
    Some(format!(
        "{}.{}",
        relation.plain_name(),
        relation.column(column)?.name
    ))
}

/// What occurs most often.
fn most<T: Ord + Clone>(list: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::<T, usize>::new();
    for item in list {
        *counts.entry(item).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(item, _)| item)
}
