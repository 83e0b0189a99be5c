//! A value of any type, in PostgreSQL's text form.
//!
//! Nothing here is guaranteed to satisfy a CHECK (see `recipe` and `solve`); it is a value that the type's input
//! function takes. Types that are not known get a canary, which suits most text-like extension types.

use super::expression::Constants;
use super::pattern;
use super::seed::Seed;
use super::types::{Form, TypeShape};

/// How a value should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Plausible and small: a quantity, a flag, a status.
    Plain,
    /// Unlike every other row's: a key. Numbers are drawn from where no sequence has been yet, so that no sequence
    /// has to be advanced.
    Distinct,
}

/// Length of the random part that makes a text distinct.
const TOKEN: usize = 10;

/// A value of `ty`; `canary` marks text.
pub(crate) fn sample(ty: &TypeShape, wish: Wish, canary: &str, seed: &mut Seed) -> String {
    match &ty.form {
        Form::Base(name) => base(name, ty, wish, canary, seed),
        Form::Enum(labels) => match wish {
            Wish::Plain => labels.first().cloned().unwrap_or_default(),
            Wish::Distinct if labels.is_empty() => String::new(),
            Wish::Distinct => labels[seed.index(labels.len())].clone(),
        },
        Form::Domain { base, checks } => {
            in_domain(checks, canary, seed).unwrap_or_else(|| sample(base, wish, canary, seed))
        }
        Form::Array(element) => format!("{{{}}}", quoted(&sample(element, wish, canary, seed))),
        Form::Composite(fields) => {
            // NULL where possible: the catalog does not say how long a field may be.
            let fields: Vec<_> = fields
                .iter()
                .map(|field| match &field.form {
                    Form::Domain { .. } => quoted(&sample(field, wish, canary, seed)),
                    _ => String::new(),
                })
                .collect();
            format!("({})", fields.join(","))
        }
        // One point: `[x,x]`. Distinct points do not overlap, which suits exclusion constraints.
        Form::Range(point) => point_range(point, wish, canary, seed),
        Form::Multirange(range) => format!("{{{}}}", sample(range, wish, canary, seed)),
    }
}

fn point_range(point: &TypeShape, wish: Wish, canary: &str, seed: &mut Seed) -> String {
    let value = quoted(&sample(point, wish, canary, seed));
    format!("[{value},{value}]")
}

/// What a domain's CHECKs give away about its values. Columns are solved properly; this is for domains inside arrays,
/// rows and ranges.
fn in_domain(checks: &[String], canary: &str, seed: &mut Seed) -> Option<String> {
    let mut constants = Constants::default();
    for check in checks {
        constants.read(check);
    }
    if let Some(pattern) = constants.patterns.first() {
        let filler = text(None, canary, seed);
        return pattern::matching(pattern, &filler, seed);
    }
    constants.strings.into_iter().next()
}

/// A text of at most `longest` characters that carries the canary where it fits.
pub(crate) fn text(longest: Option<usize>, canary: &str, seed: &mut Seed) -> String {
    let full = canary.len() + TOKEN;
    match longest {
        Some(longest) if longest < full => seed.letters(longest),
        _ => format!("{canary}{}", seed.letters(TOKEN)),
    }
}

