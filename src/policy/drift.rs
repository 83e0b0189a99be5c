//! The difference between what a policies file produced when it was applied and what the database has now.

use std::fmt;

use serde::Serialize;

use crate::policy::state::{PolicyState, TableState};

/// One thing that is not as the table's policies file made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The table, as `schema.name`.
    pub table: String,
    /// The policy; none where the table's own flags differ.
    pub policy: Option<String>,
    /// What is wrong, in a few words.
    pub change: String,
    /// What the file made.
    pub wanted: Option<String>,
    /// What is there now.
    pub live: Option<String>,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.policy {
            Some(policy) => write!(f, "policy {policy:?} of {} {}", self.table, self.change)?,
            None => write!(f, "{}: {}", self.table, self.change)?,
        }
        if let (Some(wanted), Some(live)) = (&self.wanted, &self.live) {
            write!(f, ", {live} instead of {wanted}")?;
        }
        Ok(())
    }
}

/// Everything in which `live` is not `wanted`.
pub(crate) fn drift(wanted: &TableState, live: &TableState) -> Vec<Drift> {
    let mut found = Vec::new();
    let mut flag = |wanted: bool, live: bool, on: &str, off: &str| {
        if wanted != live {
            found.push(Drift {
                table: String::new(),
                policy: None,
                change: if live { on } else { off }.to_owned(),
                wanted: None,
                live: None,
            });
        }
    };
    flag(
        wanted.enabled,
        live.enabled,
        "row security was enabled",
        "row security was disabled",
    );
    flag(
        wanted.forced,
        live.forced,
        "FORCE ROW LEVEL SECURITY was added",
        "FORCE ROW LEVEL SECURITY was removed",
    );
    for (name, policy) in &wanted.policies {
        match live.policies.get(name) {
            None => found.push(of_policy(name, "was dropped", None, None)),
            Some(other) => differences(name, policy, other, &mut found),
        }
    }
    for name in live
        .policies
        .keys()
        .filter(|name| !wanted.policies.contains_key(*name))
    {
        found.push(of_policy(name, "was added by hand", None, None));
    }
    for item in &mut found {
        item.table = wanted.table.plain();
    }
    found
}

fn differences(name: &str, wanted: &PolicyState, live: &PolicyState, found: &mut Vec<Drift>) {
    let kind = |policy: &PolicyState| {
        if policy.permissive {
            "PERMISSIVE"
        } else {
            "RESTRICTIVE"
        }
        .to_owned()
    };
    let clause = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    for (what, wanted, live) in [
        (
            "has another command",
            wanted.command.clone(),
            live.command.clone(),
        ),
        ("has another kind", kind(wanted), kind(live)),
        ("has other roles", wanted.roles.join(", "), live.roles.join(", ")),
        (
            "has another USING expression",
            clause(&wanted.using),
            clause(&live.using),
        ),
        (
            "has another WITH CHECK expression",
            clause(&wanted.check),
            clause(&live.check),
        ),
    ] {
        if wanted != live {
            found.push(of_policy(name, what, Some(wanted), Some(live)));
        }
    }
}

fn of_policy(name: &str, change: &str, wanted: Option<String>, live: Option<String>) -> Drift {
    Drift {
        table: String::new(),
        policy: Some(name.to_owned()),
        change: change.to_owned(),
        wanted,
        live,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sql::QualifiedName;

    fn table() -> TableState {
        let policy = PolicyState {
            command: "ALL".to_owned(),
            permissive: true,
            roles: vec!["app_user".to_owned()],
            using: Some("(tenant_id = 1)".to_owned()),
            check: None,
        };
        TableState {
            table: QualifiedName::new("app", "orders").unwrap(),
            enabled: true,
            forced: true,
            policies: BTreeMap::from([("tenant".to_owned(), policy)]),
        }
    }

    fn said(change: impl FnOnce(&mut TableState)) -> String {
        let mut live = table();
        change(&mut live);
        let found: Vec<_> = drift(&table(), &live).iter().map(ToString::to_string).collect();
        found.join("; ")
    }

    #[test]
    fn every_difference_is_said_and_nothing_else() {
        assert_eq!(said(|_| {}), "");
        assert_eq!(
            said(|live| live.forced = false),
            "app.orders: FORCE ROW LEVEL SECURITY was removed"
        );
        assert_eq!(
            said(|live| live.enabled = false),
            "app.orders: row security was disabled"
        );
        assert_eq!(
            said(|live| live.policies.clear()),
            "policy \"tenant\" of app.orders was dropped"
        );
        assert_eq!(
            said(|live| {
                let policy = live.policies["tenant"].clone();
                live.policies.insert("hole".to_owned(), policy);
            }),
            "policy \"hole\" of app.orders was added by hand"
        );
        assert_eq!(
            said(|live| live.policies.get_mut("tenant").unwrap().using = Some("true".to_owned())),
            "policy \"tenant\" of app.orders has another USING expression, true instead of (tenant_id = 1)"
        );
        assert_eq!(
            said(|live| live.policies.get_mut("tenant").unwrap().roles = vec!["public".to_owned()]),
            "policy \"tenant\" of app.orders has other roles, public instead of app_user"
        );
        assert_eq!(
            said(|live| live.policies.get_mut("tenant").unwrap().permissive = false),
            "policy \"tenant\" of app.orders has another kind, RESTRICTIVE instead of PERMISSIVE"
        );
    }
}
