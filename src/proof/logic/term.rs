//! Terms: what values are called before they are known.

use crate::proof::builtin::{Collation, Function, Group, Order};
use crate::proof::ir::Cast;
use crate::proof::value::{Sort, Type, Value};

/// An index into [`Terms`].
pub(crate) type TermId = usize;

/// Which row: of which premise, and which of its rows (0 is the row that the policies judge).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowKey {
    pub(crate) premise: u8,
    pub(crate) row: u32,
}

/// What a function term applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    /// An input function. Undone by [`Op::Print`] of the same sort on the text that it printed.
    Parse(Sort),
    /// An output function: different values have different texts.
    Print(Sort),
    Cast(Cast),
    Call(Function),
    Order(Order, Group, Collation),
    /// The argument with a constant text before and behind it.
    Affix(String, String),
}

impl Op {
    /// Whether different arguments give different results.
    pub(super) fn is_injective(&self) -> bool {
        matches!(
            self,
            Self::Print(_) | Self::Affix(..) | Self::Call(Function::IntToNumeric | Function::BoolToText)
        )
    }

    /// Whether it gives no NULL for arguments that are not NULL.
    pub(super) fn is_null_free(&self) -> bool {
        match self {
            Self::Call(function) => function.is_null_free(),
            _ => true,
        }
    }
}

/// What a term is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TermKind {
    Column(RowKey, i16),
    /// The value of the tenant that the session is bound to.
    Tenant,
    /// What a word in braces stands for in the binding's templates.
    Placeholder(String),
    /// A setting that the session chooses; which place reads it, as it may change in between.
    Setting(String, usize),
    Const(Value),
    /// A text that the binding sets, with placeholders in it.
    Template(String),
    /// A JSON value with placeholders in its strings.
    Json(serde_json::Value),
    /// A strict function of other terms. With a number it is told from all others, because its value is not a
    /// function of its arguments' values.
    App(Op, Vec<TermId>, usize),
    /// Something of which nothing is known.
    Fresh(usize),
}

/// A term.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) kind: TermKind,
    pub(crate) ty: Type,
    /// Whether it is never NULL.
    pub(crate) not_null: bool,
    /// The expression that it first stood for.
    pub(crate) origin: usize,
}

/// All terms of one question, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    list: Vec<Term>,
}

impl Terms {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, id: TermId) -> &Term {
        &self.list[id]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TermId, &Term)> {
        self.list.iter().enumerate()
    }

    pub(crate) fn intern(&mut self, kind: TermKind, ty: Type, not_null: bool, origin: usize) -> TermId {
        // Integers of all widths, and texts of all types, are the same values: the sort tells terms apart, and the
        // type only where a printed value depends on it, which none does that is understood.
        let found = self
            .list
            .iter()
            .position(|term| term.kind == kind && term.ty.sort == ty.sort);
        found.unwrap_or_else(|| {
            let term = Term {
                kind,
                ty,
                not_null,
                origin,
            };
            self.list.push(term);
            self.list.len() - 1
        })
    }

    pub(crate) fn constant(&mut self, ty: Type, value: Value, origin: usize) -> TermId {
        self.intern(TermKind::Const(value), ty, true, origin)
    }

    pub(crate) fn as_const(&self, id: TermId) -> Option<&Value> {
        match &self.list[id].kind {
            TermKind::Const(value) => Some(value),
            _ => None,
        }
    }

    /// How many characters the text that a term is can have at most.
    pub(crate) fn max_length(&self, id: TermId) -> Option<usize> {
        let term = &self.list[id];
        match &term.kind {
            TermKind::Const(Value::Text(text)) => Some(text.chars().count()),
            TermKind::App(Op::Print(_), args, _) => self.list[*args.first()?].ty.max_text(),
            TermKind::App(Op::Cast(Cast::Cut(limit) | Cast::CutBlanks(limit)), ..) => {
                usize::try_from(*limit).ok()
            }
            TermKind::Column(..) | TermKind::Tenant => term.ty.max_text(),
            _ => None,
        }
    }
}
