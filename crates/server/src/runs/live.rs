//! One run: how far it is, told to everybody who watches.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;
use werkbuch_model::id::PlantId;
use werkbuch_wire::pb;

/// A run that is under way, or was.
pub(crate) struct Live {
    pub(crate) plant: PlantId,
    pub(super) request_id: String,
    run: watch::Sender<pb::Run>,
    cancelled: AtomicBool,
}

impl Live {
    pub(super) fn new(plant: PlantId, request_id: String, run: pb::Run) -> Self {
        Self {
            plant,
            request_id,
            run: watch::Sender::new(run),
            cancelled: AtomicBool::new(false),
        }
    }

    /// One of an earlier life of the server; what was under way then has failed.
    pub(super) fn ended(plant: PlantId, mut run: pb::Run) -> Self {
        if !is_over(&run) {
            run.state = pb::RunState::Failed.into();
            "INTERRUPTED".clone_into(&mut run.reason);
            "the server ended while it ran; begin it again".clone_into(&mut run.error);
        }
        Self::new(plant, String::new(), run)
    }

    pub(crate) fn run(&self) -> pb::Run {
        self.run.borrow().clone()
    }

    /// Changes it and tells who watches.
    pub(crate) fn change(&self, change: impl FnOnce(&mut pb::Run)) {
        self.run.send_modify(change);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<pb::Run> {
        self.run.subscribe()
    }

    pub(crate) fn has_ended(&self) -> bool {
        is_over(&self.run.borrow())
    }

    /// Asks it to end.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Whether a run is over, well or not.
pub(crate) fn is_over(run: &pb::Run) -> bool {
    !matches!(
        run.state(),
        pb::RunState::Unspecified | pb::RunState::Queued | pb::RunState::Running
    )
}
