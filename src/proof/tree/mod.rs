//! Reading `pg_node_tree`: the text form in which PostgreSQL stores expressions, bound to object ids.
//!
//! [`Node::parse`] takes what `polqual::text` and the like return, on PostgreSQL 14 to 18, and never panics. It knows
//! the notation, not the node types: a field is found by its name, and a node type of a later version is just a name
//! that nobody asks for.

mod datum;
mod node;
mod parse;

pub use datum::{Datum, Layout};
pub use node::{Node, Object};
pub use parse::TreeError;
