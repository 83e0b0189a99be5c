//! A table of which nobody said whose its rows are.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::{Privilege, Relation};
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "nobody said whether a table's rows belong to tenants",
    severity: Severity::Warning,
    group: Group::Declarations,
    since: "0.1.0",
    run,
};

/// What was migrated, in tables that `rls-tool migrate` (and Refinery) made themselves.
const HISTORIES: [&str; 2] = ["refinery_schema_history", "rls_tool_policy_history"];

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    const ROWS: [(Privilege, &str); 5] = [
        (Privilege::Select, "SELECT"),
        (Privilege::Insert, "INSERT"),
        (Privilege::Update, "UPDATE"),
        (Privilege::Delete, "DELETE"),
        (Privilege::Truncate, "TRUNCATE"),
    ];
    let tables = context.model.global.iter();
    for relation in tables.filter_map(|&oid| context.catalog.relations.get(oid)) {
        // A part is categorised with its whole; an extension's table by its maker.
        if relation.is_partition || relation.extension.is_some() {
            continue;
        }
        let mut verbs = Vec::new();
        let mut roles = Vec::new();
        for role in context.roles() {
            if !context.catalog.may_use_schema(&role.actor, &relation.schema) {
                continue;
            }
            let granted = role.actor.on_any_column(relation);
            let may: Vec<_> = ROWS
                .into_iter()
                .filter(|(privilege, _)| granted.has(*privilege))
                .collect();
            if !may.is_empty() {
                roles.push(role.name.as_str());
                verbs.extend(
                    may.into_iter()
                        .map(|(_, verb)| verb)
                        .filter(|verb| !verbs.contains(verb))
                        .collect::<Vec<_>>(),
                );
            }
        }
        let related = related(context, relation);
        let writes = verbs.iter().any(|verb| *verb != "SELECT");
        let about = About::new(relation.object());
        let help = format!(
            "say so in rls.toml: [[exempt]] table = \"{0}\" with a reason, or [[table]] name = \"{0}\" with its tenant_column",
            relation.plain_name()
        );
        if verbs.is_empty() && HISTORIES.contains(&&*relation.name) {
            continue;
        }
        if verbs.is_empty() {
            findings.add(
                about.severity(Severity::Info),
                "no tenant column, no mandatory foreign key leads to a tenant, and no audited role was granted anything on it",
                help,
            );
            continue;
        }
        let who = list(roles);
        let what = list(&verbs);
        let (severity, message) = match related {
            Some(parent) if !relation.row_security => (
                Severity::Warning,
                format!(
                    "{who} may {what} all of its rows, and they may belong to tenants: a foreign key that may be NULL leads to {parent}"
                ),
            ),
            _ if relation.row_security => (
                Severity::Warning,
                format!("it has row security, but nothing shows whose its rows are; {who} may {what}"),
            ),
            _ if writes => (
                Severity::Warning,
                format!("{who} may {what}, and no policy applies: what one tenant's session writes, all see"),
            ),
            _ => (
                Severity::Info,
                format!("every tenant's session reads it: global by design, as it seems ({who})"),
            ),
        };
        findings.add(about.severity(severity), message, help);
    }
}

/// A tenant-scoped table that a foreign key leads to.
fn related(context: &Context<'_>, relation: &Relation) -> Option<String> {
    relation
        .foreign_keys()
        .filter(|(_, key)| context.model.table(key.relation).is_some())
        .find_map(|(_, key)| context.catalog.relations.get(key.relation))
        .map(Relation::plain_name)
}
