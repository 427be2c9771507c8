//! Every bound of the network face, with its reason.

use std::time::Duration;
use werkbuch_engine::limits::MESSAGE_BYTES_MAX;

/// The most that an answer may hold besides its list: names, tokens, what it reflects.
const ANSWER_ROOM: usize = 64 * 1024;

/// The bytes after which a page or a chunk of a stream ends, so that its message fits.
pub(crate) const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX - 1024 * 1024;

/// The greatest size of an answer's message, in bytes: what clients take by default.
pub(crate) const ANSWER_BYTES_MAX: usize = MESSAGE_BYTES_MAX;

/// The greatest size of a message with a plant's description: its file with all tables, and what
/// the request says besides.
pub(crate) const PLANT_BYTES_MAX: usize = werkbuch_model::plant::FILE_BYTES_MAX + ANSWER_ROOM;

/// The events that one call of `ListEvents` looks at before it answers with what it has.
pub(crate) const SCAN_EVENTS_MAX: u64 = 1_000_000;

/// The events that one question about the quality of data reads before it answers with what it has:
/// some ten seconds of work.
pub(crate) const SURVEY_EVENTS_MAX: u64 = 10_000_000;

/// How far such a question looks back unless it says otherwise: a day, in nanoseconds.
pub(crate) const WINDOW_DEFAULT_NS: i64 = 86_400 * 1_000_000_000;

/// The bytes of events that one question for timelines keeps before it answers with what it has.
pub(crate) const TIMELINE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// The timelines of so many machines are read machine by machine; of more, the log is read once for all.
pub(crate) const NEAR_MACHINES_MAX: usize = 4;

/// About so many bytes of events are in memory for who goes through a window of plant time.
pub(crate) const SWEEP_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How far back the beginning of what holds already is looked for, unless asked otherwise: a week, in
/// nanoseconds.
pub(crate) const LOOK_BACK_NS: u64 = 7 * 86_400 * 1_000_000_000;

/// The moments that a search goes through before it tells what it found.
pub(crate) const FIND_MOMENTS: usize = 16 * 1_024;

/// The most that one message tells of what was found.
pub(crate) const FOUND_PART: usize = 1_024;

/// The bytes after which a message of timelines ends.
pub(crate) const TIMELINE_PART_BYTES: usize = 256 * 1024;

/// The bytes after which a message of a table ends.
pub(crate) const TABLE_PART_BYTES: usize = 1024 * 1024;

/// The events that a table of events looks at before it says how far it is.
pub(crate) const TABLE_PART_EVENTS: usize = 32 * 1024;

/// The events of one chunk of a stream.
pub(crate) const TAIL_EVENTS_MAX: usize = 1_024;

/// The events that a stream which watches folds at a time.
pub(crate) const WATCH_EVENTS_MAX: usize = 512;

/// The changes of one part of a message to who watches.
pub(crate) const WATCH_CHANGES_MAX: usize = 1_024;

/// The parts that wait to be put into a message to who watches.
pub(crate) const WATCH_PARTS_MAX: usize = 2;

/// The plants whose rules are looked at at once: whoever reports and asks has the processors.
pub(crate) const RULE_THREADS: usize = 2;

/// The most that rules find that is handed to a plant's writer at once.
pub(crate) const RULE_TURNS_MAX: usize = 1_000;

/// The batches of one `AppendStream` that may be on their way at once.
pub(crate) const STREAM_BATCHES_MAX: usize = 16;

/// The answers of one stream that wait for their reader.
pub(crate) const STREAM_ANSWERS_MAX: usize = 4;

/// The calls of one connection that may be open at once.
pub(crate) const CONNECTION_STREAMS_MAX: u32 = 256;

/// The greatest size of a request's headers, in bytes.
pub(crate) const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// Calls that a peer opened and took back before they were looked at; more end the connection.
pub(crate) const PENDING_RESETS_MAX: usize = 64;

/// How much of one stream may be under way unread: a quarter of the largest message.
pub(crate) const STREAM_WINDOW: u32 = 1024 * 1024;

/// How much of one connection may be under way unread.
pub(crate) const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;

/// How often a quiet connection is asked whether it lives, and how long it has to answer.
pub(crate) const KEEPALIVE: (Duration, Duration) =
    (Duration::from_secs(20), Duration::from_secs(10));

/// When something is full, the caller should try again after this.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(250);

/// The bounds that a test or an unusual machine may want otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; more are closed as soon as they come.
    pub connections: usize,
    /// The most unary calls at once, over all connections.
    pub calls: usize,
    /// The most streams at once, over all connections.
    pub streams: usize,
    /// The most streams at once that watch machines; each holds twins of its own.
    pub watches: usize,
    /// The most machines that all those streams hold together, at about a kilobyte each.
    pub watched_machines: usize,
    /// The most questions and other blocking work for unary calls at once.
    pub blocking: usize,
    /// The most reads of the log for streams at once; further ones wait.
    pub stream_reads: usize,
    /// How long a connection may take to send its first bytes.
    pub handshake: Duration,
    /// How long a unary call may take.
    pub call: Duration,
    /// How long a stream waits for its reader before it ends with `SLOW_READER`.
    pub slow_reader: Duration,
    /// How often a stream that has nothing to say gives a sign of life.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            calls: 1_024,
            streams: 1_024,
            watches: 256,
            watched_machines: 2_000_000,
            blocking: 32,
            stream_reads: 8,
            handshake: Duration::from_secs(10),
            call: Duration::from_secs(60),
            slow_reader: Duration::from_secs(60),
            heartbeat: Duration::from_secs(5),
        }
    }
}

const _: () = assert!(
    PAGE_BYTES_MAX + ANSWER_ROOM < ANSWER_BYTES_MAX,
    "a page must fit its message"
);
