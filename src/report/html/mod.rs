//! HTML: one file that loads nothing, for auditors and managers. The template fills in text only, escaped; its one script
//! is named by hash in a content security policy, so that no name in the database can become another.
//!
//! Without the script everything is still there to read; it adds sorting, filtering and search.

mod page;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value};
use sha2::{Digest, Sha256};

use crate::audit::Report;
use page::Page;

const TEMPLATE: &str = include_str!("report.html.j2");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

pub(super) fn render(report: &Report) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()?;
    environment.set_syntax(syntax);
    environment.add_template("report.html", TEMPLATE)?;
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    let text = environment
        .get_template("report.html")?
        .render(minijinja::context! {
            page => Value::from(Serde(Page::new(report))),
            script => SCRIPT,
            script_hash => format!("sha256-{hash}"),
            style => STYLE,
        })?;
    Ok(text.trim_end().to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn names_are_text_whatever_they_are() {
        let mut report = sample();
        let hostile = "\"'><img src=x onerror=alert(1)>{{ 7*7 }}</script><script>";
        report.roles = vec![hostile.to_owned()];
        report.tenant_setting = hostile.to_owned();
        report.notes = vec![hostile.to_owned()];
        report.findings[0].message = hostile.to_owned();
        report.findings[0].evidence.exploit_sql = Some(hostile.to_owned());
        report.doors[0].role = hostile.to_owned();
        report.doors[0].reason = hostile.to_owned();
        report.origin.database = hostile.to_owned();
        report.assumptions.tables[0].ground = hostile.to_owned();
        let html = render(&report).unwrap();
        assert_eq!(html.matches("<script>").count(), 1, "ours");
        assert_eq!(html.matches("</script>").count(), 1);
        assert!(
            !html.contains("<img") && !html.contains("49"),
            "neither markup nor template"
        );
        assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}"));
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let html = render(&sample()).unwrap();
        for word in [
            "http://", "https://", "src=", "@import", "url(", "<link", "<iframe",
        ] {
            assert!(!html.contains(word), "{word}");
        }
        assert!(html.contains("default-src 'none'"));
    }

    #[test]
    fn the_script_holds_nothing_that_would_end_it() {
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--") && !STYLE.contains("</"));
    }
}
