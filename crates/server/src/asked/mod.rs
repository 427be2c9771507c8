//! The instant of a question, resolved on both clocks.

mod answered;
mod mark;
mod said;
mod shift;

pub(crate) use answered::Answered;
pub(crate) use mark::Mark;
pub(crate) use said::Said;

use crate::context::Context;
use crate::group::{Stood, check_log};
use crate::page::{self, Cursor};
use tonic::Status;
use werkbuch_engine::Plant;
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::pb;

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

    /// The instant of a page: that of the page before, unless it is the first one. Errors:
    /// `INVALID_PAGE_TOKEN` when the request says another instant than the page before had; as for
    /// [`Context::asked`].
    pub(crate) async fn asked_of_page(
        &self,
        plant: &Plant,
        message: Option<&pb::Instant>,
        cursor: Option<&Cursor>,
    ) -> Result<Asked, Status> {
        let Some(cursor) = cursor else {
            return self.asked(plant, message, Reach::Happened).await;
        };
        let mark = Mark::of(message);
        if mark.is_none() || mark == cursor.mark {
            return Ok(cursor.asked());
        }
        // The same instant may be written in another way.
        let asked = self.asked(plant, message, Reach::Happened).await?;
        let known = match asked.instant.known {
            Known::Now => cursor.position,
            _ => {
                let (reading, instant) = (plant.clone(), asked.instant);
                self.blocking(move || reading.bounds(&instant)).await?
            }
        };
        if (known, asked.instant.at) != (cursor.position, cursor.at) {
            return Err(page::of_another());
        }
        Ok(cursor.asked())
    }

    /// What was said, resolved for a plant. Errors: as for [`Context::asked`].
    pub(crate) async fn resolved(
        &self,
        plant: &Plant,
        said: Said,
        reach: Reach,
    ) -> Result<Asked, Status> {
        let stood = said.cut()?.and_then(|cut| cut.stood(plant.id()));
        if let Some(Stood::At(log, _)) = stood {
            check_log(plant, *log)?;
        }
        let now = plant.wall();
        let said = self.settled(plant, said, now).await?;
        let look = move |twin: &Twin| said.resolve(twin, now, reach);
        let asked = self.glance(plant, look).await??;
        if let Known::Recorded(time) = asked.instant.known {
            self.check_recorded(plant, time).await?;
        }
        Ok(asked)
    }

    /// How much of a plant's log a text says may be known, where the time is said apart: of a cut where
    /// the plant stood. Errors: `INVALID_INSTANT`.
    pub(crate) fn known_in(&self, plant: &Plant, text: &str) -> Result<pb::instant::Known, Status> {
        let known = pb::instant::Known::KnownText(text.to_owned());
        let said = Said::of(Some(&pb::Instant {
            known: Some(known.clone()),
            ..pb::Instant::default()
        }))?;
        let Some(cut) = said.cut()? else {
            return Ok(known);
        };
        match cut.stood(plant.id()) {
            Some(Stood::At(log, position)) => {
                check_log(plant, *log)?;
                Ok(pb::instant::Known::KnownPosition(position.get()))
            }
            _ => Err(said::wrong(format!(
                "plant \"{}\" is not of the cut, or did not answer when it was taken",
                plant.id()
            ))),
        }
    }

    /// Errors: `INVALID_INSTANT` when nothing had been recorded by then.
    pub(crate) async fn check_recorded(
        &self,
        plant: &Plant,
        time: Timestamp,
    ) -> Result<(), Status> {
        let reading = plant.clone();
        let first = move || {
            let Some(event) = reading.event(Position(1))? else {
                return Ok(None);
            };
            let event = werkbuch_record::decode_recorded(&event.bytes);
            Ok(event.ok().map(|event| event.recorded_at))
        };
        match self.blocking(first).await? {
            Some(first) if time < first => Err(said::wrong(format!(
                "nothing had been recorded of plant \"{}\" by {time}; the first event, position 1, was \
                 recorded at {first}",
                plant.id()
            ))),
            _ => Ok(()),
        }
    }
}
