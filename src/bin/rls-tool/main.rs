//! The `rls-tool` command: a thin shell over the library's public API, one file a subcommand.

mod cli;
mod commands;
mod database;
mod duration;
mod exit;
mod output;
mod scope;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    exit::run(cli::Cli::try_parse, cli::Cli::run)
}
