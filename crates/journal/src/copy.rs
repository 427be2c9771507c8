//! Copies the logs of all plants from one store into another, event by event and byte for byte.

use werkbuch_model::id::{PlantId, Position};
use werkbuch_proof::{CompactRange, leaf_hash};
use werkbuch_record::block::{BlockBuilder, BlockHeader};
use werkbuch_record::decode_recorded;

use crate::{Outcome, PlantEnd, Proposal, Store, StoreError, StoredBlock};

/// So many blocks are committed as one group at most: enough that the syncs are not what takes the
/// time, few enough that they lie in memory.
const GROUP_BLOCKS: usize = 64;

/// Copies the log of every plant of `from` into `to`, which has none of them. Log ids, writer epochs,
/// positions and the bytes of events stay as they are; where one block ends and the next begins may
/// change. Sample bodies are not copied: they lie in files of their own. `progress` hears the plant,
/// how many of its events are copied, and how many it has.
///
/// # Errors
///
/// Those of the two stores, and [`StoreError::Copy`] if `to` does not take a block or the tree that
/// comes out is not the one in `from`.
pub fn copy(
    from: &dyn Store,
    to: &dyn Store,
    progress: &mut dyn FnMut(&PlantId, u64, u64),
) -> Result<(), StoreError> {
    for end in from.ends() {
        let mut copying = Copying {
            to,
            end: &end,
            tree: CompactRange::new(),
            group: Vec::new(),
        };
        for block in from.read(&end.plant, Position(1))? {
            copying.block(&block?)?;
            if copying.group.len() >= GROUP_BLOCKS {
                copying.commit()?;
                progress(&end.plant, copying.tree.size(), end.last.get());
            }
        }
        copying.commit()?;
        progress(&end.plant, copying.tree.size(), end.last.get());
        let copied = to.ends().into_iter().find(|found| found.plant == end.plant);
        if copying.tree != end.tree || copied.is_none_or(|copied| copied.tree != end.tree) {
            return Err(copying.failed("the roots of the two logs differ"));
        }
    }
    Ok(())
}

/// The copying of one plant.
struct Copying<'c> {
    to: &'c dyn Store,
    end: &'c PlantEnd,
    tree: CompactRange,
    group: Vec<Proposal>,
}

impl Copying<'_> {
    /// Takes in the events of a block. One that was joined from many when it was sealed may be longer
    /// than a writer makes them, and then becomes several.
    fn block(&mut self, block: &StoredBlock) -> Result<(), StoreError> {
        let mut builder = self.builder(&block.header);
        for (position, bytes) in block.events() {
            let event = decode_recorded(bytes)
                .map_err(|error| self.failed(&format!("event {position}: {error}")))?;
            if !builder.fits(bytes.len()) && !builder.is_empty() {
                self.propose(builder);
                builder = self.builder(&block.header);
            }
            let (source, sequence) = (event.source, event.reported.sequence);
            let pushed = builder.push(
                bytes,
                event.recorded_at,
                event.effective_at,
                source,
                sequence,
            );
            pushed.map_err(|error| self.failed(&format!("event {position}: {error}")))?;
            self.tree.append(leaf_hash(bytes));
        }
        if !builder.is_empty() {
            self.propose(builder);
        }
        Ok(())
    }

    fn builder(&self, header: &BlockHeader) -> BlockBuilder {
        let first = Position(self.tree.size()).next();
        let (plant, root) = (self.end.plant.clone(), *self.tree.root().as_bytes());
        BlockBuilder::new(self.end.log_id, plant, header.epoch, first, root)
    }

    fn propose(&mut self, builder: BlockBuilder) {
        let proposal = Proposal::new(builder.finish(), self.tree.clone());
        self.group.push(proposal);
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.group.is_empty() {
            return Ok(());
        }
        let outcomes = self.to.commit(std::mem::take(&mut self.group))?;
        let refused = outcomes
            .iter()
            .find(|outcome| !matches!(outcome, Outcome::Committed { .. }));
        match refused {
            Some(outcome) => Err(self.failed(&format!("the new log answered {outcome:?}"))),
            None => Ok(()),
        }
    }

    fn failed(&self, what: &str) -> StoreError {
        StoreError::Copy {
            plant: self.end.plant.clone(),
            what: what.to_owned(),
        }
    }
}
