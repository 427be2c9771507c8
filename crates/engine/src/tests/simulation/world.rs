//! An engine over a simulated disk, its sources, and what each step of a seed does to them.

use super::super::*;
use super::check::{Due, PlantModel, each, must_be_confirmed};
use crate::EngineError;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_journal::StoreError;
use werkbuch_journal::disk::{FaultKind, SimulatedDisk};

const YEAR_NS: i64 = 365 * 86_400 * SECOND_NS;
const KINDS: [FaultKind; 7] = [
    FaultKind::Write,
    FaultKind::ShortWrite,
    FaultKind::NoSpace,
    FaultKind::Sync,
    FaultKind::Slow,
    FaultKind::Read,
    FaultKind::Power,
];

/// What a seed has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    recorded: u64,
    repeated: u64,
    refused: u64,
    failed: u64,
    stopped: u64,
    jumps: u64,
    unconfirmed: u64,
    restarts: u64,
    crashes: u64,
    fenced: u64,
    positions: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        let sums = self.all().into_iter().zip(other.all());
        sums.for_each(|((_, mine), (_, theirs))| *mine += *theirs);
    }

    pub(super) fn counts(mut self) -> Vec<(&'static str, u64)> {
        self.all()
            .into_iter()
            .map(|(what, count)| (what, *count))
            .collect()
    }

    fn all(&mut self) -> [(&'static str, &mut u64); 11] {
        [
            ("recorded", &mut self.recorded),
            ("repeated", &mut self.repeated),
            ("refused", &mut self.refused),
            ("failed", &mut self.failed),
            ("stopped", &mut self.stopped),
            ("jumps", &mut self.jumps),
            ("unconfirmed", &mut self.unconfirmed),
            ("restarts", &mut self.restarts),
            ("crashes", &mut self.crashes),
            ("fenced", &mut self.fenced),
            ("positions", &mut self.positions),
        ]
    }
}

/// A source as it counts.
#[derive(Debug)]
struct Source {
    plant: usize,
    name: &'static str,
    opened: Option<OpenedSource>,
    /// A handle that was fenced.
    old: Option<u64>,
    next: u64,
    /// Numbers that were left out or refused, and may come later.
    late: BTreeSet<u64>,
}

pub(super) struct World {
    chance: u64,
    traced: bool,
    steps: u64,
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    disk: SimulatedDisk,
    engine: Engine,
    plants: Vec<PlantModel>,
    sources: Vec<Source>,
    tally: Tally,
    /// Whether the engine asked to be started again.
    stopped: bool,
    /// Whether the disk has a limit.
    full: bool,
    /// How many failures of the disk there had been when the engine was started.
    failures_before: u64,
}

impl World {
    pub(super) async fn new(seed: u64, traced: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        clock.pass(MORNING.nanos());
        let disk = SimulatedDisk::new();
        let engine = Engine::open(options(&folder, &clock, Some(&disk))).await;
        let names = ["P", "Q", "R"];
        let mut world = Self {
            chance: seed,
            traced,
            steps: 0,
            folder,
            clock,
            disk,
            engine: engine.unwrap(),
            plants: Vec::new(),
            sources: Vec::new(),
            tally: Tally::default(),
            stopped: false,
            full: false,
            failures_before: 0,
        };
        let count = 1 + world.below(3) as usize;
        for (at, id) in names.into_iter().enumerate().take(count) {
            let text = PLANT.replace("\"P\"", &format!("{id:?}"));
            world.engine.apply(apply(&text, false)).await.unwrap();
            world.plants.push(PlantModel::new(id));
            for name in ["gateway", "line"] {
                world.sources.push(Source {
                    plant: at,
                    name,
                    opened: None,
                    old: None,
                    next: 1,
                    late: BTreeSet::new(),
                });
            }
        }
        world.look();
        world
    }

