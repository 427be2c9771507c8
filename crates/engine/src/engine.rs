//! The engine as a whole: the plants of a data folder, their loops and the committer.

use crate::access::AccessLog;
use crate::api::{Appended, Applied, Apply, Batch, OpenSource, OpenedSource};
use crate::aside;
use crate::clock::{Clock, SystemClock};
use crate::committer::{self, Committer};
use crate::error::EngineError;
use crate::keyring::KeyRing;
use crate::lifetime::Elapsed;
use crate::limits::{
    BATCH_EVENTS_MAX, PAST_EVERY, PAST_FOLDS_MAX, PAST_LOOK, PAST_MACHINES_KEPT, PLANT_CHANNEL,
    PLANT_QUEUE, SNAPSHOT_EVERY,
};
use crate::meter::{Meter, PlantMeter};
use crate::metered::MeteredDisk;
use crate::past::{Past, Recent};
use crate::plant::{Findings, Input, Loop, LoopParts, Plant, Repeats, Shared, Standing, feed};
use crate::recover;
use crate::revive::Recovery;
use crate::writer::Writer;
use dashmap::DashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot, watch};
use werkbuch_journal::disk::{Disk, RealDisk};
use werkbuch_journal::{RecoveryReport, Store, StoreKind, WAL_BYTES_MAX};
use werkbuch_model::id::{LogId, PlantId, Position};
use werkbuch_model::plant::{Description, describe, diff};
use werkbuch_twin::Twin;

/// How an engine is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder.
    pub data: PathBuf,
    /// The store that a new folder gets, and that an old one must have; nothing takes what is there.
    pub store: Option<StoreKind>,
    /// The build, as it is recorded when a log is opened for writing.
    pub build: String,
    /// Events between two snapshots of a plant.
    pub snapshot_every: u64,
    /// Events between two marks of a plant's past, from which questions about it are folded; 0 keeps
    /// none.
    pub past_every: u64,
    /// The length in bytes from which on a write-ahead file is followed by the next and sealed.
    pub wal_bytes_max: u64,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// How many events a second each plant folds at most after a start, so that those that answer have
    /// the processor; without it, as many as it can.
    pub recovery_rate: Option<u64>,
    /// The disk that the log lies on; the system's in production, a simulated one in tests.
    pub disk: Arc<dyn Disk>,
}

impl Options {
    /// The common options for a data folder.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            store: None,
            build: concat!("werkbuch ", env!("CARGO_PKG_VERSION")).to_owned(),
            snapshot_every: SNAPSHOT_EVERY,
            past_every: PAST_EVERY,
            wal_bytes_max: WAL_BYTES_MAX,
            clock: Arc::new(SystemClock::default()),
            recovery_rate: None,
            disk: Arc::new(RealDisk),
        }
    }
}

/// The running system over one data folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    options: Options,
    elapsed: Arc<Elapsed>,
    store: Arc<dyn Store>,
    kind: StoreKind,
    report: RecoveryReport,
    ring: Arc<KeyRing>,
    access: Arc<AccessLog>,
    meter: Arc<Meter>,
    pub(crate) plants: DashMap<PlantId, Plant>,
    recovery: Recovery,
    /// How many plants have been created, or have come back, since the opening.
    pub(crate) created: watch::Sender<usize>,
    /// The plant of each session, by its handle; long fenced ones are forgotten.
    sessions: Arc<DashMap<u64, PlantId>>,
    first_session: u64,
    next_session: AtomicU64,
    recent: Arc<Recent>,
    folds: Arc<Semaphore>,
    /// For those who go through logs to complete what is kept of the past.
    fills: Arc<Semaphore>,
    stopped: Arc<Mutex<Option<String>>>,
    trouble: Arc<Mutex<Option<String>>>,
    committer: Mutex<Option<Committer>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    closing: AtomicBool,
    /// Held while a plant is created, so that two callers do not create it twice.
    creating: tokio::sync::Mutex<()>,
    /// Held while sample bodies are deleted and while the store is closed.
    expiring: Mutex<()>,
    pub(crate) runtime: tokio::runtime::Handle,
}

