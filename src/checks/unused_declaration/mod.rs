//! A declaration in `rls.toml` that fits nothing in the database.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};

pub(crate) static CHECK: Check = Check {
    summary: "a declaration in rls.toml fits nothing",
    severity: Severity::Warning,
    group: Group::Declarations,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for exemption in &context.config.exempt {
        if let Some(day) = exemption.expires.filter(|_| exemption.is_expired()) {
            let object = Object::Database(context.catalog.server.database.clone());
            findings.add(
                About::new(object).part(exemption.table.as_str()),
                format!(
                    "rls.toml exempts the table {} until {day}, which is past: it is examined again",
                    exemption.table.as_str()
                ),
                "take the entry out, or give it another day with a reason that still holds",
            );
            continue;
        }
        let mut relations = context.catalog.relations.iter();
        if !relations.any(|relation| exemption.table.matches(&relation.plain_name())) {
            let object = Object::Database(context.catalog.server.database.clone());
            findings.add(
                About::new(object).part(exemption.table.as_str()),
                format!(
                    "rls.toml exempts the table {}, which does not exist",
                    exemption.table.as_str()
                ),
                "take the entry out, or correct the name: a later table of that name would go unseen",
            );
        }
    }
}
