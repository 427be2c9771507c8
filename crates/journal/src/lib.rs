//! The append-only log behind one small store trait.
//!
//! # What it is
//!
//! A [`Store`] keeps the events of many plants as blocks: it commits groups of blocks, durably and
//! at expected positions, and reads them back verified. [`Segments`] is the default store, our own
//! files in a data folder; [`Sled`] is a second one. What the first wants from a disk is the small
//! trait [`disk::Disk`], so that
//! tests put a simulated one under it that loses power, fills up and fails on demand (feature
//! `simulated`).
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use werkbuch_journal::disk::RealDisk;
//! use werkbuch_journal::{Options, Outcome, Proposal, Segments, Store};
//! use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber, WriterEpoch};
//! use werkbuch_model::time::Timestamp;
//! use werkbuch_proof::{CompactRange, leaf_hash};
//! use werkbuch_record::block::BlockBuilder;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let (store, report) = Segments::open(Arc::new(RealDisk), folder.path(), &Options::default())?;
//! assert!(report.cuts.is_empty() && store.ends().is_empty());
//!
//! // The writer of a plant fills a block, and grows the plant's tree by the same events.
//! let plant = PlantId::new("PLT-07")?;
//! let mut tree = CompactRange::new();
//! let root = *tree.root().as_bytes();
//! let mut block = BlockBuilder::new(LogId([7; 16]), plant.clone(), WriterEpoch(1), Position(1), root);
//! let event = b"press 7 runs";
//! block.push(event, Timestamp(1), Timestamp(1), SourceNumber(3), Sequence(40))?;
//! tree.append(leaf_hash(event));
//!
//! let outcomes = store.commit(vec![Proposal::new(block.finish(), tree)])?;
//! assert_eq!(outcomes, [Outcome::Committed { group: 1, last: Position(1) }]);
//!
//! let blocks = store.read(&plant, Position(1))?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(blocks[0].body.event(0), Some(event.as_slice()));
//! assert_eq!(store.find(&plant, SourceNumber(3), Sequence(40))?, Some(Position(1)));
//! store.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Why
//!
//! - 2026-11-22: **one write-ahead file for all plants**, so that a group costs one sync however many
//!   plants are in it. Sealing separates the plants later.
//! - 2026-11-22: **a torn group is neutralised in place.** Recovery cuts the file behind the last
//!   block that is kept and writes voids over the torn blocks before it. Copying what is kept to
//!   another file would need a rule for a power cut between the two files; in place every step can
//!   simply be repeated.
//! - 2026-11-22: **the last group is written again whenever a log is opened**, byte for byte. After a
//!   failed sync the system may hold in memory, and show to a reader, what the disk never got; a
//!   second write and a sync that succeeds make it sure before anything is built on it.
//! - 2026-11-22: **the header and the length of the last file are made sure in the same way.** The
//!   simulation (`tests/simulation.rs`) found that a file whose header, or whose cut, a failed sync had
//!   left in memory was built on after a restart, and lost or took back events at the next power cut.
//! - 2026-11-22: **one seed fixes everything in the simulation**: the disk, its time, chance and the order
//!   of all steps. It drives a store from one thread, sealing included, because a failure that cannot be
//!   replayed teaches nothing. The engine has threads; its tests with failing disks stand in its crate.
//! - 2026-11-22: **a file with the mark that the log is closed is sealed only once something follows it**,
//!   because a segment has no place for the mark.
//! - 2026-11-22: **small text files end with a checksum of their text**, and the catalogue is read back
//!   before it replaces the one that holds: a bit that flips there must be told as one in a block is.
//! - 2026-11-22: **a file is not continued behind a clean-close mark.** Otherwise a torn first group
//!   after a restart could not be told from a damaged end of a closed log.
//! - 2026-11-22: **what is sealed is left out at a start**: the catalogue says where each plant's log ends
//!   and gives its tree, so a start reads write-ahead files only. What a segment holds is checked
//!   whenever it is read.
//! - 2026-11-22: **the numbers of sealed events are looked up in their segments**, in pages of bounded
//!   length, because a source that sends ten years of its past again must be answered right without a
//!   table of ten years in memory.
//! - 2026-11-22: **small segments are merged by eights**, none longer than the others together: quiet
//!   plants leave few files, and a byte is written again about once for each eightfold length. The files
//!   of merged segments go with their last reader, so that nobody has to look again.
//! - 2026-11-23: **one machine's history is read by bits, not along its chain.** Each event names the one
//!   before it of the same machine, which is what a proof of completeness follows; to read, a segment
//!   says in one bit for each block and machine where the machine speaks, so that a history of years is
//!   read forward, in order and block by block, where a chain would fetch one block for each event.
//! - 2026-11-22: **the writer hands in the tree with the block.** It has hashed each event already;
//!   the store checks that sizes and roots connect, and recovery hashes again.
//! - 2026-11-22: **a proposal that contradicts the log is an outcome, not an error**, so that a
//!   mistake in one plant does not take the group of the others with it.
//! - 2026-11-22: **stores share their contract and nothing of their making**: the rules by which a
//!   proposal is judged, the folder's marker and the sample bodies. A second store ([`Sled`]) keeps the
//!   trait honest, and a copy from one into the other is compared root by root.
//! - 2026-11-22: **sled is flushed and then synced by us**, because its own flush is no fsync on Linux;
//!   each of its settings has its reason at the code. Its writes do not go through [`disk::Disk`], so
//!   its power-cut test compares its file as it was at each of our syncs.
//! - 2026-11-23: **beside the database stands what was acknowledged** (`sled/witness.rs`), because sled takes a
//!   flipped bit at the live end of its file for a power cut and leaves out what lies behind it. The notes
//!   are synced with the next group, beside the database's own sync: a second sync in a row would double
//!   the time of an acknowledgement, and a note written before the sync could say too much.
//! - 2026-11-23: **with a witness a start of sled does not hash the log**: the tree at its end is known twice
//!   over, and each block has its checksum. Indexes are counted at each start, because an entry that is
//!   missing there would be a repeat recorded twice.
//! - 2026-11-22: **each store tells of its files and verifies itself**, as part of the contract: what is to be
//!   held against what differs (tables of segments here, trees of keys there), and who asks is answered
//!   in the same words.
//! - 2026-11-22: **sample bodies are deleted by the file**, and the lifetime counts from recorded_at: it
//!   alone never goes back in a log, and no source's clock can make bodies vanish at once or stay for
//!   ever. The start in each file's header bounds what lies before it, so that nothing need be read to
//!   know what has expired, and an old file is opened when somebody asks.
//! - 2026-11-22: **a deletion is noted before it is done**, with the lifetime that was over. A lifetime
//!   that is lengthened later then does not turn what expired into what was lost.
//! - 2026-11-22: **what nothing names is removed only where the log has it too.** A segment without its
//!   catalogue may be all that is left of its events, so a start refuses it; files of other names are
//!   left alone. The first write-ahead file behind what is sealed must be there, whole header and all.
//! - 2026-11-22: **a block of a newer version is no torn end**: its checksum is right, so the build that
//!   wrote it is asked for and nothing is cut.
//! - 2026-11-22: **a file of bodies is not continued by a later process.** Its end may be torn, or be
//!   left in memory only by a sync that failed; so a start reads no bodies, and cuts none: a tear and
//!   damage look alike, and of damage the user wants to be told.

pub mod disk;

mod bodies;
mod copy;
mod cursor;
mod error;
mod index;
mod inspect;
mod judge;
mod kind;
mod marker;
mod segments;
mod sled;
mod store;
mod text;
mod window;

pub use self::sled::Sled;
pub use bodies::{BODY_FILE_BYTES_MAX, BODY_FILE_SPAN_NS, SAMPLE_BODY_BYTES_MAX};
pub use copy::copy;
pub use error::{Damage, Forgotten, StoreError};
pub use inspect::{FileKind, LogFile, LogPart, Verified};
pub use kind::{Opened, StoreKind, open};
pub use segments::{Cut, Options, RecoveryReport, Segments, Trusted, WAL_BYTES_MAX};
pub use store::{
    BlockBounds, Blocks, BodyPlace, DeletedBodies, FoundBody, Outcome, PlantEnd, Proposal, Store,
    StoredBlock, Usage,
};

#[cfg(test)]
mod tests;
