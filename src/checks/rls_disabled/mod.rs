//! Row security is off on a tenant-scoped table.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity};
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "row security is off on a tenant-scoped table",
    severity: Severity::Error,
    group: Group::Enforcement,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (table, relation) in context.tables() {
        if relation.row_security || !relation.kind.has_row_security() {
            continue;
        }
        let name = relation.qualified_name();
        let help = format!(
            "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; and a policy for the role"
        );
        // Without a policy nobody sees a row afterwards: that is for a person to write.
        let cure = (!relation.policies.is_empty())
            .then(|| format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"));
        let dormant = match relation.policies.len() {
            0 => String::new(),
            1 => ", and its policy is dormant".to_owned(),
            count => format!(", and its {count} policies are dormant"),
        };
        let mut granted = false;
        for role in &context.model.roles {
            // TRUNCATE has a check of its own: row security would not stop it.
            let commands = context.commands(role, relation);
            let commands: Vec<_> = commands
                .into_iter()
                .filter(|&command| command != Command::Truncate)
                .collect();
            granted |= !commands.is_empty();
            if commands.is_empty() || role.total_escape(&context.model.tables).is_some() {
                continue;
            }
            let mut about = About::new(relation.object()).by(&role.name);
            if let Some(cure) = &cure {
                about = about.mended_by(cure.clone());
            }
            findings.add(
                about,
                format!(
                    "row security is off{dormant}: {} may {} every tenant's rows",
                    role.name,
                    list(commands.iter().map(|command| command.as_sql()))
                ),
                help.clone(),
            );
        }
        if !granted && table.part_of.is_none() {
            findings.add(
                About::new(relation.object()).severity(Severity::Info),
                format!("row security is off{dormant}; no audited role was granted anything on it"),
                help,
            );
        }
    }
}
