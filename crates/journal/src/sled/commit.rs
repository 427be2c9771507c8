//! Commits groups: blocks, their indexes and the new end of each plant, in the order of the log.

use std::collections::BTreeMap;

use werkbuch_model::id::PlantId;

use super::Shared;
use super::database::Database;
use super::keys::{self, End, Number};
use super::witness::{Noted, Plants, Witness};
use crate::judge::{self, judge};
use crate::{BlockBounds, Outcome, Proposal, StoreError};
use werkbuch_record::block::SealedBlock;

/// Within a group, after so many bytes of blocks a sync comes between. With all that the database
/// writes besides (its leaves, again and again), what is written between two syncs then stays far
/// below one of its segments; see `SEGMENT_BYTES` for why that must be.
pub(super) const SYNC_BYTES: usize = 1024 * 1024;

/// The key that is there while the log is closed.
pub(super) const CLOSED: &[u8] = b"closed";

/// The one who writes to the log; callers take turns.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) mode: Mode,
    /// The number of the last group.
    pub(super) group: u64,
    /// The numbers of all plants, also of those of which nothing is kept.
    pub(super) numbers: BTreeMap<PlantId, Number>,
    /// What is noted beside the database; nothing where the log is open for reading only.
    pub(super) witness: Option<Witness>,
}

#[derive(Debug)]
pub(super) enum Mode {
    Open,
    ReadOnly,
    Closed,
    /// A write could not be made sure, for this reason.
    Stopped(String),
}

impl Writer {
    /// See [`Store::commit`](crate::Store::commit).
    pub(super) fn commit(
        &mut self,
        shared: &Shared,
        group: Vec<Proposal>,
    ) -> Result<Vec<Outcome>, StoreError> {
        self.check_open(shared)?;
        let number = self.group.saturating_add(1);
        let end = |plant: &PlantId| shared.ends().plants.get(plant).map(judged);
        let outcomes = judge(&end, &group, number);
        let taken = group.into_iter().zip(&outcomes);
        let taken = taken.filter(|(_, outcome)| matches!(outcome, Outcome::Committed { .. }));
        let mut taken: Vec<Proposal> = taken.map(|(proposal, _)| proposal).collect();
        if taken.is_empty() {
            return Ok(outcomes);
        }
        // The bodies of a group that is not written after all are harmless: nothing names them.
        self.write_bodies(shared, &taken)?;
        match self.write(shared, number, &mut taken) {
            Ok(ends) => {
                self.group = number;
                let mut now = shared.ends_mut();
                now.plants.extend(ends);
                now.closed = false;
                Ok(outcomes)
            }
            // What is in the database cannot be taken back surely, nor be known to be there.
            Err(error) => {
                self.stop(shared, &error);
                let unknown = |outcome| match outcome {
                    Outcome::Committed { .. } => Outcome::Unknown,
                    other => other,
                };
                Ok(outcomes.into_iter().map(unknown).collect())
            }
        }
    }

    pub(super) fn check_open(&self, shared: &Shared) -> Result<(), StoreError> {
        let folder = shared.folder.clone();
        match &self.mode {
            Mode::Open => Ok(()),
            Mode::ReadOnly => Err(StoreError::ReadOnly { folder }),
            Mode::Closed => Err(StoreError::Closed { folder }),
            Mode::Stopped(cause) => Err(StoreError::Stopped {
                folder,
                cause: cause.clone(),
            }),
        }
    }

    /// See [`Store::close`](crate::Store::close).
    pub(super) fn close(&mut self, shared: &Shared) -> Result<(), StoreError> {
        match self.mode {
            Mode::Closed => return Ok(()),
            Mode::ReadOnly => {}
            Mode::Open | Mode::Stopped(_) => {
                self.check_open(shared)?;
                let database = shared.database()?;
                let marked = database
                    .put(&database.state, CLOSED, b"")
                    .and_then(|()| self.sync(&database));
                if let Err(error) = marked {
                    self.stop(shared, &error);
                    return Err(error);
                }
                shared.ends_mut().closed = true;
            }
        }
        self.mode = Mode::Closed;
        shared.give_back();
        Ok(())
    }

    fn stop(&mut self, shared: &Shared, error: &StoreError) {
        tracing::error!(folder = %shared.folder.display(), %error, "the log takes no more events until it is opened again");
        self.mode = Mode::Stopped(error.to_string());
    }

    /// Writes and syncs the sample bodies of a group. If that fails, nothing of the group is in the
    /// log.
    fn write_bodies(&mut self, shared: &Shared, group: &[Proposal]) -> Result<(), StoreError> {
        if let Err(error) = shared
            .bodies
            .put_all(group, |plant| shared.last_recorded_at(plant))
        {
            if let Err(second) = shared.bodies.undo() {
                self.stop(shared, &second);
            }
            return Err(error);
        }
        if let Err(error) = shared.bodies.sync() {
            self.stop(shared, &error);
            return Err(error);
        }
        Ok(())
    }

