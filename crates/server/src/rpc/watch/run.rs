//! The runner of one plant in a stream: folds its events off the writer's thread and tells the changes.

use super::ask::Asked;
use super::begin::Begun;
use super::change::{Cause, Touched, Watched};
use super::part::{News, Part, Parts};
use super::sample::Samples;
use super::token::{Cursor, Within};
use crate::context::Context;
use crate::error;
use crate::limits::{WATCH_CHANGES_MAX, WATCH_EVENTS_MAX};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use tonic::Status;
use werkbuch_engine::{EngineError, Follow};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_twin::Twin;
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// A runner before it runs.
pub(super) struct Runner {
    context: Arc<Context>,
    asked: Arc<Asked>,
    begun: Begun,
    to: mpsc::Sender<News>,
}

/// A runner on its way. It moves into a thread that may block, and back.
struct Running {
    watched: Watched,
    follow: Follow,
    samples: Samples,
    /// How far the changes have been told.
    told: Cursor,
    /// Whether the stream began before the end of the log, which is told once.
    behind: bool,
    /// Whether it is still to be told that the plant has come to the present.
    catches_up: bool,
    /// Whether all has been folded that was there at the last step.
    is_current: bool,
    _places: OwnedSemaphorePermit,
}

/// Why a runner ends.
enum End {
    /// The stream is gone.
    Gone,
    Failed(Status),
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Failed(status)
    }
}

impl Runner {
    pub(super) fn new(
        context: Arc<Context>,
        asked: Arc<Asked>,
        begun: Begun,
        to: mpsc::Sender<News>,
    ) -> Self {
        Self {
            context,
            asked,
            begun,
            to,
        }
    }

    /// Runs until the stream is gone, or the plant cannot be followed.
    pub(super) async fn run(self) {
        let to = self.to.clone();
        if let Err(End::Failed(status)) = self.follow().await {
            // A stream that is gone needs no last word.
            let _ = to.send(News::Failed(status)).await;
        }
    }

    async fn follow(self) -> Result<(), End> {
        let Self {
            context,
            asked,
            begun,
            to,
        } = self;
        let Begun {
            plant,
            cursor,
            twin,
            places,
        } = begun;
        let (of, about) = (plant.clone(), Arc::clone(&asked));
        let at_hand = twin.is_some();
        let begin = move || {
            let twin = twin.map_or_else(|| of.twin_at(cursor.position), Ok)?;
            Ok(Watched::new(twin, about))
        };
        let watched = context.stream_blocking(begin).await?;
        check_log(&watched.twin, cursor)?;
        let mut running = Running {
            follow: plant.follow(cursor.position.next()),
            watched,
            samples: Samples::default(),
            told: cursor,
            behind: !at_hand,
            catches_up: true,
            is_current: false,
            _places: places,
        };
        if let Some(Within::Present(after)) = cursor.within {
            running = running.present(&context, &to, after).await?;
        }
        match asked.sample {
            None => running.each(&context, &to).await,
            Some(every) => running.sampled(&context, &to, every).await,
        }
    }
}

impl Running {
    /// Tells the machines that match where the stream begins, a few at a time: a large plant must
    /// neither hold up a thread that others wait for, nor be in memory as a whole.
    async fn present(
        mut self,
        context: &Context,
        to: &mpsc::Sender<News>,
        after: MachineNumber,
    ) -> Result<Self, End> {
        let mut next = Some(after);
        while let Some(after) = next {
            let place = to.reserve().await.map_err(|_| End::Gone)?;
            let parts;
            (self, parts, next) = context
                .stream_blocking(move || Ok(self.some_present(after)))
                .await?;
            hand_over(place, to, parts).await?;
        }
        Ok(self)
    }

    /// The next machines beyond `after` that match; absent is the place to go on when these are all.
    /// Blocking.
    fn some_present(mut self, after: MachineNumber) -> (Self, Vec<Part>, Option<MachineNumber>) {
        let here = Cursor::of(&self.watched.twin);
        let mut parts = self.parts();
        let mut left = self.watched.present(after);
        let mut last = after;
        for (machine, change) in left.by_ref().take(WATCH_CHANGES_MAX) {
            parts.push(change, here.within(Within::Present(machine)));
            last = machine;
        }
        let more = left.next().is_some();
        drop(left);
        if more {
            self.told = here.within(Within::Present(last));
            let parts = parts.stay();
            return (self, parts, Some(last));
        }
        self.told = here;
        let parts = parts.finish(here);
        (self, parts, None)
    }

    /// Tells every change.
    async fn each(mut self, context: &Context, to: &mpsc::Sender<News>) -> Result<(), End> {
        loop {
            self.say_caught_up(to).await?;
            self.follow.ready().await.map_err(error::status)?;
            // Nothing is read before there is room for it: the reader's pace is the runner's.
            let place = to.reserve().await.map_err(|_| End::Gone)?;
            let parts;
            (self, parts) = context.stream_blocking(move || self.step()).await?;
            hand_over(place, to, parts).await?;
        }
    }

    /// Folds the next events and tells each change. Blocking.
    fn step(mut self) -> Result<(Self, Vec<Part>), EngineError> {
        let mut parts = self.parts();
        let lag = self.fold(|watched, touched, cause| {
            for one in touched {
                let after = cause.before.within(Within::Event(one.machine));
                parts.push(watched.change(&one, &cause, 1), after);
            }
        })?;
        if let Some(lag) = lag {
            parts.lag(lag);
        }
        self.told = Cursor::of(&self.watched.twin);
        let told = self.told;
        Ok((self, parts.finish(told)))
    }

