//! `rls-tool verify-isolation`.

use anyhow::bail;
use clap::Args;

use crate::exit::Outcome;

/// Not there yet.
#[derive(Debug, Args)]
pub(crate) struct VerifyIsolation {}

impl VerifyIsolation {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        bail!("not there yet")
    }
}
