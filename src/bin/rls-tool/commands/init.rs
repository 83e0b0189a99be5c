//! `rls-tool init`: a commented `rls.toml` from what the database shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use rls_tool::audit::Audit;
use rls_tool::catalog::{Catalog, Relation};
use rls_tool::model::{Config, Model};

use crate::database::Database;
use crate::exit::Outcome;
use crate::output;

/// Columns that hold the tenant in the wild, the most specific first.
const COLUMNS: [&str; 14] = [
    "tenant_id",
    "tenantId",
    "tenant",
    "organization_id",
    "organizationId",
    "organisation_id",
    "org_id",
    "orgId",
    "workspace_id",
    "workspaceId",
    "account_id",
    "company_id",
    "customer_id",
    "team_id",
];

/// Writes a commented rls.toml from what the database shows: roles, tenant column and setting, tables and why.
///
/// Look it over: what it could not see is for you to declare.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool init --database-url postgres://admin@host/db
  rls-tool init --role my_app --output -          to stdout

Exit status: 0 written; 2 the file is there already, or nothing was found that belongs to tenants.")]
pub(crate) struct Init {
    #[command(flatten)]
    database: Database,

    /// The role that the application connects as; may be given several times. Default: detected.
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,

    /// The column that says whose row it is. Default: detected.
    #[arg(long, value_name = "COLUMN")]
    tenant_column: Option<String>,

    /// The setting that says who is asking. Default: detected from the policies.
    #[arg(long, value_name = "NAME")]
    tenant_setting: Option<String>,

    /// The file; - is stdout.
    #[arg(long, value_name = "FILE", default_value = "rls.toml")]
    output: PathBuf,

    /// Replace the file where it is there already.
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let to_stdout = self.output == Path::new("-");
        if !to_stdout && self.output.exists() && !self.force {
            bail!("{} is there already; --force replaces it", self.output.display());
        }
        let mut client = self.database.connect().await?;
        let catalog = Audit::new().read_catalog(&mut client).await?;
        let config = Config {
            roles: self.role.clone(),
            tenant_column: self.tenant_column.clone().or_else(|| column(&catalog)),
            tenant_setting: self.tenant_setting.clone().or_else(|| setting(&catalog)),
            ..Config::default()
        };
        let model = Model::build(&catalog, &config)?;
        let text = write(&catalog, &config, &model)?;
        // What is written is what is read: a name that TOML cannot hold would show here.
        Config::parse(&text, "the new rls.toml")?;
        if to_stdout {
            output::print(&text)?;
        } else {
            output::write(Some(&self.output), &text)?;
            output::note(format_args!(
                "wrote {}: look it over, then run rls-tool verify-isolation",
                self.output.display()
            ));
        }
        Ok(Outcome::Done)
    }
}

/// The candidate that most tables have; among equals the one that comes first.
fn column(catalog: &Catalog) -> Option<String> {
    let tables = || {
        catalog
            .relations
            .iter()
            .filter(|relation| relation.kind.is_table())
    };
    let count = |name: &str| {
        tables()
            .filter(|table| table.column_named(name).is_some())
            .count()
    };
    let counted = COLUMNS.iter().rev().map(|name| (count(name), *name));
    let (most, name) = counted.max_by_key(|(count, _)| *count)?;
    (most > 0).then(|| name.to_owned())
}

/// The setting that the policies ask for most.
fn setting(catalog: &Catalog) -> Option<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    for policy in catalog.relations.iter().flat_map(|relation| &relation.policies) {
        for text in [&policy.using, &policy.check].into_iter().flatten() {
            for rest in text.split("current_setting('").skip(1) {
                let name = rest.split('\'').next().unwrap_or_default();
                // PostgreSQL's own settings have no dot.
                if name.contains('.') {
                    *counts.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(name, _)| name)
}

fn write(catalog: &Catalog, config: &Config, model: &Model) -> Result<String, std::fmt::Error> {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let comment = |text: &str| text.replace(|c: char| c.is_control(), " ");
    let mut text = String::from(
        "# What rls-tool cannot see in the database, declared. Every part may be left out.\n\
         # `rls-tool schema config` prints this file's JSON Schema, for editors.\n\n",
    );
    text.push_str("# The roles that the application connects as.\n");
    for role in &model.roles {
        writeln!(text, "#   {}: {}", comment(&role.name), comment(&role.ground))?;
    }
    let roles: Vec<_> = model.roles.iter().map(|role| quoted(&role.name)).collect();
    writeln!(text, "roles = [{}]\n", roles.join(", "))?;
    writeln!(
        text,
        "# The column that says whose row it is, and the setting that says who is asking.\n\
         tenant_column = {}\ntenant_setting = {}\n",
        quoted(config.tenant_column()),
        quoted(config.tenant_setting())
    )?;
    text.push_str("# Only these schemas; by default all but PostgreSQL's own.\n# schemas = [\"public\"]\n\n");
    let whole = || model.tables.iter().filter(|table| table.part_of.is_none());
    writeln!(
        text,
        "# Tenant-scoped tables that were found ({}):",
        whole().count()
    )?;
    let name = |oid| {
        catalog
            .relations
            .get(oid)
            .map(Relation::plain_name)
            .unwrap_or_default()
    };
    for table in whole() {
        writeln!(
            text,
            "#   {}: {}",
            comment(&name(table.relation)),
            comment(&table.ground)
        )?;
    }
    text.push_str(
        "\n# A table whose tenant column has another name, or whose rows need values that cannot be made up:\n\
         # [[table]]\n# name = \"app.memberships\"\n# tenant_column = \"org_id\"\n# values = { kind = \"'member'\" }\n\n",
    );
    if !model.global.is_empty() {
        writeln!(
            text,
            "# Tables that belong to no tenant ({}). Declared so with a reason, they are accounted for:",
            model.global.len()
        )?;
        for &oid in &model.global {
            writeln!(
                text,
                "# [[exempt]]\n# table = {}\n# reason = \"the same for every tenant\"",
                comment(&quoted(&name(oid)))
            )?;
        }
        text.push('\n');
    }
    text.push_str(
        "# A finding that is intended, with the reason; after the day it is reported again.\n\
         # [[allow]]\n# check = \"view-runs-as-owner\"\n# object = \"app.totals\"\n\
         # reason = \"shows sums over all tenants on purpose\"\n# expires = 2027-01-31\n\n\
         # How findings count: error, warning, info or off. `rls-tool checks` lists the checks.\n\
         # [checks]\n# rls-not-forced = \"error\"\n\n\
         # How a session is bound, where the tenant setting alone does not do it.\n\
         # [binding]\n# settings = { \"request.jwt.claims\" = '{\"sub\":\"{user}\",\"role\":\"authenticated\"}' }\n",
    );
    Ok(text)
}
