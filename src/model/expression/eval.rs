//! Whether an expression is certainly true in one session for one sort of row.
//!
//! SQL's three-valued logic over values of which only some things are known. What is not known for certain is
//! [`Value::Unknown`], and unknown stays unknown: an answer of true or false is never a guess.

use super::expr::Expr;
use crate::catalog::Oid;

/// What the tenant setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Never set.
    Unset,
    /// `''`, as it is after the transaction that set it.
    Empty,
    /// A tenant.
    Bound,
}

/// Whose the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowTenant {
    /// Another tenant's than the one that the session is bound to.
    Foreign,
    /// Its tenant column is NULL.
    Null,
}

/// A session and a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    /// The tenant setting's name, in lower case.
    pub(crate) tenant_setting: &'a str,
    /// What it is.
    pub(crate) state: State,
    /// The table's tenant column.
    pub(crate) tenant_column: Option<i16>,
    /// Whose the row is.
    pub(crate) row: RowTenant,
    /// Another setting, and what the session set it to: `None` is "never set".
    pub(crate) set: Option<(&'a str, Option<&'a str>)>,
    /// A boolean column that is true in the row.
    pub(crate) flag: Option<i16>,
    /// Columns that are NOT NULL.
    pub(crate) not_null: &'a [i16],
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Boolean true.
    True,
    /// Boolean false.
    False,
    /// NULL.
    Null,
    /// This text, or a value written so.
    Text(String),
    /// The value of this column, not NULL.
    Column(i16),
    /// The tenant that the session is bound to.
    Tenant,
    /// The tenant of a row that is another's.
    Foreign,
    /// Some value that is not NULL.
    Some,
    /// Anything, an error included.
    Unknown,
}

impl Value {
    fn boolean(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Null => Self::Null,
            _ => Self::Unknown,
        }
    }

    fn is_not_null(&self) -> bool {
        !matches!(self, Self::Null | Self::Unknown)
    }
}

/// What the expression is in that world.
pub(crate) fn evaluate(expr: &Expr, world: &World<'_>) -> Value {
    let value = |expr: &Expr| evaluate(expr, world);
    match expr {
        Expr::Null => Value::Null,
        Expr::Bool(known) => Value::boolean(*known),
        Expr::Text(text) => Value::Text(text.clone()),
        Expr::Column { number, .. } => column(*number, world),
        Expr::Setting { name, missing_ok } => setting(name, *missing_ok, world),
        Expr::User => Value::Some,
        Expr::And(list) => all(list.iter().map(value)),
        Expr::Or(list) => all(list.iter().map(|part| value(part).negated())).negated(),
        Expr::Not(arg) => value(arg).negated(),
        Expr::IsNull { arg, negated } => match value(arg) {
            Value::Null => Value::boolean(!negated),
            known if known.is_not_null() => Value::boolean(*negated),
            _ => Value::Unknown,
        },
        Expr::IsBool { arg, want, negated } => match value(arg) {
            Value::True => Value::boolean(*want != *negated),
            Value::False => Value::boolean(*want == *negated),
            Value::Null => Value::boolean(*negated),
            _ => Value::Unknown,
        },
        Expr::Equal {
            left, right, negated, ..
        } => {
            let equal = equal(&value(left), &value(right));
            if *negated { equal.negated() } else { equal }
        }
        Expr::In { left, list, .. } => {
            let left = value(left);
            all(list.iter().map(|item| equal(&left, &value(item)).negated())).negated()
        }
        Expr::NullIf(left, right) => {
            let left = value(left);
            match equal(&left, &value(right)) {
                Value::True => Value::Null,
                Value::False | Value::Null => left,
                _ => Value::Unknown,
            }
        }
        Expr::Coalesce(list) => {
            let first = list.iter().map(value).find(|value| *value != Value::Null);
            first.unwrap_or(Value::Null)
        }
        Expr::Case { arms, otherwise } => {
            for (when, then) in arms {
                match value(when) {
                    Value::True => return value(then),
                    Value::False | Value::Null => {}
                    _ => return Value::Unknown,
                }
            }
            value(otherwise)
        }
        Expr::Cast { arg, target } => cast(value(arg), *target),
        Expr::Call { body: Some(body), .. } => value(body),
        Expr::Once(inner) => value(inner),
        Expr::Call { .. } | Expr::Reads(_) | Expr::Foreign { .. } | Expr::Sub { .. } | Expr::Other(_) => {
            Value::Unknown
        }
    }
}

/// AND: false wins, then unknown, then NULL.
fn all(values: impl Iterator<Item = Value>) -> Value {
    let mut result = Value::True;
    for value in values {
        match value {
            Value::False => return Value::False,
            Value::Null if result == Value::True => result = Value::Null,
            Value::True | Value::Null => {}
            _ => result = Value::Unknown,
        }
    }
    result
}

fn column(number: i16, world: &World<'_>) -> Value {
    if world.tenant_column == Some(number) {
        return match world.row {
            RowTenant::Foreign => Value::Foreign,
            RowTenant::Null => Value::Null,
        };
    }
    if world.flag == Some(number) {
        Value::True
    } else if world.not_null.contains(&number) {
        Value::Column(number)
    } else {
        Value::Unknown
    }
}

