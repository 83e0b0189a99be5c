//! What a name in a function body that is text means: a function, an operator, a type; or that somebody could give it
//! another meaning.

use super::text::Lower;
use super::{Lowerer, types};
use crate::proof::body::{Ast, Name, TypeName};
use crate::proof::builtin::{Collation, Function as Builtin};
use crate::proof::ir::{Expr, Setting};
use crate::proof::symbols::Function;
use crate::proof::value::{Sort, Type, oid};

/// What the names in a body can mean besides what they say.
pub(super) struct Names<'f> {
    pub(super) function: &'f Function,
    /// PostgreSQL's own functions and operators come first.
    pub(super) catalog_is_first: bool,
    /// Nobody can put a function or operator in front of PostgreSQL's own that is not there yet.
    pub(super) functions_are_safe: bool,
    /// Nobody can put a type in front of PostgreSQL's own.
    pub(super) types_are_safe: bool,
}

impl Names<'_> {
    /// By whose rules text is ordered and its letters changed in the body. Arguments bring the caller's with them.
    pub(super) fn collation(&self) -> Lower<Collation> {
        if self.function.argument_types.is_empty() {
            Ok(Collation::DEFAULT)
        } else {
            Err("the collation of its arguments decides what is done in it".into())
        }
    }
}

impl Lowerer<'_> {
    /// Whether an operator's name can only mean PostgreSQL's own for the types it is used with here.
    pub(super) fn operator_is_safe(&self, symbol: &str, operands: [u32; 2], names: &Names<'_>) -> Lower<()> {
        let symbols = self.context.symbols;
        // PostgreSQL has none for varchar itself: there another one could be the better match.
        let is_exact = !operands.contains(&oid::VARCHAR);
        let has_rival = symbols.operators.values().any(|operator| {
            &*operator.name == symbol
                && symbols
                    .functions
                    .get(&operator.function)
                    .is_none_or(|function| !is_exact || function.argument_types == operands)
        });
        if names.functions_are_safe && (names.catalog_is_first && is_exact || !has_rival) {
            return Ok(());
        }
        Err(format!(
            "its search_path is not set, so that the caller decides what {symbol} means in it"
        ))
    }

    /// The type of that name. Words of the grammar cannot be shadowed, names can.
    pub(super) fn type_named(&self, ty: &TypeName, names: &Names<'_>) -> Lower<Type> {
        let fail = || {
            Err(format!(
                "the type {} in its body is not understood",
                ty.name.join(".")
            ))
        };
        let (name, qualified) = match ty.name.as_slice() {
            [name] => (name.as_str(), false),
            [schema, name] if schema == "pg_catalog" => (name.as_str(), true),
            _ => return fail(),
        };
        // (type, whether the name is a word of the grammar)
        let (id, is_grammar) = match name {
            "integer" | "int" if !qualified => (oid::INT4, true),
            "bigint" if !qualified => (oid::INT8, true),
            "smallint" if !qualified => (oid::INT2, true),
            "boolean" if !qualified => (oid::BOOL, true),
            "varchar" => (oid::VARCHAR, true),
            "int4" => (oid::INT4, false),
            "int8" => (oid::INT8, false),
            "int2" => (oid::INT2, false),
            "bool" => (oid::BOOL, false),
            "text" => (oid::TEXT, false),
            "uuid" => (oid::UUID, false),
            "json" => (oid::JSON, false),
            "jsonb" => (oid::JSONB, false),
            _ => return fail(),
        };
        if ty.array || (ty.limit.is_some() && id != oid::VARCHAR) {
            return fail();
        }
        // An existing type of that name elsewhere can be reached by a search_path that is not set.
        let others = self
            .context
            .symbols
            .types
            .values()
            .any(|other| &*other.name == name);
        let pinned = names
            .function
            .settings
            .iter()
            .any(|setting| setting.starts_with("search_path="));
        // A temporary type can bring a cast of its maker's along, which gives whatever he likes.
        if !(qualified || is_grammar || names.types_are_safe && (pinned || !others)) {
            return Err(format!(
                "the caller can make a temporary type named {name}, which the cast in its body would mean"
            ));
        }
        let typmod = ty
            .limit
            .and_then(|limit| i32::try_from(limit + 4).ok())
            .unwrap_or(-1);
        Ok(types::resolve(self.context.symbols, id, typmod))
    }

    pub(super) fn text_call(&mut self, name: &Name, args: &[Ast], names: &Names<'_>) -> Lower<Expr> {
        let symbols = self.context.symbols;
        let unknown = || {
            Err(format!(
                "the function {} in its body is not understood",
                name.join(".")
            ))
        };
        let plain_name = match name.as_slice() {
            [schema, plain_name] if schema == "pg_catalog" => plain_name.as_str(),
            [schema, plain_name] => {
                let mut found = symbols
                    .functions
                    .iter()
                    .filter(|(_, function)| *function.schema == **schema && *function.name == **plain_name);
                return match (found.next(), found.next()) {
                    (Some((id, function)), None) if function.argument_types.len() == args.len() => {
                        let (id, function) = (*id, function.clone());
                        self.text_user_call(id, &function, args, names)
                    }
                    _ => unknown(),
                };
            }
            [plain_name] => {
                let pinned = names
                    .function
                    .settings
                    .iter()
                    .any(|setting| setting.starts_with("search_path="));
                let exists = symbols
                    .functions
                    .values()
                    .any(|function| *function.name == **plain_name);
                if !names.functions_are_safe || (exists && !pinned) {
                    return Err(format!(
                        "its search_path is not set, so that the caller decides what {plain_name} means in it"
                    ));
                }
                if exists {
                    return unknown();
                }
                plain_name.as_str()
            }
            _ => return unknown(),
        };
        let text = Type::TEXT;
        let call = |function, args, ty| Ok(Expr::Call { function, args, ty });
        let int = Type::builtin(oid::INT4, Sort::Int);
        match (plain_name, args) {
            ("current_setting", [name]) => {
                let name = Self::setting_name(name)?;
                Ok(Expr::Setting(Setting {
                    name,
                    missing_ok: false,
                }))
            }
            ("current_setting", [name, Ast::Bool(missing_ok)]) => {
                let name = Self::setting_name(name)?;
                Ok(Expr::Setting(Setting {
                    name,
                    missing_ok: *missing_ok,
                }))
            }
            ("lower", [arg]) => call(
                Builtin::Lower(names.collation()?),
                vec![self.plain(arg, names)?],
                text,
            ),
            ("upper", [arg]) => call(
                Builtin::Upper(names.collation()?),
                vec![self.plain(arg, names)?],
                text,
            ),
            ("btrim", [arg]) => call(Builtin::Trim, vec![self.plain(arg, names)?], text),
            ("length", [arg]) => call(Builtin::Length, vec![self.plain(arg, names)?], int),
            ("split_part", [arg, separator, field]) => {
                let args = vec![
                    self.plain(arg, names)?,
                    self.plain(separator, names)?,
                    self.in_type(field, int, names)?,
                ];
                call(Builtin::SplitPart, args, text)
            }
            _ => unknown(),
        }
    }

    fn setting_name(name: &Ast) -> Lower<String> {
        match name {
            Ast::String(name) => Ok(name.to_ascii_lowercase()),
            _ => Err("the name of a setting in its body is computed".into()),
        }
    }

    fn text_user_call(
        &mut self,
        id: u32,
        function: &Function,
        args: &[Ast],
        names: &Names<'_>,
    ) -> Lower<Expr> {
        let symbols = self.context.symbols;
        let mut lowered = Vec::new();
        if self.context.session.may_create && args.iter().any(|arg| matches!(arg, Ast::String(_) | Ast::Null))
        {
            return Err("the caller can make a function that suits a literal in its body better".into());
        }
        for (arg, ty) in args.iter().zip(&function.argument_types) {
            let ty = types::resolve(symbols, *ty, -1);
            let arg = self.in_type(arg, ty, names)?;
            if arg.ty().oid != ty.oid {
                return Err("a cast in its body is left to PostgreSQL".into());
            }
            lowered.push(arg);
        }
        let ty = types::resolve(symbols, function.return_type, -1);
        Ok(self.user_call(id, None, lowered, ty))
    }
}
