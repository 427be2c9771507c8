//! The header of a block: its fields, written and read.

use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;

use super::{
    BLOCK_BYTES_MAX, BLOCK_MAGIC, BLOCK_VERSION, BlockError, CRC_BYTES, FIXED_BYTES,
    FLAG_CLEAN_CLOSE, RAW_BODY_BYTES_MAX, RUN_BYTES,
};

/// How the body of a block is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// As it is.
    #[default]
    Raw,
    /// In the LZ4 block format, without a length prefix (the header has the length).
    Lz4,
    /// As columns of fields, deflated.
    Dense,
}

/// A stretch of events of one source with consecutive sequences at consecutive positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whose events these are; never the writer's own number 0.
    pub source: SourceNumber,
    /// The sequence of the first event.
    pub first: Sequence,
    /// How many events there are, at least 1.
    pub count: u32,
    /// The index in the block of the first event, from 0.
    pub offset: u32,
}

/// What a block says about itself; the fields stand in the module's drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// How the body is stored.
    pub codec: Codec,
    /// Whether this empty block says that the log was closed in good order.
    pub clean_close: bool,
    /// Length of the body as stored, in bytes.
    pub stored_body_bytes: u32,
    /// Length of the body after decompression, in bytes.
    pub raw_body_bytes: u32,
    /// How many events the block holds; 0 only with the clean-close mark.
    pub count: u32,
    /// The number of the write-ahead file that the block was written to.
    pub generation: u64,
    /// The number of the group that the block was committed with.
    pub group: u64,
    /// The index of the block in its group, from 0.
    pub group_index: u32,
    /// How many blocks the group has.
    pub group_blocks: u32,
    /// The epoch of the writer.
    pub epoch: WriterEpoch,
    /// The position of the first event; of an empty block the position that comes next.
    pub first: Position,
    /// The log that the block belongs to.
    pub log_id: LogId,
    /// The Merkle root over all events before this block.
    pub root_before: [u8; 32],
    /// The earliest recorded_at of the events; 0 without events, as the next three.
    pub recorded_min: Timestamp,
    /// The latest recorded_at of the events.
    pub recorded_max: Timestamp,
    /// The earliest effective_at of the events.
    pub effective_min: Timestamp,
    /// The latest effective_at of the events.
    pub effective_max: Timestamp,
    /// CRC-32C of the body as stored.
    pub body_crc: u32,
    /// The plant that the log tells of.
    pub plant: PlantId,
    /// The runs of the block in the order of their offsets.
    pub runs: Vec<Run>,
}

