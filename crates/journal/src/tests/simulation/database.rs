//! The store in the embedded database under a seed, held against the same model and the same laws.
//!
//! ```text
//! WERKBUCH_SEED=<n> cargo test -p werkbuch-journal simulation_of_the_database -- --nocapture
//! ```
//!
//! The database writes its files by itself, on a disk of its own choice, with threads that it starts; so
//! the simulated disk cannot stand under it. Instead the bytes of its file and of the witness are kept at
//! our syncs (`watched.rs`), and a life ends with what one of these moments leaves: all of it (the process
//! is killed), what was synced and any part of the rest (the power goes), or a log closed in good order.
//! The next life begins in a folder of its own with those bytes. One seed fixes the work, the moments, the
//! parts that arrive and the bits that flip; that the database writes the same bytes for the same calls is
//! not ours to fix, and `simulation_of_the_database_twice_is_the_same` looks at what comes out.
//!
//! What is not covered: errors of the database's own reads and writes (only of our syncs), and sample
//! bodies that were not synced.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::super::watched::{KINDS, WatchedDisk, Window, folder, torn};
use super::super::*;
use super::model::PlantModel;
use super::tally::Tally;
use super::work::{Stage, group};
use super::{check, run_all, seed_wanted};
use crate::Trusted;
use crate::disk::Chance;

/// 2026-11-23T06:00:00Z.
const MORNING_NS: i64 = 1_795_413_600_000_000_000;
const LIVES: u64 = 4;
const GROUPS_MAX: u64 = 9;

/// A log in a folder, and what it must hold.
pub(super) struct World {
    pub(super) chance: Chance,
    pub(super) plants: Vec<PlantModel>,
    pub(super) tally: Tally,
    place: tempfile::TempDir,
    disk: WatchedDisk,
    store: Option<Sled>,
    wall_ns: i64,
    traced: bool,
}

/// The files of a folder, by their paths in it.
pub(super) type Image = BTreeMap<PathBuf, Vec<u8>>;

/// Runs a seed to its end.
fn run(seed: u64, traced: bool) -> Tally {
    let mut chance = Chance::new(seed);
    let plants = &["a", "bb", "ccc"][..1 + chance.below(3) as usize];
    let mut world = World {
        plants: plants.iter().map(|name| PlantModel::new(name)).collect(),
        chance,
        tally: Tally {
            seeds: 1,
            ..Tally::default()
        },
        place: folder(),
        disk: WatchedDisk::default(),
        store: None,
        wall_ns: MORNING_NS,
        traced,
    };
    for _ in 0..LIVES {
        world.open();
        world.life();
    }
    world.open();
    let store = world.store.take().unwrap();
    store.verify(&mut |_, _| {}).unwrap();
    store.close().unwrap();
    world.tally
}

impl World {
    fn note(&mut self, what: impl FnOnce() -> String) {
        self.tally.steps += 1;
        if self.traced {
            eprintln!("{:5} {}", self.tally.steps, what());
        }
    }

    /// Opens the log: what was acknowledged is there, what was in doubt block by block.
    fn open(&mut self) {
        let options = self.options();
        let disk = Arc::new(self.disk.clone());
        let opened = Sled::open(disk, self.place.path(), &options, false);
        let (store, report) = opened.unwrap_or_else(|error| panic!("falsely refused: {error}"));
        self.disk.all_is_synced(self.place.path());
        self.tally.openings += 1;
        self.tally.cuts += report.cuts.len() as u64;
        for plant in &mut self.plants {
            settle_doubt(plant, &store);
        }
        for plant in &self.plants {
            check::everything(&store, plant).unwrap();
        }
        self.note(|| format!("opened: {report:?}"));
        self.store = Some(store);
    }

    /// Sometimes with what snapshots would vouch for.
    pub(super) fn options(&mut self) -> Options {
        let at = self.chance.below(5) as usize;
        let plant = self.plants.get(at).filter(|plant| plant.last() > 0);
        let trusted = plant.map(|plant| {
            let position = 1 + self.chance.below(plant.last());
            Trusted {
                plant: plant.id.clone(),
                position: Position(position),
                tree: plant.tree_at(position),
            }
        });
        Options {
            trusted: trusted.into_iter().collect(),
            ..small_files()
        }
    }

