//! Leaving out what a model does not reach, so that what is left can be run anywhere.

use super::model::Model;
use crate::proof::eval::{Outcome, World};
use crate::proof::ir::Expr;
use crate::proof::symbols::Symbols;

/// The expression without the parts that are not evaluated on this row, where they could not be written as SQL.
pub(super) fn prune(symbols: &Symbols, model: &Model, row: usize, expr: &Expr) -> Expr {
    if is_writable(expr, model, row) {
        expr.clone()
    } else {
        within(&model.world(symbols, row), expr)
    }
}

fn within(world: &World<'_>, expr: &Expr) -> Expr {
    let all = |list: &[Expr]| list.iter().map(|expr| within(world, expr)).collect();
    match expr {
        Expr::Or(list) if list.contains(&Expr::TRUE) => Expr::TRUE,
        Expr::Or(list) => Expr::Or(all(list)),
        Expr::And(list) => Expr::And(all(list)),
        Expr::Not(arg) => Expr::Not(Box::new(within(world, arg))),
        Expr::Case { arms, otherwise, ty } => {
            let mut kept = Vec::new();
            for (when, then) in arms {
                if world.eval(when) == Outcome::TRUE {
                    kept.push((within(world, when), within(world, then)));
                    let otherwise = Box::new(Expr::Const(*ty, None));
                    return Expr::Case {
                        arms: kept,
                        otherwise,
                        ty: *ty,
                    };
                }
                // What an arm that is not taken would give does not matter.
                kept.push((within(world, when), Expr::Const(*ty, None)));
            }
            Expr::Case {
                arms: kept,
                otherwise: Box::new(within(world, otherwise)),
                ty: *ty,
            }
        }
        Expr::Coalesce(list, ty) => {
            let reached = list.iter().position(|item| world.eval(item) != Outcome::NULL);
            let list = &list[..reached.map_or(list.len(), |last| last + 1)];
            Expr::Coalesce(all(list), *ty)
        }
        other => other.clone(),
    }
}

fn is_writable(expr: &Expr, model: &Model, row: usize) -> bool {
    let mut writable = true;
    expr.walk(&mut |expr| {
        if let Expr::Column { attnum, .. } = expr {
            writable &= model.rows[row].contains_key(attnum);
        }
        writable &= !matches!(
            expr,
            Expr::Opaque(_) | Expr::In { .. } | Expr::ArrayOf(..) | Expr::Exists(_) | Expr::Scalar { .. }
        );
        writable
    });
    writable
}
