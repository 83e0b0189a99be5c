//! What the user declares: flags and `rls.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::day::Day;
use super::names::nearest;
use super::pattern::Pattern;
use crate::error::{Error, Result};

/// What the user declares. Every part may be left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The audited roles; detected where there are none.
    pub roles: Vec<String>,
    /// The tenant column; `tenant_id` by default.
    pub tenant_column: Option<String>,
    /// The tenant setting; `app.current_tenant` by default.
    pub tenant_setting: Option<String>,
    /// The schemas whose tables are considered; all but PostgreSQL's own by default.
    pub schemas: Vec<String>,
    /// Tables about which something cannot be seen.
    #[serde(rename = "table")]
    pub tables: Vec<TableConfig>,
    /// Tables that belong to no tenant although they look like it.
    pub exempt: Vec<Exemption>,
    /// Findings that are intended.
    pub allow: Vec<Allowance>,
    /// Severities other than a check's own, by check: `error`, `warning`, `info` or `off`.
    pub checks: BTreeMap<String, Level>,
    /// How a session is bound, where the tenant setting alone does not do it.
    pub binding: Option<Binding>,
}

/// What cannot be seen about a table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// `schema.table`.
    pub name: Pattern,
    /// Its tenant column.
    pub tenant_column: Option<String>,
    /// Values for attack rows, as SQL expressions by column.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// A table that belongs to no tenant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// `schema.table`; `*` stands for anything.
    pub table: Pattern,
    /// Why.
    pub reason: Reason,
    /// The last day on which it holds, if it has one.
    pub expires: Option<Day>,
}

impl Exemption {
    /// Whether its last day is over: it is then as if it were not there.
    pub fn is_expired(&self) -> bool {
        self.expires.is_some_and(Day::is_past)
    }
}

/// A finding that is intended.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// The check's name.
    pub check: String,
    /// The finding's object; `*` stands for anything.
    pub object: Pattern,
    /// The role, if not all.
    pub role: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The last day on which it is allowed, if it has one.
    pub expires: Option<Day>,
}

impl Allowance {
    /// Whether its last day is over: it is then as if it were not there.
    pub fn is_expired(&self) -> bool {
        self.expires.is_some_and(Day::is_past)
    }
}

/// A reason: required, so never empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Reason(String);

impl Reason {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() {
            return Err("a reason must not be empty");
        }
        Ok(Self(text))
    }
}

/// The severity of a check's findings, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// No findings.
    Off,
    /// Info.
    Info,
    /// Warning.
    Warning,
    /// Error.
    Error,
}

/// How a session is bound to a tenant. In templates `{tenant}` and `{user}` stand for values of the tenant at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Binding {
    /// Settings with their values' templates.
    pub settings: BTreeMap<String, String>,
    /// A statement to run.
    pub sql: Option<String>,
    /// The template of a role's name, where every tenant has a role.
    pub role_per_tenant: Option<String>,
    /// `schema.table.column` that `{user}` is a value of; detected where the policies show it.
    pub user: Option<String>,
}

impl Config {
    /// The tenant column unless another is declared.
    pub const DEFAULT_TENANT_COLUMN: &str = "tenant_id";
    /// The tenant setting unless another is declared.
    pub const DEFAULT_TENANT_SETTING: &str = "app.current_tenant";

