//! What the machines of a plant did over a window, read for a fork.

use crate::asked::Asked;
use crate::context::Context;
use crate::limits::SURVEY_EVENTS_MAX;
use crate::rpc::timeline::{before, ground};
use crate::rpc::timeline_read::{Reading, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::Status;
use werkbuch_engine::Plant;
use werkbuch_model::event::State;
use werkbuch_model::filter::Filter;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::{MachineRecord, Spent};
use werkbuch_twin::Twin;
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// The machines of a plant, by their numbers.
pub(super) type Machines = BTreeMap<MachineNumber, MachineRecord>;

/// A window of a plant, as it was known.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) plant: Plant,
    pub(super) asked: Asked,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Span {
    /// What those machines did that `is_meant` by their types. Errors: those of the log; a window that holds too
    /// much.
    pub(super) async fn intervals(
        &self,
        context: &Arc<Context>,
        is_meant: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Machines, Status> {
        let request = pb::StreamTimelinesRequest {
            from_time: Some(self.from.nanos()),
            to_time: Some(self.to.nanos()),
            ..pb::StreamTimelinesRequest::default()
        };
        let of = self.asked.clone();
        let look = move |twin: &Twin| {
            let mut ground = ground(twin, &of, &request, &Filter::default())?;
            let meant = |number: &MachineNumber| {
                let described = twin.description().machine(*number);
                described.is_some_and(|one| is_meant(&one.machine_type))
            };
            ground.machines.retain(|number, _| meant(number));
            Ok::<_, Status>(ground)
        };
        let (ground, answered) = context.ask(&self.plant, &self.asked, look).await?;
        let ground = ground?;
        if ground.machines.is_empty() {
            return Ok(Machines::new());
        }
        let before = before(context, &self.plant, &ground, &answered).await?;
        let shape = Shape {
            levels: None,
            without_intervals: false,
            with_waits: false,
        };
        let mut reading = Reading::new(self.plant.clone(), ground, shape, before, 0);
        let bound = answered.reflected.position;
        let work = move || {
            reading.read(bound)?;
            let complete = reading.survey().complete;
            let mut machines = Machines::new();
            while !reading.is_done() {
                for line in reading.next()? {
                    let machine = MachineNumber(line.number);
                    add(machines.entry(machine).or_default(), &line);
                }
            }
            Ok((machines, complete))
        };
        let (machines, complete) = context.stream_blocking(work).await?;
        match complete {
            true => Ok(machines),
            false => Err(self.too_much()),
        }
    }

    /// What is said of a window that is too long.
    pub(super) fn too_much(&self) -> Status {
        let what = format!(
            "the window holds more than {SURVEY_EVENTS_MAX} events of plant \"{}\": take a shorter one",
            self.plant.id()
        );
        let field = ("window_ns".to_owned(), "is too long".to_owned());
        Reason::InvalidRequest.violations(what, [field])
    }
}

/// Adds a part of a machine's timeline.
fn add(record: &mut MachineRecord, line: &pb::Timeline) {
    if record.machine.is_empty()
        && let Ok((_, machine)) = name::machine(&line.name)
    {
        record.machine = machine;
    }
    for interval in &line.intervals {
        let counts = [interval.good, interval.rework, interval.scrap];
        for (sum, more) in record.parts.iter_mut().zip(counts) {
            *sum += more;
        }
        push(&mut record.intervals, spent(interval));
    }
}

fn spent(interval: &pb::TimelineInterval) -> Spent {
    let code = u32::try_from(interval.state).ok();
    Spent {
        state: code.and_then(State::from_code).unwrap_or_default(),
        from_ns: interval.begin,
        to_ns: interval.end,
        is_covered: !interval.uncovered,
    }
}

/// Intervals that differ in something else alone are one.
fn push(intervals: &mut Vec<Spent>, next: Spent) {
    match intervals.last_mut() {
        Some(before) if (before.state, before.is_covered) == (next.state, next.is_covered) => {
            before.to_ns = next.to_ns;
        }
        _ => intervals.push(next),
    }
}
