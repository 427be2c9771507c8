//! The plan of work and of faults: what each step of a seed does, and what must be answered.

use super::super::*;
use super::check;
use super::model::{Draft, Event, PlantModel, SOURCES, Source};
use super::world::{Closed, World};
use crate::disk::{Chance, FaultKind};

const YEAR_NS: i64 = 365 * 86_400_000_000_000;
const LIFETIMES_NS: [i64; 2] = [2_000_000_000, 90_000_000_000];

/// A plant while a group is being made: as it will be if the group is committed.
pub(super) struct Stage {
    pub(super) plant: usize,
    pub(super) last: u64,
    pub(super) recorded_at: Timestamp,
    pub(super) tree: CompactRange,
    pub(super) sources: Vec<Source>,
    pub(super) blocks: Vec<Vec<Event>>,
}

/// The next blocks of some plants, with the plants as they will be.
pub(super) fn group(
    plants: &[PlantModel],
    chance: &mut Chance,
    wall: Timestamp,
) -> (Vec<Stage>, Vec<Proposal>) {
    let (mut stages, mut group): (Vec<Stage>, _) = (Vec::new(), Vec::new());
    let blocks = [1, 1, 1, 2, 2, 3, 7][chance.below(7) as usize];
    for _ in 0..blocks {
        let at = chance.below(plants.len() as u64) as usize;
        let known = stages.iter().position(|stage| stage.plant == at);
        let stage = known.unwrap_or_else(|| {
            let plant = &plants[at];
            stages.push(Stage {
                plant: at,
                last: plant.last(),
                recorded_at: plant.recorded_at(),
                tree: plant.tree.clone(),
                sources: plant.sources.clone(),
                blocks: Vec::new(),
            });
            stages.len() - 1
        });
        group.push(block(plants, &mut stages[stage], chance, wall));
    }
    (stages, group)
}

fn block(
    plants: &[PlantModel],
    stage: &mut Stage,
    chance: &mut Chance,
    wall: Timestamp,
) -> Proposal {
    let plant = &plants[stage.plant];
    let (first, root) = (Position(stage.last + 1), *stage.tree.root().as_bytes());
    let (id, epoch) = (plant.id.clone(), plant.epoch);
    let mut block = BlockBuilder::new(plant.log_id, id, epoch, first, root);
    let (mut events, mut bodies) = (Vec::new(), Vec::new());
    while events.is_empty() || chance.below(3) == 0 {
        let source = 1 + chance.below(u64::from(SOURCES)) as u32;
        let count = [1, 1, 2, 3, 7][chance.below(5) as usize];
        let sources = &mut stage.sources[source as usize - 1];
        for sequence in sources.report(chance, count) {
            stage.last += 1;
            stage.recorded_at = wall.max(stage.recorded_at.plus(1));
            let draft = Draft {
                position: stage.last,
                recorded_at: stage.recorded_at,
                effective_at: stage.recorded_at.plus(-(chance.below(99) as i64)),
                source,
                sequence,
            };
            let event = draft.event(&plant.id);
            let (at, number) = (event.recorded_at, (event.source, event.sequence));
            let pushed = block.push(&event.bytes, at, draft.effective_at, number.0, number.1);
            pushed.unwrap();
            stage.tree.append(leaf_hash(&event.bytes));
            bodies.extend(event.body.clone());
            events.push(event);
        }
    }
    stage.blocks.push(events);
    Proposal {
        bodies,
        ..Proposal::new(block.finish(), stage.tree.clone())
    }
}

impl World {
    /// Makes a step, and whatever follows from it.
    pub(super) fn step(&mut self) {
        match self.chance.below(100) {
            0..=49 => self.commit(true),
            50..=58 => self.seal(true),
            59..=67 => self.read(),
            68..=72 => self.open(true),
            73..=76 => self.close(),
            77..=82 => {
                let nth = 1 + self.chance.below(16);
                self.disk.fail(FaultKind::Power, nth);
            }
            83..=87 => self.bodies(true),
            88..=90 => self.jump(),
            91..=93 => self.fill(),
            _ => self.damage(),
        }
        if self.disk.is_dead() {
            self.power_is_back();
            self.open(true);
        } else if self.store.is_none() || (self.stopped && self.chance.below(3) > 0) {
            self.open(true);
        }
        if self.full && self.chance.below(4) == 0 {
            self.room_again();
        }
        let store = self.store.as_ref().unwrap();
        for plant in &self.plants {
            check::something(store, plant, &mut self.chance).unwrap();
        }
    }

