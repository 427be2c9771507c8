//! What the stations did in one replication of a study: it is run again from its seed and number, with a recorder.

use super::course::ready;
use super::model::Model;
use super::recorded::Spent;
use super::scenario::Scenario;
use super::study::{Effort, StudyError};
use crate::factory::{Fact, Factory};
use crate::kernel::Streams;
use werkbuch_model::event::State;

/// One replication of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Gantt {
    /// The case: 0 for the baseline, then the scenarios in their order.
    pub case: usize,
    /// The number of the replication.
    pub replication: u32,
    /// The stations, in the order of the plant.
    pub stations: Vec<StationRow>,
}

/// A station in a replication.
#[derive(Clone, Debug, PartialEq)]
pub struct StationRow {
    /// The machine that it is.
    pub machine: String,
    /// Its states without a gap from the start to the horizon, in nanoseconds from the start.
    pub intervals: Vec<Spent>,
}

/// Runs one replication of a case again and keeps what its stations did.
///
/// # Errors
///
/// There is no such case, or it changes the plant too often.
pub fn gantt(
    model: &Model,
    scenarios: &[Scenario],
    (case, replication): (usize, u32),
    effort: &Effort,
) -> Result<Gantt, StudyError> {
    let baseline = Scenario::baseline();
    let scenario = std::iter::once(&baseline).chain(scenarios).nth(case);
    let scenario = scenario
        .ok_or_else(|| StudyError::Asked(format!("there is no case {case} in the study")))?;
    let streams = Streams::new(effort.seed, replication);
    let truth = model.truth_of(&streams);
    let ready = ready(model, &truth, scenario, effort.horizon_ns).map_err(StudyError::Asked)?;
    let mut factory = Factory::at(&ready.course, &ready.start, streams);
    let layout = &model.layout;
    let mut spent: Vec<Vec<Spent>> = vec![Vec::new(); layout.machines.len()];
    while let Some(happening) = factory.next_before(effort.horizon_ns) {
        if let Fact::State { machine, from, .. } = happening.fact
            && let Some(of) = spent.get_mut(machine)
        {
            add(of, from, happening.at_ns);
        }
    }
    let rows = layout.stations.iter().map(|station| {
        let mut intervals = spent.get(station.machine).cloned().unwrap_or_default();
        let last = factory.state(station.machine).unwrap_or_default();
        add(&mut intervals, last, effort.horizon_ns);
        let machine = layout.machines.get(station.machine);
        StationRow {
            machine: machine.map(|one| one.id.clone()).unwrap_or_default(),
            intervals,
        }
    });
    Ok(Gantt {
        case,
        replication,
        stations: rows.collect(),
    })
}

/// A state that held since the last one, up to a time.
fn add(intervals: &mut Vec<Spent>, state: State, to_ns: u64) {
    let from_ns = intervals.last().map_or(0, |one| one.to_ns);
    let to_ns = i64::try_from(to_ns).unwrap_or(i64::MAX);
    if to_ns > from_ns {
        intervals.push(Spent {
            state,
            from_ns,
            to_ns,
            is_covered: true,
        });
    }
}
