//! The command that repeats an audit.

use crate::audit::Report;

/// The command line, for a shell; the database comes from `DATABASE_URL`.
pub(super) fn command(report: &Report) -> String {
    let mut words = vec!["rls-tool".to_owned(), "verify-isolation".to_owned()];
    let mut flag = |name: &str, value: &str| {
        words.push(name.to_owned());
        words.push(quoted(value));
    };
    for role in &report.roles {
        flag("--role", role);
    }
    let column = &report.assumptions.tenant_column;
    if !column.is_empty() && column != Report::DEFAULT_TENANT_COLUMN {
        flag("--tenant-column", column);
    }
    if report.tenant_setting != Report::DEFAULT_TENANT_SETTING {
        flag("--tenant-setting", &report.tenant_setting);
    }
    if report.origin.attacks == "off" {
        flag("--attack", "off");
    }
    words.join(" ")
}

/// The word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn the_command_names_what_is_not_default() {
        let mut report = sample();
        assert_eq!(
            command(&report),
            "rls-tool verify-isolation --role app --role reporting"
        );
        report.roles = vec!["it's; rm".to_owned()];
        report.assumptions.tenant_column = "tenantId".to_owned();
        report.tenant_setting = "my.tenant".to_owned();
        report.origin.attacks = "off".to_owned();
        assert_eq!(
            command(&report),
            r"rls-tool verify-isolation --role 'it'\''s; rm' --tenant-column tenantId --tenant-setting my.tenant --attack off"
        );
    }
}
