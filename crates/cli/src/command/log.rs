//! `werkbuch log`: the files of a data folder, without a server.

mod copy;

use crate::Context;
use crate::command::serve::engine_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use werkbuch_journal::disk::RealDisk;
use werkbuch_journal::{LogFile, Opened, Options, PlantEnd, StoreError, StoreKind, Verified};
use werkbuch_model::id::{PlantId, Position};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// The files of the log: what is sealed, and what is not yet.
    Ls(Folder),
    /// What the log holds of each plant, and what it takes.
    Stat(Folder),
    /// Read all of it and hold it against everything else that is known; exit code 5 when something
    /// is wrong.
    #[command(after_help = VERIFY_HELP)]
    Verify(Folder),
    Copy(copy::Args),
}

const VERIFY_HELP: &str = "\
With the store segments every byte is read. Checked are the checksums of headers, bodies and tables,
the lengths, that no file is missing and none follows another, the positions without a gap, the Merkle
root before each block from the first event on, the tables of the segments against the events, and
sample bodies against the hashes that events name.

With the store sled every record of the database is read. Checked are the checksums of headers and
bodies, the positions without a gap, the Merkle root before each block and at the end, the indexes of
times and numbers against the events, that no record belongs to nothing, and sample bodies against the
hashes that events name.

With both, no log may end before what a snapshot of the folder vouches for.

Nothing is changed. Whether the twin follows from the log: werkbuch replay --check.";

/// Which folder is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Folder {
    /// The data folder; no server may hold it.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let bar = if context.output.quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new_spinner()
    };
    let (context, quiet) = (context.clone(), bar.clone());
    let work = move || match args {
        Args::Ls(folder) => ls(&context, &folder.data),
        Args::Stat(folder) => stat(&context, &folder.data),
        Args::Verify(folder) => verify(&context, &folder.data, &bar),
        Args::Copy(args) => copy::run(&args, &context, &bar),
    };
    let done = tokio::task::spawn_blocking(work).await;
    quiet.finish_and_clear();
    done.map_err(|error| {
        let what = format!("reading the log broke: {error}");
        Failure::new(Exit::Failed, "INTERNAL", what)
    })?
}

fn open(data: &Path, options: &Options) -> Outcome<Opened> {
    if !data.is_dir() {
        let what = format!("there is no folder \"{}\"", data.display());
        return Err(Failure::new(Exit::NotFound, "FILE_NOT_FOUND", what));
    }
    werkbuch_journal::open(Arc::new(RealDisk), data, options, None, true).map_err(failed)
}

fn failed(error: StoreError) -> Failure {
    engine_failure(&error.into())
}

const LS: [&str; 7] = [
    "file",
    "kind",
    "plant",
    "positions",
    "blocks",
    "events",
    "bytes",
];

fn ls(context: &Context, data: &Path) -> Outcome<()> {
    let Opened { store, kind, .. } = open(data, &Options::default())?;
    let files = store.files().map_err(failed)?;
    let rows: Vec<_> = files.iter().map(row).collect();
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let note = format!("{} of {} files, {bytes} bytes", rows.len(), rows.len());
    let whole = json!({
        "store": kind.name(),
        "files": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": rows.len(),
        "total": rows.len(),
        "bytes": bytes,
    });
    let answer = Answer::list(&LS, rows).whole(whole).note(note);
    context.output.answer(&answer)
}

fn row(file: &LogFile) -> (Vec<String>, Value) {
    let count = |first: Position, last: Position| last.get().saturating_sub(first.get()) + 1;
    let events: u64 = file
        .parts
        .values()
        .map(|part| count(part.first, part.last))
        .sum();
    let blocks: u64 = file.parts.values().map(|part| part.blocks).sum();
    let kind = file.kind.name();
    let plants = file.parts.len();
    let plant = match (&file.plant, file.parts.keys().next()) {
        (Some(plant), _) => plant.to_string(),
        (None, Some(only)) if plants == 1 => only.to_string(),
        _ => format!("{plants} plants"),
    };
    let positions = match file.parts.values().next() {
        Some(part) if plants == 1 => format!("{} to {}", part.first, part.last),
        _ => String::new(),
    };
    let path = file.path.display().to_string();
    let item = json!({
        "file": path,
        "kind": kind,
        "bytes": file.bytes,
        "blocks": blocks,
        "events": events,
        "plants": file.parts.iter().map(|(plant, part)| json!({
            "plant": plant.as_str(),
            "first": part.first.get(),
            "last": part.last.get(),
            "blocks": part.blocks,
        })).collect::<Vec<_>>(),
    });
    let [blocks, events, bytes] = [blocks, events, file.bytes].map(|number| number.to_string());
    (
        vec![
            path,
            kind.to_owned(),
            plant,
            positions,
            blocks,
            events,
            bytes,
        ],
        item,
    )
}

const STAT: [&str; 8] = [
    "plant",
    "log",
    "epoch",
    "events",
    "sealed",
    "recorded_at",
    "sealed_bytes",
    "root",
];

