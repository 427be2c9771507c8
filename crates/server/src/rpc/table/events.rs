//! The table of events, log by log in parts of a bounded size.

use super::sending::{End, Sending, made};
use crate::context::Context;
use crate::error;
use crate::group::{Group, Member};
use crate::limits::{TABLE_PART_BYTES, TABLE_PART_EVENTS};
use crate::rpc::scan::Wanted;
use crate::view::twin::find;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::event::Recorded;
use werkbuch_model::filter::Filter;
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;
use werkbuch_record::decode_recorded;
use werkbuch_table::events::{EVENT_FIELDS, EventLine, NAME};
use werkbuch_table::{About, Encoder};
use werkbuch_twin::Twin;
use werkbuch_wire::convert::kinds_of;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The events of plants that match.
pub(super) struct Job {
    logs: Vec<Log>,
    question: Arc<Asked>,
}

/// What is asked of every log.
struct Asked {
    wanted: Wanted,
    filter: Filter,
    reveal: Option<(String, String)>,
}

/// The log of a plant, as far as it is wanted.
struct Log {
    plant: Plant,
    names: Names,
    /// The next position to look at.
    next: Position,
    last: Position,
}

/// The names that stand for the numbers in a log.
#[derive(Default)]
struct Names {
    machines: BTreeMap<u32, String>,
    sources: BTreeMap<u32, (String, u32)>,
}

impl Job {
    pub(super) async fn of(
        context: &Context,
        asked: pb::EventTable,
        group: Group,
        all: bool,
        cut: pb::Cut,
    ) -> Result<(Self, About), Status> {
        check(&asked, all)?;
        let filter = Filter::parse(&asked.filter, &EVENT_FIELDS)
            .map_err(|cause| error::filter("events.filter", &cause))?;
        let mut wanted = Wanted {
            kinds: kinds_of(&asked.kinds)?,
            from_time: asked.from_time.map(Timestamp),
            to_time: asked.to_time.map(Timestamp),
            at: group.cut.at,
            ..Wanted::default()
        };
        let mut logs = Vec::new();
        for member in &group.members {
            if !asked.machine.is_empty() {
                let found = find(&member.twin, &asked.machine);
                let found =
                    found.ok_or_else(|| error::unknown_machine(&member.twin, &asked.machine));
                wanted.machine = Some(found?);
            }
            logs.push(Log::of(context, member, &asked).await?);
        }
        let shown = |time: Option<i64>| time.map(|nanos| Timestamp(nanos).to_string());
        let position = |position: u64| Some(position).filter(|position| *position > 0);
        let about = About::new(NAME, cut)
            .asked("filter", asked.filter.as_str())
            .asked("machine", asked.machine.as_str())
            .asked("kinds", asked.kinds.clone())
            .asked("from_position", position(asked.from_position))
            .asked("to_position", position(asked.to_position))
            .asked("from_time", shown(asked.from_time))
            .asked("to_time", shown(asked.to_time))
            .asked("revealed", asked.reveal.then_some(true));
        let reveal = asked.reveal.then_some((asked.reader, asked.purpose));
        let question = Arc::new(Asked {
            wanted,
            filter,
            reveal,
        });
        Ok((Self { logs, question }, about))
    }

    pub(super) async fn send(self, sending: &mut Sending) -> Result<bool, End> {
        sending.expect(self.logs.iter().map(Log::left).sum());
        for mut log in self.logs {
            while log.left() > 0 {
                let question = Arc::clone(&self.question);
                let step = move |log: &mut Log, encoder: &mut Encoder| log.part(&question, encoder);
                log = sending.step(log, step).await?;
            }
        }
        Ok(true)
    }
}

impl Log {
    async fn of(
        context: &Context,
        member: &Member,
        asked: &pb::EventTable,
    ) -> Result<Self, Status> {
        let plant = context.plant_of(member.twin.plant())?;
        let bound = member.answered.reflected.position;
        let last = match asked.to_position {
            0 => bound,
            to => Position(to).min(bound),
        };
        let mut next = Position(asked.from_position).max(Position(1));
        if let Some(from) = asked.from_time.map(Timestamp) {
            let reading = plant.clone();
            let first = move || first_for(&reading, from, bound);
            next = next.max(context.blocking(first).await?);
        }
        Ok(Self {
            plant,
            names: Names::of(&member.twin),
            next,
            last,
        })
    }

    /// How many positions are still to be looked at.
    fn left(&self) -> u64 {
        self.last.next().get().saturating_sub(self.next.get())
    }

