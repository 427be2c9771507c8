//! What is kept in memory of each plant's log: where its blocks lie and whose events they hold.

use std::collections::BTreeMap;

use werkbuch_model::id::{LogId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::CompactRange;
use werkbuch_record::block::{BlockHeader, Run};

use crate::BlockBounds;

/// Where a block lies and what it covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRef {
    /// The number of the file it lies in.
    pub(crate) generation: u64,
    pub(crate) offset: u64,
    /// Length of header and body.
    pub(crate) bytes: u32,
    pub(crate) bounds: BlockBounds,
}

impl BlockRef {
    pub(crate) fn new(header: &BlockHeader, offset: u64) -> Self {
        let head = u32::try_from(header.encoded_bytes()).unwrap_or(u32::MAX);
        Self {
            generation: header.generation,
            offset,
            bytes: head.saturating_add(header.stored_body_bytes),
            bounds: BlockBounds {
                first: header.first,
                last: header.last(),
                recorded_min: header.recorded_min,
                recorded_max: header.recorded_max,
                effective_min: header.effective_min,
                effective_max: header.effective_max,
            },
        }
    }
}

/// The log of one plant.
#[derive(Clone, Debug)]
pub(crate) struct PlantIndex {
    pub(crate) log_id: LogId,
    pub(crate) epoch: WriterEpoch,
    pub(crate) tree: CompactRange,
    blocks: Vec<BlockRef>,
    runs: BTreeMap<SourceNumber, Vec<PlacedRun>>,
}

/// Events of one source with consecutive sequences at consecutive positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PlacedRun {
    sequence: u64,
    position: u64,
    count: u64,
}

impl PlantIndex {
    pub(crate) fn new(log_id: LogId) -> Self {
        Self {
            log_id,
            epoch: WriterEpoch(0),
            tree: CompactRange::new(),
            blocks: Vec::new(),
            runs: BTreeMap::new(),
        }
    }

    pub(crate) fn last(&self) -> Position {
        self.blocks.last().map_or(Position(0), |b| b.bounds.last)
    }

    pub(crate) fn last_recorded_at(&self) -> Timestamp {
        self.blocks
            .last()
            .map_or(Timestamp::MIN, |b| b.bounds.recorded_max)
    }

    /// Takes in a block that continues the log. The tree is the caller's to set.
    pub(crate) fn add(&mut self, header: &BlockHeader, offset: u64) {
        self.epoch = self.epoch.max(header.epoch);
        if header.count == 0 {
            return;
        }
        for run in &header.runs {
            self.add_run(header.first, *run);
        }
        self.blocks.push(BlockRef::new(header, offset));
    }

    fn add_run(&mut self, first: Position, run: Run) {
        let run_position = first.get().saturating_add(u64::from(run.offset));
        let (sequence, count) = (run.first.get(), u64::from(run.count));
        let runs = self.runs.entry(run.source).or_default();
        let at = runs.partition_point(|known| known.sequence <= sequence);
        if let Some(known) = at.checked_sub(1).and_then(|before| runs.get_mut(before))
            && known.sequence.saturating_add(known.count) == sequence
            && known.position.saturating_add(known.count) == run_position
        {
            known.count = known.count.saturating_add(count);
            return;
        }
        let placed = PlacedRun {
            sequence,
            position: run_position,
            count,
        };
        runs.insert(at, placed);
    }

    /// The block that holds `position`, or the first one behind it.
    pub(crate) fn block_from(&self, position: Position) -> Option<BlockRef> {
        let at = self.blocks.partition_point(|b| b.bounds.last < position);
        self.blocks.get(at).copied()
    }

    pub(crate) fn block_at(&self, recorded_at: Timestamp) -> Option<BlockBounds> {
        let after = self
            .blocks
            .partition_point(|b| b.bounds.recorded_min <= recorded_at);
        let block = self.blocks.get(after.checked_sub(1)?)?;
        Some(block.bounds)
    }

    pub(crate) fn find(&self, source: SourceNumber, sequence: Sequence) -> Option<Position> {
        let runs = self.runs.get(&source)?;
        let after = runs.partition_point(|run| run.sequence <= sequence.get());
        let run = runs.get(after.checked_sub(1)?)?;
        let offset = sequence.get().checked_sub(run.sequence)?;
        (offset < run.count).then(|| Position(run.position.saturating_add(offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_found_wherever_it_came_late() {
        let mut index = PlantIndex::new(LogId([0; 16]));
        // (position, first sequence, count): 1 to 10 without 4 to 6, which come last and in parts.
        for (position, first, count) in [(1, 1, 2), (3, 3, 1), (9, 7, 4), (20, 5, 2), (30, 4, 1)] {
            let run = Run {
                source: SourceNumber(1),
                first: Sequence(first),
                count,
                offset: 0,
            };
            index.add_run(Position(position), run);
        }
        let found: Vec<_> = (0..=11)
            .map(|sequence| index.find(SourceNumber(1), Sequence(sequence)).map(|p| p.0))
            .collect();
        let expected = [0, 1, 2, 3, 30, 20, 21, 9, 10, 11, 12, 0];
        assert_eq!(found, expected.map(|p| (p > 0).then_some(p)));
        assert_eq!(index.find(SourceNumber(2), Sequence(1)), None);
        // Runs that continue each other are one: 1 to 3, 4, 5 to 6, 7 to 10.
        assert_eq!(index.runs.values().map(Vec::len).sum::<usize>(), 4);
    }
}
