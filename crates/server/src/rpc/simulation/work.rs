//! A run from its turn to its end.

use super::evidence::{Evidence, Fork};
use super::study::{reason, sum_up};
use crate::context::Context;
use crate::runs::Live;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use werkbuch_sim::whatif::{InputError, Inputs, Outcome, Progress};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// Who watches is told how far it is no more often than this.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// A run that is to be made.
pub(super) struct Work {
    pub(super) context: Arc<Context>,
    pub(super) live: Arc<Live>,
    pub(super) fork: Fork,
    pub(super) inputs: Inputs,
    /// How many threads were asked for; 0 for as many as there are.
    pub(super) threads: usize,
}

/// What a run came to.
enum End {
    Found(Box<Outcome>),
    Failed(String, String),
    Cancelled,
}

impl Work {
    pub(super) async fn run(self) {
        let context = Arc::clone(&self.context);
        let waits = async {
            while !self.live.is_cancelled() {
                tokio::time::sleep(TELL_EVERY).await;
            }
        };
        let turn = tokio::select! {
            turn = context.runs.turn() => turn,
            () = waits => None,
            () = context.stopping() => return,
        };
        let end = match turn {
            Some(_turn) => self.made().await,
            None => End::Cancelled,
        };
        // What the server's end cut short is found unfinished at the next start, and says so.
        if context.is_stopping() && !matches!(end, End::Found(_)) {
            return;
        }
        self.end(end).await;
    }

    /// Reads the evidence and simulates.
    async fn made(&self) -> End {
        let began = self.fork.plant.wall().nanos();
        self.live.change(|run| {
            run.state = pb::RunState::Running.into();
            run.begin_time = Some(began);
        });
        // Without this note nobody would know after a power cut that it was begun.
        self.keep(self.live.run(), None).await;
        let evidence = match self.fork.read(&self.context).await {
            Ok(evidence) => evidence,
            Err(status) => {
                let reason = Reason::of(&status).map_or("INTERNAL", Reason::name);
                return End::Failed(reason.to_owned(), status.message().to_owned());
            }
        };
        self.live
            .change(|run| run.fork_digest.clone_from(&evidence.digest));
        match self.simulate(evidence).await {
            Ok(found) => End::Found(Box::new(found)),
            Err(_) if self.live.is_cancelled() => End::Cancelled,
            Err(Some(error)) => End::Failed(reason(&error).to_owned(), error.to_string()),
            Err(None) => {
                let text = "the simulation broke; the server's log says where";
                End::Failed("INTERNAL".to_owned(), text.to_owned())
            }
        }
    }

    /// Errors: why there is no outcome; nothing when the work broke.
    async fn simulate(&self, evidence: Evidence) -> Result<Outcome, Option<InputError>> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = match self.threads {
            0 => cores,
            asked => asked.min(cores),
        };
        let (inputs, live, context) = (
            self.inputs.clone(),
            Arc::clone(&self.live),
            Arc::clone(&self.context),
        );
        let (reply, found) = oneshot::channel();
        // In threads that stand back, and so do those that it makes: planners wait for reports, not they for them.
        let work = move || {
            let told = Mutex::new(Told::default());
            let on = |progress: Progress| {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                told.tell(progress, &live);
                !live.is_cancelled() && !context.is_stopping()
            };
            // Nobody waits for it any more when the server ends.
            let _ = reply.send(inputs.run(Some(&evidence.record), threads, &on));
        };
        if let Err(error) = werkbuch_engine::aside(work) {
            tracing::error!(%error, "a run found no thread");
            return Err(None);
        }
        match found.await {
            Ok(found) => found.map_err(Some),
            Err(_) => Err(None),
        }
    }

    async fn end(&self, end: End) {
        let ended = self.fork.plant.wall().nanos();
        let mut run = self.live.run();
        let mut result = None;
        run.end_time = Some(ended);
        run.left_ns = None;
        match end {
            End::Found(found) => {
                let text = found.to_json().to_string();
                run.state = pb::RunState::Succeeded.into();
                run.digest = format!("sha256:{}", werkbuch_proof::sha256(text.as_bytes()));
                run.result_bytes = text.len() as u64;
                run.done = u32::try_from(found.replications).unwrap_or(u32::MAX);
                run.of = run.done;
                sum_up(&mut run, &found);
                result = Some(text);
            }
            End::Failed(reason, error) => {
                run.state = pb::RunState::Failed.into();
                (run.reason, run.error) = (reason, error);
            }
            End::Cancelled => run.state = pb::RunState::Cancelled.into(),
        }
        // Whoever hears that it has a result can read it: it is kept first.
        self.keep(run.clone(), result).await;
        self.live.change(|live| *live = run);
    }

    async fn keep(&self, run: pb::Run, result: Option<String>) {
        let context = Arc::clone(&self.context);
        let keep = move || context.runs.keep(&run, result.as_deref());
        if let Err(error) = tokio::task::spawn_blocking(keep).await {
            tracing::error!(%error, "a run could not be kept");
        }
    }
}

/// What was told last, and when.
#[derive(Default)]
struct Told {
    began: Option<Instant>,
    at: Option<Instant>,
}

impl Told {
    fn tell(&mut self, progress: Progress, live: &Live) {
        let now = Instant::now();
        let began = *self.began.get_or_insert(now);
        let is_soon = self
            .at
            .is_some_and(|at| now.duration_since(at) < TELL_EVERY);
        if is_soon && progress.done < progress.of {
            return;
        }
        self.at = Some(now);
        let spent = now.duration_since(began).as_nanos() as f64;
        let left = f64::from(progress.of.saturating_sub(progress.done));
        live.change(|run| {
            // What is tried beside the scenarios is counted by itself.
            run.done = match run.of == progress.of {
                true => run.done.max(progress.done),
                false => progress.done,
            };
            run.of = progress.of;
            run.half_width = progress.half_width;
            run.left_ns =
                (progress.done > 1).then(|| (spent / f64::from(progress.done - 1) * left) as u64);
        });
    }
}
