//! A session that is bound to no tenant is one tenant's already.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::checks::policies;
use crate::model::expression::Expr;

pub(crate) static CHECK: Check = Check {
    summary: "a policy takes a fixed tenant where the session is bound to none",
    severity: Severity::Warning,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (held, policy) in policies::once(context) {
        for value in policies::found(context, policy, |part| default(context, part)) {
            findings.add(
                About::new(held.relation.object()).part(&policy.name),
                format!(
                    "policy {} takes '{value}' for the tenant of a session that is bound to none: it sees that tenant's rows, if there is one",
                    policy.name
                ),
                "leave the default out: nullif(current_setting(…, true), '') is NULL there, and NULL lets nothing through",
            );
        }
    }
}

/// The constant that stands in for the tenant setting.
fn default(context: &Context<'_>, part: &Expr) -> Option<String> {
    let setting = &context.model.tenant_setting;
    let is_tenant =
        |part: &Expr| matches!(part, Expr::Setting { name, .. } if name.eq_ignore_ascii_case(setting));
    let Expr::Coalesce(list) = part else {
        return None;
    };
    let asked = list.iter().position(|item| item.any(is_tenant))?;
    list[asked + 1..]
        .iter()
        .find_map(constant)
        .filter(|value| !value.is_empty())
}

fn constant(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Text(text) => Some(text.clone()),
        Expr::Cast { arg, .. } => constant(arg),
        _ => None,
    }
}
