//! The command line: subcommands and what they share.

use anyhow::bail;
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    checks, completions, demo, diff, explain, fix, init, man, matrix, migrate, schema, test, verify_isolation,
};
use crate::database::read_dotenv;
use crate::exit::Outcome;
use crate::output::{self, Colour, Settings};

/// Makes PostgreSQL itself keep tenants apart, and shows that it does.
#[derive(Debug, Parser)]
#[command(
    name = "rls-tool",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(after_help = "\
Examples:
  rls-tool demo                                   see it work; needs nothing
  rls-tool init --database-url postgres://…       write rls.toml for your own database
  rls-tool verify-isolation --role my_app         audit it
  rls-tool explain rls-disabled                   what a finding means

Exit status: 0 done or isolated; 1 isolation falls short; 2 the tool could not do its job, or was
interrupted (Ctrl-C says nothing; transactions are rolled back). A reader that closes the pipe
early (| head) is no failure: 0.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    globals: Globals,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
struct Globals {
    /// Say nothing on stderr but errors.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// Say more on stderr.
    // Counted, so that a habit such as -vv is no mistake.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// When to use colours.
    #[arg(long, value_enum, value_name = "WHEN", global = true, default_value_t)]
    color: Colour,

    /// Leave ./.env alone.
    #[arg(long, global = true)]
    no_dotenv: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Checks(checks::Checks),
    Completions(completions::Completions),
    Demo(demo::Demo),
    Diff(diff::Diff),
    Explain(explain::Explain),
    Fix(Box<fix::Fix>),
    Init(init::Init),
    Man(man::Man),
    Matrix(Box<matrix::MatrixCommand>),
    Migrate(migrate::Migrate),
    Schema(schema::Schema),
    Test(Box<test::Test>),
    VerifyIsolation(Box<verify_isolation::VerifyIsolation>),
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        output::configure(Settings {
            quiet: self.globals.quiet,
            verbose: self.globals.verbose > 0,
            colour: self.globals.color,
        });
        if !self.globals.no_dotenv {
            read_dotenv();
        }
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            tokio::select! {
                ended = self.command.run() => ended,
                // The command is dropped: transactions are rolled back, servers stopped and deleted.
                signal = interrupted() => match signal? {
                    Signal::Interrupt => Ok(Outcome::Interrupted),
                    Signal::Terminate => bail!("interrupted by SIGTERM"),
                },
            }
        })
    }
}

impl Command {
    async fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Checks(command) => command.run().await,
            Self::Completions(command) => command.run().await,
            Self::Demo(command) => command.run().await,
            Self::Diff(command) => command.run().await,
            Self::Explain(command) => command.run().await,
            Self::Fix(command) => command.run().await,
            Self::Init(command) => command.run().await,
            Self::Man(command) => command.run().await,
            Self::Matrix(command) => command.run().await,
            Self::Migrate(command) => command.run().await,
            Self::Schema(command) => command.run().await,
            Self::Test(command) => command.run().await,
            Self::VerifyIsolation(command) => Box::pin(command.run()).await,
        }
    }
}

/// What ends a run before its time.
#[derive(Debug, Clone, Copy)]
enum Signal {
    /// Ctrl-C: whoever pressed it knows.
    Interrupt,
    /// What supervisors and CI send first.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Terminate,
}

/// Waits for a signal.
async fn interrupted() -> std::io::Result<Signal> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => Ok(Signal::Terminate),
            _ = interrupt.recv() => Ok(Signal::Interrupt),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map(|()| Signal::Interrupt)
}
