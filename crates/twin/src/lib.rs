//! One plant in memory: the fold of its log, what is asked of it, its digest and snapshot bytes.
//!
//! # What it is
//!
//! A [`Twin`] takes the recorded events of one plant, one after the other. For every aspect of every
//! machine the event that is the greatest in plant order holds: by effective time, then by the name
//! and epoch of its source, then by its sequence. So the state is a join: the same set of reported
//! events gives the same state and the same [`Twin::digest`], in whatever order they arrived.
//!
//! # Example
//!
//! ```
//! use werkbuch_model::event::*;
//! use werkbuch_model::id::{Epoch, MachineNumber, PlantId, Position, Sequence, SourceNumber};
//! use werkbuch_model::time::Timestamp;
//! use werkbuch_twin::Twin;
//!
//! let event = |position: u64, source: u32, body: Body<'static>| Recorded {
//!     position: Position(position),
//!     recorded_at: Timestamp(position as i64),
//!     effective_at: Timestamp(1_000),
//!     source: SourceNumber(source),
//!     previous: Position(0),
//!     flags: Flags::default(),
//!     authority: 0,
//!     reported: Reported {
//!         sequence: Sequence(position),
//!         machine: MachineNumber(source),
//!         occurred_at: Timestamp(1_000),
//!         observed_at: None,
//!         historical: false,
//!         body,
//!     },
//!     corrected: Vec::new(),
//! };
//! let opened = SourceOpened {
//!     number: SourceNumber(1),
//!     name: "gateway-7".into(),
//!     epoch: Epoch(1),
//!     ..SourceOpened::default()
//! };
//! let running = StateChanged { to: State::Executing, native: "ACTIVE".into(), ..Default::default() };
//!
//! let mut twin = Twin::new(PlantId::new("PLT-07")?);
//! twin.apply(&event(1, 0, Body::SourceOpened(opened)))?;
//! twin.apply(&event(2, 1, Body::StateChanged(running)))?;
//!
//! let press = twin.machine(MachineNumber(1)).ok_or("no such machine")?;
//! assert_eq!(press.state().shown, State::Executing);
//! assert_eq!(press.state().since, Some(Timestamp(1_000)));
//!
//! let again = Twin::from_bytes(&twin.to_bytes()?)?;
//! assert_eq!(again.digest(), twin.digest());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-22: the numbers of sources follow arrival, so equal times are told apart by the
//!   source's name and epoch. Only then is the state independent of who was opened first.
//! - 2026-11-22: a correction carries what it corrects and what holds again. So the twin keeps only
//!   what holds, and nothing of what is beneath it, and still needs nothing but the event.
//! - 2026-11-22: every correction is the same three steps: take the target from the slots that it
//!   holds, join what the writer restored, join what holds instead. Joining an event that holds
//!   anyway changes nothing, so it does not matter whether the target held a slot.
//! - 2026-11-22: `since` is the time of the event that holds, also when it only affirms the state: a
//!   source affirms after a gap, and nobody watched in between.
//! - 2026-11-22: machines, sources and texts are shared behind `Arc` and copied when they change,
//!   so that a clone for a reader or a fork costs a count and not a copy.
//! - 2026-11-22: low-cardinality texts are kept once for each plant; the table is cleared of those no
//!   longer used when it has doubled, so that words which change with every event cannot fill it.
//! - 2026-11-22: the ciphertext of people's fields is not part of the digest, only that something is
//!   there: an erased key must not make a true digest look false.
//! - 2026-11-22: kinds of events without a form of their own are kept as their fields, packed, and are
//!   given back as borrowed events. So a new kind needs no line in fold, digest, snapshot or view.
//! - 2026-11-22: what holds of the plant itself lies in 1,024 shards, so that a published view copies
//!   a few of them and never the hundred thousand parts of a plant.
//! - 2026-11-22: what is tracked is forgotten by a window over plant time that only moves forward. The
//!   greatest event of an aspect is the last to leave it, so sweeping early or late is the same.
//! - 2026-11-22: why a machine waits is inferred in rounds in which all machines see the same, so that
//!   the answer does not depend on where one begins; what a machine says goes before all of it.
//! - 2026-11-22: for who follows a twin the causes of waits are kept up to date (`Waits`): an event
//!   touches its machine, the neighbours, and through machines that wait themselves all that are joined
//!   with them. A list finds all causes anew, and a property holds the two together.
//! - 2026-11-22: where parts are not known one by one, their number has bounds that hold whatever
//!   reports are missing; the likeliest number alone would pretend to be one.
//! - 2026-11-22: the quality of data is a fold of its own over the events of a window: it needs
//!   history, which the twin does not keep, and must not weigh on the state or its digest.
//! - 2026-11-22: a fold waits for memory more than it computes. So an event looks its machine up once,
//!   few slots are gone through from the front, which a processor reads ahead of, and what only differs
//!   in numbers is changed in its place. Texts are found by a hash of fixed size first and the tree
//!   second: who makes texts collide makes a search of the tree and no more.

