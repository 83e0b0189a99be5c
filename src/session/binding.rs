//! What a transaction begins with: BEGIN and its modes, the tenant, further settings, the role, as SQL text.
//!
//! One simple-query message: what fails in it leaves a failed transaction in which nothing runs. How the settings are
//! written in it is [`Form`]'s.

use std::fmt::Write as _;
use std::time::Duration;

use tokio_postgres::IsolationLevel;

use super::value::TenantValue;
use crate::error::{Error, Result};
use crate::sql::{Ident, Literal};

/// The name of a custom setting: `app.current_tenant`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingName(String);

impl SettingName {
    /// A custom setting's name has at least two parts, each of letters, digits, `_` and `$`.
    pub(super) fn new(name: &str) -> Result<Self> {
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
        };
        if name.len() > 127 || !name.contains('.') || !name.split('.').all(is_part) {
            return Err(Error::input(format!(
                "the setting's name {name:?} is not of the form app.current_tenant"
            )));
        }
        Ok(Self(name.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How settings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `BEGIN;SET LOCAL …`: not planned and no query, so that it costs next to nothing, takes no snapshot, and leaves
    /// `SET TRANSACTION` possible.
    SetLocal,
    /// `BEGIN;SELECT set_config(…, true)`, where pg_stat_statements would keep an entry for each tenant's SET.
    SetConfig,
    /// `BEGIN`, and SET LOCAL in a message of its own: Citus sends nothing else on to its workers.
    Citus,
}

/// How the transaction begins and what it is bound to, apart from the tenant.
#[derive(Debug, Clone, Default)]
pub(super) struct Modes {
    pub(super) isolation: Option<IsolationLevel>,
    pub(super) read_only: bool,
    pub(super) deferrable: bool,
    /// Names and values; the names are checked when they are added.
    pub(super) settings: Vec<(String, String)>,
    pub(super) role: Option<String>,
}

impl Modes {
    /// Adds a custom setting.
    pub(super) fn set(&mut self, name: &str, value: &str, tenant_setting: &SettingName) -> Result<()> {
        let name = SettingName::new(name)?;
        if name.as_str().eq_ignore_ascii_case(tenant_setting.as_str()) {
            return Err(Error::input(format!(
                "the setting {} is the tenant's; it is bound by tenant()",
                name.as_str()
            )));
        }
        Literal::new(value)?;
        self.settings.push((name.0, value.to_owned()));
        Ok(())
    }

    /// Adds one of PostgreSQL's time limits, to the millisecond; zero would mean "no limit" and is rounded up.
    pub(super) fn limit(&mut self, name: &'static str, limit: Duration) {
        let millis = limit.as_millis().clamp(1, i32::MAX as u128);
        self.settings.push((name.to_owned(), format!("{millis}ms")));
    }

    /// Becomes another role for the transaction.
    pub(super) fn become_role(&mut self, role: &str) -> Result<()> {
        Ident::new(role)?;
        if role == "none" {
            return Err(Error::input("the role \"none\" is SQL's word for no role"));
        }
        self.role = Some(role.to_owned());
        Ok(())
    }

    fn begin(&self) -> String {
        let mut sql = String::with_capacity(192);
        sql.push_str("BEGIN");
        if let Some(level) = self.isolation {
            sql.push_str(match level {
                IsolationLevel::Serializable => " ISOLATION LEVEL SERIALIZABLE",
                IsolationLevel::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
                IsolationLevel::ReadUncommitted => " ISOLATION LEVEL READ UNCOMMITTED",
                _ => " ISOLATION LEVEL READ COMMITTED",
            });
        }
        if self.read_only {
            sql.push_str(" READ ONLY");
        }
        if self.deferrable {
            sql.push_str(" DEFERRABLE");
        }
        sql
    }
}

/// The text that opens a transaction.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    /// The first message.
    pub(super) begin: String,
    /// On Citus the binding is a message of its own, sent again in nested transactions.
    pub(super) binding: Option<String>,
}

impl Opening {
    /// The text for this tenant; `None` is for cross-tenant work, which empties the setting.
    pub(super) fn new(
        form: Form,
        setting: &SettingName,
        tenant: Option<&TenantValue>,
        modes: &Modes,
    ) -> Result<Self> {
        let mut begin = modes.begin();
        let tenant = (setting.as_str(), tenant.map_or("", TenantValue::as_str));
        let further = modes
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            // Last: the role may be one that must not set the others.
            .chain(modes.role.as_deref().map(|role| ("role", role)));
        let settings = std::iter::once(tenant).chain(further);
        let mut binding = None;
        match form {
            Form::SetLocal => set_local(&mut begin, settings)?,
            Form::SetConfig => {
                for (index, (name, value)) in settings.enumerate() {
                    begin.push_str(if index == 0 { ";SELECT " } else { "," });
                    let (name, value) = (Literal::new(name)?, Literal::new(value)?);
                    let _ = write!(begin, "pg_catalog.set_config({name},{value},true)");
                }
            }
            Form::Citus => {
                let mut apart = String::from("SET LOCAL citus.propagate_set_commands = 'local'");
                set_local(&mut apart, settings)?;
                binding = Some(apart);
            }
        }
        Ok(Self { begin, binding })
    }
}

fn set_local<'s>(sql: &mut String, settings: impl Iterator<Item = (&'s str, &'s str)>) -> Result<()> {
    for (name, value) in settings {
        for (index, part) in name.split('.').enumerate() {
            sql.push_str(if index == 0 { ";SET LOCAL " } else { "." });
            let _ = write!(sql, "{}", Ident::new(part)?);
        }
        let _ = write!(sql, " = {}", Literal::new(value)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(form: Form, tenant: &str, modes: &Modes) -> Opening {
        let setting = SettingName::new("app.current_tenant").unwrap();
        Opening::new(form, &setting, Some(&TenantValue::text(tenant).unwrap()), modes).unwrap()
    }

    #[test]
    fn names_are_qualified_and_plain() {
        for refused in [
            "", "tenant", "app.", ".x", "app.1x", "app.x;y", "a b.c", "app.x'", "app.ü",
        ] {
            assert!(SettingName::new(refused).is_err(), "{refused:?}");
        }
        assert!(SettingName::new("a.b.c_$1").is_ok());
    }

    #[test]
    fn one_message_holds_everything() {
        let setting = SettingName::new("app.current_tenant").unwrap();
        let mut modes = Modes {
            isolation: Some(IsolationLevel::Serializable),
            read_only: true,
            ..Modes::default()
        };
        modes.set("app.user", "o'neill", &setting).unwrap();
        modes.become_role("reader").unwrap();
        assert!(modes.set("APP.current_tenant", "b", &setting).is_err());
        assert!(modes.become_role("none").is_err());
        let tenant = "a\\'";
        assert_eq!(
            opening(Form::SetLocal, tenant, &modes).begin,
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;SET LOCAL \"app\".\"current_tenant\" = E'a\\\\''';\
             SET LOCAL \"app\".\"user\" = 'o''neill';SET LOCAL \"role\" = 'reader'"
        );
        assert_eq!(
            opening(Form::SetConfig, tenant, &modes).begin,
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;SELECT \
             pg_catalog.set_config('app.current_tenant',E'a\\\\''',true),\
             pg_catalog.set_config('app.user','o''neill',true),pg_catalog.set_config('role','reader',true)"
        );
    }

    #[test]
    fn citus_gets_set_local_apart() {
        let opening = opening(Form::Citus, "a'b", &Modes::default());
        assert_eq!(opening.begin, "BEGIN");
        assert_eq!(
            opening.binding.as_deref(),
            Some(
                "SET LOCAL citus.propagate_set_commands = 'local';SET LOCAL \"app\".\"current_tenant\" = 'a''b'"
            )
        );
    }
}
