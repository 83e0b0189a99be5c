//! Which policies apply, and how they combine: as PostgreSQL's `rowsecurity.c` does it.
//!
//! Permissive policies are joined by OR, of which at least one is needed; restrictive ones by AND on top. A policy
//! without WITH CHECK checks new rows with its USING.

use super::question::{Command, Policy, Session, Statement, TablePolicies};
use super::symbols::{Relation, Tree};

/// What a statement's rows must pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter<'p> {
    pub(crate) permissive: Vec<&'p Tree>,
    pub(crate) restrictive: Vec<&'p Tree>,
}

/// What applies to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effective<'p> {
    /// Row security does not apply to the role, for this reason.
    Unrestricted(&'static str),
    Filtered {
        /// What a row must pass to be seen, changed or deleted: all of them.
        rows: Vec<Filter<'p>>,
        /// What a written row must pass: all of them.
        written: Vec<Filter<'p>>,
        /// The policies that were looked at.
        policies: Vec<&'p Policy>,
    },
}

/// What applies when `session` runs `statement` on the table.
pub(crate) fn combine<'p>(
    session: &Session,
    relation: &Relation,
    table: &'p TablePolicies,
    statement: Statement,
) -> Effective<'p> {
    if !table.row_security {
        return Effective::Unrestricted("row security is not enabled on the table");
    }
    if session.bypasses_row_security {
        return Effective::Unrestricted("the role bypasses row security");
    }
    if session.privileges_of.contains(&relation.owner) && !table.force {
        return Effective::Unrestricted(
            "the role has the owner's privileges, and row security is not forced on the table",
        );
    }
    let for_command = |command: Command| -> Vec<&'p Policy> {
        let policies = table
            .policies
            .iter()
            .filter(|policy| policy.command.is_none_or(|c| c == command));
        policies.filter(|policy| applies(policy, session)).collect()
    };
    let own = for_command(statement.command);
    let reading = if statement.reads && statement.command != Command::Select {
        for_command(Command::Select)
    } else {
        Vec::new()
    };
    let (mut rows, mut written) = (Vec::new(), Vec::new());
    if statement.command != Command::Insert {
        rows.push(filter(&own, |policy| policy.using.as_ref()));
    }
    if matches!(statement.command, Command::Insert | Command::Update) {
        written.push(filter(&own, |policy| {
            policy.check.as_ref().or(policy.using.as_ref())
        }));
    }
    if statement.reads && statement.command != Command::Select {
        let visible = filter(&reading, |policy| policy.using.as_ref());
        for list in [&mut rows, &mut written] {
            if !list.is_empty() {
                list.push(visible.clone());
            }
        }
    }
    let mut policies = own;
    policies.extend(reading);
    Effective::Filtered {
        rows,
        written,
        policies,
    }
}

/// Whether a policy is for the role, or for one whose privileges it has.
fn applies(policy: &Policy, session: &Session) -> bool {
    policy
        .roles
        .iter()
        .any(|role| *role == 0 || session.privileges_of.contains(role))
}

fn filter<'p>(policies: &[&'p Policy], tree: fn(&'p Policy) -> Option<&'p Tree>) -> Filter<'p> {
    let of = |permissive: bool| {
        let policies = policies.iter().filter(|policy| policy.permissive == permissive);
        policies.filter_map(|policy| tree(policy)).collect()
    };
    Filter {
        permissive: of(true),
        restrictive: of(false),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn policy(name: &str, command: Option<Command>, permissive: bool, roles: &[u32]) -> Policy {
        Policy {
            name: name.into(),
            command,
            permissive,
            roles: roles.to_vec(),
            using: Some(Tree::from(format!("using {name}"))),
            check: None,
        }
    }

    fn table() -> TablePolicies {
        let mut insert = policy("insert", Some(Command::Insert), true, &[0]);
        (insert.using, insert.check) = (None, Some(Tree::from("check insert")));
        let mut update = policy("update", Some(Command::Update), true, &[50]);
        update.check = Some(Tree::from("check update"));
        TablePolicies {
            relation: 1,
            row_security: true,
            force: false,
            policies: vec![
                policy("all", None, true, &[50]),
                policy("other role", None, true, &[60]),
                policy("floor", Some(Command::Select), false, &[0]),
                insert,
                update,
            ],
        }
    }

    fn relation(owner: u32) -> Relation {
        Relation {
            schema: "app".into(),
            name: "t".into(),
            owner,
            columns: Vec::new(),
            checks: Vec::new(),
            view: None,
        }
    }

    fn texts(filters: &[Filter<'_>]) -> String {
        let join = |list: &[&Tree], word| {
            list.iter()
                .map(|tree| tree.as_str())
                .collect::<Vec<_>>()
                .join(word)
        };
        let filters = filters.iter().map(|filter| {
            format!(
                "({}) & {}",
                join(&filter.permissive, " | "),
                join(&filter.restrictive, " & ")
            )
        });
        filters.collect::<Vec<_>>().join(" ; ")
    }

    fn combined(statement: Statement) -> (String, String) {
        let session = Session::new("app", 50, "app.current_tenant");
        let table = table();
        match combine(&session, &relation(10), &table, statement) {
            Effective::Filtered { rows, written, .. } => (texts(&rows), texts(&written)),
            Effective::Unrestricted(_) => panic!("unrestricted"),
        }
    }

    #[test]
    fn policies_combine_by_command_role_and_kind() {
        assert_eq!(combined(Command::Select.into()).0, "(using all) & using floor");
        assert_eq!(combined(Command::Delete.into()).0, "(using all) & ");
        assert_eq!(
            combined(Command::Insert.into()),
            (String::new(), "(using all | check insert) & ".into())
        );
        let update = combined(Command::Update.into());
        assert_eq!(update.0, "(using all | using update) & ");
        assert_eq!(update.1, "(using all | check update) & ");
    }

    #[test]
    fn a_statement_that_reads_obeys_the_select_policies_too() {
        let reading = |command| combined(Statement { command, reads: true });
        assert_eq!(
            reading(Command::Delete).0,
            "(using all) &  ; (using all) & using floor"
        );
        assert_eq!(
            reading(Command::Insert).1,
            "(using all | check insert) &  ; (using all) & using floor"
        );
        assert_eq!(reading(Command::Select), combined(Command::Select.into()));
    }

    #[test]
    fn who_is_exempt_is_unrestricted() {
        let mut session = Session::new("app", 50, "app.current_tenant");
        let table = table();
        let is_unrestricted = |session: &Session, owner: u32, table: &TablePolicies| {
            matches!(
                combine(session, &relation(owner), table, Command::Select.into()),
                Effective::Unrestricted(_)
            )
        };
        assert!(!is_unrestricted(&session, 10, &table));
        assert!(is_unrestricted(&session, 50, &table));
        assert!(!is_unrestricted(
            &session,
            50,
            &TablePolicies {
                force: true,
                ..table.clone()
            }
        ));
        assert!(is_unrestricted(
            &session,
            10,
            &TablePolicies {
                row_security: false,
                ..table.clone()
            }
        ));
        session.privileges_of = BTreeSet::from([50, 10]);
        assert!(is_unrestricted(&session, 10, &table));
        session.bypasses_row_security = true;
        assert!(is_unrestricted(
            &session,
            99,
            &TablePolicies { force: true, ..table }
        ));
    }
}
