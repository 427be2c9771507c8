//! A segment: blocks of one plant, and behind them tables that say what lies where.
//!
//! All numbers are little-endian.
//!
//! ```text
//! header, 64 bytes                        run, 20 bytes
//!   offset width  field                     0     8  first sequence
//!        0     4  magic, "WBSG"             8     8  position of its event
//!        4     2  version, 1               16     4  count
//!        6     2  0                       page of runs, 40 bytes
//!        8    16  id of the data folder     0     4  source
//!       24     8  first position            4     8  lowest sequence
//!       32    28  0                        12     8  highest sequence
//!       60     4  CRC-32C of all before    20     8  offset of its runs in the file
//! blocks, as `werkbuch_record` draws       28     4  number of runs
//!   them, one after the other              32     4  CRC-32C of the runs
//! runs, by source and sequence             36     4  0
//! machines                                block, 60 bytes
//! summary                                   0     8  offset    8     4  length
//! footer, 24 bytes                         12     8  first position
//!        0     8  offset of the summary    20     4  count of events
//!        8     4  its length               24    32  earliest and latest recorded_at, then
//!       12     4  CRC-32C of it                      effective_at
//!       16     4  magic, "WBSE"            56     4  0
//!       20     4  CRC-32C of all before
//! machines: 4  number of machines, then by number of machine: 4  its number, 8  position of its last
//!           event, n  a bit for each block, set if the block holds events of the machine
//! summary:  1+n plant  16 log id  8 writer epoch  8 generation  8 group  8 first  8 last position
//!           8 last recorded_at  4+32*n peaks of the tree over all events up to the last
//!           8 offset, 4 length, 4 CRC-32C of the machines  4+60*n blocks  4+40*n pages of runs
//! ```

use werkbuch_model::id::{LogId, PlantId, Position, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash};

use crate::BlockBounds;
use crate::cursor::Cursor;
use crate::index::PlacedRun;

pub(super) const HEADER_BYTES: usize = 64;
pub(super) const FOOTER_BYTES: usize = 24;
/// How many runs a page has at most, so that a look-up reads a bounded part of the file.
pub(crate) const PAGE_RUNS: usize = 4_096;
const RUN_BYTES: usize = 20;
const MAGIC: [u8; 4] = *b"WBSG";
const FOOTER_MAGIC: [u8; 4] = *b"WBSE";
const VERSION: u16 = 1;

/// What a segment says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) plant: PlantId,
    pub(crate) log_id: LogId,
    /// The latest writer epoch.
    pub(crate) epoch: WriterEpoch,
    /// The last write-ahead file and group whose blocks are in it.
    pub(crate) generation: u64,
    pub(crate) group: u64,
    pub(crate) first: Position,
    pub(crate) last: Position,
    pub(crate) last_recorded_at: Timestamp,
    /// The tree over all events of the log up to the last of the segment.
    pub(crate) tree: CompactRange,
    pub(crate) machines: Table,
    pub(crate) blocks: Vec<SealedBlockRef>,
    pub(crate) pages: Vec<Page>,
}

/// Where a table lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    pub(crate) crc: u32,
}

/// Where a block lies and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealedBlockRef {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    pub(crate) bounds: BlockBounds,
}

/// Runs of one source, by sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) source: SourceNumber,
    pub(crate) lowest: u64,
    pub(crate) highest: u64,
    pub(crate) runs: Table,
}

/// The header of a segment.
pub(super) fn header(folder: LogId, first: Position) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&folder.0);
    bytes.extend_from_slice(&first.get().to_le_bytes());
    bytes.resize(HEADER_BYTES - 4, 0);
    with_crc(bytes)
}

/// Whether these are the header of a segment, in words if not.
pub(super) fn check_header(bytes: &[u8], folder: LogId, first: Position) -> Result<(), String> {
    if bytes
        .get(4..6)
        .is_some_and(|version| version != VERSION.to_le_bytes())
        && bytes.starts_with(&MAGIC)
        && crc_holds(bytes.get(..HEADER_BYTES).unwrap_or_default())
    {
        return Err(
            "the segment has another version than this build reads: use the build that wrote it"
                .into(),
        );
    }
    if bytes.get(..HEADER_BYTES) == Some(header(folder, first).as_slice()) {
        return Ok(());
    }
    let known = crc_holds(bytes.get(..HEADER_BYTES).unwrap_or_default());
    if known && bytes.get(8..24) != Some(folder.0.as_slice()) {
        return Err("the segment belongs to another data folder".into());
    }
    let begins = bytes.get(24..32).and_then(|eight| eight.try_into().ok());
    let begins = begins
        .map(u64::from_le_bytes)
        .filter(|_| known && bytes.starts_with(&MAGIC));
    if let Some(begins) = begins.filter(|begins| *begins != first.get()) {
        return Err(format!(
            "another segment stands there: it begins at position {begins}, not {first}"
        ));
    }
    Err("the segment's header is damaged".into())
}

pub(super) fn footer(offset: u64, summary: &[u8]) -> Vec<u8> {
    let mut bytes = offset.to_le_bytes().to_vec();
    bytes.extend_from_slice(&length(summary.len()).to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(summary).to_le_bytes());
    bytes.extend_from_slice(&FOOTER_MAGIC);
    with_crc(bytes)
}

/// Where the summary lies, if these bytes are a footer.
pub(super) fn read_footer(bytes: &[u8]) -> Option<Table> {
    let whole = bytes.len() == FOOTER_BYTES && crc_holds(bytes);
    let mut cursor = Cursor::new(bytes);
    let (offset, bytes, crc) = (cursor.u64()?, cursor.u32()?, cursor.u32()?);
    let magic = cursor.array::<4>()? == FOOTER_MAGIC;
    (whole && magic).then_some(Table { offset, bytes, crc })
}