impl BlockHeader {
    /// Length of the encoded header in bytes.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        FIXED_BYTES + self.plant.as_str().len() + RUN_BYTES * self.runs.len() + CRC_BYTES
    }

    /// The position of the last event; of an empty block the position before the next.
    #[must_use]
    pub fn last(&self) -> Position {
        let end = self.first.get().saturating_add(u64::from(self.count));
        Position(end.saturating_sub(1))
    }

    /// Appends the encoded header with its checksum to `out`.
    ///
    /// The lengths of the name and of the table are held by their types and by
    /// [`BlockBuilder`](super::BlockBuilder); a header made by hand with a table too long for a
    /// block is written as it is and refused by whoever reads it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let name = self.plant.as_str().as_bytes();
        out.extend_from_slice(&BLOCK_MAGIC);
        out.extend_from_slice(&BLOCK_VERSION.to_le_bytes());
        out.push(match self.codec {
            Codec::Raw => 0,
            Codec::Lz4 => 1,
            Codec::Dense => 2,
        });
        out.push(if self.clean_close {
            FLAG_CLEAN_CLOSE
        } else {
            0
        });
        out.extend_from_slice(&saturate(self.encoded_bytes()).to_le_bytes());
        out.extend_from_slice(&self.stored_body_bytes.to_le_bytes());
        out.extend_from_slice(&self.raw_body_bytes.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&self.group.to_le_bytes());
        out.extend_from_slice(&self.group_index.to_le_bytes());
        out.extend_from_slice(&self.group_blocks.to_le_bytes());
        out.extend_from_slice(&self.epoch.get().to_le_bytes());
        out.extend_from_slice(&self.first.get().to_le_bytes());
        out.extend_from_slice(&self.log_id.0);
        out.extend_from_slice(&self.root_before);
        for time in [
            self.recorded_min,
            self.recorded_max,
            self.effective_min,
            self.effective_max,
        ] {
            out.extend_from_slice(&time.nanos().to_le_bytes());
        }
        out.extend_from_slice(&self.body_crc.to_le_bytes());
        out.extend_from_slice(&saturate(self.runs.len()).to_le_bytes());
        out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(name);
        for run in &self.runs {
            out.extend_from_slice(&run.source.get().to_le_bytes());
            out.extend_from_slice(&run.first.get().to_le_bytes());
            out.extend_from_slice(&run.count.to_le_bytes());
            out.extend_from_slice(&run.offset.to_le_bytes());
        }
        let crc = crc32c::crc32c(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&crc.to_le_bytes());
    }

    /// Reads a header from the beginning of `bytes`, which may go on behind it, and says how long
    /// it is; the body begins there.
    ///
    /// # Errors
    ///
    /// [`BlockError::Short`] when the bytes end inside the header; [`BlockError::Magic`],
    /// [`BlockError::Version`], [`BlockError::HeaderChecksum`] and [`BlockError::Field`] when they
    /// are no header that this build can trust. No bytes make it panic.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), BlockError> {
        let mut fields = Fields {
            rest: checked(bytes)?,
        };
        let length = fields.rest.len() + CRC_BYTES;
        fields.take::<8>("magic")?;
        let [codec, flags] = [6, 7].map(|at| bytes.get(at).copied().unwrap_or(u8::MAX));
        fields.u32("header length")?;
        let codec = match codec {
            0 => Codec::Raw,
            1 => Codec::Lz4,
            2 => Codec::Dense,
            _ => return Err(BlockError::Field { field: "codec" }),
        };
        let clean_close = match flags {
            0 => false,
            FLAG_CLEAN_CLOSE => true,
            _ => return Err(BlockError::Field { field: "flags" }),
        };
        let header = fields.header(codec, clean_close)?;
        header.check(length)?;
        Ok((header, length))
    }

    /// Checks what the checksum cannot: that the fields agree with each other.
    fn check(&self, header_bytes: usize) -> Result<(), BlockError> {
        let stored = usize::try_from(self.stored_body_bytes).unwrap_or(usize::MAX);
        let raw = usize::try_from(self.raw_body_bytes).unwrap_or(usize::MAX);
        let rules = [
            ("header length", header_bytes == self.encoded_bytes()),
            (
                "stored body length",
                stored.saturating_add(header_bytes) <= BLOCK_BYTES_MAX,
            ),
            ("raw body length", raw <= RAW_BODY_BYTES_MAX),
            ("raw body length", self.codec != Codec::Raw || raw == stored),
            ("first position", self.first.get() >= 1),
            (
                "count",
                self.first
                    .get()
                    .checked_add(u64::from(self.count))
                    .is_some(),
            ),
            ("clean-close mark", self.clean_close == (self.count == 0)),
            ("index in the group", self.group_index < self.group_blocks),
            ("times", self.recorded_min <= self.recorded_max),
            ("times", self.effective_min <= self.effective_max),
            ("table of runs", self.runs_agree()),
        ];
        match rules.iter().find(|(_, holds)| !holds) {
            None => Ok(()),
            Some((field, _)) => Err(BlockError::Field { field }),
        }
    }

    fn runs_agree(&self) -> bool {
        let mut free = 0;
        self.runs.iter().all(|run| {
            let fits = run.offset >= free
                && run.count >= 1
                && run.source.get() >= 1
                && run.first.get() >= 1
                && run.first.get().checked_add(u64::from(run.count)).is_some();
            free = run.offset.saturating_add(run.count);
            fits && free <= self.count
        })
    }
}

