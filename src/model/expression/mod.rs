//! What a policy's stored expression says, as far as checks and the model ask: which settings, columns, functions and
//! tables it looks at, and whether it is certainly true in a given session.
//!
//! Reads the stored tree, bound to object ids. It says "true" only where that is certain; a full proof is `proof`'s.

mod body;
mod eval;
mod expr;
mod lower;
mod query;

pub(crate) use body::{Token, computes_tokens, names_read, settings_read, tokens};
pub(crate) use eval::{RowTenant, State, Value, World, evaluate};
pub(crate) use expr::Expr;
pub(crate) use lower::{computed, lower, lower_body};
