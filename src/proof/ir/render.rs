//! SQL text of an expression: for messages, and for statements that can be run.

use std::cell::RefCell;
use std::fmt::Write as _;

use super::{Cast, Expr, Form, Query};
use crate::proof::builtin::Function;
use crate::proof::symbols::{Symbols, TypeKind};
use crate::proof::value::{self, Type, Value, oid};
use crate::sql::{Ident, Literal};

/// How tightly an expression binds, from loosest to tightest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Is,
    Comparison,
    Operator,
    Cast,
    Atom,
}

/// Writes expressions about one table.
#[derive(Debug)]
pub(crate) struct Renderer<'a> {
    symbols: &'a Symbols,
    relation: u32,
    /// For a server: everything quoted, every cast written. Otherwise for people.
    runnable: bool,
    /// The tables of the sub-selects that are being written, by row.
    rows: RefCell<Vec<(u32, u32)>>,
}

impl<'a> Renderer<'a> {
    /// For people: names as they are, no casts that change nothing.
    pub(crate) fn for_people(symbols: &'a Symbols, relation: u32) -> Self {
        Self {
            symbols,
            relation,
            runnable: false,
            rows: RefCell::default(),
        }
    }

    /// For a server whose `search_path` is `pg_catalog`.
    pub(crate) fn runnable(symbols: &'a Symbols, relation: u32) -> Self {
        Self {
            runnable: true,
            ..Self::for_people(symbols, relation)
        }
    }

    /// The expression's text.
    pub(crate) fn expr(&self, expr: &Expr) -> String {
        self.within(expr, Binding::Or)
    }

    /// The name of a column of the table, as this renderer writes names.
    pub(crate) fn column(&self, row: u32, attnum: i16) -> String {
        let rows = self.rows.borrow();
        let relation = if row == 0 {
            self.relation
        } else {
            rows.iter()
                .rev()
                .find(|(r, _)| *r == row)
                .map_or(0, |(_, relation)| *relation)
        };
        let name = self
            .symbols
            .relations
            .get(&relation)
            .and_then(|relation| relation.column(attnum));
        let name = name.map_or_else(|| format!("column{attnum}"), |column| self.name(&column.name));
        if row == 0 && rows.is_empty() {
            return name;
        }
        let table = match (row, self.symbols.relations.get(&relation)) {
            (0, Some(relation)) => self.name(&relation.name),
            _ => format!("r{row}"),
        };
        format!("{table}.{name}")
    }

    /// An identifier.
    pub(crate) fn name(&self, name: &str) -> String {
        match Ident::new(name) {
            Ok(ident) if self.runnable => ident.to_string(),
            _ => name.to_owned(),
        }
    }

    /// A type's name.
    pub(crate) fn ty(&self, ty: Type) -> String {
        let limit = |name: &str| match ty.typmod {
            ..=4 => name.to_owned(),
            typmod => format!("{name}({})", typmod - 4),
        };
        match ty.oid {
            oid::BOOL => "boolean".into(),
            oid::INT2 => "smallint".into(),
            oid::INT4 => "integer".into(),
            oid::INT8 => "bigint".into(),
            oid::VARCHAR => limit("varchar"),
            oid::BPCHAR => limit(if ty.typmod > 4 { "char" } else { "bpchar" }),
            other => match (value::builtin_name(other), self.symbols.types.get(&other)) {
                (Some(name), _) => name.into(),
                (None, Some(named)) => match named.kind {
                    TypeKind::Array(element) => format!("{}[]", self.ty(Type::builtin(element, ty.sort))),
                    _ => format!("{}.{}", self.name(&named.schema), self.name(&named.name)),
                },
                (None, None) => format!("type {other}"),
            },
        }
    }

