//! Types: from an object id to the sort of its values.

use super::Lowerer;
use crate::proof::ir::Expr;
use crate::proof::symbols::{Symbols, TypeKind};
use crate::proof::tree::Object;
use crate::proof::value::{Sort, Type, array_element, oid};

/// The type with this id and modifier. A domain has its base type's sort and modifier.
pub(crate) fn resolve(symbols: &Symbols, id: u32, typmod: i32) -> Type {
    let mut sort_of = id;
    let mut limit = typmod;
    // Domains over domains; a cycle cannot be, but a snapshot from a file can say anything.
    for _ in 0..32 {
        match symbols.types.get(&sort_of).map(|named| &named.kind) {
            Some(TypeKind::Domain { base, typmod, .. }) => {
                sort_of = *base;
                limit = *typmod;
            }
            _ => break,
        }
    }
    let sort = match sort_of {
        oid::BOOL => Sort::Bool,
        oid::INT2 | oid::INT4 | oid::INT8 => Sort::Int,
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME => Sort::Text,
        oid::UUID => Sort::Uuid,
        oid::JSON | oid::JSONB => Sort::Json,
        oid::DATE => Sort::Date,
        oid::TIMESTAMP => Sort::Timestamp,
        oid::TIMESTAMPTZ => Sort::Timestamptz,
        oid::NUMERIC => Sort::Numeric,
        other => match (
            array_element(other),
            symbols.types.get(&other).map(|named| &named.kind),
        ) {
            (Some(element), _) => Sort::Array(element),
            (None, Some(TypeKind::Array(element))) => Sort::Array(*element),
            (None, Some(TypeKind::Enum(_))) => Sort::Enum(other),
            _ => Sort::Other(other),
        },
    };
    Type {
        oid: id,
        typmod: limit,
        sort,
    }
}

/// The type below any domains.
pub(crate) fn base(symbols: &Symbols, id: u32) -> u32 {
    let mut base_id = id;
    for _ in 0..32 {
        match symbols.types.get(&base_id).map(|named| &named.kind) {
            Some(TypeKind::Domain { base, .. }) => base_id = *base,
            _ => break,
        }
    }
    base_id
}

impl Lowerer<'_> {
    /// The type that these two fields of a node name; without a second one, there is no modifier.
    pub(super) fn ty(&self, node: &Object<'_>, id: &str, typmod: &str) -> Type {
        let typmod = node.int(typmod).and_then(|n| i32::try_from(n).ok()).unwrap_or(-1);
        resolve(self.context.symbols, node.oid(id).unwrap_or(0), typmod)
    }

    /// Whether this is `char(n)`, whose values are kept without their padding.
    pub(super) fn is_blank_padded(&self, ty: Type) -> bool {
        base(self.context.symbols, ty.oid) == oid::BPCHAR
    }

    /// Whether the expression is text that is no `char(n)`.
    pub(super) fn is_plain_text(&self, expr: &Expr) -> bool {
        expr.ty().sort == Sort::Text && !self.is_blank_padded(expr.ty())
    }
}
