//! The handle of a plant: what callers hold, and what they share with its loop.

use super::input::Input;
use crate::access::AccessLog;
use crate::api::SourceStatus;
use crate::error::EngineError;
use crate::keyring::KeyRing;
use crate::meter::{Meter, PlantMeter};
use crate::rules::RuleBook;
use crate::writer::{SourceEntry, Writer};
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{Semaphore, oneshot, watch};
use werkbuch_journal::Store;
use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber};
use werkbuch_model::plant::Description;
use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;
use werkbuch_twin::Twin;

/// What the loop of a plant shares with those who ask.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: PlantId,
    pub(crate) log_id: LogId,
    pub(crate) data: PathBuf,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ring: Arc<KeyRing>,
    pub(crate) access: Arc<AccessLog>,
    pub(crate) clock: Arc<dyn crate::clock::Clock>,
    pub(crate) elapsed: Arc<crate::lifetime::Elapsed>,
    pub(crate) twin: RwLock<Twin>,
    /// What of its description holds now, where part of it lies ahead.
    pub(crate) shown: Mutex<Option<Shown>>,
    pub(crate) applied: watch::Sender<Position>,
    /// The rules that apply and what is raised; they move before `applied` does.
    pub(crate) rules: watch::Sender<Arc<RuleBook>>,
    /// What rules found, as far as it was asked for.
    pub(crate) findings: super::Findings,
    /// What has been applied, for those who follow; filled before `applied` moves.
    pub(crate) feed: super::feed::Feed,
    /// What the writer says of itself when something has been applied.
    pub(crate) standing: Mutex<Standing>,
    /// Places in the loop's queue.
    pub(crate) queue: Arc<Semaphore>,
    /// The plant of each session of the engine.
    pub(crate) sessions: Arc<dashmap::DashMap<u64, PlantId>>,
    /// Why nothing is written any more, by whichever plant found out.
    pub(crate) stopped: Arc<Mutex<Option<String>>>,
    /// Why the last commit failed, when it may succeed again without a restart.
    pub(crate) trouble: Arc<Mutex<Option<String>>>,
    /// What sources sent again.
    pub(crate) repeats: super::repeats::Repeats,
    /// What is kept of its past.
    pub(crate) past: crate::past::Past,
    /// Plants as they were that were asked for lately, of all plants.
    pub(crate) recent: Arc<crate::past::Recent>,
    /// Places for folds of the past.
    pub(crate) folds: Arc<Semaphore>,
    /// What is counted for this plant.
    pub(crate) meter: PlantMeter,
    /// What is counted over all plants.
    pub(crate) totals: Arc<Meter>,
}

/// What of a description holds from one time to another.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) revision: u32,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) description: Arc<Description>,
}

/// Where the writer stood when its last batch was applied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) position: Position,
    pub(crate) root: Option<Hash>,
    pub(crate) sources: Vec<SourceStatus>,
    pub(crate) revision: u32,
}

impl Shared {
    /// Says to all that writing has stopped, when it is the store that failed: the trouble of one plant
    /// is not that of the others.
    pub(crate) fn say_stopped(&self, error: &EngineError) {
        if !matches!(error, EngineError::Store(_)) {
            return;
        }
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert_with(|| format!("plant \"{}\": {error}", self.id));
    }

    /// Says which rules apply and what is raised, where that is news.
    pub(crate) fn say_rules(&self, rules: &Arc<RuleBook>) {
        self.rules.send_if_modified(|said| {
            let is_news = !Arc::ptr_eq(said, rules);
            if is_news {
                *said = Arc::clone(rules);
            }
            is_news
        });
    }

    /// Says whether the last commit went well.
    pub(crate) fn say_trouble(&self, error: Option<&EngineError>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_some() || error.is_some() {
            *trouble = error.map(ToString::to_string);
        }
    }
}

impl Standing {
    /// Where a writer stands that has just been brought back to life.
    pub(crate) fn of(writer: &Writer) -> Self {
        Self {
            position: writer.position,
            root: Some(writer.tree.root()),
            sources: writer
                .sources()
                .map(|(number, entry)| Self::status(number, entry))
                .collect(),
            revision: writer.revision,
        }
    }

    /// Where one source stands.
    pub(crate) fn status(number: SourceNumber, source: &SourceEntry) -> SourceStatus {
        let (missing, gaps) = source.identity.missing();
        SourceStatus {
            number,
            name: source.name.clone(),
            epoch: source.epoch,
            kind: source.kind(),
            high: Sequence(source.identity.high()),
            missing,
            gaps,
        }
    }

    /// Something has been applied.
    pub(crate) fn arrive(
        &mut self,
        position: Position,
        root: Hash,
        source: Option<SourceStatus>,
        revision: u32,
    ) {
        self.position = position;
        self.root = Some(root);
        self.revision = revision;
        let Some(status) = source else { return };
        match self
            .sources
            .iter_mut()
            .find(|known| known.number == status.number)
        {
            Some(known) => *known = status,
            None => self.sources.push(status),
        }
    }
}

/// A plant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Plant {
    pub(crate) shared: Arc<Shared>,
    pub(crate) inputs: SyncSender<Input>,
}

impl Plant {
    /// The plant's name.
    #[must_use]
    pub fn id(&self) -> &PlantId {
        &self.shared.id
    }

    /// The number of its log.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        self.shared.log_id
    }

    /// The last position that the twin has applied.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.shared.applied.borrow()
    }

    /// Follows the last applied position.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.shared.applied.subscribe()
    }

    /// The last applied position and the root of the tree over the log up to it.
    #[must_use]
    pub fn root(&self) -> (Position, Hash) {
        let standing = self.standing();
        (
            standing.position,
            standing.root.unwrap_or(werkbuch_proof::EMPTY_ROOT),
        )
    }

    /// Where the numbering of each source stands.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceStatus> {
        self.standing().sources
    }

    /// The count of applied descriptions.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.standing().revision
    }

    fn standing(&self) -> Standing {
        self.shared
            .standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Hands an input to the loop and waits for its answer.
    /// Errors: `Overloaded` when its queue is full, `ShuttingDown`, and those of the input.
    pub(crate) async fn call<T>(
        &self,
        input: impl FnOnce(super::Reply<T>, tokio::sync::OwnedSemaphorePermit) -> Input,
    ) -> Result<T, EngineError> {
        let permit = Arc::clone(&self.shared.queue)
            .try_acquire_owned()
            .map_err(|_| {
                self.shared.meter.overloaded.add(1);
                EngineError::overloaded("the queue of the plant")
            })?;
        let (reply, answer) = oneshot::channel();
        self.inputs
            .send(input(reply, permit))
            .map_err(|_| EngineError::ShuttingDown)?;
        answer.await.map_err(|_| EngineError::ShuttingDown)?
    }
}
