//! How a column's value is made, over and over again for row after row; and which recipes are worth trying on a
//! column that CHECKs speak about.

use super::expression::Constants;
use super::pattern;
use super::seed::Seed;
use super::shape::{Column, Literal};
use super::types::{Form, TypeShape};
use super::value::{self, Wish};

/// How a value is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipe {
    /// Left out of the INSERT: the column's default.
    Default,
    /// Always the same.
    Given(Literal),
    /// Anything of the type.
    Sample(Wish),
    /// Letters, this many.
    Letters(usize),
    /// Something that matches a regular expression.
    Matching(String),
    /// Something that fits around the canary: text before, text after.
    Around(String, String),
    /// Hexadecimal digits, this many: hashes.
    Hex(usize),
    /// Bytes, this many: hashes too.
    Bytes(usize),
}

impl Recipe {
    /// A fresh value; `None` is the default, `Some(None)` is NULL.
    pub(crate) fn make(&self, ty: &TypeShape, canary: &str, seed: &mut Seed) -> Option<Literal> {
        let longest = ty.max_length();
        let text = match self {
            Self::Default => return None,
            Self::Given(literal) => return Some(literal.clone()),
            Self::Sample(wish) => value::sample(ty, *wish, canary, seed),
            Self::Letters(length) if *length >= canary.len() + 4 => {
                format!("{canary}{}", seed.letters(length - canary.len()))
            }
            Self::Letters(length) => seed.letters(*length),
            Self::Matching(pattern) => {
                let filler = value::text(None, canary, seed);
                pattern::matching(pattern, &filler, seed).unwrap_or(filler)
            }
            Self::Around(before, after) => format!("{before}{}{after}", value::text(None, canary, seed)),
            Self::Hex(digits) => seed.hex(*digits),
            Self::Bytes(length) => format!("\\x{}", seed.hex(length * 2)),
        };
        Some(Some(match longest {
            Some(longest) if text.chars().count() > longest => text.chars().take(longest).collect(),
            _ => text,
        }))
    }
}

/// More candidates than this help nobody.
const MOST: usize = 24;

/// What to try for a column, likeliest first.
pub(crate) fn candidates(column: &Column, distinct: bool, constants: &Constants) -> Vec<Recipe> {
    let wish = if distinct { Wish::Distinct } else { Wish::Plain };
    let mut list = Vec::new();
    let nullable = !column.not_null;
    // A default that advances a sequence is not tried: that would not be undone.
    let quiet = |default: &String| !default.contains("nextval(");
    if column.default.as_ref().is_some_and(quiet) && !distinct {
        list.push(Recipe::Default);
    }
    let ty = column.ty.bottom();
    if ty.is_text() {
        list.extend(texts(wish, constants));
        list.extend(
            constants
                .strings
                .iter()
                .cloned()
                .map(|text| Recipe::Given(Some(text))),
        );
    } else if nullable {
        list.push(Recipe::Given(None));
    }
    list.extend(others(ty, wish, constants));
    if nullable {
        list.push(Recipe::Given(None));
    }
    let mut unique: Vec<Recipe> = Vec::with_capacity(list.len());
    for recipe in list {
        if !unique.contains(&recipe) {
            unique.push(recipe);
        }
    }
    // NULL stays even where the list is cut: it often is the only way through an "exactly one of these" check.
    if unique.len() > MOST {
        unique.truncate(MOST - 1);
        if nullable && !unique.contains(&Recipe::Given(None)) {
            unique.push(Recipe::Given(None));
        }
    }
    unique
}

fn texts(wish: Wish, constants: &Constants) -> Vec<Recipe> {
    let mut list: Vec<Recipe> = constants.patterns.iter().cloned().map(Recipe::Matching).collect();
    for like in &constants.likes {
        let plain = like.replace('_', "a");
        match plain.split_once('%') {
            Some((before, after)) => list.push(Recipe::Around(before.to_owned(), after.replace('%', "a"))),
            None => list.push(Recipe::Given(Some(plain))),
        }
    }
    list.push(Recipe::Sample(wish));
    if constants.lengths {
        for &number in &constants.numbers {
            let number = usize::try_from(number).unwrap_or(0).min(10_000);
            list.extend([number, number + 1, number.saturating_sub(1)].map(Recipe::Letters));
            list.push(Recipe::Hex(number));
        }
    }
    list.push(Recipe::Around(String::new(), "@rls-tool.example".to_owned()));
    list.push(Recipe::Around(
        "https://rls-tool.example/".to_owned(),
        String::new(),
    ));
    list.push(Recipe::Hex(64));
    list
}

