//! A disk, a log on it, and what the log must hold: where one seed leads step by step.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::*;
use super::check;
use super::model::PlantModel;
use super::tally::Tally;
use crate::Trusted;
use crate::disk::{Chance, FaultKind};

/// 2026-11-22T06:00:00Z.
const MORNING_NS: i64 = 1_795_327_200_000_000_000;

/// Every fault that an operation answers with an error, and the one that makes it slow.
const KINDS: [FaultKind; 11] = [
    FaultKind::Read,
    FaultKind::Write,
    FaultKind::ShortWrite,
    FaultKind::NoSpace,
    FaultKind::SetLength,
    FaultKind::Sync,
    FaultKind::SyncFolder,
    FaultKind::Create,
    FaultKind::Rename,
    FaultKind::Remove,
    FaultKind::Slow,
];

/// Whether the log was closed in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Yes,
    No,
    Unknown,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) disk: SimulatedDisk,
    pub(super) store: Option<Segments>,
    pub(super) plants: Vec<PlantModel>,
    pub(super) chance: Chance,
    pub(super) options: Options,
    /// How far the wall clock has been set forward.
    pub(super) jumped_ns: i64,
    /// The number of the last group.
    pub(super) group: u64,
    pub(super) closed: Closed,
    /// Whether an operation failed since the log was opened, so that it may ask to be opened again.
    pub(super) troubled: bool,
    /// Whether it has asked.
    pub(super) stopped: bool,
    /// Whether the disk has a limit.
    pub(super) full: bool,
    /// Before which time sample bodies may be gone.
    pub(super) deleted_before: i64,
    /// Before which time they may be said to be lost, because a full disk kept it from being noted that
    /// they were deleted.
    pub(super) unnoted_before: i64,
    pub(super) tally: Tally,
    /// Whether each step is told.
    pub(super) traced: bool,
}

impl World {
    pub(super) fn new(seed: u64, traced: bool) -> Self {
        let mut chance = Chance::new(seed);
        let plants = &["a", "bb", "ccc"][..1 + chance.below(3) as usize];
        let options = Options {
            wal_bytes_max: [600, 2_000, 6_000, 20_000][chance.below(4) as usize],
            body_file_bytes_max: [2_000, 1 << 20][chance.below(2) as usize],
            body_file_span_ns: [50_000_000, 1 << 50][chance.below(2) as usize],
            seal: false,
            ..Options::default()
        };
        Self {
            disk: SimulatedDisk::new(),
            store: None,
            plants: plants.iter().map(|name| PlantModel::new(name)).collect(),
            chance,
            options,
            jumped_ns: 0,
            group: 0,
            closed: Closed::No,
            troubled: false,
            stopped: false,
            full: false,
            deleted_before: i64::MIN,
            unnoted_before: i64::MIN,
            tally: Tally::default(),
            traced,
        }
    }

    /// Another future from here on: a disk of its own, on which the log is not open.
    pub(super) fn fork(&mut self, disk: SimulatedDisk) -> Self {
        Self {
            disk,
            store: None,
            plants: self.plants.clone(),
            chance: Chance::new(self.chance.next()),
            options: self.options.clone(),
            tally: Tally::default(),
            full: false,
            ..*self
        }
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        self.tally.steps += 1;
        if self.traced {
            eprintln!("{:5} {}", self.tally.steps, what());
        }
    }

    pub(super) fn wall(&self) -> Timestamp {
        Timestamp(MORNING_NS + self.jumped_ns + self.disk.elapsed_ns())
    }

    /// Lets some operations fail that come soon.
    pub(super) fn arm(&mut self, often: u64, nth_max: u64) {
        if self.chance.below(8) >= often {
            return;
        }
        for _ in 0..1 + self.chance.below(2) {
            let kind = KINDS[self.chance.below(KINDS.len() as u64) as usize];
            let nth = 1 + self.chance.below(nth_max);
            self.disk.fail(kind, nth);
        }
    }

    /// How many operations have been answered with an error for no fault of their own.
    pub(super) fn failures(&self) -> u64 {
        let faults = self.disk.faults();
        let harmless = [FaultKind::Slow, FaultKind::Flip];
        let failures = faults.iter().filter(|(kind, _)| !harmless.contains(kind));
        failures.map(|(_, count)| count).sum()
    }

    /// Whether an error may have come since there were so many failures.
    pub(super) fn excused(&mut self, failures: u64) -> bool {
        let excused = self.failures() > failures || self.full || self.disk.is_dead();
        self.troubled |= excused;
        self.disk.calm();
        excused
    }

    /// An error of an operation must be one that the disk explains, and say what to do.
    pub(super) fn allowed(&mut self, error: &StoreError, excused: bool) {
        match error {
            StoreError::Io { .. } | StoreError::DiskFull { .. } => {
                assert!(excused, "no fault explains: {error}");
            }
            StoreError::Stopped { .. } => {
                assert!(self.troubled, "stopped without a fault: {error}");
                self.stopped = true;
            }
            _ => panic!("not to be answered here: {error:?}"),
        }
    }