    /// Tells at most one change for each machine in a time.
    async fn sampled(
        mut self,
        context: &Context,
        to: &mpsc::Sender<News>,
        every: Duration,
    ) -> Result<(), End> {
        let mut look = Instant::now() + every;
        loop {
            if self.is_behind() {
                let lag;
                (self, lag) = context.stream_blocking(move || self.sample()).await?;
                if lag.is_some() {
                    let mut parts = self.parts();
                    lag.into_iter().for_each(|lag| parts.lag(lag));
                    for part in parts.stay() {
                        tell(to, part).await?;
                    }
                }
            }
            if Instant::now() >= look {
                self = self.look(context, to).await?;
                look = Instant::now() + every;
            }
            if self.samples.is_empty() {
                self.say_caught_up(to).await?;
            }
            if self.is_behind() {
                continue;
            }
            let quiet = self.told.position == self.watched.twin.position();
            tokio::select! {
                ready = self.follow.ready() => ready.map_err(error::status)?,
                () = tokio::time::sleep_until(look), if !quiet => {}
            }
        }
    }

    /// Tells what has been sampled, a few machines at a time.
    async fn look(mut self, context: &Context, to: &mpsc::Sender<News>) -> Result<Self, End> {
        loop {
            let place = to.reserve().await.map_err(|_| End::Gone)?;
            let parts;
            (self, parts) = context
                .stream_blocking(move || {
                    let (watched, told) = (&self.watched, self.told);
                    let parts = self.samples.tell(watched, told, WATCH_CHANGES_MAX);
                    Ok((self, parts))
                })
                .await?;
            hand_over(place, to, parts).await?;
            if self.samples.is_empty() {
                self.told = Cursor::of(&self.watched.twin);
                return Ok(self);
            }
        }
    }

    /// Folds the next events and keeps what they come to. Blocking.
    fn sample(mut self) -> Result<(Self, Option<pb::WatchLag>), EngineError> {
        let mut samples = std::mem::take(&mut self.samples);
        let lag = self.fold(|_, touched, cause| samples.take(touched, cause))?;
        self.samples = samples;
        Ok((self, lag))
    }

    /// Folds the next events; `each` gets the machines that one touches and that are not told yet.
    /// Answers what is to be said when events come from the log that a reader might expect from memory.
    fn fold(
        &mut self,
        mut each: impl FnMut(&Watched, Vec<Touched>, Cause),
    ) -> Result<Option<pb::WatchLag>, EngineError> {
        let first = self.follow.next();
        let told = self.told;
        let known = |position: Position, machine| match told.within {
            Some(Within::Event(last)) => position == told.position.next() && machine <= last,
            _ => false,
        };
        let watched = &mut self.watched;
        let step = self.follow.step(WATCH_EVENTS_MAX, |event| {
            let before = Cursor::of(&watched.twin);
            let mut touched = watched.fold(event)?;
            touched.retain(|one| !known(event.position, one.machine));
            if !touched.is_empty() {
                each(watched, touched, Cause::of(event, before));
            }
            Ok(())
        })?;
        self.is_current = step.last >= step.end;
        self.catches_up |= step.missed;
        let behind = std::mem::take(&mut self.behind) && step.from_log;
        Ok((step.missed || behind).then(|| pb::WatchLag {
            plant: name::of_plant(self.watched.twin.plant().as_str()),
            from_position: first.get(),
            to_position: step.end.get(),
            slow_reader: step.missed,
        }))
    }

    /// Says once that the plant has come to the present, when it has and nothing is held back.
    async fn say_caught_up(&mut self, to: &mpsc::Sender<News>) -> Result<(), End> {
        if !self.catches_up || (self.is_behind() && !self.is_current) {
            return Ok(());
        }
        self.catches_up = false;
        self.told = Cursor::of(&self.watched.twin);
        let part = Part {
            plant: self.watched.twin.plant().clone(),
            changes: Vec::new(),
            bytes: 0,
            cursor: self.told,
            lag: None,
            caught_up: true,
        };
        tell(to, part).await
    }

    fn is_behind(&self) -> bool {
        self.follow.next() <= self.follow.end()
    }

    fn parts(&self) -> Parts {
        Parts::new(self.watched.twin.plant().clone(), self.told)
    }
}

/// A log that was restored from a backup may have gone on otherwise than the one that a stream has read.
/// Errors: `INVALID_RESUME_TOKEN`.
fn check_log(twin: &Twin, cursor: Cursor) -> Result<(), Status> {
    match (cursor.recorded_at, twin.last_recorded_at()) {
        (Some(then), now) if now != Some(then) => {
            Err(Reason::InvalidResumeToken.status(format!(
                "position {} of plant \"{}\" is another event now than when the token was given; the log \
                 seems to have been restored from a backup; begin anew at a position or a time",
                cursor.position,
                twin.plant()
            )))
        }
        _ => Ok(()),
    }
}

/// Hands over parts, for the first of which there is room.
async fn hand_over(
    place: mpsc::Permit<'_, News>,
    to: &mpsc::Sender<News>,
    parts: Vec<Part>,
) -> Result<(), End> {
    let mut parts = parts.into_iter();
    if let Some(first) = parts.next() {
        place.send(News::Part(first));
    }
    for part in parts {
        tell(to, part).await?;
    }
    Ok(())
}

async fn tell(to: &mpsc::Sender<News>, part: Part) -> Result<(), End> {
    to.send(News::Part(part)).await.map_err(|_| End::Gone)
}
