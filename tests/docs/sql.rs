//! SQL blocks run as the superuser on the reference schema, each on a database of its own.

use crate::blocks::blocks;
use crate::pages;
use crate::support::Database;

#[tokio::test]
async fn every_sql_block_runs() {
    let mut complaints = Vec::new();
    let mut ran = 0;
    for (path, text) in pages() {
        for block in blocks(&text)
            .iter()
            .filter(|block| block.language == "sql" && !block.is_skipped())
        {
            let database = Database::migrated("docs").await;
            let client = database.admin().await;
            for sql in [block.needs.as_deref().unwrap_or_default(), &block.text] {
                if let Err(error) = client.batch_execute(sql).await {
                    let reason = error
                        .as_db_error()
                        .map_or(error.to_string(), |db| db.message().to_owned());
                    complaints.push(format!("{}:{}: {reason}", path.display(), block.line));
                }
            }
            ran += 1;
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(ran > 8, "only {ran} blocks were found");
}

#[tokio::test]
async fn what_a_block_says_is_true_is_true() {
    let mut seen = 0;
    for (_, text) in pages() {
        for block in blocks(&text).iter().filter(|block| block.language == "sql") {
            if !block.text.contains("-- true") {
                continue;
            }
            let database = Database::create("docs_true").await;
            let client = database.admin().await;
            for statement in block.text.lines().filter(|line| !line.trim().is_empty()) {
                if !statement.contains("-- true") {
                    client.batch_execute(statement).await.unwrap();
                    continue;
                }
                let query = statement
                    .split("-- true")
                    .next()
                    .unwrap()
                    .trim()
                    .trim_end_matches(';');
                let is: bool = client.query_one(query, &[]).await.unwrap().get(0);
                assert!(is, "{statement}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 2);
}
