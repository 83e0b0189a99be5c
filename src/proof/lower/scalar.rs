//! Expression nodes.

use super::{Lowerer, MAX_NODES, Range};
use crate::proof::builtin::{Function, Order};
use crate::proof::ir::{Cast, Comparison, Expr, Form, Opaque};
use crate::proof::tree::{Node, Object};
use crate::proof::value::{Sort, Type};

impl Lowerer<'_> {
    pub(super) fn exprs(&mut self, nodes: &[Node<'_>]) -> Vec<Expr> {
        nodes.iter().map(|node| self.expr(node)).collect()
    }

    pub(super) fn field(&mut self, node: &Object<'_>, field: &str) -> Expr {
        self.expr(node.get(field))
    }

    pub(super) fn expr(&mut self, node: &Node<'_>) -> Expr {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Self::opaque_text(
                "…",
                "the expression is too large once its functions are followed",
                Type::BOOL,
            );
        }
        let Some(node) = node.object() else {
            return Self::opaque_text("…", "an expression node was expected", Type::BOOL);
        };
        match node.name {
            "CONST" => self.constant(node),
            "VAR" => self.var(node),
            "PARAM" => self.param(node),
            "BOOLEXPR" => self.bool_expr(node),
            "OPEXPR" => self.operator(node),
            "FUNCEXPR" => self.function(node),
            "DISTINCTEXPR" | "NULLIFEXPR" => self.by_equality(node),
            "SCALARARRAYOPEXPR" => self.scalar_array(node),
            "NULLTEST" => self.null_test(node),
            "BOOLEANTEST" => {
                let (want, negated) = match node.int("booltesttype") {
                    Some(0) => (Some(true), false),
                    Some(1) => (Some(true), true),
                    Some(2) => (Some(false), false),
                    Some(3) => (Some(false), true),
                    Some(4) => (None, false),
                    Some(5) => (None, true),
                    _ => return self.unknown(node, Type::BOOL),
                };
                let arg = Box::new(self.field(node, "arg"));
                Expr::IsBool { arg, want, negated }
            }
            "CASEEXPR" => self.case(node),
            "CASETESTEXPR" => match self.case_tests.last() {
                Some(test) => test.clone(),
                None => self.unknown(node, Type::BOOL),
            },
            "COALESCEEXPR" => {
                let ty = self.ty(node, "coalescetype", "");
                Expr::Coalesce(self.exprs(node.items("args")), ty)
            }
            "RELABELTYPE" => self.relabel(node),
            "COERCEVIAIO" => self.coerce_via_io(node),
            "COERCETODOMAIN" => {
                let ty = self.ty(node, "resulttype", "resulttypmod");
                let arg = Box::new(self.field(node, "arg"));
                Expr::Cast {
                    how: Cast::Same,
                    arg,
                    ty,
                }
            }
            "ARRAYCOERCEEXPR" => {
                let ty = self.ty(node, "resulttype", "resulttypmod");
                let array = Box::new(self.field(node, "arg"));
                let Sort::Array(element) = array.ty().sort else {
                    return self.unknown(node, ty);
                };
                let element = super::types::resolve(self.context.symbols, element, -1);
                self.case_tests.push(Expr::Element(element));
                let element = Box::new(self.field(node, "elemexpr"));
                self.case_tests.pop();
                Expr::Map { array, element, ty }
            }
            "COLLATEEXPR" => self.field(node, "arg"),
            "ARRAYEXPR" if node.flag("multidims") == Some(false) => {
                let ty = self.ty(node, "array_typeid", "");
                Expr::Array(self.exprs(node.items("elements")), ty)
            }
            "SQLVALUEFUNCTION" => self.sql_value(node),
            "SUBLINK" => self.sublink(node),
            "MINMAXEXPR" => {
                let ty = self.ty(node, "minmaxtype", "");
                let name = if node.int("op") == Some(0) {
                    "GREATEST"
                } else {
                    "LEAST"
                };
                let args = self.exprs(node.items("args"));
                Self::opaque(
                    name,
                    Form::Call,
                    "GREATEST and LEAST are not understood",
                    args,
                    false,
                    ty,
                )
            }
            _ => self.unknown(node, Type::BOOL),
        }
    }

    pub(super) fn opaque(
        name: &str,
        form: Form,
        reason: &str,
        args: Vec<Expr>,
        strict: bool,
        ty: Type,
    ) -> Expr {
        Expr::Opaque(Box::new(Opaque {
            name: name.to_owned(),
            form,
            reason: reason.to_owned(),
            args,
            strict,
            ty,
        }))
    }

    /// A node that is not understood. Functions within it may still do something.
    pub(super) fn unknown(&mut self, node: &Object<'_>, ty: Type) -> Expr {
        self.effects_of_tree(node);
        let name = if node.name.is_empty() { "…" } else { node.name };
        Self::opaque_text(name, "expressions of this kind are not understood", ty)
    }

    fn var(&mut self, node: &Object<'_>) -> Expr {
        let ty = self.ty(node, "vartype", "vartypmod");
        let level = node.int("varlevelsup").and_then(|up| usize::try_from(up).ok());
        let level = level.and_then(|up| self.levels.len().checked_sub(up + 1));
        let range = level.and_then(|level| {
            let index = usize::try_from(node.int("varno")?).ok()?.checked_sub(1)?;
            self.levels[level].get(index)
        });
        let attnum = node
            .int("varattno")
            .and_then(|n| i16::try_from(n).ok())
            .unwrap_or(0);
        match range {
            Some(Range::Row(row)) if attnum > 0 => Expr::Column {
                row: *row,
                attnum,
                ty,
            },
            Some(Range::Row(_)) => {
                Self::opaque_text("row", "whole rows and system columns are not understood", ty)
            }
            Some(Range::Columns(columns)) => {
                let column = usize::try_from(attnum)
                    .ok()
                    .and_then(|n| columns.get(n.checked_sub(1)?));
                match column {
                    Some(column) => column.clone(),
                    None => Self::opaque_text("row", "whole rows are not understood", ty),
                }
            }
            Some(Range::Unknown(name)) => Self::opaque_text(name, "what it returns is not understood", ty),
            None => Self::opaque_text("column", "a column of a table that is not here", ty),
        }
    }

    fn param(&mut self, node: &Object<'_>) -> Expr {
        let ty = self.ty(node, "paramtype", "paramtypmod");
        let list = match node.int("paramkind") {
            Some(0) => &self.params,
            Some(2) => &self.outputs,
            _ => return self.unknown(node, ty),
        };
        let index = node
            .int("paramid")
            .and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
        match index.and_then(|index| list.get(index)) {
            Some(expr) => expr.clone(),
            None => self.unknown(node, ty),
        }
    }

    fn bool_expr(&mut self, node: &Object<'_>) -> Expr {
        let mut args = self.exprs(node.items("args"));
        match (node.text("boolop").as_deref(), args.len()) {
            (Some("and"), _) => Expr::And(args),
            (Some("or"), _) => Expr::Or(args),
            (Some("not"), 1) => Expr::Not(Box::new(args.remove(0))),
            _ => self.unknown(node, Type::BOOL),
        }
    }

    fn null_test(&mut self, node: &Object<'_>) -> Expr {
        if node.flag("argisrow") != Some(false) {
            return self.unknown(node, Type::BOOL);
        }
        let negated = match node.int("nulltesttype") {
            Some(0) => false,
            Some(1) => true,
            _ => return self.unknown(node, Type::BOOL),
        };
        let arg = Box::new(self.field(node, "arg"));
        Expr::IsNull { arg, negated }
    }

    fn case(&mut self, node: &Object<'_>) -> Expr {
        let ty = self.ty(node, "casetype", "");
        let has_test = !node.get("arg").is_null();
        if has_test {
            let test = self.field(node, "arg");
            self.case_tests.push(test);
        }
        let arms = node.items("args").iter().filter_map(Node::object).map(|when| {
            let condition = self.expr(when.get("expr"));
            (condition, self.expr(when.get("result")))
        });
        let arms = arms.collect();
        let otherwise = match node.get("defresult") {
            Node::Null => Box::new(Expr::Const(ty, None)),
            default => Box::new(self.expr(default)),
        };
        if has_test {
            self.case_tests.pop();
        }
        Expr::Case { arms, otherwise, ty }
    }

    fn sql_value(&mut self, node: &Object<'_>) -> Expr {
        let ty = self.ty(node, "type", "typmod");
        match node.int("op") {
            Some(9..=11) => self.current_user(),
            Some(12) => Expr::SessionUser,
            // CURRENT_DATE, CURRENT_TIMESTAMP, LOCALTIMESTAMP and those with a precision.
            Some(0 | 3 | 4 | 7 | 8) => Expr::Call {
                function: Function::Now,
                args: Vec::new(),
                ty,
            },
            _ => self.unknown(node, ty),
        }
    }

    pub(super) fn current_user(&self) -> Expr {
        if self.as_definer {
            Self::opaque_text(
                "current_user",
                "the owner of a SECURITY DEFINER function",
                Type::NAME,
            )
        } else {
            Expr::CurrentUser
        }
    }

    /// IS DISTINCT FROM and NULLIF name the equality they use.
    fn by_equality(&mut self, node: &Object<'_>) -> Expr {
        let mut args = self.exprs(node.items("args"));
        let name = if node.name == "NULLIFEXPR" {
            "NULLIF"
        } else {
            "IS DISTINCT FROM"
        };
        let form = if node.name == "NULLIFEXPR" {
            Form::Call
        } else {
            Form::Operator
        };
        let ty = if form == Form::Operator {
            Type::BOOL
        } else {
            args.first().map_or(Type::BOOL, Expr::ty)
        };
        let function = self.operator_function(node);
        if let (
            Some(Comparison {
                order: Order::Equal,
                group,
                ..
            }),
            2,
        ) = (self.comparison(function, node, &args), args.len())
        {
            let right = Box::new(args.remove(1));
            let left = Box::new(args.remove(0));
            if form == Form::Call {
                Expr::NullIf { group, left, right }
            } else {
                Expr::Distinct { group, left, right }
            }
        } else {
            self.effects_of(function);
            Self::opaque(
                name,
                form,
                "it uses an operator that is not known to be equality",
                args,
                false,
                ty,
            )
        }
    }

    fn scalar_array(&mut self, node: &Object<'_>) -> Expr {
        let mut args = self.exprs(node.items("args"));
        let function = self.operator_function(node);
        let Some(all) = node.flag("useOr").map(|any| !any) else {
            return self.unknown(node, Type::BOOL);
        };
        let element = args.get(1).and_then(|array| match array.ty().sort {
            Sort::Array(element) => Some(super::types::resolve(self.context.symbols, element, -1)),
            _ => None,
        });
        let how = match (element, args.first()) {
            (Some(element), Some(left)) => {
                self.comparison(function, node, &[left.clone(), Expr::Element(element)])
            }
            _ => None,
        };
        if let (Some(how), 2) = (how, args.len()) {
            let array = Box::new(args.remove(1));
            let left = Box::new(args.remove(0));
            Expr::Any {
                all,
                how,
                left,
                array,
            }
        } else {
            self.effects_of(function);
            let name = if all { "operator ALL" } else { "operator ANY" };
            Self::opaque(
                name,
                Form::Operator,
                "its operator is not understood",
                args,
                false,
                Type::BOOL,
            )
        }
    }
}
