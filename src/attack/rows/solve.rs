//! Values that satisfy CHECK constraints, found by asking PostgreSQL.
//!
//! The expressions give candidates (`recipe`); one query per group of columns that share a CHECK lets PostgreSQL
//! evaluate the expressions themselves over the combinations and name the first that no CHECK refuses. Nothing is
//! locked or written, and no expression has to be understood here.

use std::collections::BTreeMap;

use super::expression::Constants;
use super::recipe::{self, Recipe};
use super::seed::Seed;
use super::shape::Shape;
use super::types::{Form, TypeShape};
use super::value::{self, Wish};
use crate::error::Result;
use crate::sql::{Ident, Literal};

/// Combinations that PostgreSQL is asked to look at.
const MOST: usize = 20_000;

/// One thing to try for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Whatever the foreign key's parent has; a sample stands in for it.
    Parent,
    /// A value made by a recipe.
    Make(Recipe),
}

/// A group of columns, what to try for each, and the query that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) columns: Vec<usize>,
    pub(crate) choices: Vec<Vec<Choice>>,
    pub(crate) sql: String,
}

impl Question {
    /// What PostgreSQL chose: column and choice.
    pub(crate) fn chosen(&self, answer: &[Option<String>]) -> Option<Vec<(usize, Choice)>> {
        self.columns
            .iter()
            .zip(&self.choices)
            .zip(answer)
            .map(|((&column, choices), index)| {
                let index: usize = index.as_deref()?.parse().ok()?;
                Some((column, choices.get(index)?.clone()))
            })
            .collect()
    }
}

/// The questions about a table. `parents` are the columns that take their value from a parent.
pub(crate) fn questions(
    shape: &Shape,
    parents: &[usize],
    canary: &str,
    seed: &mut Seed,
) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    for (columns, checks) in groups(shape) {
        // A parent's value has passed the parent's own checks, and there is nothing to choose.
        if columns
            .iter()
            .all(|column| parents.contains(column) && shape.columns[*column].not_null)
        {
            continue;
        }
        let mut constants = Constants::default();
        for expression in &checks {
            constants.read(expression);
        }
        let mut choices: Vec<Vec<Choice>> = Vec::with_capacity(columns.len());
        for &column in &columns {
            let own = &shape.columns[column];
            if parents.contains(&column) {
                let null = (!own.not_null).then_some(Choice::Make(Recipe::Given(None)));
                choices.push(std::iter::once(Choice::Parent).chain(null).collect());
                continue;
            }
            let mut constants = constants.clone();
            for expression in domain_checks(&own.ty) {
                constants.read(expression);
            }
            let list = recipe::candidates(own, shape.is_distinct(column), &constants);
            choices.push(list.into_iter().map(Choice::Make).collect());
        }
        trim(&mut choices);
        let sql = query(shape, &columns, &checks, &choices, canary, seed)?;
        questions.push(Question {
            columns,
            choices,
            sql,
        });
    }
    Ok(questions)
}

/// The CHECKs of a domain and of those below it.
fn domain_checks(ty: &TypeShape) -> Vec<&str> {
    match &ty.form {
        Form::Domain { base, checks } => checks
            .iter()
            .map(String::as_str)
            .chain(domain_checks(base))
            .collect(),
        _ => Vec::new(),
    }
}

/// Columns that CHECKs tie together, with those CHECKs.
fn groups(shape: &Shape) -> Vec<(Vec<usize>, Vec<&str>)> {
    // The group of each column is named by its smallest member.
    let mut group: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, column) in shape.columns.iter().enumerate() {
        if !column.generated && !domain_checks(&column.ty).is_empty() {
            group.insert(index, index);
        }
    }
    for check in &shape.checks {
        let members = &check.columns;
        let Some(name) = members
            .iter()
            .map(|column| *group.get(column).unwrap_or(column))
            .min()
        else {
            continue;
        };
        let joined: Vec<usize> = members
            .iter()
            .filter_map(|column| group.get(column).copied())
            .collect();
        for other in group.values_mut() {
            if joined.contains(other) {
                *other = name;
            }
        }
        group.extend(members.iter().map(|&column| (column, name)));
    }
    let mut groups: BTreeMap<usize, (Vec<usize>, Vec<&str>)> = BTreeMap::new();
    for (&column, &name) in &group {
        groups.entry(name).or_default().0.push(column);
    }
    for check in &shape.checks {
        if let Some(name) = check.columns.first().and_then(|column| group.get(column)) {
            groups.entry(*name).or_default().1.push(&check.expression);
        }
    }
    groups.into_values().collect()
}

