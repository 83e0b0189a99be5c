//! Function terms of constants.

use super::term::Op;
use crate::proof::builtin::{Function, Order};
use crate::proof::eval::{self, Outcome};
use crate::proof::ir::Comparison;
use crate::proof::symbols::Symbols;
use crate::proof::value::{Parsed, Type, Value, parse, print};

/// The value of a function term whose arguments are these constants.
pub(crate) fn apply(op: &Op, ty: Type, args: &[&Value]) -> Outcome {
    match (op, args) {
        (Op::Parse(sort), [Value::Text(text)]) => match parse(*sort, text) {
            Parsed::Value(value) => Outcome::Value(Some(value)),
            Parsed::Error => Outcome::Error,
            Parsed::Unknown => Outcome::Unknown,
        },
        (Op::Print(_), [value]) => match print(value) {
            Some(text) => Outcome::Value(Some(Value::Text(text.into_owned()))),
            None => Outcome::Unknown,
        },
        // Without the catalog no domain can refuse the value, which only keeps more worlds.
        (Op::Cast(how), [value]) => eval::cast(&Symbols::default(), *how, Type { typmod: -1, ..ty }, value),
        (Op::Call(function), args) => {
            let args: Vec<Value> = args.iter().map(|value| (*value).clone()).collect();
            eval::call(*function, &args)
        }
        (Op::Order(order, group, collation), [left, right]) => {
            let how = Comparison {
                order: *order,
                group: *group,
                collation: *collation,
            };
            eval::compare(how, left, right).map_or(Outcome::Unknown, Outcome::truth)
        }
        (Op::Affix(before, behind), [Value::Text(text)]) => {
            Outcome::Value(Some(Value::Text(format!("{before}{text}{behind}"))))
        }
        _ => Outcome::Unknown,
    }
}

/// What the result of a function tells of its argument.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inverse {
    /// The only argument that gives it.
    Argument(Value),
    /// No argument gives it.
    Impossible,
    /// Nothing is known.
    Unknown,
}

/// What a result tells of the argument.
pub(crate) fn invert(op: &Op, result: &Value) -> Inverse {
    let found = |value: Option<Value>| value.map_or(Inverse::Impossible, Inverse::Argument);
    match (op, result) {
        (Op::Print(sort), Value::Text(text)) => match parse(*sort, text) {
            Parsed::Value(value) => match print(&value).map(|printed| printed.as_ref() == text) {
                Some(true) => Inverse::Argument(value),
                Some(false) => Inverse::Impossible,
                None => Inverse::Unknown,
            },
            Parsed::Error => Inverse::Impossible,
            Parsed::Unknown => Inverse::Unknown,
        },
        (Op::Affix(before, behind), Value::Text(text)) => {
            let inner = text
                .strip_prefix(before.as_str())
                .and_then(|text| text.strip_suffix(behind.as_str()));
            found(inner.map(|text| Value::Text(text.to_owned())))
        }
        (Op::Call(Function::BoolToText), Value::Text(text)) => found(match text.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        }),
        _ => Inverse::Unknown,
    }
}

/// What a comparison gives for a value and itself.
pub(super) fn with_itself(order: Order) -> bool {
    matches!(order, Order::LessEqual | Order::Equal | Order::GreaterEqual)
}
