//! A concrete session and row, and the value of an expression in it.

use std::collections::BTreeMap;

use super::{Outcome, call, cast, compare};
use crate::proof::builtin::{Collation, Function, Group, Order};
use crate::proof::ir::{Cast, Comparison, Expr, Query};
use crate::proof::symbols::Symbols;
use crate::proof::value::{Sort, Value};

/// Microseconds and days, since 2000-01-01, between which every clock is: the years 2020 and 5000.
const PRESENT: (i64, i64) = (7_305, 1_095_727);
const DAY: i64 = 86_400_000_000;

/// A session and the row that the policies judge.
#[derive(Debug, Clone)]
pub(crate) struct World<'a> {
    pub(crate) symbols: &'a Symbols,
    /// By column number. A column that is missing is not known.
    pub(crate) row: BTreeMap<i16, Option<Value>>,
    /// By name: `None` was never set. A setting that is missing is not known.
    pub(crate) settings: BTreeMap<String, Option<String>>,
    /// `current_user`
    pub(crate) role: Option<String>,
}

impl World<'_> {
    /// The value of an expression about the row.
    pub(crate) fn eval(&self, expr: &Expr) -> Outcome {
        self.eval_with(expr, None)
    }

    fn eval_with(&self, expr: &Expr, element: Option<&Option<Value>>) -> Outcome {
        let eval = |expr: &Expr| self.eval_with(expr, element);
        match expr {
            Expr::Const(_, value) => Outcome::Value(value.clone()),
            Expr::Column { row: 0, attnum, .. } => self
                .row
                .get(attnum)
                .map_or(Outcome::Unknown, |value| Outcome::Value(value.clone())),
            Expr::Setting(setting) => match self.settings.get(&setting.name) {
                Some(Some(text)) => Outcome::Value(Some(Value::Text(text.clone()))),
                Some(None) if setting.missing_ok => Outcome::NULL,
                Some(None) => Outcome::Error,
                None => Outcome::Unknown,
            },
            Expr::CurrentUser => match &self.role {
                Some(role) => Outcome::Value(Some(Value::Text(role.clone()))),
                None => Outcome::Unknown,
            },
            Expr::And(list) => connect(list.iter().map(eval), false),
            // The planner drops the other arms of a constant TRUE, whatever they would do.
            Expr::Or(list) if list.contains(&Expr::TRUE) => Outcome::TRUE,
            Expr::Or(list) => connect(list.iter().map(eval), true),
            Expr::Not(arg) => match eval(arg) {
                Outcome::Value(Some(Value::Bool(truth))) => Outcome::truth(!truth),
                other => other,
            },
            Expr::IsNull { arg, negated } => match eval(arg) {
                Outcome::Value(value) => Outcome::truth(value.is_none() != *negated),
                other => other,
            },
            Expr::IsBool { arg, want, negated } => match eval(arg) {
                Outcome::Value(value) => Outcome::truth((value == want.map(Value::Bool)) != *negated),
                other => other,
            },
            Expr::Compare { how, left, right } => self.comparison(*how, left, right, element),
            Expr::Distinct { group, left, right } => match (eval(left), eval(right)) {
                (Outcome::Value(Some(left)), Outcome::Value(Some(right))) => {
                    compare(equality(*group), &left, &right)
                        .map_or(Outcome::Unknown, |equal| Outcome::truth(!equal))
                }
                (Outcome::Value(left), Outcome::Value(right)) => {
                    Outcome::truth(left.is_some() != right.is_some())
                }
                (Outcome::Error, Outcome::Value(_)) | (_, Outcome::Error) => Outcome::Error,
                _ => Outcome::Unknown,
            },
            Expr::NullIf { group, left, right } => match (eval(left), eval(right)) {
                (Outcome::Value(Some(left)), Outcome::Value(Some(right))) => {
                    match compare(equality(*group), &left, &right) {
                        Some(true) => Outcome::NULL,
                        Some(false) => Outcome::Value(Some(left)),
                        None => Outcome::Unknown,
                    }
                }
                (Outcome::Value(left), Outcome::Value(_)) => Outcome::Value(left),
                (Outcome::Error, Outcome::Value(_)) | (_, Outcome::Error) => Outcome::Error,
                _ => Outcome::Unknown,
            },
            Expr::Case { arms, otherwise, .. } => {
                for (when, then) in arms {
                    match eval(when) {
                        Outcome::TRUE => return eval(then),
                        Outcome::Value(_) => {}
                        other => return other,
                    }
                }
                eval(otherwise)
            }
            Expr::Coalesce(list, _) => {
                let mut outcomes = list.iter().map(eval);
                outcomes
                    .find(|outcome| *outcome != Outcome::NULL)
                    .unwrap_or(Outcome::NULL)
            }
            Expr::Cast { how, arg, ty } => match eval(arg) {
                Outcome::Value(Some(Value::Enum(label))) if *how == Cast::Print => {
                    self.label(arg.ty().sort, label)
                }
                Outcome::Value(Some(value)) => cast(self.symbols, *how, *ty, &value),
                // A domain may refuse NULL.
                Outcome::Value(None) if self.symbols.types.contains_key(&ty.oid) && *how == Cast::Same => {
                    Outcome::Unknown
                }
                other => other,
            },
            Expr::Call { function, args, .. } => {
                let mut values = Vec::new();
                let mut is_null = false;
                for arg in args {
                    match eval(arg) {
                        Outcome::Value(Some(value)) => values.push(value),
                        Outcome::Value(None) => is_null = true,
                        other => return other,
                    }
                }
                match function {
                    // Without a separator it splits into characters.
                    Function::StringToArray if is_null && !values.is_empty() => Outcome::Unknown,
                    _ if is_null => Outcome::NULL,
                    function => call(*function, &values),
                }
            }
            Expr::Array(list, _) => {
                let mut values = Vec::new();
                for item in list {
                    match eval(item) {
                        Outcome::Value(value) => values.push(value),
                        other => return other,
                    }
                }
                Outcome::Value(Some(Value::Array(values)))
            }
            Expr::Map {
                array, element: map, ..
            } => match eval(array) {
                Outcome::Value(Some(Value::Array(items))) => {
                    let mut values = Vec::new();
                    for item in items {
                        match self.eval_with(map, Some(&item)) {
                            Outcome::Value(value) => values.push(value),
                            other => return other,
                        }
                    }
                    Outcome::Value(Some(Value::Array(values)))
                }
                Outcome::Value(Some(_)) => Outcome::Unknown,
                other => other,
            },
            Expr::Element(_) => element.map_or(Outcome::Unknown, |value| Outcome::Value(value.clone())),
            Expr::Any {
                all,
                how,
                left,
                array,
            } => match (eval(left), eval(array)) {
                (Outcome::Value(left), Outcome::Value(Some(Value::Array(items)))) => {
                    let outcomes = items.iter().map(|item| match (&left, item) {
                        (Some(left), Some(item)) => {
                            compare(*how, left, item).map_or(Outcome::Unknown, Outcome::truth)
                        }
                        _ => Outcome::NULL,
                    });
                    connect(outcomes, !*all)
                }
                (Outcome::Value(_), Outcome::Value(None)) => Outcome::NULL,
                (Outcome::Error, Outcome::Value(_)) | (_, Outcome::Error) => Outcome::Error,
                _ => Outcome::Unknown,
            },
            Expr::Exists(query) => match self.rowless(query) {
                Some(Outcome::Value(truth)) => Outcome::truth(truth == Some(Value::Bool(true))),
                Some(other) => other,
                None => Outcome::Unknown,
            },
            Expr::Scalar { query, .. } => match self.rowless(query) {
                Some(Outcome::TRUE) => query.columns.first().map_or(Outcome::Unknown, eval),
                Some(Outcome::Value(_)) => Outcome::NULL,
                Some(other) => other,
                None => Outcome::Unknown,
            },
            Expr::Column { .. }
            | Expr::SessionUser
            | Expr::In { .. }
            | Expr::ArrayOf(..)
            | Expr::Opaque(_) => Outcome::Unknown,
        }
    }

    /// The condition of a sub-select without FROM.
    fn rowless(&self, query: &Query) -> Option<Outcome> {
        query.is_rowless.then(|| self.eval(&query.condition))
    }

    fn label(&self, sort: Sort, label: u32) -> Outcome {
        use crate::proof::symbols::TypeKind;
        let Sort::Enum(id) = sort else {
            return Outcome::Unknown;
        };
        match self.symbols.types.get(&id).map(|named| &named.kind) {
            Some(TypeKind::Enum(labels)) => match labels.get(&label) {
                Some(text) => Outcome::Value(Some(Value::Text(text.clone()))),
                None => Outcome::Unknown,
            },
            _ => Outcome::Unknown,
        }
    }

    fn comparison(
        &self,
        how: Comparison,
        left: &Expr,
        right: &Expr,
        element: Option<&Option<Value>>,
    ) -> Outcome {
        let swapped = Comparison {
            order: match how.order {
                Order::Less => Order::Greater,
                Order::LessEqual => Order::GreaterEqual,
                Order::Greater => Order::Less,
                Order::GreaterEqual => Order::LessEqual,
                same => same,
            },
            ..how
        };
        for (how, now, other) in [(how, left, right), (swapped, right, left)] {
            if is_now(now) {
                return match self.eval_with(other, element) {
                    Outcome::Value(Some(value)) => with_now(how, &value),
                    other => other,
                };
            }
        }
        match (self.eval_with(left, element), self.eval_with(right, element)) {
            (Outcome::Value(Some(left)), Outcome::Value(Some(right))) => {
                compare(how, &left, &right).map_or(Outcome::Unknown, Outcome::truth)
            }
            (Outcome::Value(_), Outcome::Value(_)) => Outcome::NULL,
            (Outcome::Error, Outcome::Value(_)) | (_, Outcome::Error) => Outcome::Error,
            _ => Outcome::Unknown,
        }
    }
}

