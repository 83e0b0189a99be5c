//! Links between the pages, and to images, lead to files that are there.

use crate::{pages, root};

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut complaints = Vec::new();
    for (path, text) in pages() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            let folder = root().join(path.parent().unwrap());
            if !folder.join(target).exists() {
                complaints.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}
