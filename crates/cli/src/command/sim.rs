//! `werkbuch sim`: what if, and how far what it says can be trusted.

mod conformance;

use crate::Context;
use crate::failure::Outcome;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    Conformance(conformance::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Conformance(args) => conformance::run(args, context).await,
    }
}