    /// Commits a group of blocks of some plants.
    pub(super) fn commit(&mut self, armed: bool) {
        if self.chance.below(20) == 0 {
            self.propose_wrongly();
        }
        let (stages, group) = self.group();
        let failures = self.failures();
        if armed {
            self.arm(6, 3);
        }
        let result = self.store.as_ref().unwrap().commit(group.clone());
        let excused = self.excused(failures);
        self.note(|| format!("commit of {} blocks: {result:?}", group.len()));
        match result {
            Ok(outcomes) if committed(&outcomes) => self.acknowledged(stages, &group, &outcomes),
            Ok(outcomes) => {
                let unknown = outcomes.iter().all(|o| *o == Outcome::Unknown);
                assert!(unknown && excused, "{outcomes:?}");
                (self.stopped, self.closed) = (true, Closed::Unknown);
                self.tally.unknown += 1;
                for stage in stages {
                    let plant = &mut self.plants[stage.plant];
                    (plant.sources, plant.doubt) = (stage.sources, stage.blocks);
                }
                let again = self.store.as_ref().unwrap().commit(group);
                assert!(
                    matches!(again, Err(StoreError::Stopped { .. })),
                    "{again:?}"
                );
            }
            Err(error) => {
                self.allowed(&error, excused);
            }
        }
    }

    fn acknowledged(&mut self, stages: Vec<Stage>, group: &[Proposal], outcomes: &[Outcome]) {
        for (proposal, outcome) in group.iter().zip(outcomes) {
            let Outcome::Committed { group, last } = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(*last, proposal.block.header().last());
            assert!(*group > self.group, "{group} behind {}", self.group);
        }
        if let Some(Outcome::Committed { group, .. }) = outcomes.first() {
            self.group = *group;
        }
        self.closed = Closed::No;
        self.tally.groups += 1;
        for plant in &mut self.plants {
            plant.floor = plant.events.len();
        }
        for stage in stages {
            let plant = &mut self.plants[stage.plant];
            self.tally.events += stage.last - plant.last();
            plant.sources = stage.sources;
            plant.log_epoch = plant.epoch;
            plant.keep(stage.blocks);
        }
    }

    /// The next blocks of some plants, with the plants as they will be.
    fn group(&mut self) -> (Vec<Stage>, Vec<Proposal>) {
        let wall = self.wall();
        group(&self.plants, &mut self.chance, wall)
    }

    /// A block that is not the next one, or of a writer that was taken over from.
    fn propose_wrongly(&mut self) {
        let at = self.chance.below(self.plants.len() as u64) as usize;
        let plant = &self.plants[at];
        let old = plant.log_epoch > WriterEpoch(1) && self.chance.below(2) == 0;
        let (epoch, first) = match old {
            true => (WriterEpoch(1), plant.last() + 1),
            false => (plant.epoch, plant.last() + 2),
        };
        let root = *plant.tree.root().as_bytes();
        let id = plant.id.clone();
        let mut block = BlockBuilder::new(plant.log_id, id, epoch, Position(first), root);
        let at = plant.recorded_at().plus(1);
        let none = (SourceNumber(0), Sequence(0));
        block.push(b"never", at, at, none.0, none.1).unwrap();
        let expected = match old {
            true => Outcome::Fenced {
                epoch: plant.log_epoch,
            },
            false => Outcome::WrongPosition {
                last: Position(plant.last()),
            },
        };
        let proposal = Proposal::new(block.finish(), plant.tree.clone());
        match self.store.as_ref().unwrap().commit(vec![proposal]) {
            Ok(outcomes) => assert_eq!(outcomes, [expected]),
            Err(error) => self.allowed(&error, false),
        }
    }

