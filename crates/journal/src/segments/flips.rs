//! A flipped bit at every place of a log of a mebibyte: told with its place, and never served.
//!
//! Two ways lead to the same answer. [`through_a_full_reopen`] opens the whole log, reads all of it and
//! verifies it, at seeded places. [`through_the_verifier`] looks at every byte, and therefore only at
//! what the verifier would look at there: the piece of a write-ahead file, the segment, the catalogue or
//! the marker, each read anew from the disk by the code that the verifier runs. What that says is held
//! against a verification of the whole log at one place in some thousands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash, leaf_hash, sha256};
use werkbuch_record::block::BlockBuilder;

use super::sealed::{CATALOGUE, Catalogue, Segment, verify};
use super::wal::{self, FILE_HEADER_BYTES, FileHeader, Piece};
use super::{LOG, Options, Segments, Verified};
use crate::disk::{Chance, Disk, DiskFile, OpenMode, SimulatedDisk};
use crate::window::Window;
use crate::{FoundBody, Outcome, Proposal, Store, StoreError, marker};

const DIR: &str = "/book";
const BYTES: u64 = 1024 * 1024;
/// How much of the log is sealed.
const SEALED_BYTES: u64 = BYTES / 4;

/// A log, and what it must serve.
#[derive(Debug)]
struct Log {
    disk: SimulatedDisk,
    plants: BTreeMap<PlantId, Vec<Bytes>>,
    /// How many events each plant has before the last group.
    floors: BTreeMap<PlantId, usize>,
    bodies: Vec<(PlantId, Timestamp, Hash, Bytes)>,
    /// Every file with its length.
    files: Vec<(PathBuf, u64)>,
}

fn options() -> Options {
    Options {
        wal_bytes_max: 12 * 1024,
        seal: false,
        ..Options::default()
    }
}

fn recorded_at(position: u64) -> Timestamp {
    Timestamp(position as i64 * 10)
}

/// Noise, which compression cannot make smaller, beside text, which it can.
fn event(plant: &PlantId, position: u64) -> Bytes {
    let mut event = format!("{plant} {position} says ").into_bytes();
    for round in 0..position % 5 {
        event
            .extend_from_slice(sha256(format!("{plant} {position} {round}").as_bytes()).as_bytes());
    }
    event.into()
}

impl Log {
    /// Writes groups until the files have their length, and seals the first of them.
    fn new() -> Self {
        let disk = SimulatedDisk::new();
        let opened = Segments::open(Arc::new(disk.clone()), Path::new(DIR), &options());
        let (store, _) = opened.unwrap();
        let mut trees: BTreeMap<PlantId, CompactRange> = BTreeMap::new();
        let mut log = Self {
            disk,
            plants: BTreeMap::new(),
            floors: BTreeMap::new(),
            bodies: Vec::new(),
            files: Vec::new(),
        };
        let mut sealed = 0;
        for round in 0_u64.. {
            let mut group = Vec::new();
            for name in ["a", "bb"] {
                let plant = PlantId::new(name).unwrap();
                let tree = trees.entry(plant.clone()).or_default();
                group.push(log.block(plant, tree, round % 16 == 0));
            }
            let outcomes = store.commit(group).unwrap();
            let mut outcomes = outcomes.iter();
            assert!(outcomes.all(|outcome| matches!(outcome, Outcome::Committed { .. })));
            if round % 16 == 15 && sealed < SEALED_BYTES {
                store.seal().unwrap();
                sealed = log.length_of("log/sealed");
            }
            if round % 16 == 15 && log.length_of("") >= BYTES {
                break;
            }
        }
        let paths = log.disk.paths().into_iter();
        log.files = paths
            .map(|path| (path.clone(), log.disk.bytes(&path).unwrap().len() as u64))
            .collect();
        log
    }

