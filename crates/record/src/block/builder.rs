//! Fills a block with events, compresses it and hands it to a store.

use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;

use super::{
    BLOCK_BYTES_MAX, BlockError, BlockHeader, CRC_BYTES, Codec, FIXED_BYTES, RUN_BYTES, Run,
};

/// A block that takes events.
#[derive(Clone, Debug)]
pub struct BlockBuilder {
    header: BlockHeader,
    raw: Vec<u8>,
}

/// A block that is full or finished, and lacks only its place in a log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBlock {
    pub(super) header: BlockHeader,
    pub(super) body: Vec<u8>,
}

impl BlockBuilder {
    /// A block without events. `first` is the position that its first event gets, and
    /// `root_before` the Merkle root over all events of the log before that position.
    #[must_use]
    pub fn new(
        log_id: LogId,
        plant: PlantId,
        epoch: WriterEpoch,
        first: Position,
        root_before: [u8; 32],
    ) -> Self {
        Self {
            header: BlockHeader {
                codec: Codec::Raw,
                clean_close: false,
                stored_body_bytes: 0,
                raw_body_bytes: 0,
                count: 0,
                generation: 0,
                group: 0,
                group_index: 0,
                group_blocks: 1,
                epoch,
                first,
                log_id,
                root_before,
                recorded_min: Timestamp(0),
                recorded_max: Timestamp(0),
                effective_min: Timestamp(0),
                effective_max: Timestamp(0),
                body_crc: 0,
                plant,
                runs: Vec::new(),
            },
            raw: Vec::new(),
        }
    }

    /// Whether an event of `event_bytes` bytes still fits, whatever its source and even if nothing
    /// can be compressed.
    #[must_use]
    pub fn fits(&self, event_bytes: usize) -> bool {
        let name = self.header.plant.as_str().len();
        let runs = (self.header.runs.len() + 1) * RUN_BYTES;
        let used = FIXED_BYTES + name + runs + CRC_BYTES + self.raw.len() + VARINT_BYTES_MAX;
        event_bytes <= BLOCK_BYTES_MAX.saturating_sub(used)
    }

    /// Adds the event that gets the next position. `source` 0 stands for the writer's own events,
    /// whose sequence means nothing.
    ///
    /// # Errors
    ///
    /// [`BlockError::Full`] when the event does not fit; the block is then as before.
    pub fn push(
        &mut self,
        event: &[u8],
        recorded_at: Timestamp,
        effective_at: Timestamp,
        source: SourceNumber,
        sequence: Sequence,
    ) -> Result<(), BlockError> {
        if !self.fits(event.len()) {
            return Err(BlockError::Full { bytes: event.len() });
        }
        push_varint(&mut self.raw, event.len());
        self.raw.extend_from_slice(event);
        let header = &mut self.header;
        if header.count == 0 {
            (header.recorded_min, header.recorded_max) = (recorded_at, recorded_at);
            (header.effective_min, header.effective_max) = (effective_at, effective_at);
        } else {
            header.recorded_min = header.recorded_min.min(recorded_at);
            header.recorded_max = header.recorded_max.max(recorded_at);
            header.effective_min = header.effective_min.min(effective_at);
            header.effective_max = header.effective_max.max(effective_at);
        }
        let offset = header.count;
        header.count += 1;
        if source.get() > 0 && sequence.get() > 0 {
            let (first, count) = (sequence, 1);
            let run = Run {
                source,
                first,
                count,
                offset,
            };
            add_to_runs(&mut header.runs, run);
        }
        Ok(())
    }

    /// Takes the events of the block that follows this one, so that both become one.
    ///
    /// # Errors
    ///
    /// The other block comes back, and this one is as before, when they are not of one log and writer
    /// epoch, do not follow each other, or do not fit into one block.
    pub fn join(&mut self, next: Self) -> Result<(), Box<Self>> {
        let (header, other) = (&self.header, &next.header);
        let same = (&header.plant, header.log_id, header.epoch)
            == (&other.plant, other.log_id, other.epoch);
        let runs = other.runs.len().saturating_mul(RUN_BYTES);
        let follows = self.next_position() == other.first;
        if !same || !follows || self.is_empty() || !self.fits(next.raw.len().saturating_add(runs)) {
            return Err(Box::new(next));
        }
        if next.is_empty() {
            return Ok(());
        }
        let Self { header: other, raw } = next;
        let header = &mut self.header;
        header.recorded_min = header.recorded_min.min(other.recorded_min);
        header.recorded_max = header.recorded_max.max(other.recorded_max);
        header.effective_min = header.effective_min.min(other.effective_min);
        header.effective_max = header.effective_max.max(other.effective_max);
        for mut run in other.runs {
            run.offset += header.count;
            add_to_runs(&mut header.runs, run);
        }
        header.count += other.count;
        self.raw.extend_from_slice(&raw);
        Ok(())
    }

    /// The plant whose events the block holds.
    #[must_use]
    pub fn plant(&self) -> &PlantId {
        &self.header.plant
    }

    /// How many events the block holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.count as usize
    }

    /// Whether the block holds no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.count == 0
    }

    /// The position that the next event gets.
    #[must_use]
    pub fn next_position(&self) -> Position {
        self.header.last().next()
    }

    /// Compresses the body, where that makes it shorter, and takes its checksum. A block without
    /// events becomes a clean-close mark.
    #[must_use]
    pub fn finish(self) -> SealedBlock {
        let Self { mut header, raw } = self;
        header.clean_close = header.count == 0;
        header.raw_body_bytes = u32::try_from(raw.len()).unwrap_or(u32::MAX);
        let packed = lz4_flex::block::compress(&raw);
        let body = if packed.len() < raw.len() {
            header.codec = Codec::Lz4;
            packed
        } else {
            raw
        };
        header.stored_body_bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
        header.body_crc = crc32c::crc32c(&body);
        SealedBlock { header, body }
    }
}

impl SealedBlock {
    /// What the block says about itself; before [`place`](Self::place) its place is not set.
    #[must_use]
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// Takes the place that a store gives the block: the number of the file, the group, and the
    /// index among the blocks of the group.
    pub fn place(&mut self, generation: u64, group: u64, index: u32, blocks: u32) {
        self.header.generation = generation;
        self.header.group = group;
        self.header.group_index = index;
        self.header.group_blocks = blocks;
    }

    /// Length of the encoded block in bytes, at most [`BLOCK_BYTES_MAX`].
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        self.header.encoded_bytes() + self.body.len()
    }

    /// Appends header and body to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(self.encoded_bytes());
        self.header.encode(out);
        out.extend_from_slice(&self.body);
    }
}

/// The most bytes that the length of an event takes.
const VARINT_BYTES_MAX: usize = 5;

fn push_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Lengthens the last run by one that goes on where it ends, or begins a new one with it.
fn add_to_runs(runs: &mut Vec<Run>, next: Run) {
    if let Some(run) = runs.last_mut()
        && run.source == next.source
        && run.offset + run.count == next.offset
        && run.first.get().checked_add(u64::from(run.count)) == Some(next.first.get())
    {
        run.count += next.count;
        return;
    }
    runs.push(next);
}
