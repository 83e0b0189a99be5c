//! The typed form of an expression: what the nodes of a stored tree mean, or that they are not understood.

mod expr;
mod render;
mod shift;

pub(crate) use expr::{Cast, Comparison, Expr, Form, Opaque, Query, Setting, Source};
pub(crate) use render::Renderer;
pub(crate) use shift::shift_rows;
