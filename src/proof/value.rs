//! Types and values that are understood exactly, and their text forms.
//!
//! A [`Sort`] is a set of values with one notion of equality; several PostgreSQL types share one (`int2`, `int4` and
//! `int8`; `text`, `varchar` and `name`). A `char(n)` value is kept without its padding, which is how it is compared.

use std::borrow::Cow;

/// PostgreSQL's own types that are known by object id.
pub(crate) mod oid {
    pub(crate) const BOOL: u32 = 16;
    pub(crate) const BYTEA: u32 = 17;
    pub(crate) const CHAR: u32 = 18;
    pub(crate) const NAME: u32 = 19;
    pub(crate) const INT8: u32 = 20;
    pub(crate) const INT2: u32 = 21;
    pub(crate) const INT4: u32 = 23;
    pub(crate) const TEXT: u32 = 25;
    pub(crate) const OID: u32 = 26;
    pub(crate) const JSON: u32 = 114;
    pub(crate) const FLOAT4: u32 = 700;
    pub(crate) const FLOAT8: u32 = 701;
    pub(crate) const UNKNOWN: u32 = 705;
    pub(crate) const BPCHAR: u32 = 1042;
    pub(crate) const VARCHAR: u32 = 1043;
    pub(crate) const DATE: u32 = 1082;
    pub(crate) const TIMESTAMP: u32 = 1114;
    pub(crate) const TIMESTAMPTZ: u32 = 1184;
    pub(crate) const NUMERIC: u32 = 1700;
    pub(crate) const UUID: u32 = 2950;
    pub(crate) const JSONB: u32 = 3802;
}

/// A set of values with one notion of equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sort {
    Bool,
    Int,
    Text,
    Uuid,
    /// `json` and `jsonb`: read by path, never compared.
    Json,
    /// `date`
    Date,
    /// `timestamp`
    Timestamp,
    /// `timestamptz`
    Timestamptz,
    /// An enum type.
    Enum(u32),
    /// An array, by its element type.
    Array(u32),
    /// `numeric`: equal values can differ in their text (`1.0`, `1.00`).
    Numeric,
    /// A type whose values are not understood.
    Other(u32),
}

/// A type as an expression has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Type {
    pub(crate) oid: u32,
    pub(crate) typmod: i32,
    pub(crate) sort: Sort,
}

impl Type {
    pub(crate) const BOOL: Self = Self::builtin(oid::BOOL, Sort::Bool);
    pub(crate) const TEXT: Self = Self::builtin(oid::TEXT, Sort::Text);
    pub(crate) const NAME: Self = Self::builtin(oid::NAME, Sort::Text);

    pub(crate) const fn builtin(oid: u32, sort: Sort) -> Self {
        Self {
            oid,
            typmod: -1,
            sort,
        }
    }

    /// The longest text that a value's text form can have, in characters.
    pub(crate) fn max_text(self) -> Option<usize> {
        match self.sort {
            Sort::Uuid => Some(36),
            Sort::Int => Some(20),
            Sort::Text if self.oid == oid::NAME => Some(63),
            Sort::Text if self.typmod > 4 => usize::try_from(self.typmod - 4).ok(),
            _ => None,
        }
    }
}

/// A value that is not NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Text(String),
    Uuid([u8; 16]),
    Json(serde_json::Value),
    /// Days since 2000-01-01.
    Date(i64),
    /// Microseconds since 2000-01-01, of either timestamp type.
    Time(i64),
    /// `pg_enum.oid`
    Enum(u32),
    Array(Vec<Option<Value>>),
}

impl Value {
    /// Whether one of PostgreSQL's own types, or a domain's sort, has this value.
    pub(crate) fn fits(&self, ty: Type) -> bool {
        match (self, ty.oid) {
            (Self::Int(number), oid::INT2) => i16::try_from(*number).is_ok(),
            (Self::Int(number), oid::INT4) => i32::try_from(*number).is_ok(),
            _ => true,
        }
    }

