//! Values worth trying: those that the expressions mention, two tenants, and pairs of tenants that a comparison which
//! loses information cannot tell apart.

use std::collections::BTreeSet;

use crate::proof::builtin::Function;
use crate::proof::eval::Pattern;
use crate::proof::ir::{Cast, Expr};
use crate::proof::symbols::{Symbols, TypeKind};
use crate::proof::value::{Sort, Type, Value, print};

/// Values that expressions mention.
#[derive(Debug, Default)]
pub(super) struct Mentioned {
    pub(super) values: Vec<(Sort, Value)>,
    /// Paths of keys that are read from JSON.
    pub(super) paths: Vec<Vec<String>>,
}

impl Mentioned {
    pub(super) fn new(exprs: &[&Expr]) -> Self {
        let mut mentioned = Self::default();
        for expr in exprs {
            expr.walk(&mut |expr| {
                mentioned.note(expr);
                true
            });
        }
        mentioned
    }

    fn add(&mut self, sort: Sort, value: &Value) {
        if self.values.len() < 24 && !self.values.iter().any(|(s, v)| *s == sort && v == value) {
            self.values.push((sort, value.clone()));
        }
    }

    fn note(&mut self, expr: &Expr) {
        match expr {
            Expr::Const(_, Some(Value::Array(items))) => {
                let element = match items.iter().flatten().next() {
                    Some(Value::Text(_)) => Sort::Text,
                    Some(Value::Int(_)) => Sort::Int,
                    Some(Value::Uuid(_)) => Sort::Uuid,
                    _ => return,
                };
                items.iter().flatten().for_each(|item| self.add(element, item));
            }
            Expr::Const(ty, Some(value)) => self.add(ty.sort, value),
            Expr::Call {
                function:
                    Function::JsonField | Function::JsonFieldText | Function::JsonPath | Function::JsonPathText,
                args,
                ..
            } => {
                if let Some(path) = json_path(&args[0], &args[1])
                    && self.paths.len() < 8
                {
                    self.paths.push(path);
                }
            }
            _ => {}
        }
    }

    pub(super) fn of(&self, sort: Sort) -> impl Iterator<Item = Value> + '_ {
        self.values
            .iter()
            .filter(move |(s, _)| *s == sort)
            .map(|(_, value)| value.clone())
    }
}

/// The keys from the root of a JSON value to what an operator reads.
fn json_path(json: &Expr, key: &Expr) -> Option<Vec<String>> {
    let mut path = match json {
        Expr::Call {
            function: Function::JsonField | Function::JsonPath,
            args,
            ..
        } => json_path(&args[0], &args[1])?,
        _ => Vec::new(),
    };
    match key {
        Expr::Const(_, Some(Value::Text(key))) => path.push(key.clone()),
        Expr::Const(_, Some(Value::Array(keys))) => {
            for key in keys {
                let Some(Value::Text(key)) = key else { return None };
                path.push(key.clone());
            }
        }
        _ => return None,
    }
    Some(path)
}

/// The nth value of a sort that has nothing to do with anything else.
pub(super) fn nth(symbols: &Symbols, ty: Type, n: usize) -> Option<Value> {
    let number = u8::try_from(n).unwrap_or(0).saturating_add(0x20);
    match ty.sort {
        Sort::Text => Some(Value::Text(format!("x{n}"))),
        Sort::Int => Some(Value::Int(40 + i64::from(number))),
        Sort::Uuid => Some(uuid(number)),
        Sort::Bool => Some(Value::Bool(n.is_multiple_of(2))),
        Sort::Date => Some(Value::Date(0)),
        Sort::Timestamp | Sort::Timestamptz => Some(Value::Time(0)),
        Sort::Enum(id) => labels(symbols, id).next(),
        Sort::Json | Sort::Array(_) | Sort::Numeric | Sort::Other(_) => None,
    }
}

fn labels(symbols: &Symbols, id: u32) -> impl Iterator<Item = Value> + '_ {
    let labels = match symbols.types.get(&id).map(|named| &named.kind) {
        Some(TypeKind::Enum(labels)) => Some(labels),
        _ => None,
    };
    labels.into_iter().flatten().map(|(id, _)| Value::Enum(*id))
}

