//! Casts: between types that store the same bytes, and by way of text.

use super::Lowerer;
use crate::proof::ir::{Cast, Expr, Form};
use crate::proof::tree::Object;
use crate::proof::value::{Sort, Type, oid};

impl Lowerer<'_> {
    /// A cast between types that store the same bytes.
    pub(super) fn relabel(&mut self, node: &Object<'_>) -> Expr {
        let ty = self.ty(node, "resulttype", "resulttypmod");
        let arg = Box::new(self.field(node, "arg"));
        let from = arg.ty();
        if from.sort != ty.sort {
            let reason = "this cast is not understood";
            return Self::opaque("CAST", Form::Call, reason, vec![*arg], true, ty);
        }
        match (self.is_blank_padded(from), self.is_blank_padded(ty)) {
            (false, true) if ty.sort == Sort::Text => Expr::Cast {
                how: Cast::DropBlanks,
                arg,
                ty,
            },
            // The padding, which is not kept here, would become part of the text.
            (true, false) => Self::opaque(
                "CAST",
                Form::Call,
                "the padding of char(n) counts in this cast",
                vec![*arg],
                true,
                ty,
            ),
            _ => Expr::Cast {
                how: Cast::Same,
                arg,
                ty,
            },
        }
    }

    /// A cast by the source's output function and the target's input function.
    pub(super) fn coerce_via_io(&mut self, node: &Object<'_>) -> Expr {
        let ty = self.ty(node, "resulttype", "");
        let arg = Box::new(self.field(node, "arg"));
        let from = arg.ty();
        let target = super::types::base(self.context.symbols, ty.oid);
        let readable = matches!(
            ty.sort,
            Sort::Int | Sort::Uuid | Sort::Bool | Sort::Json | Sort::Enum(_) | Sort::Numeric
        );
        let printable = matches!(from.sort, Sort::Int | Sort::Uuid | Sort::Enum(_) | Sort::Numeric);
        if readable && self.is_plain_text(&arg) {
            return Expr::Cast {
                how: Cast::Parse,
                arg,
                ty,
            };
        }
        if printable && ty.sort == Sort::Text {
            let text = Expr::Cast {
                how: Cast::Print,
                arg,
                ty: Type::TEXT,
            };
            return match target {
                oid::NAME => Expr::Cast {
                    how: Cast::CutName,
                    arg: Box::new(text),
                    ty,
                },
                oid::BPCHAR => Expr::Cast {
                    how: Cast::DropBlanks,
                    arg: Box::new(text),
                    ty,
                },
                _ => Expr::Cast {
                    how: Cast::Same,
                    arg: Box::new(text),
                    ty,
                },
            };
        }
        Self::opaque(
            "CAST",
            Form::Call,
            "this cast is not understood",
            vec![*arg],
            true,
            ty,
        )
    }
}