    /// Reads `rls.toml`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) where the file cannot be read, [`ErrorKind::Input`](crate::ErrorKind::Input) naming file, line
    /// and what is wrong where it is malformed, holds an unknown key, or a reason is missing.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|cause| Error::io(path, "read", cause))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// As [`read`](Self::read), from the text; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        toml::from_str(text).map_err(|cause| {
            let line = cause.span().map_or(1, |span| {
                1 + text
                    .bytes()
                    .take(span.start)
                    .filter(|&byte| byte == b'\n')
                    .count()
            });
            let reason = cause.message().lines().collect::<Vec<_>>().join("; ");
            let key = key_on(text, line).filter(|key| !reason.contains(&format!("`{key}`")));
            let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
            let error = Error::input(format!("{name}, line {line}: {key}{reason}"));
            match meant(&reason) {
                Some(other) => error.with_help(format!("did you mean {other}?")),
                None => error,
            }
        })
    }

    /// The tenant column.
    pub fn tenant_column(&self) -> &str {
        self.tenant_column
            .as_deref()
            .unwrap_or(Self::DEFAULT_TENANT_COLUMN)
    }

    /// The tenant setting.
    pub fn tenant_setting(&self) -> &str {
        self.tenant_setting
            .as_deref()
            .unwrap_or(Self::DEFAULT_TENANT_SETTING)
    }
}

/// The key that is set on a line.
fn key_on(text: &str, line: usize) -> Option<&str> {
    let (key, _) = text.lines().nth(line - 1)?.split_once('=')?;
    let key = key.trim().trim_matches('"');
    (!key.is_empty() && !key.starts_with('#')).then_some(key)
}

/// The expected name nearest to the unknown one, of a message that lists them all between backticks.
fn meant(reason: &str) -> Option<&str> {
    let (head, tail) = reason.split_once("expected ")?;
    let unknown = head.split('`').nth(1).filter(|_| head.starts_with("unknown"))?;
    let expected = || tail.split('`').skip(1).step_by(2);
    let begun = || expected().find(|name| unknown.len() > 2 && name.starts_with(unknown));
    nearest(unknown, expected()).or_else(begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_read() {
        let text = r#"
            roles = ["app"]
            tenant_column = "tenantId"
            tenant_setting = "my.tenant"
            schemas = ["public"]
            [[table]]
            name = "public.memberships"
            tenant_column = "org_id"
            values = { kind = "'x'" }
            [[exempt]]
            table = "public.plans*"
            reason = "the same for all"
            [[allow]]
            check = "rls-not-forced"
            object = "public.t"
            reason = "owner never connects"
            [checks]
            unscoped-unique = "off"
            [binding]
            settings = { "request.jwt.claims" = '{"sub":"{user}"}' }
        "#;
        let config = Config::parse(text, "rls.toml").unwrap();
        assert_eq!(config.tenant_column(), "tenantId");
        assert_eq!(config.tenant_setting(), "my.tenant");
        assert_eq!(config.exempt[0].reason.as_str(), "the same for all");
        assert_eq!(config.checks["unscoped-unique"], Level::Off);
    }

    #[test]
    fn mistakes_are_reported_with_file_line_and_key() {
        let message = |text: &str| Config::parse(text, "rls.toml").unwrap_err().to_string();
        let unknown = message("roles = []\ntenant_colum = \"x\"\n");
        assert!(
            unknown.starts_with("rls.toml, line 2:") && unknown.contains("tenant_colum"),
            "{unknown}"
        );
        let help = |text: &str| {
            let error = Config::parse(text, "rls.toml").unwrap_err();
            error.help().unwrap_or_default().to_owned()
        };
        assert_eq!(help("tenant_colum = \"x\"\n"), "did you mean tenant_column?");
        assert_eq!(help("[checks]\nx = \"warn\"\n"), "did you mean warning?");
        let typed = message("\nroles = 1\n");
        assert!(
            typed.starts_with("rls.toml, line 2: roles: invalid type"),
            "{typed}"
        );
        let dated = message("[[exempt]]\ntable = \"a.b\"\nreason = \"x\"\nexpires = \"soon\"\n");
        assert!(dated.starts_with("rls.toml, line 4: expires:"), "{dated}");
        let missing = message("[[exempt]]\ntable = \"a.b\"\n");
        assert!(
            missing.contains("line 1") && missing.contains("reason"),
            "{missing}"
        );
        let empty = message("[[exempt]]\ntable = \"a.b\"\nreason = \" \"\n");
        assert!(
            empty.contains("line 3") && empty.contains("reason must not be empty"),
            "{empty}"
        );
    }
}
