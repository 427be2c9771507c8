//! What is to fail on a simulated disk, when it does, and what has failed so far.

use std::collections::BTreeMap;
use std::io;

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A read answers EIO.
    Read,
    /// A write answers EIO, and nothing is written.
    Write,
    /// A write answers EIO after half of its bytes.
    ShortWrite,
    /// A write succeeds, but the disk has one bit of it wrong.
    Flip,
    /// A write answers "no space left" after half of its bytes.
    NoSpace,
    /// A change of a file's length answers EIO.
    SetLength,
    /// A sync of a file answers EIO, and its writes stay in doubt.
    Sync,
    /// A sync of a folder answers EIO.
    SyncFolder,
    /// A file cannot be created.
    Create,
    /// A file cannot be renamed.
    Rename,
    /// A file cannot be removed.
    Remove,
    /// An operation succeeds, but takes forty seconds, as on a disk that tries again and again.
    Slow,
    /// The power goes: this operation and all later ones answer an error.
    Power,
}

/// How long a slow operation takes, in nanoseconds.
const SLOW_NS: i64 = 40_000_000_000;
/// How long a sync takes, and any other operation.
const SYNC_NS: i64 = 1_000_000;
const OPERATION_NS: i64 = 10_000;

/// The plan of faults and the time that passes on the disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// Each kind with the number of its operations until one fails.
    pub(super) planned: Vec<(FaultKind, u64)>,
    /// How often each kind has come.
    pub(super) come: BTreeMap<FaultKind, u64>,
    pub(super) operations: u64,
    pub(super) elapsed_ns: i64,
    pub(super) dead: bool,
}

impl Faults {
    /// Lets the `nth` operation of a kind fail, counted from 1.
    pub(super) fn plan(&mut self, kind: FaultKind, nth: u64) {
        self.planned.retain(|(planned, _)| *planned != kind);
        self.planned.push((kind, nth));
    }

    /// Counts an operation and answers the first fault among `kinds` that falls due with it.
    pub(super) fn due(&mut self, kinds: &[FaultKind]) -> io::Result<Option<FaultKind>> {
        self.operations += 1;
        self.elapsed_ns += match kinds.contains(&FaultKind::Sync) {
            true => SYNC_NS,
            false => OPERATION_NS,
        };
        let mut due = None;
        let changes = kinds.iter().any(|kind| *kind != FaultKind::Read);
        for (kind, left) in &mut self.planned {
            let concerned = match kind {
                FaultKind::Power => changes,
                FaultKind::Slow => !kinds.is_empty(),
                ref kind => kinds.contains(kind),
            };
            if !concerned {
                continue;
            }
            *left = left.saturating_sub(1);
            if *left == 0 && !self.dead {
                if *kind == FaultKind::Slow {
                    self.elapsed_ns += SLOW_NS;
                } else if due.is_none() {
                    due = Some(*kind);
                } else {
                    continue;
                }
                *self.come.entry(*kind).or_default() += 1;
            }
        }
        self.planned.retain(|(_, left)| *left > 0);
        self.dead |= due == Some(FaultKind::Power);
        if self.dead {
            return Err(io::Error::other("the power is off"));
        }
        Ok(due)
    }
}
