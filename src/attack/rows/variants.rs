//! Rows beside the plain ones. A policy or a view may let only rows through that have a flag, a state, a NULL, or a value
//! that it compares with: what stands in its text says which columns and values those are.

use std::collections::BTreeMap;

use super::expression::{Constants, Token, tokens};
use super::pattern;
use super::plan::{Plan, Source};
use super::recipe::Recipe;
use super::seed::Seed;
use super::shape::{Column, Literal, Shape};
use super::types::{Form, TypeShape};

/// Values by column; every other column is as in a plain row.
pub(crate) type Variant = Vec<(usize, Literal)>;

/// Rows of one side beside the plain ones.
const MOST: usize = 12;

/// Labels, strings and numbers that are tried for one column.
const MOST_VALUES: usize = 6;

/// What is worth trying in a table about which `expressions` say something.
pub(crate) fn variants(
    shape: &Shape,
    plan: &Plan,
    expressions: &[&str],
    unspoken: &str,
    seed: &mut Seed,
) -> Vec<Variant> {
    let mut choices: BTreeMap<usize, Vec<Literal>> = BTreeMap::new();
    for expression in expressions {
        let (near, everywhere) = read(shape, expression, unspoken);
        for (column, constants) in &near {
            let own = &shape.columns[*column];
            let Source::Make(recipe) = &plan.sources[*column] else {
                continue;
            };
            if own.generated
                || own.identity
                || shape.is_distinct(*column)
                || shape.routing.iter().any(|(routed, _)| routed == column)
            {
                continue;
            }
            let known = choices.entry(*column).or_default();
            let mut list = values(own, constants, seed);
            if constants.strings.is_empty() && constants.numbers.is_empty() {
                list.extend(values(own, &everywhere, seed));
            }
            for value in list {
                if !known.contains(&value) && !is_plain(own, recipe, &value) {
                    known.push(value);
                }
            }
        }
    }
    choices.retain(|_, values| !values.is_empty());
    combined(&choices.into_iter().collect::<Vec<_>>())
}

/// All combinations where there are not too many, else one column at a time.
fn combined(choices: &[(usize, Vec<Literal>)]) -> Vec<Variant> {
    let count = choices
        .iter()
        .map(|(_, values)| values.len() + 1)
        .try_fold(1_usize, usize::checked_mul);
    if count.is_some_and(|count| count <= MOST + 1) {
        let mut all: Vec<Variant> = vec![Vec::new()];
        for (column, values) in choices {
            let changed: Vec<Variant> = all
                .iter()
                .flat_map(|variant| {
                    values.iter().map(|value| {
                        let mut variant = variant.clone();
                        variant.push((*column, value.clone()));
                        variant
                    })
                })
                .collect();
            all.extend(changed);
        }
        all.retain(|variant| !variant.is_empty());
        return all;
    }
    // All columns together, then one at a time; the first values before the second.
    let most = choices.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let at = |place: usize| {
        choices
            .iter()
            .filter_map(move |(column, values)| Some((*column, values.get(place)?.clone())))
    };
    let together = (0..most).map(|place| at(place).collect::<Variant>());
    let single = (0..most).flat_map(|place| at(place).map(|one| vec![one]));
    let mut all = Vec::new();
    for variant in together.take(MOST / 2).chain(single) {
        if all.len() < MOST && !all.contains(&variant) {
            all.push(variant);
        }
    }
    all
}

/// The columns that an expression names, each with the constants that follow it, and all constants. The names of settings
/// are none.
fn read(shape: &Shape, expression: &str, unspoken: &str) -> (BTreeMap<usize, Constants>, Constants) {
    let setting =
        |text: &String| text == unspoken || expression.contains(&format!("current_setting('{text}'"));
    let mut near: BTreeMap<usize, Constants> = BTreeMap::new();
    let mut everywhere = Constants::default();
    let mut segment = Vec::new();
    let mut behind = None;
    for token in tokens(expression) {
        if let Token::Word(word) | Token::Name(word) = &token {
            let named = |column: &Column| column.name.as_str().eq_ignore_ascii_case(word);
            if let Some(column) = shape.columns.iter().position(named) {
                let whose: Option<usize> = behind.replace(column);
                let segment = std::mem::take(&mut segment);
                if let Some(whose) = whose {
                    near.entry(whose).or_default().take(segment);
                }
                near.entry(column).or_default();
            }
        }
        segment.push(token);
    }
    if let Some(whose) = behind {
        near.entry(whose).or_default().take(segment);
    }
    everywhere.read(expression);
    for constants in near.values_mut().chain(std::iter::once(&mut everywhere)) {
        constants.strings.retain(|text| !setting(text));
    }
    (near, everywhere)
}