fn is_now(expr: &Expr) -> bool {
    match expr {
        Expr::Call { function, args, .. } => *function == Function::Now && args.is_empty(),
        Expr::Cast {
            how: Cast::Same, arg, ..
        } => is_now(arg),
        _ => false,
    }
}

/// `now() operator value`, where the value is long past or far ahead.
fn with_now(how: Comparison, value: &Value) -> Outcome {
    let (from, to) = PRESENT;
    let is_past = match value {
        Value::Date(days) if *days < from => true,
        Value::Time(micros) if *micros / DAY < from => true,
        Value::Date(days) if *days > to => false,
        Value::Time(micros) if *micros / DAY > to => false,
        _ => return Outcome::Unknown,
    };
    Outcome::truth(match how.order {
        Order::Less | Order::LessEqual => !is_past,
        Order::Greater | Order::GreaterEqual => is_past,
        Order::Equal => false,
        Order::NotEqual => true,
    })
}

fn equality(group: Group) -> Comparison {
    Comparison {
        order: Order::Equal,
        group,
        collation: Collation::Bytes,
    }
}

/// OR (`decisive` is true) or AND of what its arms give. PostgreSQL may evaluate them in any order and stop at a
/// decisive one, so that next to an error or something unknown a decisive arm decides nothing for certain.
fn connect(outcomes: impl Iterator<Item = Outcome>, decisive: bool) -> Outcome {
    let mut result = Outcome::truth(!decisive);
    let (mut decided, mut error, mut unknown) = (false, false, false);
    for outcome in outcomes {
        match outcome {
            Outcome::Value(Some(Value::Bool(truth))) => decided |= truth == decisive,
            Outcome::Value(_) => result = Outcome::NULL,
            Outcome::Error => error = true,
            Outcome::Unknown => unknown = true,
        }
    }
    match (decided, error, unknown) {
        (_, _, true) | (true, true, _) => Outcome::Unknown,
        (false, true, false) => Outcome::Error,
        (true, false, false) => Outcome::truth(decisive),
        (false, false, false) => result,
    }
}
