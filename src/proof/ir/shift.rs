//! Renumbering, so that expressions which were lowered apart can be put together.

use super::{Expr, Query};

/// The expression with the rows of its sub-selects numbered from `offset` on; and the highest
/// number that it uses.
pub(crate) fn shift_rows(expr: &Expr, offset: u32) -> (Expr, u32) {
    let mut expr = expr.clone();
    let mut highest = offset;
    walk(&mut expr, &mut |number| {
        *number += offset;
        highest = highest.max(*number);
    });
    (expr, highest)
}

fn walk(expr: &mut Expr, shift: &mut dyn FnMut(&mut u32)) {
    match expr {
        Expr::Column { row, .. } if *row > 0 => shift(row),
        Expr::Const(..)
        | Expr::Column { .. }
        | Expr::Setting(_)
        | Expr::CurrentUser
        | Expr::SessionUser
        | Expr::Element(_) => {}
        Expr::And(list) | Expr::Or(list) | Expr::Coalesce(list, _) | Expr::Array(list, _) => {
            for expr in list {
                walk(expr, shift);
            }
        }
        Expr::Call { args, .. } => args.iter_mut().for_each(|expr| walk(expr, shift)),
        Expr::Opaque(opaque) => opaque.args.iter_mut().for_each(|expr| walk(expr, shift)),
        Expr::Not(arg) | Expr::IsNull { arg, .. } | Expr::IsBool { arg, .. } | Expr::Cast { arg, .. } => {
            walk(arg, shift);
        }
        Expr::Compare { left, right, .. }
        | Expr::Distinct { left, right, .. }
        | Expr::NullIf { left, right, .. }
        | Expr::Any {
            left, array: right, ..
        }
        | Expr::Map {
            array: left,
            element: right,
            ..
        } => {
            walk(left, shift);
            walk(right, shift);
        }
        Expr::Case { arms, otherwise, .. } => {
            for (when, then) in arms {
                walk(when, shift);
                walk(then, shift);
            }
            walk(otherwise, shift);
        }
        Expr::Exists(query) | Expr::ArrayOf(query, _) | Expr::Scalar { query, .. } => {
            walk_query(query, shift);
        }
        Expr::In { query, test } => {
            walk_query(query, shift);
            walk(test, shift);
        }
    }
}

fn walk_query(query: &mut Query, shift: &mut dyn FnMut(&mut u32)) {
    query.sources.iter_mut().for_each(|source| shift(&mut source.row));
    walk(&mut query.condition, shift);
    query.columns.iter_mut().for_each(|column| walk(column, shift));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::ir::Source;
    use crate::proof::value::Type;

    #[test]
    fn the_judged_row_keeps_its_number() {
        let column = |row| Expr::Column {
            row,
            attnum: 1,
            ty: Type::TEXT,
        };
        let query = |row| Query {
            sources: vec![Source {
                row,
                relation: 5,
                as_session: true,
            }],
            condition: column(row),
            columns: vec![column(0)],
            is_rowless: false,
        };
        let (shifted, highest) = shift_rows(&Expr::Exists(Box::new(query(2))), 7);
        assert_eq!((shifted, highest), (Expr::Exists(Box::new(query(9))), 9));
    }
}
