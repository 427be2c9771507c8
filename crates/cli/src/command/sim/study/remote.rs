//! Runs on a server: begun, watched until they end, cancelled with ctrl-c, and read.

use super::kept::ForkOf;
use super::{Out, Told, bar, show};
use crate::Context;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use indicatif::ProgressBar;
use serde_json::Value;
use std::time::Duration;
use tonic::Streaming;
use werkbuch_model::event::State;
use werkbuch_sim::whatif::{Asked, Gantt, Outcome as Found, Spent, StationRow, Text, Tried};
use werkbuch_wire::{name, pb};

/// A study of a plant's log, as a message.
pub(super) fn study(
    instant: Option<pb::Instant>,
    window_ns: u64,
    (behaviour, scenarios): (Option<&Text>, &[Text]),
    asked: &Asked,
) -> pb::Study {
    pb::Study {
        instant,
        window_ns,
        behaviour: behaviour.map(file),
        scenarios: scenarios.iter().map(file).collect(),
        horizon_ns: asked.horizon_ns,
        replications: asked.replications,
        precision: asked.precision,
        seed: asked.seed,
        confidence: asked.confidence,
        target: asked.target,
        sensitivity: asked.tried.sensitivity,
        tornado: asked.tried.tornado,
        most: asked.tried.most,
    }
}

pub(super) fn file(text: &Text) -> pb::StudyFile {
    pb::StudyFile {
        file_name: text.file.clone(),
        content: text.content.clone(),
    }
}

/// The same again of what was kept.
pub(super) fn again(of: &ForkOf) -> pb::Study {
    let instant = pb::Instant {
        known: Some(pb::instant::Known::KnownPosition(of.position)),
        at: Some(of.at_ns),
        ..pb::Instant::default()
    };
    let files = (of.behaviour.as_ref(), of.scenarios.as_slice());
    study(Some(instant), of.window_ns, files, &of.asked)
}

/// Begins a run. Errors: those of the server.
pub(super) async fn begin(
    client: &Client,
    plant: &str,
    study: pb::Study,
    threads: usize,
) -> Outcome<pb::Run> {
    let request = pb::CreateRunRequest {
        parent: name::of_plant(plant),
        study: Some(study),
        request_id: String::new(),
        validate_only: false,
        threads: u32::try_from(threads).unwrap_or(u32::MAX),
    };
    Ok(client.simulation().create_run(request).await?.into_inner())
}

/// Watches a run until it has ended, and reads its result; ctrl-c cancels it.
/// Errors: it failed, or was cancelled; those of the server.
pub(super) async fn finish(
    client: &Client,
    run: pb::Run,
    (out, context): (&Out, &Context),
) -> Outcome<(pb::Run, Told)> {
    let bar = bar(context);
    let ended = watch(client, &run.name, &bar).await;
    bar.finish_and_clear();
    let run = ended?;
    match run.state() {
        pb::RunState::Succeeded => {
            let (run, mut told) = read(client, run).await?;
            told.gantts = states(client, &run, out.drawn.wanted(&told.found)).await?;
            Ok((run, told))
        }
        pb::RunState::Cancelled => {
            let what = format!(
                "the run was cancelled after {} of {} replications",
                run.done, run.of
            );
            Err(Failure::new(Exit::Failed, "CANCELLED", what))
        }
        _ => {
            let exit = match run.reason.as_str() {
                "INVALID_REQUEST" | "INVALID_INSTANT" => Exit::Usage,
                _ => Exit::Failed,
            };
            Err(Failure::new(exit, &run.reason, run.error))
        }
    }
}

async fn watch(client: &Client, name: &str, bar: &ProgressBar) -> Outcome<pb::Run> {
    let request = pb::WatchRunRequest {
        name: name.to_owned(),
    };
    let watched = client.simulation().watch_run(request).await?;
    let mut runs: Streaming<pb::Run> = watched.into_inner();
    let mut last = None;
    let mut asked = false;
    loop {
        let next = tokio::select! {
            next = runs.message() => next?,
            signal = tokio::signal::ctrl_c(), if !asked => {
                if signal.is_ok() {
                    let request = pb::CancelRunRequest { name: name.to_owned() };
                    client.simulation().cancel_run(request).await?;
                }
                asked = true;
                continue;
            }
        };
        let Some(run) = next else { break };
        progress(&run, bar);
        last = Some(run);
    }
    last.ok_or_else(|| {
        Failure::new(
            Exit::Failed,
            "INTERNAL",
            "the server said nothing of the run",
        )
    })
}

