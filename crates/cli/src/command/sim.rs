//! `werkbuch sim`: what if, and how far what it says can be trusted.

mod conformance;
pub(crate) mod study;

use crate::Context;
use crate::failure::Outcome;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    Run(study::Args),
    Rerun(study::Again),
    Model(study::sheet::Args),
    Conformance(conformance::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Run(args) => study::run(args, context).await,
        Args::Model(args) => study::sheet::run(args, context).await,
        Args::Rerun(args) => study::again(args, context).await,
        Args::Conformance(args) => conformance::run(args, context).await,
    }
}
