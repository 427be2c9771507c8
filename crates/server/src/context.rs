//! What all handlers share: the engine, the bounds of concurrent work, and the sign to stop.

use crate::asked::{Answered, Asked};
use crate::error;
use crate::limits::{Limits, RETRY_AFTER};
use crate::metrics::Calls;
use crate::rules::RuleMeter;
use crate::runs::Runs;
use prost::Message;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::{Response, Status};
use werkbuch_engine::{Engine, EngineError, Plant, Reflected};
use werkbuch_model::id::{MachineNumber, PlantId};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::{name, reason::Reason};

/// What all handlers share.
pub(crate) struct Context {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) started_at: Timestamp,
    pub(crate) calls: Arc<Calls>,
    /// What is counted of the rules that are followed.
    pub(crate) rules: RuleMeter,
    /// What-ifs.
    pub(crate) runs: Runs,
    /// Places of calls, which the gate gives away.
    pub(crate) call_places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
    blocking: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    stream_reads: Arc<Semaphore>,
    watches: Arc<Semaphore>,
    watched_machines: Arc<Semaphore>,
}

/// A place of a stream, held until it ends.
#[derive(Debug)]
pub(crate) struct StreamPlace {
    /// Where the end of the stream is counted.
    pub(crate) calls: Arc<Calls>,
    pub(crate) _place: OwnedSemaphorePermit,
}

impl Context {
    /// `stop` becomes true when the server is to end.
    pub(crate) fn new(
        engine: Engine,
        (limits, runs): (Limits, Runs),
        started_at: Timestamp,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            engine,
            runs,
            limits,
            started_at,
            calls: Arc::default(),
            rules: RuleMeter::default(),
            call_places: Arc::new(Semaphore::new(limits.calls)),
            stop,
            blocking: Arc::new(Semaphore::new(limits.blocking)),
            streams: Arc::new(Semaphore::new(limits.streams)),
            stream_reads: Arc::new(Semaphore::new(limits.stream_reads)),
            watches: Arc::new(Semaphore::new(limits.watches)),
            watched_machines: Arc::new(Semaphore::new(limits.watched_machines)),
        }
    }

    /// The plant of a name `tenants/{tenant}/plants/{plant}`.
    pub(crate) fn plant(&self, name: &str) -> Result<Plant, Status> {
        self.plant_of(&name::plant(name)?)
    }

    /// A plant by its id.
    pub(crate) fn plant_of(&self, id: &PlantId) -> Result<Plant, Status> {
        self.engine.plant(id).map_err(|error| match error {
            EngineError::UnknownPlant { plant } => error::unknown_plant(&self.engine, &plant),
            error => error::status(error),
        })
    }

    /// Asks a plant's twin a question at an instant. The live twin is cloned, which costs a count for
    /// each machine, so that a long question does not keep the writer from its twin; it also answers
    /// what was known at a position, as long as nothing has been recorded since.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        plant: &Plant,
        asked: &Asked,
        question: impl FnOnce(&Twin) -> R + Send + 'static,
    ) -> Result<(R, Answered), Status> {
        let place = self.place()?;
        let of = asked.clone();
        if let Some(twin) = standing(plant, asked).await? {
            let look = move || Ok((question(&twin), of.answered(&twin)));
            return in_thread(place, look).await;
        }
        let look = move |twin: &Twin| match shown(&of, twin) {
            None => (question(twin), of.answered(twin)),
            Some(twin) => (question(&twin), of.answered(&twin)),
        };
        let answered = plant.ask(asked.instant, look).await;
        answered.map(told).map_err(error::status)
    }

    /// The same about one machine, which `pick` chooses by the description: of the past no more than this
    /// machine is read, unless `question` answers nothing of a twin that holds it alone.
    pub(crate) async fn ask_machine<R: Send + 'static>(
        &self,
        plant: &Plant,
        asked: &Asked,
        pick: impl Fn(&Twin) -> Option<MachineNumber> + Send + 'static,
        question: impl Fn(&Twin) -> Option<R> + Send + 'static,
    ) -> Result<(R, Answered), Status> {
        let place = self.place()?;
        let of = asked.clone();
        if let Some(twin) = standing(plant, asked).await? {
            let look = move || Ok(question(&twin).map(|answer| (answer, of.answered(&twin))));
            let answered = in_thread(place, look).await?;
            return answered.ok_or_else(|| Status::internal("the twin does not answer"));
        }
        let look = move |twin: &Twin| match shown(&of, twin) {
            None => Some((question(twin)?, of.answered(twin))),
            Some(twin) => Some((question(&twin)?, of.answered(&twin))),
        };
        let answered = plant.ask_machine(asked.instant, pick, look).await;
        answered.map(told).map_err(error::status)
    }

    /// Asks the live twin a question that is answered in microseconds.
    pub(crate) async fn glance<R: Send + 'static>(
        &self,
        plant: &Plant,
        question: impl FnOnce(&Twin) -> R + Send + 'static,
    ) -> Result<R, Status> {
        let answered = plant.ask(Instant::NOW, question).await;
        answered.map(|(answer, _)| answer).map_err(error::status)
    }

    /// Does blocking work for a unary call. Errors: `OVERLOADED` when there is as much as there may be.
    pub(crate) async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
    ) -> Result<R, Status> {
        let place = self.place()?;
        in_thread(place, work).await
    }

    /// Does blocking work for a stream, which waits for its turn.
    pub(crate) async fn stream_blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
    ) -> Result<R, Status> {
        let turn = Arc::clone(&self.stream_reads).acquire_owned().await;
        let place = turn.map_err(|_| shutting_down())?;
        in_thread(place, work).await
    }

    /// A place for a stream. Errors: `OVERLOADED` when there are as many as there may be.
    pub(crate) fn stream(&self) -> Result<StreamPlace, Status> {
        let place = Arc::clone(&self.streams).try_acquire_owned();
        let place = place.map_err(|_| overloaded("the server has as many streams as it takes"))?;
        Ok(StreamPlace {
            calls: Arc::clone(&self.calls),
            _place: place,
        })
    }

    /// The places for work: name, in use, and how many there are.
    pub(crate) fn places_used(&self) -> [(&'static str, u64, u64); 3] {
        let used = |name, places: &Semaphore, all: usize| {
            let used = all.saturating_sub(places.available_permits());
            (name, used as u64, all as u64)
        };
        [
            used("calls", &self.call_places, self.limits.calls),
            used("streams", &self.streams, self.limits.streams),
            used("questions", &self.blocking, self.limits.blocking),
        ]
    }

    /// A place for a stream that watches machines. Errors: `OVERLOADED` when there are as many as there
    /// may be.
    pub(crate) fn watch(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = Arc::clone(&self.watches).try_acquire_owned();
        place.map_err(|_| overloaded("the server has as many streams that watch as it takes"))
    }

    /// Places for the machines of a plant that a stream watches. Errors: `OVERLOADED` when all streams
    /// together watch as many as they may.
    pub(crate) fn watched(&self, machines: usize) -> Result<OwnedSemaphorePermit, Status> {
        let places = u32::try_from(machines).unwrap_or(u32::MAX);
        let places = Arc::clone(&self.watched_machines).try_acquire_many_owned(places);
        places.map_err(|_| overloaded("the server watches as many machines as it takes"))
    }

    /// A place for blocking work. Errors: `OVERLOADED` when there is as much as there may be.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = Arc::clone(&self.blocking).try_acquire_owned();
        place.map_err(|_| overloaded("the server answers as many questions at once as it can"))
    }

    /// Returns when the server is to end.
    pub(crate) async fn stopping(&self) {
        // Without a sender nobody is left to wait for either.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Whether the server is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }
}

