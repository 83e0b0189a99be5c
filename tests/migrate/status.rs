//! `migrate status`: text, JSON and exit status.

use serde_json::{Value, json};

use crate::project::{Project, value};
use crate::support::{Database, run};
use crate::tool::tool;

fn project() -> Project {
    Project::new(&[
        ("migrations/V1__orders.sql", "create table orders ();"),
        ("migrations/V2__notes.sql", "create table notes ();"),
        (
            "policies/orders.sql",
            "alter table orders enable row level security; create policy p on orders using (false);",
        ),
        (
            "policies/notes.sql",
            "alter table notes enable row level security;",
        ),
    ])
}

/// Exit status, the text with times made equal, and what stands on stderr.
fn status(project: &Project, url: &str) -> (i32, String, String) {
    let (code, out, err) = tool(&project.path(""), &["migrate", "status", "--database-url", url]);
    let lines: Vec<_> = out
        .lines()
        .map(|line| match line.find("20") {
            Some(at) if line[at..].len() == "2026-01-31T12:00:00".len() => format!("{}TIME", &line[..at]),
            _ => line.to_owned(),
        })
        .collect();
    (code, lines.join("\n"), err)
}

fn json(project: &Project, url: &str) -> (i32, Value) {
    let arguments = ["migrate", "status", "--format", "json", "--database-url", url];
    let (code, out, _) = tool(&project.path(""), &arguments);
    (code, serde_json::from_str(&out).unwrap())
}

#[tokio::test]
async fn an_empty_database_is_all_pending_and_stays_empty() {
    let database = Database::create("status").await;
    let (project, url) = (project(), database.url());
    let (code, out, err) = status(&project, &url);
    assert_eq!(
        out,
        "migrations\n  \
           pending   V1__orders\n  \
           pending   V2__notes\n\
         policies\n  \
           no table  notes.sql                    -\n  \
           no table  orders.sql                   -"
    );
    assert_eq!(code, 0);
    assert!(err.ends_with("pending: 4\n"), "{err}");
    let left = "select count(*) from pg_class where relnamespace = 'public'::regnamespace";
    assert_eq!(value(&database.admin().await, left).await, "0");
}

#[tokio::test]
async fn applied_pending_changed_and_drifted_stand_beside_each_other() {
    let database = Database::create("status").await;
    let (project, url, mut client) = (project(), database.url(), database.admin().await);
    drop(project.migrator().target(1).run(&mut client).await.unwrap());
    let (code, out, err) = status(&project, &url);
    assert_eq!(
        out,
        "migrations\n  \
           applied   V1__orders                               TIME\n  \
           pending   V2__notes\n\
         policies\n  \
           no table  notes.sql                    -\n  \
           applied   orders.sql                   public.orders                TIME"
    );
    assert_eq!(code, 0, "{err}");

    project.run(&mut client).await;
    let (code, _, err) = status(&project, &url);
    assert_eq!(code, 0);
    assert!(err.ends_with("nothing to do\n"), "{err}");

    project.write(
        "policies/notes.sql",
        "alter table notes disable row level security;",
    );
    let (code, out, err) = status(&project, &url);
    assert!(
        out.contains("  changed   notes.sql                    public.notes                 TIME"),
        "{out}"
    );
    assert_eq!(code, 0);
    assert!(err.ends_with("pending: 1\n"), "{err}");

    run(&client, "alter policy p on orders using (true)").await;
    let (code, out, err) = status(&project, &url);
    assert_eq!(code, 1, "drift falls short of what the files say");
    assert!(
        out.contains(
            "  drifted   orders.sql                   public.orders                TIME\n            \
             policy \"p\" of public.orders has another USING expression, true instead of false"
        ),
        "{out}"
    );
    assert!(
        err.contains("drift: 1; `rls-tool migrate` puts the policies right"),
        "{err}"
    );

    let (code, report) = json(&project, &url);
    assert_eq!(code, 1);
    assert_eq!(
        (&report["version"], &report["refusal"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(report["migrations"][1]["name"], "notes");
    assert_eq!(report["migrations"][1]["state"], "applied");
    assert!(report["migrations"][1]["applied_on"].is_string());
    assert_eq!(report["policies"][0]["state"], "changed");
    assert_eq!(
        report["policies"][1]["drift"],
        json!([{
            "table": "public.orders", "policy": "p", "change": "has another USING expression",
            "wanted": "false", "live": "true"
        }])
    );
}

#[tokio::test]
async fn what_would_be_refused_is_exit_2_with_the_reason_and_the_list() {
    let database = Database::create("status").await;
    let (project, url, mut client) = (project(), database.url(), database.admin().await);
    project.run(&mut client).await;
    project.write("migrations/V1__orders.sql", "create table orders (id int);");
    project.remove("migrations/V2__notes.sql");
    let (code, out, err) = status(&project, &url);
    assert_eq!(code, 2);
    assert!(
        out.contains("  changed   V1__orders                               TIME\n  missing   V2__notes "),
        "{out}"
    );
    assert!(
        err.contains("error: `rls-tool migrate` would be refused: migrations/V1__orders.sql was changed"),
        "{err}"
    );
    let (code, report) = json(&project, &url);
    assert_eq!((code, &report["migrations"][1]["state"]), (2, &json!("missing")));
    assert!(report["refusal"].is_string());
    // Twin: a run of the same is refused, for the same reason.
    assert!(
        project
            .refused(&mut client)
            .await
            .contains("was changed after it was applied")
    );
}

/// Where policies alone, or migrations alone, are this project's business, the other is not asked about.
#[tokio::test]
async fn a_folder_that_is_not_there_is_not_judged() {
    let database = Database::create("status").await;
    let (project, mut client) = (project(), database.admin().await);
    project.run(&mut client).await;
    project.remove("migrations/V1__orders.sql");
    project.remove("migrations/V2__notes.sql");
    std::fs::remove_dir(project.path("migrations")).unwrap();
    let status = project.status(&mut client).await;
    assert_eq!((status.migrations.len(), status.policies.len()), (0, 2));
    assert_eq!(status.refusal, None);
}
