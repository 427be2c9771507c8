//! Brings the plants of a data folder back to life, several at a time, while those that are done answer.

use crate::clock;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::limits::{RECOVERY_RETRY_MAX, RECOVERY_RETRY_MIN, RECOVERY_TOLD_EVERY};
use crate::meter::nanos;
use crate::recover;
use crate::snapshots::Snapshot;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use werkbuch_journal::PlantEnd;
use werkbuch_model::id::{LogId, PlantId, Position};

/// A plant that is being folded from its log after a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovering {
    /// The plant.
    pub plant: PlantId,
    /// The number of its log.
    pub log_id: LogId,
    /// The last position that has been folded; of a plant that waits for its turn, that of its snapshot.
    pub done: Position,
    /// The last position of its log.
    pub last: Position,
    /// How much of what is to be folded has been, in percent, rounded down.
    pub percent: u64,
}

/// Told when a plant's opening is recorded.
pub(crate) type Opening = oneshot::Receiver<Result<Position, EngineError>>;

/// The plants that are being brought back, and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    plants: Mutex<BTreeMap<PlantId, Arc<Progress>>>,
    /// Nothing until it has ended.
    ended: watch::Sender<Option<Result<(), EngineError>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// How far a plant is.
#[derive(Debug)]
struct Progress {
    log_id: LogId,
    from: u64,
    last: u64,
    done: AtomicU64,
    begun: OnceLock<Instant>,
}

/// A plant that waits for its turn.
struct Job {
    end: PlantEnd,
    snapshot: Option<Snapshot>,
    progress: Arc<Progress>,
}

impl Progress {
    fn percent(&self) -> u64 {
        let all = self.last.saturating_sub(self.from).max(1);
        let done = self.done.load(Ordering::Relaxed).saturating_sub(self.from);
        (done.saturating_mul(100) / all).min(99)
    }

    /// When to ask again, as far as can be told from the time so far.
    fn retry(&self) -> Duration {
        let done = self.done.load(Ordering::Relaxed);
        let (folded, left) = (
            done.saturating_sub(self.from),
            self.last.saturating_sub(done),
        );
        let begun = self.begun.get().filter(|_| folded > 0);
        let expected = begun.map_or(RECOVERY_RETRY_MAX, |begun| {
            let took = u128::from(nanos(begun.elapsed()));
            let expected = took.saturating_mul(u128::from(left)) / u128::from(folded.max(1));
            Duration::from_nanos(u64::try_from(expected).unwrap_or(u64::MAX))
        });
        expected.clamp(RECOVERY_RETRY_MIN, RECOVERY_RETRY_MAX)
    }
}

impl Recovery {
    fn plants(&self) -> std::sync::MutexGuard<'_, BTreeMap<PlantId, Arc<Progress>>> {
        self.plants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is answered for a plant that is not back yet.
    pub(crate) fn error(&self, plant: &PlantId) -> Option<EngineError> {
        let progress = self.plants().get(plant).cloned()?;
        Some(EngineError::Recovering {
            plant: plant.clone(),
            percent: progress.percent(),
            done: progress.done.load(Ordering::Relaxed),
            last: progress.last,
            retry: progress.retry(),
        })
    }

    /// Waits until nothing is brought back any more, after the engine has said that it closes.
    pub(crate) fn join(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // A panic there has been told already.
            let _ = thread.join();
        }
    }

    fn end(&self, result: Result<(), EngineError>) {
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            if first {
                *ended = Some(result);
            }
            first
        });
    }

    fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }
}

impl Engine {
    /// The plants that are being folded from their logs after the start, by name. The others answer.
    #[must_use]
    pub fn recovering(&self) -> Vec<Recovering> {
        let plants = self.revival().plants();
        let plants = plants.iter().map(|(plant, progress)| Recovering {
            plant: plant.clone(),
            log_id: progress.log_id,
            done: Position(progress.done.load(Ordering::Relaxed)),
            last: Position(progress.last),
            percent: progress.percent(),
        });
        plants.collect()
    }

    /// Returns once every plant answers.
    /// Errors: those of a fold; the plant concerned, and those behind it, then do not come back.
    pub async fn recovered(&self) -> Result<(), EngineError> {
        let mut ended = self.revival().ended.subscribe();
        let ended = ended.wait_for(Option::is_some).await;
        let ended = ended.map_err(|_| EngineError::ShuttingDown)?;
        ended.clone().unwrap_or(Err(EngineError::ShuttingDown))
    }

