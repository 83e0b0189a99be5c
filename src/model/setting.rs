//! Which setting says who is asking, and how a session is bound to a tenant: from what the policies compare.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::config::{Binding, Config};
use super::expression::{Expr, lower};
use crate::catalog::{Catalog, Oid, Relation, Text};

/// The policies' expressions, each text read once. Found by where the catalog holds the text, because that is asked
/// many times and the text is long; the text is kept, so that no other can come to lie there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expressions(HashMap<usize, (Text, Arc<Expr>)>);

impl Expressions {
    /// The expressions of these relations' policies.
    pub(super) fn read(catalog: &Catalog, relations: &[&Relation]) -> Self {
        let mut known = HashMap::<&Text, Arc<Expr>>::new();
        let mut map = HashMap::new();
        for policy in relations.iter().flat_map(|relation| &relation.policies) {
            for tree in [&policy.using_tree, &policy.check_tree].into_iter().flatten() {
                let expression = known
                    .entry(tree)
                    .or_insert_with(|| Arc::new(lower(catalog, tree)));
                map.insert(address(tree), (Text::clone(tree), Arc::clone(expression)));
            }
        }
        Self(map)
    }

    /// What a policy's stored tree says.
    pub(crate) fn get(&self, tree: &Text) -> Option<&Expr> {
        self.0.get(&address(tree)).map(|(_, expression)| &**expression)
    }

    fn of<'a>(&'a self, relation: &'a Relation) -> impl Iterator<Item = &'a Expr> {
        let trees = relation
            .policies
            .iter()
            .flat_map(|policy| [&policy.using_tree, &policy.check_tree].into_iter().flatten());
        trees.filter_map(|tree| self.get(tree))
    }
}

fn address(tree: &Text) -> usize {
    tree.as_ptr().addr()
}

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
    fn describe(&self) -> String {
        match self {
            Self::Setting(name) => format!("the setting {name}"),
            Self::Claim(name, keys) => format!("{} of the JSON in {name}", keys.join(".")),
            Self::Role => "the role's name".to_owned(),
        }
    }
}

/// How the policies know the tenant.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// The setting.
    pub(super) setting: String,
    /// Why it is taken for the one.
    pub(super) ground: String,
    /// How a session is bound, where the setting's value is not the tenant.
    pub(super) binding: Option<Binding>,
    /// What columns are compared with.
    source: Source,
    /// Whether tenant columns are.
    is_tenant: bool,
}

/// Decides how the policies of these relations know the tenant.
pub(super) fn asking(config: &Config, expressions: &Expressions, relations: &[&Relation]) -> Asking {
    let mut compared = BTreeMap::<(bool, Source), BTreeSet<Oid>>::new();
    let mut read = BTreeMap::<String, BTreeSet<Oid>>::new();
    for relation in relations {
        for expression in expressions.of(relation) {
            for (name, _) in expression.settings() {
                // A name without a dot is one of PostgreSQL's own.
                if name.contains('.') {
                    read.entry(name.to_owned()).or_default().insert(relation.oid);
                }
            }
            for (column, source) in comparisons(expression) {
                let is_tenant = relation
                    .column(column)
                    .is_some_and(|column| is_tenant_column(config, relation, &column.name));
                compared
                    .entry((is_tenant, source))
                    .or_default()
                    .insert(relation.oid);
            }
        }
    }
    let named = config.tenant_setting().to_lowercase();
    if config.tenant_setting.is_some() {
        let is_tenant = compared.contains_key(&(true, Source::Setting(named.clone())));
        let ground = "named by the user".to_owned();
        return Asking::new(
            config,
            config.tenant_setting().to_owned(),
            Source::Setting(named),
            ground,
            is_tenant,
        );
    }
    if let Some(tables) = read.get(&named) {
        let ground = format!("the policies of {} read it", count(tables.len()));
        let is_tenant = compared.contains_key(&(true, Source::Setting(named.clone())));
        return Asking::new(config, named.clone(), Source::Setting(named), ground, is_tenant);
    }
    // What tenant columns are compared with goes before what other columns are, then what most tables do.
    let best = compared
        .iter()
        .max_by_key(|((is_tenant, _), tables)| (*is_tenant, tables.len()));
    if let Some(((is_tenant, source), tables)) = best {
        let column = if *is_tenant {
            "their tenant column"
        } else {
            "a column"
        };
        let ground = format!(
            "the policies of {} compare {column} with {}",
            count(tables.len()),
            source.describe()
        );
        let setting = match source {
            Source::Setting(name) | Source::Claim(name, _) => name.clone(),
            Source::Role => config.tenant_setting().to_owned(),
        };
        return Asking::new(config, setting, source.clone(), ground, *is_tenant);
    }
    let most = read.iter().max_by_key(|(_, tables)| tables.len());
    if let Some((name, tables)) = most {
        let ground = format!(
            "the policies of {} read it, and compare no column with it: its value is something else than the tenant",
            count(tables.len())
        );
        return Asking::new(config, name.clone(), Source::Setting(name.clone()), ground, false);
    }
    let ground = "the default: no policy reads a setting".to_owned();
    Asking::new(
        config,
        config.tenant_setting().to_owned(),
        Source::Setting(named),
        ground,
        false,
    )
}