pub(super) fn encode_runs(runs: &[PlacedRun], out: &mut Vec<u8>) {
    for run in runs {
        out.extend_from_slice(&run.sequence.to_le_bytes());
        out.extend_from_slice(&run.position.to_le_bytes());
        out.extend_from_slice(&u32::try_from(run.count).unwrap_or(u32::MAX).to_le_bytes());
    }
}

pub(super) fn decode_runs(bytes: &[u8]) -> Option<Vec<PlacedRun>> {
    let mut cursor = Cursor::new(bytes);
    let mut runs = Vec::with_capacity(cursor.room_for(RUN_BYTES));
    while !cursor.is_empty() {
        runs.push(PlacedRun {
            sequence: cursor.u64()?,
            position: cursor.u64()?,
            count: u64::from(cursor.u32()?),
        });
    }
    Some(runs)
}

impl Summary {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(self.plant.as_str(), &mut out);
        out.extend_from_slice(&self.log_id.0);
        for number in [
            self.epoch.get(),
            self.generation,
            self.group,
            self.first.get(),
            self.last.get(),
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.last_recorded_at.nanos().to_le_bytes());
        put_peaks(&self.tree, &mut out);
        self.machines.put(&mut out);
        out.extend_from_slice(&length(self.blocks.len()).to_le_bytes());
        for block in &self.blocks {
            let bounds = &block.bounds;
            let count = bounds.last.get().saturating_sub(bounds.first.get()) + 1;
            out.extend_from_slice(&block.offset.to_le_bytes());
            out.extend_from_slice(&block.bytes.to_le_bytes());
            out.extend_from_slice(&bounds.first.get().to_le_bytes());
            out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
            for time in [
                bounds.recorded_min,
                bounds.recorded_max,
                bounds.effective_min,
                bounds.effective_max,
            ] {
                out.extend_from_slice(&time.nanos().to_le_bytes());
            }
            out.extend_from_slice(&[0; 4]);
        }
        out.extend_from_slice(&length(self.pages.len()).to_le_bytes());
        for page in &self.pages {
            out.extend_from_slice(&page.source.get().to_le_bytes());
            out.extend_from_slice(&page.lowest.to_le_bytes());
            out.extend_from_slice(&page.highest.to_le_bytes());
            page.runs.put(&mut out);
            out.extend_from_slice(&[0; 4]);
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let plant = PlantId::new(cursor.text()?).ok()?;
        let log_id = LogId(cursor.array()?);
        let epoch = WriterEpoch(cursor.u64()?);
        let (generation, group) = (cursor.u64()?, cursor.u64()?);
        let (first, last) = (Position(cursor.u64()?), Position(cursor.u64()?));
        let last_recorded_at = Timestamp(cursor.i64()?);
        let tree = take_peaks(last, &mut cursor)?;
        let machines = Table::take(&mut cursor)?;
        let mut blocks = Vec::new();
        for _ in 0..cursor.u32()? {
            blocks.push(take_block(&mut cursor)?);
        }
        let mut pages = Vec::new();
        for _ in 0..cursor.u32()? {
            pages.push(Page {
                source: SourceNumber(cursor.u32()?),
                lowest: cursor.u64()?,
                highest: cursor.u64()?,
                runs: Table::take(&mut cursor)?,
            });
            cursor.u32()?;
        }
        cursor.is_empty().then_some(Self {
            plant,
            log_id,
            epoch,
            generation,
            group,
            first,
            last,
            last_recorded_at,
            tree,
            machines,
            blocks,
            pages,
        })
    }
}

impl Table {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
    }

    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            offset: cursor.u64()?,
            bytes: cursor.u32()?,
            crc: cursor.u32()?,
        })
    }
}

fn take_block(cursor: &mut Cursor<'_>) -> Option<SealedBlockRef> {
    let (offset, bytes) = (cursor.u64()?, cursor.u32()?);
    let (first, count) = (cursor.u64()?, cursor.u32()?);
    let last = first.checked_add(u64::from(count))?.checked_sub(1)?;
    let bounds = BlockBounds {
        first: Position(first),
        last: Position(last),
        recorded_min: Timestamp(cursor.i64()?),
        recorded_max: Timestamp(cursor.i64()?),
        effective_min: Timestamp(cursor.i64()?),
        effective_max: Timestamp(cursor.i64()?),
    };
    cursor.u32()?;
    Some(SealedBlockRef {
        offset,
        bytes,
        bounds,
    })
}

pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_peaks(tree: &CompactRange, out: &mut Vec<u8>) {
    out.extend_from_slice(&length(tree.peaks().len()).to_le_bytes());
    for peak in tree.peaks() {
        out.extend_from_slice(peak.as_bytes());
    }
}

/// The tree over the events up to `last`.
pub(super) fn take_peaks(last: Position, cursor: &mut Cursor<'_>) -> Option<CompactRange> {
    let mut peaks = Vec::new();
    for _ in 0..cursor.u32()? {
        peaks.push(Hash::from_bytes(cursor.array()?));
    }
    CompactRange::from_parts(last.get(), peaks).ok()
}

pub(super) fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

pub(super) fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

pub(super) fn crc_holds(bytes: &[u8]) -> bool {
    let split = bytes
        .len()
        .checked_sub(4)
        .and_then(|at| bytes.split_at_checked(at));
    split.is_some_and(|(bytes, crc)| crc == crc32c::crc32c(bytes).to_le_bytes())
}
