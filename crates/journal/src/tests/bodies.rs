//! Sample bodies: their files and lifetimes, what is said of those that are not there, power cuts.

use std::num::NonZeroU64;

use super::*;
use crate::disk::{Disk, FaultKind};

const FOLDER: &str = "/book/bodies/a";

/// Commits one event with its body for each position up to `last`.
fn fill(store: &dyn Store, plant: &mut Plant, last: u64) {
    while plant.last() < last {
        let mut proposal = plant.proposal(1);
        proposal.bodies = vec![plant.body(plant.last())];
        assert!(committed(&store.commit(vec![proposal]).unwrap()));
    }
}

fn open_small(disk: &SimulatedDisk) -> Segments {
    let disk = Arc::new(disk.clone());
    let (store, _) = Segments::open(disk, Path::new(DIR), &small_files()).unwrap();
    store
}

fn names(disk: &SimulatedDisk) -> Vec<String> {
    disk.list(Path::new(FOLDER)).unwrap()
}

fn file(generation: u64) -> std::path::PathBuf {
    Path::new(FOLDER).join(format!("bodies-{generation:010}.log"))
}

#[test]
fn a_file_is_laid_out_as_drawn() {
    let disk = SimulatedDisk::new();
    let mut plant = Plant::new("a");
    fill(&open_small(&disk), &mut plant, 1);
    let bytes = disk.bytes(&file(1)).unwrap();
    let (hash, body) = plant.body(1);
    let mut expected = Vec::from(*b"WBBF\x01\0\0\0\x01\0\0\0\0\0\0\0");
    // Nothing was recorded before.
    expected.extend((i64::MIN + 1).to_le_bytes());
    expected.extend(crc32c::crc32c(&expected).to_le_bytes());
    expected.extend([0; 4]);
    let header = expected.len();
    expected.extend(*b"WBBD");
    expected.extend((body.len() as u32).to_le_bytes());
    expected.extend(hash.as_bytes());
    expected.extend(crc32c::crc32c(&body).to_le_bytes());
    expected.extend(crc32c::crc32c(&expected[header..]).to_le_bytes());
    expected.extend_from_slice(&body);
    expected.resize(expected.len().next_multiple_of(8), 0);
    assert_eq!(bytes, expected);
}

#[test]
fn files_end_by_size_and_by_age() {
    for (bytes_max, span_ns, files) in [
        (u64::MAX, i64::MAX, 1),
        (1, i64::MAX, 30),
        (u64::MAX, 100, 3),
    ] {
        let disk = SimulatedDisk::new();
        let options = Options {
            body_file_bytes_max: bytes_max,
            body_file_span_ns: span_ns,
            ..Options::default()
        };
        let (store, _) = Segments::open(Arc::new(disk.clone()), Path::new(DIR), &options).unwrap();
        let mut plant = Plant::new("a");
        fill(&store, &mut plant, 30);
        assert_eq!(names(&disk).len(), files, "{bytes_max} {span_ns}");
    }
}

#[test]
fn the_same_body_of_a_later_event_lives_as_long_as_that_event_does() {
    let disk = SimulatedDisk::new();
    let store = open_small(&disk);
    let mut plant = Plant::new("a");
    let (hash, body) = plant.body(7);
    for _ in 1..=40 {
        let mut proposal = plant.proposal(1);
        proposal.bodies = vec![(hash, body.clone())];
        assert!(committed(&store.commit(vec![proposal]).unwrap()));
    }
    // One body in each file, whatever names it.
    let second = disk.bytes(&file(2)).unwrap();
    assert_eq!(second.len(), disk.bytes(&file(1)).unwrap().len());
    let found = |store: &Segments, position| {
        let found = store.body(&plant.id, hash, recorded_at(position)).unwrap();
        found.present().is_some()
    };
    let deleted = store.expire_bodies(&plant.id, 100, Timestamp(301)).unwrap();
    assert_eq!((deleted.files, deleted.bytes), (1, second.len() as u64));
    for store in [store, open_small(&disk.restart())] {
        assert!(!found(&store, 20) && found(&store, 21) && found(&store, 40));
    }
}

