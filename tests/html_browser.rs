//! The HTML report in headless Chromium (Debian's package `chromium`; `RLS_TEST_CHROMIUM` names another binary): it says
//! nothing on the console, filters, sorts and searches, explains a cell, stays text whatever the names, and copes with
//! 2,000 tables. `RLS_TEST_SCREENSHOTS=DIR` keeps pictures of it to be looked at.
//!
//! A page is driven by a script put behind the report's own, which writes what it found into the document; Chromium
//! prints the document. The content security policy is lifted for that script only where it says so.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::path::{Path, PathBuf};
use std::process::Command;

use rls_tool::audit::Report;
use rls_tool::report::{Format, Style};

const SAMPLE: &str = include_str!("report/sample.json");

fn html(report: &Report) -> String {
    report.render(Format::Html, Style::Plain).unwrap()
}

fn sample() -> Report {
    Report::from_json(SAMPLE, "sample.json").unwrap()
}

/// 2,000 tables with 4 commands each, for two roles.
fn large() -> Report {
    let mut report = sample();
    let template = report.doors[0].clone();
    report.doors.clear();
    for table in 0..2000 {
        for role in ["app", "reporting"] {
            for command in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
                let mut door = template.clone();
                door.object = serde_json::from_value(format!("app.table_{table:04}").into()).unwrap();
                role.clone_into(&mut door.role);
                door.command = serde_json::from_value(command.into()).unwrap();
                door.reason = format!("{} attacks failed", table % 7);
                report.doors.push(door);
            }
        }
    }
    report
}

fn chromium() -> PathBuf {
    std::env::var_os("RLS_TEST_CHROMIUM").map_or_else(|| "chromium".into(), PathBuf::from)
}

/// Runs Chromium on a file, and gives stdout and stderr.
fn browse(folder: &Path, file: &Path, flags: &[&str]) -> (String, String) {
    let profile = folder.join("profile");
    let output = Command::new(chromium())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--v=0",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(flags)
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap_or_else(|error| panic!("this test needs Chromium (apt-get install chromium): {error}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Opens the page with `script` behind the report's own; what the script returns is given back as JSON.
fn drive(page: &str, script: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let driver = format!(
        "<script>addEventListener('load', async () => {{ \
           const sleep = (ms) => new Promise((done) => setTimeout(done, ms)); \
           let found; try {{ found = await (async () => {{ {script} }})(); }} catch (error) {{ found = String(error); }} \
           const out = document.createElement('pre'); out.id = 'found'; \
           out.textContent = JSON.stringify(found); document.body.replaceChildren(out); }});</script>"
    );
    // The driver is no part of the report: only its own policy would keep it out.
    let start = page.find("<meta http-equiv").unwrap();
    let end = start + page[start..].find('\n').unwrap();
    let page = format!("{}{}", &page[..start], &page[end..]).replace("</body>", &format!("{driver}</body>"));
    std::fs::write(&file, page).unwrap();
    let (dom, errors) = browse(
        folder.path(),
        &file,
        &["--dump-dom", "--virtual-time-budget=60000"],
    );
    assert!(!errors.contains("CONSOLE"), "{errors}");
    let found = dom
        .split("<pre id=\"found\">")
        .nth(1)
        .unwrap_or_else(|| panic!("{dom}\n{errors}"));
    let found = found.split("</pre>").next().unwrap();
    let found = found
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&found).unwrap()
}

#[test]
fn the_page_as_it_is_says_nothing_on_the_console() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, html(&sample())).unwrap();
    let (dom, errors) = browse(folder.path(), &file, &["--dump-dom"]);
    assert!(!errors.contains("CONSOLE"), "{errors}");
    // Under its own content security policy the script ran: it unfolded the tools and filled in the counts.
    assert!(
        dom.contains("5 of 5 rows</output>") && !dom.contains("data-for=\"matrix\" hidden"),
        "{dom}"
    );
}

#[test]
fn a_script_that_is_not_ours_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let page = html(&sample()).replace("</main>", "<script>document.title = 'taken'</script></main>");
    std::fs::write(&file, page).unwrap();
    let (dom, errors) = browse(folder.path(), &file, &["--dump-dom"]);
    assert!(
        dom.contains("<title>LEAKING"),
        "the policy let another script run"
    );
    assert!(
        errors.contains("Content Security Policy"),
        "and the console says so: {errors}"
    );
}

