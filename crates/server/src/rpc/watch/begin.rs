//! Where each plant of a stream begins: now, at a position, a time, or where a token says.

use super::ask::{Asked, invalid};
use super::cut;
use super::token::{self, Cursor};
use crate::context::Context;
use crate::error;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant, Recovering};
use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::pb::watch_start::From;
use werkbuch_wire::pb::{WatchMachinesRequest, WatchStart};
use werkbuch_wire::{name, reason::Reason};

/// A plant with where it begins.
pub(super) struct Begun {
    pub(super) plant: Plant,
    pub(super) cursor: Cursor,
    /// The twin of that place; folded when it is not at hand.
    pub(super) twin: Option<Twin>,
    pub(super) places: OwnedSemaphorePermit,
}

/// A plant of a stream of all plants that is still being folded from its log: where it begins once it is
/// back. Nothing is recorded in it until then.
#[derive(Clone, Debug)]
pub(super) struct Late {
    /// The beginning of its log's number.
    pub(super) log: [u8; 8],
    pub(super) cursor: Cursor,
    /// The end of its log.
    pub(super) end: Position,
}

pub(super) type Lates = BTreeMap<PlantId, Late>;

/// The plants that a stream begins with, and those that follow when they are back.
/// Errors: `UNKNOWN_PLANT`, `INVALID_REQUEST`, `INVALID_INSTANT`, `INVALID_RESUME_TOKEN`, `OVERLOADED`,
/// `PLANT_RECOVERING` of one that is named, and of one whose beginning is asked for by a time, which
/// only a plant that is back can tell.
pub(super) async fn all(
    context: &Arc<Context>,
    asked: &Asked,
    request: &WatchMachinesRequest,
) -> Result<(Vec<Begun>, Lates), Status> {
    let (plants, recovering) = match &asked.plants {
        None => {
            // In this order: a plant that comes back in between stands in both.
            let mut recovering = context.engine.recovering();
            let plants = context.engine.plants();
            recovering.retain(|late| plants.iter().all(|plant| *plant.id() != late.plant));
            (plants, recovering)
        }
        Some(plants) => {
            let plants = plants.iter().map(|id| context.plant_of(id));
            (plants.collect::<Result<_, _>>()?, Vec::new())
        }
    };
    let mut begun = Vec::with_capacity(plants.len());
    if !request.resume_token.is_empty() {
        let cursors = resumed(asked, (&plants, &recovering), &request.resume_token)?;
        for plant in plants {
            // What was created since the token was given begins with its first event.
            let cursor = cursors.get(plant.id()).copied().unwrap_or_default();
            begun.push(at(context, plant, cursor).await?);
        }
        let begin = |late: &Recovering| cursors.get(&late.plant).copied().unwrap_or_default();
        return Ok((begun, lates(&recovering, |late| Ok(begin(late)))?));
    }
    let mut starts = starts(context, asked, &request.starts)?;
    for plant in plants {
        let start = starts.remove(&Some(plant.id().clone()));
        let start = start.or_else(|| starts.get(&None).cloned());
        begun.push(match start {
            None => now(context, asked, plant).await?,
            Some(from) => {
                let cursor = Cursor::at(before(context, &plant, from).await?);
                at(context, plant, begins(asked, cursor)).await?
            }
        });
    }
    let lates = lates(&recovering, |late| {
        let start = starts.get(&None).cloned();
        let cursor = Cursor::at(before_late(context, late, start)?);
        Ok(begins(asked, cursor))
    });
    Ok((begun, lates?))
}

fn lates(
    recovering: &[Recovering],
    begin: impl Fn(&Recovering) -> Result<Cursor, Status>,
) -> Result<Lates, Status> {
    let late = |late: &Recovering| {
        let begun = Late {
            log: token::short(late.log_id),
            cursor: begin(late)?,
            end: late.last,
        };
        Ok((late.plant.clone(), begun))
    };
    recovering.iter().map(late).collect()
}

/// A plant that has come back while the stream runs. Errors: `OVERLOADED`.
pub(super) async fn back(context: &Context, plant: Plant, late: Late) -> Result<Begun, Status> {
    at(context, plant, late.cursor).await
}

/// A plant that was created while the stream runs. Errors: `OVERLOADED`.
pub(super) async fn created(context: &Context, plant: Plant) -> Result<Begun, Status> {
    at(context, plant, Cursor::default()).await
}

async fn now(context: &Context, asked: &Asked, plant: Plant) -> Result<Begun, Status> {
    let twin = context.glance(&plant, Twin::clone).await?;
    Ok(Begun {
        places: context.watched(machines(&twin))?,
        cursor: begins(asked, Cursor::of(&twin)),
        plant,
        twin: Some(twin),
    })
}

async fn at(context: &Context, plant: Plant, cursor: Cursor) -> Result<Begun, Status> {
    let machines = context.glance(&plant, machines).await?;
    Ok(Begun {
        places: context.watched(machines)?,
        plant,
        cursor,
        twin: None,
    })
}

/// Where a stream begins that has not told the machines that are there.
fn begins(asked: &Asked, cursor: Cursor) -> Cursor {
    match asked.present {
        true => cursor.within(token::Within::present()),
        false => cursor,
    }
}

fn machines(twin: &Twin) -> usize {
    twin.description().machines().count()
}

