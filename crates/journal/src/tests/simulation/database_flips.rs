//! Flipped bits in the files of the embedded database: told, or harmless, and never fewer events without
//! a word.

use super::super::*;
use super::check;
use super::damage::cut_model;
use super::database::{Image, World, laid_out};
use super::model::PlantModel;
use crate::FoundBody;
use crate::disk::{Chance, RealDisk};

impl World {
    /// Looks into a future in which a bit of a file is wrong. `lost` says that the power went before, so
    /// that the notes of the last group may be gone with it.
    pub(super) fn flip(&mut self, image: &Image, lost: bool) {
        let mut plants = self.plants.clone();
        for plant in &mut plants {
            // What of the group in doubt is there is looked at elsewhere.
            plant.floor = match lost {
                true => plant.floor,
                false => plant.events.len(),
            };
        }
        let mut bad = image.clone();
        let (path, bit) = some_bit(image, &mut self.chance);
        bad.get_mut(&path).unwrap()[bit / 8] ^= 1 << (bit % 8);
        let options = self.options();
        let verdict = examine(&bad, &path, plants, &options);
        self.tally.flips_at_rest += 1;
        *self.tally.verdicts.entry(verdict).or_default() += 1;
    }
}

/// A bit of a file; most often of what the database has in use of its own.
fn some_bit(image: &Image, chance: &mut Chance) -> (std::path::PathBuf, usize) {
    let files: Vec<_> = image
        .iter()
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect();
    let database = Path::new("sled/db");
    let (path, bytes) = match chance.below(4) {
        0 => files[chance.below(files.len() as u64) as usize],
        _ => image.get_key_value(database).unwrap(),
    };
    // Behind what was written the database has filled its segment with zeros.
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |last| last + 1);
    (path.clone(), chance.below(used as u64 * 8) as usize)
}

/// Opens what is damaged, twice, and looks at all of it. Answers how the damage was told.
pub(super) fn examine(
    bad: &Image,
    path: &Path,
    plants: Vec<PlantModel>,
    options: &Options,
) -> &'static str {
    let place = laid_out(bad);
    let verdict = examine_once(place.path(), path, plants.clone(), options);
    // What was refused is refused again, though the database wrote while it was opened.
    if matches!(verdict, "refused" | "forgotten") {
        let again = examine_once(place.path(), path, plants, options);
        let place = path.display();
        assert!(
            matches!(again, "refused" | "forgotten"),
            "{verdict}, and at the next start {again}: {place}"
        );
    }
    verdict
}

fn examine_once(
    folder: &Path,
    path: &Path,
    mut plants: Vec<PlantModel>,
    options: &Options,
) -> &'static str {
    let (store, report) = match Sled::open(Arc::new(RealDisk), folder, options, false) {
        Ok(opened) => opened,
        Err(error) => return refused(&error, path),
    };
    let mut verdict = "harmless";
    for plant in &mut plants {
        let last = check::end_of(&store, plant).map_or(0, |end| end.last.get() as usize);
        while last > plant.events.len() && !plant.doubt.is_empty() {
            let block = plant.doubt.remove(0);
            plant.keep(vec![block]);
        }
        assert!(
            last >= plant.floor && last <= plant.events.len(),
            "{}: {last} of {}, and nobody said so: {} {report:?}",
            plant.id,
            plant.events.len(),
            path.display()
        );
        cut_model(plant, last);
    }
    for plant in &plants {
        for law in check::LAWS {
            if let Err(error) = law(&store, plant) {
                refused(&error, path);
                verdict = "not served";
            }
        }
        verdict = bodies(&store, plant).unwrap_or(verdict);
    }
    if let Err(error) = store.verify(&mut |_, _| {}) {
        refused(&error, path);
        verdict = match verdict {
            "harmless" => "verified",
            other => other,
        };
    }
    verdict
}

/// Sample bodies are right, or told to be wrong.
fn bodies(store: &dyn Store, plant: &PlantModel) -> Option<&'static str> {
    let mut verdict = None;
    for event in &plant.events {
        let Some((hash, body)) = &event.body else {
            continue;
        };
        match store.body(&plant.id, *hash, event.recorded_at).unwrap() {
            FoundBody::Present(found) => assert_eq!(*body, found),
            FoundBody::Expired { .. } => panic!("nothing was deleted"),
            FoundBody::Damaged(_) | FoundBody::Lost(_) => verdict = Some("body not served"),
        }
    }
    verdict
}

/// An error names the file in which a bit is wrong, or one of the folder of the database that it makes
/// wrong.
fn refused(error: &StoreError, flipped: &Path) -> &'static str {
    let named = match error {
        StoreError::Damaged(damage) => &damage.file,
        StoreError::Forgotten(forgotten) => {
            assert!(flipped.starts_with("sled"), "{error}");
            assert!(forgotten.kept < forgotten.noted, "{error}");
            return "forgotten";
        }
        // A snapshot vouches for more than is left.
        StoreError::BelowFloor { .. } => return "forgotten",
        StoreError::Marker { path, .. }
        | StoreError::BodyFile { path, .. }
        | StoreError::Io { path, .. } => path,
        _ => panic!("{error:?} for {}", flipped.display()),
    };
    let same = named.ends_with(flipped);
    let database = flipped.starts_with("sled") && named.to_string_lossy().contains("/sled");
    assert!(same || database, "{error} for {}", flipped.display());
    "refused"
}

/// A log of some thousand events, killed while it is open, with a bit flipped at many places of what the
/// database wrote.
#[test]
fn simulation_of_the_database_with_a_flipped_bit_at_many_places() {
    use super::work::group;
    let place = watched::folder();
    let mut chance = Chance::new(11);
    let mut plants: Vec<_> = ["a", "bb"]
        .iter()
        .map(|name| PlantModel::new(name))
        .collect();
    let open = || Sled::open(Arc::new(RealDisk), place.path(), &small_files(), false);
    let (mut store, _) = open().unwrap();
    for round in 0..120 {
        if round == 40 {
            store.close().unwrap();
            drop(store);
            store = open().unwrap().0;
        }
        let wall = Timestamp(1_000_000_000 * round);
        let (stages, group) = group(&plants, &mut chance, wall);
        assert!(committed(&store.commit(group).unwrap()));
        for stage in stages {
            let plant = &mut plants[stage.plant];
            (plant.sources, plant.log_epoch) = (stage.sources, plant.epoch);
            plant.keep(stage.blocks);
        }
    }
    for plant in &mut plants {
        plant.floor = plant.events.len();
    }
    let image = super::database::image_of(place.path());
    let bytes = &image[Path::new("sled/db")];
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let long = std::env::var("WERKBUCH_LONG").is_ok();
    let places = if long { 4_096 } else { 256 };
    let tally = std::sync::Mutex::new(std::collections::BTreeMap::<_, u64>::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if nth >= places {
                        return;
                    }
                    // Spread over all that is in use, each at another bit.
                    let at = used * nth / places;
                    let mut bad = image.clone();
                    bad.get_mut(Path::new("sled/db")).unwrap()[at] ^= 1 << (nth % 8);
                    let path = Path::new("sled/db");
                    let verdict = examine(&bad, path, plants.clone(), &small_files());
                    *tally.lock().unwrap().entry(verdict).or_default() += 1;
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    eprintln!("{places} places in {used} bytes: {tally:?}");
    assert!(tally["forgotten"] > 0 && tally.values().sum::<u64>() == places as u64);
}
