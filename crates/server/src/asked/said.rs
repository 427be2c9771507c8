//! An instant as a message says it, read and then resolved by the clocks and the calendar of a plant.

use super::{Asked, Reach};
use crate::error;
use crate::group::{Cut, PREFIX, Stood};
use std::collections::BTreeSet;
use tonic::Status;
use werkbuch_engine::EngineError;
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, InstantError, Known, Spoken, known_zone};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The instant of a message before it is known where it is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(super) at: Option<When>,
    pub(super) known: Option<KnownBy>,
    zone: String,
    as_of: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) enum When {
    Time(Timestamp),
    Text(Spoken),
}

#[derive(Clone, Debug)]
pub(super) enum KnownBy {
    Position(Position),
    Time(When),
    /// Where the plants of a group stood.
    Cut(Box<Cut>),
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
            Some(pb::instant::Known::KnownText(text)) => Some(known_of(text.trim())?),
        };
        Ok(Self {
            at,
            known,
            zone: message.time_zone.clone(),
            as_of: message.as_of.map(Timestamp),
        })
    }

    /// The cut that was given back, if one was. A cut of the present can be asked about any time in the
    /// plants. Errors: `INVALID_INSTANT` when it has its own and another is asked.
    pub(crate) fn cut(&self) -> Result<Option<&Cut>, Status> {
        let Some(KnownBy::Cut(cut)) = &self.known else {
            return Ok(None);
        };
        match &self.at {
            None => Ok(Some(cut)),
            Some(When::Time(at)) if Some(*at) == cut.at => Ok(Some(cut)),
            Some(_) => match cut.at {
                None => Ok(Some(cut)),
                Some(at) => Err(wrong(format!(
                    "the cut has its own time in the plants, {at}; ask without another one, or by a cut of \
                     the present"
                ))),
            },
        }
    }

    /// Resolves it for all plants at once, of which these are the time zones.
    /// Errors: `INVALID_INSTANT`, also for what means another time in each plant.
    pub(crate) fn resolve_for_all(
        self,
        now: Timestamp,
        zones: &BTreeSet<String>,
    ) -> Result<Asked, Status> {
        let zone = match (self.zone.as_str(), zones.len()) {
            ("", 1) => zones.first().map(String::as_str),
            ("", _) => None,
            (zone, _) => Some(zone),
        };
        let time = |field: &str, when: &When| match (when, zone) {
            (When::Time(time), _) => Ok(*time),
            (When::Text(Spoken::Clock { zone: None, .. }), None) => {
                let named: Vec<&str> = zones.iter().take(3).map(String::as_str).collect();
                Err(wrong(format!(
                    "the plants have different clocks ({}); write the time with its offset, or name a \
                     time zone",
                    named.join(", ")
                )))
            }
            (When::Text(spoken), zone) => spoken
                .time(now, zone.unwrap_or_default())
                .map_err(|error| invalid(field, &error)),
        };
        let at = self.at.as_ref().map(|when| time("at", when)).transpose()?;
        let recorded = match &self.known {
            None => None,
            Some(KnownBy::Time(when)) => Some(time("known", when)?),
            Some(KnownBy::Position(position)) => {
                return Err(wrong(format!(
                    "position {position} means another time in each plant; give a time, or the cut of an \
                     answer"
                )));
            }
            Some(KnownBy::Cut(_)) => return Err(error::internal()),
        };
        if let Some(ahead) = at.max(recorded).filter(|time| *time > now) {
            return Err(wrong(format!(
                "{ahead} lies ahead of now, {now}; leave the time out to ask about the present"
            )));
        }
        Ok(Asked {
            instant: Instant {
                known: recorded.map_or(Known::Now, Known::Recorded),
                at,
            },
            as_of: self.as_of.or(at).or(recorded).or(Some(now)),
            known_recorded_at: recorded,
            zone: zone.unwrap_or_default().to_owned(),
        })
    }

    /// The same without a bound on what is known, if it says a time in the plants.
    pub(crate) fn at_alone(&self) -> Option<Self> {
        self.at.as_ref()?;
        Some(Self {
            known: None,
            ..self.clone()
        })
    }

    /// The same without a time in the plant.
    pub(super) fn without_at(&self) -> Self {
        Self {
            at: None,
            ..self.clone()
        }
    }

    /// Resolves it for a plant, by its clocks as they are now. Shifts have been settled before.
    pub(super) fn resolve(
        self,
        twin: &Twin,
        now: Timestamp,
        reach: Reach,
    ) -> Result<Asked, Status> {
        let now = now.max(twin.last_recorded_at().unwrap_or(now));
        let own = twin.description().plant().time_zone.as_str();
        let zone = match self.zone.as_str() {
            "" => own,
            zone => zone,
        };
        let time = |field: &str, when: &When| {
            match when {
                When::Time(time) => Ok(*time),
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
            Some(KnownBy::Cut(cut)) => {
                let asked = within(&cut, twin)?;
                let Some(at) = at.filter(|_| cut.at.is_none()) else {
                    return Ok(asked);
                };
                check_at(twin, at, now)?;
                return Ok(Asked {
                    instant: Instant {
                        at: Some(at),
                        ..asked.instant
                    },
                    as_of: self.as_of.or(Some(at)),
                    ..asked
                });
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

/// A plant of a cut. Errors: `INVALID_INSTANT` when it did not answer then, or is none of it.
fn within(cut: &Cut, twin: &Twin) -> Result<Asked, Status> {
    let plant = twin.plant();
    match cut.stood(plant) {
        Some(Stood::At(_, position)) => Ok(cut.asked(*position)),
        Some(Stood::Absent(_, because)) => Err(wrong(format!(
            "plant \"{plant}\" did not answer when the cut was taken: {because}"
        ))),
        None => Err(wrong(format!("plant \"{plant}\" is not of the cut"))),
    }
}

/// A position, a time or a cut. Errors: `INVALID_INSTANT`.
fn known_of(text: &str) -> Result<KnownBy, Status> {
    if text.starts_with(PREFIX) {
        let cut = Cut::read(text)
            .ok_or_else(|| wrong("the cut is not one of this server's, or not whole".to_owned()))?;
        return Ok(KnownBy::Cut(Box::new(cut)));
    }
    match text.parse() {
        Ok(position) => position_of(position),
        Err(_) => Ok(KnownBy::Time(When::Text(spoken_known(text)?))),
    }
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

pub(super) fn invalid(field: &str, cause: &InstantError) -> Status {
    let text = error::short(&cause.to_string());
    let field = (format!("instant.{field}"), "is no instant".to_owned());
    Reason::InvalidInstant.violations(text, [field])
}

pub(super) fn wrong(what: String) -> Status {
    error::status(EngineError::InvalidInstant { what })
}
