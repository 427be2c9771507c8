//! The one thread that writes: gathers the blocks of all plants that wait and commits them together.

use crate::error::EngineError;
use crate::limits::GROUP_BLOCKS_MAX;
use crate::meter::Meter;
use crate::plant::Input;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;
use werkbuch_journal::{Outcome, Proposal, Store, StoreError};
use werkbuch_model::id::Position;

/// Blocks of one plant that wait for the disk.
#[derive(Debug)]
pub(crate) struct CommitRequest {
    pub(crate) proposals: Vec<Proposal>,
    /// Where the answer goes: the loop of the plant.
    pub(crate) plant: SyncSender<Input>,
}

/// The way to the committer; it ends when the last of these is dropped.
pub(crate) type Committer = SyncSender<CommitRequest>;

/// Starts the committer.
pub(crate) fn start(
    store: Arc<dyn Store>,
    data: PathBuf,
    meter: &Arc<Meter>,
) -> Result<(Committer, JoinHandle<()>), EngineError> {
    let (sender, receiver) = sync_channel(crate::limits::COMMIT_QUEUE);
    let meter = Arc::clone(meter);
    let thread = std::thread::Builder::new()
        .name("committer".into())
        .spawn(move || run(&store, &data, &meter, &receiver))
        .map_err(|error| EngineError::internal(format!("no thread for the committer: {error}")))?;
    Ok((sender, thread))
}

fn run(store: &Arc<dyn Store>, data: &Path, meter: &Meter, receiver: &Receiver<CommitRequest>) {
    while let Ok(first) = receiver.recv() {
        let mut blocks = first.proposals.len();
        let mut group = vec![first];
        while blocks < GROUP_BLOCKS_MAX {
            let Ok(next) = receiver.try_recv() else { break };
            blocks += next.proposals.len();
            group.push(next);
        }
        commit(store, data, meter, group);
    }
}

fn commit(store: &Arc<dyn Store>, data: &Path, meter: &Meter, group: Vec<CommitRequest>) {
    let mut proposals = Vec::new();
    let mut waiting = Vec::with_capacity(group.len());
    for request in group {
        waiting.push((request.proposals.len(), request.plant));
        proposals.extend(request.proposals);
    }
    let (blocks, begin) = (proposals.len() as u64, Instant::now());
    let result = store.commit(proposals);
    let took = begin.elapsed();
    meter.commit.observe(took);
    meter.blocks_out.add(blocks);
    match &result {
        Ok(_) => meter.commit_blocks.add(blocks),
        Err(_) => meter.commit_failures.add(1),
    }
    tracing::debug!(
        blocks,
        took_us = took.as_micros(),
        ok = result.is_ok(),
        "a group is committed"
    );
    let mut outcomes = result.as_ref().map(|outcomes| outcomes.iter()).ok();
    for (count, plant) in waiting {
        let answer = match (&mut outcomes, &result) {
            (Some(outcomes), _) => last_committed(data, outcomes.by_ref().take(count)),
            (None, Err(error)) => Err(EngineError::Store(error.clone())),
            (None, Ok(_)) => Err(EngineError::internal("the store gave no answer")),
        };
        // A plant that is gone has nobody left to tell.
        let _ = plant.send(Input::Committed(answer));
    }
}

/// The last position when all blocks of a request are committed; otherwise why not.
fn last_committed<'o>(
    data: &Path,
    outcomes: impl Iterator<Item = &'o Outcome>,
) -> Result<Position, EngineError> {
    let mut end = Position(0);
    for outcome in outcomes {
        match outcome {
            Outcome::Committed { last, .. } => end = *last,
            Outcome::Unknown => {
                let cause = "the disk did not say whether the last group is on it".to_owned();
                return Err(StoreError::Stopped {
                    folder: data.to_owned(),
                    cause,
                }
                .into());
            }
            other => {
                return Err(EngineError::internal(format!(
                    "the store did not take a block: {other:?}"
                )));
            }
        }
    }
    Ok(end)
}

/// Whether writing may succeed again without a restart.
pub(crate) fn is_passing(error: &EngineError) -> bool {
    match error {
        EngineError::Store(error) => {
            matches!(error, StoreError::DiskFull { .. } | StoreError::Io { .. })
        }
        EngineError::Internal { .. } => true,
        _ => false,
    }
}
