//! What can go wrong in the running system, each with what the caller may do next.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use werkbuch_journal::StoreError;
use werkbuch_model::event::ClockJumped;
use werkbuch_model::id::{Epoch, PlantId, Position};
use werkbuch_model::plant::Mistake;
use werkbuch_twin::FoldError;

/// Why the engine could not do what it was asked. Cheap to clone: one failed group tells many.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No description of a plant of this name was ever applied. Apply one.
    #[error("there is no plant \"{plant}\"; apply its description with: werkbuch plant apply FILE")]
    UnknownPlant {
        /// The plant asked for.
        plant: PlantId,
    },
    /// The plant is being folded from its log, as after a start without a snapshot. Try again after the
    /// delay.
    #[error(
        "plant \"{plant}\" is being folded from its log since the server started: {percent} % are done \
         ({done} of {last} events); try again in {} ms", retry.as_millis()
    )]
    Recovering {
        /// The plant.
        plant: PlantId,
        /// How much is done, in percent.
        percent: u64,
        /// The last position that is folded.
        done: u64,
        /// The last position of the log.
        last: u64,
        /// When to try again.
        retry: Duration,
    },
    /// The plant's description has no such machine. Ask for one that it has, or apply one that has it.
    #[error("plant \"{plant}\" has no machine \"{machine}\"")]
    UnknownMachine {
        /// The plant.
        plant: PlantId,
        /// The machine asked for.
        machine: String,
    },
    /// No such rule applies. Ask which do.
    #[error("plant \"{plant}\" has no rule \"{rule}\"{near}")]
    UnknownRule {
        /// The plant.
        plant: PlantId,
        /// The rule asked for.
        rule: String,
        /// The nearest name, as a clause; empty for none.
        near: String,
    },
    /// The session is not known, as after a restart of the server. Open the source again.
    #[error("the session is not known, as after a restart of the server; open the source again")]
    UnknownSession,
    /// A newer session has opened the source. Only one process may report as one source.
    #[error("source \"{source_name}\" has been opened by a newer session, which fences this one")]
    SessionFenced {
        /// The source with its epoch.
        source_name: String,
    },
    /// The source has moved on to a newer epoch. Open it without an epoch for the next one.
    #[error(
        "source \"{source_name}\" has been opened in epoch {latest}, which fences epoch {asked}"
    )]
    EpochFenced {
        /// The source's name.
        source_name: String,
        /// The epoch asked for.
        asked: Epoch,
        /// The newest epoch.
        latest: Epoch,
    },
    /// The source never had this epoch. Open it without an epoch for the next one.
    #[error("source \"{source_name}\" has never had epoch {asked}; its newest is {latest}")]
    UnknownEpoch {
        /// The source's name.
        source_name: String,
        /// The epoch asked for.
        asked: Epoch,
        /// The newest epoch, 0 when there is none.
        latest: Epoch,
    },
    /// The batch holds no event. Send at least one.
    #[error("the batch holds no event")]
    EmptyBatch,
    /// The batch holds too many events. Send them in several batches.
    #[error("the batch holds {events} events, at most {limit} are taken at once")]
    BatchTooLarge {
        /// How many it holds.
        events: usize,
        /// How many it may hold.
        limit: usize,
    },
    /// A queue is full. Try again after the delay.
    #[error("{what} is full; try again in {} ms", retry.as_millis())]
    Overloaded {
        /// Which queue.
        what: &'static str,
        /// When to try again.
        retry: Duration,
    },
    /// The plant's wall clock jumped forward. A person must look at it and confirm it.
    #[error(
        "the clock of plant \"{plant}\" jumped from {} to {}; look at the server's clock, then confirm \
         it with: werkbuch plant confirm-clock {plant}", jump.expected, jump.found
    )]
    ClockUnconfirmed {
        /// The plant.
        plant: PlantId,
        /// The jump.
        jump: ClockJumped,
    },
    /// The instant cannot be asked about.
    #[error("{what}")]
    InvalidInstant {
        /// Why.
        what: String,
    },
    /// The plant file has mistakes. Mend them all.
    #[error("the plant file has {} mistake(s)", mistakes.len())]
    PlantFile {
        /// The mistakes, in the order of the file.
        mistakes: Vec<Mistake>,
    },
    /// The log was written by a newer build. Use that one.
    #[error("the log of plant \"{plant}\" needs a newer build: {cause}")]
    FormatNewer {
        /// The plant.
        plant: PlantId,
        /// What the fold said.
        cause: String,
    },
    /// The server is closing. Connect again later.
    #[error("the server is closing")]
    ShuttingDown,
    /// The access log cannot be written, so nothing protected is read.
    #[error("the access log \"{}\" cannot be written, so nothing protected is read: {cause}", path.display())]
    AccessLog {
        /// The access log.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The journal failed; its error says how.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The recorded events do not fold, which no source can bring about.
    #[error("the log of plant \"{plant}\" does not fold at position {position}: {cause}")]
    Fold {
        /// The plant.
        plant: PlantId,
        /// Where.
        position: Position,
        /// What the fold said.
        cause: String,
    },
    /// A file beside the log could not be used.
    #[error("could not {action} \"{}\": {cause}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Arc<std::io::Error>,
    },
    /// An error in the product itself.
    #[error("{what}")]
    Internal {
        /// What happened.
        what: String,
    },
}

impl EngineError {
    pub(crate) fn io(action: &'static str, path: &Path, cause: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            cause: Arc::new(cause),
        }
    }

    pub(crate) fn internal(what: impl Into<String>) -> Self {
        Self::Internal { what: what.into() }
    }

    pub(crate) fn fold(plant: &PlantId, position: Position, error: &FoldError) -> Self {
        Self::Fold {
            plant: plant.clone(),
            position,
            cause: error.to_string(),
        }
    }

    pub(crate) fn overloaded(what: &'static str) -> Self {
        Self::Overloaded {
            what,
            retry: crate::limits::RETRY_AFTER,
        }
    }
}