    /// Writes and syncs a group; answers the new ends of its plants. The end of a plant is written
    /// behind its blocks, and the database keeps a beginning of all that was written: so what an end
    /// tells is there.
    fn write(
        &mut self,
        shared: &Shared,
        group: u64,
        proposals: &mut [Proposal],
    ) -> Result<BTreeMap<PlantId, End>, StoreError> {
        let database = &*shared.database()?;
        if shared.ends().closed {
            database.remove(&database.state, CLOSED)?;
        }
        let blocks = u32::try_from(proposals.len()).unwrap_or(u32::MAX);
        let (mut ends, mut changed, mut unsynced) = (BTreeMap::new(), Plants::new(), 0);
        for (index, proposal) in (0..blocks).zip(proposals) {
            // There are no write-ahead files here, so no number of one.
            proposal.block.place(0, group, index, blocks);
            let mut bytes = Vec::with_capacity(proposal.block.encoded_bytes());
            proposal.block.encode(&mut bytes);
            let number = self.number(database, proposal.plant())?;
            let header = proposal.block.header();
            let key = keys::block(number, header.first);
            database.put(&database.blocks, &key, &bytes)?;
            unsynced += bytes.len();
            if unsynced >= SYNC_BYTES {
                database.sync()?;
                unsynced = 0;
            }
            let time = keys::time(number, header.recorded_min);
            let bounds = keys::bounds(&BlockBounds::of(header));
            database.put(&database.times, &time, &bounds)?;
            for run in &header.runs {
                let position = header.first.get().saturating_add(u64::from(run.offset));
                let key = keys::run(number, run.source.get(), run.first.get(), position);
                database.put(&database.runs, &key, &run.count.to_le_bytes())?;
            }
            let end = End {
                number,
                log_id: header.log_id,
                epoch: header.epoch,
                last: header.last(),
                recorded_at: header.recorded_max,
                group,
                tree: proposal.tree.clone(),
            };
            let value = end.encode(&header.plant);
            database.put(&database.ends, &number.to_be_bytes(), &value)?;
            self.count(&mut changed, &proposal.block, &end);
            ends.insert(header.plant.clone(), end);
        }
        self.sync(database)?;
        if let Some(witness) = &mut self.witness {
            witness.note(group, changed)?;
        }
        Ok(ends)
    }

    /// Adds a block to what is to be noted of its plant.
    fn count(&self, changed: &mut Plants, block: &SealedBlock, end: &End) {
        let plant = &block.header().plant;
        let witness = self.witness.as_ref();
        let known = changed
            .get(plant)
            .or(witness.and_then(|witness| witness.plant(plant)));
        let (blocks, runs) = known.map_or((0, 0), |noted| (noted.blocks, noted.runs));
        let noted = Noted {
            log_id: end.log_id,
            blocks: blocks + 1,
            runs: runs + block.header().runs.len() as u64,
            tree: end.tree.clone(),
        };
        changed.insert(plant.clone(), noted);
    }

    /// Returns once all that was written to the database lasts, and what was noted before. The two syncs
    /// go side by side: on most disks they take the time of one.
    fn sync(&mut self, database: &Database) -> Result<(), StoreError> {
        let witness = self.witness.as_mut();
        let Some(witness) = witness.filter(|witness| !witness.is_synced()) else {
            return database.sync();
        };
        std::thread::scope(|scope| {
            let noted = scope.spawn(|| witness.sync());
            let synced = database.sync();
            let stopped = |_| std::io::Error::other("the thread that syncs it has stopped");
            let noted = noted.join().map_err(stopped);
            let path = database.path();
            let noted = noted.map_err(|error| StoreError::io("sync beside", &path, error))?;
            synced.and(noted)
        })
    }

    /// The number of a plant; a new plant gets the next one.
    fn number(&mut self, database: &Database, plant: &PlantId) -> Result<Number, StoreError> {
        if let Some(number) = self.numbers.get(plant) {
            return Ok(*number);
        }
        let next = self.numbers.values().max().map_or(0, |last| last + 1);
        let key = plant.as_str().as_bytes();
        database.put(&database.plants, key, &next.to_be_bytes())?;
        self.numbers.insert(plant.clone(), next);
        Ok(next)
    }
}

fn judged(end: &End) -> judge::End {
    judge::End {
        log_id: end.log_id,
        epoch: end.epoch,
        last: end.last,
        recorded_at: end.recorded_at,
        tree: end.tree.clone(),
    }
}
