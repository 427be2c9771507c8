//! The contract between the engine and whatever keeps its log.

use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use werkbuch_model::id::{
    LogId, MachineNumber, PlantId, Position, Sequence, SourceNumber, WriterEpoch,
};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash};
use werkbuch_record::block::{BlockBody, BlockHeader, SealedBlock};

use crate::disk::Room;
use crate::{LogFile, StoreError, Verified};

/// An append-only log of blocks for many plants.
///
/// Several threads use one store at the same time: one commits, others read. A reader never waits
/// for a sync.
pub trait Store: Send + Sync + Debug {
    /// Appends blocks of several plants, several of one plant in their order, and answers one
    /// outcome for each, in the order of the proposals.
    ///
    /// What must hold:
    /// - A block is [`Outcome::Committed`] only after a sync that covers it and its sample bodies
    ///   has returned. From then on every reader sees it, now and after any crash.
    /// - The blocks of one plant are gapless: a block is taken only at the position behind the last
    ///   one, and one of an older writer epoch is never taken.
    /// - Plants do not share their fate: each block stands or falls by itself, and a crash may keep
    ///   some blocks of a group and lose others. Of one plant it keeps a beginning.
    /// - After an error nothing of the group counts and nothing of it is served. Where the store
    ///   cannot know, it answers [`Outcome::Unknown`] and takes nothing more until it is reopened.
    fn commit(&self, group: Vec<Proposal>) -> Result<Vec<Outcome>, StoreError>;

    /// Where the log of each plant ends, in the order of their names. It covers what has been
    /// answered as committed, and nothing that has not been synced.
    fn ends(&self) -> Vec<PlantEnd>;

    /// The events of a plant from position `from` on, in blocks as they are stored, up to the last one that is
    /// committed when the iterator gets there. Checksums are verified before a block is given out;
    /// after an error the iterator ends. Beyond the end there are no blocks, which is no error.
    fn read(&self, plant: &PlantId, from: Position) -> Result<Blocks, StoreError>;

    /// The same, but the store may leave out blocks of which it knows that they hold no event of the
    /// machine, so that the history of one machine reads little. Number 0 stands for events that are
    /// about no machine.
    fn read_machine(
        &self,
        plant: &PlantId,
        from: Position,
        machine: MachineNumber,
    ) -> Result<Blocks, StoreError>;

    /// The position of the committed event that `source` numbered `sequence`, without reading a
    /// block. If a number stands in the log more than once, any of its positions may be answered.
    /// The memory that this takes does not grow with the log.
    fn find(
        &self,
        plant: &PlantId,
        source: SourceNumber,
        sequence: Sequence,
    ) -> Result<Option<Position>, StoreError>;

    /// The last block that begins at or before a recorded_at time; `None` if all begin later. If
    /// its latest recorded_at is not after the time, its last position is the answer to "what had
    /// been recorded by then"; else the answer lies in it, and the caller reads that one block.
    fn block_at(
        &self,
        plant: &PlantId,
        recorded_at: Timestamp,
    ) -> Result<Option<BlockBounds>, StoreError>;

    /// The sample body with this SHA-256 that an event recorded at that time names, or why it is not
    /// there. What is given out has been checked against the hash. An error says nothing of the body:
    /// the caller may ask again.
    fn body(
        &self,
        plant: &PlantId,
        hash: Hash,
        recorded_at: Timestamp,
    ) -> Result<FoundBody, StoreError>;

    /// Ends the file that takes the sample bodies of a plant if it is old enough at `now`, so that it
    /// can be deleted as a whole one day. Answers the time before which everything was recorded whose
    /// bodies lie in the oldest file that has ended, if there is one.
    fn seal_bodies(&self, plant: &PlantId, now: Timestamp)
    -> Result<Option<Timestamp>, StoreError>;

    /// Deletes sample bodies of a plant, whole files at a time.
    ///
    /// What must hold:
    /// - Only bodies go whose events were all recorded a lifetime before `now` or earlier.
    /// - What is gone is answered as [`FoundBody::Expired`] with this lifetime for ever, also after a
    ///   crash at any moment. The log is not touched. Only where the disk is so full that not even this
    ///   can be noted, room comes first: if the process ends before it is noted, [`FoundBody::Lost`] is
    ///   answered.
    /// - After an error some files may be gone and some not; the caller calls again later.
    fn expire_bodies(
        &self,
        plant: &PlantId,
        lifetime_ns: i64,
        now: Timestamp,
    ) -> Result<DeletedBodies, StoreError>;

