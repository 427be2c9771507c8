//! Follows the rules of every plant that has any, and hands what they find to its writer.

use super::live::Live;
use crate::context::Context;
use crate::limits::{RULE_THREADS, RULE_TURNS_MAX, WATCH_EVENTS_MAX};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use werkbuch_engine::{EngineError, Follow, Plant, RuleBook};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

/// After a failure it is tried again in this time.
const AGAIN: Duration = Duration::from_secs(2);
/// The clock is looked at again at least so often while something is on its way.
const LOOK: Duration = Duration::from_secs(30);

/// Follows the rules of all plants until the server stops.
pub(crate) async fn follow_all(context: Arc<Context>) {
    // Plants that are created or come back from here on are not missed.
    let mut created = context.engine.watch_plants();
    let turns = Arc::new(Semaphore::new(RULE_THREADS));
    let mut known = BTreeSet::new();
    loop {
        for plant in context.engine.plants() {
            if known.insert(plant.id().clone()) {
                let of = Of {
                    context: Arc::clone(&context),
                    plant,
                    turns: Arc::clone(&turns),
                };
                tokio::spawn(of.follow());
            }
        }
        tokio::select! {
            () = context.stopping() => return,
            changed = created.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// A plant whose rules are followed.
struct Of {
    context: Arc<Context>,
    plant: Plant,
    turns: Arc<Semaphore>,
}

/// Rules on their way, and where they read on.
struct Running {
    live: Live,
    follow: Follow,
    /// The end of the log when they began: what they find before it may be recorded further on.
    began: Position,
}

impl Of {
    async fn follow(self) {
        let mut rules = self.plant.watch_rules();
        loop {
            let is_empty = rules.borrow_and_update().rules().is_empty();
            let ended = match is_empty {
                true => Ok(()),
                false => self.run(&rules).await,
            };
            match ended {
                Err(EngineError::ShuttingDown) => return,
                Err(error) => {
                    tracing::warn!(plant = self.plant.id().as_str(), error = %error,
                        "the plant's rules are not followed; it is tried again");
                    if self.waits(AGAIN).await {
                        return;
                    }
                }
                Ok(()) => tokio::select! {
                    () = self.context.stopping() => return,
                    changed = rules.wait_for(|rules| !rules.rules().is_empty()) => if changed.is_err() {
                        return;
                    },
                },
            }
        }
    }

    /// Follows the rules that apply until others do. Errors: those of the log and of the fold.
    async fn run(&self, rules: &watch::Receiver<Arc<RuleBook>>) -> Result<(), EngineError> {
        let mut changed = rules.clone();
        let book = Arc::clone(&changed.borrow_and_update());
        let meter = self.context.rules.of(self.plant.id());
        let plant = self.plant.clone();
        let begin = move || {
            let began = plant.position();
            let live = Live::begin(&plant, &book, meter)?;
            Ok(live.map(|live| Running {
                follow: plant.follow(live.position().next()),
                live,
                began,
            }))
        };
        let Some(mut running) = self.blocking(begin).await? else {
            // None of them means anything to this build.
            tokio::select! {
                () = self.context.stopping() => return Err(EngineError::ShuttingDown),
                changed = changed.changed() => {
                    return changed.map_err(|_| EngineError::ShuttingDown);
                }
            }
        };
        loop {
            let plant = self.plant.clone();
            let more;
            (running, more) = self.blocking(move || running.step(&plant)).await?;
            if running.live.is_outdated() {
                return Ok(());
            }
            if running.is_back() {
                self.record(&mut running.live).await?;
            }
            if more {
                continue;
            }
            let now = self.plant.wall();
            let wait = running.live.next().map(|next| until(now, next));
            tokio::select! {
                () = self.context.stopping() => return Err(EngineError::ShuttingDown),
                ready = running.follow.ready() => ready?,
                () = tokio::time::sleep(wait.unwrap_or(LOOK)), if wait.is_some() => {}
            }
        }
    }

    /// Hands what was found to the writer; while it cannot take it, nothing more is read.
    async fn record(&self, live: &mut Live) -> Result<(), EngineError> {
        let mut is_said = false;
        while live.has_news() {
            let turns = live.tell(RULE_TURNS_MAX);
            let recorded = self
                .plant
                .record_turns(live.revision(), turns.clone())
                .await;
            match recorded {
                Ok(recorded) => {
                    let refused = turns.iter().zip(recorded).filter(|(_, is)| !is);
                    refused.for_each(|(turn, _)| live.refused(turn));
                }
                Err(EngineError::ShuttingDown) => return Err(EngineError::ShuttingDown),
                Err(error) => {
                    live.tell_again();
                    let wait = match &error {
                        EngineError::Overloaded { retry, .. } => *retry,
                        _ if std::mem::replace(&mut is_said, true) => AGAIN,
                        error => {
                            tracing::warn!(plant = self.plant.id().as_str(), error = %error,
                                "what rules found is not recorded yet; it is tried again");
                            AGAIN
                        }
                    };
                    if self.waits(wait).await {
                        return Err(EngineError::ShuttingDown);
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits. Answers whether the server stops.
    async fn waits(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.context.stopping() => true,
            () = tokio::time::sleep(time) => false,
        }
    }

    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
    ) -> Result<R, EngineError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| EngineError::ShuttingDown)?;
        if self.context.is_stopping() {
            return Err(EngineError::ShuttingDown);
        }
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|error| EngineError::Internal {
            what: format!("following rules ended: {error}"),
        })?
    }
}

impl Running {
    /// Takes in what was recorded, a bounded part of it. Answers whether there is more. Blocking.
    fn step(mut self, plant: &Plant) -> Result<(Self, bool), EngineError> {
        let now = plant.wall();
        let live = &mut self.live;
        let step = self
            .follow
            .step(WATCH_EVENTS_MAX, |event| live.take(event))?;
        live.settle();
        let more = step.last < step.end;
        if !more && self.is_back() {
            self.live.pass(now);
        }
        Ok((self, more))
    }

    /// Whether all has been taken in that was there when it began.
    fn is_back(&self) -> bool {
        self.follow.next() > self.began
    }
}

/// How long it is until a time, and no longer than clocks go alike.
fn until(now: Timestamp, next: Timestamp) -> Duration {
    let nanos = u64::try_from(next.since(now)).unwrap_or(0);
    // A little later, so that the time has passed then by the clock that is asked.
    Duration::from_nanos(nanos).min(LOOK) + Duration::from_millis(1)
}
