//! Everything that a plant's loop reacts to.

use super::rules::{ChangeRules, ChangedRules, RuleTurn};
use crate::api::{Appended, Applied, Apply, Batch, OpenSource, OpenedSource};
use crate::error::EngineError;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// The inputs of a plant's loop. Those of callers hold a permit of the plant's bounded queue.
#[derive(Debug)]
pub(crate) enum Input {
    /// A source reports.
    Append {
        /// The handle of the session that reports.
        session: u64,
        /// What it reports.
        batch: Batch,
        /// When it arrived in the engine.
        received: Instant,
        /// Where the answer goes.
        reply: Reply<Appended>,
        /// The place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// A source opens.
    Open {
        /// The handle that the new session gets.
        session: u64,
        /// What opens.
        request: OpenSource,
        /// Where the answer goes.
        reply: Reply<OpenedSource>,
        /// The place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// A description is applied.
    Apply {
        /// The description.
        request: Box<Apply>,
        /// Where the answer goes.
        reply: Reply<Applied>,
        /// The place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// Other rules are to apply.
    Rules {
        /// The rules.
        request: Box<ChangeRules>,
        /// Where the answer goes.
        reply: Reply<ChangedRules>,
        /// The place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// Rules have found something.
    Turns {
        /// The revision of the rules that did.
        revision: u32,
        /// What they raise and clear, in order.
        turns: Vec<RuleTurn>,
        /// Where the answer goes: whether each was recorded.
        reply: Reply<Vec<bool>>,
        /// The place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// A person confirms the clock.
    ConfirmClock {
        /// Where the answer goes: the position of the record, 0 when nothing had to be confirmed.
        reply: Reply<Position>,
        /// The place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// A question is about a time that is not past for the writer yet.
    Settle {
        /// The time: at most that of the writer's clock.
        time: Timestamp,
        /// Where the answer goes, when nothing more will be recorded at or before it.
        reply: Reply<Position>,
        /// The place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// The committer answers the oldest commit that is in flight.
    Committed(Result<(), EngineError>),
    /// The server closes: finish what has begun, write a snapshot, end.
    Close {
        /// Told when all is done.
        reply: Reply<()>,
    },
}
