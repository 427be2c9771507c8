//! One stream: gathers what the runners of its plants tell into messages with resume tokens.

use super::ask::Asked;
use super::begin::{self, Begun, Lates};
use super::part::{News, Part};
use super::run::Runner;
use super::token::{self, Cursor};
use crate::context::{Context, shutting_down};
use crate::limits::{PAGE_BYTES_MAX, WATCH_PARTS_MAX};
use crate::outbound::{Ended, Outbound};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tonic::Status;
use werkbuch_engine::Plant;
use werkbuch_model::id::PlantId;
use werkbuch_wire::name;
use werkbuch_wire::pb::{WatchCaughtUp, WatchMachinesResponse, WatchedPlant};

/// A stream of changes.
pub(super) struct Stream {
    context: Arc<Context>,
    asked: Arc<Asked>,
    plants: BTreeMap<PlantId, Standing>,
    /// The plants that are still being folded from their logs.
    lates: Lates,
    /// The plants that have moved since the last message.
    moved: BTreeSet<PlantId>,
    created: watch::Receiver<usize>,
    runners: JoinSet<()>,
    news: mpsc::Receiver<News>,
    to: mpsc::Sender<News>,
    /// A part that did not fit the message before.
    held: Option<Part>,
}

/// Where a plant stands in what has been sent.
struct Standing {
    plant: Plant,
    cursor: Cursor,
}

/// Why a stream ends.
enum End {
    Reader(Ended),
    Status(Status),
}

impl Stream {
    /// A stream of these plants, whose runners begin at once.
    pub(super) fn new(
        context: Arc<Context>,
        asked: Arc<Asked>,
        (begun, lates): (Vec<Begun>, Lates),
        created: watch::Receiver<usize>,
    ) -> Self {
        let (to, news) = mpsc::channel(WATCH_PARTS_MAX);
        let mut stream = Self {
            context,
            asked,
            plants: BTreeMap::new(),
            lates,
            moved: BTreeSet::new(),
            created,
            runners: JoinSet::new(),
            news,
            to,
            held: None,
        };
        for one in begun {
            stream.add(one);
        }
        stream
    }

    /// Sends until the reader goes, the server ends or a plant cannot be followed.
    pub(super) async fn run(mut self, out: Outbound<WatchMachinesResponse>) {
        match self.serve(&out).await {
            End::Status(status) => out.end(status),
            End::Reader(ended) => out.give_up(&ended),
        }
    }

    async fn serve(&mut self, out: &Outbound<WatchMachinesResponse>) -> End {
        let context = Arc::clone(&self.context);
        let period = self.asked.heartbeat;
        // The first comes at once: from then on who watches has a token.
        let mut heartbeat = interval(period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut failed = None;
            let message = tokio::select! {
                biased;
                () = context.stopping() => return End::Status(shutting_down()),
                () = out.gone() => return End::Reader(Ended::Gone),
                Ok(()) = self.created.changed(), if self.asked.plants.is_none() => {
                    match self.add_created().await {
                        Ok(()) => None,
                        Err(status) => return End::Status(status),
                    }
                }
                _ = heartbeat.tick() => Some(self.heartbeat()),
                Some(first) = next(&mut self.held, &mut self.news) => {
                    self.gather(first, &mut failed)
                }
            };
            if let Some(message) = message {
                tokio::select! {
                    biased;
                    sent = out.send(message) => if let Err(ended) = sent {
                        return End::Reader(ended);
                    },
                    () = context.stopping() => return End::Status(shutting_down()),
                }
            }
            if let Some(status) = failed {
                return End::Status(status);
            }
        }
    }

    fn add(&mut self, begun: Begun) {
        let plant = begun.plant.clone();
        let (id, cursor) = (plant.id().clone(), begun.cursor);
        self.plants.insert(id, Standing { plant, cursor });
        let (context, asked) = (Arc::clone(&self.context), Arc::clone(&self.asked));
        let runner = Runner::new(context, asked, begun, self.to.clone());
        self.runners.spawn(runner.run());
    }

