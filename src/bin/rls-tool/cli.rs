//! The command line: subcommands and what they share.

use anyhow::bail;
use clap::{Args, Parser, Subcommand};
use rls_tool::connect::ConnectOptions;

use crate::commands::{checks, demo, explain, migrate, verify_isolation};
use crate::exit::Outcome;

/// Makes PostgreSQL itself keep tenants apart, and shows that it does.
#[derive(Debug, Parser)]
#[command(
    name = "rls-tool",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit status: 0 done or isolated; 1 isolation falls short; 2 the tool could not do its job."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Checks(checks::Checks),
    Demo(demo::Demo),
    Explain(explain::Explain),
    Migrate(migrate::Migrate),
    VerifyIsolation(Box<verify_isolation::VerifyIsolation>),
}

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database: postgres://user:password@host:port/name or "host=… user=… dbname=…".
    /// Default: DATABASE_URL, then libpq's PGHOST, PGUSER, …
    // Not `env = "DATABASE_URL"`: help would show its value, and with it the password.
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) database_url: Option<String>,
}

impl Database {
    pub(crate) fn options(&self) -> rls_tool::Result<ConnectOptions> {
        Ok(ConnectOptions::resolve(self.database_url.as_deref())?.with_application_name("rls-tool"))
    }
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            tokio::select! {
                ended = self.command.run() => ended,
                // The command is dropped: transactions are rolled back, servers stopped and deleted.
                signal = interrupted() => bail!("interrupted by {}", signal?),
            }
        })
    }
}

impl Command {
    async fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Checks(command) => command.run().await,
            Self::Demo(command) => command.run().await,
            Self::Explain(command) => command.run().await,
            Self::Migrate(command) => command.run().await,
            Self::VerifyIsolation(command) => command.run().await,
        }
    }
}

/// Waits for Ctrl-C, or for the signal that supervisors and CI send first.
async fn interrupted() -> std::io::Result<&'static str> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => Ok("SIGTERM"),
            _ = interrupt.recv() => Ok("SIGINT"),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map(|()| "Ctrl-C")
}