/// Shortens the longest lists until the number of combinations is bearable.
fn trim(choices: &mut [Vec<Choice>]) {
    while choices
        .iter()
        .map(Vec::len)
        .try_fold(1_usize, usize::checked_mul)
        .is_none_or(|n| n > MOST)
    {
        let Some(longest) = choices.iter_mut().max_by_key(|list| list.len()) else {
            return;
        };
        // The last is NULL where NULL is possible: keep it, drop the unlikeliest value before it.
        let drop = longest.len().saturating_sub(2);
        longest.remove(drop);
    }
}

fn query(
    shape: &Shape,
    columns: &[usize],
    checks: &[&str],
    choices: &[Vec<Choice>],
    canary: &str,
    seed: &mut Seed,
) -> Result<String> {
    // A name that no column of a sane table has, so that the expressions' names stay unambiguous.
    const INDEX: &str = "\"rls tool choice\"";
    let mut from = Vec::new();
    for (position, (&column, list)) in columns.iter().zip(choices).enumerate() {
        let column = &shape.columns[column];
        let ty = column.ty.bottom();
        let mut rows = Vec::with_capacity(list.len());
        for (index, choice) in list.iter().enumerate() {
            let value = match choice {
                Choice::Parent => Some(Some(value::sample(ty, Wish::Distinct, canary, seed))),
                Choice::Make(recipe) => recipe.make(ty, canary, seed),
            };
            let value = match value {
                Some(Some(text)) => format!("{}::{}", Literal::new(&text)?, ty.sql),
                Some(None) => format!("NULL::{}", ty.sql),
                None => format!("({})::{}", column.default.as_deref().unwrap_or("NULL"), ty.sql),
            };
            rows.push(format!("({index}, {value})"));
        }
        let mut source = format!(
            "(VALUES {}) AS v{position}({INDEX}, {})",
            rows.join(", "),
            column.name
        );
        let domain = domain_checks(&column.ty);
        // Parents passed the domain already, and their stand-ins would not.
        if !domain.is_empty() && !matches!(list.first(), Some(Choice::Parent)) {
            // In a domain's CHECK the value is called VALUE, which is an ordinary name everywhere else.
            source = format!(
                "(SELECT * FROM (VALUES {}) AS d({INDEX}, value) WHERE {}) AS v{position}({INDEX}, {})",
                rows.join(", "),
                all(domain.into_iter()),
                column.name
            );
        }
        from.push(source);
    }
    let indexes: Vec<_> = (0..columns.len())
        .map(|position| format!("v{position}.{INDEX}"))
        .collect();
    Ok(format!(
        "SELECT {} FROM {} WHERE {} ORDER BY {}, {} LIMIT 1",
        indexes.join(", "),
        from.join(" CROSS JOIN "),
        all(checks.iter().copied()),
        // The likeliest of all columns together, then a fixed order.
        indexes.join(" + "),
        indexes.join(", ")
    ))
}

/// A CHECK is satisfied by NULL too.
fn all<'a>(checks: impl Iterator<Item = &'a str>) -> String {
    let list: Vec<_> = checks.map(|check| format!("({check}) IS NOT FALSE")).collect();
    if list.is_empty() {
        "true".to_owned()
    } else {
        list.join(" AND ")
    }
}

/// The name of a column in a list.
pub(crate) fn names<'a>(columns: impl Iterator<Item = &'a Ident>) -> String {
    columns.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Check, Column};
    use super::*;
    use crate::sql::QualifiedName;

    fn shape(columns: usize, checks: &[&[usize]]) -> Shape {
        Shape {
            name: QualifiedName::new("s", "t").unwrap(),
            columns: (0..columns)
                .map(|n| Column {
                    name: Ident::new(format!("c{n}")).unwrap(),
                    ty: TypeShape::base("int4", "integer"),
                    not_null: true,
                    default: None,
                    generated: false,
                    identity: false,
                    identity_always: false,
                })
                .collect(),
            keys: Vec::new(),
            arbiters: Vec::new(),
            also_distinct: Vec::new(),
            foreign_keys: Vec::new(),
            checks: checks
                .iter()
                .map(|columns| Check {
                    columns: columns.to_vec(),
                    expression: "true".to_owned(),
                })
                .collect(),
            routing: Vec::new(),
        }
    }

    #[test]
    fn checks_that_share_a_column_are_solved_together() {
        let shape = shape(6, &[&[0, 3], &[1], &[3, 4], &[4, 0], &[5, 1]]);
        let columns: Vec<_> = groups(&shape)
            .into_iter()
            .map(|(columns, checks)| (columns, checks.len()))
            .collect();
        assert_eq!(columns, [(vec![0, 3, 4], 3), (vec![1, 5], 2)]);
    }

    #[test]
    fn the_number_of_combinations_is_bounded() {
        let mut choices = vec![vec![Choice::Parent; 24]; 6];
        trim(&mut choices);
        assert!(choices.iter().map(Vec::len).product::<usize>() <= MOST);
        assert!(choices.iter().all(|list| list.len() > 2));
    }
}
