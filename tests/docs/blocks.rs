//! Fenced blocks of a Markdown page.

/// A block, with what the comment before it asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    /// Line of the opening fence, from 1.
    pub(crate) line: usize,
    /// What stands in `<!-- test: … -->`.
    pub(crate) needs: Option<String>,
}

impl Block {
    pub(crate) fn is_skipped(&self) -> bool {
        self.needs
            .as_deref()
            .is_some_and(|needs| needs.starts_with("skip, "))
    }
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut needs = None;
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        let trimmed = line.trim();
        match &mut open {
            Some(_) if trimmed == "```" => {
                found.extend(open.take());
            }
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {
                if let Some(language) = trimmed.strip_prefix("```") {
                    open = Some(Block {
                        language: language.to_owned(),
                        text: String::new(),
                        line: number + 1,
                        needs: needs.take(),
                    });
                } else if let Some(comment) = trimmed.strip_prefix("<!-- test: ") {
                    needs = comment.strip_suffix(" -->").map(str::to_owned);
                } else if !trimmed.is_empty() {
                    needs = None;
                }
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

#[test]
fn blocks_are_cut_out_with_what_they_need() {
    let page = "a\n<!-- test: x -->\n```sql\nselect 1;\n```\n<!-- test: y -->\nno\n```sh\nls\n```\n";
    let found = blocks(page);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].needs.as_deref(), found[0].text.as_str()),
        (Some("x"), "select 1;\n")
    );
    assert_eq!((found[1].needs.as_deref(), found[1].line), (None, 8));
}