impl Asking {
    fn new(config: &Config, setting: String, source: Source, ground: String, is_tenant: bool) -> Self {
        let binding = config.binding.clone().or_else(|| match &source {
            Source::Setting(_) => None,
            Source::Claim(name, keys) => Some(Binding {
                settings: BTreeMap::from([(name.clone(), json(keys))]),
                ..Binding::default()
            }),
            Source::Role => Some(Binding {
                role_per_tenant: Some("{tenant}".to_owned()),
                ..Binding::default()
            }),
        });
        Self {
            setting,
            ground,
            binding,
            source,
            is_tenant,
        }
    }

    /// Whether tenant columns are compared with it: then other columns that are compared with it hold the tenant too.
    pub(super) fn is_tenant(&self) -> bool {
        self.is_tenant
    }

    /// The column of `relation` that policies compare with it, where it is one column only.
    pub(super) fn compared_column(&self, expressions: &Expressions, relation: &Relation) -> Option<i16> {
        let columns: BTreeSet<i16> = expressions
            .of(relation)
            .flat_map(comparisons)
            .filter(|(_, source)| *source == self.source)
            .map(|(column, _)| column)
            .collect();
        match columns.iter().collect::<Vec<_>>().as_slice() {
            [one] => Some(**one),
            _ => None,
        }
    }
}

fn count(tables: usize) -> String {
    if tables == 1 {
        "1 table".to_owned()
    } else {
        format!("{tables} tables")
    }
}

fn is_tenant_column(config: &Config, relation: &Relation, column: &str) -> bool {
    let name = relation.plain_name();
    let declared = config.tables.iter().filter(|table| table.name.matches(&name));
    let mut declared = declared.filter_map(|table| table.tenant_column.as_deref());
    column == declared.next().unwrap_or(config.tenant_column())
}

/// The columns that an expression compares for equality with what says who is asking.
fn comparisons(expression: &Expr) -> Vec<(i16, Source)> {
    let mut list = Vec::new();
    expression.walk(&mut |part| {
        let pairs: Vec<(&Expr, &Expr)> = match part {
            Expr::Equal {
                left,
                right,
                negated: false,
                ..
            } => vec![(left, right), (right, left)],
            Expr::In { left, list, .. } => list.iter().map(|item| (&**left, item)).collect(),
            _ => Vec::new(),
        };
        for (one, other) in pairs {
            if let (Some(column), Some(source)) = (column_of(one), source_of(other)) {
                list.push((column, source));
            }
        }
    });
    list
}

/// The column, through conversions.
fn column_of(expression: &Expr) -> Option<i16> {
    match expression {
        Expr::Column { number, .. } if *number > 0 => Some(*number),
        Expr::Cast { arg, .. } => column_of(arg),
        _ => None,
    }
}

/// What says who is asking, through conversions, fallbacks and functions that are understood.
fn source_of(expression: &Expr) -> Option<Source> {
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

/// JSON with `{tenant}` where the names lead.
fn json(keys: &[String]) -> String {
    let mut value = serde_json::Value::from("{tenant}");
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
            json(&["app".into(), "tenant".into()]),
            r#"{"app":{"tenant":"{tenant}"}}"#
        );
    }

    #[test]
    fn a_sub_select_over_a_table_is_no_source() {
        assert_eq!(source_of(&Expr::Other(vec![setting("a.b")])), None);
    }
}