fn stat(context: &Context, data: &Path) -> Outcome<()> {
    let Opened {
        store,
        kind,
        report,
    } = open(data, &Options::default())?;
    let files = store.files().map_err(failed)?;
    let ends = store.ends();
    let rows = ends.iter().map(|end| plant_row(end, &files, kind));
    let rows: Vec<_> = rows.collect();
    let (bytes, events) = (
        store.bytes().map_err(failed)?,
        report.events + report.sealed_events,
    );
    let closed = if report.closed {
        "closed in good order"
    } else {
        "not closed in good order"
    };
    let note = format!(
        "{} of {} plants, {events} events, {bytes} bytes with sample bodies; {closed}",
        rows.len(),
        rows.len()
    );
    let whole = json!({
        "store": kind.name(),
        "plants": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": rows.len(),
        "total": rows.len(),
        "events": events,
        "bytes": bytes,
        "closed": report.closed,
        "torn": report.cuts.iter().map(torn).collect::<Vec<_>>(),
    });
    let columns: Vec<_> = STAT.into_iter().filter(|name| has(kind, name)).collect();
    let answer = Answer::list(&columns, rows).whole(whole).note(note);
    context.output.answer(&answer)
}

/// Whether a column has a meaning with a store: a database seals nothing.
fn has(kind: StoreKind, column: &str) -> bool {
    match kind {
        StoreKind::Segments => true,
        StoreKind::Sled => !column.starts_with("sealed"),
    }
}

fn plant_row(end: &PlantEnd, files: &[LogFile], kind: StoreKind) -> (Vec<String>, Value) {
    let mine = files
        .iter()
        .filter(|file| file.plant.as_ref() == Some(&end.plant));
    let parts = mine.clone().flat_map(|file| file.parts.values());
    let sealed = parts.map(|part| part.last.get()).max().unwrap_or(0);
    let bytes: u64 = mine.map(|file| file.bytes).sum();
    let root = end.tree.root().to_string();
    let mut item = json!({
        "plant": end.plant.as_str(),
        "log": end.log_id.to_string(),
        "epoch": end.epoch.get(),
        "events": end.last.get(),
        "last_recorded_at": end.last_recorded_at,
        "closed": end.closed,
        "root": root,
    });
    if kind == StoreKind::Segments {
        item["sealed_events"] = sealed.into();
        item["sealed_bytes"] = bytes.into();
    }
    let cells = [
        end.plant.to_string(),
        end.log_id.to_string(),
        end.epoch.get().to_string(),
        end.last.to_string(),
        sealed.to_string(),
        end.last_recorded_at.to_string(),
        bytes.to_string(),
        root,
    ];
    let cells = STAT.into_iter().zip(cells);
    let cells = cells.filter(|(name, _)| has(kind, name));
    (cells.map(|(_, cell)| cell).collect(), item)
}

fn torn(cut: &werkbuch_journal::Cut) -> Value {
    json!({
        "file": cut.file.display().to_string(),
        "offset": cut.offset,
        "bytes": cut.bytes,
        "group": cut.group,
        "why": cut.what,
    })
}

fn verify(context: &Context, data: &Path, bar: &ProgressBar) -> Outcome<()> {
    bar.set_message("snapshots, and what is not sealed");
    let options = Options {
        floors: werkbuch_engine::vouched(data),
        ..Options::default()
    };
    let Opened {
        store,
        kind,
        report,
    } = open(data, &options)?;
    let mut progress = |plant: &PlantId, done: &Verified| {
        bar.set_message(format!("{plant}: {} events so far", done.events));
        bar.tick();
    };
    let done = store.verify(&mut progress).map_err(failed)?;
    let torn: u64 = report.cuts.iter().map(|cut| cut.bytes).sum();
    let plants = store.ends().len();
    let whole = json!({
        "store": kind.name(),
        "plants": plants,
        "files": done.files,
        "blocks": done.blocks,
        "events": done.events,
        "bytes": done.bytes,
        "torn_bytes": torn,
        "sample_bodies": done.bodies,
        "sample_bodies_expired": done.bodies_expired,
        "sample_bodies_missing": done.bodies_missing,
        "closed": report.closed,
    });
    let number = |number: u64| number.to_string();
    let parts = vec![
        ("plants", plants.to_string()),
        ("files", number(done.files)),
        ("blocks", number(done.blocks)),
        ("events", number(done.events)),
        ("bytes", number(done.bytes)),
        ("torn bytes", number(torn)),
        ("sample bodies", number(done.bodies)),
        ("expired bodies", number(done.bodies_expired)),
        ("missing bodies", number(done.bodies_missing)),
    ];
    let note = match kind {
        StoreKind::Segments => "every checksum, length, position, root and table holds",
        StoreKind::Sled => "every checksum, position, root and index in the database holds",
    };
    context
        .output
        .answer(&Answer::single(parts, whole).note(note))?;
    if done.bodies_missing == 0 {
        return Ok(());
    }
    let what = format!(
        "{} of {} sample bodies are missing or damaged",
        done.bodies_missing,
        done.bodies_missing + done.bodies
    );
    Err(
        Failure::new(Exit::Verification, "SAMPLE_BODIES_MISSING", what)
            .hint("werkbuch event body POSITION --plant P says what is wrong with one"),
    )
}
