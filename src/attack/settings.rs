//! The custom settings that policies read: any session can set them.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::model::Model;

/// Settings that are tried; each costs several attempts a door.
const MOST: usize = 4;

/// Custom settings named in policies of tenants' tables, or in functions that those call.
pub(crate) fn read_by_policies(catalog: &Catalog, model: &Model) -> Vec<String> {
    let mut found = BTreeSet::new();
    for table in &model.tables {
        let Some(relation) = catalog.relations.get(table.relation) else {
            continue;
        };
        for policy in &relation.policies {
            for text in [&policy.using, &policy.check].into_iter().flatten() {
                read(text, &mut found);
            }
            let functions = policy.calls.iter().filter_map(|&oid| catalog.functions.get(oid));
            for body in functions.filter_map(|function| function.body.as_deref()) {
                read(body, &mut found);
            }
        }
    }
    found.into_iter().take(MOST).collect()
}

/// The names in calls of `current_setting('…'`.
fn read(text: &str, found: &mut BTreeSet<String>) {
    for rest in text.split("current_setting").skip(1) {
        let Some(rest) = rest.trim_start().strip_prefix('(') else {
            continue;
        };
        let name = rest
            .trim_start()
            .strip_prefix('\'')
            .and_then(|rest| rest.split_once('\''));
        // PostgreSQL's own have no dot.
        if let Some((name, _)) = name.filter(|(name, _)| name.contains('.')) {
            found.insert(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_settings_are_read_off_expressions() {
        let mut found = BTreeSet::new();
        read(
            "((tenant_id = current_setting('app.tenant'::text, true)) OR current_setting( 'app.is_admin') = 'on' \
             OR current_setting('role') = 'x' OR current_setting(name) = '')",
            &mut found,
        );
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["app.is_admin", "app.tenant"]
        );
    }
}
