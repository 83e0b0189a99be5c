//! Lowering: from the nodes of a stored tree to the typed form, by what the object ids mean.
//!
//! What is not understood becomes [`Opaque`] with the reason; lowering itself cannot fail. Besides the expression it
//! finds [`Hazard`]s: things that forbid calling anything proven, whatever the expression's value is.

mod call;
mod cast;
mod constant;
mod inline;
mod names;
mod query;
mod quiet;
mod scalar;
mod text;
mod types;

use std::collections::BTreeSet;

pub(crate) use constant::literal;
pub(crate) use quiet::Quiet;
pub(crate) use types::{base, resolve};

use super::ir::{Expr, Form, Opaque};
use super::question::Session;
use super::symbols::Symbols;
use super::tree::Node;
use super::value::Type;

/// Functions within functions within policies are followed this far.
const MAX_INLINED: usize = 8;

/// An expression beyond this many nodes is not understood: inlining can multiply them.
const MAX_NODES: usize = 20_000;

/// A lowered expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lowered {
    /// Its number among those of one prover: in the order in which they were first asked for.
    pub(crate) id: usize,
    pub(crate) expr: Expr,
    pub(crate) hazards: BTreeSet<Hazard>,
    /// Whether it looks rows up.
    pub(crate) reads: bool,
    /// Whether it has been true of a row ever since it was: it looks at the row alone, by functions that are PostgreSQL's own.
    pub(crate) lasts: bool,
}

/// Something that the value of an expression does not show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hazard {
    /// The function it is about.
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// What lowering is done with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'s> {
    pub(crate) symbols: &'s Symbols,
    pub(crate) session: &'s Session,
    pub(crate) quiet: &'s Quiet<'s>,
}

/// Lowers an expression about one table's row: a policy's USING or WITH CHECK, or a CHECK constraint.
pub(crate) fn lower(context: Context<'_>, tree: &str, id: usize) -> Lowered {
    let mut lowerer = Lowerer::new(context);
    let expr = match Node::parse(tree) {
        Ok(node) => lowerer.expr(&node),
        Err(error) => Lowerer::opaque_text("expression", &error.to_string(), Type::BOOL),
    };
    Lowered {
        id,
        reads: expr.has_query(),
        lasts: !lowerer.has_followed && !expr.looks_around(),
        expr,
        hazards: lowerer.hazards,
    }
}

/// What a range table entry of a query stands for.
#[derive(Debug, Clone)]
enum Range {
    /// A row of a table.
    Row(u32),
    /// A row made of these expressions.
    Columns(Vec<Expr>),
    /// Something that is not understood, with its name.
    Unknown(String),
}

struct Lowerer<'s> {
    context: Context<'s>,
    hazards: BTreeSet<Hazard>,
    /// Range tables of the query being lowered (last) and of those around it.
    levels: Vec<Vec<Range>>,
    /// What the parameters of the function being inlined stand for.
    params: Vec<Expr>,
    /// What CASE compares, for the innermost CASE; what a cast of array elements casts.
    case_tests: Vec<Expr>,
    /// The columns that the test of `IN (sub-select)` compares with.
    outputs: Vec<Expr>,
    next_row: u32,
    inlined: usize,
    /// Whether the function being inlined runs as its owner.
    as_definer: bool,
    nodes: usize,
    /// Whether a function was replaced by its body, which may have been another one before.
    has_followed: bool,
}

impl<'s> Lowerer<'s> {
    fn new(context: Context<'s>) -> Self {
        Self {
            context,
            hazards: BTreeSet::new(),
            levels: vec![vec![Range::Row(0)]],
            params: Vec::new(),
            case_tests: Vec::new(),
            outputs: Vec::new(),
            next_row: 1,
            inlined: 0,
            as_definer: false,
            nodes: 0,
            has_followed: false,
        }
    }

    fn opaque_text(name: &str, reason: &str, ty: Type) -> Expr {
        Expr::Opaque(Box::new(Opaque {
            name: name.to_owned(),
            form: Form::Text,
            reason: reason.to_owned(),
            args: Vec::new(),
            strict: false,
            ty,
        }))
    }

    fn hazard(&mut self, name: &str, reason: &str) {
        self.hazards.insert(Hazard {
            name: name.to_owned(),
            reason: reason.to_owned(),
        });
    }
}
