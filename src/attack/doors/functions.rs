//! Functions and procedures: their arguments, and the tables that they may be about.

use super::aim::{Aim, MOST_TABLES, witness};
use crate::attack::routine::{Argument, Routine, Shadow, goes_outside, mentions, mentions_bare};
use crate::attack::rows::{Belongs, Side, TypeShape, TypeShapes};
use crate::attack::run::Run;
use crate::attack::session::Session;
use crate::attack::target::owner_condition;
use crate::catalog::{Function, FunctionKind, Oid, TypeKind};
use crate::error::Result as Outcome;
use crate::model::ModelDoor;
use crate::sql::Ident;

/// Tables of one function that a view is stood before.
const MOST_SHADOWS: usize = 4;

impl Run<'_> {
    /// The filled tables of tenants: those that the function names, and the others.
    pub(super) fn tables_of(&self, function: Option<&Function>) -> (Vec<usize>, Vec<usize>) {
        let scene = &self.stage.scene;
        let is_named = |&table: &usize| {
            let name = scene.shapes[table].name.name.as_str();
            function.is_some_and(|function| mentions(function, self.stage.relations[table], name))
        };
        (0..scene.shapes.len())
            .filter(|table| scene.belongs[*table] != Belongs::ToNobody && !scene.refused.contains_key(table))
            .partition(is_named)
    }

    /// Tables that a function's body names, each with what it takes to stand a view before it. A body that is stored with
    /// its objects looks up no name when it runs.
    fn shadows(&self, function: &Function, tables: &[usize]) -> Outcome<Vec<Shadow>> {
        let mut shadows = Vec::new();
        let Some(body) = function.body.as_deref() else {
            return Ok(shadows);
        };
        for &table in tables.iter().take(MOST_SHADOWS) {
            let oid = self.stage.relations[table];
            let condition = owner_condition(&self.stage.scene, table, Side::B)?;
            let relation = self.catalog.relations.get(oid);
            let (Some(relation), Some(condition)) = (relation, condition) else {
                continue;
            };
            if !mentions_bare(body, &relation.name) {
                continue;
            }
            let column = |column: &crate::catalog::Column| {
                Ok(format!(
                    "CASE WHEN pg_temp.rls_tool_steal() THEN NULL::{} END AS {}",
                    column.type_name,
                    Ident::new(&*column.name)?
                ))
            };
            shadows.push(Shadow {
                name: relation.qualified_name(),
                columns: relation.columns.iter().map(column).collect::<Outcome<_>>()?,
                condition,
            });
        }
        Ok(shadows)
    }

    pub(super) fn routine<'a>(
        &'a self,
        door: &ModelDoor,
        session: &'a Session,
    ) -> Outcome<Result<Aim<'a>, String>> {
        let Some(function) = self.catalog.functions.get(door.oid) else {
            return Ok(Err("the catalog does not know the function".to_owned()));
        };
        if let Some(reason) = goes_outside(self.catalog, function) {
            return Ok(Err(format!("it is not called: {reason}")));
        }
        if matches!(function.kind, FunctionKind::Aggregate | FunctionKind::Window) {
            return Ok(Err(
                "aggregates and window functions are not called yet".to_owned()
            ));
        }
        let types = TypeShapes::new(self.catalog);
        let arguments: Option<Vec<Argument>> = arguments(function)
            .into_iter()
            .map(|(name, oid, out)| {
                let known = self.catalog.types.get(oid)?;
                // A polymorphic argument takes text as well as anything.
                let polymorphic = matches!(&known.kind, TypeKind::Pseudo);
                let ty = match (&*known.name, polymorphic) {
                    ("anyelement" | "anynonarray" | "anycompatible" | "any", _) => {
                        TypeShape::base("text", "pg_catalog.text")
                    }
                    (_, true) => return None,
                    _ => types.of_type(oid),
                };
                Some(Argument { name, ty, out })
            })
            .collect();
        let Some(arguments) = arguments else {
            return Ok(Err(
                "it takes an argument that a session cannot write down".to_owned()
            ));
        };
        let scene = &self.stage.scene;
        let (named, others) = self.tables_of(Some(function));
        let visitor = match self.visitor(session, if named.len() < MOST_TABLES { &named } else { &[] }) {
            Ok(visitor) => visitor,
            Err(reason) => return Ok(Err(reason)),
        };
        let tables: Vec<usize> = named.into_iter().chain(others).take(MOST_TABLES).collect();
        let witness = witness(scene, &tables)?;
        let result = self.catalog.types.get(function.result);
        let is = |name: &str| result.is_some_and(|ty| &*ty.name == name);
        let record = is("record") && function.modes.is_none();
        let single = function.kind == FunctionKind::Procedure
            || is("void")
            || !function.returns_set && function.volatility == crate::catalog::Volatility::Volatile;
        let shadows = self.shadows(function, &tables)?;
        let mut routine = Routine::new(visitor, function, arguments, !record, witness, (scene, tables))?;
        routine.shadows = shadows;
        Ok(Ok(Aim::Call(Box::new(routine), single)))
    }
}

/// The arguments that a call writes down: name, type, and whether it is a procedure's OUT argument.
fn arguments(function: &Function) -> Vec<(String, Oid, bool)> {
    let name = |place: usize| {
        let names = function.names.as_deref().unwrap_or_default();
        names.get(place).cloned().unwrap_or_default()
    };
    let (Some(all), Some(modes)) = (&function.all_arguments, &function.modes) else {
        return function
            .arguments
            .iter()
            .enumerate()
            .map(|(place, &oid)| (name(place), oid, false))
            .collect();
    };
    all.iter()
        .zip(modes)
        .enumerate()
        .filter_map(|(place, (&oid, mode))| match mode.as_str() {
            "i" | "b" | "v" => Some((name(place), oid, false)),
            "o" if function.kind == FunctionKind::Procedure => Some((name(place), oid, true)),
            _ => None,
        })
        .collect()
}
