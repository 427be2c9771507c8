//! What is kept in memory of each plant's log: where its blocks lie and whose events they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use werkbuch_model::id::{LogId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::CompactRange;
use werkbuch_record::block::{BlockHeader, Run};

use crate::BlockBounds;
use crate::segments::Segment;

/// Where a block of a write-ahead file lies and what it covers.
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
            bounds: BlockBounds::of(header),
        }
    }
}

/// The log of one plant: what is sealed, and behind it what is not.
#[derive(Clone, Debug)]
pub(crate) struct PlantIndex {
    pub(crate) log_id: LogId,
    pub(crate) epoch: WriterEpoch,
    pub(crate) tree: CompactRange,
    pub(crate) sealed: Vec<Arc<Segment>>,
    blocks: Vec<BlockRef>,
    runs: BTreeMap<SourceNumber, Vec<PlacedRun>>,
}

/// Events of one source with consecutive sequences at consecutive positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlacedRun {
    pub(crate) sequence: u64,
    pub(crate) position: u64,
    pub(crate) count: u64,
}

impl PlacedRun {
    /// The position of a sequence, if the run has it.
    pub(crate) fn find(&self, sequence: u64) -> Option<Position> {
        let offset = sequence.checked_sub(self.sequence)?;
        (offset < self.count).then(|| Position(self.position.saturating_add(offset)))
    }

    /// The part of the run behind a position, if there is one.
    fn behind(self, sealed: Position) -> Option<Self> {
        let cut = sealed.next().get().saturating_sub(self.position);
        let count = self.count.checked_sub(cut).filter(|count| *count > 0)?;
        Some(Self {
            sequence: self.sequence.saturating_add(cut),
            position: self.position.saturating_add(cut),
            count,
        })
    }
}

