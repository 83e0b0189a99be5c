//! PostgreSQL's functions on values that are not NULL.

use super::pattern::{Pattern, like};
use super::{Outcome, compare};
use crate::proof::builtin::{Collation, Function};
use crate::proof::ir::{Cast, Comparison};
use crate::proof::symbols::{Symbols, TypeKind};
use crate::proof::value::{Parsed, Sort, Type, Value, parse, print};

fn text(text: impl Into<String>) -> Outcome {
    Outcome::Value(Some(Value::Text(text.into())))
}

/// A cast of a value that is not NULL.
pub(crate) fn cast(symbols: &Symbols, how: Cast, ty: Type, value: &Value) -> Outcome {
    let named = symbols.types.get(&ty.oid).map(|named| &named.kind);
    if let Some(TypeKind::Domain {
        constrained: true, ..
    }) = named
    {
        return Outcome::Unknown;
    }
    match (how, value) {
        (Cast::Same, value) if value.fits(ty) => Outcome::Value(Some(value.clone())),
        (Cast::Same, _) => Outcome::Error,
        (Cast::Parse, Value::Text(label)) if matches!(ty.sort, Sort::Enum(_)) => match named {
            Some(TypeKind::Enum(labels)) => match labels.iter().find(|(_, l)| *l == label) {
                Some((id, _)) => Outcome::Value(Some(Value::Enum(*id))),
                None => Outcome::Error,
            },
            _ => Outcome::Unknown,
        },
        (Cast::Parse, Value::Text(text)) => match parse(ty.sort, text) {
            Parsed::Value(value) if value.fits(ty) => Outcome::Value(Some(value)),
            Parsed::Value(_) | Parsed::Error => Outcome::Error,
            Parsed::Unknown => Outcome::Unknown,
        },
        (Cast::Print, Value::Enum(_)) => Outcome::Unknown,
        (Cast::Print, value) => match print(value) {
            Some(printed) => text(printed),
            None => Outcome::Unknown,
        },
        (Cast::DropBlanks, Value::Text(value)) => text(value.trim_end_matches(' ')),
        (Cast::Cut(limit), Value::Text(value)) => text(first(value, usize_of(limit))),
        (Cast::CutBlanks(limit), Value::Text(value)) => {
            text(first(value, usize_of(limit)).trim_end_matches(' '))
        }
        (Cast::CutName, Value::Text(value)) if value.is_ascii() => text(first(value, 63)),
        _ => Outcome::Unknown,
    }
}

