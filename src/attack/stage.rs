//! The scene: shapes of all tables that matter, a plan for each, and two tenants' rows in them.

use std::collections::{BTreeMap, BTreeSet};

use super::routine::{Said, goes_outside};
use super::rows::{
    Belongs, Binder, Choice, Recipe, Row, Scene, Seed, Shapes, Side, Source, Wish, order, plan, questions,
    variants,
};
use super::sandbox::Sandbox;
use crate::audit::DoorKind;
use crate::catalog::{Catalog, Oid, RelationKind};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Model, Scope};

/// The number of rows that are not made.
const FRESH: usize = usize::MAX;

/// A scene, and which of its tables is which.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) scene: Scene,
    pub(crate) relations: Vec<Oid>,
    by_oid: BTreeMap<Oid, usize>,
    /// Values of rows that have not been made, by table: what an attacker would insert.
    fresh: Vec<std::result::Result<[Row; 2], String>>,
}

impl Stage {
    /// The table's place in the scene.
    pub(crate) fn table(&self, oid: Oid) -> Option<usize> {
        self.by_oid.get(&oid).copied()
    }

    /// Rows that could be inserted for A and for B, or why there are none.
    pub(crate) fn fresh(&self, table: usize) -> std::result::Result<&[Row; 2], &str> {
        self.fresh[table].as_ref().map_err(String::as_str)
    }

    /// Who asks for each tenant, by the tenant's value: what the model's identity holds in the tenant's row.
    pub(crate) fn users(&self, catalog: &Catalog, model: &Model) -> BTreeMap<String, String> {
        let mut users = BTreeMap::new();
        let Some(identity) = &model.identity else {
            return users;
        };
        let relation = catalog.relations.get(identity.relation);
        let column = relation.and_then(|relation| {
            let mut columns = relation.columns.iter();
            columns.position(|column| column.number == identity.column)
        });
        for (index, side) in [Side::A, Side::B].into_iter().enumerate() {
            let place = self.table(identity.relation).map(|table| (table, side, 0));
            let row = place.and_then(|place| self.scene.rows.get(&place));
            let user = row
                .zip(column)
                .and_then(|(row, column)| row.values.get(column)?.clone().flatten());
            users.extend(self.scene.tenants[index].clone().zip(user));
        }
        // One who asks for both says nothing about either: better a dead context.
        let distinct: BTreeSet<&String> = users.values().collect();
        if distinct.len() < users.len() {
            users.clear();
        }
        users
    }

    /// The table and its inheritance children, children of children included.
    pub(crate) fn with_children(&self, catalog: &Catalog, table: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([table]);
        let mut open = vec![self.relations[table]];
        while let Some(parent) = open.pop() {
            for child in catalog
                .relations
                .iter()
                .filter(|relation| relation.parents.contains(&parent))
            {
                open.push(child.oid);
                found.extend(self.table(child.oid));
            }
        }
        found
    }

