//! `werkbuch sim`: what if, and how far what it says can be trusted.

mod conformance;
pub(crate) mod study;

use crate::Context;
use crate::failure::Outcome;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    Run(Box<study::Args>),
    Rerun(study::Again),
    Ls(study::runs::List),
    Get(study::runs::Get),
    /// End a run that has not ended.
    Cancel(study::runs::Named),
    /// Forget a run that has ended, with its result.
    Rm(study::runs::Named),
    Model(study::sheet::Args),
    Conformance(conformance::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Run(args) => study::run(*args, context).await,
        Args::Model(args) => study::sheet::run(args, context).await,
        Args::Rerun(args) => study::again(args, context).await,
        Args::Ls(args) => study::runs::list(args, context).await,
        Args::Get(args) => study::runs::get(args, context).await,
        Args::Cancel(args) => study::runs::cancel(args, context).await,
        Args::Rm(args) => study::runs::remove(args, context).await,
        Args::Conformance(args) => conformance::run(args, context).await,
    }
}
