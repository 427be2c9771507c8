//! `werkbuch log copy`: moves a book into a new folder, with the store of one's choice.

use crate::Context;
use crate::command::serve::engine_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::hex;
use indicatif::ProgressBar;
use serde_json::json;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use werkbuch_engine::{Replay, ReplayTo, replay_folder};
use werkbuch_journal::disk::RealDisk;
use werkbuch_journal::{Opened, Options, PlantEnd, StoreError, StoreKind};
use werkbuch_model::id::PlantId;

/// Copy a whole book into a new folder, also into another store, and verify the copy.
///
/// The new folder gets every event of every plant byte for byte, the sample bodies, the keys of persons
/// and the snapshots. Then both folders are folded from the first event, and roots and digests are
/// compared. Both are the same book from then on: serve one of them, and keep the other as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data folder to copy; no server may hold it.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The new data folder; it must be missing or empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The store of the new folder, segments or sled (default: that of the old one).
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
}

/// What belongs to the store and is made anew.
const OF_THE_STORE: [&str; 4] = ["LOCK", "book.toml", "log", "sled"];

/// A plant of both folders.
struct Compared {
    plant: PlantId,
    old: Replay,
    new: Replay,
}

pub(crate) fn run(args: &Args, context: &Context, bar: &ProgressBar) -> Outcome<()> {
    let wanted = args.store.as_deref().map(store).transpose()?;
    if !args.from.is_dir() {
        let what = format!("there is no folder \"{}\"", args.from.display());
        return Err(Failure::new(Exit::NotFound, "FILE_NOT_FOUND", what));
    }
    // The copy gets its name when it is whole, so that half of one is not taken for a book.
    let draft = draft(&args.to)?;
    let (kinds, ends) = copy_log(&args.from, &draft, wanted, bar)?;
    bar.set_message("sample bodies, keys and snapshots");
    copy_rest(&args.from, &draft)?;
    let compared = compare(&args.from, &draft, &ends, bar)?;
    check(&compared)?;
    let parent = parent(&args.to);
    fs::rename(&draft, &args.to)
        .and_then(|()| File::open(&parent)?.sync_all())
        .map_err(|error| Failure::file(&args.to, &error))?;
    show(args, context, kinds, &compared)
}

fn store(name: &str) -> Outcome<StoreKind> {
    StoreKind::named(name).ok_or_else(|| {
        let known = StoreKind::ALL.map(StoreKind::name).join(" and ");
        Failure::usage(format!(
            "there is no store \"{name}\": the stores are {known}"
        ))
    })
}

fn failed(error: StoreError) -> Failure {
    engine_failure(&error.into())
}

/// The folder in which a path lies.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Where the copy is made: beside the new folder, which must be missing or empty.
fn draft(to: &Path) -> Outcome<PathBuf> {
    let refuse = |what: String| Failure::new(Exit::Conflict, "FOLDER_NOT_EMPTY", what);
    match fs::read_dir(to) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let what = format!("the folder \"{}\" is not empty", to.display());
                return Err(refuse(what).hint("name a folder that is missing or empty"));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::file(to, &error)),
    }
    let name = to.file_name().ok_or_else(|| {
        Failure::usage(format!("\"{}\" is no name of a new folder", to.display()))
    })?;
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    let draft = parent(to).join(unfinished);
    if draft.symlink_metadata().is_ok() {
        let what = format!(
            "the folder \"{}\" is there, from a copy that was cut short or is still being made",
            draft.display()
        );
        return Err(refuse(what).hint("delete it once no copy is being made, and start again"));
    }
    Ok(draft)
}

/// Copies the events. The old folder is held meanwhile, so that no server can write to it.
fn copy_log(
    from: &Path,
    draft: &Path,
    wanted: Option<StoreKind>,
    bar: &ProgressBar,
) -> Outcome<((StoreKind, StoreKind), Vec<PlantEnd>)> {
    let options = Options::default();
    let open = |folder: &Path, wanted, read_only| -> Outcome<Opened> {
        werkbuch_journal::open(Arc::new(RealDisk), folder, &options, wanted, read_only)
            .map_err(failed)
    };
    let old = open(from, None, true)?;
    let new = open(draft, Some(wanted.unwrap_or(old.kind)), false)?;
    let mut progress = |plant: &PlantId, done: u64, total: u64| {
        bar.set_message(format!("{plant}: {done} of {total} events copied"));
        bar.tick();
    };
    werkbuch_journal::copy(&*old.store, &*new.store, &mut progress).map_err(failed)?;
    new.store.close().map_err(failed)?;
    Ok(((old.kind, new.kind), old.store.ends()))
}

