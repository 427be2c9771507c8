//! The table of timelines: the intervals of a window, plant by plant and machine by machine.

use super::sending::{End, Sending, made};
use crate::asked::{Answered, Asked};
use crate::context::Context;
use crate::group::Group;
use crate::rpc::timeline::{before, check, ground};
use crate::rpc::timeline_read::{Ground, Reading, Shape};
use crate::rpc::twin::filter;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_table::timelines::{IntervalLine, NAME};
use werkbuch_table::{About, Encoder};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The timelines of plants.
pub(super) struct Job {
    plants: Vec<(Plant, Ground, Answered)>,
}

impl Job {
    pub(super) fn of(
        context: &Context,
        asked: pb::TimelineTable,
        group: Group,
        all: bool,
        cut: pb::Cut,
    ) -> Result<(Self, About), Status> {
        if all && !asked.machines.is_empty() {
            let text = "machines are named in one plant; of all plants ask by a condition";
            let field = (
                "timelines.machines".to_owned(),
                "is of one plant".to_owned(),
            );
            return Err(Reason::InvalidRequest.violations(text, [field]));
        }
        let filter = filter(&asked.filter)?;
        let request = pb::StreamTimelinesRequest {
            machines: asked.machines,
            filter: asked.filter,
            from_time: asked.from_time,
            to_time: asked.to_time,
            ..pb::StreamTimelinesRequest::default()
        };
        check(&request)?;
        let mut plants = Vec::new();
        for member in &group.members {
            let stood = Asked {
                instant: Instant {
                    known: Known::Position(member.answered.reflected.position),
                    at: group.cut.at,
                },
                as_of: Some(member.answered.as_of),
                known_recorded_at: None,
                zone: String::new(),
            };
            let plant = context.plant_of(member.twin.plant())?;
            let ground = ground(&member.twin, &stood, &request, &filter)?;
            plants.push((plant, ground, member.answered.clone()));
        }
        let shown = |time: Timestamp| time.to_string();
        let window = plants.first().map(|(_, ground, _)| ground.window);
        let about = About::new(NAME, cut)
            .asked("machines", request.machines)
            .asked("filter", request.filter)
            .asked("from_time", window.map(|window| shown(window.from)))
            .asked("to_time", window.map(|window| shown(window.to)));
        Ok((Self { plants }, about))
    }

    pub(super) async fn send(self, sending: &mut Sending) -> Result<bool, End> {
        let machines = self
            .plants
            .iter()
            .map(|(_, ground, _)| ground.machines.len());
        sending.expect(machines.sum::<usize>() as u64);
        let mut complete = true;
        for (plant, ground, answered) in self.plants {
            if ground.machines.is_empty() {
                continue;
            }
            let name = plant.id().as_str().to_owned();
            let before = before(sending.context(), &plant, &ground, &answered).await;
            let before = before.map_err(End::Status)?;
            let shape = Shape {
                levels: None,
                without_intervals: false,
            };
            let mut reading = Reading::new(plant, ground, shape, before, 0);
            let bound = answered.reflected.position;
            let read = move || {
                reading.read(bound)?;
                Ok(reading)
            };
            let mut reading = sending.work(read).await?;
            complete &= reading.survey().complete;
            while !reading.is_done() {
                let name = name.clone();
                let step = move |reading: &mut Reading, encoder: &mut Encoder| {
                    part(&name, reading, encoder)
                };
                reading = sending.step(reading, step).await?;
            }
        }
        Ok(complete)
    }
}

/// Appends the next intervals; answers with how many machines are done with them.
fn part(plant: &str, reading: &mut Reading, encoder: &mut Encoder) -> Result<u64, EngineError> {
    let before = reading.done();
    for timeline in reading.next()? {
        for interval in &timeline.intervals {
            let line = IntervalLine {
                plant,
                machine: timeline.name.rsplit('/').next().unwrap_or_default(),
                number: timeline.number,
                interval,
            };
            encoder.push(&line).map_err(|cause| made(&cause))?;
        }
    }
    Ok(reading.done().saturating_sub(before) as u64)
}
