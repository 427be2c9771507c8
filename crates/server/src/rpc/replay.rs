//! Replays a plant's log in a thread of its own and tells how far it is.

use crate::context::{Context, shutting_down};
use crate::outbound::Outbound;
use crate::{error, view};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{MissedTickBehavior, interval};
use tonic::Status;
use werkbuch_engine::{EngineError, Plant, Replay, ReplayTo};
use werkbuch_wire::pb::ReplayPlantResponse;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(200);

/// What is asked for.
pub(super) struct Asked {
    pub(super) plant: Plant,
    pub(super) to: ReplayTo,
    pub(super) check: bool,
}

/// Replays and sends progress, then the result.
pub(super) async fn replay(
    context: Arc<Context>,
    asked: Asked,
    place: OwnedSemaphorePermit,
    out: Outbound<ReplayPlantResponse>,
) {
    let (progress, told) = watch::channel((0, 0));
    let mut work = tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut tell = |done, total| {
            progress.send_replace((done, total));
        };
        asked.plant.replay(asked.to, asked.check, &mut tell)
    });
    let mut ticks = interval(PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                let total = told.borrow().1;
                return finish(done.map_err(|failed| failed.to_string()), total, out).await;
            }
            () = context.stopping() => return out.end(shutting_down()),
            () = out.gone() => return,
            _ = ticks.tick() => {
                let (events, total) = *told.borrow();
                let answer = ReplayPlantResponse { events, total, ..Default::default() };
                if let Err(ended) = out.send(answer).await {
                    return out.give_up(&ended);
                }
            }
        }
    }
}

async fn finish(
    done: Result<Result<Replay, EngineError>, String>,
    total: u64,
    out: Outbound<ReplayPlantResponse>,
) {
    let status: Status = match done {
        Ok(Ok(replay)) => {
            if let Err(ended) = out.send(view::history::replay(replay, total)).await {
                out.give_up(&ended);
            }
            return;
        }
        Ok(Err(failed)) => error::status(failed),
        Err(failed) => {
            tracing::error!(error = failed, "a replay failed");
            error::internal()
        }
    };
    out.end(status);
}
