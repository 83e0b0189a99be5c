//! Function bodies that are text: giving their names a meaning, where nobody can give them another.
//!
//! PostgreSQL resolves the names when the function runs. A function whose `search_path` is not set resolves them in the
//! caller's, and a name without a schema then means what the caller wants: a function or operator in a schema of his
//! own, a type of that name among his temporary objects. Each name is accepted only where that cannot be or cannot matter.

use super::inline::typed_literal;
use super::names::Names;
use super::{Lowerer, types};
use crate::proof::body::{self, Ast, Operator, TypeName};
use crate::proof::builtin::{Collation, Function as Builtin, Group, Order};
use crate::proof::ir::{Cast, Comparison, Expr};
use crate::proof::symbols::Function;
use crate::proof::value::{Sort, Type, Value, oid};

pub(super) type Lower<T> = Result<T, String>;

/// An expression, or a literal whose type the context decides.
pub(super) enum Typed {
    Expr(Expr),
    Literal(Option<String>),
}

impl Lowerer<'_> {
    pub(super) fn text_body(&mut self, function: &Function) -> Lower<Expr> {
        let symbols = self.context.symbols;
        if !function.argument_types.is_empty() && !symbols.nondeterministic_collations.is_empty() {
            return Err("the collation of its arguments decides what its comparisons mean".into());
        }
        let is_plpgsql = &*function.language == "plpgsql";
        let parse = if is_plpgsql {
            body::parse_plpgsql
        } else {
            body::parse_sql
        };
        let source = function.source.as_deref().ok_or("its body was not read")?;
        let ast = parse(source)?;
        let path = function
            .settings
            .iter()
            .find_map(|setting| setting.strip_prefix("search_path="));
        let path = path.map(|path| {
            let names = path
                .split(',')
                .map(|name| name.trim().trim_matches('"').to_owned());
            names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
        });
        let place = |name: &str| path.as_ref().and_then(|path| path.iter().position(|n| n == name));
        let catalog_is_first = path.is_some() && place("pg_catalog").is_none_or(|at| at == 0);
        // Temporary objects come even before pg_catalog unless the path says where.
        let temporary_is_behind =
            path.is_some() && place("pg_temp").is_some_and(|at| at > place("pg_catalog").unwrap_or(0));
        let session = self.context.session;
        let names = Names {
            function,
            catalog_is_first,
            functions_are_safe: catalog_is_first || !session.may_create,
            types_are_safe: (catalog_is_first && temporary_is_behind)
                || (!session.may_create_temporary && (catalog_is_first || !session.may_create)),
        };
        let returns = types::resolve(symbols, function.return_type, -1);
        let typed = self.ast(&ast, &names)?;
        let expr = match typed {
            Typed::Literal(text) => typed_literal(text.as_deref(), returns)?,
            Typed::Expr(expr) => expr,
        };
        let from = expr.ty();
        if from.oid != returns.oid && symbols.types.contains_key(&returns.oid) {
            return Err("its result is cast to another type".into());
        }
        let same_padding = self.is_blank_padded(from) == self.is_blank_padded(returns);
        let plain = |id| matches!(types::base(symbols, id), oid::TEXT | oid::VARCHAR);
        match (from.sort, returns.sort) {
            (Sort::Text, Sort::Text) if plain(from.oid) && plain(returns.oid) => Ok(expr),
            (Sort::Text, Sort::Text) if from.oid != returns.oid => {
                Err("its result is cast to another type".into())
            }
            // PL/pgSQL casts what it returns by text where there is no other cast.
            (Sort::Text, Sort::Int | Sort::Uuid | Sort::Bool) if is_plpgsql && plain(from.oid) => {
                Ok(Expr::Cast {
                    how: Cast::Parse,
                    arg: Box::new(expr),
                    ty: returns,
                })
            }
            (a, b) if a == b && same_padding => Ok(expr),
            _ => Err("its result is cast to another type".into()),
        }
    }

    fn ast(&mut self, ast: &Ast, names: &Names<'_>) -> Lower<Typed> {
        let boxed = |expr: Lower<Expr>| expr.map(Box::new);
        Ok(Typed::Expr(match ast {
            Ast::Null => return Ok(Typed::Literal(None)),
            Ast::String(text) => return Ok(Typed::Literal(Some(text.clone()))),
            Ast::Bool(truth) => Expr::Const(Type::BOOL, Some(Value::Bool(*truth))),
            Ast::Number(digits) => {
                let number: i64 = digits
                    .parse()
                    .map_err(|_| "a number in its body is not understood")?;
                let ty = if i32::try_from(number).is_ok() {
                    oid::INT4
                } else {
                    oid::INT8
                };
                Expr::Const(Type::builtin(ty, Sort::Int), Some(Value::Int(number)))
            }
            Ast::Parameter(number) => self.text_param(number.wrapping_sub(1))?,
            Ast::Name(name) => {
                let index = match name.as_slice() {
                    [name] => names
                        .function
                        .argument_names
                        .iter()
                        .position(|argument| argument == name),
                    _ => None,
                };
                let index = index
                    .ok_or_else(|| format!("the name {} in its body is not understood", name.join(".")))?;
                self.text_param(index)?
            }
            Ast::CurrentUser => self.current_user(),
            Ast::SessionUser => Expr::SessionUser,
            Ast::Call(name, args) => self.text_call(name, args, names)?,
            Ast::Cast(arg, ty) => self.text_cast(arg, ty, names)?,
            Ast::Binary(operator, left, right) => self.text_binary(*operator, left, right, names)?,
            Ast::And(list) => Expr::And(self.booleans(list, names)?),
            Ast::Or(list) => Expr::Or(self.booleans(list, names)?),
            Ast::Not(arg) => Expr::Not(boxed(self.boolean(arg, names))?),
            Ast::IsNull(arg, negated) => Expr::IsNull {
                arg: boxed(self.in_type(arg, Type::TEXT, names))?,
                negated: *negated,
            },
            Ast::IsBool(arg, want, negated) => Expr::IsBool {
                arg: boxed(self.boolean(arg, names))?,
                want: *want,
                negated: *negated,
            },
            Ast::Distinct(left, right, negated) => {
                let (how, left, right) = self.comparands(Operator::Equal, left, right, names)?;
                let distinct = Expr::Distinct {
                    group: how.group,
                    left,
                    right,
                };
                if *negated {
                    Expr::Not(Box::new(distinct))
                } else {
                    distinct
                }
            }
            Ast::NullIf(left, right) => {
                let (how, left, right) = self.comparands(Operator::Equal, left, right, names)?;
                Expr::NullIf {
                    group: how.group,
                    left,
                    right,
                }
            }
            Ast::Coalesce(list) => {
                let list = self.one_type(&list.iter().collect::<Vec<_>>(), names)?;
                let ty = list[0].ty();
                Expr::Coalesce(list, ty)
            }
            Ast::Case(arms, otherwise) => {
                let conditions: Vec<_> = arms
                    .iter()
                    .map(|(when, _)| self.boolean(when, names))
                    .collect::<Lower<_>>()?;
                let null = Ast::Null;
                let results = arms.iter().map(|(_, then)| then);
                let results: Vec<_> = results.chain([otherwise.as_deref().unwrap_or(&null)]).collect();
                let mut results = self.one_type(&results, names)?;
                let otherwise = Box::new(results.pop().unwrap_or(Expr::TRUE));
                let ty = otherwise.ty();
                let arms = conditions.into_iter().zip(results).collect();
                Expr::Case { arms, otherwise, ty }
            }
        }))
    }

    pub(super) fn text_param(&self, index: usize) -> Lower<Expr> {
        let param = self.params.get(index).cloned();
        param.ok_or_else(|| "a parameter of its body is not understood".into())
    }

    /// The expression; a literal becomes `ty`.
    pub(super) fn in_type(&mut self, ast: &Ast, ty: Type, names: &Names<'_>) -> Lower<Expr> {
        match self.ast(ast, names)? {
            Typed::Expr(expr) => Ok(expr),
            Typed::Literal(text) => typed_literal(text.as_deref(), ty),
        }
    }

    fn boolean(&mut self, ast: &Ast, names: &Names<'_>) -> Lower<Expr> {
        let expr = self.in_type(ast, Type::BOOL, names)?;
        if expr.ty().sort == Sort::Bool {
            Ok(expr)
        } else {
            Err("its body is not understood".into())
        }
    }

    fn booleans(&mut self, list: &[Ast], names: &Names<'_>) -> Lower<Vec<Expr>> {
        list.iter().map(|ast| self.boolean(ast, names)).collect()
    }

    /// Text that is no `char(n)` or `name`; a literal is text.
    pub(super) fn plain(&mut self, ast: &Ast, names: &Names<'_>) -> Lower<Expr> {
        let expr = self.in_type(ast, Type::TEXT, names)?;
        match types::base(self.context.symbols, expr.ty().oid) {
            oid::TEXT | oid::VARCHAR => Ok(expr),
            _ => Err("a cast in its body is left to PostgreSQL".into()),
        }
    }

    /// Expressions of exactly one type between them, which literals take.
    fn one_type(&mut self, list: &[&Ast], names: &Names<'_>) -> Lower<Vec<Expr>> {
        let typed: Vec<Typed> = list
            .iter()
            .map(|ast| self.ast(ast, names))
            .collect::<Lower<_>>()?;
        let mut known = typed.iter().filter_map(|typed| match typed {
            Typed::Expr(expr) => Some(expr.ty()),
            Typed::Literal(_) => None,
        });
        let ty = known.next().unwrap_or(Type::TEXT);
        if known.any(|other| other.oid != ty.oid) {
            return Err("its body mixes types".into());
        }
        let in_type = |typed| match typed {
            Typed::Expr(expr) => Ok(expr),
            Typed::Literal(text) => typed_literal(text.as_deref(), ty),
        };
        typed.into_iter().map(in_type).collect()
    }

    /// Both sides of a comparison, and which it is.
    fn comparands(
        &mut self,
        operator: Operator,
        left: &Ast,
        right: &Ast,
        names: &Names<'_>,
    ) -> Lower<(Comparison, Box<Expr>, Box<Expr>)> {
        let (order, symbol) = match operator {
            Operator::Equal => (Order::Equal, "="),
            Operator::NotEqual => (Order::NotEqual, "<>"),
            Operator::Less => (Order::Less, "<"),
            Operator::LessEqual => (Order::LessEqual, "<="),
            Operator::Greater => (Order::Greater, ">"),
            Operator::GreaterEqual => (Order::GreaterEqual, ">="),
            _ => return Err("an operator in its body is not understood".into()),
        };
        let mut list = self.one_type(&[left, right], names)?;
        let symbols = self.context.symbols;
        let operand = list[0].ty().oid;
        self.operator_is_safe(symbol, [operand, operand], names)?;
        let group = match (list[0].ty().sort, types::base(symbols, list[0].ty().oid)) {
            (Sort::Bool, _) => Group::Bool,
            (Sort::Int, _) => Group::Int,
            (Sort::Uuid, _) => Group::Uuid,
            (Sort::Text, oid::TEXT | oid::VARCHAR) => Group::Text,
            _ => return Err("a comparison in its body is not understood".into()),
        };
        let right = Box::new(list.remove(1));
        let left = Box::new(list.remove(0));
        let collation = match group {
            Group::Text if !matches!(order, Order::Equal | Order::NotEqual) => names.collation()?,
            _ => Collation::Bytes,
        };
        Ok((
            Comparison {
                order,
                group,
                collation,
            },
            left,
            right,
        ))
    }

    fn text_binary(&mut self, operator: Operator, left: &Ast, right: &Ast, names: &Names<'_>) -> Lower<Expr> {
        let (function, symbol) = match operator {
            Operator::Concat => (Builtin::Concat, "||"),
            Operator::JsonField => (Builtin::JsonField, "->"),
            Operator::JsonFieldText => (Builtin::JsonFieldText, "->>"),
            Operator::JsonPath => (Builtin::JsonPath, "#>"),
            Operator::JsonPathText => (Builtin::JsonPathText, "#>>"),
            _ => {
                let (how, left, right) = self.comparands(operator, left, right, names)?;
                return Ok(Expr::Compare { how, left, right });
            }
        };
        if operator == Operator::Concat {
            let args = vec![self.plain(left, names)?, self.plain(right, names)?];
            self.operator_is_safe(symbol, [args[0].ty().oid, args[1].ty().oid], names)?;
            return Ok(Expr::Call {
                function,
                args,
                ty: Type::TEXT,
            });
        }
        let Typed::Expr(json) = self.ast(left, names)? else {
            return Err("its body is not understood".into());
        };
        if json.ty().sort != Sort::Json {
            return Err("an operator in its body is not understood".into());
        }
        let is_path = matches!(operator, Operator::JsonPath | Operator::JsonPathText);
        let key = match self.ast(right, names)? {
            // The literal of a path is an array's, such as '{a,b}'.
            Typed::Literal(Some(path)) if is_path => {
                let keys = path.strip_prefix('{').and_then(|path| path.strip_suffix('}'));
                let keys = keys.filter(|keys| !keys.contains(['"', '\\', '{', '}', ' ']));
                let keys = keys.ok_or("a path in its body is not understood")?;
                let keys = keys
                    .split(',')
                    .map(|key| Some(Value::Text(key.to_owned())))
                    .collect();
                Expr::Const(
                    Type::builtin(1009, Sort::Array(oid::TEXT)),
                    Some(Value::Array(keys)),
                )
            }
            Typed::Literal(text) if !is_path => typed_literal(text.as_deref(), Type::TEXT)?,
            Typed::Expr(expr) if !is_path && expr.ty().oid == oid::TEXT => expr,
            _ => return Err("an operator in its body is not understood".into()),
        };
        self.operator_is_safe(symbol, [json.ty().oid, key.ty().oid], names)?;
        let returns_text = matches!(operator, Operator::JsonFieldText | Operator::JsonPathText);
        let ty = if returns_text { Type::TEXT } else { json.ty() };
        Ok(Expr::Call {
            function,
            args: vec![json, key],
            ty,
        })
    }

    fn text_cast(&mut self, arg: &Ast, ty: &TypeName, names: &Names<'_>) -> Lower<Expr> {
        let to = self.type_named(ty, names)?;
        let expr = match self.ast(arg, names)? {
            Typed::Literal(text) if ty.limit.is_none() => return typed_literal(text.as_deref(), to),
            Typed::Literal(_) => return Err("a cast in its body is not understood".into()),
            Typed::Expr(expr) => expr,
        };
        let from = expr.ty();
        let base = types::base(self.context.symbols, from.oid);
        let how = match (from.sort, to.sort) {
            (Sort::Text, Sort::Text) if matches!(base, oid::TEXT | oid::VARCHAR) => match ty.limit {
                Some(limit) => Cast::Cut(limit),
                None => Cast::Same,
            },
            (Sort::Text, Sort::Int | Sort::Uuid | Sort::Bool | Sort::Json) if base != oid::BPCHAR => {
                Cast::Parse
            }
            (Sort::Int | Sort::Uuid, Sort::Text) if ty.limit.is_none() => Cast::Print,
            (a, b) if a == b && a != Sort::Text && a != Sort::Json => Cast::Same,
            _ => return Err("a cast in its body is not understood".into()),
        };
        Ok(Expr::Cast {
            how,
            arg: Box::new(expr),
            ty: to,
        })
    }
}
