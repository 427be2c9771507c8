//! Flipped bits, at rest and on their way to the disk, each on a disk of its own: told with their place,
//! and never served.

use std::path::PathBuf;

use super::super::*;
use super::check;
use super::model::PlantModel;
use super::world::World;
use crate::FoundBody;
use crate::disk::FaultKind;

/// A file and the byte in it that is wrong.
pub(super) type Flip = (PathBuf, u64);

impl World {
    /// Looks into a future in which a bit is wrong.
    pub(super) fn damage(&mut self) {
        if self.stopped {
            return;
        }
        let disk = self.disk.copy();
        disk.set_capacity(None);
        let crashed = self.chance.below(3) == 0;
        let disk = match crashed {
            true => disk.crash(self.chance.next()),
            false => disk,
        };
        let mut fork = self.fork(disk);
        let (verdict, flips) = match self.chance.below(3) {
            0 => fork.on_the_way(),
            _ => fork.at_rest(),
        };
        self.note(|| format!("damage {flips:?}: {verdict}"));
        self.tally.add(&fork.tally);
        self.tally.power_cuts += u64::from(crashed);
        for (kind, count) in fork.disk.faults() {
            *self.tally.faults.entry(kind).or_default() += count;
        }
        *self.tally.verdicts.entry(verdict).or_default() += 1;
    }

    /// A bit of a file flips while nobody looks, also while the log is open.
    fn at_rest(&mut self) -> (&'static str, Vec<Flip>) {
        let paths = self.disk.paths();
        let path = paths[self.chance.below(paths.len() as u64) as usize].clone();
        let bits = self.disk.bytes(&path).unwrap().len() as u64 * 8;
        if bits == 0 {
            return ("none", Vec::new());
        }
        let open = self.chance.below(4) == 0;
        if open {
            self.open(false);
        }
        if self.disk.bytes(&path).is_none_or(|bytes| bytes.is_empty()) {
            return ("none", Vec::new());
        }
        let bits = self.disk.bytes(&path).unwrap().len() as u64 * 8;
        let bit = self.chance.below(bits);
        let flips = vec![(path.clone(), bit / 8)];
        let idle = self.is_idle(&path, bit / 8);
        self.disk.flip(&path, bit);
        self.tally.flips_at_rest += 1;
        if open {
            self.examine_open(&flips);
        }
        let verdict = self.examine(&flips);
        assert!(
            verdict != "nothing lost" || idle || self.disk.bytes(&path).is_none(),
            "nobody told that byte {} of {} is wrong",
            bit / 8,
            path.display()
        );
        (verdict, flips)
    }

    /// A bit is wrong in something that is written.
    fn on_the_way(&mut self) -> (&'static str, Vec<Flip>) {
        self.open(false);
        self.disk.set_flipped_bit(self.chance.next() >> 16);
        let nth = 1 + self.chance.below(6);
        self.disk.fail(FaultKind::Flip, nth);
        for _ in 0..1 + self.chance.below(5) {
            match self.chance.below(5) {
                0 | 1 => self.commit_with_flips(),
                2 => self.bodies_with_flips(),
                _ => self.seal_with_flips(),
            }
        }
        self.disk.calm();
        let flips = self.disk.flips();
        if flips.is_empty() {
            return ("none", flips);
        }
        self.examine_open(&flips);
        (self.examine(&flips), flips)
    }

    /// Nobody notices yet what the disk gets wrong.
    fn commit_with_flips(&mut self) {
        let planned = self.disk.clone();
        self.keep_planned(&planned, |world| world.commit(false));
    }

    fn bodies_with_flips(&mut self) {
        let at = self.chance.below(self.plants.len() as u64) as usize;
        let (id, now) = (self.plants[at].id.clone(), self.plants[at].recorded_at());
        let store = self.store.as_ref().unwrap();
        self.deleted_before = self.deleted_before.max(now.plus(-1_000).0);
        store.seal_bodies(&id, now).unwrap();
        let deleted = store.expire_bodies(&id, 1_000, now).unwrap();
        self.note(|| format!("bodies: {deleted:?}"));
    }

    /// A segment or catalogue that is wrong does not take the place of what is right.
    fn seal_with_flips(&mut self) {
        // What a seal before was refused for lies about, and nothing names it.
        let before = self.disk.flips();
        let sealed = self.store.as_ref().unwrap().seal();
        let flips = self.disk.flips();
        let spoilt = |(path, _): &Flip| {
            let path = path.strip_prefix(DIR).unwrap();
            path.starts_with("log/sealed") || path.ends_with("catalogue")
        };
        match sealed {
            Ok(_) => {
                assert!(
                    !flips
                        .iter()
                        .any(|flip| spoilt(flip) && !before.contains(flip)),
                    "sealed with {flips:?}"
                );
            }
            Err(error) => told(&error, &flips),
        }
    }

    /// What is served while the log is open is right, or the damage is told.
    fn examine_open(&mut self, flips: &[Flip]) {
        let store = self.store.take().unwrap();
        for plant in &self.plants {
            for law in check::LAWS {
                law(&store, plant).unwrap_or_else(|error| told(&error, flips));
            }
            for _ in 0..2 {
                let looked = check::something(&store, plant, &mut self.chance);
                looked.unwrap_or_else(|error| told(&error, flips));
            }
        }
        self.bodies_told(&store, flips);
    }