fn setting(name: &str, missing_ok: bool, world: &World<'_>) -> Value {
    if name != world.tenant_setting {
        return match world.set {
            Some((set, Some(value))) if set == name => Value::Text(value.to_owned()),
            Some((set, None)) if set == name && missing_ok => Value::Null,
            _ => Value::Unknown,
        };
    }
    match world.state {
        State::Bound => Value::Tenant,
        State::Empty => Value::Text(String::new()),
        State::Unset if missing_ok => Value::Null,
        // An error.
        State::Unset => Value::Unknown,
    }
}

fn equal(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Value::Null,
        (Value::Text(left), Value::Text(right)) => Value::boolean(left == right),
        (Value::Column(left), Value::Column(right)) if left == right => Value::True,
        (Value::Tenant, Value::Tenant) | (Value::Foreign, Value::Foreign) => Value::True,
        (Value::Tenant, Value::Foreign) | (Value::Foreign, Value::Tenant) => Value::False,
        // No tenant is ''.
        (Value::Tenant | Value::Foreign, Value::Text(text))
        | (Value::Text(text), Value::Tenant | Value::Foreign)
            if text.is_empty() =>
        {
            Value::False
        }
        (Value::True | Value::False, Value::True | Value::False) => Value::boolean(left == right),
        _ => Value::Unknown,
    }
}

fn cast(value: Value, target: Oid) -> Value {
    match (value, target) {
        // To boolean.
        (Value::Text(text), 16) => match text.trim().to_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => Value::True,
            "f" | "false" | "n" | "no" | "off" | "0" => Value::False,
            _ => Value::Unknown,
        },
        // Between text-like types, and numbers and uuids that are written as they would be.
        (Value::Text(text), 25 | 1043 | 19) => Value::Text(text),
        (Value::Text(text), 20 | 21 | 23) => match text.parse::<i64>() {
            Ok(number) => Value::Text(number.to_string()),
            Err(_) => Value::Unknown,
        },
        (Value::Text(text), 2950) => match text.parse::<uuid::Uuid>() {
            Ok(uuid) => Value::Text(uuid.to_string()),
            Err(_) => Value::Unknown,
        },
        // A conversion to text loses nothing; one to another type might.
        (known @ (Value::Null | Value::Tenant | Value::Foreign), _)
        | (known @ (Value::True | Value::False), 16)
        | (known @ Value::Column(_), 25 | 1043) => known,
        _ => Value::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &str) -> Expr {
        Expr::Setting {
            name: name.into(),
            missing_ok: true,
        }
    }

    fn equals(left: Expr, right: Expr) -> Expr {
        Expr::Equal {
            left: Box::new(left),
            right: Box::new(right),
            negated: false,
            collation: 100,
        }
    }

    fn column(number: i16) -> Expr {
        Expr::Column { number, type_oid: 25 }
    }

    fn world(state: State) -> World<'static> {
        World {
            tenant_setting: "app.t",
            state,
            tenant_column: Some(1),
            row: RowTenant::Foreign,
            set: None,
            flag: None,
            not_null: &[1, 2],
        }
    }

    #[test]
    fn the_right_policy_is_false_or_null_for_foreign_rows() {
        let policy = equals(
            column(1),
            Expr::NullIf(Box::new(setting("app.t")), Box::new(Expr::Text(String::new()))),
        );
        assert_eq!(evaluate(&policy, &world(State::Bound)), Value::False);
        assert_eq!(evaluate(&policy, &world(State::Empty)), Value::Null);
        assert_eq!(evaluate(&policy, &world(State::Unset)), Value::Null);
    }

    #[test]
    fn a_fallback_to_the_row_itself_opens_when_unset_only() {
        let policy = equals(column(1), Expr::Coalesce(vec![setting("app.t"), column(1)]));
        assert_eq!(evaluate(&policy, &world(State::Unset)), Value::True);
        assert_eq!(evaluate(&policy, &world(State::Empty)), Value::False);
        assert_eq!(evaluate(&policy, &world(State::Bound)), Value::False);
    }

    #[test]
    fn a_switch_opens_when_it_is_set() {
        let switch = equals(setting("app.admin"), Expr::Text("on".into()));
        let policy = Expr::Or(vec![switch, equals(column(1), setting("app.t"))]);
        assert_eq!(evaluate(&policy, &world(State::Bound)), Value::Unknown);
        let set = World {
            set: Some(("app.admin", Some("on"))),
            ..world(State::Bound)
        };
        assert_eq!(evaluate(&policy, &set), Value::True);
    }

    #[test]
    fn what_is_not_understood_is_never_true() {
        let policy = Expr::Or(vec![Expr::Other(vec![]), equals(column(2), column(3))]);
        assert_eq!(evaluate(&policy, &world(State::Bound)), Value::Unknown);
        assert_eq!(
            evaluate(&equals(column(2), column(2)), &world(State::Bound)),
            Value::True
        );
    }
}