    pub(super) async fn step(&mut self) {
        match self.below(100) {
            0..=59 => self.report().await,
            60..=66 => self.open_again().await,
            67..=78 => self.clock_goes(),
            79..=84 => self.fill().await,
            85..=91 => self.restart(false).await,
            92..=95 => self.restart(true).await,
            _ => self.report_fenced().await,
        }
        if self.disk.is_dead() || (self.stopped && self.below(3) > 0) {
            self.restart(true).await;
        }
    }

    /// In the end nothing fails any more.
    pub(super) async fn finish(mut self) -> Tally {
        self.restart(true).await;
        self.restart(false).await;
        self.engine.close().await.unwrap();
        let ends = self.plants.iter().map(|plant| plant.seen.get());
        self.tally.positions = ends.sum();
        self.tally
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        self.steps += 1;
        if self.traced {
            eprintln!("{:4} {}", self.steps, what());
        }
    }

    fn plant(&self, at: usize) -> Plant {
        self.engine.plant(&self.plants[at].id).unwrap()
    }

    /// Looks at what was recorded since the last time.
    fn look(&mut self) {
        for at in 0..self.plants.len() {
            let plant = self.plant(at);
            self.tally.jumps += self.plants[at].look(&plant);
        }
    }

    /// How many operations of the disk were answered with an error.
    fn failures(&self) -> u64 {
        let faults = self.disk.faults();
        let failures = faults.iter().filter(|(kind, _)| **kind != FaultKind::Slow);
        failures.map(|(_, count)| count).sum()
    }

    /// An error must be one that the disk or the clock explains.
    fn explained(&mut self, error: &EngineError, at: usize, failures: u64) {
        self.note(|| format!("answered: {error}"));
        let failed = self.failures() > failures || self.disk.is_dead();
        let faulty = failed || self.stopped || self.full;
        match error {
            EngineError::ClockUnconfirmed { jump, .. } => {
                let pending = self.plants[at].pending_ns;
                assert_eq!(jump.found.since(jump.expected), pending);
                assert!(must_be_confirmed(pending), "{error}");
                self.tally.unconfirmed += 1;
            }
            EngineError::Store(StoreError::Stopped { .. }) => {
                // A plant may stop while it forgets what failed, behind the answer.
                let troubled = self.failures() > self.failures_before;
                assert!(faulty || troubled, "stopped without a fault: {error}");
                self.tally.stopped += 1;
                self.stopped = true;
            }
            EngineError::Store(StoreError::Io { .. } | StoreError::DiskFull { .. }) => {
                assert!(faulty, "no fault explains: {error}");
                self.tally.failed += 1;
            }
            _ => panic!("not to be answered here: {error:?}"),
        }
    }

    /// The session of a source, which is opened if need be.
    async fn session(&mut self, at: usize) -> Option<(u64, werkbuch_model::id::SourceNumber)> {
        if let Some(opened) = &self.sources[at].opened {
            return Some((opened.session, opened.number));
        }
        // Once it has a life it resumes it.
        self.open_source(at).await;
        let opened = self.sources[at].opened.as_ref()?;
        Some((opened.session, opened.number))
    }

    async fn open_source(&mut self, at: usize) {
        let source = &self.sources[at];
        let (plant, failures) = (source.plant, self.failures());
        let request = OpenSource {
            source: SourceName::new(source.name).unwrap(),
            kind: SourceKind::Import,
            epoch: None,
            tolerance_ns: None,
            machines: vec!["m1".into()],
        };
        let id = self.plants[plant].id.clone();
        match self.engine.open_source(&id, request).await {
            Ok(opened) => {
                assert_eq!(opened.epoch, Epoch(1));
                let source = &mut self.sources[at];
                source.old = source.opened.take().map(|old| old.session).or(source.old);
                source.opened = Some(opened);
                self.look();
            }
            Err(error) => {
                self.explained(&error, plant, failures);
            }
        }
    }

    /// Somebody else opens the source, which fences the session before.
    async fn open_again(&mut self) {
        let at = self.below(self.sources.len() as u64) as usize;
        self.note(|| format!("source {at} is opened"));
        self.open_source(at).await;
    }