fn usize_of(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The first `count` characters.
fn first(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
}

/// Characters `from` (counted from 0) up to but without `to`, either of which may lie outside.
fn part(value: &str, from: i64, to: i64) -> Outcome {
    let from = usize::try_from(from.max(0)).unwrap_or(usize::MAX);
    let to = usize::try_from(to.max(0)).unwrap_or(usize::MAX);
    text(
        value
            .chars()
            .skip(from)
            .take(to.saturating_sub(from))
            .collect::<String>(),
    )
}

/// A function of values that are not NULL.
pub(crate) fn call(function: Function, args: &[Value]) -> Outcome {
    use Value::{Array, Int, Json, Text};
    match (function, args) {
        (Function::Compare(order, group), [left, right]) => {
            let how = Comparison {
                order,
                group,
                collation: Collation::DEFAULT,
            };
            compare(how, left, right).map_or(Outcome::Unknown, Outcome::truth)
        }
        // Turkish has another lower-case form of I.
        (Function::Lower(_), [Text(a)]) if a.is_ascii() && !a.contains('I') => text(a.to_ascii_lowercase()),
        (Function::Upper(_), [Text(a)]) if a.is_ascii() && !a.contains('i') => text(a.to_ascii_uppercase()),
        (Function::Left, [Text(a), Int(count)]) => match count {
            0.. => part(a, 0, *count),
            _ => part(a, 0, length(a) + count),
        },
        (Function::Right, [Text(a), Int(count)]) => match count {
            0.. => part(a, length(a) - count, length(a)),
            _ => part(a, -count, length(a)),
        },
        (Function::Substring, [Text(a), Int(start)]) => part(a, start - 1, i64::MAX),
        (Function::Substring, [Text(_), Int(_), Int(..0)])
        | (Function::SplitPart, [Text(_), Text(_), Int(0)]) => Outcome::Error,
        (Function::Substring, [Text(a), Int(start), Int(count)]) => part(a, start - 1, start - 1 + count),
        (Function::Length, [Text(a)]) => Outcome::Value(Some(Int(length(a)))),
        (Function::Trim, [Text(a)]) => text(a.trim_matches(' ')),
        (Function::TrimLeft, [Text(a)]) => text(a.trim_start_matches(' ')),
        (Function::TrimRight, [Text(a)]) => text(a.trim_end_matches(' ')),
        (Function::Replace, [Text(a), Text(from), Text(to)]) => match from.as_str() {
            "" => text(a.clone()),
            from => text(a.replace(from, to)),
        },
        (Function::SplitPart, [Text(a), Text(separator), Int(field)]) => {
            let fields: Vec<&str> = match separator.as_str() {
                _ if a.is_empty() => Vec::new(),
                "" => vec![a],
                separator => a.split(separator).collect(),
            };
            let count = i64::try_from(fields.len()).unwrap_or(i64::MAX);
            let index = if *field > 0 { field - 1 } else { count + field };
            let field = usize::try_from(index).ok().and_then(|index| fields.get(index));
            text(field.copied().unwrap_or_default())
        }
        (Function::StartsWith, [Text(a), Text(b)]) => Outcome::truth(a.starts_with(b.as_str())),
        (Function::Position, [Text(a), Text(b)]) => {
            let at = a.find(b.as_str()).map_or(0, |at| length(&a[..at]) + 1);
            Outcome::Value(Some(Int(at)))
        }
        (Function::Concat, [Text(a), Text(b)]) => text(format!("{a}{b}")),
        (Function::Like, [Text(a), Text(pattern)]) => {
            like(a, pattern).map_or(Outcome::Unknown, Outcome::truth)
        }
        (Function::NotLike, [Text(a), Text(pattern)]) => {
            like(a, pattern).map_or(Outcome::Unknown, |found| Outcome::truth(!found))
        }
        (Function::Matches(_) | Function::NotMatches(_), [Text(a), Text(pattern)]) => {
            let found = Pattern::parse(pattern).and_then(|pattern| pattern.is_match(a));
            found.map_or(Outcome::Unknown, |found| {
                Outcome::truth(found == matches!(function, Function::Matches(_)))
            })
        }
        (Function::StringToArray, [Text(a), Text(separator)]) => {
            let items: Vec<&str> = match separator.as_str() {
                _ if a.is_empty() => Vec::new(),
                "" => vec![a],
                separator => a.split(separator).collect(),
            };
            Outcome::Value(Some(Array(
                items
                    .into_iter()
                    .map(|item| Some(Text(item.to_owned())))
                    .collect(),
            )))
        }
        (Function::JsonField, [Json(json), Text(key)]) => field(json, [key.as_str()].into_iter(), false),
        (Function::JsonFieldText, [Json(json), Text(key)]) => field(json, [key.as_str()].into_iter(), true),
        (Function::JsonPath | Function::JsonPathText, [Json(json), Array(path)]) => {
            let keys = path.iter().map(|key| match key {
                Some(Text(key)) => Some(key.as_str()),
                _ => None,
            });
            let keys: Option<Vec<&str>> = keys.collect();
            let as_text = function == Function::JsonPathText;
            keys.map_or(Outcome::Unknown, |keys| field(json, keys.into_iter(), as_text))
        }
        (Function::BoolToText, [Value::Bool(truth)]) => text(if *truth { "true" } else { "false" }),
        (Function::IntToBool, [Int(number)]) => Outcome::truth(*number != 0),
        _ => Outcome::Unknown,
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// What lies at a path of object keys, as JSON or as text.
fn field<'a>(json: &serde_json::Value, mut keys: impl Iterator<Item = &'a str>, as_text: bool) -> Outcome {
    use serde_json::Value as Json;
    let found = keys.try_fold(json, |json, key| match json {
        Json::Object(members) => members.get(key).ok_or(Outcome::NULL),
        // A path goes into arrays by number.
        Json::Array(_) => Err(Outcome::Unknown),
        _ => Err(Outcome::NULL),
    });
    match (found, as_text) {
        (Err(outcome), _) => outcome,
        (Ok(json), false) => Outcome::Value(Some(Value::Json(json.clone()))),
        (Ok(Json::Null), true) => Outcome::NULL,
        (Ok(Json::String(value)), true) => text(value.clone()),
        (Ok(Json::Bool(truth)), true) => text(if *truth { "true" } else { "false" }),
        (Ok(Json::Number(number)), true) if number.is_i64() => text(number.to_string()),
        (Ok(_), true) => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(function: Function, args: &[Value]) -> String {
        match call(function, args) {
            Outcome::Value(Some(Value::Text(text))) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn text_functions_count_from_either_end() {
        let a = || Value::Text("abcde".into());
        let int = Value::Int;
        assert_eq!(apply(Function::Left, &[a(), int(2)]), "ab");
        assert_eq!(apply(Function::Left, &[a(), int(-2)]), "abc");
        assert_eq!(apply(Function::Right, &[a(), int(2)]), "de");
        assert_eq!(apply(Function::Right, &[a(), int(-2)]), "cde");
        assert_eq!(apply(Function::Right, &[a(), int(9)]), "abcde");
        assert_eq!(apply(Function::Substring, &[a(), int(0), int(3)]), "ab");
        assert_eq!(apply(Function::Substring, &[a(), int(4)]), "de");
        assert_eq!(call(Function::Substring, &[a(), int(1), int(-1)]), Outcome::Error);
        let list = || Value::Text("x,y,z".into());
        let comma = || Value::Text(",".into());
        assert_eq!(apply(Function::SplitPart, &[list(), comma(), int(-1)]), "z");
        assert_eq!(apply(Function::SplitPart, &[list(), comma(), int(4)]), "");
        assert_eq!(
            call(Function::SplitPart, &[list(), comma(), int(0)]),
            Outcome::Error
        );
        assert_eq!(
            call(Function::Position, &[a(), Value::Text("c".into())]),
            Outcome::Value(Some(int(3)))
        );
    }

    #[test]
    fn json_is_read_by_key() {
        let json = |text: &str| Value::Json(serde_json::from_str(text).unwrap());
        let key = || Value::Text("k".into());
        assert_eq!(
            apply(Function::JsonFieldText, &[json(r#"{"k":"v"}"#), key()]),
            "v"
        );
        assert_eq!(
            apply(Function::JsonFieldText, &[json(r#"{"k":-12}"#), key()]),
            "-12"
        );
        assert_eq!(
            call(Function::JsonFieldText, &[json(r#"{"k":null}"#), key()]),
            Outcome::NULL
        );
        assert_eq!(call(Function::JsonFieldText, &[json("3"), key()]), Outcome::NULL);
        assert_eq!(
            call(Function::JsonFieldText, &[json(r#"{"k":1.0}"#), key()]),
            Outcome::Unknown
        );
    }
}
