//! Rust blocks that are whole tests: doctests would only compile them, so they stand in tests/testing/guide.rs too.

use crate::blocks::blocks;
use crate::{pages, root};

/// The lines without indentation and alignment.
fn plain(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).collect()
}

#[test]
fn every_test_that_a_page_shows_is_run() {
    let guide = plain(&std::fs::read_to_string(root().join("tests/testing/guide.rs")).unwrap());
    let mut seen = 0;
    for (path, text) in pages() {
        for block in blocks(&text) {
            if !(block.language.starts_with("rust") && block.text.contains("#[tokio::test]")) {
                continue;
            }
            let lines = plain(&block.text);
            assert!(
                guide.windows(lines.len()).any(|window| window == lines),
                "{}:{}: is not in tests/testing/guide.rs as it stands here",
                path.display(),
                block.line
            );
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen}");
}
