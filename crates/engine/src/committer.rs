//! The one thread that writes: gathers the blocks of all plants that wait, packs them while the plants
//! go on, and commits them together.

use crate::error::EngineError;
use crate::limits::GROUP_BLOCKS_MAX;
use crate::meter::Meter;
use crate::plant::Input;
use crate::recorder::OpenBlock;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;
use werkbuch_journal::{Outcome, Store, StoreError};
use werkbuch_model::id::PlantId;

/// Blocks of one plant that wait for the disk.
#[derive(Debug)]
pub(crate) struct CommitRequest {
    pub(crate) blocks: Vec<OpenBlock>,
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
        let mut blocks = first.blocks.len();
        let mut group = vec![first];
        while blocks < GROUP_BLOCKS_MAX {
            let Ok(next) = receiver.try_recv() else { break };
            blocks += next.blocks.len();
            group.push(next);
        }
        commit(store, data, meter, group);
    }
}

fn commit(store: &Arc<dyn Store>, data: &Path, meter: &Meter, group: Vec<CommitRequest>) {
    let arrived: usize = group.iter().map(|request| request.blocks.len()).sum();
    let (blocks, waiting) = join(group);
    let proposals: Vec<_> = blocks.into_iter().map(OpenBlock::pack).collect();
    let (blocks, begin) = (proposals.len() as u64, Instant::now());
    let result = store.commit(proposals);
    let took = begin.elapsed();
    meter.commit.observe(took);
    meter.blocks_out.add(arrived as u64);
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
    for (places, plant) in waiting {
        let answer = match &result {
            Ok(outcomes) => all_committed(data, &places, outcomes),
            Err(error) => Err(EngineError::Store(error.clone())),
        };
        // A plant that is gone has nobody left to tell.
        let _ = plant.send(Input::Committed(answer));
    }
}

/// The places of a request's blocks in its group, and where the answer goes.
type Waiting = (Vec<usize>, SyncSender<Input>);

/// Makes one block of those of a plant that follow each other, as far as they fit: many small batches
/// then cost what one large one costs.
fn join(group: Vec<CommitRequest>) -> (Vec<OpenBlock>, Vec<Waiting>) {
    let mut blocks: Vec<OpenBlock> = Vec::new();
    let mut waiting = Vec::with_capacity(group.len());
    // The last block of each plant.
    let mut last: BTreeMap<PlantId, usize> = BTreeMap::new();
    for request in group {
        let mut places = Vec::with_capacity(request.blocks.len());
        for block in request.blocks {
            let plant = block.plant().clone();
            let known = last.get(&plant).copied();
            let rest = match known.and_then(|at| blocks.get_mut(at)) {
                Some(open) => open.join(block).err().map(|block| *block),
                None => Some(block),
            };
            let at = match (rest, known) {
                (None, Some(at)) => at,
                (rest, _) => {
                    blocks.extend(rest);
                    blocks.len().saturating_sub(1)
                }
            };
            last.insert(plant, at);
            places.push(at);
        }
        waiting.push((places, request.plant));
    }
    (blocks, waiting)
}

/// Whether all blocks of a request are committed; otherwise why not.
fn all_committed(data: &Path, places: &[usize], outcomes: &[Outcome]) -> Result<(), EngineError> {
    for place in places {
        let Some(outcome) = outcomes.get(*place) else {
            return Err(EngineError::internal("the store gave no answer"));
        };
        match outcome {
            Outcome::Committed { .. } => {}
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
    Ok(())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::sync::mpsc::sync_channel;
    use werkbuch_model::id::{LogId, Position, Sequence, SourceNumber, WriterEpoch};
    use werkbuch_model::time::Timestamp;
    use werkbuch_proof::{CompactRange, leaf_hash};
    use werkbuch_record::block::BlockBuilder;

    /// A request with a block of each of these positions, of so many bytes.
    fn request(plant: &str, positions: &[u64], bytes: usize) -> CommitRequest {
        let block = |position: &u64| {
            let id = PlantId::new(plant).unwrap();
            let first = Position(*position);
            let mut block = BlockBuilder::new(LogId([1; 16]), id, WriterEpoch(1), first, [0; 32]);
            let (at, event) = (Timestamp(1), vec![1; bytes]);
            let (source, number) = (SourceNumber(1), Sequence(*position));
            block.push(&event, at, at, source, number).unwrap();
            let mut tree = CompactRange::new();
            (0..*position).for_each(|_| tree.append(leaf_hash(&event)));
            OpenBlock::new(block, tree)
        };
        CommitRequest {
            blocks: positions.iter().map(block).collect(),
            plant: sync_channel(1).0,
        }
    }

    #[test]
    fn small_batches_of_a_plant_that_wait_become_one_block() {
        let group = vec![
            request("a", &[1], 9),
            request("b", &[4], 9),
            request("a", &[2, 3], 9),
            request("b", &[5], 100_000),
            request("a", &[4], 9),
            request("b", &[6], 9),
        ];
        let (blocks, waiting) = join(group);
        let places: Vec<_> = waiting.into_iter().map(|(places, _)| places).collect();
        assert_eq!(
            places,
            [vec![0], vec![1], vec![0, 0], vec![1], vec![0], vec![1]]
        );
        let packed: Vec<_> = blocks.into_iter().map(OpenBlock::pack).collect();
        let said = packed.iter().map(|one| {
            let header = one.block.header();
            (
                one.plant().as_str(),
                header.first.get(),
                header.count,
                one.tree.size(),
            )
        });
        assert_eq!(said.collect::<Vec<_>>(), [("a", 1, 4, 4), ("b", 4, 3, 6)]);
    }

    #[test]
    fn what_does_not_fit_into_a_block_begins_the_next() {
        let group = vec![
            request("a", &[1], 80_000),
            request("a", &[2], 80_000),
            request("a", &[3], 9),
        ];
        let (blocks, waiting) = join(group);
        let places: Vec<_> = waiting.into_iter().map(|(places, _)| places).collect();
        assert_eq!((blocks.len(), places), (2, vec![vec![0], vec![1], vec![1]]));
    }

    #[test]
    fn a_request_fails_with_the_block_that_its_own_went_into() {
        let committed = Outcome::Committed {
            group: 1,
            last: Position(1),
        };
        let outcomes = [committed, Outcome::Unknown];
        let all = |places: &[usize]| all_committed(Path::new("data"), places, &outcomes).is_ok();
        assert!(all(&[0]) && all(&[]));
        assert!(!all(&[1]) && !all(&[0, 1]) && !all(&[2]));
    }
}
