//! Why an event cannot be folded, and why snapshot bytes cannot be taken.

use werkbuch_model::id::{Position, SourceNumber};
use werkbuch_model::plant::DescriptionError;

/// Why an event was not folded. The twin is as it was before the call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// The event is not the next one. Feed the events of one plant in the order of their positions
    /// from the position after [`crate::Twin::position`]; a twin of the past takes leaps forward.
    #[error(
        "event {found} cannot follow event {last} in the twin, a twin takes every event once, in order"
    )]
    OutOfTurn {
        /// The last folded position.
        last: Position,
        /// The position of the event.
        found: Position,
    },
    /// What follows needs a newer reader. Start a newer release; this one must not go on.
    #[error(
        "event {position} asks for readers of format {minimum}, this build reads up to {readable}"
    )]
    FormatTooNew {
        /// The position of the event.
        position: Position,
        /// The least format version that can fold what follows.
        minimum: u32,
        /// The newest format version of this build.
        readable: u32,
    },
    /// A change of the plant's description contradicts the description. The log is damaged, or was
    /// written by a build with other rules: verify it.
    #[error(
        "event {position} changes the plant's description in a way that does not apply: {cause}"
    )]
    Description {
        /// The position of the event.
        position: Position,
        /// What does not apply.
        #[source]
        cause: DescriptionError,
    },
    /// A part of a description's revision came out of turn. The log is damaged: verify it.
    #[error(
        "event {position} is part {part} of revision {revision} of the plant's description, but the parts before it are missing"
    )]
    DescriptionPart {
        /// The position of the event.
        position: Position,
        /// The revision.
        revision: u32,
        /// The number of the part.
        part: u32,
    },
    /// The source was never opened. Fold from the first event on, or from a snapshot; a twin of the
    /// past must be given the writer's own events as well.
    #[error("event {position} names source {source_number}, which was never opened in this log")]
    UnknownSource {
        /// The position of the event.
        position: Position,
        /// The source's number.
        source_number: SourceNumber,
    },
    /// A source's number was given twice. The log is damaged: verify it.
    #[error(
        "event {position} opens source {source_number}, a number that is 0 or taken by another source"
    )]
    SourceTaken {
        /// The position of the event.
        position: Position,
        /// The source's number.
        source_number: SourceNumber,
    },
}

/// Why a twin cannot be written to or read from snapshot bytes. Snapshots are disposable: on any of
/// these drop the snapshot and fold the log instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The bytes do not begin like a snapshot.
    #[error("the bytes are not a snapshot of a twin")]
    NotASnapshot,
    /// The snapshot is of another build's layout or fold.
    #[error(
        "the snapshot has layout {layout} and fold {fold}, this build takes layout {own_layout} and fold {own_fold}"
    )]
    OtherVersion {
        /// The snapshot's layout.
        layout: u32,
        /// The fold that made its state.
        fold: u32,
        /// The layout of this build.
        own_layout: u32,
        /// The fold of this build.
        own_fold: u32,
    },
    /// The snapshot is cut off or has more bytes than it says.
    #[error("the snapshot should have {expected} bytes of content and has {found}")]
    Length {
        /// What its header says.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// The snapshot is larger than any twin.
    #[error("the snapshot has {found} bytes of content, at most {most} are taken")]
    TooLarge {
        /// What there is.
        found: u64,
        /// The most that is taken.
        most: u64,
    },
    /// The checksum does not match the content.
    #[error("the snapshot's content does not match its checksum")]
    Checksum,
    /// The content could not be written or read although its checksum matches.
    #[error("the snapshot's content cannot be coded: {0}")]
    Coding(String),
    /// The content can be read and contradicts itself.
    #[error("the snapshot's content contradicts itself: {0}")]
    Inconsistent(&'static str),
}
