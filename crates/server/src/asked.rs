//! The instant of a question, resolved on both clocks, and how much an answer can speak of.

use crate::context::Context;
use crate::error;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant, Reflected};
use werkbuch_model::event::{AspectKind, Body, CalendarChanged, SourceKind};
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, InstantError, Known, ShiftName, Spoken, known_zone};
use werkbuch_model::plant::CalendarError;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::{Source, Twin};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The most sources that an answer tells the age of.
const SOURCES_MAX: usize = 32;

/// The instant of a question, as resolved.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) instant: Instant,
    /// The time that ages count from; absent for when the last position reflected was recorded.
    pub(crate) as_of: Option<Timestamp>,
    /// The bound on the writer's clock, if the question had one.
    pub(crate) known_recorded_at: Option<Timestamp>,
    /// By whose clocks local times were read; empty for the plant's.
    pub(crate) zone: String,
}

/// Which instants a question can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those between the plant's first event and now: what happened.
    Happened,
    /// Any: what is described holds since ever, and may lie ahead.
    Described,
}

/// What an answer reflects, and of how much it can speak.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) reflected: Reflected,
    pub(crate) as_of: Timestamp,
    pub(crate) known_recorded_at: Option<Timestamp>,
    pub(crate) zone: String,
    pub(crate) honesty: Option<Honesty>,
}

/// How much of a plant has been heard of.
#[derive(Clone, Debug)]
pub(crate) struct Honesty {
    pub(crate) machines_heard: u32,
    pub(crate) machines: u32,
    pub(crate) sources: Vec<pb::SourceHeard>,
    pub(crate) sources_total: u32,
}

/// The instant of a message before it is known where it is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    at: Option<When>,
    known: Option<KnownBy>,
    zone: String,
    as_of: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum When {
    Time(Timestamp),
    Text(Spoken),
}

#[derive(Clone, Debug)]
enum KnownBy {
    Position(Position),
    Time(When),
}

impl Said {
    /// Reads the texts of a message. Errors: `INVALID_INSTANT`.
    pub(crate) fn of(message: Option<&pb::Instant>) -> Result<Self, Status> {
        let Some(message) = message else {
            return Ok(Self::default());
        };
        known_zone(&message.time_zone).map_err(|error| invalid("time_zone", &error))?;
        let at = match (message.at, message.at_text.as_str()) {
            (None, "") => None,
            (Some(nanos), "") => Some(When::Time(Timestamp(nanos))),
            (None, text) => Some(When::Text(spoken("at_text", text)?)),
            (Some(_), _) => {
                let text = "the instant gives its time twice, as `at` and as `at_text`; give one";
                let field = (
                    "instant.at_text".to_owned(),
                    "is given beside at".to_owned(),
                );
                return Err(Reason::InvalidInstant.violations(text, [field]));
            }
        };
        let known = match &message.known {
            None => None,
            Some(pb::instant::Known::KnownPosition(position)) => Some(position_of(*position)?),
            Some(pb::instant::Known::KnownRecordedAt(nanos)) => {
                Some(KnownBy::Time(When::Time(Timestamp(*nanos))))
            }
            Some(pb::instant::Known::KnownText(text)) => Some(match text.trim().parse() {
                Ok(position) => position_of(position)?,
                Err(_) => KnownBy::Time(When::Text(spoken_known(text)?)),
            }),
        };
        Ok(Self {
            at,
            known,
            zone: message.time_zone.clone(),
            as_of: message.as_of.map(Timestamp),
        })
    }

    /// Resolves it for a plant, by its clocks and its calendar as they are now.
    fn resolve(self, twin: &Twin, now: Timestamp, reach: Reach) -> Result<Asked, Status> {
        let now = now.max(twin.last_recorded_at().unwrap_or(now));
        let own = twin.description().plant().time_zone.as_str();
        let zone = match self.zone.as_str() {
            "" => own,
            zone => zone,
        };
        let time = |field: &str, when: &When| {
            match when {
                When::Time(time) => Ok(*time),
                When::Text(Spoken::Shift(shift)) => find_shift(twin, shift, now),
                When::Text(spoken) => spoken.time(now, zone),
            }
            .map_err(|error| invalid(field, &error))
        };
        let at = self.at.map(|when| time("at", &when)).transpose()?;
        let (known, recorded) = match self.known {
            None => (Known::Now, None),
            Some(KnownBy::Position(position)) => (Known::Position(position), None),
            Some(KnownBy::Time(when)) => {
                let by = time("known", &when)?;
                (Known::Recorded(by), Some(by))
            }
        };
        if let (Some(at), Reach::Happened) = (at, reach) {
            check_at(twin, at, now)?;
        }
        let present = (known == Known::Now).then_some(now);
        Ok(Asked {
            instant: Instant { known, at },
            as_of: self.as_of.or(at).or(recorded).or(present),
            known_recorded_at: recorded,
            zone: zone.to_owned(),
        })
    }
}

