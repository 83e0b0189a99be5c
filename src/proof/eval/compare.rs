//! Comparing two values.

use std::cmp::Ordering;

use crate::proof::builtin::{Collation, Group, Order};
use crate::proof::ir::Comparison;
use crate::proof::value::Value;

/// The comparison's result; `None` where it is not known here.
pub(crate) fn compare(how: Comparison, left: &Value, right: &Value) -> Option<bool> {
    let is_equality = matches!(how.order, Order::Equal | Order::NotEqual);
    let ordering = match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b))
        | (Value::Date(a), Value::Date(b))
        | (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) if how.collation == Collation::Bytes || is_equality => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => any_collation(a, b)?,
        // Enums are ordered by their place in the type, which their object ids do not show.
        (Value::Enum(a), Value::Enum(b)) if is_equality => a.cmp(b),
        _ => return None,
    };
    if how.group == Group::Other || how.group == Group::Numeric {
        return None;
    }
    Some(match how.order {
        Order::Less => ordering.is_lt(),
        Order::LessEqual => ordering.is_le(),
        Order::Equal => ordering.is_eq(),
        Order::GreaterEqual => ordering.is_ge(),
        Order::Greater => ordering.is_gt(),
        Order::NotEqual => ordering.is_ne(),
    })
}

/// The order on which all collations agree: of equal texts, and of texts that differ in one digit alone.
fn any_collation(a: &str, b: &str) -> Option<Ordering> {
    if a == b {
        return Some(Ordering::Equal);
    }
    if a.len() != b.len() || !a.is_ascii() {
        return None;
    }
    let mut differing = a.bytes().zip(b.bytes()).filter(|(a, b)| a != b);
    match (differing.next(), differing.next()) {
        (Some((a, b)), None) if a.is_ascii_digit() && b.is_ascii_digit() => Some(a.cmp(&b)),
        _ => None,
    }
}
