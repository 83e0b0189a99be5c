//! `rls-tool man`: manual pages.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man as Page;

use crate::cli::Cli;
use crate::exit::Outcome;
use crate::output;

/// Prints the manual page, or writes one a subcommand.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool man | man -l -
  rls-tool man --dir /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Write every page (rls-tool.1, rls-tool-migrate.1, …) into this folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    #[expect(clippy::unused_async, reason = "as every command")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let mut root = Cli::command();
        root.build();
        match &self.dir {
            None => output::print(&page(root)?)?,
            Some(dir) => {
                std::fs::create_dir_all(dir)
                    .with_context(|| format!("failed to create {}", dir.display()))?;
                write(dir, root)?;
            }
        }
        Ok(Outcome::Done)
    }
}

fn page(command: Command) -> anyhow::Result<String> {
    let mut text = Vec::new();
    Page::new(command).render(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write(dir: &Path, command: Command) -> anyhow::Result<()> {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        write(dir, sub.clone())?;
    }
    // `build` gave subcommands their full names: rls-tool-migrate-status.
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    output::write(Some(&dir.join(format!("{name}.1"))), &page(command)?)
}