impl Engine {
    /// Opens a data folder and brings every plant back to life before it returns.
    /// Errors: those of the journal (held, damaged, no rights), of a fold, of the key ring.
    pub async fn open(options: Options) -> Result<Engine, EngineError> {
        let engine = Self::begin(options).await?;
        engine.recovered().await?;
        Ok(engine)
    }

    /// Opens a data folder and begins to bring its plants back to life. Each answers once it is back;
    /// until then it says [`EngineError::Recovering`]. [`recovered`](Self::recovered) waits for them.
    /// Errors: those of the journal (held, damaged, no rights) and of the key ring.
    pub async fn begin(options: Options) -> Result<Engine, EngineError> {
        let runtime = tokio::runtime::Handle::current();
        let opening = move || Self::open_blocking(options, runtime);
        let engine = tokio::task::spawn_blocking(opening)
            .await
            .map_err(|error| EngineError::internal(format!("opening ended: {error}")))??;
        let begun = engine.clone();
        engine.inner.runtime.spawn(async move {
            if begun.recovered().await.is_ok() {
                begun.keep_expiring();
            }
        });
        Ok(engine)
    }

    fn open_blocking(
        options: Options,
        runtime: tokio::runtime::Handle,
    ) -> Result<Engine, EngineError> {
        let begin = Instant::now();
        let meter = Arc::new(Meter::default());
        let disk = MeteredDisk::new(Arc::clone(&options.disk), Arc::clone(&meter));
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let opened = recover::open(
            &disk,
            &options.data,
            (options.store, options.wal_bytes_max),
            false,
        )?;
        let ring = Arc::new(KeyRing::open(&options.data)?);
        let (committer, thread) =
            committer::start(Arc::clone(&opened.store), options.data.clone(), &meter)?;
        let first_session = first_session()?;
        let inner = Inner {
            access: Arc::new(AccessLog::new(&options.data)),
            store: opened.store,
            kind: opened.kind,
            report: opened.report,
            ring,
            meter,
            plants: DashMap::new(),
            recovery: Recovery::default(),
            created: watch::Sender::default(),
            sessions: Arc::default(),
            first_session,
            next_session: AtomicU64::new(first_session),
            recent: Arc::new(Recent::new(PAST_MACHINES_KEPT)),
            folds: Arc::new(Semaphore::new(PAST_FOLDS_MAX)),
            fills: Arc::new(Semaphore::new(1)),
            stopped: Arc::default(),
            trouble: Arc::default(),
            committer: Mutex::new(Some(committer)),
            threads: Mutex::new(vec![thread]),
            closing: AtomicBool::new(false),
            creating: tokio::sync::Mutex::new(()),
            expiring: Mutex::default(),
            runtime,
            elapsed: Arc::new(Elapsed::new(Arc::clone(&options.clock))),
            options,
        };
        let engine = Engine {
            inner: Arc::new(inner),
        };
        engine.revive_all(opened.snapshots, begin)?;
        Ok(engine)
    }

    pub(crate) fn revival(&self) -> &Recovery {
        &self.inner.recovery
    }

    pub(crate) fn recovery_rate(&self) -> Option<u64> {
        self.inner.options.recovery_rate
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.options.clock
    }