#[test]
fn search_and_filters_hide_rows() {
    let found = drive(
        &html(&sample()),
        r##"
        const shown = () => [...document.querySelectorAll("#doors tbody tr")].filter((row) => !row.hidden)
          .map((row) => `${row.cells[0].textContent} ${row.cells[2].textContent}`);
        const type = async (id, text) => {
          const box = document.getElementById(id);
          box.value = text; box.dispatchEvent(new Event("input")); await sleep(200);
        };
        const result = { all: shown().length };
        await type("row-search", "INVOICES table");
        result.searched = shown();
        result.count = document.getElementById("row-count").value;
        await type("row-search", "");
        const role = document.getElementById("row-role");
        role.value = "reporting"; role.dispatchEvent(new Event("change"));
        result.role = shown().length;
        role.value = ""; role.dispatchEvent(new Event("change"));
        for (const verdict of ["undecided", "held", "proven"]) {
          const box = document.querySelector(`input[name=verdict][value=${verdict}]`);
          box.click();
        }
        result.leaks = shown();
        await type("find-search", "set role");
        result.cards = [...document.querySelectorAll(".card")].filter((card) => !card.hidden).length;
        await type("find-search", "");
        document.querySelector("input[name=severity][value=error]").click();
        result.withoutErrors = [...document.querySelectorAll(".card")].filter((card) => !card.hidden).length;
        return result;
        "##,
    );
    assert_eq!(
        found,
        serde_json::json!({
            "all": 5,
            "searched": ["app.invoices app", "app.invoices reporting"],
            "count": "2 of 5 rows",
            "role": 2,
            "leaks": ["app.invoices app"],
            "cards": 2,
            "withoutErrors": 2,
        })
    );
}

#[test]
fn columns_sort_and_say_so() {
    let found = drive(
        &html(&sample()),
        r##"
        const head = document.querySelectorAll("#doors thead th")[3];
        const first = () => document.querySelector("#doors tbody tr").cells[3].textContent;
        head.querySelector("button").click();
        const up = [first(), head.getAttribute("aria-sort")];
        head.querySelector("button").click();
        return [...up, first(), head.getAttribute("aria-sort")];
        "##,
    );
    assert_eq!(found, serde_json::json!(["leak", "ascending", "", "descending"]));
}

#[test]
fn a_cell_explains_itself_and_leads_to_its_findings() {
    let found = drive(
        &html(&sample()),
        r##"
        const link = document.querySelector("#doors td.leak a");
        link.focus();
        const reachable = document.activeElement === link;
        link.click();
        const dialog = document.getElementById("door");
        const result = [reachable, dialog.open, document.getElementById("door-title").textContent,
          document.getElementById("door-reason").textContent,
          document.querySelectorAll("#door-findings li").length];
        document.querySelector("#door-findings a").click();
        return [...result, dialog.open];
        "##,
    );
    assert_eq!(
        found,
        serde_json::json!([
            true,
            true,
            "app: SELECT app.invoices: leak",
            "cross-tenant-read: a session bound to one tenant reads rows of another",
            2,
            false
        ])
    );
}

#[test]
fn the_keyboard_reaches_the_search() {
    let found = drive(
        &html(&sample()),
        r#"
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
        const hidden = [...document.querySelectorAll("[tabindex='-1']")].length;
        return [document.activeElement.id, hidden];
        "#,
    );
    assert_eq!(found, serde_json::json!(["row-search", 0]));
}

#[test]
fn a_name_that_is_a_script_is_a_name() {
    let found = drive(
        &html(&sample()),
        r##"
        return [document.scripts.length, document.querySelector("#doors tbody th").textContent];
        "##,
    );
    // The report's script and the test's.
    assert_eq!(
        found,
        serde_json::json!([2, "app.<script>alert(1)</script>\\u{1b}[31m"])
    );
}

#[test]
fn two_thousand_tables_stay_usable() {
    let report = large();
    let page = html(&report);
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    let found = drive(
        &page,
        r##"
        const box = document.getElementById("row-search");
        box.value = "table_1999"; box.dispatchEvent(new Event("input")); await sleep(200);
        document.body.offsetHeight;
        const shown = [...document.querySelectorAll("#doors tbody tr")].filter((row) => !row.hidden).length;
        return [document.querySelectorAll("#doors tbody tr").length, shown];
        "##,
    );
    assert_eq!(found, serde_json::json!([4000, 2]));
}

#[test]
fn it_can_be_photographed_in_light_dark_and_print() {
    let kept = std::env::var_os("RLS_TEST_SCREENSHOTS").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let target = kept.as_deref().unwrap_or(folder.path());
    std::fs::create_dir_all(target).unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, html(&sample())).unwrap();
    for (name, flags) in [
        ("light.png", &["--window-size=1280,2600"][..]),
        (
            "dark.png",
            &[
                "--window-size=1280,2600",
                "--blink-settings=preferredColorScheme=0",
            ],
        ),
        ("narrow.png", &["--window-size=500,3600"]),
    ] {
        let shot = target.join(name);
        let flag = format!("--screenshot={}", shot.display());
        browse(folder.path(), &file, &[flags, &[&flag]].concat());
        assert!(std::fs::metadata(&shot).unwrap().len() > 20_000, "{name}");
    }
    let print = target.join("print.pdf");
    browse(
        folder.path(),
        &file,
        &[&format!("--print-to-pdf={}", print.display())],
    );
    assert!(std::fs::read(&print).unwrap().starts_with(b"%PDF"));
}
