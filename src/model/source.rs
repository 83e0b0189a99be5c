//! Who is asking, as policies say it: a setting, a member of the JSON in one, the role.

use super::expression::Expr;
use crate::catalog::Oid;

/// Who is asking, as a policy sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// A setting whose value is the tenant.
    Setting(String),
    /// A member of the JSON that a setting holds: the names that lead to it.
    Claim(String, Vec<String>),
    /// The role.
    Role,
}

impl Source {
    /// The setting, if it is one.
    pub(super) fn setting(&self) -> Option<&str> {
        match self {
            Self::Setting(name) | Self::Claim(name, _) => Some(name),
            Self::Role => None,
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Setting(name) => format!("the setting {name}"),
            Self::Claim(name, keys) => format!("{} of the JSON in {name}", keys.join(".")),
            Self::Role => "the role's name".to_owned(),
        }
    }
}

/// The column, through conversions.
pub(super) fn column_of(expression: &Expr) -> Option<i16> {
    match expression {
        Expr::Column { number, .. } if *number > 0 => Some(*number),
        Expr::Cast { arg, .. } => column_of(arg),
        _ => None,
    }
}

/// What says who is asking, through conversions, fallbacks and functions that are understood.
pub(super) fn source_of(expression: &Expr) -> Option<Source> {
    /// `json ->> text` and `jsonb ->> text`.
    const MEMBER: [Oid; 2] = [3948, 3214];
    match expression {
        Expr::Setting { name, .. } if name.contains('.') => Some(Source::Setting(name.clone())),
        Expr::User => Some(Source::Role),
        Expr::Cast { arg, .. } | Expr::Once(arg) => source_of(arg),
        Expr::NullIf(left, _) => source_of(left),
        // auth.uid() and its kin: the first that is found, the last of them being the whole claims.
        Expr::Coalesce(list) => list.iter().rev().find_map(source_of),
        Expr::Call { function, args, .. } if MEMBER.contains(function) => {
            let (setting, mut keys) = member_of(args.first()?)?;
            let Some(Expr::Text(key)) = args.get(1) else {
                return None;
            };
            keys.push(key.clone());
            Some(Source::Claim(setting, keys))
        }
        Expr::Call { body: Some(body), .. } => source_of(body),
        _ => None,
    }
}

/// The setting that holds JSON, and the names that lead into it.
fn member_of(expression: &Expr) -> Option<(String, Vec<String>)> {
    /// `json -> text` and `jsonb -> text`.
    const OBJECT: [Oid; 2] = [3947, 3478];
    match expression {
        Expr::Setting { name, .. } => Some((name.clone(), Vec::new())),
        Expr::Cast { arg, .. } | Expr::Once(arg) => member_of(arg),
        Expr::NullIf(left, _) => member_of(left),
        Expr::Coalesce(list) => list.iter().rev().find_map(member_of),
        Expr::Call { function, args, .. } if OBJECT.contains(function) => {
            let (setting, mut keys) = member_of(args.first()?)?;
            let Some(Expr::Text(key)) = args.get(1) else {
                return None;
            };
            keys.push(key.clone());
            Some((setting, keys))
        }
        Expr::Call { body: Some(body), .. } => member_of(body),
        _ => None,
    }
}

/// JSON with `what` where the names lead.
pub(super) fn json(keys: &[String], what: &str) -> String {
    let mut value = serde_json::Value::from(what);
    for key in keys.iter().rev() {
        value = serde_json::json!({ key: value });
    }
    value.to_string()
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

    #[test]
    fn claims_are_found_behind_conversions() {
        let claims = Expr::Cast {
            arg: Box::new(Expr::NullIf(
                Box::new(setting("jwt.claims")),
                Box::new(Expr::Text(String::new())),
            )),
            target: 3802,
        };
        let member = |function, object, key: &str| Expr::Call {
            function,
            args: vec![object, Expr::Text(key.into())],
            body: None,
        };
        let tenant = member(3214, member(3478, claims, "app"), "tenant");
        let expected = Source::Claim("jwt.claims".into(), vec!["app".into(), "tenant".into()]);
        assert_eq!(source_of(&tenant), Some(expected));
        assert_eq!(
            json(&["app".into(), "tenant".into()], "{tenant}"),
            r#"{"app":{"tenant":"{tenant}"}}"#
        );
    }

    #[test]
    fn a_sub_select_over_a_table_is_no_source() {
        assert_eq!(source_of(&Expr::Other(vec![setting("a.b")])), None);
    }
}
