//! `werkbuch replay`: folds a log from its first event and compares.

use crate::Context;
use crate::command::serve::engine_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::hex;
use crate::when::Bound;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::path::PathBuf;
use werkbuch_engine::{ReplayTo, Verdict};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_wire::pb::replay_plant_request::To;
use werkbuch_wire::{name, pb};

const AFTER_HELP: &str = "\
There is no --at: a replay folds the log in its order and compares digests, which are of all that was recorded
up to a position. `twin get --at` shows the state at a time of the plant.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The plant.
    #[arg(long)]
    plant: String,
    /// How far: a position, or what had been recorded by a time.
    #[arg(
        long,
        visible_alias = "known",
        value_name = "POSITION|TIME",
        allow_hyphen_values = true
    )]
    to: Option<String>,
    #[arg(long, hide = true, value_name = "TIME", allow_hyphen_values = true, num_args = 0..=1)]
    at: Option<Option<String>>,
    /// Compare with the live twin, the recorded digests and every snapshot; exit code 5 when one
    /// differs.
    #[arg(long)]
    check: bool,
    /// Read this data folder, which no server holds, instead of asking a server.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// What came out, wherever it was folded.
struct Result {
    events: u64,
    position: u64,
    digest: String,
    fold_version: u32,
    root: String,
    fold_ns: u64,
    comparisons: Vec<(String, u64, &'static str, String)>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    if args.at.is_some() {
        let what = "--at has no meaning here: a replay folds the log in its order";
        let hint = "say how far with --known POSITION or --known TIME; twin get --at shows a time of \
                    the plant";
        return Err(Failure::usage(what.to_owned()).hint(hint));
    }
    // A folder's plant can be asked for its clocks by nobody.
    let plant = args.data.is_none().then_some(args.plant.as_str());
    let to = context
        .clocks(plant)
        .bound_if_any(args.to.as_deref())
        .await?;
    let bar = bar(context);
    let result = match args.data {
        None => by_server(context, &args.plant, to, args.check, &bar).await,
        Some(data) => offline(data, &args.plant, to, args.check, bar.clone()).await,
    };
    bar.finish_and_clear();
    show(context, &args.plant, &result?, args.check)
}

fn bar(context: &Context) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if context.output.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = "{bar:40} {human_pos} of {human_len} events, {per_sec}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

async fn by_server(
    context: &Context,
    plant: &str,
    to: Option<Bound>,
    check: bool,
    bar: &ProgressBar,
) -> Outcome<Result> {
    let to = to.map(|bound| match bound {
        Bound::Position(position) => To::ToPosition(position),
        Bound::Time(time) => To::ToRecordedAt(time.nanos()),
    });
    let request = pb::ReplayPlantRequest {
        name: name::of_plant(plant),
        check,
        to,
    };
    let client = context.client().await?;
    let mut stream = client.history().replay_plant(request).await?.into_inner();
    while let Some(progress) = stream.message().await? {
        bar.set_length(progress.total);
        bar.set_position(progress.events);
        if !progress.done {
            continue;
        }
        let comparisons = progress.comparisons.into_iter().map(|one| {
            let verdict = match one.verdict() {
                pb::Verdict::Equal => Verdict::Equal,
                pb::Verdict::Different => Verdict::Different,
                _ => Verdict::NotComparable,
            };
            (one.with, one.position, word(verdict), one.detail)
        });
        return Ok(Result {
            events: progress.events,
            // A log's positions count from 1 without a gap.
            position: progress.events,
            digest: hex(&progress.digest),
            fold_version: progress.fold_version,
            root: hex(&progress.root),
            fold_ns: progress.fold_ns,
            comparisons: comparisons.collect(),
        });
    }
    let what = "the server ended the replay without a result";
    Err(Failure::new(Exit::Unavailable, "NO_RESULT", what).hint("try again"))
}

async fn offline(
    data: PathBuf,
    plant: &str,
    to: Option<Bound>,
    check: bool,
    bar: ProgressBar,
) -> Outcome<Result> {
    let plant = PlantId::new(plant).map_err(|error| Failure::usage(error.to_string()))?;
    if !data.is_dir() {
        let what = format!("there is no folder \"{}\"", data.display());
        return Err(Failure::new(Exit::NotFound, "FILE_NOT_FOUND", what));
    }
    let to = match to {
        None => ReplayTo::End,
        Some(Bound::Position(position)) => ReplayTo::Position(Position(position)),
        Some(Bound::Time(time)) => ReplayTo::Recorded(time),
    };
    let fold = move || {
        let mut progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        werkbuch_engine::replay_folder(&data, &plant, to, check, &mut progress)
    };
    let folded = tokio::task::spawn_blocking(fold).await;
    let folded = folded.map_err(|error| {
        Failure::new(
            Exit::Failed,
            "INTERNAL",
            format!("the replay broke: {error}"),
        )
    })?;
    let replay = folded.map_err(|error| engine_failure(&error))?;
    let comparisons = replay.comparisons.into_iter();
    let comparisons =
        comparisons.map(|one| (one.with, one.position.get(), word(one.verdict), one.detail));
    Ok(Result {
        events: replay.events,
        position: replay.position.get(),
        digest: hex(&replay.digest),
        fold_version: replay.fold_version,
        root: replay.root.to_string(),
        fold_ns: replay.fold_ns,
        comparisons: comparisons.collect(),
    })
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equal => "EQUAL",
        Verdict::Different => "DIFFERENT",
        Verdict::NotComparable => "NOT_COMPARABLE",
    }
}

fn show(context: &Context, plant: &str, result: &Result, check: bool) -> Outcome<()> {
    let nanos = u128::from(result.fold_ns.max(1));
    let rate = u128::from(result.events) * 1_000_000_000 / nanos;
    let comparisons = result.comparisons.iter().map(|(with, position, verdict, detail)| {
        json!({ "with": with, "position": position, "verdict": verdict, "detail": detail })
    });
    let whole = json!({
        "plant": plant,
        "events": result.events,
        "position": result.position,
        "digest": result.digest,
        "fold_version": result.fold_version,
        "root": result.root,
        "fold_ns": result.fold_ns,
        "events_per_second": u64::try_from(rate).unwrap_or(u64::MAX),
        "comparisons": comparisons.collect::<Vec<Value>>(),
    });
    let mut parts = vec![
        ("plant", plant.to_owned()),
        ("events", format!("{} ({rate} a second)", result.events)),
        ("position", result.position.to_string()),
        (
            "digest",
            format!("{} (fold {})", result.digest, result.fold_version),
        ),
        ("root", result.root.clone()),
    ];
    parts.extend(
        result
            .comparisons
            .iter()
            .map(|(with, position, verdict, detail)| {
                (
                    "compared",
                    format!("{verdict} with {with} at {position} {detail}")
                        .trim_end()
                        .to_owned(),
                )
            }),
    );
    let mut answer = Answer::single(parts, whole);
    if check && result.comparisons.is_empty() {
        answer = answer.note(format!(
            "nothing was compared: no digest, snapshot or live twin is kept of position {} or before",
            result.position
        ));
    }
    context.output.answer(&answer)?;
    let different = result
        .comparisons
        .iter()
        .filter(|(_, _, verdict, _)| *verdict == "DIFFERENT");
    match different.count() {
        0 => Ok(()),
        count => {
            let what = format!("{count} of {} comparisons differ", result.comparisons.len());
            Err(Failure::new(Exit::Verification, "REPLAY_DIFFERS", what)
                .hint("keep the folder as it is; compare with a backup or another copy"))
        }
    }
}