fn uuid(last: u8) -> Value {
    let mut bytes = [0; 16];
    (bytes[6], bytes[8], bytes[15]) = (0x40, 0x80, last);
    Value::Uuid(bytes)
}

/// Pairs of different tenants: A, whom the session is bound to, and B. The first ones are like any others; from the
/// place that is returned on, their values are special.
pub(super) fn tenants(
    symbols: &Symbols,
    ty: Type,
    patterns: &[Pattern],
    mentioned: &Mentioned,
) -> (Vec<(Value, Value)>, usize) {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut pairs = Vec::new();
    match ty.sort {
        Sort::Text => {
            for pattern in patterns {
                if let (Some(a), Some(b)) = (pattern.sample(1), pattern.sample(2)) {
                    pairs.push((Value::Text(a), Value::Text(b)));
                }
            }
            let long = "ten_".to_owned() + &"a".repeat(80);
            let more = [
                // As different as two texts can be that every collation orders.
                ("5", "7"),
                ("ten_1", "ten_2"),
                ("ten_a", "TEN_A"),
                ("ten_1", "ten_12"),
                ("ten_12", "ten_1"),
                ("ten_2,ten_1", "ten_2"),
                ("ten_1", " ten_1 "),
                ("%", "ten_2"),
                ("ten_1", "%"),
                ("ten_2:ten_1", "ten_2"),
                (&*(long.clone() + "1"), &*(long + "2")),
                ("1", "2"),
            ];
            pairs.extend(more.iter().map(|(a, b)| (text(a), text(b))));
            // A tenant that the expressions name may be special.
            let named: Vec<Value> = mentioned
                .of(Sort::Text)
                .filter(|v| *v != text(""))
                .take(4)
                .collect();
            pairs.extend(named.iter().map(|named| (named.clone(), text("ten_2"))));
            pairs.extend(named.iter().map(|named| (text("ten_1"), named.clone())));
        }
        Sort::Int => {
            pairs.extend([(1, 2), (12, 1), (7, -7)].map(|(a, b)| (Value::Int(a), Value::Int(b))));
            let named: Vec<Value> = mentioned.of(Sort::Int).take(4).collect();
            pairs.extend(named.iter().map(|named| (named.clone(), Value::Int(77))));
            pairs.extend(named.iter().map(|named| (Value::Int(76), named.clone())));
        }
        Sort::Uuid => {
            pairs.push((uuid(0xa1), uuid(0xb2)));
            let named: Vec<Value> = mentioned.of(Sort::Uuid).take(4).collect();
            pairs.extend(named.iter().map(|named| (named.clone(), uuid(0xb2))));
            pairs.extend(named.iter().map(|named| (uuid(0xa1), named.clone())));
        }
        Sort::Enum(id) => {
            let labels: Vec<Value> = labels(symbols, id).take(3).collect();
            for a in &labels {
                pairs.extend(labels.iter().filter(|b| *b != a).map(|b| (a.clone(), b.clone())));
            }
        }
        _ => {}
    }
    let limit = match ty.sort {
        Sort::Text => ty.max_text(),
        _ => None,
    };
    let fits = |value: &Value| match (value, limit) {
        (Value::Text(text), Some(limit)) => text.chars().count() <= limit,
        (value, _) => value.fits(ty),
    };
    pairs.retain(|(a, b)| a != b && fits(a) && fits(b));
    // Samples of the patterns, and one pair.
    let is_sample = |(a, b): &(Value, Value)| {
        let samples = patterns
            .iter()
            .filter_map(|pattern| Some((pattern.sample(1)?, pattern.sample(2)?)));
        samples
            .into_iter()
            .any(|(x, y)| *a == Value::Text(x) && *b == Value::Text(y))
    };
    let samples = pairs.iter().take_while(|pair| is_sample(pair)).count();
    (pairs, samples.max(1))
}

