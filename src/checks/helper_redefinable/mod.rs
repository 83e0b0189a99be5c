//! The audited role may replace code that decides for other sessions.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::{Function, Oid};
use crate::checks::functions::helpers;
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may replace a function that policies or triggers run",
    severity: Severity::Error,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let mut uses = BTreeMap::<Oid, BTreeSet<String>>::new();
    for held in context.held() {
        for (policy, function) in helpers(context, held) {
            let place = format!("policy {} of {}", policy.name, held.relation.plain_name());
            uses.entry(function.oid).or_default().insert(place);
        }
    }
    for (_, relation) in context.tables() {
        for trigger in relation.triggers.iter().filter(|trigger| trigger.fires()) {
            let place = format!("trigger {} of {}", trigger.name, relation.plain_name());
            uses.entry(trigger.function).or_default().insert(place);
        }
    }
    for trigger in context
        .catalog
        .event_triggers
        .iter()
        .filter(|trigger| trigger.enabled)
    {
        let place = format!("event trigger {}", trigger.name);
        uses.entry(trigger.function).or_default().insert(place);
    }
    for (oid, places) in uses {
        let Some(function) = context.catalog.functions.get(oid) else {
            continue;
        };
        for role in context.roles() {
            if !role.actor.acts_as_owner(function.owner) && !role.actor.may_become.contains(&function.owner) {
                continue;
            }
            findings.add(
                About::new(function.object()).by(&role.name),
                format!(
                    "{} owns it and may replace its body, and it runs in {}",
                    role.name,
                    list(&places)
                ),
                help(function),
            );
        }
    }
}

fn help(function: &Function) -> String {
    format!(
        "ALTER FUNCTION {}.{}({}) OWNER TO a role that the application is no member of",
        function.schema, function.name, function.signature
    )
}