    /// What the log takes on the disk, and what room is left there; for a person, not exact to the byte
    /// while something is being written.
    fn usage(&self) -> Result<Usage, StoreError>;

    /// How many bytes the log takes on the disk, with the sample bodies.
    fn bytes(&self) -> Result<u64, StoreError> {
        let usage = self.usage()?;
        let log = usage.hot_bytes.saturating_add(usage.sealed_bytes);
        Ok(log.saturating_add(usage.body_bytes))
    }

    /// The files of the log, for a person: first those that never change again.
    fn files(&self) -> Result<Vec<LogFile>, StoreError>;

    /// Reads every record of the log once more and holds it against everything else that is known:
    /// checksums, lengths, positions, the tree from the first event on, the indexes, sample bodies
    /// against the hashes that events name. `progress` is called now and then. The log must have been
    /// opened without [`Options::trusted`](crate::Options::trusted) if nothing is to be taken on trust.
    /// The first thing that is wrong is answered as [`StoreError::Damaged`], with its place; missing
    /// sample bodies are counted.
    fn verify(&self, progress: &mut dyn FnMut(&PlantId, &Verified))
    -> Result<Verified, StoreError>;

    /// Marks the log of every plant as closed in good order, syncs, and takes nothing more. Closing
    /// twice is no error. A store that has stopped does not mark anything and says so.
    fn close(&self) -> Result<(), StoreError>;
}

/// What a log takes on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The bytes of what is not sealed; of a store that seals nothing all but the sample bodies.
    pub hot_bytes: u64,
    /// The bytes of the segments.
    pub sealed_bytes: u64,
    /// How many segments there are.
    pub segments: u64,
    /// The bytes of the sample bodies.
    pub body_bytes: u64,
    /// The room that is kept for the last records of a full disk; 0 while there is none, or once they
    /// use it.
    pub reserve_bytes: u64,
    /// The room on the disk of the data folder, where the system tells it.
    pub room: Option<Room>,
}

/// The blocks of one plant, verified.
pub type Blocks = Box<dyn Iterator<Item = Result<StoredBlock, StoreError>> + Send>;

/// A block that wants to be committed.
///
/// Plant, expected position, writer epoch and log id are those in the block's header, so that they
/// cannot contradict it.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The block, with at least one event.
    pub block: SealedBlock,
    /// The tree over all events of the log up to and with this block. The store takes it as given,
    /// because the writer has hashed every event already; it checks that size and roots connect.
    pub tree: CompactRange,
    /// Sample bodies that events of the block name by their SHA-256; they are synced with it.
    pub bodies: Vec<(Hash, Bytes)>,
    /// Whether the block holds only records that must fit when the disk is full: that something was
    /// lost, refused or stopped. A group of nothing else may use the store's reserve.
    pub urgent: bool,
}

impl Proposal {
    /// A block without sample bodies.
    #[must_use]
    pub fn new(block: SealedBlock, tree: CompactRange) -> Self {
        Self {
            block,
            tree,
            bodies: Vec::new(),
            urgent: false,
        }
    }

    /// The plant of the block.
    #[must_use]
    pub fn plant(&self) -> &PlantId {
        &self.block.header().plant
    }

    /// The position at which the writer expects the block to begin.
    #[must_use]
    pub fn expected(&self) -> Position {
        self.block.header().first
    }

    /// The epoch of the writer.
    #[must_use]
    pub fn epoch(&self) -> WriterEpoch {
        self.block.header().epoch
    }
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The block is in the log, for ever.
    Committed {
        /// The number of its group.
        group: u64,
        /// The position of its last event.
        last: Position,
    },
    /// The log ends elsewhere than the block begins; nothing was written. Read the log from `last`
    /// on before going on.
    WrongPosition {
        /// The last position in the log.
        last: Position,
    },
    /// A writer of a later epoch has taken over; nothing was written. Stop writing.
    Fenced {
        /// The latest epoch.
        epoch: WriterEpoch,
    },
    /// The block contradicts itself or the log, which is an error in the writer; nothing of it was
    /// written. Stop writing for this plant and read its log again.
    Invalid {
        /// What does not fit.
        what: &'static str,
    },
    /// The block may be in the log or not. Do not acknowledge it; reopen the store and look.
    Unknown,
}

