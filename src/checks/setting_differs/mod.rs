//! A policy compares the tenant column with another setting than the rest of the database.

use std::collections::BTreeSet;

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::checks::policies;
use crate::model::expression::Expr;
use crate::model::nearest;

pub(crate) static CHECK: Check = Check {
    summary: "a policy compares the tenant column with another setting than the tenant's",
    severity: Severity::Warning,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (held, policy) in policies::once(context) {
        let Some(tenant) = held.table.tenant_column() else {
            continue;
        };
        for name in policies::found(context, policy, |part| compared(context, tenant, part)) {
            findings.add(
                About::new(held.relation.object()).part(&format!("{}/{name}", policy.name)),
                message(context, &policy.name, &name),
                format!(
                    "compare with current_setting('{}', true); if sessions are bound by both, say so in rls.toml under [binding]",
                    context.model.tenant_setting
                ),
            );
        }
    }
}

fn message(context: &Context<'_>, policy: &str, name: &str) -> String {
    let setting = &context.model.tenant_setting;
    if !name.contains('.') {
        return format!(
            "policy {policy} reads the setting {name}, which cannot be set: the name of a custom setting has a dot"
        );
    }
    let slip = if nearest(name, [setting.as_str()]).is_some() {
        ", which looks like a slip of the keyboard"
    } else {
        ""
    };
    format!(
        "policy {policy} compares the tenant column with {name}{slip}, the others with {setting}: a session bound by {setting} sees nothing there, or whatever it sets {name} to"
    )
}

/// Settings other than the tenant's and those of the binding that the tenant column is compared with.
fn compared(context: &Context<'_>, tenant: i16, part: &Expr) -> BTreeSet<String> {
    let model = context.model;
    let known = |name: &str| {
        let bound = model.binding.iter().flat_map(|binding| binding.settings.keys());
        name.eq_ignore_ascii_case(&model.tenant_setting)
            || bound.into_iter().any(|bound| bound.eq_ignore_ascii_case(name))
    };
    let Expr::Equal { left, right, .. } = part else {
        return BTreeSet::new();
    };
    let other = match (left.has_column(tenant), right.has_column(tenant)) {
        (true, false) => right,
        (false, true) => left,
        _ => return BTreeSet::new(),
    };
    let settings = other.settings();
    if other.looks_elsewhere() || settings.iter().any(|(name, _)| known(name)) {
        return BTreeSet::new();
    }
    settings.into_iter().map(|(name, _)| name.to_owned()).collect()
}
