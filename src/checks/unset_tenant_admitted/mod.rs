//! A session that never bound a tenant sees every tenant's rows.

use crate::audit::{Check, Context, Findings, Group, Severity};
use crate::checks::words::admitted_unbound;
use crate::model::expression::State;

pub(crate) static CHECK: Check = Check {
    summary: "a session that never bound a tenant is let at every row",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    admitted_unbound(
        context,
        findings,
        State::Unset,
        "was never set",
        "a session without a tenant must see nothing: compare the tenant column with nullif(current_setting(…, true), '') and with nothing else",
    );
}
