//! Which setting says who is asking, and how a session is bound to a tenant: from what the policies compare.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::config::{Binding, Config};
use super::expression::{Expr, lower};
use super::identity::{self, Found, Identity};
use super::source::{Source, column_of, json, source_of};
use crate::catalog::{Catalog, Oid, Relation, Text};
use crate::error::{Error, Result};

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

    pub(super) fn of<'a>(&'a self, relation: &'a Relation) -> impl Iterator<Item = &'a Expr> {
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

/// How the policies know the tenant.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// The setting.
    pub(super) setting: String,
    /// Why it is taken for the one.
    pub(super) ground: String,
    /// How a session is bound, where the setting's value is not the tenant.
    pub(super) binding: Option<Binding>,
    /// Where who is asking is looked up, where that is not the tenant.
    pub(super) identity: Option<Identity>,
    /// What columns are compared with.
    source: Source,
    /// Whether tenant columns are.
    is_tenant: bool,
    /// In the policies of how many tables some column is.
    compared_in: usize,
}

/// Decides how the policies of these relations know the tenant.
pub(super) fn asking(config: &Config, expressions: &Expressions, relations: &[&Relation]) -> Asking {
    let mut asking = decide(config, expressions, relations);
    let compares = |relation: &&&Relation| {
        let mut parts = expressions.of(relation).flat_map(comparisons);
        parts.any(|(_, source)| source == asking.source)
    };
    asking.compared_in = relations.iter().filter(compares).count();
    asking
}

fn decide(config: &Config, expressions: &Expressions, relations: &[&Relation]) -> Asking {
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
                settings: BTreeMap::from([(name.clone(), json(keys, "{tenant}"))]),
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
            identity: None,
            source,
            is_tenant,
            compared_in: 0,
        }
    }

    /// Looks for who is asking, where that is not the tenant, and binds sessions to it.
    pub(super) fn look_up(
        &mut self,
        catalog: &Catalog,
        config: &Config,
        expressions: &Expressions,
        relations: &[&Relation],
    ) -> Result<Found> {
        let declared = config.binding.as_ref().filter(|binding| binding.names_user());
        if self.is_tenant && declared.is_none() || config.binding.is_some() && declared.is_none() {
            return Ok(Found::default());
        }
        let named = config.tenant_setting.as_deref().map(str::to_lowercase);
        let wanted = |name: &str| match (declared, &named) {
            (Some(binding), _) => binding
                .settings
                .iter()
                .any(|(setting, template)| setting.to_lowercase() == name && template.contains("{user}")),
            (None, Some(named)) => name == named,
            (None, None) => true,
        };
        let mut found = identity::find(catalog, expressions, relations, &wanted);
        // A look-up beside another setting that more tables are compared with is something else: who is an administrator,
        // say. So is one of which no table's rows depend.
        let other = found.source.as_ref().is_some_and(|source| *source != self.source);
        if declared.is_none() && (found.tables() == 0 || other && found.tables() <= self.compared_in) {
            found = Found::default();
        }
        self.identity = identity::declared(catalog, config)?.or_else(|| found.identity.clone());
        if declared.is_some() {
            if self.identity.is_none() {
                let error =
                    Error::input("[binding] asks for {user}, and no policy shows which column holds it");
                return Err(error.with_help("add user = \"schema.table.column\" to [binding] in rls.toml"));
            }
            return Ok(found);
        }
        let Some((identity, source)) = self.identity.as_ref().zip(found.source.clone()) else {
            return Ok(found);
        };
        let place = identity::named(catalog, (identity.relation, identity.column)).unwrap_or_default();
        let (name, template) = match &source {
            Source::Setting(name) => (name.clone(), "{user}".to_owned()),
            Source::Claim(name, keys) => (name.clone(), json(keys, "{user}")),
            Source::Role => return Ok(found),
        };
        self.ground = format!("the policies look {} up in {place}", source.describe());
        self.setting.clone_from(&name);
        self.binding = Some(Binding {
            settings: BTreeMap::from([(name, template)]),
            ..Binding::default()
        });
        self.source = source;
        Ok(found)
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
