//! The handlers, one file for each service: check names, call the engine, answer with messages.

mod admin;
mod append;
mod diff;
mod find;
mod follow;
mod group;
mod history;
mod ingest;
mod model;
mod quality;
mod replay;
mod rule;
mod scan;
mod simulation;
mod table;
mod timeline;
mod timeline_read;
pub(crate) mod timeline_waits;
mod twin;
mod watch;
mod wip;

use crate::context::Context;
use std::sync::Arc;

/// Runs the server.
pub(crate) struct Admin(pub(crate) Arc<Context>);
/// Reads the log.
pub(crate) struct History(pub(crate) Arc<Context>);
/// Takes what sources report.
pub(crate) struct Ingest(pub(crate) Arc<Context>);
/// Keeps the descriptions of plants.
pub(crate) struct Model(pub(crate) Arc<Context>);
/// Answers how good a plant's data are.
pub(crate) struct Qualities(pub(crate) Arc<Context>);
/// Applies rules, tells what they raise, and tries them over the past.
pub(crate) struct Rules(pub(crate) Arc<Context>);
/// Simulates what would be if.
pub(crate) struct Simulations(pub(crate) Arc<Context>);
/// Answers with tables.
pub(crate) struct Tables(pub(crate) Arc<Context>);
/// Answers what machines did over a window.
pub(crate) struct Timelines(pub(crate) Arc<Context>);
/// Answers what machines do, or did.
pub(crate) struct Twins(pub(crate) Arc<Context>);
/// Answers where the parts are.
pub(crate) struct Wips(pub(crate) Arc<Context>);