/// The starts by their plants; that of all others has none.
fn starts(
    context: &Context,
    asked: &Asked,
    starts: &[WatchStart],
) -> Result<BTreeMap<Option<PlantId>, From>, Status> {
    let mut found = BTreeMap::new();
    for start in starts {
        let plant = name::plant_or_all(&start.plant)?;
        let from = start
            .from
            .clone()
            .ok_or_else(|| invalid("starts.from", "give a position, a time or a cut"))?;
        if let Some(id) = &plant {
            context.plant_of(id)?;
            if !asked.takes(id) {
                let what = format!("plant \"{id}\" is not among the parents");
                return Err(invalid("starts.plant", &what));
            }
        }
        if found.insert(plant, from).is_some() {
            let what = format!("\"{}\" stands twice", start.plant);
            return Err(invalid("starts.plant", &what));
        }
    }
    Ok(found)
}

/// The position before the first event wanted.
async fn before(context: &Context, plant: &Plant, from: From) -> Result<Position, Status> {
    match from {
        From::Cut(token) => {
            let end = plant.position();
            cut::before(&token, plant.id(), (plant.log_id(), end))
        }
        From::EffectiveAt(nanos) => {
            let time = Timestamp(nanos);
            check_happened(context, plant, time).await?;
            let plant = plant.clone();
            context.blocking(move || plant.before_effect(time)).await
        }
        From::Position(0) => Err(invalid("starts.position", "positions count from 1")),
        From::Position(first) => {
            let end = plant.position();
            if first > end.next().get() {
                let what = format!(
                    "the log of plant \"{}\" ends at {end}, so a stream begins at {} at the latest, not \
                     at {first}",
                    plant.id(),
                    end.next()
                );
                return Err(error::status(EngineError::InvalidInstant { what }));
            }
            Ok(Position(first.saturating_sub(1)))
        }
        From::RecordedAt(nanos) => {
            let (time, now) = (Timestamp(nanos), plant.wall());
            if time > now {
                return Err(ahead(plant, time, now));
            }
            let instant = Instant {
                known: Known::Recorded(Timestamp(nanos.saturating_sub(1))),
                at: None,
            };
            let plant = plant.clone();
            context.blocking(move || plant.bounds(&instant)).await
        }
    }
}

/// Errors: `INVALID_INSTANT` when a time of the plant lies ahead of now and of all that was reported.
async fn check_happened(context: &Context, plant: &Plant, time: Timestamp) -> Result<(), Status> {
    let last = |twin: &Twin| {
        let sources = twin.sources().iter();
        let last = sources.filter_map(|one| one.last_effective_at).max();
        last.max(twin.last_recorded_at())
    };
    let now = context.glance(plant, last).await?.max(Some(plant.wall()));
    match now.filter(|now| time > *now) {
        None => Ok(()),
        Some(now) => Err(ahead(plant, time, now)),
    }
}

/// A time to begin with that has not come yet.
fn ahead(plant: &Plant, time: Timestamp, now: Timestamp) -> Status {
    let what = format!(
        "{time} lies ahead of now, {now}, by the clock of plant \"{}\"; leave the time out to begin with \
         the present",
        plant.id()
    );
    error::status(EngineError::InvalidInstant { what })
}

/// The position before the first event wanted of a plant that is not back yet.
fn before_late(
    context: &Context,
    late: &Recovering,
    start: Option<From>,
) -> Result<Position, Status> {
    match start {
        None => Ok(late.last),
        Some(From::Position(first)) if first > 0 && first <= late.last.next().get() => {
            Ok(Position(first - 1))
        }
        Some(From::Position(0)) => Err(invalid("starts.position", "positions count from 1")),
        Some(From::Position(first)) => {
            let what = format!(
                "the log of plant \"{}\" ends at {}, so a stream begins at {} at the latest, not at \
                 {first}",
                late.plant,
                late.last,
                late.last.next()
            );
            Err(error::status(EngineError::InvalidInstant { what }))
        }
        Some(From::Cut(token)) => cut::before(&token, &late.plant, (late.log_id, late.last)),
        // If it has come back by now, the caller finds it so when he asks again.
        Some(From::RecordedAt(_) | From::EffectiveAt(_)) => match context.plant_of(&late.plant) {
            Err(status) => Err(status),
            Ok(_) => Err(Reason::PlantRecovering.status(format!(
                "plant \"{}\" has just come back; ask again",
                late.plant
            ))),
        },
    }
}

/// Where the plants of a token had got to.
fn resumed(
    asked: &Asked,
    (plants, recovering): (&[Plant], &[Recovering]),
    token: &str,
) -> Result<BTreeMap<PlantId, Cursor>, Status> {
    let mut cursors = BTreeMap::new();
    for entry in token::read(asked.question, token)? {
        let plant = plants.iter().find(|plant| *plant.id() == entry.plant);
        let late = recovering.iter().find(|late| late.plant == entry.plant);
        let known = plant.map(|plant| (plant.log_id(), plant.position()));
        let id = &entry.plant;
        let Some((log, end)) = known.or(late.map(|late| (late.log_id, late.last))) else {
            return Err(Reason::InvalidResumeToken.status(format!(
                "the token is of plant \"{id}\", which this server does not have; ask the server that \
                 it came from, or begin anew at a position or a time"
            )));
        };
        if token::short(log) != entry.log {
            return Err(Reason::InvalidResumeToken.status(format!(
                "plant \"{id}\" has another log now than when the token was given: it is of another \
                 server, or the plant was made anew; begin anew at a position or a time"
            )));
        }
        if entry.cursor.position > end {
            return Err(Reason::InvalidResumeToken.status(format!(
                "the token is of position {} of plant \"{id}\", but its log ends at {end}; it seems to \
                 have been restored from a backup; begin anew at a position or a time",
                entry.cursor.position
            )));
        }
        cursors.insert(entry.plant, entry.cursor);
    }
    Ok(cursors)
}

impl token::Within {
    /// Before the first machine of those that are there.
    fn present() -> Self {
        Self::Present(MachineNumber(0))
    }
}