    fn block(&mut self, plant: PlantId, tree: &mut CompactRange, with_body: bool) -> Proposal {
        let root = *tree.root().as_bytes();
        let first = Position(tree.size() + 1);
        let log_id = LogId([7; 16]);
        let mut block = BlockBuilder::new(log_id, plant.clone(), WriterEpoch(1), first, root);
        let events = self.plants.entry(plant.clone()).or_default();
        self.floors.insert(plant.clone(), events.len());
        for position in first.get()..first.get() + 12 {
            let (event, at) = (event(&plant, position), recorded_at(position));
            let (source, sequence) = (SourceNumber(1), Sequence(position ^ 1));
            block.push(&event, at, at, source, sequence).unwrap();
            tree.append(leaf_hash(&event));
            events.push(event);
        }
        let mut proposal = Proposal::new(block.finish(), tree.clone());
        if with_body {
            let body = event(&plant, first.get()).repeat(9);
            let (hash, body) = (sha256(&body), Bytes::from(body));
            let body = (plant, recorded_at(first.get()), hash, body);
            proposal.bodies = vec![(hash, body.3.clone())];
            self.bodies.push(body);
        }
        proposal
    }

    fn length_of(&self, inside: &str) -> u64 {
        let folder = Path::new(DIR).join(inside);
        let paths = self.disk.paths().into_iter();
        let inside = paths.filter(|path| path.starts_with(&folder));
        inside
            .filter_map(|path| Some(self.disk.bytes(&path)?.len() as u64))
            .sum()
    }

    /// The file and the byte in it at a place, counted through all files.
    fn place(&self, mut at: u64) -> (&Path, u64) {
        for (path, length) in &self.files {
            if at < *length {
                return (path, at);
            }
            at -= length;
        }
        panic!("the log ends before byte {at}");
    }

    fn length(&self) -> u64 {
        self.files.iter().map(|(_, length)| length).sum()
    }

    /// Opens the log on a disk of which one byte is wrong, reads and verifies all of it. Answers how
    /// that was told.
    fn judge(&self, disk: &SimulatedDisk, path: &Path, at: u64, read_only: bool) -> &'static str {
        let shared = Arc::new(disk.clone());
        let opened = match read_only {
            true => Segments::open_read_only(shared, Path::new(DIR), &options()),
            false => Segments::open(shared, Path::new(DIR), &options()),
        };
        let (store, report) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                check_place(&error, path, at);
                return "refused at the start";
            }
        };
        let mut verdict = None;
        for cut in &report.cuts {
            assert!(cut.file == path && cut.offset <= at, "{cut:?} for {at}");
            verdict = Some("cut and reported");
        }
        for (plant, events) in &self.plants {
            let end = store.ends().into_iter().find(|end| end.plant == *plant);
            let last = end.map_or(0, |end| end.last.get() as usize);
            let kept = last == events.len() || (verdict.is_some() && last >= self.floors[plant]);
            assert!(kept, "{plant}: {last} of {}", events.len());
            let mut next = 1;
            for block in store.read(plant, Position(1)).unwrap() {
                let block = match block {
                    Ok(block) => block,
                    Err(error) => {
                        check_place(&error, path, at);
                        verdict = Some("not served");
                        break;
                    }
                };
                for (position, event) in block.events() {
                    assert_eq!(position, Position(next));
                    assert_eq!(event, events[next as usize - 1], "{plant} {position}");
                    next += 1;
                }
            }
        }
        if verdict.is_none()
            && let Err(error) = store.verify(&mut |_, _| {})
        {
            check_place(&error, path, at);
            verdict = Some("found by the verifier");
        }
        for (plant, recorded_at, hash, body) in &self.bodies {
            match store.body(plant, *hash, *recorded_at).unwrap() {
                FoundBody::Present(found) => assert_eq!(*body, found),
                FoundBody::Damaged(place) => {
                    assert_eq!(Path::new(DIR).join(place.file), path);
                    verdict = Some("body not served");
                }
                other => panic!("byte {at} of {}: {other:?}", path.display()),
            }
        }
        // Headers of files of bodies and the zeros between bodies hold nothing that anybody asks for.
        let idle = path.starts_with(Path::new(DIR).join("bodies"));
        verdict
            .or(idle.then_some("between sample bodies"))
            .unwrap_or_else(|| panic!("nobody told that byte {at} of {} is wrong", path.display()))
    }
}

