//! How the connection becomes the audited role in a certain binding state, and itself again.

use std::collections::BTreeMap;

use super::attempt::{Attempt, Sign, State};
use super::rows::Binder;
use super::sandbox::{Standing, Trial};
use crate::catalog::{Catalog, Oid};
use crate::error::Result;
use crate::model::{Binding, Model};
use crate::sql::{Ident, Literal};

/// A session of an audited role.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    role: Ident,
    /// Whether the connection may take on the role's whole identity, `session_user` included.
    authorization: bool,
    search_path: Option<String>,
    bindings: Bindings,
    /// A role that the session goes on to become.
    then: Option<Ident>,
    /// Settings beside the tenant's that policies read.
    settings: Vec<String>,
    version: i32,
}

/// The settings that bind a tenant, with their values' templates, and a statement to run.
#[derive(Debug, Clone)]
pub(crate) struct Bindings {
    settings: BTreeMap<String, String>,
    sql: Option<String>,
    tenant_setting: String,
    /// Who asks for a tenant, where that is not the tenant.
    users: BTreeMap<String, String>,
}

impl Bindings {
    /// As declared, or the tenant setting alone.
    pub(crate) fn new(model: &Model) -> Self {
        let declared = model.binding.clone().unwrap_or_default();
        let Binding {
            mut settings, sql, ..
        } = declared;
        if settings.is_empty() && sql.is_none() {
            settings.insert(model.tenant_setting.clone(), "{tenant}".to_owned());
        }
        Self {
            settings,
            sql,
            tenant_setting: model.tenant_setting.clone(),
            users: BTreeMap::new(),
        }
    }

    /// The bindings, knowing who asks for which tenant.
    pub(crate) fn with_users(self, users: BTreeMap<String, String>) -> Self {
        Self { users, ..self }
    }

    /// A query that is true where no setting of the binding has been set in this session.
    pub(crate) fn never_set(&self) -> Result<String> {
        let mut list = Vec::new();
        for name in self
            .settings
            .keys()
            .map(String::as_str)
            .chain([self.tenant_setting.as_str()])
        {
            list.push(format!(
                "pg_catalog.current_setting({}, true) IS NULL",
                Literal::new(name)?
            ));
        }
        list.dedup();
        Ok(format!("SELECT {}", list.join(" AND ")))
    }

    fn set(name: &str, value: &str) -> Result<String> {
        Ok(format!(
            "SET LOCAL {} = {}",
            Ident::new(name)?,
            Literal::new(value)?
        ))
    }
}

impl Binder for Bindings {
    fn bind(&self, tenant: &str) -> Result<Vec<String>> {
        let mut list = Vec::new();
        // Who asks for nobody that was made is nobody either.
        let user = self.users.get(tenant).map_or(tenant, String::as_str);
        for (name, template) in &self.settings {
            let value = template.replace("{tenant}", tenant).replace("{user}", user);
            list.push(Self::set(name, &value)?);
        }
        if let Some(sql) = &self.sql {
            let sql = sql.replace("{tenant}", &Literal::new(tenant)?.to_string());
            list.push(sql.replace("{user}", &Literal::new(user)?.to_string()));
        }
        Ok(list)
    }

    fn unbind(&self) -> Result<Vec<String>> {
        self.settings.keys().map(|name| Self::set(name, "")).collect()
    }
}

impl Session {
    /// A session of `role` over a connection that stands so; an error is the reason in words why there is none.
    pub(crate) fn new(
        catalog: &Catalog,
        role: Oid,
        standing: &Standing,
        bindings: Bindings,
    ) -> Result<std::result::Result<Self, String>> {
        let name = catalog.role_name(role).to_owned();
        let reader = catalog
            .role_named(&standing.role)
            .map(|reader| catalog.actor(reader));
        let may = standing.superuser || reader.is_some_and(|reader| reader.may_become.contains(&role));
        if !may {
            return Ok(Err(format!(
                "the connection's role {} may not SET ROLE {name}; connect as a superuser, or GRANT {name} to it",
                standing.role
            )));
        }
        Ok(Ok(Self {
            role: Ident::new(name)?,
            authorization: standing.superuser,
            search_path: pinned_search_path(catalog, role),
            bindings,
            then: None,
            settings: Vec::new(),
            version: standing.version,
        }))
    }

