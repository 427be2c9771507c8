//! What goes into the engine and what comes out of it.

use bytes::Bytes;
use werkbuch_model::event::{Refusal, SourceKind};
use werkbuch_model::id::{
    Epoch, MachineNumber, PlantId, Position, Sequence, SourceName, SourceNumber,
};
use werkbuch_model::plant::PlantFile;
use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;

/// Opens a source for reporting.
#[derive(Clone, Debug)]
pub struct OpenSource {
    /// The source's name.
    pub source: SourceName,
    /// What it is.
    pub kind: SourceKind,
    /// The life that it resumes; absent for a new source and for one that lost its counter.
    pub epoch: Option<Epoch>,
    /// How far its clock may lie from its gateway's, in nanoseconds; absent for its kind's default.
    pub tolerance_ns: Option<u64>,
    /// Machines whose numbers it wants to know.
    pub machines: Vec<String>,
}

/// An open source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSource {
    /// The handle that stands for plant, source and epoch in what is appended.
    pub session: u64,
    /// The source's number in the plant's log.
    pub number: SourceNumber,
    /// The source's life.
    pub epoch: Epoch,
    /// The number that the next new event should have.
    pub next_sequence: Sequence,
    /// How far its clock may lie from its gateway's, in nanoseconds.
    pub tolerance_ns: u64,
    /// The numbers of the machines asked for.
    pub machine_numbers: Vec<MachineNumber>,
}

/// A batch of events of one source.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The events, each the bytes of the message `Event`.
    pub events: Vec<Bytes>,
    /// The bodies of the sample batches among the events, in any order.
    pub bodies: Vec<Bytes>,
}

/// What became of a batch; it is synced when this is known.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The outcomes as runs, in the order of the batch.
    pub outcomes: Vec<Outcome>,
    /// The last position of the plant's log that is synced.
    pub position: Position,
}

/// What became of a run of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The first event's sequence.
    pub first_sequence: Sequence,
    /// How many events the run is of.
    pub count: u32,
    /// What became of them.
    pub result: OutcomeResult,
}

/// What became of an event, or of the first of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutcomeResult {
    /// Recorded now, at this position.
    Recorded(Position),
    /// Recorded before with the same content, at this position.
    Repeated(Position),
    /// Refused.
    Refused(Refusal),
}

impl Outcome {
    /// Whether the next event of the batch continues this run.
    pub(crate) fn takes(&self, sequence: Sequence, result: &OutcomeResult) -> bool {
        let count = u64::from(self.count);
        let next = |position: Position| Position(position.get().saturating_add(count));
        let follows = self.first_sequence.get().saturating_add(count) == sequence.get();
        follows
            && match (&self.result, result) {
                (OutcomeResult::Recorded(first), OutcomeResult::Recorded(position))
                | (OutcomeResult::Repeated(first), OutcomeResult::Repeated(position)) => {
                    next(*first) == *position
                }
                (OutcomeResult::Refused(first), OutcomeResult::Refused(refusal)) => {
                    first == refusal
                }
                _ => false,
            }
    }
}

/// Applies a plant description.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The description.
    pub file: PlantFile,
    /// The file's name, for messages.
    pub file_name: String,
    /// SHA-256 of the file.
    pub file_hash: [u8; 32],
    /// Only show the difference.
    pub dry_run: bool,
    /// Who applies it, as asserted by the caller; stored protected.
    pub who: String,
    /// Why.
    pub why: String,
}

/// What an application changed, or would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The plant.
    pub plant: PlantId,
    /// Whether the plant is new.
    pub created: bool,
    /// Whether changes have been recorded.
    pub recorded: bool,
    /// The count of applied descriptions.
    pub revision: u32,
    /// The changes, one line each.
    pub changes: Vec<String>,
    /// The position at which they took effect; 0 when nothing was recorded.
    pub position: Position,
}

/// What an answer reflects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reflected {
    /// The last position that it has taken in.
    pub position: Position,
    /// When that was recorded; 1970 for an empty log.
    pub recorded_at: Timestamp,
    /// The bound in plant time, if the question had one.
    pub at: Option<Timestamp>,
    /// How many events came late for that bound: they happened by then, and were recorded after the first
    /// event that had not. Absent without a bound, and where it was not counted.
    pub late: Option<u64>,
}

/// An event as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its position.
    pub position: Position,
    /// The bytes of the message `RecordedEvent`.
    pub bytes: Bytes,
}

/// Where a source's numbering stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceStatus {
    /// Its number in the plant's log.
    pub number: SourceNumber,
    /// Its name.
    pub name: SourceName,
    /// Its life.
    pub epoch: Epoch,
    /// What it is.
    pub kind: SourceKind,
    /// The greatest sequence seen.
    pub high: Sequence,
    /// How many sequences below it never came.
    pub missing: u64,
    /// In how many gaps.
    pub gaps: u32,
}

/// How far a replay goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayTo {
    /// To the end of the log.
    End,
    /// To this position.
    Position(Position),
    /// To the last event recorded at or before this time.
    Recorded(Timestamp),
}

/// The result of a replay.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The last folded position.
    pub position: Position,
    /// How many events were folded.
    pub events: u64,
    /// The digest of the state.
    pub digest: [u8; 32],
    /// The version of the fold.
    pub fold_version: u32,
    /// The root of the tree over the folded events.
    pub root: Hash,
    /// The time spent reading and folding, in nanoseconds.
    pub fold_ns: u64,
    /// The comparisons made.
    pub comparisons: Vec<Comparison>,
}

/// A comparison of a replay with what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What was compared: `live twin`, `recorded digest`, `snapshot`, `root`.
    pub with: String,
    /// The position at which.
    pub position: Position,
    /// How it came out.
    pub verdict: Verdict,
    /// More, for a person.
    pub detail: String,
}

/// How a comparison came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both are the same.
    Equal,
    /// They differ.
    Different,
    /// Nothing follows: another fold version, or something that could not be read.
    NotComparable,
}
