//! The network face of Werkbuch: gRPC services, configuration, limits and orderly ends.
//!
//! # What it is
//!
//! [`run`] opens the engine on a data folder and serves the package `werkbuch.v1`, health, server
//! reflection (v1 and v1alpha) and gRPC-Web on one port, until it is told to stop. What a handler
//! does is: check names, call one function of the engine, turn the outcome into messages. Every error
//! that leaves carries one of the stable reasons of `wire`.
//!
//! # Example
//!
//! ```
//! use werkbuch_server::PartialConfig;
//!
//! let file = PartialConfig::from_toml("listen = \"127.0.0.1:9000\"\nlog_level = \"debug\"", "w.toml")?;
//! let flags = PartialConfig { listen: Some("[::1]:0".into()), ..PartialConfig::default() };
//! let config = flags.merge(file).resolve()?;
//! assert_eq!(config.listen.to_string(), "[::1]:0");
//! assert_eq!(config.log_level.to_string(), "debug");
//!
//! let open = PartialConfig { listen: Some("0.0.0.0:7420".into()), ..PartialConfig::default() };
//! assert!(open.resolve().is_err(), "nobody may listen to the world without saying so");
//! # Ok::<(), werkbuch_server::ConfigError>(())
//! ```
//!
//! # Why
//!
//! - 2026-11-22: there is no authentication yet, so the server refuses to listen beyond the machine
//!   itself unless it is told to with `allow_remote`.
//! - 2026-11-22: what tonic answers by itself (message too large, unreadable request) passes a layer
//!   that gives it a reason; programs see one list of reasons, whoever found the mistake.
//! - 2026-11-22: a connection has ten seconds for its first 24 bytes, the length of the preface of
//!   HTTP/2. A silent connection, or one that sends a byte now and then, does not hold its place.
//! - 2026-11-22: metrics and health are plain pages on the same port, in a layer before gRPC-Web, and
//!   bypass the places for calls: a monitor must see a server that is full.
//! - 2026-11-22: connections beyond the limit are closed at once and not kept waiting: a client that is
//!   told can try elsewhere or later, one that waits cannot know why.
//! - 2026-11-22: streams end by themselves with the reason as their last word (`SLOW_READER`,
//!   `SHUTTING_DOWN`), which waits outside the bounded queue, so that a full queue cannot hide it.
//! - 2026-11-22: each stream that watches machines folds twins of its own. That costs a kilobyte for a
//!   machine, which is bounded, and makes the row of every event exact, also in the past, without the
//!   writer doing anything for it.
//! - 2026-11-22: a machine whose inferred wait changes is a row of the event that it follows from,
//!   marked as inferred: what a watcher has gathered is at every position what a list shows there, and
//!   a filter means the same in both.
//! - 2026-11-22: a resume token holds a position for each plant, and the place within an event or the
//!   first rows; so any message may be the last one that a reader has seen.
//! - 2026-11-22: the token of a page carries the instant of the first page and a hash of the request:
//!   pages of a moving plant fit together, and a token of another question is refused.
//! - 2026-11-23: what of a description holds for who watches goes by when the last event was recorded,
//!   not by the clock: a row that came when somebody looked would not come again when it is resumed.
//! - 2026-11-23: a resume token also says when its position was recorded. A folder that was restored
//!   from a backup has the same log with other events behind it, and a stream would go on in it unseen.
//! - 2026-11-23: texts about time are resolved here and not by the client, because here are the plant's
//!   clock, its time zone and the shifts that sources reported; so "-2h" means the same to every client.
//! - 2026-11-23: a shift is that of the calendar which was in force when it began, as it was known to the
//!   question. The calendar of the day is asked first, then that of the time it answers, until both agree.
//! - 2026-11-23: what a search rests on is read in a second pass over the part of the log that the answer
//!   depends on. Together with the first it would have to keep every event until the answer is known.
//! - 2026-11-24: a what-if is a run of the server and not of the client: what is read of the log for it may be a
//!   hundred times what comes out. The result is one JSON document with a digest, so that a new figure needs
//!   no new message; the figures that most ask for stand in the run besides.
//! - 2026-11-24: one run at a time, in threads that stand back with all that they start: two at once would only
//!   each take twice as long. Runs are kept as files beside the log, because they can be made again.
//! - 2026-11-23: the timeline of a few machines is read by the index of their blocks as long as nothing is
//!   lost; when something lost was said is told by what its source says of others. Why a machine waits can
//!   follow from any that parts come from or go to, so for that the events of the plant are read, and only
//!   where one of the machines waits without saying why.
//! - 2026-11-23: for that the neighbours along the flow are not enough: what is inferred of one tells of the
//!   next in turn, and the level of a buffer or the place of a part may be told by any machine. So the time is
//!   bounded and not the machines: of few machines the timelines are folded first, and the plant's events are
//!   read from the first wait that does not say why to the end of the last.
//! - 2026-11-23: an inferred wait never changes what a machine is shown as. It stands beside the states, as a
//!   part of waiting and idle, in buckets, sums, drawings and tables; what adds up to the window are the states.
//! - 2026-11-23: a cut holds a position for each plant and the one time that ages count from. Given back
//!   it is answered whole or not at all: an answer without a plant that it had would be another answer.
//!   A fresh question is answered without the plants that cannot answer, which it names.
//! - 2026-11-23: a search goes through plant time with a twin (`sweep`) and asks the filter of the machines
//!   that an event, the time or the description has touched. What is in memory is one twin and a piece of
//!   the window, which ends where it becomes too much; the next piece begins there. A test holds what is
//!   found to lists of machines at every instant.
//! - 2026-11-23: a time that holds at the begin of the window counts from its true beginning, because "held
//!   for five minutes" is about the plant and not about where one began to look. That is looked for in
//!   stretches that become longer, a week back and ten million events at most; what is not found then is
//!   told as such.
//! - 2026-11-23: a search that is gone on with finds again what it had told: its order is fixed by the cut
//!   and the window in its token. To keep what stood open in the token would make it as large as a plant.
//! - 2026-11-23: rules that apply are followed (`rules`) along the log and not along plant time: they speak of
//!   what is known when they speak, and a late report changes nothing about what they said. What they find
//!   is a function of the log but for how far time has gone, so nothing about it is kept beside the log: after
//!   a start a bounded part of it is read again. A test holds what is recorded to what `TestRules` says.
//! - 2026-11-23: for a rule the time of a silent machine passes as far behind the clock as its last report was
//!   recorded: a recording of last year is not over because today is later.

mod asked;
mod config;
mod context;
mod error;
mod front;
mod gate;
mod group;
mod grpc;
mod limits;
mod listen;
mod metrics;
mod outbound;
mod page;
mod plain;
mod rpc;
mod rules;
mod runs;
mod serve;
mod socket;
mod sweep;
mod token;
mod view;

pub use config::{Config, ConfigError, KEYS, LogFormat, LogLevel, PartialConfig};
pub use limits::Limits;
pub use metrics::METRICS;
pub use serve::{ServeError, run, run_with};
pub use view::fields::MACHINE_FIELDS;