/// Copies all else that lies in the old folder, and syncs it.
fn copy_rest(from: &Path, draft: &Path) -> Outcome<()> {
    let entries = fs::read_dir(from).map_err(|error| Failure::file(from, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file(from, &error))?;
        let name = entry.file_name();
        if OF_THE_STORE.iter().all(|own| name != *own) {
            copy_tree(&entry.path(), &draft.join(&name))?;
        }
    }
    File::open(draft)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Failure::file(draft, &error))
}

fn copy_tree(from: &Path, to: &Path) -> Outcome<()> {
    let failed = |error| Failure::file(from, &error);
    let kind = from.symlink_metadata().map_err(failed)?.file_type();
    if kind.is_symlink() {
        let what = format!("\"{}\" is a link to another place", from.display());
        let failure = Failure::new(Exit::Conflict, "LINK_IN_FOLDER", what);
        return Err(failure.hint("put what it leads to in its place, and start again"));
    }
    if kind.is_dir() {
        fs::create_dir_all(to).map_err(failed)?;
        for entry in fs::read_dir(from).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            copy_tree(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        // With its rights: keys are for their owner alone.
        fs::copy(from, to).map_err(failed)?;
    }
    File::open(to)
        .and_then(|copied| copied.sync_all())
        .map_err(failed)
}

/// Folds both folders from their first events.
fn compare(
    from: &Path,
    draft: &Path,
    ends: &[PlantEnd],
    bar: &ProgressBar,
) -> Outcome<Vec<Compared>> {
    let mut compared = Vec::new();
    for end in ends {
        let fold = |folder: &Path, which: &str| {
            let mut progress = |done: u64, total: u64| {
                bar.set_message(format!(
                    "{}: {done} of {total} events of the {which} folder folded",
                    end.plant
                ));
                bar.tick();
            };
            replay_folder(folder, &end.plant, ReplayTo::End, false, &mut progress)
                .map_err(|error| engine_failure(&error))
        };
        compared.push(Compared {
            plant: end.plant.clone(),
            old: fold(from, "old")?,
            new: fold(draft, "new")?,
        });
    }
    Ok(compared)
}

fn check(compared: &[Compared]) -> Outcome<()> {
    let differs = |one: &&Compared| {
        (one.old.events, one.old.root, one.old.digest)
            != (one.new.events, one.new.root, one.new.digest)
    };
    let Some(one) = compared.iter().find(differs) else {
        return Ok(());
    };
    let what = format!(
        "the copy of plant \"{}\" differs: root {} and {}, digest {} and {}",
        one.plant,
        one.old.root,
        one.new.root,
        hex(&one.old.digest),
        hex(&one.new.digest)
    );
    Err(Failure::new(Exit::Verification, "COPY_DIFFERS", what)
        .hint("keep both folders as they are, and check the disk"))
}

const COLUMNS: [&str; 4] = ["plant", "events", "root", "digest"];

fn show(
    args: &Args,
    context: &Context,
    kinds: (StoreKind, StoreKind),
    compared: &[Compared],
) -> Outcome<()> {
    let row = |one: &Compared| {
        let (root, digest) = (one.new.root.to_string(), hex(&one.new.digest));
        let item = json!({
            "plant": one.plant.as_str(),
            "events": one.new.events,
            "root": root,
            "digest": digest,
            "equal": true,
        });
        let events = one.new.events.to_string();
        (vec![one.plant.to_string(), events, root, digest], item)
    };
    let rows: Vec<_> = compared.iter().map(row).collect();
    let plants = rows.len();
    let events: u64 = compared.iter().map(|one| one.new.events).sum();
    let whole = json!({
        "from": args.from.display().to_string(),
        "from_store": kinds.0.name(),
        "to": args.to.display().to_string(),
        "to_store": kinds.1.name(),
        "plants": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": plants,
        "total": plants,
        "events": events,
    });
    let note = format!(
        "{plants} of {plants} plants, {events} events copied from {} to {}; all roots and digests are \
         equal; serve one of the two folders only",
        kinds.0, kinds.1
    );
    let answer = Answer::list(&COLUMNS, rows).whole(whole).note(note);
    context.output.answer(&answer)
}