    async fn report_fenced(&mut self) {
        let at = self.below(self.sources.len() as u64) as usize;
        let Some(session) = self.sources[at].old else {
            return;
        };
        let batch = Batch {
            events: vec![Bytes::from(encode_reported(&event(1, 0, item("never"))))],
            bodies: Vec::new(),
        };
        let answer = self.engine.append(session, batch).await;
        let fenced = matches!(
            answer,
            Err(EngineError::SessionFenced { .. } | EngineError::UnknownSession)
        );
        assert!(fenced, "{answer:?}");
        self.tally.fenced += 1;
    }

    /// A batch of new numbers, gaps, late ones, repeats, and what must be refused.
    async fn report(&mut self) {
        let at = self.below(self.sources.len() as u64) as usize;
        let Some((session, number)) = self.session(at).await else {
            return;
        };
        let plant = self.sources[at].plant;
        let next = self.sources[at].next;
        let (mut events, mut due) = (Vec::new(), Vec::new());
        let mut staged: BTreeMap<u64, String> = BTreeMap::new();
        for _ in 0..1 + self.below(8) {
            let (sequence, text, machine, expected) = self.choose(at, number, &staged);
            if expected == Due::Recorded {
                staged.insert(sequence, text.clone());
            }
            let seconds = self.below(7_200) as i64 - 3_600;
            let said = Reported {
                machine: MachineNumber(machine),
                ..event(sequence, seconds, item(&text))
            };
            // A repeat must say the same: its times come from its number.
            let fixed = MORNING.plus(sequence as i64 * SECOND_NS);
            let said = Reported {
                occurred_at: fixed,
                observed_at: Some(fixed),
                ..said
            };
            events.push(Bytes::from(encode_reported(&said)));
            due.push((sequence, expected));
        }
        // What a failure before left to be forgotten may meet the fault first.
        let failures = self.failures();
        if self.below(4) == 0 {
            let kind = KINDS[self.below(KINDS.len() as u64) as usize];
            let nth = 1 + self.below(4);
            self.disk.fail(kind, nth);
        }
        let batch = Batch {
            events,
            bodies: Vec::new(),
        };
        let answer = self.engine.append(session, batch).await;
        self.note(|| format!("report of source {at}, {due:?}: {answer:?}"));
        if !self.disk.is_dead() {
            // Nothing more is to fail, nor the power to go.
            let _ = self.disk.restart();
        }
        match answer {
            Ok(appended) => {
                assert!(
                    !must_be_confirmed(self.plants[plant].pending_ns),
                    "not confirmed"
                );
                self.answered((plant, number), &due, &staged, &appended.outcomes);
                if !self.disk.is_dead() {
                    self.look();
                }
            }
            Err(error) => {
                self.explained(&error, plant, failures);
                self.sources[at].next = next;
                self.unanswered(at, number, staged);
                if matches!(error, EngineError::ClockUnconfirmed { .. }) {
                    self.confirm(plant).await;
                }
            }
        }
    }

    /// Without an answer it may be there all the same, as where a repeat behind it could not be compared.
    fn unanswered(
        &mut self,
        at: usize,
        number: werkbuch_model::id::SourceNumber,
        staged: BTreeMap<u64, String>,
    ) {
        let plant = self.sources[at].plant;
        let doubt = staged.into_iter().map(|(n, text)| ((number, n), text));
        self.plants[plant].doubt.extend(doubt);
        if !self.stopped && !self.disk.is_dead() {
            self.look();
            self.plants[plant].doubt.clear();
            self.recount(at, number);
        }
    }