#[test]
fn each_reason_for_absence_is_told_apart() {
    let disk = SimulatedDisk::new();
    let mut plant = Plant::new("a");
    fill(&open_small(&disk), &mut plant, 80);
    let said = |store: &Segments, position| match plant.find_body(store, position).unwrap() {
        FoundBody::Present(_) => "present".to_owned(),
        FoundBody::Expired { lifetime_ns } => format!("expired {lifetime_ns}"),
        FoundBody::Lost(place) => {
            format!("lost {} {:?}", place.file.display(), place.offset.is_some())
        }
        FoundBody::Damaged(place) => {
            format!(
                "damaged {} {:?}",
                place.file.display(),
                place.offset.is_some()
            )
        }
    };
    let store = open_small(&disk.restart());
    store.expire_bodies(&plant.id, 100, Timestamp(301)).unwrap();
    // While the store is open: a file is deleted by hand, another is cut in its middle.
    disk.remove(&file(2)).unwrap();
    let third = disk.bytes(&file(3)).unwrap();
    disk.overwrite(&file(3), &third[..third.len() / 2]);
    let check = |store: &Segments, at: &str| {
        let told = [1, 21, 41, 60, 61].map(|position| said(store, position));
        let [expired, deleted, kept, cut, last] = told;
        assert_eq!(expired, "expired 100", "{at}");
        assert!(deleted.starts_with("lost bodies/a"), "{at}: {deleted}");
        assert_eq!(kept, "present", "{at}");
        assert!(
            cut.starts_with("lost bodies/a/bodies-0000000003.log"),
            "{at}: {cut}"
        );
        assert_eq!(last, "present", "{at}");
    };
    check(&store, "open");
    drop(store);
    let store = open_small(&disk.restart());
    check(&store, "opened again");
    // Each byte of an ended file and of the last one.
    disk.overwrite(&file(3), &third);
    drop(store);
    for generation in [3, 4] {
        let bytes = disk.bytes(&file(generation)).unwrap();
        for at in (0..bytes.len()).step_by(3) {
            let bad_disk = disk.copy();
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            bad_disk.overwrite(&file(generation), &bad);
            let store = open_small(&bad_disk);
            let told: Vec<_> = (41..=80).map(|position| said(&store, position)).collect();
            let absent: Vec<_> = told.iter().filter(|told| *told != "present").collect();
            assert!(absent.len() <= 1, "byte {at}: {absent:?}");
            let expected = format!("damaged bodies/a/bodies-{generation:010}.log");
            assert!(
                absent.iter().all(|told| told.starts_with(&expected)),
                "byte {at}: {absent:?}"
            );
        }
    }
}

#[test]
fn a_medium_that_cannot_be_read_is_damage_and_another_error_says_nothing() {
    let disk = SimulatedDisk::new();
    let store = open_small(&disk);
    let mut plant = Plant::new("a");
    fill(&store, &mut plant, 30);
    for position in [1, 30] {
        disk.fail(FaultKind::Read, 1);
        let found = plant.find_body(&store, position).unwrap();
        assert!(matches!(found, FoundBody::Damaged(_)), "{found:?}");
        assert!(plant.has_body(&store, position).unwrap());
    }
    disk.fail(FaultKind::Power, 1);
    let _ = disk.remove(&file(9));
    assert!(matches!(
        plant.find_body(&store, 1),
        Err(StoreError::Io { .. })
    ));
}

#[test]
fn the_file_of_the_first_layout_is_read_and_expires_like_the_others() {
    let disk = SimulatedDisk::new();
    let mut plant = Plant::new("a");
    fill(&open_small(&disk), &mut plant, 10);
    let first = disk.bytes(&file(1)).unwrap();
    disk.rename(&file(1), &Path::new(FOLDER).join("bodies.log"))
        .unwrap();
    disk.overwrite(&Path::new(FOLDER).join("bodies.log"), &first[32..]);
    let store = open_small(&disk.restart());
    assert!((1..=10).all(|position| plant.has_body(&store, position).unwrap()));
    fill(&store, &mut plant, 12);
    assert!((1..=12).all(|position| plant.has_body(&store, position).unwrap()));
    let deleted = store.expire_bodies(&plant.id, 100, Timestamp(201)).unwrap();
    assert_eq!(deleted.files, 1);
    assert_eq!(names(&disk), ["bodies-0000000001.log", "expired.toml"]);
}

#[test]
fn a_file_of_a_later_layout_is_refused() {
    let disk = SimulatedDisk::new();
    fill(&open_small(&disk), &mut Plant::new("a"), 2);
    let mut bytes = disk.bytes(&file(1)).unwrap();
    bytes[4] = 2;
    let crc = crc32c::crc32c(&bytes[..24]);
    bytes[24..28].copy_from_slice(&crc.to_le_bytes());
    disk.overwrite(&file(1), &bytes);
    let opened = Segments::open(Arc::new(disk.restart()), Path::new(DIR), &small_files());
    let error = opened.unwrap_err().to_string();
    assert!(
        error.contains("has version 2") && error.contains("bodies-0000000001"),
        "{error}"
    );
}

#[test]
fn a_full_disk_does_not_keep_from_making_room() {
    let disk = SimulatedDisk::new();
    let store = open_small(&disk);
    let mut plant = Plant::new("a");
    fill(&store, &mut plant, 30);
    disk.set_capacity(Some(0));
    let expire = || store.expire_bodies(&plant.id, 100, Timestamp(301)).unwrap();
    assert_eq!(expire().files, 1);
    assert_eq!(
        names(&disk),
        ["bodies-0000000002.log", "expired.toml.new"],
        "what has expired is gone, and could not be noted"
    );
    let expired = FoundBody::Expired { lifetime_ns: 100 };
    assert_eq!(plant.find_body(&store, 1).unwrap(), expired);
    disk.set_capacity(None);
    assert!(expire().is_nothing());
    let store = open_small(&disk.crash(1));
    assert_eq!(plant.find_body(&store, 1).unwrap(), expired);
}