    /// A value, or NULL.
    pub(crate) fn value(&self, ty: Type, value: Option<&Value>) -> String {
        let Some(value) = value else {
            return if self.runnable {
                format!("NULL::{}", self.ty(ty))
            } else {
                "NULL".into()
            };
        };
        let plain = match value {
            Value::Bool(truth) if ty.oid == oid::BOOL => return truth.to_string(),
            Value::Int(number) if !self.runnable => return number.to_string(),
            Value::Array(items) => {
                let element = value::array_element(ty.oid).unwrap_or(oid::TEXT);
                let element = Type::builtin(element, ty.sort);
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.value(element, item.as_ref()))
                    .collect();
                return format!("ARRAY[{}]::{}", items.join(", "), self.ty(ty));
            }
            value => self.plain_value(ty, value),
        };
        let literal = Literal::new(&plain).map_or_else(|_| "'?'".into(), |literal| literal.to_string());
        if ty.oid == oid::TEXT && !self.runnable {
            return literal;
        }
        format!("{literal}::{}", self.ty(ty))
    }

    /// A value's text, without quotes.
    pub(crate) fn plain_value(&self, ty: Type, value: &Value) -> String {
        match value {
            Value::Enum(label) => match self.symbols.types.get(&ty.oid).map(|named| &named.kind) {
                Some(TypeKind::Enum(labels)) => labels.get(label).cloned().unwrap_or_default(),
                _ => label.to_string(),
            },
            Value::Json(json) => json.to_string(),
            Value::Date(days) => value::date_text(*days),
            Value::Time(micros) => value::time_text(*micros, ty.oid == oid::TIMESTAMPTZ),
            value => value::print(value).unwrap_or_default().into_owned(),
        }
    }

    fn within(&self, expr: &Expr, outer: Binding) -> String {
        let (text, own) = self.text(expr);
        if own < outer { format!("({text})") } else { text }
    }

    fn list(&self, list: &[Expr]) -> String {
        let list: Vec<_> = list.iter().map(|expr| self.within(expr, Binding::Or)).collect();
        list.join(", ")
    }

    fn joined(&self, list: &[Expr], word: &str, own: Binding, within: Binding) -> (String, Binding) {
        match list {
            [single] => self.text(single),
            _ => (
                list.iter()
                    .map(|expr| self.within(expr, within))
                    .collect::<Vec<_>>()
                    .join(word),
                own,
            ),
        }
    }

    fn binary(&self, left: &Expr, operator: &str, right: &Expr, own: Binding) -> (String, Binding) {
        let inner = if own == Binding::Operator {
            Binding::Cast
        } else {
            Binding::Operator
        };
        (
            format!(
                "{} {operator} {}",
                self.within(left, inner),
                self.within(right, inner)
            ),
            own,
        )
    }

    fn cast(&self, arg: &Expr, ty: Type) -> (String, Binding) {
        (
            format!("{}::{}", self.within(arg, Binding::Cast), self.ty(ty)),
            Binding::Cast,
        )
    }

    fn text(&self, expr: &Expr) -> (String, Binding) {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match expr {
            Expr::Const(ty, value) => (self.value(*ty, value.as_ref()), Binding::Cast),
            Expr::Column { row, attnum, .. } => (self.column(*row, *attnum), Binding::Atom),
            Expr::Setting(setting) => {
                let name = Literal::new(&setting.name).map_or_else(|_| "'?'".into(), |name| name.to_string());
                let missing_ok = if setting.missing_ok { ", true" } else { "" };
                (format!("current_setting({name}{missing_ok})"), Binding::Atom)
            }
            Expr::CurrentUser => ("current_user".into(), Binding::Atom),
            Expr::SessionUser => ("session_user".into(), Binding::Atom),
            Expr::And(list) => self.joined(list, " AND ", Binding::And, Binding::Not),
            Expr::Or(list) => self.joined(list, " OR ", Binding::Or, Binding::And),
            Expr::Not(arg) => (format!("NOT {}", self.within(arg, Binding::Is)), Binding::Not),
            Expr::IsNull { arg, negated } => (
                format!("{} IS {}NULL", self.within(arg, Binding::Operator), not(negated)),
                Binding::Is,
            ),
            Expr::IsBool { arg, want, negated } => {
                let want = want.map_or("UNKNOWN", |truth| if truth { "TRUE" } else { "FALSE" });
                (
                    format!(
                        "{} IS {}{want}",
                        self.within(arg, Binding::Operator),
                        not(negated)
                    ),
                    Binding::Is,
                )
            }
            Expr::Compare { how, left, right } => {
                self.binary(left, how.order.symbol(), right, Binding::Comparison)
            }
            Expr::Distinct { left, right, .. } => self.binary(left, "IS DISTINCT FROM", right, Binding::Is),
            Expr::NullIf { left, right, .. } => (
                format!(
                    "NULLIF({}, {})",
                    self.within(left, Binding::Or),
                    self.within(right, Binding::Or)
                ),
                Binding::Atom,
            ),
            Expr::Case { arms, otherwise, .. } => {
                let mut text = "CASE".to_owned();
                for (when, then) in arms {
                    let _ = write!(text, " WHEN {} THEN {}", self.expr(when), self.expr(then));
                }
                (format!("{text} ELSE {} END", self.expr(otherwise)), Binding::Atom)
            }
            Expr::Coalesce(list, _) => (format!("COALESCE({})", self.list(list)), Binding::Atom),
            Expr::Cast {
                how: Cast::Same,
                arg,
                ty,
            } if !self.runnable && arg.ty().sort == ty.sort => self.text(arg),
            Expr::Cast { arg, ty, .. } => self.cast(arg, *ty),
            Expr::Call { function, args, ty } => self.call(*function, args, *ty),
            Expr::Array(list, ty) => {
                let ty = if self.runnable {
                    format!("::{}", self.ty(*ty))
                } else {
                    String::new()
                };
                (format!("ARRAY[{}]{ty}", self.list(list)), Binding::Cast)
            }
            Expr::Map { array, ty, .. } => self.cast(array, *ty),
            Expr::Element(_) => ("element".into(), Binding::Atom),
            Expr::Any {
                all,
                how,
                left,
                array,
            } => {
                let word = if *all { "ALL" } else { "ANY" };
                let left = self.within(left, Binding::Operator);
                let text = format!("{left} {} {word} ({})", how.order.symbol(), self.expr(array));
                (text, Binding::Comparison)
            }
            Expr::Exists(query) => (format!("EXISTS ({})", self.query(query, None)), Binding::Atom),
            Expr::In { query, test } => (
                format!("EXISTS ({})", self.query(query, Some(test))),
                Binding::Atom,
            ),
            Expr::Scalar { query, .. } => (format!("({})", self.query(query, None)), Binding::Atom),
            Expr::ArrayOf(query, _) => (format!("ARRAY({})", self.query(query, None)), Binding::Atom),
            Expr::Opaque(opaque) => match (opaque.form, &opaque.args[..]) {
                (Form::Operator, [left, right]) => {
                    self.binary(left, &opaque.name, right, Binding::Comparison)
                }
                (Form::Text, _) => (opaque.name.clone(), Binding::Comparison),
                (_, args) => (format!("{}({})", opaque.name, self.list(args)), Binding::Atom),
            },
        }
    }

    fn query(&self, query: &Query, test: Option<&Expr>) -> String {
        let depth = self.rows.borrow().len();
        self.rows
            .borrow_mut()
            .extend(query.sources.iter().map(|source| (source.row, source.relation)));
        let mut sql = format!("SELECT {}", self.list(&query.columns));
        for (nth, source) in query.sources.iter().enumerate() {
            let table = match self.symbols.relations.get(&source.relation) {
                Some(relation) => format!("{}.{}", self.name(&relation.schema), self.name(&relation.name)),
                None => format!("relation {}", source.relation),
            };
            let _ = write!(
                sql,
                "{} {table} r{}",
                if nth == 0 { " FROM" } else { "," },
                source.row
            );
        }
        let mut word = "WHERE";
        for condition in [Some(&query.condition), test].into_iter().flatten() {
            if *condition != Expr::TRUE {
                let _ = write!(sql, " {word} {}", self.within(condition, Binding::Not));
                word = "AND";
            }
        }
        self.rows.borrow_mut().truncate(depth);
        sql
    }

    fn call(&self, function: Function, args: &[Expr], ty: Type) -> (String, Binding) {
        let name = match (function, args) {
            (Function::Concat, [left, right]) => return self.binary(left, "||", right, Binding::Operator),
            (Function::Like, [left, right]) => return self.binary(left, "LIKE", right, Binding::Is),
            (Function::NotLike, [left, right]) => return self.binary(left, "NOT LIKE", right, Binding::Is),
            (Function::Matches(_), [left, right]) => return self.binary(left, "~", right, Binding::Operator),
            (Function::NotMatches(_), [left, right]) => {
                return self.binary(left, "!~", right, Binding::Operator);
            }
            (Function::JsonField, [left, right]) => return self.binary(left, "->", right, Binding::Operator),
            (Function::JsonFieldText, [left, right]) => {
                return self.binary(left, "->>", right, Binding::Operator);
            }
            (Function::JsonPath, [left, right]) => return self.binary(left, "#>", right, Binding::Operator),
            (Function::JsonPathText, [left, right]) => {
                return self.binary(left, "#>>", right, Binding::Operator);
            }
            (
                Function::IntCast | Function::IntToNumeric | Function::BoolToText | Function::IntToBool,
                [arg],
            ) => return self.cast(arg, ty),
            (Function::Lower(_), _) => "lower",
            (Function::Upper(_), _) => "upper",
            (Function::Left, _) => "\"left\"",
            (Function::Right, _) => "\"right\"",
            (Function::Substring, _) => "substr",
            (Function::Length, _) => "length",
            (Function::Trim, _) => "btrim",
            (Function::TrimLeft, _) => "ltrim",
            (Function::TrimRight, _) => "rtrim",
            (Function::Replace, _) => "replace",
            (Function::SplitPart, _) => "split_part",
            (Function::StartsWith, _) => "starts_with",
            (Function::Position, _) => "strpos",
            (Function::StringToArray, _) => "string_to_array",
            (Function::Now, _) => "now",
            (Function::SetConfig, _) => "set_config",
            // Lowered to other expressions or to opaque ones.
            _ => "?",
        };
        let name = if self.runnable {
            name
        } else {
            name.trim_matches('"')
        };
        (format!("{name}({})", self.list(args)), Binding::Atom)
    }
}
