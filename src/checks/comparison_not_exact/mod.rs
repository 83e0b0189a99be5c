//! A policy compares the tenant in a way that takes two tenants for one.

use crate::audit::{About, Check, Context, Findings, Group, Held, Severity};
use crate::catalog::Oid;
use crate::checks::policies;
use crate::model::expression::Expr;

pub(crate) static CHECK: Check = Check {
    summary: "a policy compares the tenant in a way that takes two tenants for one",
    severity: Severity::Warning,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

/// Functions of PostgreSQL that give the same result for different texts.
const LOSSY: [(Oid, &str); 24] = [
    (400, "hashtext"),
    (668, "a cast to char(n)"),
    (669, "a cast to varchar(n)"),
    (870, "lower"),
    (871, "upper"),
    (872, "initcap"),
    (875, "ltrim"),
    (876, "rtrim"),
    (877, "substr"),
    (878, "translate"),
    (881, "ltrim"),
    (882, "rtrim"),
    (883, "substr"),
    (884, "btrim"),
    (885, "btrim"),
    (936, "substring"),
    (937, "substring"),
    (2073, "substring"),
    (2087, "replace"),
    (2088, "split_part"),
    (2284, "regexp_replace"),
    (2285, "regexp_replace"),
    (3060, "left"),
    (3061, "right"),
];

/// Comparisons with patterns.
const PATTERN: [(Oid, &str); 7] = [
    (850, "LIKE"),
    (1569, "LIKE"),
    (1631, "LIKE"),
    (1633, "ILIKE"),
    (1254, "a regular expression"),
    (1238, "a regular expression"),
    (3696, "starts_with"),
];

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (held, policy) in policies::once(context) {
        let Some(tenant) = held.table.tenant_column() else {
            continue;
        };
        for way in policies::found(context, policy, |part| inexact(context, held, tenant, part)) {
            findings.add(
                About::new(held.relation.object()).part(&format!("{}/{way}", policy.name)),
                format!(
                    "policy {} compares the tenant by {way}: tenants whose ids differ may be the same to it",
                    policy.name
                ),
                "compare with = on the column as it is; convert the setting to the column's type instead",
            );
        }
    }
}

/// Why a comparison of the tenant column is no identity, if it is one.
fn inexact(context: &Context<'_>, held: &Held<'_>, tenant: i16, part: &Expr) -> Option<String> {
    match part {
        Expr::Equal {
            left,
            right,
            collation,
            ..
        } => {
            let sides = [left, right];
            if !sides.iter().any(|side| side.has_column(tenant))
                || !sides.iter().any(|side| asks(context, side))
            {
                return None;
            }
            if let Some(collation) = context.catalog.collations.get(*collation) {
                return Some(format!("the nondeterministic collation {}", collation.name));
            }
            sides.iter().find_map(|side| lossy(context, held, tenant, side))
        }
        Expr::Call { function, args, .. } if args.len() == 2 => {
            let tenants =
                args.iter().any(|arg| arg.has_column(tenant)) && args.iter().any(|arg| asks(context, arg));
            let pattern = PATTERN.iter().find(|(oid, _)| oid == function);
            if let Some((_, name)) = pattern.filter(|_| tenants) {
                return Some((*name).to_owned());
            }
            // An operator of an extension or of the project's: citext, say.
            let own = context
                .catalog
                .operators
                .iter()
                .find(|operator| operator.function == *function);
            own.filter(|_| tenants)
                .map(|operator| format!("the operator {}.{}", operator.schema, operator.name))
        }
        _ => None,
    }
}

/// Whether it looks at who is asking.
fn asks(context: &Context<'_>, expression: &Expr) -> bool {
    let setting = &context.model.tenant_setting;
    expression.any(|part| matches!(part, Expr::Setting { name, .. } if name.eq_ignore_ascii_case(setting)))
}

/// A conversion of one side that loses something of the tenant.
fn lossy(context: &Context<'_>, held: &Held<'_>, tenant: i16, side: &Expr) -> Option<String> {
    let mut found = None;
    side.walk(&mut |part| {
        let ours = |part: &Expr| part.has_column(tenant) || asks(context, part);
        match part {
            Expr::Call { function, args, .. } if args.iter().any(ours) => {
                if let Some((_, name)) = LOSSY.iter().find(|(oid, _)| oid == function) {
                    found = Some((*name).to_owned());
                }
            }
            // The column as another type; the setting is text and has to become the column's.
            Expr::Cast { arg, target } => {
                if let Expr::Column { number, type_oid } = &**arg
                    && *number == tenant
                    && loses(*type_oid, *target)
                {
                    let column = held.relation.column(tenant);
                    found = column.map(|column| format!("{} converted to another type", column.name));
                }
            }
            _ => {}
        }
    });
    found
}

/// Whether the conversion gives the same for different values.
fn loses(from: Oid, to: Oid) -> bool {
    const TEXT: [Oid; 3] = [25, 1043, 1042];
    const NUMBERS_AND_UUID: [Oid; 8] = [20, 21, 23, 700, 701, 1700, 2950, 16];
    const NAME: Oid = 19;
    let inexact = matches!(
        (from, to),
        (1700, 20 | 21 | 23) | (20 | 1700, 700 | 701) | (1114 | 1184, 1082)
    );
    TEXT.contains(&from) && (NUMBERS_AND_UUID.contains(&to) || to == NAME) || inexact
}
