//! Names with `*` for anything, as `rls.toml` gives them.

use serde::Deserialize;

/// A name in which `*` stands for any text, also none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `name` fits.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let parts: Vec<_> = parts.collect();
        let Some((last, middle)) = parts.split_last() else {
            return rest.is_empty();
        };
        for part in middle {
            // The leftmost place is always right: it leaves the most for what follows.
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let fits = |pattern: &str, name: &str| Pattern::from(pattern).matches(name);
        assert!(fits("app.plans", "app.plans") && !fits("app.plans", "app.plans2"));
        assert!(fits("app.*", "app.x") && !fits("app.*", "apps.x"));
        assert!(fits("*.log_*_old", "a.log_1_old") && !fits("*.log_*_old", "a.log_old"));
        assert!(fits("*", ""));
        assert!(fits("a*a", "aa") && !fits("a*a", "a"), "the star may not overlap");
    }
}