    pub(crate) fn data(&self) -> &Path {
        &self.inner.options.data
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.inner.meter
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// What opening the log found.
    #[must_use]
    pub fn recovery(&self) -> &RecoveryReport {
        &self.inner.report
    }

    /// Starts the loop of a plant.
    pub(crate) fn start(
        &self,
        writer: Writer,
        twin: Twin,
        after_clean_close: bool,
        last_snapshot: Position,
        opening: Option<oneshot::Sender<Result<Position, EngineError>>>,
    ) -> Result<Plant, EngineError> {
        let inner = &self.inner;
        let committer = inner
            .committer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let committer = committer.ok_or(EngineError::ShuttingDown)?;
        let (sender, receiver) = mpsc::sync_channel(PLANT_CHANNEL);
        let shared = Arc::new(self.shared(&writer, twin));
        let permit = Arc::clone(&shared.queue).try_acquire_owned().ok();
        let plant = Plant {
            shared: Arc::clone(&shared),
            inputs: sender.clone(),
        };
        let parts = LoopParts {
            shared,
            writer,
            committer,
            inputs: (sender, receiver),
            runtime: inner.runtime.clone(),
            build: inner.options.build.clone(),
            snapshot_every: inner.options.snapshot_every,
            after_clean_close,
            opening: opening.zip(permit),
        };
        let thread = std::thread::Builder::new()
            .name(format!("plant {}", plant.id()))
            .spawn(move || Loop::new(parts, last_snapshot).run())
            .map_err(|error| EngineError::internal(format!("no thread for a plant: {error}")))?;
        let mut threads = inner.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        drop(threads);
        self.fill_past(&plant);
        Ok(plant)
    }

    /// What the loop of a plant shares with those who ask.
    fn shared(&self, writer: &Writer, twin: Twin) -> Shared {
        let inner = &self.inner;
        Shared {
            id: writer.plant.clone(),
            log_id: writer.log_id,
            data: inner.options.data.clone(),
            store: Arc::clone(&inner.store),
            ring: Arc::clone(&inner.ring),
            access: Arc::clone(&inner.access),
            clock: Arc::clone(&inner.options.clock),
            elapsed: Arc::clone(&inner.elapsed),
            twin: RwLock::new(twin),
            applied: watch::Sender::new(writer.position),
            rules: watch::Sender::new(Arc::clone(&writer.rules)),
            findings: Findings::default(),
            feed: feed(),
            standing: Mutex::new(Standing::of(writer)),
            queue: Arc::new(Semaphore::new(PLANT_QUEUE)),
            sessions: Arc::clone(&inner.sessions),
            stopped: Arc::clone(&inner.stopped),
            trouble: Arc::clone(&inner.trouble),
            repeats: Repeats::default(),
            shown: Mutex::default(),
            recent: Arc::clone(&inner.recent),
            folds: Arc::clone(&inner.folds),
            past: Past::new(
                &inner.options.data,
                &writer.plant,
                inner.options.past_every,
                writer.position,
            ),
            meter: PlantMeter::default(),
            totals: Arc::clone(&inner.meter),
        }
    }

    /// Completes what is kept of a plant's past, in the background.
    fn fill_past(&self, plant: &Plant) {
        let shared = Arc::clone(&plant.shared);
        let fills = Arc::clone(&self.inner.fills);
        self.inner.runtime.spawn(async move {
            let past = Arc::downgrade(&shared);
            // One plant at a time: those that answer have the processor.
            let Ok(permit) = Arc::clone(&fills).acquire_owned().await else {
                return;
            };
            let _ = tokio::task::spawn_blocking(move || shared.fill_past()).await;
            drop(permit);
            divide_past(past, &fills, PAST_LOOK).await;
        });
    }

    /// The plants that answer, by name.
    #[must_use]
    pub fn plants(&self) -> Vec<Plant> {
        let mut plants: Vec<Plant> = self
            .inner
            .plants
            .iter()
            .map(|entry| entry.clone())
            .collect();
        plants.sort_by(|a, b| a.id().cmp(b.id()));
        plants
    }

    /// Follows how many plants have been created, or have come back, since the opening.
    #[must_use]
    pub fn watch_plants(&self) -> watch::Receiver<usize> {
        self.inner.created.subscribe()
    }

    /// A plant by its name. Errors: `UnknownPlant`; `Recovering` while it is not back after a start.
    pub fn plant(&self, id: &PlantId) -> Result<Plant, EngineError> {
        let find = || self.inner.plants.get(id).map(|plant| plant.clone());
        if let Some(plant) = find() {
            return Ok(plant);
        }
        match self.revival().error(id) {
            Some(error) => Err(error),
            // It may have come back between the two looks.
            None => find().ok_or_else(|| EngineError::UnknownPlant { plant: id.clone() }),
        }
    }

    /// A plant by its name; nothing where there is none. Errors: `Recovering`.
    fn plant_if_any(&self, id: &PlantId) -> Result<Option<Plant>, EngineError> {
        match self.plant(id) {
            Err(EngineError::UnknownPlant { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Opens a source of a plant for reporting; fences older sessions of the same source.
    /// Errors: `UnknownPlant`, `UnknownMachine`, `EpochFenced`, `UnknownEpoch`, those of writing.
    pub async fn open_source(
        &self,
        plant: &PlantId,
        request: OpenSource,
    ) -> Result<OpenedSource, EngineError> {
        self.check_open()?;
        let handle = self.plant(plant)?;
        let session = self.inner.next_session.fetch_add(1, Ordering::Relaxed);
        handle
            .call(|reply, permit| Input::Open {
                session,
                request,
                reply,
                permit,
            })
            .await
    }

    /// Records a batch. When it returns, what it says is synced.
    /// Errors: what concerns the batch as a whole; each event's own refusal is an outcome.
    pub async fn append(&self, session: u64, batch: Batch) -> Result<Appended, EngineError> {
        self.check_open()?;
        if batch.events.is_empty() {
            return Err(EngineError::EmptyBatch);
        }
        if batch.events.len() > BATCH_EVENTS_MAX {
            let events = batch.events.len();
            return Err(EngineError::BatchTooLarge {
                events,
                limit: BATCH_EVENTS_MAX,
            });
        }
        let plant = self.inner.sessions.get(&session).map(|plant| plant.clone());
        let handle = self.plant(&plant.ok_or_else(|| self.lost_session(session))?)?;
        handle
            .call(|reply, permit| Input::Append {
                session,
                batch,
                received: Instant::now(),
                reply,
                permit,
            })
            .await
    }

    /// Applies a plant description; the first one creates the plant.
    /// Errors: `PlantFile` with all mistakes, those of writing.
    pub async fn apply(&self, request: Apply) -> Result<Applied, EngineError> {
        self.check_open()?;
        let id = request.file.plant_id.clone();
        if let Some(plant) = self.plant_if_any(&id)? {
            return apply_to(&plant, request).await;
        }
        if request.dry_run {
            return dry_run(&request);
        }
        // A caller that gives up must not leave a plant behind that nobody knows.
        let engine = self.clone();
        let creating = tokio::spawn(async move { engine.create(id, request).await });
        creating
            .await
            .map_err(|error| EngineError::internal(format!("creating a plant ended: {error}")))?
    }

    async fn create(&self, id: PlantId, request: Apply) -> Result<Applied, EngineError> {
        let _creating = self.inner.creating.lock().await;
        self.check_open()?;
        if let Some(plant) = self.plant_if_any(&id)? {
            return apply_to(&plant, request).await;
        }
        let mut log_id = LogId::default();
        getrandom::fill(&mut log_id.0)
            .map_err(|_| EngineError::internal("the system gave no random bytes for a log id"))?;
        let writer = Writer::new(id.clone(), log_id);
        let plant = self.start(writer, Twin::new(id.clone()), false, Position(0), None)?;
        let applied = apply_to(&plant, request).await;
        if plant.position().get() > 0 {
            tracing::info!(plant = id.as_str(), "a plant is new");
            self.inner.plants.insert(id, plant);
            self.inner.created.send_modify(|created| *created += 1);
        } else {
            close_plant(&plant).await;
        }
        applied
    }

    /// Confirms a plant's clock after a jump of more than an hour forward. Returns the position of
    /// the record, 0 when nothing had to be confirmed.
    /// Errors: `UnknownPlant`, those of writing.
    pub async fn confirm_clock(&self, plant: &PlantId) -> Result<Position, EngineError> {
        self.check_open()?;
        let handle = self.plant(plant)?;
        handle
            .call(|reply, permit| Input::ConfirmClock { reply, permit })
            .await
    }

    /// Finishes what has begun, writes snapshots and marks the log as closed in good order. Later
    /// calls answer `ShuttingDown`. Closing twice is no error.
    /// Errors: the close mark could not be written.
    pub async fn close(&self) -> Result<(), EngineError> {
        if self.inner.closing.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        // A plant that is being created is finished first, so that it is closed as well.
        let _creating = self.inner.creating.lock().await;
        // Nor does one come back afterwards.
        let engine = self.clone();
        let joined = tokio::task::spawn_blocking(move || engine.revival().join());
        joined
            .await
            .map_err(|error| EngineError::internal(format!("closing ended: {error}")))?;
        for plant in self.plants() {
            close_plant(&plant).await;
        }
        self.inner
            .committer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let inner = Arc::clone(&self.inner);
        let end = move || {
            let threads =
                std::mem::take(&mut *inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
            for thread in threads {
                let _ = thread.join();
            }
            let _expiring = inner.expiring.lock();
            inner.store.close().map_err(EngineError::from)
        };
        tokio::task::spawn_blocking(end)
            .await
            .map_err(|error| EngineError::internal(format!("closing ended: {error}")))?
    }

    /// Why writing has stopped, for all plants or one of them; nothing while it goes on.
    #[must_use]
    pub fn stopped(&self) -> Option<String> {
        self.inner
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Why the last commit failed, when writing goes on by itself once the cause is gone.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.inner
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The name of the store that keeps the log.
    #[must_use]
    pub fn store_name(&self) -> &'static str {
        self.inner.kind.name()
    }

    /// Why a session is not known: it was fenced long ago, or it is of another run of the server.
    fn lost_session(&self, session: u64) -> EngineError {
        let given = self.inner.first_session..self.inner.next_session.load(Ordering::Relaxed);
        if given.contains(&session) {
            return EngineError::SessionFenced {
                source_name: "of this session".to_owned(),
            };
        }
        EngineError::UnknownSession
    }

    /// Waits for its turn to delete sample bodies.
    pub(crate) fn expiring(&self) -> MutexGuard<'_, ()> {
        let expiring = self.inner.expiring.lock();
        expiring.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn check_open(&self) -> Result<(), EngineError> {
        if self.inner.closing.load(Ordering::SeqCst) {
            return Err(EngineError::ShuttingDown);
        }
        Ok(())
    }
}

/// What a first application would change.
fn dry_run(request: &Apply) -> Result<Applied, EngineError> {
    let nothing = Description::default();
    let changes =
        diff(&nothing, &request.file).map_err(|mistakes| EngineError::PlantFile { mistakes })?;
    Ok(Applied {
        plant: request.file.plant_id.clone(),
        created: true,
        recorded: false,
        revision: 0,
        changes: changes
            .iter()
            .map(|change| describe(change, &nothing))
            .collect(),
        position: Position(0),
    })
}

async fn apply_to(plant: &Plant, request: Apply) -> Result<Applied, EngineError> {
    let request = Box::new(request);
    plant
        .call(|reply, permit| Input::Apply {
            request,
            reply,
            permit,
        })
        .await
}

async fn close_plant(plant: &Plant) {
    let (reply, done) = oneshot::channel();
    if plant.inputs.send(Input::Close { reply }).is_ok() {
        let _ = done.await;
    }
}

/// Handles begin at a random number, so that one of before a restart is not taken for a new one.
fn first_session() -> Result<u64, EngineError> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random)
        .map_err(|_| EngineError::internal("the system gave no random bytes for sessions"))?;
    Ok((u64::from_le_bytes(random) >> 16 << 15) | 1)
}

/// Looks every so often whether marks of a plant's past are to be put between others and whether there is
/// time for it, and does so, one plant after the other. Ends with the plant.
pub(crate) async fn divide_past(past: Weak<Shared>, fills: &Semaphore, look: Duration) {
    let mut seen = Position(0);
    loop {
        tokio::time::sleep(look).await;
        let Some(shared) = past.upgrade() else { return };
        match shared.past.may_divide(&mut seen) {
            None => return,
            Some(false) => continue,
            Some(true) => {}
        }
        let Ok(_permit) = fills.acquire().await else {
            return;
        };
        let divided = aside::answer(move |reply| {
            shared.divide_past(seen);
            let _ = reply.send(());
        });
        let _ = divided.await;
    }
}