    /// Seals what is full.
    pub(super) fn seal(&mut self, armed: bool) {
        let failures = self.failures();
        if armed {
            self.arm(6, 12);
        }
        let sealed = self.store.as_ref().unwrap().seal();
        let excused = self.excused(failures);
        self.note(|| format!("seal: {sealed:?}"));
        match sealed {
            Ok(files) => self.tally.sealed += files,
            Err(error) => self.allowed(&error, excused),
        }
    }

    /// Reads while reading fails.
    fn read(&mut self) {
        for _ in 0..6 {
            let failures = self.failures();
            let nth = 1 + self.chance.below(8);
            self.disk.fail(FaultKind::Read, nth);
            let store = self.store.take().unwrap();
            let mut read = Ok(());
            for plant in &self.plants {
                read = read.and_then(|()| check::something(&store, plant, &mut self.chance));
            }
            self.store = Some(store);
            // What a read fails at leaves no trouble behind.
            let troubled = self.troubled;
            let excused = self.excused(failures);
            self.troubled = troubled;
            self.note(|| format!("read: {read:?}"));
            if let Err(error) = read {
                self.allowed(&error, excused);
            }
        }
    }

    /// Closes in good order.
    pub(super) fn close(&mut self) {
        let failures = self.failures();
        self.arm(3, 4);
        let store = self.store.take().unwrap();
        let closed = store.close();
        let excused = self.excused(failures);
        self.note(|| format!("close: {closed:?}"));
        match closed {
            Ok(()) => {
                let (_, group) = self.group();
                let after = store.commit(group);
                assert!(matches!(after, Err(StoreError::Closed { .. })), "{after:?}");
                if self.plants.iter().any(|plant| plant.last() > 0) {
                    self.closed = Closed::Yes;
                }
                for plant in &mut self.plants {
                    plant.floor = plant.events.len();
                }
            }
            Err(error) => {
                self.allowed(&error, excused);
                if self.closed == Closed::No {
                    self.closed = Closed::Unknown;
                }
            }
        }
    }

    /// Ends files of sample bodies, and deletes what has expired.
    pub(super) fn bodies(&mut self, armed: bool) {
        let at = self.chance.below(self.plants.len() as u64) as usize;
        let now = self.plants[at].recorded_at();
        let lifetime = LIFETIMES_NS[self.chance.below(2) as usize];
        self.deleted_before = self.deleted_before.max(now.plus(-lifetime).0);
        let failures = self.failures();
        if armed {
            self.arm(6, 4);
        }
        let without = self.disk.faults();
        let (store, id) = (self.store.as_ref().unwrap(), &self.plants[at].id);
        let deleted = store.seal_bodies(id, now);
        let deleted = deleted.and_then(|_| store.expire_bodies(id, lifetime, now));
        let faults = self.disk.faults();
        if self.full || faults.get(&FaultKind::NoSpace) > without.get(&FaultKind::NoSpace) {
            self.unnoted_before = self.deleted_before;
        }
        let excused = self.excused(failures);
        self.note(|| format!("bodies: {deleted:?}"));
        match deleted {
            Ok(deleted) => self.tally.deleted += deleted.files,
            Err(error) => self.allowed(&error, excused),
        }
        if !self.disk.is_dead() {
            self.check_bodies();
        }
    }

    /// Sets the wall clock.
    fn jump(&mut self) {
        let seconds = 1_000_000_000;
        let by = [YEAR_NS, 3_600 * seconds, 5 * seconds][self.chance.below(3) as usize];
        let by = if self.chance.below(2) == 0 { by } else { -by };
        self.jumped_ns += by;
        self.tally.clock_jumps += 1;
        self.note(|| format!("the clock jumps by {by} ns"));
    }

    /// Leaves little room on the disk.
    fn fill(&mut self) {
        let used: usize = self.contents().values().map(Vec::len).sum();
        let room = self.chance.below(3_000);
        self.disk.set_capacity(Some(used as u64 + room));
        self.full = true;
        self.note(|| format!("{room} bytes are free"));
    }
}