    /// Begins to bring the plants back, on all cores, those first that have the least to fold.
    /// Errors: no thread can be had.
    pub(crate) fn revive_all(
        &self,
        mut snapshots: BTreeMap<PlantId, Snapshot>,
        begin: Instant,
    ) -> Result<(), EngineError> {
        let mut jobs: Vec<Job> = Vec::new();
        for end in self.store().ends() {
            let snapshot = snapshots.remove(&end.plant);
            let from = snapshot
                .as_ref()
                .map_or(0, |found| found.writer.position.get());
            let progress = Arc::new(Progress {
                log_id: end.log_id,
                from,
                last: end.last.get(),
                done: AtomicU64::new(from),
                begun: OnceLock::new(),
            });
            let known = Arc::clone(&progress);
            self.revival().plants().insert(end.plant.clone(), known);
            jobs.push(Job {
                end,
                snapshot,
                progress,
            });
        }
        // The last of the list is taken first.
        jobs.sort_by_key(|job| {
            std::cmp::Reverse(job.progress.last.saturating_sub(job.progress.from))
        });
        let engine = self.clone();
        let thread = std::thread::Builder::new()
            .name("recovery".into())
            .spawn(move || engine.recover(jobs, begin));
        let thread = thread
            .map_err(|error| EngineError::internal(format!("no thread to recover in: {error}")))?;
        let mut known = self.revival().thread.lock();
        *known
            .as_deref_mut()
            .map_err(|_| EngineError::ShuttingDown)? = Some(thread);
        Ok(())
    }

    fn recover(&self, jobs: Vec<Job>, begin: Instant) {
        let plants = jobs.len();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let (jobs, openings) = (Mutex::new(jobs), Mutex::new(Vec::new()));
        let work = || {
            while !self.revival().has_ended() && self.check_open().is_ok() {
                let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(job) = job else { return };
                match self.revive(job) {
                    Ok(opening) => openings
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(opening),
                    Err(error) => self.revival().end(Err(error)),
                }
            }
        };
        std::thread::scope(|scope| {
            // Nothing is sent: that all have ended is seen by who waits.
            let (alive, ended) = mpsc::sync_channel::<()>(1);
            for _ in 0..cores.min(plants) {
                let (alive, work) = (alive.clone(), &work);
                scope.spawn(move || {
                    let _alive = alive;
                    work();
                });
            }
            drop(alive);
            while ended.recv_timeout(RECOVERY_TOLD_EVERY) == Err(RecvTimeoutError::Timeout) {
                self.tell_progress(plants);
            }
        });
        if self.check_open().is_err() {
            return self.revival().end(Err(EngineError::ShuttingDown));
        }
        let openings = openings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        self.inner.runtime.block_on(async {
            for opening in openings {
                // A disk that takes no more does not keep the past from being read.
                let _ = opening.await;
            }
        });
        if !self.revival().has_ended() {
            let took = begin.elapsed();
            self.meter().start_ns.set(nanos(took));
            tracing::info!(
                data = %self.data().display(),
                store = self.store_name(),
                plants,
                took_ms = took.as_millis(),
                "the data folder is open"
            );
        }
        self.revival().end(Ok(()));
    }

    fn tell_progress(&self, plants: usize) {
        let left = self.recovering();
        let (mut done, mut last) = (0_u64, 0_u64);
        for plant in &left {
            done = done.saturating_add(plant.done.get());
            last = last.saturating_add(plant.last.get());
        }
        let percent = done.saturating_mul(100) / last.max(1);
        let names: Vec<_> = left
            .iter()
            .take(8)
            .map(|plant| plant.plant.as_str())
            .collect();
        tracing::info!(
            answering = plants.saturating_sub(left.len()),
            plants,
            percent,
            not_yet = names.join(" "),
            "plants are being folded from their logs"
        );
    }

    /// Brings one plant back; from then on it answers.
    fn revive(&self, job: Job) -> Result<Opening, EngineError> {
        let Job {
            end,
            snapshot,
            progress,
        } = job;
        let begin = *progress.begun.get_or_init(Instant::now);
        let pace = self.recovery_rate();
        let mut step = |position: Position| {
            progress.done.store(position.get(), Ordering::Relaxed);
            let folded = position.get().saturating_sub(progress.from);
            let due = pace.map(|rate| Duration::from_secs_f64(folded as f64 / rate.max(1) as f64));
            loop {
                self.check_open()?;
                let ahead = due.unwrap_or_default().saturating_sub(begin.elapsed());
                if ahead.is_zero() {
                    return Ok(());
                }
                std::thread::sleep(ahead.min(Duration::from_millis(20)));
            }
        };
        let found = (&end.plant, end.log_id);
        let (writer, twin) = recover::plant(self.store(), found, snapshot, &mut step)?;
        tracing::info!(
            plant = end.plant.as_str(),
            position = writer.position.get(),
            snapshot = progress.from,
            took_ms = begin.elapsed().as_millis(),
            "a plant is open"
        );
        if let Some(behind_s) = clock::behind(self.clock().wall(), writer.recorded_at) {
            tracing::warn!(
                plant = end.plant.as_str(),
                behind_s,
                "the clock is behind the log: set the clock right; until it is ahead of the log again, \
                 events are recorded by the log's last time and a nanosecond each"
            );
        }
        let (told, opening) = oneshot::channel();
        let from = Position(progress.from);
        let plant = self.start(writer, twin, end.closed, from, Some(told))?;
        // In this order, so that there is no moment in which it is neither.
        self.inner.plants.insert(end.plant.clone(), plant);
        self.revival().plants().remove(&end.plant);
        self.inner.created.send_modify(|there| *there += 1);
        Ok(opening)
    }
}