    /// Whether a column of this type can hold it.
    pub(crate) fn is_storable(&self, ty: Type) -> bool {
        let limit = ty.max_text().filter(|_| ty.sort == Sort::Text);
        match (self, limit) {
            (Self::Text(text), Some(limit)) => text.chars().count() <= limit,
            _ => self.fits(ty),
        }
    }
}

/// What an input function makes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parsed {
    Value(Value),
    /// PostgreSQL raises an error.
    Error,
    /// Not known here.
    Unknown,
}

/// The input function of `sort`, on `text`.
pub(crate) fn parse(sort: Sort, text: &str) -> Parsed {
    match sort {
        Sort::Text => Parsed::Value(Value::Text(text.to_owned())),
        Sort::Uuid => parse_uuid(text).map_or(Parsed::Error, |bytes| Parsed::Value(Value::Uuid(bytes))),
        Sort::Int => parse_int(text),
        Sort::Bool => parse_bool(text),
        // An escaped NUL or lone surrogate is an error for jsonb, not for json.
        Sort::Json if text.contains("\\u") => Parsed::Unknown,
        Sort::Json => match serde_json::from_str(text) {
            Ok(value) => Parsed::Value(Value::Json(value)),
            // serde_json takes all that PostgreSQL takes but for nesting beyond 128 levels and huge numbers.
            Err(_) if text.len() < 100 && !text.contains(|c: char| c.is_ascii_digit()) => Parsed::Error,
            Err(_) => Parsed::Unknown,
        },
        _ => Parsed::Unknown,
    }
}

/// `uuid_in`: 32 hexadecimal digits of either case, in braces or not, a hyphen after any group of four.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut digits = Vec::with_capacity(32);
    let mut last_was_hyphen = false;
    for c in inner.chars() {
        if c == '-' {
            // Neither first, last, doubled, nor within a group.
            if digits.is_empty() || digits.len() == 32 || last_was_hyphen || digits.len() % 4 != 0 {
                return None;
            }
            last_was_hyphen = true;
        } else {
            digits.push(u8::try_from(c.to_digit(16)?).ok()?);
            last_was_hyphen = false;
        }
    }
    let mut bytes = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

/// `int8in`, as far as all versions agree: later ones also take `0x1f` and `1_000`.
fn parse_int(text: &str) -> Parsed {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return match trimmed.parse() {
            Ok(number) => Parsed::Value(Value::Int(number)),
            Err(_) => Parsed::Error,
        };
    }
    if digits.starts_with('0') || digits.contains('_') {
        return Parsed::Unknown;
    }
    Parsed::Error
}

/// `boolin`: unambiguous beginnings of true, false, yes, no, on, off, and 0 and 1, in any case.
fn parse_bool(text: &str) -> Parsed {
    let word = text
        .trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
        .to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || word == "on" || word == "1" {
        Parsed::Value(Value::Bool(true))
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        Parsed::Value(Value::Bool(false))
    } else {
        Parsed::Error
    }
}

/// The output function: the text of a value as a cast to `text` gives it.
pub(crate) fn print(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Uuid(bytes) => Some(Cow::Owned(uuid::Uuid::from_bytes(*bytes).to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Json(_) | Value::Date(_) | Value::Time(_) | Value::Enum(_) | Value::Array(_) => None,
    }
}

/// The name of one of PostgreSQL's own types.
pub(crate) fn builtin_name(oid: u32) -> Option<&'static str> {
    Some(match oid {
        oid::BOOL => "boolean",
        oid::BYTEA => "bytea",
        oid::CHAR => "\"char\"",
        oid::NAME => "name",
        oid::INT8 => "bigint",
        oid::INT2 => "smallint",
        oid::INT4 => "integer",
        oid::TEXT | oid::UNKNOWN => "text",
        oid::OID => "oid",
        oid::JSON => "json",
        oid::JSONB => "jsonb",
        oid::FLOAT4 => "real",
        oid::FLOAT8 => "double precision",
        oid::BPCHAR => "bpchar",
        oid::VARCHAR => "varchar",
        oid::DATE => "date",
        oid::TIMESTAMP => "timestamp",
        oid::TIMESTAMPTZ => "timestamptz",
        oid::NUMERIC => "numeric",
        oid::UUID => "uuid",
        1000 => "boolean[]",
        1003 => "name[]",
        1005 => "smallint[]",
        1007 => "integer[]",
        1009 => "text[]",
        1014 => "bpchar[]",
        1015 => "varchar[]",
        1016 => "bigint[]",
        2951 => "uuid[]",
        _ => return None,
    })
}

