//! Gives events their positions, encodes them, hashes them and puts them into blocks.

use crate::clock::WriterClock;
use crate::error::EngineError;
use crate::writer::Writer;
use bytes::Bytes;
use werkbuch_journal::Proposal;
use werkbuch_model::event::{
    Body, Corrected, EVENT_BYTES_MAX, Flags, Recorded, Refusal, RefusalReason, Reported,
};
use werkbuch_model::id::{MachineNumber, PlantId, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash};
use werkbuch_record::block::BlockBuilder;
use werkbuch_record::encode_recorded_into;

/// Stored events, one after another.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Encoded {
    fn push(&mut self, event: &[u8]) {
        self.bytes.extend_from_slice(event);
        self.ends.push(self.bytes.len());
    }

    /// The events in the order of their positions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .filter_map(|(start, end)| self.bytes.get(start..*end))
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// A block that is not packed yet: the committer does that, and joins it with others that wait.
#[derive(Debug)]
pub(crate) struct OpenBlock {
    block: BlockBuilder,
    /// The tree over all events up to and with this block.
    tree: CompactRange,
    bodies: Vec<(Hash, Bytes)>,
    /// Whether it has nothing that can wait until there is room on the disk.
    urgent: bool,
}

impl OpenBlock {
    /// Takes the block that follows this one. Errors: it comes back, if they do not make one block.
    pub(crate) fn join(&mut self, next: Self) -> Result<(), Box<Self>> {
        let Self {
            block,
            tree,
            bodies,
            urgent,
        } = next;
        match self.block.join(block) {
            Ok(()) => {
                self.tree = tree;
                self.bodies.extend(bodies);
                self.urgent &= urgent;
                Ok(())
            }
            Err(block) => Err(Box::new(Self {
                block: *block,
                tree,
                bodies,
                urgent,
            })),
        }
    }

    #[cfg(test)]
    pub(crate) fn new(block: BlockBuilder, tree: CompactRange) -> Self {
        Self {
            block,
            tree,
            bodies: Vec::new(),
            urgent: false,
        }
    }

    /// The plant whose events it has.
    pub(crate) fn plant(&self) -> &PlantId {
        self.block.plant()
    }

    /// Packs it for the store.
    pub(crate) fn pack(self) -> Proposal {
        Proposal {
            bodies: self.bodies,
            urgent: self.urgent,
            ..Proposal::new(self.block.finish(), self.tree)
        }
    }
}

/// What a staging wants committed, and what the twin then applies.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    pub(crate) blocks: Vec<OpenBlock>,
    pub(crate) events: Encoded,
}

/// What the writer decided about an event.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    pub(crate) source: SourceNumber,
    pub(crate) effective_at: Timestamp,
    pub(crate) flags: Flags,
    pub(crate) authority: u32,
    pub(crate) corrected: Vec<Corrected<'a>>,
}

/// Records events one after another into blocks.
#[derive(Debug)]
pub(crate) struct Recorder<'w> {
    pub(crate) writer: &'w mut Writer,
    pub(crate) clock: &'w mut WriterClock,
    builder: Option<BlockBuilder>,
    bodies: Vec<(Hash, Bytes)>,
    /// Whether the block has an event that can wait until there is room on the disk.
    ordinary: bool,
    staged: Staged,
    /// Room for the bytes of one event, used again for the next.
    room: Vec<u8>,
}

impl<'w> Recorder<'w> {
    /// A recorder that goes on where the writer stands.
    pub(crate) fn new(writer: &'w mut Writer, clock: &'w mut WriterClock) -> Self {
        Self {
            writer,
            clock,
            builder: None,
            bodies: Vec::new(),
            ordinary: false,
            staged: Staged::default(),
            room: Vec::new(),
        }
    }

    /// How many events have been recorded here.
    pub(crate) fn len(&self) -> usize {
        self.staged.events.len()
    }

    /// The stamp that the next event would get at the earliest.
    pub(crate) fn stamp(&mut self) -> Timestamp {
        self.clock.stamp()
    }