    /// Some groups, and then an end of one kind or another.
    fn life(&mut self) {
        for _ in 0..self.chance.below(GROUPS_MAX) {
            self.commit();
            if self.chance.below(4) == 0 {
                let store = self.store.as_ref().unwrap();
                for plant in &self.plants {
                    check::something(store, plant, &mut self.chance).unwrap();
                }
            }
        }
        let whole = self.disk.window(self.place.path());
        let (image, lost) = match self.chance.below(8) {
            0 | 1 => (self.close(), false),
            2 | 3 => (self.image(&whole.new), false),
            4 => (self.power_goes(&whole), true),
            5 => (self.sync_fails(), true),
            _ => (self.power_goes_while_committing(), true),
        };
        self.store = None;
        if self.chance.below(2) == 0 {
            self.flip(&image, lost);
        }
        self.place = laid_out(&image);
        self.disk = WatchedDisk::default();
    }

    fn staged(&mut self) -> (Vec<Stage>, Vec<Proposal>) {
        self.wall_ns += self.chance.below(5_000_000_000) as i64;
        group(&self.plants, &mut self.chance, Timestamp(self.wall_ns))
    }

    fn commit(&mut self) {
        let (stages, group) = self.staged();
        let blocks = group.len();
        let outcomes = self.store.as_ref().unwrap().commit(group).unwrap();
        self.disk.group_is_over();
        assert!(committed(&outcomes), "{outcomes:?}");
        self.keep(stages);
        self.note(|| format!("commit of {blocks} blocks"));
    }

    fn keep(&mut self, stages: Vec<Stage>) {
        self.tally.groups += 1;
        // The notes of the last group are synced with the next one.
        for plant in &mut self.plants {
            plant.floor = plant.events.len();
        }
        for stage in stages {
            let plant = &mut self.plants[stage.plant];
            self.tally.events += stage.last - plant.last();
            (plant.sources, plant.log_epoch) = (stage.sources, plant.epoch);
            plant.keep(stage.blocks);
        }
    }

    fn close(&mut self) -> Image {
        self.note(|| "close".into());
        self.store.as_ref().unwrap().close().unwrap();
        self.disk.group_is_over();
        // What was acknowledged and noted is on the disk, whatever happens now.
        let window = self.disk.window(self.place.path());
        for name in ["witness.0", "witness.1"] {
            assert!(window.old[name] == window.new[name], "{name} is not synced");
        }
        self.image(&window.new)
    }

    /// The power goes between two groups.
    fn power_goes(&mut self, window: &Window) -> Image {
        // The database synced all that it wrote before it was acknowledged.
        let mut window = window.clone();
        window.old.insert("db", window.new["db"].clone());
        self.cut(&window)
    }

    /// The power goes while a group is under way; nobody knows what of it is there.
    fn power_goes_while_committing(&mut self) -> Image {
        let (stages, group) = self.staged();
        self.disk.all_of_the_database_is_synced(self.place.path());
        self.disk.seen().watching = true;
        let outcomes = self.store.as_ref().unwrap().commit(group).unwrap();
        assert!(committed(&outcomes));
        let windows = std::mem::take(&mut self.disk.seen().windows);
        let at = self.chance.below(windows.len() as u64) as usize;
        self.doubt(stages);
        self.cut(&windows[at])
    }

    /// A sync of the database or of the witness fails: the store stops, and the machine starts again.
    fn sync_fails(&mut self) -> Image {
        let (stages, group) = self.staged();
        let blocks = group.len();
        self.disk.all_of_the_database_is_synced(self.place.path());
        let window = self.disk.window(self.place.path());
        let names = ["db", "db", "witness.0", "witness.1"];
        let name = names[self.chance.below(4) as usize];
        self.disk.seen().fails = Some((name, 1));
        let store = self.store.as_ref().unwrap();
        let outcomes = store.commit(group).unwrap();
        let failed = self.disk.seen().fails.take().is_none();
        self.note(|| format!("a sync of {name}: {outcomes:?}"));
        assert_eq!(committed(&outcomes), !failed, "{outcomes:?}");
        if !failed {
            // The file had nothing to sync.
            self.disk.group_is_over();
            self.keep(stages);
            let whole = self.disk.window(self.place.path());
            return self.power_goes(&whole);
        }
        self.tally.unknown += 1;
        assert_eq!(outcomes, vec![Outcome::Unknown; blocks]);
        let group = self.staged().1;
        let again = self.store.as_ref().unwrap().commit(group);
        assert!(
            matches!(again, Err(StoreError::Stopped { .. })),
            "{again:?}"
        );
        let new = self.disk.window(self.place.path()).new;
        self.doubt(stages);
        self.cut(&Window { new, ..window })
    }

