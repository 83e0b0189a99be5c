//! Going through the policies that hold audited roles, and through what their expressions say.

use std::collections::BTreeSet;

use crate::audit::{Context, Held};
use crate::catalog::Policy;
use crate::model::expression::Expr;

/// Each policy that applies to an audited role once, with the table and the first such role.
pub(crate) fn once<'c, 'a>(context: &'c Context<'a>) -> impl Iterator<Item = (&'c Held<'a>, &'a Policy)> {
    let mut seen = BTreeSet::new();
    let held = context.held().iter();
    let all = held.flat_map(|held| held.policies().map(move |policy| (held, policy)));
    all.filter(move |(_, policy)| seen.insert(policy.oid))
}

/// What `question` says about the parts of a policy's expressions.
pub(crate) fn found<T: Ord, I: IntoIterator<Item = T>>(
    context: &Context<'_>,
    policy: &Policy,
    mut question: impl FnMut(&Expr) -> I,
) -> BTreeSet<T> {
    let mut found = BTreeSet::new();
    for expression in context.expressions(policy) {
        expression.walk(&mut |part| found.extend(question(part)));
    }
    found
}