fn progress(run: &pb::Run, bar: &ProgressBar) {
    match run.state() {
        pb::RunState::Queued => bar.set_message("waiting for other runs, "),
        pb::RunState::Running if run.of == 0 => bar.set_message("reading what was recorded, "),
        _ => {
            bar.set_length(u64::from(run.of));
            bar.set_position(u64::from(run.done));
            if let Some(width) = run.half_width {
                bar.set_message(show::known_to(width));
            }
        }
    }
    bar.tick();
}

/// Reads the result of a run. Errors: those of the server; it is not what the run says.
async fn read(client: &Client, run: pb::Run) -> Outcome<(pb::Run, Told)> {
    let request = pb::ReadRunResultRequest {
        name: run.name.clone(),
    };
    let mut parts = client
        .simulation()
        .read_run_result(request)
        .await?
        .into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await? {
        bytes.extend(part.json);
    }
    let digest = format!("sha256:{}", werkbuch_proof::sha256(&bytes));
    if digest != run.digest {
        let what = format!("the result is {digest}, the server says {}", run.digest);
        return Err(Failure::new(Exit::Verification, "RESULT_DIFFERS", what));
    }
    let json: Option<Value> = serde_json::from_slice(&bytes).ok();
    let found = json.as_ref().and_then(Found::from_json);
    match (json, found) {
        (Some(json), Some(found)) => Ok((
            run,
            Told {
                found,
                json,
                digest,
                gantts: Vec::new(),
            },
        )),
        _ => {
            let what = format!(
                "the result is of version {}, which this one, {}, cannot show",
                run.version,
                env!("CARGO_PKG_VERSION")
            );
            Err(Failure::new(Exit::Failed, "FORMAT_NEWER", what))
        }
    }
}

/// What the stations did in replications of a run. Errors: those of the server.
async fn states(client: &Client, run: &pb::Run, wanted: Vec<(usize, u32)>) -> Outcome<Vec<Gantt>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let replication = |(case, replication): &(usize, u32)| pb::RunReplication {
        case: u32::try_from(*case).unwrap_or(u32::MAX),
        replication: *replication,
    };
    let request = pb::ReadRunStatesRequest {
        name: run.name.clone(),
        replications: wanted.iter().map(replication).collect(),
    };
    let mut parts = client
        .simulation()
        .read_run_states(request)
        .await?
        .into_inner();
    let gantt = |(case, replication)| Gantt {
        case,
        replication,
        stations: Vec::new(),
    };
    let mut gantts: Vec<Gantt> = wanted.into_iter().map(gantt).collect();
    while let Some(part) = parts.message().await? {
        if let Some(gantt) = gantts.get_mut(part.index as usize) {
            for row in part.stations.iter().map(station) {
                // A station with very many intervals comes in pieces.
                match gantt.stations.last_mut() {
                    Some(last) if last.machine == row.machine => {
                        last.intervals.extend(row.intervals);
                    }
                    _ => gantt.stations.push(row),
                }
            }
        }
    }
    Ok(gantts)
}

fn station(told: &pb::StationStates) -> StationRow {
    let interval = |one: &pb::StationInterval| Spent {
        state: u32::try_from(one.state)
            .ok()
            .and_then(State::from_code)
            .unwrap_or_default(),
        from_ns: one.from_ns,
        to_ns: one.to_ns,
        is_covered: true,
    };
    StationRow {
        machine: told.machine.clone(),
        intervals: told.intervals.iter().map(interval).collect(),
    }
}

/// What of a plant's log a run has forked, for a file.
pub(super) fn fork_of(run: &pb::Run) -> ForkOf {
    let study = run.study.clone().unwrap_or_default();
    let reflected = run.reflected.clone().unwrap_or_default();
    let text = |file: pb::StudyFile| Text {
        file: file.file_name,
        content: file.content,
    };
    let plant = name::run(&run.name).ok().and_then(|(plant, _)| plant);
    ForkOf {
        plant: plant.map_or_else(String::new, |plant| plant.to_string()),
        position: reflected.position,
        at_ns: study
            .instant
            .as_ref()
            .and_then(|one| one.at)
            .unwrap_or(reflected.as_of),
        window_ns: study.window_ns,
        fork_digest: run.fork_digest.clone(),
        behaviour: study.behaviour.map(text),
        scenarios: study.scenarios.into_iter().map(text).collect(),
        asked: Asked {
            horizon_ns: study.horizon_ns,
            replications: study.replications,
            precision: study.precision,
            seed: study.seed,
            confidence: study.confidence,
            target: study.target,
            tried: Tried {
                sensitivity: study.sensitivity,
                tornado: study.tornado,
                most: study.most,
            },
        },
    }
}

/// How long is left, for a list.
pub(super) fn left(run: &pb::Run) -> Option<Duration> {
    run.left_ns.map(Duration::from_nanos)
}