#[test]
fn a_reader_deletes_nothing() {
    let disk = SimulatedDisk::new();
    let mut plant = Plant::new("a");
    fill(&open_small(&disk), &mut plant, 30);
    let before = names(&disk);
    let restarted = Arc::new(disk.restart());
    let (store, _) = Segments::open_read_only(restarted, Path::new(DIR), &small_files()).unwrap();
    assert!((1..=30).all(|position| plant.has_body(&store, position).unwrap()));
    let now = Timestamp(1_000_000);
    assert!(matches!(
        store.seal_bodies(&plant.id, now),
        Err(StoreError::ReadOnly { .. })
    ));
    let deleted = store.expire_bodies(&plant.id, 1, now);
    assert!(matches!(deleted, Err(StoreError::ReadOnly { .. })));
    assert_eq!(names(&disk), before);
}

/// A life of commits and deletions on a disk whose power goes at any operation.
#[derive(Debug)]
struct Works {
    plant: Plant,
    /// Up to which position commits were acknowledged, and which of them have bodies.
    acknowledged: u64,
    bodies: Vec<u64>,
    /// The latest time and the lifetimes at which something was to be deleted; each shorter one may
    /// have deleted what a longer one keeps.
    now: i64,
    deleted_before: i64,
    chance: u64,
    files: u64,
}

const LIFETIMES: [i64; 2] = [300, 700];

impl Works {
    fn below(&mut self, limit: u64) -> u64 {
        let limit = NonZeroU64::new(limit).unwrap();
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005);
        self.chance = self.chance.wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % limit
    }

    fn run(&mut self, disk: &SimulatedDisk, rounds: u64) -> Result<(), StoreError> {
        let mut store = self.open(disk)?;
        for _ in 0..rounds {
            match self.below(8) {
                0 => {
                    drop(store);
                    store = self.open(disk)?;
                }
                1 | 2 => self.expire(&store)?,
                _ => self.commit(&store)?,
            }
        }
        Ok(())
    }

    fn open(&mut self, disk: &SimulatedDisk) -> Result<Segments, StoreError> {
        let disk = Arc::new(disk.clone());
        let (store, _) = Segments::open(disk, Path::new(DIR), &small_files())?;
        self.acknowledged = try_served(&store, &self.plant, self.acknowledged)?;
        self.plant.resume(&store);
        self.check(&store)?;
        Ok(store)
    }

    fn commit(&mut self, store: &Segments) -> Result<(), StoreError> {
        let mut next = self.plant.clone();
        let mut proposal = next.proposal(1 + self.below(6));
        let last = next.last();
        let with_body = self.below(3) > 0;
        if with_body {
            proposal.bodies = vec![next.body(last)];
        }
        if committed(&store.commit(vec![proposal])?) {
            self.plant = next;
            self.acknowledged = last;
            self.bodies.extend(with_body.then_some(last));
            self.now = self.now.max(recorded_at(last).0);
        }
        Ok(())
    }

    fn expire(&mut self, store: &Segments) -> Result<(), StoreError> {
        self.now += self.below(80) as i64;
        let lifetime = LIFETIMES[self.below(2) as usize];
        let now = Timestamp(self.now);
        self.deleted_before = self.deleted_before.max(self.now - lifetime);
        store.seal_bodies(&self.plant.id, now)?;
        self.files += store.expire_bodies(&self.plant.id, lifetime, now)?.files;
        self.check(store)
    }

    /// What has not expired is there; what is not there has expired, and nothing else is said of it.
    fn check(&self, store: &Segments) -> Result<(), StoreError> {
        for position in &self.bodies {
            match self.plant.find_body(store, *position)? {
                FoundBody::Present(body) => assert_eq!(body, self.plant.body(*position).1),
                FoundBody::Expired { lifetime_ns } => {
                    assert!(LIFETIMES.contains(&lifetime_ns), "{lifetime_ns}");
                    let at = recorded_at(*position).0;
                    assert!(
                        at < self.deleted_before,
                        "{at} before {}",
                        self.deleted_before
                    );
                }
                other => panic!("{position}: {other:?}"),
            }
        }
        Ok(())
    }
}

#[test]
fn no_power_cut_deletes_what_lives_or_loses_what_was_deleted() {
    let mut files = 0;
    for seed in 0..400 {
        let mut works = Works {
            plant: Plant::new("a"),
            acknowledged: 0,
            bodies: Vec::new(),
            now: 0,
            deleted_before: i64::MIN,
            chance: seed,
            files: 0,
        };
        let mut disk = SimulatedDisk::new();
        for life in 0..6 {
            disk.fail(FaultKind::Power, 1 + works.below(120));
            let run = works.run(&disk, 40);
            let failed = matches!(
                run,
                Ok(()) | Err(StoreError::Io { .. } | StoreError::Stopped { .. })
            );
            assert!(failed, "seed {seed} life {life}: {run:?}");
            disk = disk.crash(seed * 10 + life);
        }
        let run = works.run(&disk, 20);
        run.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        files += works.files;
    }
    // The test must reach what it is about.
    eprintln!("{files} files deleted");
    assert!(files > 400, "{files} files");
}