    async fn add_created(&mut self) -> Result<(), Status> {
        for plant in self.context.engine.plants() {
            if !self.plants.contains_key(plant.id()) {
                let begun = match self.lates.remove(plant.id()) {
                    Some(late) => begin::back(&self.context, plant, late).await?,
                    None => begin::created(&self.context, plant).await?,
                };
                self.add(begun);
            }
        }
        Ok(())
    }

    /// A message of what is there, as far as it fits; none when nothing is to be told.
    fn gather(
        &mut self,
        first: News,
        failed: &mut Option<Status>,
    ) -> Option<WatchMachinesResponse> {
        let mut message = WatchMachinesResponse::default();
        let mut bytes = 0_usize;
        let mut next = Some(first);
        while let Some(news) = next.take() {
            match news {
                News::Failed(status) => *failed = Some(status),
                News::Part(part)
                    if bytes > 0 && bytes.saturating_add(part.bytes) > PAGE_BYTES_MAX / 2 =>
                {
                    self.held = Some(part);
                }
                News::Part(part) => {
                    bytes = bytes.saturating_add(part.bytes);
                    self.take(part, &mut message);
                    next = self.news.try_recv().ok();
                }
            }
        }
        let is_empty = message.changes.is_empty() && message.lags.is_empty();
        if is_empty && message.caught_up.is_empty() {
            return None;
        }
        let moved = std::mem::take(&mut self.moved);
        Some(self.complete(message, moved.iter()))
    }

    fn take(&mut self, part: Part, message: &mut WatchMachinesResponse) {
        message.changes.extend(part.changes);
        message.lags.extend(part.lag);
        if part.caught_up {
            message.caught_up.push(WatchCaughtUp {
                plant: name::of_plant(part.plant.as_str()),
                position: part.cursor.position.get(),
            });
        }
        if let Some(standing) = self.plants.get_mut(&part.plant) {
            standing.cursor = part.cursor;
            self.moved.insert(part.plant);
        }
    }

    fn heartbeat(&mut self) -> WatchMachinesResponse {
        self.moved.clear();
        let message = WatchMachinesResponse {
            heartbeat: true,
            ..WatchMachinesResponse::default()
        };
        let all: Vec<PlantId> = self.plants.keys().cloned().collect();
        let mut message = self.complete(message, all.iter());
        // Who waits for all plants must know of those that are not back yet.
        let lates = self.lates.iter();
        message
            .plants
            .extend(lates.map(|(plant, late)| WatchedPlant {
                plant: name::of_plant(plant.as_str()),
                position: late.cursor.position.get(),
                end: late.end.get(),
                recovering: true,
            }));
        message
    }

    /// Adds where plants stand and the token.
    fn complete<'p>(
        &self,
        mut message: WatchMachinesResponse,
        plants: impl Iterator<Item = &'p PlantId>,
    ) -> WatchMachinesResponse {
        message.plants = plants
            .filter_map(|plant| {
                let standing = self.plants.get(plant)?;
                Some(WatchedPlant {
                    plant: name::of_plant(plant.as_str()),
                    position: standing.cursor.position.get(),
                    end: standing.plant.position().get(),
                    recovering: false,
                })
            })
            .collect();
        let entries = self.plants.iter().map(|(plant, standing)| {
            let log = token::short(standing.plant.log_id());
            (plant, log, standing.cursor)
        });
        // Without those that are not back, a stream that is resumed would tell them from their first
        // event on.
        let lates = self.lates.iter();
        let lates = lates.map(|(plant, late)| (plant, late.log, late.cursor));
        let entries: Vec<_> = entries.chain(lates).collect();
        message.resume_token = token::write(self.asked.question, entries.into_iter());
        message
    }
}

async fn next(held: &mut Option<Part>, news: &mut mpsc::Receiver<News>) -> Option<News> {
    match held.take() {
        Some(part) => Some(News::Part(part)),
        None => news.recv().await,
    }
}
