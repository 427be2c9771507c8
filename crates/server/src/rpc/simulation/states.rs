//! What the stations did in single replications of a run, which are run again for it.

use super::evidence::Fork;
use super::{ForkOf, study};
use crate::context::Context;
use crate::outbound::outbound;
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Response, Status};
use werkbuch_sim::whatif::StationRow;
use werkbuch_wire::name;
use werkbuch_wire::pb::{
    ReadRunStatesRequest, ReadRunStatesResponse, RunState, StationInterval, StationStates,
};
use werkbuch_wire::reason::Reason;

/// The most replications of a request.
const REPLICATIONS_MAX: usize = 1_000;
/// The intervals of a message, at some ten bytes each.
const PART_INTERVALS: usize = 64 * 1024;

/// Runs replications again and tells what the stations did.
/// Errors: the run has no such replication, or no result; its plant's log says something else than it did.
pub(super) async fn read(
    context: &Arc<Context>,
    request: ReadRunStatesRequest,
) -> Result<Response<BoxStream<ReadRunStatesResponse>>, Status> {
    let run = context.runs.get(&request.name)?.run();
    let refused = |field: &str, what: String| {
        let field = (field.to_owned(), what.clone());
        Err(Reason::InvalidRequest.violations(what, [field]))
    };
    if run.state() != RunState::Succeeded {
        return refused("name", format!("{} has no result", run.name));
    }
    let of = request.replications.iter();
    let last = of.clone().map(|one| one.replication).max();
    if request.replications.len() > REPLICATIONS_MAX || last.is_some_and(|last| last >= run.done) {
        let what = format!(
            "at most {REPLICATIONS_MAX} of the {} replications",
            run.done
        );
        return refused("replications", what);
    }
    let study = run.study.clone().unwrap_or_default();
    let (plant, _) = name::run(&run.name)?;
    let parent = plant.map_or_else(String::new, |plant| name::of_plant(plant.as_str()));
    let fork = Fork::find(
        context,
        ForkOf {
            parent: &parent,
            instant: study.instant.as_ref(),
            window_ns: study.window_ns,
        },
    );
    let fork = fork.await?;
    let evidence = fork.read(context).await?;
    if evidence.digest != run.fork_digest {
        let what = "the log says something else than when it was run".to_owned();
        return refused("name", what);
    }
    let inputs = study::inputs(&study, &fork);
    let wanted: Vec<(usize, u32)> = of.map(|one| (one.case as usize, one.replication)).collect();
    let made = move || Ok(inputs.gantts(Some(&evidence.record), &wanted));
    let made = context.stream_blocking(made).await?;
    let gantts = made.map_err(|error| study::refused(&error))?;
    let (out, answers) = outbound(context.stream()?, context.limits.slow_reader);
    tokio::spawn(async move {
        for (index, gantt) in (0..).zip(gantts) {
            for stations in parts(gantt.stations) {
                let part = ReadRunStatesResponse { index, stations };
                if let Err(ended) = out.send(part).await {
                    return out.give_up(&ended);
                }
            }
        }
    });
    Ok(Response::new(answers))
}

/// Stations in pieces that make a message each; a station with more intervals than one takes comes in several.
fn parts(rows: Vec<StationRow>) -> Vec<Vec<StationStates>> {
    let mut parts: Vec<Vec<StationStates>> = vec![Vec::new()];
    let mut room = PART_INTERVALS;
    for row in rows {
        for piece in row.intervals.chunks(PART_INTERVALS) {
            if piece.len() > room {
                parts.push(Vec::new());
                room = PART_INTERVALS;
            }
            room -= piece.len();
            let intervals = piece.iter().map(|one| StationInterval {
                state: i32::try_from(one.state.code()).unwrap_or(0),
                from_ns: one.from_ns,
                to_ns: one.to_ns,
            });
            let station = StationStates {
                machine: row.machine.clone(),
                intervals: intervals.collect(),
            };
            if let Some(part) = parts.last_mut() {
                part.push(station);
            }
        }
    }
    parts
}