/// Adds a run to those of its source, which are in the order of their sequences.
pub(crate) fn add_run(runs: &mut Vec<PlacedRun>, first: Position, run: Run) {
    let run_position = first.get().saturating_add(u64::from(run.offset));
    let (sequence, count) = (run.first.get(), u64::from(run.count));
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

/// Looks a sequence up in the runs of its source.
pub(crate) fn find_run(runs: &[PlacedRun], sequence: u64) -> Option<Position> {
    let after = runs.partition_point(|run| run.sequence <= sequence);
    runs.get(after.checked_sub(1)?)?.find(sequence)
}

impl PlantIndex {
    pub(crate) fn new(log_id: LogId) -> Self {
        Self {
            log_id,
            epoch: WriterEpoch(0),
            tree: CompactRange::new(),
            sealed: Vec::new(),
            blocks: Vec::new(),
            runs: BTreeMap::new(),
        }
    }

    /// The last position that is sealed; 0 if none is.
    pub(crate) fn last_sealed(&self) -> Position {
        let last = self.sealed.last();
        last.map_or(Position(0), |segment| segment.bounds().last)
    }

    pub(crate) fn last(&self) -> Position {
        let last = self.blocks.last();
        last.map_or_else(|| self.last_sealed(), |block| block.bounds.last)
    }

    pub(crate) fn last_recorded_at(&self) -> Timestamp {
        let sealed = self.sealed.last().map(|segment| segment.bounds());
        let last = self.blocks.last().map(|block| block.bounds).or(sealed);
        last.map_or(Timestamp::MIN, |bounds| bounds.recorded_max)
    }

    /// Takes in a block that continues the log. The tree is the caller's to set.
    pub(crate) fn add(&mut self, header: &BlockHeader, offset: u64) {
        self.epoch = self.epoch.max(header.epoch);
        if header.count == 0 {
            return;
        }
        for run in &header.runs {
            add_run(self.runs.entry(run.source).or_default(), header.first, *run);
        }
        self.blocks.push(BlockRef::new(header, offset));
    }

    /// Lets a segment stand for the blocks that it holds.
    pub(crate) fn seal(&mut self, segment: Arc<Segment>) {
        let last = segment.bounds().last;
        self.sealed.push(segment);
        self.blocks.retain(|block| block.bounds.last > last);
        self.blocks.shrink_to_fit();
        for runs in self.runs.values_mut() {
            *runs = runs.iter().filter_map(|run| run.behind(last)).collect();
        }
        self.runs.retain(|_, runs| !runs.is_empty());
    }

    /// Lets a segment stand for those whose events it holds; answers which they were.
    pub(crate) fn merge(&mut self, segment: Arc<Segment>) -> Vec<Arc<Segment>> {
        let bounds = segment.bounds();
        let sealed = &mut self.sealed;
        let from = sealed.partition_point(|old| old.bounds().last < bounds.first);
        let to = sealed.partition_point(|old| old.bounds().last <= bounds.last);
        sealed.splice(from..to, [segment]).collect()
    }

    /// The blocks of the write-ahead files up to one, in order.
    pub(crate) fn blocks_up_to(&self, generation: u64) -> Vec<BlockRef> {
        let blocks = self.blocks.iter().copied();
        blocks
            .filter(|block| block.generation <= generation)
            .collect()
    }

    /// The blocks of a write-ahead file, in order.
    pub(crate) fn blocks_in(&self, generation: u64) -> Vec<BlockRef> {
        let blocks = self.blocks.iter().copied();
        blocks
            .filter(|block| block.generation == generation)
            .collect()
    }

    /// The block that is not sealed and holds `position`, or the first one behind it.
    pub(crate) fn block_from(&self, position: Position) -> Option<BlockRef> {
        let at = self.blocks.partition_point(|b| b.bounds.last < position);
        self.blocks.get(at).copied()
    }

    /// The segment that holds `position`.
    pub(crate) fn segment_with(&self, position: Position) -> Option<&Arc<Segment>> {
        let at = self.sealed.partition_point(|s| s.bounds().last < position);
        self.sealed.get(at)
    }

    /// The last block that is not sealed and begins at or before a time.
    pub(crate) fn block_at(&self, recorded_at: Timestamp) -> Option<BlockBounds> {
        let after = self
            .blocks
            .partition_point(|b| b.bounds.recorded_min <= recorded_at);
        let block = self.blocks.get(after.checked_sub(1)?)?;
        Some(block.bounds)
    }

    /// The last segment that begins at or before a time.
    pub(crate) fn segment_at(&self, recorded_at: Timestamp) -> Option<&Arc<Segment>> {
        let after = self
            .sealed
            .partition_point(|s| s.bounds().recorded_min <= recorded_at);
        self.sealed.get(after.checked_sub(1)?)
    }

    /// How many runs are in memory.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> usize {
        self.runs.values().map(Vec::len).sum()
    }

    /// The position of a sequence that is not sealed.
    pub(crate) fn find(&self, source: SourceNumber, sequence: Sequence) -> Option<Position> {
        find_run(self.runs.get(&source)?, sequence.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_found_wherever_it_came_late() {
        let mut runs = Vec::new();
        // (position, first sequence, count): 1 to 10 without 4 to 6, which come last and in parts.
        for (position, first, count) in [(1, 1, 2), (3, 3, 1), (9, 7, 4), (20, 5, 2), (30, 4, 1)] {
            let run = Run {
                source: SourceNumber(1),
                first: Sequence(first),
                count,
                offset: 0,
            };
            add_run(&mut runs, Position(position), run);
        }
        let found: Vec<_> = (0..=11)
            .map(|sequence| find_run(&runs, sequence).map(|p| p.0))
            .collect();
        let expected = [0, 1, 2, 3, 30, 20, 21, 9, 10, 11, 12, 0];
        assert_eq!(found, expected.map(|p| (p > 0).then_some(p)));
        // Runs that continue each other are one: 1 to 3, 4, 5 to 6, 7 to 10.
        assert_eq!(runs.len(), 4);
        // Once positions up to 10 are sealed, 1 to 3 and the first half of 7 to 10 are gone.
        let behind = runs.iter().filter_map(|run| run.behind(Position(10)));
        let behind: Vec<_> = behind
            .map(|run| (run.sequence, run.position, run.count))
            .collect();
        assert_eq!(behind, [(4, 30, 1), (5, 20, 2), (9, 11, 2)]);
    }
}