/// The element type of one of PostgreSQL's own array types.
pub(crate) fn array_element(array: u32) -> Option<u32> {
    Some(match array {
        1000 => oid::BOOL,
        1003 => oid::NAME,
        1005 => oid::INT2,
        1007 => oid::INT4,
        1009 => oid::TEXT,
        1014 => oid::BPCHAR,
        1015 => oid::VARCHAR,
        1016 => oid::INT8,
        2951 => oid::UUID,
        _ => return None,
    })
}

/// A date's text, from days since 2000-01-01.
pub(crate) fn date_text(days: i64) -> String {
    match days {
        // The two that DATE has for infinity.
        2_147_483_647 => return "infinity".into(),
        -2_147_483_648 => return "-infinity".into(),
        _ => {}
    }
    // Days since 0000-03-01 of the proleptic Gregorian calendar, in eras of 400 years.
    let days = days + 730_425;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} BC", 1 - year)
    }
}

/// A timestamp's text, from microseconds since 2000-01-01.
pub(crate) fn time_text(micros: i64, with_zone: bool) -> String {
    match micros {
        i64::MAX => return "infinity".into(),
        i64::MIN => return "-infinity".into(),
        _ => {}
    }
    let (days, rest) = (
        micros.div_euclid(86_400_000_000),
        micros.rem_euclid(86_400_000_000),
    );
    let seconds = rest / 1_000_000;
    let date = date_text(days);
    let (date, era) = date
        .split_once(' ')
        .map_or((date.as_str(), ""), |(date, _)| (date, " BC"));
    let zone = if with_zone { "+00" } else { "" };
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!(
        "{date} {hour:02}:{minute:02}:{second:02}.{:06}{zone}{era}",
        rest % 1_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_read_as_postgresql_reads_them() {
        let canonical = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        let value = parse(Sort::Uuid, canonical);
        for text in [
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ] {
            assert_eq!(parse(Sort::Uuid, text), value, "{text}");
        }
        for text in [
            "",
            "x",
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a1",
            "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
        ] {
            assert_eq!(parse(Sort::Uuid, text), Parsed::Error, "{text}");
        }
        let Parsed::Value(value) = value else { panic!() };
        assert_eq!(print(&value).unwrap(), canonical);
    }

    #[test]
    fn numbers_and_booleans_are_read_or_left_alone() {
        assert_eq!(parse(Sort::Int, " -7 "), Parsed::Value(Value::Int(-7)));
        assert_eq!(parse(Sort::Int, "+7"), Parsed::Value(Value::Int(7)));
        for text in ["", "x", "1.5", "9223372036854775808", "- 7"] {
            assert_eq!(parse(Sort::Int, text), Parsed::Error, "{text}");
        }
        assert_eq!(parse(Sort::Int, "0x10"), Parsed::Unknown);
        for (text, truth) in [
            ("t", true),
            (" YES ", true),
            ("on", true),
            ("off", false),
            ("0", false),
            ("n", false),
        ] {
            assert_eq!(
                parse(Sort::Bool, text),
                Parsed::Value(Value::Bool(truth)),
                "{text}"
            );
        }
        for text in ["", "o", "truex", "2"] {
            assert_eq!(parse(Sort::Bool, text), Parsed::Error, "{text}");
        }
    }

    #[test]
    fn dates_have_postgresqls_text() {
        assert_eq!(date_text(0), "2000-01-01");
        assert_eq!(date_text(59), "2000-02-29");
        assert_eq!(date_text(-1), "1999-12-31");
        assert_eq!(date_text(-730_119 - 366), "0001-01-01 BC");
        assert_eq!(time_text(-1, true), "1999-12-31 23:59:59.999999+00");
        assert_eq!(time_text(i64::MAX, false), "infinity");
    }
}
