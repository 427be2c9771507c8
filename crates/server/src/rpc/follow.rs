//! Follows a log: catches up in bounded chunks, then sends what comes, with signs of life between.

use super::scan::Wanted;
use crate::context::{Context, shutting_down};
use crate::limits::{PAGE_BYTES_MAX, SCAN_EVENTS_MAX, TAIL_EVENTS_MAX};
use crate::outbound::{Ended, Outbound};
use bytes::Bytes;
use std::sync::Arc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tonic::Status;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::id::Position;
use werkbuch_wire::pb::TailEventsResponse;

/// A part of the log: what was wanted of it, and where it ends.
struct Chunk {
    events: Vec<Bytes>,
    last: Position,
}

/// Why following ends.
enum End {
    Reader(Ended),
    Status(Status),
}

/// Sends events from a position on until the reader goes or the server ends. The log is read as the
/// reader takes it, so a slow one costs the writer nothing.
pub(super) async fn follow(
    context: Arc<Context>,
    plant: Plant,
    wanted: Wanted,
    from: Position,
    out: Outbound<TailEventsResponse>,
) {
    let wanted = Arc::new(wanted);
    let mut watch = plant.watch();
    let mut sent = Position(from.get().saturating_sub(1));
    let period = context.limits.heartbeat;
    let mut heartbeat = interval_at(Instant::now() + period, period);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = loop {
        let end = *watch.borrow_and_update();
        match catch_up(&context, &plant, &wanted, &mut sent, end, &out).await {
            Ok(true) => heartbeat.reset(),
            Ok(false) => {}
            Err(end) => break end,
        }
        tokio::select! {
            biased;
            () = context.stopping() => break End::Status(shutting_down()),
            () = out.gone() => break End::Reader(Ended::Gone),
            changed = watch.changed() => if changed.is_err() {
                break End::Status(shutting_down());
            },
            _ = heartbeat.tick() => {
                let sign = TailEventsResponse { events: Vec::new(), position: sent.get() };
                if let Err(ended) = out.send(sign).await {
                    break End::Reader(ended);
                }
            }
        }
    };
    match end {
        End::Status(status) => out.end(status),
        End::Reader(ended) => out.give_up(&ended),
    }
}

/// Sends what is wanted up to `end`; answers whether anything was.
async fn catch_up(
    context: &Context,
    plant: &Plant,
    wanted: &Arc<Wanted>,
    sent: &mut Position,
    end: Position,
    out: &Outbound<TailEventsResponse>,
) -> Result<bool, End> {
    let mut any = false;
    while *sent < end {
        if context.is_stopping() {
            return Err(End::Status(shutting_down()));
        }
        let (reading, kept, from) = (plant.clone(), Arc::clone(wanted), sent.next());
        let chunk = context
            .stream_blocking(move || read(&reading, &kept, from, end))
            .await
            .map_err(End::Status)?;
        // A log that ends early would otherwise be asked for ever.
        if chunk.last <= *sent {
            return Ok(any);
        }
        *sent = chunk.last;
        // A long search is itself worth a sign of life.
        if !chunk.events.is_empty() || *sent < end {
            let position = sent.get();
            let answer = TailEventsResponse {
                events: chunk.events,
                position,
            };
            out.send(answer).await.map_err(End::Reader)?;
            any = true;
        }
    }
    Ok(any)
}

fn read(
    plant: &Plant,
    wanted: &Wanted,
    from: Position,
    end: Position,
) -> Result<Chunk, EngineError> {
    let mut chunk = Chunk {
        events: Vec::new(),
        last: Position(from.get().saturating_sub(1)),
    };
    let (mut bytes, mut looked_at) = (0_usize, 0_u64);
    for event in plant.events(from)? {
        let event = event?;
        if event.position > end {
            break;
        }
        chunk.last = event.position;
        looked_at += 1;
        if wanted.takes(&event)? {
            bytes = bytes.saturating_add(event.bytes.len());
            chunk.events.push(event.bytes);
        }
        let is_full = chunk.events.len() >= TAIL_EVENTS_MAX || bytes >= PAGE_BYTES_MAX;
        if is_full || looked_at >= SCAN_EVENTS_MAX / 10 {
            break;
        }
    }
    Ok(chunk)
}
