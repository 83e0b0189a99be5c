//! `rls-tool demo`: the whole story on a throwaway server, told in a screenful: migrate, bind, verify, break, catch.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use rls_tool::TenantId;
use rls_tool::audit::{Audit, DoorVerdict, Finding, Report, Severity, Verdict};
use rls_tool::connect::ConnectOptions;
use rls_tool::ephemeral::Server;
use rls_tool::migrate::Migrator;
use tokio_postgres::Client;

use crate::exit::Outcome;
use crate::output::{colour, note, print};

/// The role that the reference schema's application connects as.
const ROLE: &str = "app_user";
const ROWS: &str = include_str!("demo_rows.sql");
/// What somebody in a hurry might add: permissive policies are OR-ed, so this one opens the table to every tenant.
const SABOTAGE: &str = "CREATE POLICY support ON app.api_keys FOR SELECT TO app_user USING (true);";

/// Start a throwaway PostgreSQL, migrate the reference schema, verify it, break one policy, and show the leak.
///
/// Nothing has to be installed or configured. The server is stopped and deleted at the end, also after Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 the intact schema is isolated and the broken one is caught; 2 anything else.")]
pub(crate) struct Demo {
    /// Leave the server running, and print its URL and how to stop it.
    #[arg(long)]
    keep: bool,

    /// PostgreSQL's major version (14 to 18). Default: what this machine has, else the newest.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(14..=18))]
    pg_version: Option<u32>,
}

impl Demo {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        note("starting a throwaway PostgreSQL …");
        let start = Instant::now();
        let server = Server::builder().version(self.pg_version).start().await?;
        step(
            1,
            &format!("PostgreSQL {} on 127.0.0.1, {}", server.version(), seconds(start)),
        )?;
        let story = story(&server.options()).await;
        if self.keep {
            let url = server.url();
            let kept = server.keep().await?;
            print(&format!(
                "\nThe server runs on.\n  connect:  psql '{url}'\n  delete:   {}\n",
                kept.stop
            ))?;
        } else {
            server.stop().await;
        }
        story?;
        Ok(Outcome::Done)
    }
}

/// Everything that happens on the server.
async fn story(options: &ConnectOptions) -> anyhow::Result<()> {
    let mut admin = options.connect().await?;
    let start = Instant::now();
    let migrated = Migrator::reference()?.run(&mut admin).await?;
    let (files, policies) = (migrated.migrations.len(), migrated.policies.len());
    step(
        2,
        &format!(
            "rls-tool migrate: {files} migrations, {policies} policy files, {}",
            seconds(start)
        ),
    )?;

    let tenants = [("Acme", TenantId::generate()), ("Globex", TenantId::generate())];
    let mut app = options.as_role(ROLE, None).connect().await?;
    for (name, tenant) in &tenants {
        sign_up(&mut app, name, tenant).await?;
    }
    let [(_, acme), (_, globex)] = &tenants;
    step(
        3,
        &format!("two tenants with a row in every table:\n     Acme    {acme}\n     Globex  {globex}"),
    )?;

    let keys = "select id, tenant_id from app.api_keys";
    let mut text = format!("{ROLE} runs: {keys}   (no WHERE: somebody forgot it)\n");
    for (who, tenant) in [
        ("bound to Acme", Some(acme)),
        ("bound to Globex", Some(globex)),
        ("bound to nobody", None),
    ] {
        writeln!(text, "     {who:<15}  {}", seen(&mut app, tenant, keys).await?)?;
    }
    step(4, text.trim_end())?;

    let intact = verify(options).await?;
    step(
        5,
        &format!("rls-tool verify-isolation\n     {}", in_short(&intact)),
    )?;
    if intact.verdict != Verdict::Isolated {
        bail!(
            "the intact reference schema is not isolated:\n{}",
            errors(&intact)
        );
    }

    admin
        .batch_execute(SABOTAGE)
        .await
        .context("failed to break the policy")?;
    let after = seen(&mut app, Some(acme), keys).await?;
    step(
        6,
        &format!("somebody adds a policy \"for support\":\n     {SABOTAGE}\n     bound to Acme    {after}"),
    )?;

    let broken = verify(options).await?;
    let Some((leak, exploit)) = attacked(&broken) else {
        bail!("the broken policy went unnoticed: {}", in_short(&broken));
    };
    let mut text = format!("rls-tool verify-isolation\n     {}\n", in_short(&broken));
    writeln!(
        text,
        "     {} {}, shown by an attack. To see it, paste into psql:",
        leak.object, leak.check
    )?;
    for line in exploit.lines() {
        writeln!(text, "       {line}")?;
    }
    step(7, text.trim_end())?;
    print(
        "\nNow your own database: rls-tool verify-isolation --database-url postgres://… --role <application role>\n",
    )?;
    Ok(())
}

