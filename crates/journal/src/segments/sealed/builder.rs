//! Builds a segment out of the blocks of write-ahead files, or of other segments.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use werkbuch_model::id::{LogId, Position, Sequence, SourceNumber};
use werkbuch_proof::CompactRange;
use werkbuch_record::block::{BLOCK_BYTES_MAX, BlockHeader, Run, join};
use werkbuch_record::peek_machine;

use super::catalogue::Entry;
use super::format::{self, PAGE_RUNS, Page, SealedBlockRef, Summary, Table, encode_runs, length};
use crate::disk::DiskFile;
use crate::index::{PlacedRun, add_run};
use crate::{BlockBounds, StoredBlock};

/// How much a sealed block holds before compression, some 1,500 events: more is denser, less is sooner
/// read. A question about the past reads some 8,000 events from any place.
const RAW_BYTES: u64 = 64 * 1024;
/// How much is written at once.
const STEP_BYTES: usize = 1024 * 1024;

/// A segment that is being written.
#[derive(Debug)]
pub(super) struct Builder {
    file: Arc<dyn DiskFile>,
    /// Bytes that are not written yet, and where they belong.
    buffer: Vec<u8>,
    written: u64,
    pending: Vec<StoredBlock>,
    pending_bytes: u64,
    last: Option<BlockHeader>,
    blocks: Vec<SealedBlockRef>,
    runs: BTreeMap<SourceNumber, Vec<PlacedRun>>,
    /// By machine: the position of its last event, and which blocks have events of it.
    machines: BTreeMap<u32, (u64, Vec<u8>)>,
}

impl Builder {
    pub(super) fn new(file: Arc<dyn DiskFile>, folder: LogId, first: Position) -> Self {
        Self {
            file,
            buffer: format::header(folder, first),
            written: 0,
            pending: Vec::new(),
            pending_bytes: 0,
            last: None,
            blocks: Vec::new(),
            runs: BTreeMap::new(),
            machines: BTreeMap::new(),
        }
    }

    /// Takes the next block of the plant.
    pub(super) fn push(&mut self, block: StoredBlock) -> io::Result<()> {
        let header = &block.header;
        let raw = u64::from(header.raw_body_bytes);
        let epoch = self.pending.first().map(|block| block.header.epoch);
        let full = self.pending_bytes.saturating_add(raw) > RAW_BYTES;
        if !self.pending.is_empty() && (full || epoch != Some(header.epoch)) {
            self.flush()?;
        }
        for run in &header.runs {
            add_run(self.runs.entry(run.source).or_default(), header.first, *run);
        }
        self.last = Some(header.clone());
        self.pending_bytes = self.pending_bytes.saturating_add(raw);
        self.pending.push(block);
        Ok(())
    }

    /// Takes the next block of another segment. One that is long enough goes over as it is, others are
    /// joined. The numbers of its events are to be added apart.
    pub(super) fn push_sealed(&mut self, block: StoredBlock, encoded: &[u8]) -> io::Result<()> {
        if u64::from(block.header.raw_body_bytes) < RAW_BYTES / 2 {
            return self.push(block);
        }
        self.flush()?;
        self.last = Some(block.header.clone());
        self.enter(&block.header, encoded.len(), std::slice::from_ref(&block));
        self.buffer.extend_from_slice(encoded);
        self.write_when_long()
    }

    /// Adds a run of another segment.
    pub(super) fn add_run(&mut self, source: SourceNumber, run: PlacedRun) {
        let placed = Run {
            source,
            first: Sequence(run.sequence),
            count: u32::try_from(run.count).unwrap_or(u32::MAX),
            offset: 0,
        };
        let runs = self.runs.entry(source).or_default();
        add_run(runs, Position(run.position), placed);
    }

