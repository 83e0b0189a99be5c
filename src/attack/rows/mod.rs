//! Rows for any schema: two tenants' rows in every tenant-scoped table and in what those refer to.
//!
//! `shape` is what is known of a table, `order` which comes first, `solve` finds values that CHECKs accept by asking
//! PostgreSQL, `plan` says where each column's value comes from, and `make` fills the tables.

mod expression;
mod from_catalog;
mod make;
mod order;
mod pattern;
mod plan;
mod recipe;
mod routing;
mod row;
mod scene;
mod seed;
mod shape;
mod solve;
mod type_shapes;
mod types;
mod value;
mod variants;

pub(crate) use from_catalog::Shapes;
pub(crate) use make::Binder;
pub(crate) use order::order;
pub(crate) use plan::{Source, plan};
pub(crate) use recipe::Recipe;
pub(crate) use row::{Row, constant};
pub(crate) use scene::{Belongs, PLAIN, Place, Scene, Side};
pub(crate) use seed::Seed;
pub(crate) use shape::{ForeignKey, Literal, Shape};
pub(crate) use solve::{Choice, questions};
pub(crate) use type_shapes::TypeShapes;
pub(crate) use types::{Form, TypeShape};
pub(crate) use value::{Wish, sample};
pub(crate) use variants::{Variant, variants};