    /// Appends the next events; answers with how many positions it looked at.
    fn part(&mut self, asked: &Asked, encoder: &mut Encoder) -> Result<u64, EngineError> {
        let before = self.left();
        let events = match asked.wanted.machine {
            Some(machine) => self.plant.events_near(machine, self.next)?,
            None => self.plant.events(self.next)?,
        };
        for (looked_at, event) in events.enumerate() {
            let event = event?;
            if event.position > self.last {
                break;
            }
            if looked_at >= TABLE_PART_EVENTS || encoder.waiting() >= TABLE_PART_BYTES {
                self.next = event.position;
                return Ok(before.saturating_sub(self.left()));
            }
            self.look_at(&event.bytes, asked, encoder)?;
        }
        self.next = self.last.next();
        Ok(before)
    }

    fn look_at(
        &self,
        bytes: &[u8],
        asked: &Asked,
        encoder: &mut Encoder,
    ) -> Result<(), EngineError> {
        let event = decode(bytes)?;
        if !asked.wanted.takes_event(&event) {
            return Ok(());
        }
        let line = self.line(&event)?;
        if !asked.filter.matches(&line) {
            return Ok(());
        }
        let Some((reader, purpose)) = &asked.reveal else {
            return encoder.push(&line).map_err(|cause| made(&cause));
        };
        let revealed = self.plant.reveal(bytes, reader, purpose)?;
        let event = decode(&revealed)?;
        let line = self.line(&event)?;
        encoder.push(&line).map_err(|cause| made(&cause))
    }

    fn line<'e>(&'e self, event: &'e Recorded<'e>) -> Result<EventLine<'e>, EngineError> {
        let machine = self.names.machines.get(&event.reported.machine.get());
        let source = self.names.sources.get(&event.source.get());
        let source = source.map(|(name, epoch)| (name.as_str(), *epoch));
        let machine = machine.map_or("", String::as_str);
        let line = EventLine::new(self.plant.id().as_str(), event, machine, source);
        line.map_err(|cause| EngineError::Internal {
            what: format!(
                "the event at position {} is no JSON: {cause}",
                event.position
            ),
        })
    }
}

impl Names {
    /// Those of a plant's description, of machines that are gone the last ones, and of its sources.
    fn of(twin: &Twin) -> Self {
        let description = twin.description();
        let numbers = description.machines().map(|machine| machine.number);
        let gone = description.removed().map(|machine| machine.number);
        let named = numbers.chain(gone).filter_map(|number| {
            let name = description.name_of(number)?;
            Some((number.get(), name.as_str().to_owned()))
        });
        let sources = twin.sources().iter().map(|source| {
            let name = source.name.to_string();
            (source.number.get(), (name, source.epoch.get()))
        });
        Self {
            machines: named.collect(),
            sources: sources.collect(),
        }
    }
}

/// The first position that can have taken effect at or after a time; behind the bound when none can.
fn first_for(plant: &Plant, from: Timestamp, bound: Position) -> Result<Position, EngineError> {
    let mut first = bound.next();
    let mut take = |event: &Recorded<'_>| {
        first = event.position;
        ControlFlow::Break(())
    };
    plant.survey(from, bound, 1, &mut take)?;
    Ok(first)
}

fn decode(bytes: &[u8]) -> Result<Recorded<'_>, EngineError> {
    decode_recorded(bytes).map_err(|cause| EngineError::Internal {
        what: format!("a stored event cannot be read: {cause}"),
    })
}

/// Errors: `INVALID_REQUEST` for what means another thing in each plant, and for reading without saying
/// who and why.
fn check(asked: &pb::EventTable, all: bool) -> Result<(), Status> {
    let positions = asked.from_position > 0 || asked.to_position > 0;
    if all && (positions || !asked.machine.is_empty()) {
        let text =
            "positions and machines are of one plant; of all plants ask by times and conditions";
        let field = ("parent".to_owned(), "is of all plants".to_owned());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    }
    let missing: Vec<_> = [("reader", &asked.reader), ("purpose", &asked.purpose)]
        .into_iter()
        .filter(|(_, text)| asked.reveal && text.trim().is_empty())
        .map(|(field, _)| (format!("events.{field}"), "is needed to reveal".to_owned()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let text = "to reveal fields about people, say who reads (reader) and why (purpose); both are \
                written to the access log";
    Err(Reason::InvalidRequest.violations(text, missing))
}