/// Cuts the header without its checksum out of `bytes`, if length and checksum are right.
fn checked(bytes: &[u8]) -> Result<&[u8], BlockError> {
    let short = |needed| BlockError::Short {
        needed,
        found: bytes.len(),
    };
    if !bytes.starts_with(&BLOCK_MAGIC) {
        let end = bytes.len().min(BLOCK_MAGIC.len());
        return Err(match bytes.get(..end) {
            Some(start) if end < BLOCK_MAGIC.len() && BLOCK_MAGIC.starts_with(start) => {
                short(FIXED_BYTES)
            }
            _ => BlockError::Magic,
        });
    }
    let mut fields = Fields {
        rest: bytes.get(4..12).ok_or(short(FIXED_BYTES))?,
    };
    let version = u16::from_le_bytes(fields.take("version")?);
    if version != BLOCK_VERSION {
        return Err(BlockError::Version { found: version });
    }
    fields.take::<2>("flags")?;
    let length = usize::try_from(fields.u32("header length")?).unwrap_or(usize::MAX);
    if !(FIXED_BYTES + CRC_BYTES..=BLOCK_BYTES_MAX).contains(&length) {
        return Err(BlockError::Field {
            field: "header length",
        });
    }
    let whole = bytes.get(..length).ok_or(short(length))?;
    let (header, crc) = whole
        .split_at_checked(length - CRC_BYTES)
        .ok_or(short(length))?;
    if crc != crc32c::crc32c(header).to_le_bytes() {
        return Err(BlockError::HeaderChecksum);
    }
    Ok(header)
}

fn saturate(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Takes fields from the front of bytes.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], BlockError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(BlockError::Field { field })?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u32(&mut self, field: &'static str) -> Result<u32, BlockError> {
        self.take(field).map(u32::from_le_bytes)
    }

    fn u64(&mut self, field: &'static str) -> Result<u64, BlockError> {
        self.take(field).map(u64::from_le_bytes)
    }

    fn time(&mut self, field: &'static str) -> Result<Timestamp, BlockError> {
        self.take(field).map(i64::from_le_bytes).map(Timestamp)
    }

    /// Reads everything behind the header length. The fields of the value stand in the order of
    /// the bytes, and a struct expression is evaluated in the order it is written.
    fn header(&mut self, codec: Codec, clean_close: bool) -> Result<BlockHeader, BlockError> {
        let mut header = BlockHeader {
            codec,
            clean_close,
            stored_body_bytes: self.u32("stored body length")?,
            raw_body_bytes: self.u32("raw body length")?,
            count: self.u32("count")?,
            generation: self.u64("generation")?,
            group: self.u64("group number")?,
            group_index: self.u32("index in the group")?,
            group_blocks: self.u32("number of blocks in the group")?,
            epoch: WriterEpoch(self.u64("writer epoch")?),
            first: Position(self.u64("first position")?),
            log_id: LogId(self.take("log id")?),
            root_before: self.take("root")?,
            recorded_min: self.time("earliest recorded_at")?,
            recorded_max: self.time("latest recorded_at")?,
            effective_min: self.time("earliest effective_at")?,
            effective_max: self.time("latest effective_at")?,
            body_crc: self.u32("body checksum")?,
            runs: Vec::with_capacity(self.run_count()?),
            plant: self.plant()?,
        };
        while !self.rest.is_empty() {
            header.runs.push(Run {
                source: SourceNumber(self.u32("table of runs")?),
                first: Sequence(self.u64("table of runs")?),
                count: self.u32("table of runs")?,
                offset: self.u32("table of runs")?,
            });
        }
        Ok(header)
    }

    /// Reads the number of runs and holds it against the bytes that are left.
    fn run_count(&mut self) -> Result<usize, BlockError> {
        let field = "number of runs";
        let count = usize::try_from(self.u32(field)?).unwrap_or(usize::MAX);
        let name = self.rest.first().copied().map_or(0, usize::from);
        let runs = count.checked_mul(RUN_BYTES);
        if runs.and_then(|runs| runs.checked_add(1 + name)) != Some(self.rest.len()) {
            return Err(BlockError::Field { field });
        }
        Ok(count)
    }

    fn plant(&mut self) -> Result<PlantId, BlockError> {
        let field = "plant's name";
        let [length] = self.take(field)?;
        let (name, rest) = self
            .rest
            .split_at_checked(usize::from(length))
            .ok_or(BlockError::Field { field })?;
        self.rest = rest;
        core::str::from_utf8(name)
            .ok()
            .and_then(|name| PlantId::new(name).ok())
            .ok_or(BlockError::Field { field })
    }
}