//! - 2026-11-22: a description whose validity lies ahead is staged at once, so that what is reported can
//!   name what comes; but it is shown from its time on. That is no fold but a function of twin and
//!   time, so the revisions since the first that lies ahead are kept until none does.
//! - 2026-11-22: where parts are is told by what passes the border of a unit, not by its count points:
//!   those say what counts as made, and what they have counted may still lie in the line.
//! - 2026-11-23: what slots say lies packed in one piece of memory for each machine and is read when it
//!   is asked for. As values with boxes of their own they were a third of the memory and a third of the
//!   time of a fold: most of what an event says is never looked at before the next one says it again.
//! - 2026-11-23: in a twin of the past the last position of a machine or a source is that of the last
//!   event within its bound: what happened later has not been said by then.
//! - 2026-11-23: a timeline folds the events of a window into a twin of the time before it, in plant order,
//!   and looks at the machine's view after each moment. A second set of rules for what is shown when would
//!   be shorter to run and would differ from the twin some day; a property holds the two together.
//! - 2026-11-23: what is counted at the moment at which a state ends belongs to that state: a machine that
//!   says in one line that a part is done and that it is idle made the part while it ran.
//! - 2026-11-23: who asks when a condition held goes through plant time with the twin itself (`course`), of
//!   the whole plant, because a condition may be about a neighbour's wait or a change of the description. A
//!   property holds each instant to a twin folded for it.
//! - 2026-11-23: a rule turns at the very end of the time for which its condition has to hold, though nothing
//!   happens then (`course::Latch`): so what it does depends on what held when, and not on when one looks.
//!   What clears does not count while what raises holds, so that no rule can turn to and fro at one time.
//! - 2026-11-23: a source is silent by the times that it speaks for, not by when that was recorded, in a
//!   window of the past: what a gateway kept and sent late is no silence (`timeline::Hearing`).

#![warn(missing_docs)]

mod clear;
mod coded;
mod content;
mod correction;
mod describe;
mod digest;
mod error;
mod fact;
mod fold;
mod machine;
mod mark;
mod notes;
mod order;
mod packed;
mod plant;
mod scope;
mod shards;
mod slot;
mod snapshot;
mod symbol;
mod value;

pub mod course;
pub mod line;
pub mod quality;
pub mod timeline;
pub mod view;
mod window;

pub use error::{FoldError, SnapshotError};
pub use fold::Twin;
pub use mark::{MachinePage, Mark, MarkBase, Marked, Page, Spare, page_of};
pub use notes::{DIGESTS_KEPT, Notes, RecordedDigest};
pub use order::Source;
pub use scope::Scope;
pub use view::{MachineTwin, MachineView};

/// The version of the fold: what the same events make of the state. Digests of different versions
/// are not comparable.
pub const FOLD_VERSION: u32 = 1;
/// The newest format of the log that this fold can read.
pub const FORMAT_VERSION: u32 = 1;