    /// The next event of a source: its number, text and machine, and what must become of it.
    fn choose(
        &mut self,
        at: usize,
        number: werkbuch_model::id::SourceNumber,
        staged: &BTreeMap<u64, String>,
    ) -> (u64, String, u32, Due) {
        let plant = self.sources[at].plant;
        let text = |n: u64| format!("{plant} {} {n}", number.get());
        let kind = self.below(12);
        let known: Vec<_> = {
            let known = self.plants[plant]
                .known
                .range((number, 0)..=(number, u64::MAX));
            known
                .map(|((_, n), (_, position))| (*n, *position))
                .collect()
        };
        if kind < 2 && !known.is_empty() {
            let (n, position) = known[self.below(known.len() as u64) as usize];
            return match kind {
                0 => (n, text(n), 1, Due::Repeated(position)),
                _ => (
                    n,
                    "other".into(),
                    1,
                    Due::Refused(RefusalReason::ContentChanged),
                ),
            };
        }
        if kind == 2 && !staged.is_empty() {
            let nth = self.below(staged.len() as u64) as usize;
            let n = *staged.keys().nth(nth).unwrap();
            return (n, text(n), 1, Due::RepeatedWithin);
        }
        let late = self.sources[at].late.clone();
        if kind == 3 && !late.is_empty() {
            let nth = self.below(late.len() as u64) as usize;
            let n = *late.iter().nth(nth).unwrap();
            self.sources[at].late.remove(&n);
            return (n, text(n), 1, Due::Recorded);
        }
        if kind == 4 {
            return (
                0,
                "nothing".into(),
                1,
                Due::Refused(RefusalReason::SequenceZero),
            );
        }
        let gap = if kind == 5 { self.below(3) } else { 0 };
        let source = &mut self.sources[at];
        for _ in 0..gap {
            source.late.insert(source.next);
            source.next += 1;
        }
        let n = source.next;
        source.next += 1;
        if kind == 6 {
            // It may come again with a machine that there is.
            source.late.insert(n);
            return (n, text(n), 99, Due::Refused(RefusalReason::UnknownMachine));
        }
        (n, text(n), 1, Due::Recorded)
    }

    fn answered(
        &mut self,
        (plant, number): (usize, werkbuch_model::id::SourceNumber),
        due: &[(u64, Due)],
        staged: &BTreeMap<u64, String>,
        outcomes: &[crate::Outcome],
    ) {
        let outcomes = each(outcomes);
        assert_eq!(outcomes.len(), due.len(), "{outcomes:?}");
        for ((sequence, expected), (answered, result)) in due.iter().zip(outcomes) {
            assert_eq!(*sequence, answered);
            let model = &mut self.plants[plant];
            match (expected, result) {
                (Due::Recorded, OutcomeResult::Recorded(position)) => {
                    assert!(position > model.seen, "{position}");
                    let said = (staged[sequence].clone(), position);
                    model.known.insert((number, *sequence), said);
                    self.tally.recorded += 1;
                }
                (Due::Repeated(position), OutcomeResult::Repeated(found)) => {
                    assert_eq!(*position, found);
                    self.tally.repeated += 1;
                }
                (Due::RepeatedWithin, OutcomeResult::Repeated(found)) => {
                    assert_eq!(model.known[&(number, *sequence)].1, found);
                    self.tally.repeated += 1;
                }
                (Due::Refused(reason), OutcomeResult::Refused(refusal)) => {
                    assert_eq!(*reason, refusal.reason);
                    self.tally.refused += 1;
                }
                (expected, result) => panic!("{sequence}: {result:?} instead of {expected:?}"),
            }
        }
    }

    async fn confirm(&mut self, at: usize) {
        let id = self.plants[at].id.clone();
        let failures = self.failures();
        self.note(|| format!("the clock of {id} is confirmed"));
        match self.engine.confirm_clock(&id).await {
            Ok(position) => {
                assert!(position.get() > 0);
                self.look();
                assert_eq!(self.plants[at].pending_ns, 0);
            }
            Err(error) => {
                self.explained(&error, at, failures);
            }
        }
    }

