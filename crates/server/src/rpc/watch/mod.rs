//! Watches machines: the changes of one plant, several or all, resumable, as they come or sampled.
//!
//! For each plant a runner folds a twin of its own along, away from the writer, and hands on what its
//! events mean to who watches; one task for each stream gathers that into messages with resume tokens.

mod ask;
mod begin;
mod change;
mod cut;
mod part;
mod run;
mod sample;
mod stream;
mod token;

use crate::context::Context;
use crate::outbound::outbound;
use ask::Asked;
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Response, Status};
use werkbuch_wire::pb::{WatchMachinesRequest, WatchMachinesResponse};

/// Begins to watch. Errors: those of the request, of a place in the past, and `OVERLOADED`.
pub(super) async fn watch(
    context: &Arc<Context>,
    request: WatchMachinesRequest,
) -> Result<Response<BoxStream<WatchMachinesResponse>>, Status> {
    let place = context.watch()?;
    let asked = Arc::new(Asked::of(&request, context.limits.heartbeat)?);
    // Plants that are created or come back from here on are not missed.
    let created = context.engine.watch_plants();
    let (begun, lates) = begin::all(context, &asked, &request).await?;
    let (out, answers) = outbound(context.stream()?, context.limits.slow_reader);
    let stream = stream::Stream::new(Arc::clone(context), asked, (begun, lates), created);
    tokio::spawn(async move {
        let _place = place;
        stream.run(out).await;
    });
    Ok(Response::new(answers))
}
