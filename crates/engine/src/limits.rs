//! Every bound of the running system, with its reason.

use std::time::Duration;

/// The most events in one batch: the largest that is still staged in some ten milliseconds.
pub const BATCH_EVENTS_MAX: usize = 16_384;

/// The greatest size of one message of the API, in bytes; holds a full batch of common events.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The greatest size of the body of a sample batch, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The most open intervals (gaps and refused numbers) of one source, as `semantics.md` has it.
pub const OPEN_INTERVALS_MAX: usize = 1024;

/// The fenced sessions of a plant that are still told so by name.
pub const FENCED_SESSIONS_KEPT: usize = 1024;

/// The most corrections in one batch. Each reads what its machine reported, and the plant waits.
pub const BATCH_CORRECTIONS_MAX: usize = 64;

/// The inputs that wait for one plant's loop; more are answered with "try again".
pub const PLANT_QUEUE: usize = 64;

/// The batches of one plant that may wait for the disk at once.
pub const BATCHES_IN_FLIGHT_MAX: usize = 16;

/// What a plant's loop may find before it: the inputs that hold a place in its queue, an answer for
/// each batch in flight and for a record of its own, and the request to close.
pub const PLANT_CHANNEL: usize = PLANT_QUEUE + BATCHES_IN_FLIGHT_MAX + 8;

/// The blocks of all plants that wait for the committer.
pub const COMMIT_QUEUE: usize = 512;

/// The most blocks that one fsync covers: some 30 MiB, a bounded time to write.
pub const GROUP_BLOCKS_MAX: usize = 256;

/// When a queue is full, the caller should try again after this.
pub const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How far the wall clock may move against the monotonic clock without being called a jump:
/// more than time services correct smoothly, less than anyone would call the same time.
pub const CLOCK_JUMP_MIN_NS: i64 = 1_000_000_000;

/// A jump forward by more than this stops the writer until a person confirms it.
pub const CLOCK_JUMP_STOP_NS: i64 = 3_600 * 1_000_000_000;

/// How far a live source's clock may lie from its gateway's, unless it says otherwise: 10 minutes.
pub const TOLERANCE_LIVE_NS: u64 = 600 * 1_000_000_000;

/// The same for imports: 24 hours.
pub const TOLERANCE_IMPORT_NS: u64 = 86_400 * 1_000_000_000;

/// A gateway's clock before this time (1980-01-01) was never set: such an event is suspect.
pub const PLAUSIBLE_FROM_NS: i64 = 315_532_800 * 1_000_000_000;

/// Events between two marks of a plant's past: some milliseconds of folding.
pub const PAST_EVERY: u64 = 2_048;

/// The greatest size of the changes in one DescriptionChanged event, in encoded bytes.
pub const DESCRIPTION_PART_BYTES: usize = 24 * 1024;

/// Events between two snapshots, unless configured otherwise.
pub const SNAPSHOT_EVERY: u64 = 200_000;
/// The length of a write-ahead file in MiB, from which on it is followed by the next and sealed.
pub const WRITE_AHEAD_MIB: u64 = werkbuch_journal::WAL_BYTES_MAX / (1024 * 1024);

/// The snapshots kept of each plant; an older one is a way out when the newest is damaged.
pub const SNAPSHOTS_KEPT: usize = 2;

/// The applied batches of a plant that are kept in memory for those who follow: some seconds of a busy
/// plant, and at most some 30 MiB, which only a reader who stalls takes up.
pub const FEED_BATCHES: usize = 32;

/// How often sample bodies are looked through for what has expired: their lifetimes are days.
pub const EXPIRE_EVERY: Duration = Duration::from_secs(3_600);

/// While a plant is folded from its log after a start, callers are told to try again after a time that
/// lies within these bounds.
pub const RECOVERY_RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest such time: a caller should notice within seconds that its plant is back.
pub const RECOVERY_RETRY_MAX: Duration = Duration::from_secs(5);
/// How often the log file says how far a recovery is.
pub const RECOVERY_TOLD_EVERY: Duration = Duration::from_secs(2);

/// The most past folds and replays at once; each holds a twin of its own in memory.
pub const PAST_FOLDS_MAX: usize = 4;

/// How often a plant looks whether marks of its past are to be put between others, and whether there is time.
/// Tests say themselves when it does.
pub const PAST_LOOK: Duration = Duration::from_secs(if cfg!(test) { 86_400 } else { 1 });

/// Plants as they were, asked for lately, are kept in memory up to so many machines together: some
/// 100 MB, and enough to page through a large plant, or to look at a quarter of the group.
/// In tests so few that plants go and their room is used again.
pub const PAST_MACHINES_KEPT: usize = if cfg!(test) { 300 } else { 100_000 };

const _: () = assert!(
    BATCHES_IN_FLIGHT_MAX <= PLANT_QUEUE,
    "the loop must see what it may start"
);
const _: () = assert!(CLOCK_JUMP_MIN_NS < CLOCK_JUMP_STOP_NS, "a stop is a jump");
const _: () = assert!(
    BODY_BYTES_MAX < MESSAGE_BYTES_MAX,
    "a body must fit its message"
);