    /// The session with settings to try, none of them part of the binding.
    pub(crate) fn inviting(self, settings: Vec<String>) -> Self {
        let settings = settings
            .into_iter()
            .filter(|name| {
                *name != self.bindings.tenant_setting && !self.bindings.settings.contains_key(name)
            })
            .collect();
        Self { settings, ..self }
    }

    /// Statements that set one of them to something inviting.
    pub(crate) fn invitations(&self, foreign: &str) -> Result<Vec<String>> {
        let mut list = Vec::new();
        for name in &self.settings {
            for value in ["on", "true", "1", "admin", "*", foreign] {
                list.push(format!(
                    "SELECT pg_catalog.set_config({}, {}, true)",
                    Literal::new(name)?,
                    Literal::new(value)?
                ));
            }
        }
        Ok(list)
    }

    /// Binds an open session to another tenant.
    pub(crate) fn bind(&self, tenant: &str) -> Result<String> {
        Ok(self.bindings.bind(tenant)?.join("; "))
    }

    /// Whether the server knows MERGE.
    pub(crate) fn merges(&self) -> bool {
        self.version >= 150_000
    }

    /// The session that goes on to become another role.
    pub(crate) fn becoming(&self, role: &str) -> Result<Self> {
        Ok(Self {
            then: Some(Ident::new(role)?),
            ..self.clone()
        })
    }

    /// Statements that make the connection a session of the role in `state`; `tenant` is the one that it is bound to.
    pub(crate) fn enter(&self, state: State, tenant: &str) -> Result<String> {
        let mut list = vec![if self.authorization {
            format!("SET LOCAL SESSION AUTHORIZATION {}", self.role)
        } else {
            format!("SET LOCAL ROLE {}", self.role)
        }];
        if let Some(path) = &self.search_path {
            list.push(format!(
                "SELECT pg_catalog.set_config('search_path', {}, true)",
                Literal::new(path)?
            ));
        }
        match state {
            State::NeverSet => {}
            State::Empty => list.extend(self.bindings.unbind()?),
            State::Garbage(value) => list.extend(self.bindings.bind(value)?),
            State::Bound => list.extend(self.bindings.bind(tenant)?),
        }
        if let Some(role) = &self.then {
            list.push(format!("SET LOCAL ROLE {role}"));
        }
        Ok(list.join("; "))
    }

    /// An attempt of one statement in `state`; `tenant` is the one that the session is bound to.
    pub(crate) fn attempt(
        &self,
        state: State,
        tenant: &str,
        what: &'static str,
        statement: String,
        sign: Sign,
    ) -> Result<Attempt> {
        let mut statements = Vec::new();
        if state == State::NeverSet {
            statements.push(self.never_set()?);
        }
        statements.push(statement);
        Ok(Attempt {
            state,
            what,
            trial: Trial {
                before: String::new(),
                enter: self.enter(state, tenant)?,
                statements,
                witness: String::new(),
            },
            sign,
            rows: Vec::new(),
            plain: None,
            unbounded: false,
            compared: false,
        })
    }

    /// The statement that gives the connection its own role back.
    pub(crate) fn leave(&self) -> &'static str {
        if self.authorization {
            "SET LOCAL SESSION AUTHORIZATION DEFAULT"
        } else {
            "SET LOCAL ROLE NONE"
        }
    }

    /// See [`Bindings::never_set`].
    pub(crate) fn never_set(&self) -> Result<String> {
        self.bindings.never_set()
    }
}

/// The search_path that a login of the role gets: SET SESSION AUTHORIZATION does not bring it along.
fn pinned_search_path(catalog: &Catalog, role: Oid) -> Option<String> {
    catalog
        .settings
        .iter()
        .filter(|setting| setting.name == "search_path" && setting.role.is_none_or(|owner| owner == role))
        // The narrower setting wins: role in this database, role, this database, everywhere.
        .max_by_key(|setting| (setting.role.is_some(), setting.this_database))
        .and_then(|setting| setting.value.clone())
}