/// As the command does: on a connection of its own, on which no tenant was ever bound.
async fn verify(options: &ConnectOptions) -> anyhow::Result<Report> {
    Ok(Audit::new().role(ROLE).run(&mut options.connect().await?).await?)
}

/// Creates a tenant with rows as the application would: bound to it, naming it nowhere but in the binding.
async fn sign_up(app: &mut Client, name: &str, tenant: &TenantId) -> anyhow::Result<()> {
    let transaction = app.transaction().await?;
    bind(&transaction, tenant).await?;
    let slug = name.to_lowercase();
    transaction
        .execute(
            "insert into app.tenants (id, name, slug) values ($1, $2, $3)",
            &[tenant, &name, &slug],
        )
        .await
        .context("failed to create a tenant")?;
    transaction
        .batch_execute(ROWS)
        .await
        .context("failed to fill the tables")?;
    Ok(transaction.commit().await?)
}

async fn bind(transaction: &tokio_postgres::Transaction<'_>, tenant: &TenantId) -> anyhow::Result<()> {
    transaction
        .execute(
            "select set_config('app.current_tenant', $1, true)",
            &[&tenant.to_string()],
        )
        .await
        .context("failed to bind the tenant")?;
    Ok(())
}

/// Which rows a session bound to `tenant` sees.
async fn seen(app: &mut Client, tenant: Option<&TenantId>, query: &str) -> anyhow::Result<String> {
    let transaction = app.transaction().await?;
    if let Some(tenant) = tenant {
        bind(&transaction, tenant).await?;
    }
    let rows = transaction
        .query(query, &[])
        .await
        .context("failed to read as the application")?;
    transaction.rollback().await?;
    let tenants: Vec<TenantId> = rows.iter().map(|row| row.try_get(1)).collect::<Result<_, _>>()?;
    let foreign = tenants.iter().filter(|owner| tenant != Some(*owner)).count();
    Ok(match (rows.len(), foreign) {
        (0, _) => "0 rows".to_owned(),
        (count, 0) => format!("{count} row, its own"),
        (count, foreign) => format!("{count} rows, {foreign} of them another tenant's"),
    })
}

/// The worst finding that an attack demonstrated, and its script.
fn attacked(report: &Report) -> Option<(&Finding, &str)> {
    report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .find_map(|finding| Some((finding, finding.evidence.exploit_sql.as_deref()?)))
}

fn errors(report: &Report) -> String {
    let worst = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let lines: Vec<_> = worst
        .map(|finding| format!("  {}: {}", finding.object, finding.message))
        .collect();
    lines.join("\n")
}

/// The verdict and its numbers on one line.
fn in_short(report: &Report) -> String {
    let s = &report.summary;
    let word = match report.verdict {
        Verdict::Isolated => painted("ISOLATED", "32"),
        Verdict::Leaking => painted("LEAKING", "31"),
        Verdict::Undecided => painted("UNDECIDED", "33"),
    };
    let undecided: Vec<_> = report
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Undecided)
        .collect();
    let left = if undecided.is_empty() {
        String::new()
    } else {
        format!(", {} undecided", undecided.len())
    };
    format!(
        "{word}  {} tables, {} doors: {} proven, {} held, {} leaking{left}; {} attacks in {:.1} s",
        s.tables,
        s.doors,
        s.proven,
        s.held,
        s.leaks,
        s.attacks_run,
        f64::from(u32::try_from(s.elapsed_ms).unwrap_or(u32::MAX)) / 1000.0
    )
}

fn painted(word: &str, code: &str) -> String {
    if colour() {
        format!("\u{1b}[1;{code}m{word}\u{1b}[0m")
    } else {
        word.to_owned()
    }
}

fn step(number: u8, text: &str) -> std::io::Result<()> {
    print(&format!(" {number}  {text}\n"))
}

fn seconds(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}
