//! Does the blocking work of a stream, and tells now and then how far it is.

use crate::context::{Context, shutting_down};
use crate::outbound::{Ended, Outbound};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tonic::Status;
use werkbuch_engine::EngineError;

/// How often it is told how far a piece of work is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Why a stream ends before its end.
pub(crate) enum End {
    Reader(Ended),
    Status(Status),
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        Self::Reader(ended)
    }
}

/// Does a piece of blocking work unless nobody waits for it any more; meanwhile sends what `tell` says.
pub(crate) async fn work<R: Send + 'static, T>(
    context: &Context,
    out: &Outbound<T>,
    work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
    tell: impl Fn() -> T,
) -> Result<R, End> {
    let done = context.stream_blocking(work);
    tokio::pin!(done);
    let mut ticks = interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    loop {
        tokio::select! {
            biased;
            () = context.stopping() => return Err(End::Status(shutting_down())),
            () = out.gone() => return Err(End::Reader(Ended::Gone)),
            done = &mut done => return done.map_err(End::Status),
            _ = ticks.tick() => out.send(tell()).await?,
        }
    }
}
