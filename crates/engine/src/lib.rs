//! The running system: validate, order, commit, apply, publish.
//!
//! # The life of an event
//!
//! 1. A source reads a machine, stamps the event and numbers it, and keeps it until it is
//!    acknowledged.
//! 2. A batch arrives at [`Engine::append`] and waits in the bounded queue of its plant.
//! 3. The plant's loop (`plant`) decides about each event (`batch`): a repeat, refused with a reason
//!    of its own, or new.
//! 4. A new one gets its position, times, flags and rank (`recorder`); its bytes are encoded, hashed
//!    into the plant's tree and put into a block.
//! 5. The committer joins and packs the blocks of all plants that wait, writes them and syncs once.
//! 6. Only then the twin applies the events, the source is answered, and followers hear the position.
//! 7. Questions ([`Plant::ask`]) read the live twin under a short lock, or a fold of the past.
//! 8. Now and then the digest of the state is recorded and a snapshot written.
//!
//! # Example
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # runtime.block_on(async {
//! use werkbuch_engine::{Apply, Engine, Options};
//! use werkbuch_model::{id::PlantId, instant::Instant, plant};
//!
//! let folder = tempfile::tempdir()?;
//! let engine = Engine::open(Options::new(folder.path())).await?;
//! let text = "[plant]\nid = \"PLT-07\"\n[[machine]]\nid = \"press-3\"\ntype = \"press\"\n";
//! let file = plant::parse(text, "plant.toml").map_err(|mistakes| format!("{mistakes:?}"))?;
//! let apply = Apply {
//!     file, file_name: "plant.toml".into(), file_hash: [0; 32], dry_run: false,
//!     who: "anna".into(), why: "first".into(),
//! };
//! assert!(engine.apply(apply).await?.created);
//! let plant = engine.plant(&PlantId::new("PLT-07")?)?;
//! let (machines, reflected) =
//!     plant.ask(Instant::NOW, |twin| twin.description().machines().count()).await?;
//! assert_eq!((machines, reflected.position.get()), (1, 3));
//! engine.close().await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok(())
//! # }
//! ```
//!
//! # Why
//!
//! - 2026-11-22: names that are keys of the plant's state (buffers, places of parts, units) must be in the
//!   description; all other names are recorded as the texts that they are.
//! - 2026-11-22: one thread for each plant, and one that commits. A plant that reads its log for a
//!   correction or fails to fold holds up nobody else, and the loop reads like a list.
//! - 2026-11-22: packing is with the committer. It took a tenth of a plant's thread, needs nothing of
//!   what the plant knows, and there the small batches that wait can become one block.
//! - 2026-11-22: what the writer knows is a fold over its own log (`writer`), so that a start and the
//!   forgetting of a failed commit take the same, tested way.
//! - 2026-11-22: known numbers are compared with what is recorded after everything before them is
//!   synced, outside of the loop: a repeat never answers earlier than its original.
//! - 2026-11-22: an event that a live gateway has "observed" further ahead of the writer's clock than
//!   its tolerance takes effect when it is recorded (and is suspect): else one gateway that says 2200
//!   would hold a machine's state until then.
//! - 2026-11-22: the writer holds the twin's description and not its own copy, which was a fifth of a
//!   fleet's memory; a start reads snapshots on all cores, because decoding them is most of it.
//! - 2026-11-22: a start ends for each plant by itself (`revive`): those with the least to fold come first
//!   and answer at once, the others say how far they are. One long log then does not keep the other
//!   plants from being reported to.
//! - 2026-11-22: what is measured is counted in atomics, once for each batch and not for each event;
//!   syncs are timed at the disk itself (`metered`), so that every store is measured alike.
//! - 2026-11-22: what every event looks up (its machine's last position, the ranks of sources) is found
//!   in one step or not looked up at all: in trees of thousands of machines these few words were an
//!   eighth of a plant's core time, nearly all of it waiting for memory. With many plants both cores are
//!   busy, so that only core time per event, not more threads, makes the whole faster.
//! - 2026-11-22: applied batches are handed to followers as they are, through a channel that forgets
//!   the oldest: a slow follower costs the writer nothing and goes on from the log.
//! - 2026-11-23: a question about the past begins with a mark (`past`) and not with the first event. A
//!   mark lies at a position, since the live twin stands at positions and costs nothing to write down
//!   aside; that plant time runs otherwise is made good by what came late, which is kept by how far it
//!   reaches. A property holds every answer to a fold of the whole log.
//! - 2026-11-23: marks are changes since an earlier one, because each slot knows which event gave it: whole
//!   ones took 370 bytes an event with 5,000 machines. Which earlier one is a tree over their numbers
//!   (`past/row`): when each was the change since the one before, 190 bytes an event did, but up to thirty
//!   files were read for a question, and a file that the system has let go of costs a seek; now it is 230
//!   bytes and five files. What a correction lets hold again is older than the mark before, so behind one a
//!   mark is whole.
//! - 2026-11-23: machines lie in pages of 64 in a mark, each with its checksum. Half of what an instant costs
//!   is making machines of bytes; pages are read apart, so that both cores share it, and one machine alone
//!   reads one page of each mark. Of what other machines did behind it it reads the outline, unless a kind of
//!   event may move what the plant keeps beside its machines: that halved the question.
//! - 2026-11-23: a mark every 2,048 events. With 5,000 machines marks every 1,024, 2,048, 4,096 and 8,192 (at a
//!   rate at which some were left out, so that they took a third less room than all of them)
//!   take 185, 130, 122 and 117 bytes an event, and a plant stands after 7.0, 7.5, 8.5 and 9.5 ms: below
//!   2,048 whole marks come too often, above it the log behind the mark is what costs.
//! - 2026-11-23: whoever imports a year reports faster than marks can be written, and the plant does not wait
//!   for them: intervals of a hundred thousand events were left, and one question in a hundred took three times
//!   as long. They are divided afterwards (`past/divide`), where nothing is due. That the marks behind still fit
//!   rests on a fold giving texts the same numbers each time; it is looked at before anything is replaced.
//! - 2026-11-23: twins of the past that must go leave their machines' memory to the next ones
//!   (`past/recent`): allocating and freeing fifteen thousand pieces took two fifths of a question, and on
//!   both cores at once; without it core time fell from 12.1 to 7.6 ms. Another allocator (mimalloc) was
//!   tried first: as fast in the middle, twice as slow at p99, and 150 bytes more for each machine.
//! - 2026-11-22: for an event without `observed_at` the writer's clock stands in for a gateway's.
//! - 2026-11-22: sample bodies are deleted by a clock that is the earlier of the wall clock and of what
//!   the monotonic clock or the log vouches for (`lifetime`): a wall clock that jumps ahead must not
//!   delete what nobody can bring back. A plant that declares no lifetime keeps its bodies for ever.
//! - 2026-11-23: the past is folded in threads that stand back (`aside`): on a machine whose cores are all
//!   taken, a question about last week may wait, but a report and a question about now may not.
//! - 2026-11-23: an instant that was asked for is kept for a while, because lists are read page after
//!   page and machines one after the other. What was known at a position never changes, so what is kept
//!   is right for ever and needs no rule by which it grows old.
//! - 2026-11-23: the engine too runs under a seed (`tests/simulation.rs`), one request at a time: the order of
//!   operations on the disk is then fixed, though threads are not. It found that a plant which could not read
//!   its log after a failed write answered for ever with that passed failure; it now says that it stopped.
//! - 2026-11-23: the writer knows which rules apply and what is raised (`rules`), as a fold of its own log: so
//!   it alone decides that nothing is raised twice, and a crash changes nothing about that. What was raised at
//!   an instant of the past is found backwards along a chain of those records, because it is asked seldom.
//! - 2026-11-23: what rules found is kept in memory once it was asked for (`plant/findings`): each finding lies in
//!   a block of its own, and a list of machines of last week walked through a thousand of them for every page.