    /// Opens the log, over faults if `armed`, and holds what is there against the model.
    pub(super) fn open(&mut self, armed: bool) {
        self.store = None;
        for attempt in 0.. {
            let options = self.opening();
            if armed && attempt < 3 {
                self.arm(5, 10);
            }
            let failures = self.failures();
            let disk = Arc::new(self.disk.clone());
            let opened = Segments::open(disk, Path::new(DIR), &options);
            let excused = self.excused(failures);
            match opened {
                // What was no longer needed for the opening was what the power went at.
                Ok(_) if self.disk.is_dead() => self.power_is_back(),
                Ok((store, report)) => {
                    self.note(|| format!("opened: {report:?}"));
                    self.store = Some(store);
                    self.begin_life(&report);
                    return;
                }
                Err(error) => {
                    self.note(|| format!("not opened: {error}"));
                    assert!(
                        excused && attempt < 9,
                        "{error} (attempt {attempt}, {excused})"
                    );
                    assert!(
                        matches!(error, StoreError::Io { .. } | StoreError::DiskFull { .. }),
                        "a fault that passes looks like damage: {error}"
                    );
                    self.room_again();
                    if self.disk.is_dead() {
                        self.power_is_back();
                    } else {
                        self.disk = self.disk.restart();
                    }
                }
            }
        }
    }

    /// How the log is opened: sometimes with what snapshots would vouch for.
    fn opening(&mut self) -> Options {
        let mut options = self.options.clone();
        let known = self.plants.iter().filter(|plant| plant.last() > 0);
        let floors = known.map(|plant| (plant.id.clone(), Position(plant.last())));
        if self.chance.below(2) == 0 {
            options.floors = floors.collect();
        }
        let at = self.chance.below(8) as usize;
        if let Some(plant) = self.plants.get(at).filter(|plant| plant.last() > 0) {
            let position = 1 + self.chance.below(plant.last());
            options.trusted = vec![Trusted {
                plant: plant.id.clone(),
                position: Position(position),
                tree: plant.tree_at(position),
            }];
        }
        options
    }

    /// What was in doubt is there or not, block by block; everything else is there.
    fn begin_life(&mut self, report: &RecoveryReport) {
        let store = self.store.take().unwrap();
        (self.troubled, self.stopped) = (false, false);
        let before: Vec<_> = self.plants.iter().map(|plant| plant.events.len()).collect();
        let mut in_doubt = false;
        for plant in &mut self.plants {
            let end = check::end_of(&store, plant);
            let last = end.as_ref().map_or(0, |end| end.last.get());
            assert!(
                last >= plant.last(),
                "{}: {last} events of {} that were acknowledged",
                plant.id,
                plant.last()
            );
            let mut blocks = std::mem::take(&mut plant.doubt).into_iter();
            while last > plant.last() {
                let block = blocks.next().unwrap_or_default();
                assert!(!block.is_empty(), "{}: {last} events", plant.id);
                plant.keep(vec![block]);
                in_doubt = true;
            }
            assert_eq!(last, plant.last(), "{}: half a block", plant.id);
            // What is not there is sent again, late.
            for event in blocks.flatten() {
                plant.sources[event.source.get() as usize - 1].resend(event.sequence.get());
            }
            plant.log_epoch = end.map_or(plant.log_epoch, |end| end.epoch);
            // Now and then another writer takes over.
            if self.chance.below(6) == 0 {
                plant.epoch = WriterEpoch(plant.epoch.get() + 1);
            }
        }
        if in_doubt {
            for (plant, floor) in self.plants.iter_mut().zip(before) {
                plant.floor = floor;
            }
        }
        match self.closed {
            Closed::Yes => assert!(report.closed, "{report:?}"),
            Closed::No => assert!(!report.closed, "{report:?}"),
            Closed::Unknown => {}
        }
        self.closed = if report.closed {
            Closed::Yes
        } else {
            Closed::No
        };
        for (plant, kept) in report.cuts.iter().flat_map(|cut| &cut.plants) {
            let end = store.ends().into_iter().find(|end| end.plant == *plant);
            assert_eq!(*kept, end.map_or(Position(0), |end| end.last), "{plant}");
        }
        self.tally.cuts += report.cuts.len() as u64;
        self.tally.openings += 1;
        for plant in &self.plants {
            check::everything(&store, plant).unwrap();
        }
        self.store = Some(store);
        self.check_bodies();
    }

    /// What of the sample bodies has not expired is there.
    pub(super) fn check_bodies(&self) {
        let store = self.store.as_ref().unwrap();
        for plant in &self.plants {
            for event in &plant.events {
                let Some((hash, body)) = &event.body else {
                    continue;
                };
                match store.body(&plant.id, *hash, event.recorded_at).unwrap() {
                    FoundBody::Present(found) => assert_eq!(*body, found),
                    FoundBody::Expired { .. } => {
                        assert!(event.recorded_at.0 < self.deleted_before, "{}", plant.id);
                    }
                    FoundBody::Lost(_) if event.recorded_at.0 < self.unnoted_before => {}
                    other => panic!("{} {:?}: {other:?}", plant.id, event.recorded_at),
                }
            }
        }
    }

    /// The disk has room again.
    pub(super) fn room_again(&mut self) {
        self.full = false;
        self.disk.set_capacity(None);
    }

    /// The machine starts again after a power cut.
    pub(super) fn power_is_back(&mut self) {
        self.store = None;
        self.disk = self.disk.crash(self.chance.next());
        self.tally.power_cuts += 1;
        self.room_again();
        if self.chance.below(4) == 0 {
            let nth = 1 + self.chance.below(12);
            self.disk.fail(FaultKind::Power, nth);
        }
    }

    /// Every file with its bytes.
    pub(super) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let paths = self.disk.paths().into_iter();
        paths
            .filter_map(|path| Some((path.clone(), self.disk.bytes(&path)?)))
            .collect()
    }
}