/// Values to try for a column, `None` being NULL.
pub(super) fn column(
    symbols: &Symbols,
    ty: Type,
    patterns: &[Pattern],
    mentioned: &Mentioned,
    pair: &(Value, Value),
) -> Vec<Option<Value>> {
    let mut list: Vec<Value> = mentioned.of(ty.sort).collect();
    match ty.sort {
        Sort::Bool => list.extend([Value::Bool(true), Value::Bool(false)]),
        Sort::Int => {
            let near = list.iter().filter_map(|value| match value {
                Value::Int(number) => {
                    Some([number.saturating_sub(1), number.saturating_add(1)].map(Value::Int))
                }
                _ => None,
            });
            let near: Vec<Value> = near.flatten().collect();
            list.extend(near);
        }
        Sort::Text => list.extend(
            patterns
                .iter()
                .filter_map(|pattern| pattern.sample(1))
                .map(Value::Text),
        ),
        // Long past, and far ahead.
        Sort::Date => list.extend([Value::Date(0), Value::Date(2_500_000)]),
        Sort::Timestamp | Sort::Timestamptz => {
            list.extend([Value::Time(0), Value::Time(2_500_000 * 86_400_000_000)]);
        }
        Sort::Enum(id) => list.extend(labels(symbols, id)),
        _ => {}
    }
    for value in [&pair.0, &pair.1] {
        let same_sort = matches!(
            (ty.sort, value),
            (Sort::Text, Value::Text(_)) | (Sort::Int, Value::Int(_)) | (Sort::Uuid, Value::Uuid(_))
        );
        if same_sort {
            list.push(value.clone());
        }
        if let (Sort::Text, Some(text)) = (ty.sort, print(value)) {
            list.push(Value::Text(text.into_owned()));
        }
    }
    list.extend(nth(symbols, ty, 3));
    list.retain(|value| value.fits(ty) && fits_text(value, ty));
    let mut seen = BTreeSet::new();
    let mut options: Vec<Option<Value>> = list
        .into_iter()
        .filter(|value| seen.insert(format!("{value:?}")))
        .map(Some)
        .collect();
    options.push(None);
    options
}

fn fits_text(value: &Value, ty: Type) -> bool {
    match (value, ty.sort, ty.max_text()) {
        (Value::Text(text), Sort::Text, Some(limit)) => text.chars().count() <= limit,
        _ => true,
    }
}

/// Texts to try for a setting, `None` being "never set".
pub(super) fn setting(mentioned: &Mentioned, pair: Option<&(Value, Value)>) -> Vec<Option<String>> {
    let mut list: Vec<String> = Vec::new();
    if let Some((a, b)) = pair {
        list.extend(
            [b, a]
                .into_iter()
                .filter_map(print)
                .map(std::borrow::Cow::into_owned),
        );
    }
    list.extend(
        mentioned
            .of(Sort::Text)
            .filter_map(|value| print(&value).map(std::borrow::Cow::into_owned)),
    );
    let single = list.clone();
    list.extend(["", "true", "on", "1", "x"].map(String::from));
    for path in &mentioned.paths {
        for text in single.iter().take(4).map(String::as_str).chain(["true"]) {
            list.push(json_with(path, text).to_string());
        }
    }
    let mut seen = BTreeSet::new();
    list.retain(|text| seen.insert(text.clone()));
    list.into_iter().map(Some).chain([None]).collect()
}

/// The smallest JSON value that has this text at that path.
pub(super) fn json_with(path: &[String], text: &str) -> serde_json::Value {
    let leaf = serde_json::Value::String(text.to_owned());
    path.iter()
        .rev()
        .fold(leaf, |inner, key| serde_json::json!({ key: inner }))
}

/// The patterns that a CHECK constraint demands of a column.
pub(super) fn patterns(checks: &[&Expr], attnum: i16) -> Vec<Pattern> {
    let mut found = Vec::new();
    for check in checks {
        check.walk(&mut |expr| {
            if let Expr::Call {
                function: Function::Matches(_),
                args,
                ..
            } = expr
                && let (Some(column), Expr::Const(_, Some(Value::Text(pattern)))) =
                    (plain_column(&args[0]), &args[1])
                && column == attnum
            {
                found.extend(Pattern::parse(pattern));
            }
            true
        });
    }
    found
}

fn plain_column(expr: &Expr) -> Option<i16> {
    match expr {
        Expr::Column { row: 0, attnum, .. } => Some(*attnum),
        Expr::Cast {
            how: Cast::Same, arg, ..
        } => plain_column(arg),
        _ => None,
    }
}