fn base(name: &str, ty: &TypeShape, wish: Wish, canary: &str, seed: &mut Seed) -> String {
    let distinct = wish == Wish::Distinct;
    let number = |seed: &mut Seed, low, high| {
        if distinct {
            seed.number(low, high).to_string()
        } else {
            "1".to_owned()
        }
    };
    match name {
        "bool" => "false".to_owned(),
        "int2" => number(seed, 16_384, 32_767),
        "int4" | "oid" => number(seed, 1_073_741_824, 2_147_483_647),
        // Below 2^53, in case a trigger hands it to something that counts in doubles.
        "int8" => number(seed, 4_503_599_627_370_496, 9_007_199_254_740_991),
        "numeric" => match ty.modifiers()[..] {
            [precision, ref scale @ ..] if distinct => {
                let digits = precision
                    .saturating_sub(scale.first().copied().unwrap_or(0))
                    .clamp(0, 15);
                seed.number(0, 10_u64.pow(u32::try_from(digits).unwrap_or(0)) - 1)
                    .to_string()
            }
            [precision, scale] if precision <= scale => "0".to_owned(),
            _ => number(seed, 1_073_741_824, 2_147_483_647),
        },
        "float4" | "float8" | "money" => number(seed, 1_000_000, 9_999_999),
        "char" => "a".to_owned(),
        "bytea" => {
            let bytes: Vec<String> = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("\\x{}{}", bytes.concat(), seed.hex(16))
        }
        "uuid" => format!(
            "{}-{}-4{}-8{}-{}",
            seed.hex(8),
            seed.hex(4),
            seed.hex(3),
            seed.hex(3),
            seed.hex(12)
        ),
        "date" => day(distinct, seed),
        "timestamp" | "timestamptz" => {
            format!("{} 12:00:00{}", day(distinct, seed), fraction(distinct, seed))
        }
        "time" | "timetz" => format!("12:00:00{}", fraction(distinct, seed)),
        "interval" => format!("{} seconds", number(seed, 1, 1_000_000)),
        "json" | "jsonb" => format!("{{\"canary\": \"{}\"}}", text(None, canary, seed)),
        "jsonpath" => "$".to_owned(),
        // TEST-NET and documentation prefixes.
        "inet" | "cidr" => format!("2001:db8::{}:{}/128", seed.hex(4), seed.hex(4)),
        "macaddr" => format!(
            "02:00:{}:{}:{}:{}",
            seed.hex(2),
            seed.hex(2),
            seed.hex(2),
            seed.hex(2)
        ),
        "macaddr8" => format!(
            "02:00:00:00:{}:{}:{}:{}",
            seed.hex(2),
            seed.hex(2),
            seed.hex(2),
            seed.hex(2)
        ),
        "bit" | "varbit" => {
            let bits = ty.modifiers().first().copied().unwrap_or(1);
            (0..bits)
                .map(|_| char::from(b"01"[if distinct { seed.index(2) } else { 0 }]))
                .collect()
        }
        "point" => format!("({},{})", number(seed, 1, 9_999_999), number(seed, 1, 9_999_999)),
        "line" => "{1,1,0}".to_owned(),
        "lseg" | "path" => "[(0,0),(1,1)]".to_owned(),
        "box" => "(1,1),(0,0)".to_owned(),
        "polygon" => "((0,0),(0,1),(1,1))".to_owned(),
        "circle" => format!("<(0,0),{}>", number(seed, 1, 9_999_999)),
        "xml" => format!("<canary>{}</canary>", text(None, canary, seed)),
        "hstore" => format!("\"canary\"=>\"{}\"", text(None, canary, seed)),
        // One whose range is not known: empty is a value of every one.
        "anymultirange" => "{}".to_owned(),
        "pg_lsn" => format!("0/{}", seed.hex(7).to_uppercase()),
        "regclass" => "pg_catalog.pg_class".to_owned(),
        "regtype" => "text".to_owned(),
        "vector" | "halfvec" => {
            let size = ty.modifiers().first().copied().unwrap_or(1);
            format!("[{}]", vec!["1"; size].join(","))
        }
        "geometry" | "geography" => "POINT(0 0)".to_owned(),
        // text and its like, and what is not known.
        _ => text(ty.max_length(), canary, seed),
    }
}

/// A day well ahead: an expiry must not have passed, or a policy that looks at it hides the row.
fn day(distinct: bool, seed: &mut Seed) -> String {
    if !distinct {
        return "2099-01-01".to_owned();
    }
    format!(
        "{}-{:02}-{:02}",
        seed.number(2100, 2900),
        seed.number(1, 12),
        seed.number(1, 28)
    )
}

fn fraction(distinct: bool, seed: &mut Seed) -> String {
    if distinct {
        format!(".{:06}", seed.number(0, 999_999))
    } else {
        String::new()
    }
}

/// Quoted as the element of an array or a field of a row or the bound of a range, where `\` and `"` are special.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_carries_the_canary_where_it_fits() {
        let mut seed = Seed::fixed(1);
        let long = sample(
            &TypeShape::base("text", "text"),
            Wish::Plain,
            "canaryb",
            &mut seed,
        );
        assert!(long.starts_with("canaryb") && long.len() == 17, "{long}");
        let short = sample(
            &TypeShape::base("bpchar", "character(2)"),
            Wish::Plain,
            "canaryb",
            &mut seed,
        );
        assert_eq!(short.len(), 2);
    }

    #[test]
    fn parts_are_quoted() {
        let json = TypeShape::base("jsonb", "jsonb");
        let array = TypeShape {
            sql: "jsonb[]".to_owned(),
            form: Form::Array(Box::new(json)),
        };
        let value = sample(&array, Wish::Plain, "canary", &mut Seed::fixed(1));
        assert!(value.starts_with(r#"{"{\"canary\": \"canary"#), "{value}");
    }

    #[test]
    fn a_number_fits_its_precision() {
        let mut seed = Seed::fixed(1);
        for sql in ["numeric(3,0)", "numeric(5,2)", "numeric(2,2)"] {
            let value = sample(&TypeShape::base("numeric", sql), Wish::Distinct, "", &mut seed);
            assert!(value.parse::<u64>().unwrap() < 1000, "{sql}: {value}");
        }
    }
}