fn others(ty: &TypeShape, wish: Wish, constants: &Constants) -> Vec<Recipe> {
    let given = |text: &str| Recipe::Given(Some(text.to_owned()));
    let mut list = Vec::new();
    if ty.is_number() {
        list.push(Recipe::Sample(wish));
        let strings = constants
            .strings
            .iter()
            .filter_map(|text| text.parse::<i64>().ok());
        for number in constants.numbers.iter().copied().chain(strings) {
            list.extend(
                [number, number.saturating_add(1), number.saturating_sub(1)].map(|n| given(&n.to_string())),
            );
        }
        list.extend(["1", "0", "2", "10", "100", "-1"].map(given));
    } else if ty.is_time() {
        list.push(Recipe::Sample(wish));
        list.extend(["2098-01-01", "2099-06-01", "2000-01-01", "2000-06-01"].map(given));
        let day = |text: &&String| {
            text.len() >= 10 && text.starts_with(|c: char| c.is_ascii_digit()) && text.as_bytes()[4] == b'-'
        };
        list.extend(constants.strings.iter().filter(day).map(|text| given(text)));
    } else {
        match &ty.form {
            Form::Base(name) if name == "bytea" => {
                list.push(Recipe::Sample(wish));
                for &number in &constants.numbers {
                    let number = usize::try_from(number).unwrap_or(0).min(10_000);
                    list.extend([number, number + 1, number.saturating_sub(1)].map(Recipe::Bytes));
                }
            }
            Form::Enum(labels) => list.extend(labels.iter().map(|label| given(label))),
            Form::Base(name) if name == "bool" => list.extend(["false", "true"].map(given)),
            Form::Base(name) if name == "jsonb" || name == "json" => {
                list.push(Recipe::Sample(wish));
                // Keys that the check asks for, each with a text and with a number.
                for value in ["\"canary\"", "1", "{}", "[]"] {
                    let pairs: Vec<_> = constants
                        .strings
                        .iter()
                        .filter(|key| !key.contains(['"', '\\']))
                        .map(|key| format!("\"{key}\": {value}"))
                        .collect();
                    list.push(given(&format!("{{{}}}", pairs.join(", "))));
                }
                list.extend(["[]", "[\"canary\"]", "\"canary\"", "1", "true", "null"].map(given));
            }
            Form::Array(element) => {
                list.push(Recipe::Sample(wish));
                if element.is_text() {
                    list.extend(
                        constants
                            .strings
                            .iter()
                            .filter(|text| !text.contains(['"', '\\']))
                            .map(|text| given(&format!("{{\"{text}\"}}"))),
                    );
                }
                list.push(given("{}"));
            }
            _ if ty.is_text() => {}
            _ => list.push(Recipe::Sample(wish)),
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Ident;

    fn column(ty: TypeShape, not_null: bool) -> Column {
        Column {
            name: Ident::new("c").unwrap(),
            ty,
            not_null,
            default: None,
            generated: false,
            identity: false,
            identity_always: false,
        }
    }

    #[test]
    fn a_pattern_comes_before_anything_else() {
        let mut constants = Constants::default();
        constants.read("(c ~ '^k_[0-9]{4}$'::text)");
        let list = candidates(&column(TypeShape::base("text", "text"), true), true, &constants);
        assert_eq!(list[0], Recipe::Matching("^k_[0-9]{4}$".to_owned()));
        let made = list[0]
            .make(&TypeShape::base("text", "text"), "x", &mut Seed::fixed(1))
            .flatten()
            .unwrap();
        assert!(made.len() == 6 && made.starts_with("k_"), "{made}");
    }

    #[test]
    fn a_long_list_keeps_null() {
        let mut constants = Constants::default();
        constants.read(
            &(0..40)
                .map(|n| format!("(c = {n})"))
                .collect::<Vec<_>>()
                .join(" or "),
        );
        let list = candidates(
            &column(TypeShape::base("int4", "integer"), false),
            false,
            &constants,
        );
        assert!(list.len() <= MOST && list.contains(&Recipe::Given(None)));
    }

    #[test]
    fn a_value_is_cut_to_the_type() {
        let ty = TypeShape::base("varchar", "character varying(5)");
        let made = Recipe::Around("https://".to_owned(), String::new()).make(&ty, "x", &mut Seed::fixed(1));
        assert_eq!(made.flatten().unwrap().len(), 5);
    }
}