/// An error names the file, and no byte behind the wrong one.
fn check_place(error: &StoreError, path: &Path, at: u64) {
    let right = match error {
        StoreError::Damaged(damage) => damage.file == path && damage.offset <= at,
        StoreError::Marker { path: told, .. } => told == path,
        _ => false,
    };
    assert!(right, "{error} for byte {at} of {}", path.display());
}

/// Does something for each number below a limit, on all cores, each with a disk of its own.
fn on_all_cores<'l, T>(
    log: &'l Log,
    limit: u64,
    begin: impl Fn(SimulatedDisk) -> T + Sync,
    each: impl Fn(&mut T, u64) -> &'static str + Sync,
) -> BTreeMap<&'static str, u64>
where
    T: 'l,
{
    let (next, sum) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut state = begin(log.disk.copy());
                let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= limit {
                        break;
                    }
                    *counts.entry(each(&mut state, number)).or_default() += 1;
                }
                let mut sum = sum.lock().unwrap();
                for (verdict, count) in counts {
                    *sum.entry(verdict).or_default() += count;
                }
            });
        }
    });
    sum.into_inner().unwrap()
}

#[test]
fn through_a_full_reopen() {
    const PLACES: u64 = 4_096;
    let log = Log::new();
    let counts = on_all_cores(
        &log,
        PLACES,
        |disk| disk,
        |disk, number| {
            let mut chance = Chance::new(number);
            let (path, at) = log.place(chance.below(log.length()));
            let bit = at * 8 + chance.below(8);
            disk.flip(path, bit);
            let verdict = log.judge(disk, path, at, false);
            match verdict {
                // What was cut is cut.
                "cut and reported" => *disk = log.disk.copy(),
                _ => disk.flip(path, bit),
            }
            verdict
        },
    );
    eprintln!(
        "{PLACES} flipped bits in {} bytes, each through a full reopen: {counts:?}",
        log.length()
    );
    for verdict in [
        "refused at the start",
        "not served",
        "found by the verifier",
    ] {
        assert!(counts.contains_key(verdict), "{verdict}");
    }
}

/// What the verifier reads at a place of a file, and says of it.
enum Part {
    Marker,
    Catalogue,
    /// Where the pieces begin behind the header.
    Wal(u64, Arc<dyn DiskFile>, Vec<u64>),
    Segment(Arc<Segment>, CompactRange),
    /// Sample bodies, which the other test reads.
    Bodies,
}

/// The log as the verifier goes through it.
struct Parts {
    disk: SimulatedDisk,
    folder: LogId,
    parts: Vec<Part>,
}

impl Parts {
    fn new(log: &Log, disk: SimulatedDisk) -> Self {
        let opened = Segments::open_read_only(Arc::new(disk.clone()), Path::new(DIR), &options());
        let (store, _) = opened.unwrap();
        let mut segments = BTreeMap::new();
        for (plant, known) in &store.shared.index().plants {
            for segment in &known.sealed {
                let mut tree = CompactRange::new();
                let before = segment.bounds().first.get() as usize - 1;
                let events = log.plants[plant].iter().take(before);
                events.for_each(|event| tree.append(leaf_hash(event)));
                let segment = Arc::clone(segment);
                segments.insert(segment.path().to_owned(), (segment, tree));
            }
        }
        let mut parts = Vec::new();
        for (path, _) in &log.files {
            let name = path.file_name().unwrap().to_str().unwrap();
            let part = match (segments.remove(path), wal::generation_of(name)) {
                (Some((segment, tree)), _) => Part::Segment(segment, tree),
                (None, Some(generation)) => wal_part(&disk, path, generation),
                _ if name == CATALOGUE => Part::Catalogue,
                _ if name == marker::MARKER => Part::Marker,
                _ => Part::Bodies,
            };
            parts.push(part);
        }
        let folder = store.shared.folder_id;
        Self {
            disk,
            folder,
            parts,
        }
    }