    /// Opens the log anew and looks at all of it. Answers how the damage was told.
    fn examine(&mut self, flips: &[Flip]) -> &'static str {
        self.store = None;
        let before = self.contents();
        let disk = Arc::new(self.disk.restart());
        let opened = Segments::open(disk, Path::new(DIR), &self.options);
        let (store, report) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                told(&error, flips);
                assert_eq!(self.contents(), before, "a log that is refused was changed");
                return "refused";
            }
        };
        for cut in &report.cuts {
            at_place(&cut.file, Some(cut.offset), flips, &cut.what);
        }
        let mut plants = std::mem::take(&mut self.plants);
        for plant in &mut plants {
            let last = check::end_of(&store, plant).map_or(0, |end| end.last.get() as usize);
            assert!(
                last == plant.events.len() || (last >= plant.floor && !report.cuts.is_empty()),
                "{}: {last} of {}, of which {} were not in the last group: {report:?}",
                plant.id,
                plant.events.len(),
                plant.floor
            );
            cut_model(plant, last);
        }
        self.plants = plants;
        let mut verdict = match report.cuts.is_empty() {
            true => "nothing lost",
            false => "cut",
        };
        for plant in &self.plants {
            for law in check::LAWS {
                if let Err(error) = law(&store, plant) {
                    told(&error, flips);
                    verdict = "not served";
                }
            }
        }
        if let Err(error) = store.verify(&mut |_, _| {}) {
            told(&error, flips);
            if verdict == "nothing lost" {
                verdict = "verified";
            }
        }
        if self.bodies_told(&store, flips) {
            verdict = "body not served";
        }
        verdict
    }

    /// Whether a sample body is told to be wrong or gone; those that are served are right.
    fn bodies_told(&self, store: &Segments, flips: &[Flip]) -> bool {
        let mut any = false;
        for plant in &self.plants {
            for event in &plant.events {
                let Some((hash, body)) = &event.body else {
                    continue;
                };
                match store.body(&plant.id, *hash, event.recorded_at).unwrap() {
                    FoundBody::Present(found) => assert_eq!(*body, found),
                    FoundBody::Expired { .. } => {
                        assert!(event.recorded_at.0 < self.deleted_before);
                    }
                    FoundBody::Lost(_) if event.recorded_at.0 < self.unnoted_before => {}
                    FoundBody::Damaged(place) | FoundBody::Lost(place) => {
                        // The marks of what has expired may be what is wrong: then the place is the
                        // folder, or a file in it that lost its header and so may hold any body.
                        let file = Path::new(DIR).join(&place.file);
                        let near = |(path, _): &Flip| {
                            let marks = path.ends_with("expired.toml");
                            path.starts_with(&file) || (marks && file.parent() == path.parent())
                        };
                        let at = (&plant.id, event.recorded_at, self.deleted_before);
                        assert!(
                            flips.iter().any(near),
                            "{place} of {flips:?} {at:?} {:?}",
                            self.disk.paths()
                        );
                        any = true;
                    }
                }
            }
        }
        any
    }

    /// Whether a byte means nothing: in a draft, behind a void's header, or in a file of bodies where no
    /// body that an event names lies.
    fn is_idle(&self, path: &Path, at: u64) -> bool {
        let name = path.file_name().unwrap().to_str().unwrap();
        let inside = path.strip_prefix(DIR).unwrap();
        if name.ends_with(".new") || inside.starts_with("bodies") || name == "reserve" {
            return true;
        }
        let bytes = self.disk.bytes(path).unwrap();
        name.starts_with("wal-") && is_in_void(&bytes, at as usize)
    }

    /// Does something without forgetting the flip that is planned.
    fn keep_planned(&mut self, disk: &SimulatedDisk, act: impl FnOnce(&mut Self)) {
        let planned = disk.planned();
        act(self);
        if disk.flips().is_empty() {
            planned
                .into_iter()
                .for_each(|(kind, nth)| disk.fail(kind, nth));
        }
    }
}

/// An error names a file in which a bit is wrong, and no place behind it.
fn told(error: &StoreError, flips: &[Flip]) {
    let text = error.to_string();
    match error {
        StoreError::Damaged(damage) => at_place(&damage.file, Some(damage.offset), flips, &text),
        StoreError::Marker { path, .. } | StoreError::BodyFile { path, .. } => {
            at_place(path, None, flips, &text);
        }
        _ => panic!("{error:?} for {flips:?}"),
    }
}

fn at_place(file: &Path, offset: Option<u64>, flips: &[Flip], text: &str) {
    let here = |(path, at): &Flip| path == file && offset.unwrap_or(0) <= *at;
    assert!(flips.iter().any(here), "{text} for {flips:?}");
}

/// The plant as it is with fewer events.
pub(super) fn cut_model(plant: &mut PlantModel, last: usize) {
    if last < plant.events.len() {
        plant.tree = plant.tree_at(last as u64);
        plant.events.truncate(last);
        plant
            .positions
            .retain(|_, position| position.get() <= last as u64);
    }
}

/// Walks the pieces of a write-ahead file up to a byte.
fn is_in_void(bytes: &[u8], byte: usize) -> bool {
    let number = |at: usize, width: usize| {
        let mut field = [0; 8];
        field[..width].copy_from_slice(&bytes[at..at + width]);
        u64::from_le_bytes(field) as usize
    };
    let mut at = 64;
    while at + 40 <= bytes.len() {
        let void = bytes[at..].starts_with(b"WVOI");
        let length = match void {
            true => number(at + 24, 8),
            false => number(at + 8, 4) + number(at + 12, 4),
        };
        let next = at + length.next_multiple_of(8);
        if byte < next {
            return void && byte >= at + 40;
        }
        at = next;
    }
    false
}