    /// What of a group is there will be seen.
    fn doubt(&mut self, stages: Vec<Stage>) {
        for stage in stages {
            let plant = &mut self.plants[stage.plant];
            (plant.sources, plant.doubt) = (stage.sources, stage.blocks);
        }
    }

    fn cut(&mut self, window: &Window) -> Image {
        self.tally.power_cuts += 1;
        let kind = self.chance.below(KINDS);
        let files = torn(window, kind, &mut self.chance);
        let lost = files
            .iter()
            .filter(|(name, bytes)| window.new[**name] != **bytes);
        self.tally.losses += lost.count() as u64;
        self.note(|| format!("the power goes, kind {kind}"));
        self.image(&files)
    }

    /// All files of the folder, the watched ones with these bytes.
    fn image(&self, files: &BTreeMap<&'static str, Vec<u8>>) -> Image {
        let mut image = image_of(self.place.path());
        for (name, bytes) in files {
            image.insert(Path::new("sled").join(name), bytes.clone());
        }
        image
    }
}

/// What was in doubt is there or not, block by block; everything else is there.
fn settle_doubt(plant: &mut PlantModel, store: &dyn Store) {
    let last = check::end_of(store, plant).map_or(0, |end| end.last.get());
    let mut blocks = std::mem::take(&mut plant.doubt).into_iter();
    assert!(
        last >= plant.last(),
        "{}: {last} of {}",
        plant.id,
        plant.last()
    );
    while last > plant.last() {
        let block = blocks.next().unwrap_or_default();
        assert!(!block.is_empty(), "{}: {last} events", plant.id);
        plant.keep(vec![block]);
        plant.log_epoch = plant.epoch;
    }
    assert_eq!(last, plant.last(), "{}: half a block", plant.id);
    for event in blocks.flatten() {
        plant.sources[event.source.get() as usize - 1].resend(event.sequence.get());
    }
    // All of it is noted at a start.
    plant.floor = plant.events.len();
}

/// All files of a folder.
pub(super) fn image_of(folder: &Path) -> Image {
    let mut image = Image::new();
    collect(folder, Path::new(""), &mut image);
    image
}

fn collect(root: &Path, inside: &Path, image: &mut Image) {
    for entry in fs::read_dir(root.join(inside)).unwrap() {
        let entry = entry.unwrap();
        let path = inside.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect(root, &path, image);
        } else {
            image.insert(path.clone(), fs::read(root.join(path)).unwrap());
        }
    }
}

/// A folder with these files.
pub(super) fn laid_out(image: &Image) -> tempfile::TempDir {
    let place = folder();
    // Folders that are empty are there too.
    for inside in ["bodies", "sled/blobs"] {
        fs::create_dir_all(place.path().join(inside)).unwrap();
    }
    for (path, bytes) in image {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // The zeros at the end need no room.
        let used = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        fs::write(&path, &bytes[..used]).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
    }
    place
}

#[test]
fn simulation_of_the_database_breaks_no_law() {
    if let Some(seed) = seed_wanted() {
        eprintln!("{}", run(seed, true));
        return;
    }
    let long = std::env::var("WERKBUCH_LONG").is_ok();
    let seeds = if long { 2_000 } else { 120 };
    let begin = std::time::Instant::now();
    let tally = run_all(seeds, "simulation_of_the_database", run);
    eprintln!("{tally}\nin {} s", begin.elapsed().as_secs());
    // The simulation must reach what it is about.
    assert!(tally.power_cuts > seeds && tally.losses > seeds / 2);
    assert!(tally.unknown > seeds / 8 && tally.cuts > seeds / 40);
    for verdict in ["refused", "forgotten", "harmless"] {
        assert!(tally.verdicts.contains_key(verdict), "{verdict}");
    }
}

#[test]
fn simulation_of_the_database_twice_is_the_same() {
    for seed in 0..4 {
        assert_eq!(run(seed, false), run(seed, false), "seed {seed}");
    }
}