    /// Reads anew what holds the byte, and answers by what the damage was seen.
    fn look(&self, file: usize, at: u64) -> &'static str {
        let damaged = match &self.parts[file] {
            Part::Marker => marker::read(&self.disk, Path::new(DIR)).is_err(),
            Part::Catalogue => {
                let log = Path::new(DIR).join(LOG);
                Catalogue::read(&self.disk, &log, self.folder).is_err()
            }
            Part::Wal(_, disk_file, _) if at < FILE_HEADER_BYTES as u64 => {
                let mut header = [0; FILE_HEADER_BYTES];
                disk_file.read_at(&mut header, 0).unwrap();
                FileHeader::decode(&header).is_none()
            }
            Part::Wal(generation, disk_file, pieces) => {
                let piece = pieces[pieces.partition_point(|piece| *piece <= at) - 1];
                let mut window = Window::new(&**disk_file).unwrap();
                let found = wal::piece_at(&mut window, *generation, piece);
                matches!(found.unwrap(), Piece::Bad(_))
            }
            Part::Segment(segment, tree) => {
                let (segment, verified) = (segment.unread(), &mut Verified::default());
                let found = verify(&segment, &mut tree.clone(), verified, &mut |_, _| Ok(()));
                let error = found.expect_err("a damaged segment verifies");
                check_place(&error, segment.path(), at);
                true
            }
            Part::Bodies => return "sample bodies",
        };
        assert!(damaged, "byte {at} of file {file} is not seen to be wrong");
        match &self.parts[file] {
            Part::Wal(..) => "write-ahead files",
            Part::Segment(..) => "segments",
            _ => "catalogue and marker",
        }
    }
}

fn wal_part(disk: &SimulatedDisk, path: &Path, generation: u64) -> Part {
    let file = disk.open(path, OpenMode::Read).unwrap();
    let mut pieces = Vec::new();
    let mut at = FILE_HEADER_BYTES as u64;
    let mut window = Window::new(&*file).unwrap();
    while let Piece::Block(block) = wal::piece_at(&mut window, generation, at).unwrap() {
        pieces.push(at);
        at += block.length;
    }
    assert_eq!(at, file.len().unwrap(), "{}", path.display());
    Part::Wal(generation, file, pieces)
}

#[test]
fn through_the_verifier() {
    let log = Log::new();
    let long = std::env::var("WERKBUCH_LONG").is_ok();
    // Every byte once; in the long run besides as many seeded places as a mebibyte has bytes.
    let places = if long {
        log.length() + BYTES
    } else {
        log.length()
    };
    let check = |parts: &mut Parts, number: u64| {
        let mut chance = Chance::new(number);
        let place = match number < log.length() {
            true => number,
            false => chance.below(log.length()),
        };
        let (path, at) = log.place(place);
        let file = log.files.iter().position(|(known, _)| known == path);
        let bit = at * 8 + chance.below(8);
        parts.disk.flip(path, bit);
        let seen = parts.look(file.unwrap(), at);
        if number.is_multiple_of(8_191) {
            let disk = parts.disk.copy();
            log.judge(&disk, path, at, true);
        }
        parts.disk.flip(path, bit);
        seen
    };
    let counts = on_all_cores(&log, places, |disk| Parts::new(&log, disk), check);
    eprintln!(
        "{places} flipped bits in {} bytes, each through the verifier: {counts:?}",
        log.length()
    );
    assert!(log.length() >= BYTES);
    assert!(counts["segments"] >= SEALED_BYTES / 2 && counts["write-ahead files"] >= BYTES / 2);
}
