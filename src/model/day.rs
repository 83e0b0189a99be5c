//! The last day on which a declaration holds, as `rls.toml` gives it: `expires = 2026-12-31`, with or without quotes.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime};

/// A day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// Whether the day is over.
    pub fn is_past(self) -> bool {
        self.0 < OffsetDateTime::now_utc().date()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DayVisitor)
    }
}

struct DayVisitor;

impl<'de> Visitor<'de> for DayVisitor {
    type Value = Day;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date such as 2026-12-31")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Day, E> {
        // The parser would take a time behind it.
        let date = (text.len() == 10)
            .then(|| Date::parse(text, &Iso8601::DATE).ok())
            .flatten();
        date.map(Day)
            .ok_or_else(|| E::custom(format!("{text:?} is no date such as 2026-12-31")))
    }

    /// TOML's own dates come as a map of one entry, whose value is the text.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Day, A::Error> {
        match map.next_entry::<String, String>()? {
            Some((_, text)) => self.visit_str(&text),
            None => Err(A::Error::custom("a date is missing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        expires: Day,
    }

    #[test]
    fn a_day_is_read_with_and_without_quotes() {
        let read = |text: &str| toml::from_str::<File>(text).map(|file| file.expires);
        let day = read("expires = 2026-02-28").unwrap();
        assert_eq!(day, read("expires = '2026-02-28'").unwrap());
        assert_eq!(day.to_string(), "2026-02-28");
        assert!(read("expires = 1999-12-31").unwrap().is_past());
        assert!(!read("expires = 9998-12-31").unwrap().is_past());
        for bad in [
            "'soon'",
            "12",
            "'2026-02-30'",
            "2026-01-01T10:00:00Z",
            "''",
            "10:00:00",
        ] {
            assert!(read(&format!("expires = {bad}")).is_err(), "{bad}");
        }
    }
}