/// An answer that says what the engine knows of it.
fn told<R>(((answer, mut answered), of): ((R, Answered), Reflected)) -> (R, Answered) {
    answered.reflected.late = of.late;
    (answer, answered)
}

/// What a stream ends with when the server does.
pub(crate) fn shutting_down() -> Status {
    Reason::ShuttingDown.status("the server is closing; connect again and resume")
}

/// The answer, unless it is larger than clients take. Errors: `MESSAGE_TOO_LARGE`.
pub(crate) fn answer<M: Message>(message: M) -> Result<Response<M>, Status> {
    let (bytes, limit) = (message.encoded_len(), crate::limits::ANSWER_BYTES_MAX);
    if bytes > limit {
        let text =
            format!("the answer has {bytes} bytes, the limit is {limit}; ask for less at once");
        return Err(Reason::MessageTooLarge.status(text));
    }
    Ok(Response::new(message))
}

/// The live twin, where it is the one that is asked about.
async fn standing(plant: &Plant, asked: &Asked) -> Result<Option<Twin>, Status> {
    let known = match asked.instant.known {
        _ if asked.instant.at.is_some() => return Ok(None),
        Known::Recorded(_) => return Ok(None),
        Known::Position(position) if position != plant.position() => return Ok(None),
        known => known,
    };
    let cloned = plant.ask(Instant::NOW, Twin::clone).await;
    let (twin, _) = cloned.map_err(error::status)?;
    match known {
        // It may have moved on between the two looks.
        Known::Position(position) if position != twin.position() => Ok(None),
        Known::Position(_) => Ok(Some(shown(asked, &twin).unwrap_or(twin))),
        _ => Ok(Some(twin)),
    }
}

/// A twin with what of its description held when the question is about, whatever holds at the present;
/// absent when the twin is bounded in plant time, and so already shows it.
fn shown(asked: &Asked, twin: &Twin) -> Option<Twin> {
    if asked.instant.at.is_some() {
        return None;
    }
    let held = twin.held_description(asked.as_of_in(twin));
    let held = held.map_or_else(|| twin.staged_description(), |(held, _)| held);
    Some(twin.showing(held))
}

async fn in_thread<R: Send + 'static>(
    place: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
) -> Result<R, Status> {
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    match done.await {
        Ok(result) => result.map_err(error::status),
        Err(failed) => {
            tracing::error!(error = %failed, "a task failed");
            Err(error::internal())
        }
    }
}

fn overloaded(text: &str) -> Status {
    Reason::Overloaded.retry(text, RETRY_AFTER)
}