    /// Plans and fills every tenant-scoped table; `varied` adds rows with values that policies and views ask about.
    pub(crate) async fn build(
        sandbox: &Sandbox<'_>,
        catalog: &Catalog,
        model: &Model,
        binder: &dyn Binder,
        (mut seed, varied): (Seed, bool),
    ) -> Result<Self> {
        // A partition that is no door of its own is filled through its partitioned table.
        let is_door = |oid: Oid| {
            model
                .doors
                .iter()
                .any(|door| door.oid == oid && door.kind == DoorKind::Partition)
        };
        let is_partition = |oid| {
            let relation = catalog.relations.get(oid);
            relation.is_some_and(|relation| relation.is_partition) && !is_door(oid)
        };
        let wanted = model
            .tables
            .iter()
            .map(|table| table.relation)
            .filter(|&oid| !is_partition(oid));
        let Shapes {
            list: shapes,
            relations,
            by_oid,
        } = Shapes::read(catalog, wanted);
        let belongs: Vec<Belongs> = relations
            .iter()
            .map(|&oid| belongs(catalog, model, oid))
            .collect();
        let mut order = order(&shapes);
        // The tenants first: a tenant column need not refer to them.
        let tenants = (0..shapes.len()).filter(|&table| matches!(belongs[table], Belongs::IsTenant(_)));
        order.prefer(&shapes, tenants.collect());
        let canaries = ["a", "b"].map(|side| format!("rlstool{side}{}", seed.letters(5)));
        let mut plans: Vec<_> = shapes
            .iter()
            .enumerate()
            .map(|(table, shape)| {
                let put_off: BTreeSet<usize> = order
                    .put_off
                    .range((table, 0)..(table + 1, 0))
                    .map(|&(_, key)| key)
                    .collect();
                let tenant = match belongs[table] {
                    Belongs::ByColumn(column) => Some(column),
                    _ => None,
                };
                plan(shape, tenant, &put_off)
            })
            .collect();
        let tenant = |table: usize| belongs[table].column().map(|column| (table, column));
        let mut tenant_recipe = (0..shapes.len())
            .find_map(tenant)
            .map(|(table, column)| {
                (
                    shapes[table].columns[column].ty.clone(),
                    Recipe::Sample(Wish::Distinct),
                )
            })
            .ok_or_else(|| Error::new(ErrorKind::Internal, "no table has a tenant column"))?;

        // Every question of every table in one go.
        let mut asked = Vec::new();
        for (table, shape) in shapes.iter().enumerate() {
            let parents = plans[table].parents();
            asked.extend(
                questions(shape, &parents, &canaries[0], &mut seed)?
                    .into_iter()
                    .map(|q| (table, q)),
            );
        }
        let texts: Vec<_> = asked.iter().map(|(_, question)| question.sql.clone()).collect();
        let answers = sandbox.ask(&texts).await?;
        for ((table, question), answer) in asked.iter().zip(answers) {
            let chosen = answer
                .as_ref()
                .and_then(|a| a.rows.first())
                .and_then(|row| question.chosen(row));
            // Without an answer the plan stays as it was, and PostgreSQL will name the constraint.
            for (column, choice) in chosen.iter().flatten() {
                let is_tenant = plans[*table].sources[*column] == Source::Tenant;
                if let (Choice::Make(recipe), true) = (choice, is_tenant) {
                    tenant_recipe = (shapes[*table].columns[*column].ty.clone(), recipe.clone());
                }
            }
            plans[*table].settle(&chosen.unwrap_or_default());
        }

        let said = Said::new(catalog);
        let variants = relations
            .iter()
            .enumerate()
            .map(|(table, &oid)| {
                let Some(relation) = catalog
                    .relations
                    .get(oid)
                    .filter(|_| varied && belongs[table] != Belongs::ToNobody)
                else {
                    return Vec::new();
                };
                let about = said.about(relation);
                variants(
                    &shapes[table],
                    &plans[table],
                    &about,
                    &model.tenant_setting,
                    &mut seed,
                )
            })
            .collect();

        let mut scene = Scene {
            shapes,
            belongs,
            plans,
            variants,
            asking: asking(model)
                .filter_map(|oid| by_oid.get(&oid).copied())
                .collect(),
            seed,
            canaries,
            tenant_recipe,
            tenants: [None, None],
            rows: BTreeMap::new(),
            found: BTreeMap::new(),
            made: Vec::new(),
            refused: BTreeMap::new(),
            bound: false,
        };
        for (table, &oid) in relations.iter().enumerate() {
            // What a trigger sends elsewhere is not rolled back: no row is made there.
            if let Some(reason) = outside(catalog, oid) {
                scene.refused.insert(table, reason);
            }
        }
        scene.fill(sandbox, &order, binder).await?;
        let fresh = (0..scene.shapes.len())
            .map(|table| {
                let mut row = |side| scene.fresh((table, side, FRESH), false);
                Ok([row(Side::A)?, row(Side::B)?])
            })
            .collect();
        Ok(Self {
            scene,
            relations,
            by_oid,
            fresh,
        })
    }
}

/// Tables whose rows ask.
fn asking(model: &Model) -> impl Iterator<Item = Oid> {
    let users = model
        .tables
        .iter()
        .filter(|table| matches!(table.scope, Scope::Identity { .. }));
    let looked_up = model.identity.iter().map(|identity| identity.relation);
    users.map(|table| table.relation).chain(looked_up)
}

/// Why making a row would reach beyond the transaction.
fn outside(catalog: &Catalog, oid: Oid) -> Option<String> {
    let relation = catalog.relations.get(oid)?;
    if relation.kind == RelationKind::ForeignTable {
        return Some("it is a foreign table".to_owned());
    }
    relation
        .triggers
        .iter()
        .filter(|trigger| {
            trigger.fires() && (trigger.on_insert() || trigger.on_update() || trigger.on_delete())
        })
        .filter_map(|trigger| catalog.functions.get(trigger.function))
        .find_map(|function| goes_outside(catalog, function))
}

fn belongs(catalog: &Catalog, model: &Model, oid: Oid) -> Belongs {
    let position = |number: i16| {
        let relation = catalog.relations.get(oid)?;
        relation.columns.iter().position(|column| column.number == number)
    };
    let by = match model.table(oid).map(|table| table.scope) {
        Some(Scope::Root { key }) => position(key).map(Belongs::IsTenant),
        Some(Scope::Column { column }) => position(column).map(Belongs::ByColumn),
        Some(Scope::Child { .. } | Scope::Identity { .. }) => Some(Belongs::ByParent),
        None => None,
    };
    by.unwrap_or(Belongs::ToNobody)
}