/// Where the log of a plant ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlantEnd {
    /// The plant.
    pub plant: PlantId,
    /// The id of its log.
    pub log_id: LogId,
    /// The position of the last event.
    pub last: Position,
    /// The tree over all events; its size is `last`.
    pub tree: CompactRange,
    /// The recorded_at of the last event.
    pub last_recorded_at: Timestamp,
    /// The latest writer epoch.
    pub epoch: WriterEpoch,
    /// Whether the log was closed in good order and nothing came after.
    pub closed: bool,
}

/// A sample body, or why it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundBody {
    /// It is there, and it is the one with the hash.
    Present(Vec<u8>),
    /// It was deleted, because its lifetime was over.
    Expired {
        /// The lifetime in nanoseconds, from the recording of the event on.
        lifetime_ns: i64,
    },
    /// It should be there, and its file is gone, ends before it or does not name it.
    Lost(BodyPlace),
    /// What lies in its place is something else or cannot be read.
    Damaged(BodyPlace),
}

impl FoundBody {
    /// The body, if it is there.
    #[must_use]
    pub fn present(self) -> Option<Vec<u8>> {
        match self {
            Self::Present(body) => Some(body),
            Self::Expired { .. } | Self::Lost(_) | Self::Damaged(_) => None,
        }
    }

    /// The same, with the place as it is seen from a folder.
    pub(crate) fn seen_from(self, folder: &Path) -> Self {
        let inside = |place: BodyPlace| BodyPlace {
            file: match place.file.strip_prefix(folder) {
                Ok(inside) => inside.to_owned(),
                Err(_) => place.file,
            },
            offset: place.offset,
        };
        match self {
            Self::Lost(place) => Self::Lost(inside(place)),
            Self::Damaged(place) => Self::Damaged(inside(place)),
            other => other,
        }
    }
}

/// Where a sample body should lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyPlace {
    /// The file, or the folder if no file is left that could hold it; seen from the data folder.
    pub file: PathBuf,
    /// The first byte, where it is known.
    pub offset: Option<u64>,
}

impl fmt::Display for BodyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.offset {
            Some(offset) => write!(f, " at byte {offset}"),
            None => Ok(()),
        }
    }
}

/// What a deletion of sample bodies removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeletedBodies {
    /// How many files.
    pub files: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

impl DeletedBodies {
    /// Whether nothing had expired.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.files == 0
    }
}

/// Which positions and times a block covers; the times are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockBounds {
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// The recorded_at of the first event.
    pub recorded_min: Timestamp,
    /// The recorded_at of the last event.
    pub recorded_max: Timestamp,
    /// The earliest effective_at.
    pub effective_min: Timestamp,
    /// The latest effective_at.
    pub effective_max: Timestamp,
}

impl BlockBounds {
    /// What a block covers, as its header says.
    pub(crate) fn of(header: &BlockHeader) -> Self {
        Self {
            first: header.first,
            last: header.last(),
            recorded_min: header.recorded_min,
            recorded_max: header.recorded_max,
            effective_min: header.effective_min,
            effective_max: header.effective_max,
        }
    }
}

/// A block as read from the log.
#[derive(Clone, Debug)]
pub struct StoredBlock {
    /// What the block says about itself.
    pub header: BlockHeader,
    /// Its events.
    pub body: BlockBody,
    /// The first position that was asked for. Blocks may be joined while somebody reads them; then this
    /// block holds events before it that the reader has had.
    pub from: Position,
}

impl StoredBlock {
    /// A block of which all events are wanted.
    #[must_use]
    pub fn new(header: BlockHeader, body: BlockBody) -> Self {
        let from = header.first;
        Self { header, body, from }
    }

    /// The events with their positions, from the position that was asked for on.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = (Position, &[u8])> + Clone {
        let first = self.header.first.get();
        let skipped = usize::try_from(self.from.get().saturating_sub(first)).unwrap_or(usize::MAX);
        // A header whose last position would overflow is refused when it is read.
        let position = move |at: usize| Position(first.saturating_add(at as u64));
        self.body
            .events()
            .enumerate()
            .skip(skipped)
            .map(move |(at, event)| (position(at), event))
    }
}
