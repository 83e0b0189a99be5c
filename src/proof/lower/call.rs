//! Functions and operators.

use super::{Lowerer, types};
use crate::proof::builtin::{self, Collation, Function, Group};
use crate::proof::ir::{Cast, Comparison, Expr, Form, Setting};
use crate::proof::symbols::FIRST_NORMAL_OID;
use crate::proof::tree::Object;
use crate::proof::value::{Sort, Type, Value, oid};

/// The database's default collation.
const DEFAULT_COLLATION: u32 = 100;

impl Lowerer<'_> {
    /// The function behind an operator node.
    pub(super) fn operator_function(&self, node: &Object<'_>) -> u32 {
        match node.oid("opfuncid") {
            Some(function) if function != 0 => function,
            _ => {
                let operator = node
                    .oid("opno")
                    .and_then(|id| self.context.symbols.operators.get(&id));
                operator.map_or(0, |operator| operator.function)
            }
        }
    }

    pub(super) fn operator(&mut self, node: &Object<'_>) -> Expr {
        let function = self.operator_function(node);
        let args = self.exprs(node.items("args"));
        let ty = self.ty(node, "opresulttype", "");
        let operator = node
            .oid("opno")
            .and_then(|id| self.context.symbols.operators.get(&id));
        let name = operator.map(|operator| format!("OPERATOR({}.{})", operator.schema, operator.name));
        self.call(function, name.as_deref(), node, args, ty)
    }

    pub(super) fn function(&mut self, node: &Object<'_>) -> Expr {
        let args = self.exprs(node.items("args"));
        let ty = self.ty(node, "funcresulttype", "");
        if node.flag("funcretset") != Some(false) {
            self.effects_of(node.oid("funcid").unwrap_or(0));
            return Self::opaque(
                "function",
                Form::Call,
                "functions that return sets are not understood",
                args,
                false,
                ty,
            );
        }
        self.call(node.oid("funcid").unwrap_or(0), None, node, args, ty)
    }

    /// PostgreSQL's own function with this id, unless the server's was replaced.
    pub(super) fn builtin(&self, function: u32) -> Option<Function> {
        let known = builtin::function(function)?;
        (!self.context.symbols.redefined.contains(&function)).then_some(known)
    }

    /// Calls `function`; `operator` is how an operator of the user's own is written.
    fn call(
        &mut self,
        function: u32,
        operator: Option<&str>,
        node: &Object<'_>,
        args: Vec<Expr>,
        ty: Type,
    ) -> Expr {
        if function >= FIRST_NORMAL_OID {
            return self.user_call(function, operator, args, ty);
        }
        match self.builtin(function) {
            Some(known) => self.builtin_call(known, function, node, args, ty),
            None => self.opaque_builtin(function, args, ty),
        }
    }

    /// One of PostgreSQL's own functions that is not understood. Nearly all are strict, but not all: that is not used.
    fn opaque_builtin(&mut self, function: u32, args: Vec<Expr>, ty: Type) -> Expr {
        let name = self.context.symbols.names.get(&function);
        let name = name.map_or_else(
            || format!("function {function}"),
            std::string::ToString::to_string,
        );
        self.effects_of(function);
        let reason = if self.context.symbols.redefined.contains(&function) {
            "this function of PostgreSQL's was replaced on the server"
        } else {
            "this function is not understood"
        };
        Self::opaque(&name, Form::Call, reason, args, false, ty)
    }

    fn builtin_call(
        &mut self,
        known: Function,
        function: u32,
        node: &Object<'_>,
        mut args: Vec<Expr>,
        ty: Type,
    ) -> Expr {
        let cast = |how, arg: Expr| Expr::Cast {
            how,
            arg: Box::new(arg),
            ty,
        };
        match (known, args.len()) {
            (Function::Compare(order, _), 2) => {
                let Some(how) = self.comparison(function, node, &args) else {
                    let reason = "this comparison is not understood";
                    return Self::opaque(order.symbol(), Form::Operator, reason, args, true, ty);
                };
                let right = Box::new(args.remove(1));
                let left = Box::new(args.remove(0));
                Expr::Compare { how, left, right }
            }
            (Function::CurrentSetting, 1) => self.setting(function, args, false, ty),
            (Function::CurrentSettingMissingOk, 2) => match args[1] {
                Expr::Const(_, Some(Value::Bool(missing_ok))) => self.setting(function, args, missing_ok, ty),
                _ => self.opaque_builtin(function, args, ty),
            },
            (Function::SetConfig, _) => {
                self.hazard("set_config", "it changes settings while rows are being judged");
                Self::opaque("set_config", Form::Call, "it changes settings", args, false, ty)
            }
            (Function::CurrentUser, 0) => self.current_user(),
            (Function::SessionUser, 0) => Expr::SessionUser,
            (Function::IntCast | Function::BlankToText | Function::NameToText, 1) => {
                cast(Cast::Same, args.remove(0))
            }
            (Function::TextToName, 1) => cast(Cast::CutName, args.remove(0)),
            (Function::VarcharLength | Function::BlankLength, 3) => match (&args[1], &args[2]) {
                // An assignment cast would raise an error where an explicit one cuts.
                (Expr::Const(_, Some(Value::Int(limit))), Expr::Const(_, Some(Value::Bool(true)))) => {
                    let Some(limit) = u32::try_from(limit - 4).ok().filter(|limit| *limit > 0) else {
                        return self.opaque_builtin(function, args, ty);
                    };
                    let how = if known == Function::BlankLength {
                        Cast::CutBlanks(limit)
                    } else {
                        Cast::Cut(limit)
                    };
                    let ty = Type {
                        typmod: i32::try_from(limit).unwrap_or(0).saturating_add(4),
                        ..ty
                    };
                    Expr::Cast {
                        how,
                        arg: Box::new(args.remove(0)),
                        ty,
                    }
                }
                _ => self.opaque_builtin(function, args, ty),
            },
            // Their result depends on the collation, and on a nondeterministic one they fail or do not compare bytes.
            (
                Function::Like
                | Function::NotLike
                | Function::Matches(_)
                | Function::NotMatches(_)
                | Function::Position
                | Function::StartsWith,
                2,
            )
            | (Function::Replace | Function::SplitPart, 3)
                if !self.is_deterministic(node) =>
            {
                self.opaque_builtin(function, args, ty)
            }
            (
                Function::CurrentSetting
                | Function::CurrentSettingMissingOk
                | Function::CurrentUser
                | Function::SessionUser
                | Function::Compare(..)
                | Function::TextToName
                | Function::VarcharLength
                | Function::BlankLength
                | Function::BlankToText
                | Function::NameToText
                | Function::IntCast,
                _,
            ) => self.opaque_builtin(function, args, ty),
            _ => Expr::Call {
                function: known.under(Collation::of(node.oid("inputcollid").unwrap_or(0))),
                args,
                ty,
            },
        }
    }

    fn setting(&mut self, function: u32, args: Vec<Expr>, missing_ok: bool, ty: Type) -> Expr {
        let name = match &args[0] {
            Expr::Const(_, Some(Value::Text(name))) => name.to_ascii_lowercase(),
            Expr::Const(_, None) => return Expr::Const(ty, None),
            _ => return self.opaque_builtin(function, args, ty),
        };
        Expr::Setting(Setting { name, missing_ok })
    }

    fn is_deterministic(&self, node: &Object<'_>) -> bool {
        let collation = node.oid("inputcollid").unwrap_or(0);
        // Without a collation the server raises an error, so nothing can be said either.
        collation != 0
            && (collation == DEFAULT_COLLATION
                || !self
                    .context
                    .symbols
                    .nondeterministic_collations
                    .contains(&collation))
    }

    /// Which comparison `function` makes of these arguments, if it is one that is understood.
    pub(super) fn comparison(&self, function: u32, node: &Object<'_>, args: &[Expr]) -> Option<Comparison> {
        let Some(Function::Compare(order, group)) = self.builtin(function) else {
            return None;
        };
        let fits = |sort: Sort| match group {
            Group::Bool => sort == Sort::Bool,
            Group::Int => sort == Sort::Int,
            Group::Blank | Group::Text => sort == Sort::Text,
            Group::Uuid => sort == Sort::Uuid,
            Group::Enum => matches!(sort, Sort::Enum(_)),
            Group::Date => sort == Sort::Date,
            Group::Timestamp => sort == Sort::Timestamp,
            Group::Timestamptz => sort == Sort::Timestamptz,
            Group::Numeric => sort == Sort::Numeric,
            Group::Other => false,
        };
        if args.len() != 2 || !args.iter().all(|arg| fits(arg.ty().sort)) {
            return None;
        }
        let is_text = matches!(group, Group::Blank | Group::Text);
        if is_text && !self.is_deterministic(node) {
            return None;
        }
        // char(n) as text would count its padding: only its own comparison may see it.
        let padded = args
            .iter()
            .any(|arg| types::base(self.context.symbols, arg.ty().oid) == oid::BPCHAR);
        if group == Group::Text && padded {
            return None;
        }
        let collation = if is_text {
            Collation::of(node.oid("inputcollid").unwrap_or(0))
        } else {
            Collation::Bytes
        };
        Some(Comparison {
            order,
            group,
            collation,
        })
    }
}
