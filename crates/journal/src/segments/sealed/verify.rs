//! Reads every byte of the sealed part of a log and holds it against everything else that is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_proof::{CompactRange, leaf_hash};
use werkbuch_record::{decode_recorded, peek_machine};

use super::format::{FOOTER_BYTES, HEADER_BYTES, Summary};
use super::reader::Segment;
use crate::disk::DiskFile;
use crate::index::{PlacedRun, find_run};
use crate::{StoreError, StoredBlock, Verified};

/// Verifies a segment; `tree` covers the events before it and then those up to its last. `each` gets
/// every event.
/// Errors: the first thing that is wrong, with its place; those of `each`; or the disk fails.
pub(crate) fn verify(
    segment: &Segment,
    tree: &mut CompactRange,
    verified: &mut Verified,
    each: &mut EachEvent<'_>,
) -> Result<(), StoreError> {
    Check::new(segment)?.run(tree, verified, each)?;
    verified.files += 1;
    verified.bytes += segment.bytes();
    Ok(())
}

/// What is done with the bytes of each event.
type EachEvent<'f> = dyn FnMut(&[u8], &mut Verified) -> Result<(), StoreError> + 'f;

/// A segment that is being verified.
struct Check<'s> {
    segment: &'s Segment,
    summary: Arc<Summary>,
    file: Arc<dyn DiskFile>,
    runs: BTreeMap<SourceNumber, Vec<PlacedRun>>,
    machines: BTreeMap<u32, (Position, Vec<u8>)>,
    /// The last event of each machine.
    last: BTreeMap<u32, Position>,
}

impl<'s> Check<'s> {
    fn new(segment: &'s Segment) -> Result<Self, StoreError> {
        let summary = segment.summary()?;
        let file = segment.open()?;
        let mut runs: BTreeMap<SourceNumber, Vec<PlacedRun>> = BTreeMap::new();
        for page in &summary.pages {
            runs.entry(page.source)
                .or_default()
                .extend(segment.runs(page)?);
        }
        let machines = segment.machines(&*file, &summary)?;
        Ok(Self {
            segment,
            summary,
            file,
            runs,
            machines,
            last: BTreeMap::new(),
        })
    }

    fn run(
        mut self,
        tree: &mut CompactRange,
        verified: &mut Verified,
        each: &mut EachEvent<'_>,
    ) -> Result<(), StoreError> {
        self.no_byte_is_left_out()?;
        let summary = Arc::clone(&self.summary);
        for (at, place) in summary.blocks.iter().enumerate() {
            let block = self.segment.block(&*self.file, place)?;
            if block.header.root_before != *tree.root().as_bytes() {
                let what = "the block's root is not that of the events before it";
                return Err(self.segment.damaged(place.offset, what.into()));
            }
            self.events(&block, at, place.offset, tree)?;
            for (_, event) in block.events() {
                each(event, verified)?;
            }
            verified.blocks += 1;
            verified.events += block.body.len() as u64;
        }
        let wrong = |what: &str| Err(self.segment.damaged(0, what.into()));
        if *tree != summary.tree {
            return wrong("the tree in the segment's summary is not that of its events");
        }
        let last = self
            .machines
            .iter()
            .map(|(machine, (last, _))| (*machine, *last));
        if !last.eq(self.last.iter().map(|(machine, last)| (*machine, *last))) {
            return wrong("the segment's table of machines does not name the last events");
        }
        Ok(())
    }

    /// Blocks and tables must follow each other from the header to the footer.
    fn no_byte_is_left_out(&self) -> Result<(), StoreError> {
        let summary = &self.summary;
        let blocks = summary
            .blocks
            .iter()
            .map(|block| (block.offset, block.bytes));
        let pages = summary
            .pages
            .iter()
            .map(|page| (page.runs.offset, page.runs.bytes));
        let machines = (summary.machines.offset, summary.machines.bytes);
        let mut next = HEADER_BYTES as u64;
        for (offset, bytes) in blocks.chain(pages).chain([machines]) {
            if offset != next {
                let what = "the parts of the segment do not follow each other";
                return Err(self.segment.damaged(next, what.into()));
            }
            next = offset.saturating_add(u64::from(bytes));
        }
        let end = next + summary.encode().len() as u64 + FOOTER_BYTES as u64;
        if end == self.segment.bytes() {
            return Ok(());
        }
        let what = "there are bytes in the segment that belong to nothing";
        Err(self.segment.damaged(next, what.into()))
    }

    /// Hashes the events of a block, and looks each up in the tables.
    fn events(
        &mut self,
        block: &StoredBlock,
        index: usize,
        offset: u64,
        tree: &mut CompactRange,
    ) -> Result<(), StoreError> {
        for (position, event) in block.events() {
            tree.append(leaf_hash(event));
            let MachineNumber(machine) = peek_machine(event);
            self.last.insert(machine, position);
            let bits = self.machines.get(&machine).map(|(_, bits)| bits);
            let byte = bits.and_then(|bits| bits.get(index / 8)).unwrap_or(&0);
            let listed = byte >> (index % 8) & 1 == 1;
            // What this build cannot read is hashed all the same; its number is not looked up.
            let found = decode_recorded(event).ok().is_none_or(|event| {
                let sequence = event.reported.sequence.get();
                let runs = self.runs.get(&event.source);
                let found = runs.and_then(|runs| find_run(runs, sequence));
                event.source.get() == 0 || sequence == 0 || found.is_some()
            });
            if !listed || !found {
                let what = format!("event {position} is not in the segment's tables");
                return Err(self.segment.damaged(offset, what));
            }
        }
        Ok(())
    }
}