    /// Writes the tables, syncs, and answers what the segment is. `tree` covers all events up to its
    /// last.
    pub(super) fn finish(mut self, tree: CompactRange) -> io::Result<(Summary, Entry)> {
        self.flush()?;
        let nothing = || io::Error::other("a segment of no blocks");
        let last = self.last.clone().ok_or_else(nothing)?;
        let pages = self.put_runs();
        let machines = self.put_machines();
        let bounds = self.bounds().ok_or_else(nothing)?;
        let summary = Summary {
            plant: last.plant,
            log_id: last.log_id,
            epoch: last.epoch,
            generation: last.generation,
            group: last.group,
            first: bounds.first,
            last: bounds.last,
            last_recorded_at: bounds.recorded_max,
            tree,
            machines,
            blocks: std::mem::take(&mut self.blocks),
            pages,
        };
        let encoded = summary.encode();
        let footer = format::footer(self.end(), &encoded);
        self.buffer.extend_from_slice(&encoded);
        self.buffer.extend_from_slice(&footer);
        self.write()?;
        self.file.sync_data()?;
        let bytes = self.written;
        Ok((summary, Entry { bounds, bytes }))
    }

    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        self.put(&pending)
    }

    /// Joins blocks into one; into several where one would be too long.
    fn put(&mut self, blocks: &[StoredBlock]) -> io::Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        let parts: Vec<_> = blocks
            .iter()
            .map(|b| (b.header.clone(), b.body.clone()))
            .collect();
        let Some(sealed) = join(&parts) else {
            if blocks.len() == 1 {
                return Err(io::Error::other("a block cannot be made denser"));
            }
            let (front, back) = blocks.split_at(blocks.len() / 2);
            self.put(front)?;
            return self.put(back);
        };
        self.enter(sealed.header(), sealed.encoded_bytes(), blocks);
        sealed.encode(&mut self.buffer);
        self.write_when_long()
    }

    /// Notes where a sealed block will lie, and which machines its events are about.
    fn enter(&mut self, header: &BlockHeader, bytes: usize, blocks: &[StoredBlock]) {
        let index = self.blocks.len();
        for block in blocks {
            for (position, event) in block.events() {
                let machine = peek_machine(event).get();
                let (last, bits) = self.machines.entry(machine).or_default();
                *last = position.get();
                bits.resize(index / 8 + 1, 0);
                if let Some(byte) = bits.last_mut() {
                    *byte |= 1 << (index % 8);
                }
            }
        }
        self.blocks.push(SealedBlockRef {
            offset: self.end(),
            bytes: length(bytes),
            bounds: BlockBounds::of(header),
        });
    }

    fn write_when_long(&mut self) -> io::Result<()> {
        if self.buffer.len() >= STEP_BYTES.max(BLOCK_BYTES_MAX) {
            self.write()?;
        }
        Ok(())
    }

    fn put_runs(&mut self) -> Vec<Page> {
        let mut pages = Vec::new();
        for (source, runs) in std::mem::take(&mut self.runs) {
            for runs in runs.chunks(PAGE_RUNS) {
                let ends = runs
                    .iter()
                    .map(|run| run.sequence.saturating_add(run.count) - 1);
                pages.push(Page {
                    source,
                    lowest: runs.first().map_or(0, |run| run.sequence),
                    highest: ends.max().unwrap_or(0),
                    runs: self.put_table(|out| encode_runs(runs, out)),
                });
            }
        }
        pages
    }

    fn put_machines(&mut self) -> Table {
        let machines = std::mem::take(&mut self.machines);
        let bits_bytes = self.blocks.len().div_ceil(8);
        self.put_table(|out| {
            out.extend_from_slice(&length(machines.len()).to_le_bytes());
            for (machine, (last, mut bits)) in machines {
                bits.resize(bits_bytes, 0);
                out.extend_from_slice(&machine.to_le_bytes());
                out.extend_from_slice(&last.to_le_bytes());
                out.extend_from_slice(&bits);
            }
        })
    }

    fn put_table(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Table {
        let (offset, start) = (self.end(), self.buffer.len());
        fill(&mut self.buffer);
        let table = self.buffer.get(start..).unwrap_or_default();
        Table {
            offset,
            bytes: length(table.len()),
            crc: crc32c::crc32c(table),
        }
    }

    fn bounds(&self) -> Option<BlockBounds> {
        let bounds = self.blocks.iter().map(|block| block.bounds);
        bounds.reduce(|all, next| BlockBounds {
            first: all.first,
            last: next.last,
            recorded_min: all.recorded_min.min(next.recorded_min),
            recorded_max: all.recorded_max.max(next.recorded_max),
            effective_min: all.effective_min.min(next.effective_min),
            effective_max: all.effective_max.max(next.effective_max),
        })
    }

    fn end(&self) -> u64 {
        self.written.saturating_add(self.buffer.len() as u64)
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_at(&self.buffer, self.written)?;
        self.written = self.end();
        self.buffer.clear();
        Ok(())
    }
}