mod access;
mod api;
mod aside;
mod batch;
mod clock;
mod committer;
mod correct;
mod engine;
mod error;
mod figures;
mod heads;
mod identity;
mod keyring;
mod lifetime;
pub mod limits;
mod meter;
mod metered;
mod names;
mod past;
mod plant;
mod protect;
mod recorder;
mod recover;
mod replay;
mod revive;
mod rules;
mod snapshots;
mod writer;

#[cfg(test)]
mod tests;

pub use api::{
    Appended, Applied, Apply, Batch, Comparison, OpenSource, OpenedSource, Outcome, OutcomeResult,
    Reflected, Replay, ReplayTo, SourceStatus, StoredEvent, Verdict,
};
pub use aside::run as aside;
#[cfg(any(test, feature = "test-clock"))]
pub use clock::ManualClock;
pub use clock::{Clock, SystemClock};
pub use engine::{Engine, Options};
pub use error::EngineError;
pub use figures::{Distribution, Figures, Lag, PlantFigures};
pub use past::Marks;
pub use plant::{
    ChangeRules, ChangedRules, Follow, Piece, Plant, RuleSet, RuleTurn, Ruled, SampleBody, Step,
    Stored, StoredEvents, Survey, is_protected,
};
pub use replay::{fold_log, replay_folder};
pub use revive::Recovering;
pub use rules::{KeptRule, Raised, RaisedRules, RuleBook, RuleRevision};
#[cfg(feature = "fuzz")]
pub use snapshots::decode_snapshot;
pub use snapshots::vouched;