impl Context {
    /// The instant of a request about a plant, resolved. Errors: `INVALID_INSTANT` when it is none, lies
    /// ahead, or lies before all that was reported.
    pub(crate) async fn asked(
        &self,
        plant: &Plant,
        message: Option<&pb::Instant>,
        reach: Reach,
    ) -> Result<Asked, Status> {
        let said = Said::of(message)?;
        self.resolved(plant, said, reach).await
    }

    /// What was said, resolved for a plant. Errors: as for [`Context::asked`].
    pub(crate) async fn resolved(
        &self,
        plant: &Plant,
        said: Said,
        reach: Reach,
    ) -> Result<Asked, Status> {
        let now = plant.wall();
        let look = move |twin: &Twin| said.resolve(twin, now, reach);
        let asked = self.glance(plant, look).await??;
        if let Known::Recorded(time) = asked.instant.known {
            self.check_recorded(plant, time).await?;
        }
        Ok(asked)
    }

    /// Errors: `INVALID_INSTANT` when nothing had been recorded by then.
    async fn check_recorded(&self, plant: &Plant, time: Timestamp) -> Result<(), Status> {
        let reading = plant.clone();
        let first = move || {
            let Some(event) = reading.event(Position(1))? else {
                return Ok(None);
            };
            let event = werkbuch_record::decode_recorded(&event.bytes);
            Ok(event.ok().map(|event| event.recorded_at))
        };
        match self.blocking(first).await? {
            Some(first) if time < first => Err(wrong(format!(
                "nothing had been recorded of plant \"{}\" by {time}; the first event, position 1, was \
                 recorded at {first}",
                plant.id()
            ))),
            _ => Ok(()),
        }
    }
}

impl Asked {
    /// The time that ages count from in an answer of this twin.
    pub(crate) fn as_of_in(&self, twin: &Twin) -> Timestamp {
        let recorded = || twin.last_recorded_at().unwrap_or_default();
        self.as_of.unwrap_or_else(recorded)
    }

    /// The time zone by which local times were read, by its name.
    pub(crate) fn shown_zone(&self) -> String {
        match self.zone.as_str() {
            "" => "UTC".to_owned(),
            zone => zone.to_owned(),
        }
    }

    /// What an answer of this twin reflects.
    pub(crate) fn answered(&self, twin: &Twin) -> Answered {
        let as_of = self.as_of_in(twin);
        let zone = match self.zone.as_str() {
            "" => twin.description().plant().time_zone.as_str(),
            zone => zone,
        };
        Answered {
            reflected: Reflected {
                position: twin.position(),
                recorded_at: twin.last_recorded_at().unwrap_or_default(),
                at: self.instant.at,
            },
            as_of,
            known_recorded_at: self.known_recorded_at,
            zone: zone.to_owned(),
            honesty: Some(Honesty::of(twin, as_of)),
        }
    }

    /// What an answer reflects that asked no twin.
    pub(crate) fn answered_from_log(&self, reflected: Reflected) -> Answered {
        Answered {
            reflected,
            as_of: self.as_of.unwrap_or(reflected.recorded_at),
            known_recorded_at: self.known_recorded_at,
            zone: self.zone.clone(),
            honesty: None,
        }
    }
}