    /// Time passes, and the wall clock jumps besides.
    fn clock_goes(&mut self) {
        let passed = self.below(60 * SECOND_NS as u64) as i64;
        self.clock.pass(passed);
        let jumps = [
            SECOND_NS / 3,
            -SECOND_NS / 3,
            90 * SECOND_NS,
            -90 * SECOND_NS,
            2 * 3_600 * SECOND_NS,
            -YEAR_NS,
            YEAR_NS,
        ];
        let jump = jumps[self.below(jumps.len() as u64) as usize];
        self.clock.jump(jump);
        for plant in &mut self.plants {
            plant.pending_ns += jump;
        }
        self.note(|| format!("{passed} ns pass, and the wall clock jumps by {jump} ns"));
    }

    /// The disk is full for a while, and service goes on without a restart.
    async fn fill(&mut self) {
        let paths = self.disk.paths().into_iter();
        let used: usize = paths
            .filter_map(|path| Some(self.disk.bytes(&path)?.len()))
            .sum();
        let room = self.below(2_000);
        self.disk.set_capacity(Some(used as u64 + room));
        self.full = true;
        self.note(|| format!("{room} bytes are free"));
        for _ in 0..2 {
            self.report().await;
        }
        self.disk.set_capacity(None);
        self.full = false;
    }

    /// Starts again: in good order, or after the process was killed or the power went.
    async fn restart(&mut self, killed: bool) {
        let killed = killed || self.stopped || self.disk.is_dead();
        let snapshots = self.folder.path().join("snapshots");
        let saved = self.folder.path().join("saved");
        if killed {
            let seed = self.below(u64::MAX);
            let after = match self.below(3) {
                // Only the process ends.
                0 if !self.disk.is_dead() && !self.stopped => self.disk.copy(),
                _ => self.disk.crash(seed),
            };
            // What a killed engine would not have done: its threads end, and write to nothing any more.
            std::fs::rename(&snapshots, &saved).ok();
            self.disk.fail(FaultKind::Power, 1);
            self.engine.close().await.ok();
            std::fs::remove_dir_all(&snapshots).ok();
            std::fs::rename(&saved, &snapshots).ok();
            self.disk = after;
            self.tally.crashes += 1;
        } else {
            self.engine.close().await.unwrap();
            self.disk = self.disk.restart();
        }
        if self.below(3) == 0 {
            std::fs::remove_dir_all(&snapshots).ok();
        }
        self.note(|| format!("starts again, killed: {killed}"));
        let opened = Engine::open(options(&self.folder, &self.clock, Some(&self.disk))).await;
        self.engine = opened.unwrap_or_else(|error| panic!("not opened: {error}"));
        self.tally.restarts += 1;
        self.failures_before = self.failures();
        self.stopped = false;
        for at in 0..self.plants.len() {
            let plant = self.plant(at);
            // Time between runs is no jump.
            self.plants[at].pending_ns = 0;
            self.plants[at].everything(&plant);
        }
        for source in &mut self.sources {
            source.old = source.opened.take().map(|old| old.session).or(source.old);
        }
        self.resume_sources().await;
    }

    /// What was in doubt and is there is not sent again as new.
    async fn resume_sources(&mut self) {
        for at in 0..self.sources.len() {
            let Some((_, number)) = self.session(at).await else {
                continue;
            };
            self.recount(at, number);
        }
    }

    /// A source goes on behind what is there; numbers before that are not there come late, if at all.
    fn recount(&mut self, at: usize, number: werkbuch_model::id::SourceNumber) {
        let known = &self.plants[self.sources[at].plant].known;
        let known: BTreeSet<u64> = known
            .range((number, 0)..=(number, u64::MAX))
            .map(|((_, n), _)| *n)
            .collect();
        let source = &mut self.sources[at];
        let opened = source.opened.as_ref();
        let told = opened.map_or(1, |opened| opened.next_sequence.get());
        let last = known.last().map_or(0, |last| *last);
        source.next = source.next.max(told).max(last + 1);
        source.late = (1..source.next).filter(|n| !known.contains(n)).collect();
    }
}
