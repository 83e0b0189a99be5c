//! Functions of the user's own: replaced by their bodies where those are understood.
//!
//! A body in SQL-standard form is a tree, bound to objects like a policy. A body that is text is read by
//! [`body`](crate::proof::body) and only where nobody can change what its names mean.

use super::{Lowerer, MAX_INLINED, Range, base};
use crate::catalog::Volatility;
use crate::proof::ir::{Expr, Form};
use crate::proof::symbols::Function;
use crate::proof::tree::Node;
use crate::proof::value::{Sort, Type, oid};

impl Lowerer<'_> {
    /// A call of a function that is not PostgreSQL's own.
    pub(super) fn user_call(&mut self, id: u32, operator: Option<&str>, args: Vec<Expr>, ty: Type) -> Expr {
        let symbols = self.context.symbols;
        let Some(function) = symbols.functions.get(&id) else {
            self.effects_of(id);
            let name = format!("function {id}");
            return Self::opaque(
                &name,
                Form::Call,
                "this function is not in the catalog",
                args,
                false,
                ty,
            );
        };
        let name = format!("{}.{}", function.schema, function.name);
        let inlined = match self.why_not_inlined(function) {
            Some(reason) => Err(reason),
            None => self.inline(function, args.clone()),
        };
        match inlined {
            Ok(body) => {
                self.has_followed = true;
                // With stand-ins for the arguments: what the caller passes may change.
                let stand_ins = || args.iter().map(|arg| Expr::Element(arg.ty())).collect();
                if function.volatility == Volatility::Immutable
                    && self
                        .inline(function, stand_ins())
                        .is_ok_and(|body| body.looks_around())
                {
                    self.hazard(
                        &name,
                        "it is declared IMMUTABLE but is not: a prepared statement keeps the value of the tenant it was \
                         planned for",
                    );
                }
                strict_body(function, &args, body, ty)
            }
            Err(reason) => {
                self.effects_of(id);
                let (name, form) = match operator {
                    Some(operator) if args.len() == 2 => (operator, Form::Operator),
                    _ => (name.as_str(), Form::Call),
                };
                Self::opaque(name, form, &reason, args, function.strict, ty)
            }
        }
    }

    fn why_not_inlined(&self, function: &Function) -> Option<String> {
        let session = self.context.session;
        if session.privileges_of.contains(&function.owner) || session.may_become.contains(&function.owner) {
            return Some(
                "the role owns this function, or may become its owner, and can change what it does".into(),
            );
        }
        if self.inlined >= MAX_INLINED {
            return Some("functions call functions too deeply".into());
        }
        if function.returns_set {
            return Some("functions that return sets are not understood".into());
        }
        let other_setting = function
            .settings
            .iter()
            .find(|setting| !setting.starts_with("search_path="));
        other_setting.map(|setting| {
            let name = setting.split('=').next().unwrap_or_default();
            format!("this function runs with its own {name}")
        })
    }

    fn inline(&mut self, function: &Function, args: Vec<Expr>) -> Result<Expr, String> {
        // The body has a world of its own: no columns, its own parameters.
        let levels = std::mem::replace(&mut self.levels, vec![Vec::<Range>::new()]);
        let params = std::mem::replace(&mut self.params, args);
        let case_tests = std::mem::take(&mut self.case_tests);
        let outputs = std::mem::take(&mut self.outputs);
        let as_definer = self.as_definer;
        self.as_definer |= function.security_definer;
        self.inlined += 1;
        let body = match (&function.body, &*function.language) {
            (Some(body), "sql") => self.standard_body(function, body.as_str()),
            (None, "sql" | "plpgsql") => self.text_body(function),
            (_, language) => Err(format!("functions in {language} are not understood")),
        };
        self.inlined -= 1;
        self.as_definer = as_definer;
        self.outputs = outputs;
        self.case_tests = case_tests;
        self.params = params;
        self.levels = levels;
        body
    }

    /// `RETURN expression` or `BEGIN ATOMIC SELECT …; END`.
    fn standard_body(&mut self, function: &Function, body: &str) -> Result<Expr, String> {
        let tree = Node::parse(body).map_err(|error| error.to_string())?;
        // A list of lists of statements, or one query for RETURN.
        let statement = match &tree {
            Node::List(lists) => match lists.as_slice() {
                [Node::List(statements)] => match statements.as_slice() {
                    [statement] => statement,
                    _ => return Err("functions of several statements are not understood".into()),
                },
                _ => return Err("functions of several statements are not understood".into()),
            },
            statement => statement,
        };
        let Some(select) = statement.object() else {
            return Err("its body is not understood".into());
        };
        // The body is no query around the caller's: drop the level that stands for it.
        self.levels.clear();
        let query = self.query(select)?;
        let returns = super::types::resolve(self.context.symbols, function.return_type, -1);
        if query.columns.len() != 1 {
            return Err("functions that return rows are not understood".into());
        }
        let ty = query.columns[0].ty();
        if ty.oid != returns.oid && self.context.symbols.types.contains_key(&returns.oid) {
            return Err("its result is cast to another type".into());
        }
        let symbols = self.context.symbols;
        let (from, to) = (base(symbols, ty.oid), base(symbols, returns.oid));
        let is_plain = |id| matches!(id, oid::TEXT | oid::VARCHAR);
        let same_values =
            from == to || is_plain(from) && is_plain(to) || (ty.sort, returns.sort) == (Sort::Int, Sort::Int);
        if ty.sort != returns.sort || !same_values {
            return Err("its result is cast to another type".into());
        }
        if query.is_rowless && query.condition == Expr::TRUE {
            return Ok(query.columns.into_iter().next().unwrap_or(Expr::TRUE));
        }
        Ok(Expr::Scalar {
            query: Box::new(query),
            first: true,
            ty,
        })
    }
}

/// A strict function is NULL where an argument is.
fn strict_body(function: &Function, args: &[Expr], body: Expr, ty: Type) -> Expr {
    let nullable = args.iter().filter(|arg| !matches!(arg, Expr::Const(_, Some(_))));
    let tests: Vec<Expr> = nullable
        .map(|arg| Expr::IsNull {
            arg: Box::new(arg.clone()),
            negated: false,
        })
        .collect();
    if !function.strict || tests.is_empty() {
        return body;
    }
    Expr::Case {
        arms: vec![(Expr::Or(tests), Expr::Const(ty, None))],
        otherwise: Box::new(body),
        ty,
    }
}

/// The NULL or value of a literal whose type is still open, in the type that the context gives it.
pub(super) fn typed_literal(value: Option<&str>, ty: Type) -> Result<Expr, String> {
    use crate::proof::value::{Parsed, parse};
    let Some(text) = value else {
        return Ok(Expr::Const(ty, None));
    };
    match parse(ty.sort, text) {
        Parsed::Value(value) if value.fits(ty) => Ok(Expr::Const(ty, Some(value))),
        _ => Err(format!("the literal '{text}' is not understood")),
    }
}
