//! The table of timelines: the intervals of a window, or its equal parts, plant by plant and machine by machine.

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
use werkbuch_table::buckets::{self, BucketLine};
use werkbuch_table::timelines::{self as intervals, IntervalLine};
use werkbuch_table::{About, Column, Encoder};
use werkbuch_twin::timeline::Levels;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The timelines of plants.
pub(super) struct Job {
    plants: Vec<(Plant, Ground, Answered)>,
    /// Into how many parts the window is divided; 0 for intervals.
    buckets: u32,
    /// Whether it is found out why machines wait.
    with_waits: bool,
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
            buckets: asked.buckets,
            with_waits: asked.with_waits,
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
        let (name, buckets) = match request.buckets {
            0 => (intervals::NAME, None),
            count => (buckets::NAME, Some(u64::from(count))),
        };
        let about = About::new(name, cut)
            .asked("machines", request.machines)
            .asked("filter", request.filter)
            .asked("from_time", window.map(|window| shown(window.from)))
            .asked("to_time", window.map(|window| shown(window.to)))
            .asked("buckets", buckets)
            .asked("with_waits", Some(request.with_waits));
        let (buckets, with_waits) = (request.buckets, request.with_waits);
        let job = Self {
            plants,
            buckets,
            with_waits,
        };
        Ok((job, about))
    }

    /// Of intervals or of buckets.
    pub(super) fn columns(&self) -> Vec<Column> {
        match self.buckets {
            0 => intervals::COLUMNS.to_vec(),
            _ => buckets::COLUMNS.to_vec(),
        }
    }

    pub(super) async fn send(self, sending: &mut Sending) -> Result<bool, End> {
        let machines = self
            .plants
            .iter()
            .map(|(_, ground, _)| ground.machines.len());
        sending.expect(machines.sum::<usize>() as u64);
        let (mut complete, with_waits) = (true, self.with_waits);
        for (plant, ground, answered) in self.plants {
            if ground.machines.is_empty() {
                continue;
            }
            let name = plant.id().as_str().to_owned();
            let before = before(sending.context(), &plant, &ground, &answered).await;
            let before = before.map_err(End::Status)?;
            let levels =
                (self.buckets > 0).then(|| Levels::new(ground.window, self.buckets as usize));
            let shape = Shape {
                levels: levels.clone(),
                without_intervals: levels.is_some(),
                with_waits: self.with_waits,
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
                let (name, levels) = (name.clone(), levels.clone());
                let step = move |reading: &mut Reading, encoder: &mut Encoder| {
                    part((&name, levels.as_ref()), with_waits, reading, encoder)
                };
                reading = sending.step(reading, step).await?;
            }
        }
        Ok(complete)
    }
}

/// Appends the next intervals, or buckets; answers with how many machines are done with them.
fn part(
    (plant, levels): (&str, Option<&Levels>),
    waits: bool,
    reading: &mut Reading,
    encoder: &mut Encoder,
) -> Result<u64, EngineError> {
    let before = reading.done();
    for timeline in reading.next()? {
        let machine = timeline.name.rsplit('/').next().unwrap_or_default();
        for bucket in &timeline.buckets {
            let border = |at: u32| levels.map_or(0, |levels| levels.border(at as usize).nanos());
            let line = BucketLine {
                plant,
                machine,
                number: timeline.number,
                begin: border(bucket.bucket),
                end: border(bucket.bucket.saturating_add(1)),
                bucket,
                waits,
            };
            encoder.push(&line).map_err(|cause| made(&cause))?;
        }
        for interval in &timeline.intervals {
            let line = IntervalLine {
                plant,
                machine,
                number: timeline.number,
                interval,
                waits,
            };
            encoder.push(&line).map_err(|cause| made(&cause))?;
        }
    }
    Ok(reading.done().saturating_sub(before) as u64)
}