    /// Records an event of a source at `recorded_at`, which [`Recorder::stamp`] gave.
    /// Errors: a refusal when its stored form is too large; nothing is recorded then.
    pub(crate) fn record(
        &mut self,
        recorded_at: Timestamp,
        reported: Reported<'_>,
        decision: Decision<'_>,
        body: Option<(Hash, Bytes)>,
    ) -> Result<Position, Refusal> {
        let position = self.writer.position.next();
        let event = Recorded {
            position,
            recorded_at,
            effective_at: decision.effective_at,
            source: decision.source,
            previous: self.previous(reported.machine, decision.source),
            flags: decision.flags,
            authority: decision.authority,
            reported,
            corrected: decision.corrected,
        };
        let mut bytes = std::mem::take(&mut self.room);
        bytes.clear();
        encode_recorded_into(&event, &mut bytes);
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(Refusal::new(
                RefusalReason::EventTooLarge,
                "",
                format!(
                    "the event takes {} bytes as stored, at most {EVENT_BYTES_MAX} are allowed",
                    bytes.len()
                ),
            ));
        }
        self.push(&event, &bytes)?;
        self.room = bytes;
        self.bodies.extend(body);
        Ok(position)
    }

    /// Records one of the writer's own events, which happens when it is recorded.
    pub(crate) fn record_own(&mut self, body: Body<'_>) -> Result<Position, EngineError> {
        let now = self.stamp();
        self.record_own_at(now, body, (MachineNumber(0), now))
    }

    /// Records what the writer's rules found of a machine at a time of the plant, which never lies ahead.
    pub(crate) fn record_found(
        &mut self,
        body: Body<'_>,
        machine: MachineNumber,
        at: Timestamp,
    ) -> Result<Position, EngineError> {
        let now = self.stamp();
        self.record_own_at(now, body, (machine, at.min(now)))
    }

    fn record_own_at(
        &mut self,
        now: Timestamp,
        body: Body<'_>,
        (machine, at): (MachineNumber, Timestamp),
    ) -> Result<Position, EngineError> {
        let reported = Reported {
            sequence: Sequence(0),
            machine,
            occurred_at: at,
            observed_at: None,
            historical: false,
            body,
        };
        let decision = Decision {
            source: SourceNumber(0),
            effective_at: at,
            flags: Flags::default(),
            authority: 0,
            corrected: Vec::new(),
        };
        self.record(now, reported, decision, None)
            .map_err(|refusal| EngineError::internal(format!("the writer's own record: {refusal}")))
    }

    /// The blocks with all that has been recorded.
    pub(crate) fn finish(mut self) -> Staged {
        self.close_block();
        self.staged
    }

    /// The writer's own records are in no chain, unless they are about a machine.
    fn previous(&self, machine: MachineNumber, source: SourceNumber) -> Position {
        if machine.get() == 0 && source.get() == 0 {
            Position(0)
        } else {
            self.writer.head(machine)
        }
    }

    fn push(&mut self, event: &Recorded<'_>, bytes: &[u8]) -> Result<(), Refusal> {
        if self
            .builder
            .as_ref()
            .is_some_and(|builder| !builder.fits(bytes.len()))
        {
            self.close_block();
        }
        let writer = &mut *self.writer;
        let builder = self.builder.get_or_insert_with(|| {
            BlockBuilder::new(
                writer.log_id,
                writer.plant.clone(),
                writer.epoch,
                event.position,
                *writer.tree.root().as_bytes(),
            )
        });
        let (source, sequence) = (event.source, event.reported.sequence);
        builder
            .push(
                bytes,
                event.recorded_at,
                event.effective_at,
                source,
                sequence,
            )
            .map_err(|error| Refusal::new(RefusalReason::EventTooLarge, "", error.to_string()))?;
        writer.absorb(event, bytes);
        let body = &event.reported.body;
        let gap = matches!(body, Body::GapDetected(_));
        // What rules find can wait: it is found again.
        let found = matches!(body, Body::RuleRaised(_) | Body::RuleCleared(_));
        self.ordinary |= (source.get() != 0 && !gap) || found;
        self.staged.events.push(bytes);
        Ok(())
    }

    fn close_block(&mut self) {
        let Some(builder) = self.builder.take() else {
            return;
        };
        self.staged.blocks.push(OpenBlock {
            block: builder,
            tree: self.writer.tree.clone(),
            bodies: std::mem::take(&mut self.bodies),
            urgent: !std::mem::take(&mut self.ordinary),
        });
    }
}