impl Honesty {
    fn of(twin: &Twin, as_of: Timestamp) -> Self {
        let mut machines = 0_u32;
        let mut heard = 0_u32;
        for machine in twin.description().machines() {
            machines = machines.saturating_add(1);
            let twin = twin.machine(machine.number);
            let is_heard = twin.is_some_and(|twin| twin.last_event_at().is_some());
            heard = heard.saturating_add(u32::from(is_heard));
        }
        let mut sources: Vec<&Source> = twin.sources().iter().collect();
        sources.sort_by(|a, b| {
            let key = |one: &Source| (one.kind == SourceKind::Live, one.last_effective_at);
            key(b)
                .cmp(&key(a))
                .then_with(|| (&a.name, a.epoch).cmp(&(&b.name, b.epoch)))
        });
        Self {
            machines_heard: heard,
            machines,
            sources_total: u32::try_from(sources.len()).unwrap_or(u32::MAX),
            sources: sources
                .into_iter()
                .take(SOURCES_MAX)
                .map(|source| heard_of(source, as_of))
                .collect(),
        }
    }
}

/// When a source was last heard.
fn heard_of(source: &Source, as_of: Timestamp) -> pb::SourceHeard {
    let last = source.last_effective_at;
    pb::SourceHeard {
        source: format!("{}#{}", source.name, source.epoch),
        last_effective_at: last.map(Timestamp::nanos),
        age_ns: last.map(|last| as_of.since(last).max(0)),
        live: source.kind == SourceKind::Live,
    }
}

/// Errors: `INVALID_INSTANT` when a time lies ahead of everything, or before everything.
fn check_at(twin: &Twin, at: Timestamp, now: Timestamp) -> Result<(), Status> {
    let sources = || twin.sources().iter();
    let plant = twin.plant();
    // A source whose clock is ahead, or that reports what is planned, is asked about as far as it says.
    let last = sources().filter_map(|one| one.last_effective_at).max();
    let end = last.map_or(now, |last| last.max(now));
    if at > end {
        return Err(wrong(format!(
            "{at} lies ahead of now, {now}, by the clock of plant \"{plant}\"; leave the time out to ask \
             about the present"
        )));
    }
    match sources().filter_map(|one| one.first_effective_at).min() {
        Some(first) if at < first => Err(wrong(format!(
            "nothing is reported of plant \"{plant}\" for {at} or before; the first that is, is of {first}"
        ))),
        _ => Ok(()),
    }
}

/// The begin or end of a shift by the plant's calendar, with what was reported of it laid over.
fn find_shift(twin: &Twin, shift: &ShiftName, now: Timestamp) -> Result<Timestamp, InstantError> {
    let description = twin.description();
    let unit = shift.unit.as_deref();
    let mut values = twin.plant_values(AspectKind::Calendar);
    values.sort_by_key(|one| (one.since, one.source, one.epoch, one.position));
    let changes: Vec<CalendarChanged<'_>> = values
        .into_iter()
        .filter_map(|value| match value.body {
            Body::CalendarChanged(change) if description.is_changed(unit, &change) => Some(change),
            _ => None,
        })
        .collect();
    let table = match description.timetable(unit) {
        // What was reported holds also where no calendar is declared.
        Err(CalendarError::None(_)) if !changes.is_empty() => description.timetable_without(),
        table => table,
    }?;
    shift.find(now, &table, &changes)
}

fn spoken(field: &str, text: &str) -> Result<Spoken, Status> {
    Spoken::read(text).map_err(|error| invalid(field, &error))
}

/// The same, for what may also be a position.
fn spoken_known(text: &str) -> Result<Spoken, Status> {
    Spoken::read(text).map_err(|error| match error {
        InstantError::Syntax(said) => wrong(format!(
            "\"{said}\" is neither a position nor a time; positions are plain numbers, such as 17; {}",
            werkbuch_model::instant::FORMS
        )),
        error => invalid("known_text", &error),
    })
}

fn position_of(position: u64) -> Result<KnownBy, Status> {
    if position == 0 {
        let text = "position 0 is none; the positions of a log count from 1";
        return Err(wrong(text.to_owned()));
    }
    Ok(KnownBy::Position(Position(position)))
}

fn invalid(field: &str, cause: &InstantError) -> Status {
    let text = error::short(&cause.to_string());
    let field = (format!("instant.{field}"), "is no instant".to_owned());
    Reason::InvalidInstant.violations(text, [field])
}

fn wrong(what: String) -> Status {
    error::status(EngineError::InvalidInstant { what })
}