/// Values that the column might be asked for.
fn values(column: &Column, constants: &Constants, seed: &mut Seed) -> Vec<Literal> {
    let ty = column.ty.bottom();
    let mut list: Vec<String> = match &ty.form {
        Form::Base(name) if name == "bool" => vec!["true".to_owned(), "false".to_owned()],
        Form::Enum(labels) => {
            let named = |label: &&String| constants.strings.contains(label);
            let others = labels.iter().filter(|label| !named(label));
            labels.iter().filter(named).chain(others).cloned().collect()
        }
        _ if ty.is_text() => texts(ty, constants, seed),
        _ if ty.is_number() => constants
            .numbers
            .iter()
            .take(MOST_VALUES / 3)
            .flat_map(|number| [*number, number.saturating_add(1), number.saturating_sub(1)])
            .map(|number| number.to_string())
            .collect(),
        _ if ty.is_time() => vec!["2000-01-01".to_owned(), "2098-01-01".to_owned()],
        _ => Vec::new(),
    };
    list.truncate(MOST_VALUES);
    let null = (!column.not_null).then_some(None);
    list.into_iter().map(Some).chain(null).collect()
}

fn texts(ty: &TypeShape, constants: &Constants, seed: &mut Seed) -> Vec<String> {
    let longest = ty.max_length().unwrap_or(usize::MAX);
    let like = |text: &String| text.replace('_', "a").replace('%', "");
    let mut list: Vec<String> = constants.strings.clone();
    list.extend(constants.likes.iter().map(like));
    for text in &constants.patterns {
        list.extend(pattern::matching(text, "a", seed));
    }
    list.retain(|text| text.chars().count() <= longest);
    list
}

/// Whether plain rows have this value already.
fn is_plain(column: &Column, recipe: &Recipe, value: &Literal) -> bool {
    match recipe {
        Recipe::Given(given) => given == value,
        Recipe::Default => {
            let default = column.default.as_deref().unwrap_or_default();
            let text = value.as_deref().unwrap_or("NULL");
            default == text || default.starts_with(&format!("'{text}'::"))
        }
        Recipe::Sample(_) => match &column.ty.bottom().form {
            Form::Base(name) if name == "bool" => value.as_deref() == Some("false"),
            Form::Enum(labels) => value.as_ref() == labels.first(),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::plan::plan;
    use super::*;
    use crate::sql::{Ident, QualifiedName};

    fn shape(columns: &[(&str, &str, bool)]) -> Shape {
        Shape {
            name: QualifiedName::new("s", "t").unwrap(),
            columns: columns
                .iter()
                .map(|(name, ty, not_null)| Column {
                    name: Ident::new(*name).unwrap(),
                    ty: TypeShape::base(ty, ty),
                    not_null: *not_null,
                    default: None,
                    generated: false,
                    identity: false,
                    identity_always: false,
                })
                .collect(),
            keys: vec![vec![0]],
            arbiters: Vec::new(),
            also_distinct: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            routing: Vec::new(),
        }
    }

    fn found(shape: &Shape, expression: &str) -> Vec<Variant> {
        let plan = plan(shape, Some(1), &BTreeSet::new());
        variants(shape, &plan, &[expression], "", &mut Seed::fixed(1))
    }

    #[test]
    fn what_a_policy_asks_for_is_varied_and_nothing_else() {
        let shape = shape(&[
            ("id", "int4", true),
            ("tenant_id", "text", true),
            ("is public", "bool", true),
            ("note", "text", true),
            ("other", "bool", false),
        ]);
        let own = "(tenant_id = current_setting('app.current_tenant'::text, true))";
        assert!(found(&shape, own).is_empty());
        let list = found(
            &shape,
            &format!("({own} OR \"is public\" OR (note <> 'x'::text))"),
        );
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            list,
            [
                vec![(2, text("true"))],
                vec![(3, text("x"))],
                vec![(2, text("true")), (3, text("x"))]
            ]
        );
    }

    #[test]
    fn a_constant_belongs_to_the_column_before_it() {
        let shape = shape(&[
            ("id", "int4", true),
            ("tenant_id", "text", true),
            ("a", "int4", true),
            ("b", "int4", true),
        ]);
        let list = found(&shape, "((a = 100) AND (b = 200))");
        let both = |(a, b): (&str, &str)| vec![(2, Some(a.to_owned())), (3, Some(b.to_owned()))];
        assert!(list.contains(&both(("100", "200"))), "{list:?}");
        assert!(!list.contains(&both(("200", "200"))), "{list:?}");
    }

    #[test]
    fn many_columns_are_varied_together_and_one_at_a_time() {
        let names: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
        let mut columns = vec![("id", "int4", true), ("tenant_id", "text", true)];
        columns.extend(names.iter().map(|name| (name.as_str(), "bool", false)));
        let list = found(&shape(&columns), &names.join(" OR "));
        assert_eq!(list.len(), MOST);
        assert_eq!(list[0].len(), 20);
        assert!(list[2..].iter().all(|variant| variant.len() == 1));
    }
}
