//! Holds each plant's blocks against its positions and its tree while a log is opened.

use std::collections::BTreeMap;
use std::path::Path;

use werkbuch_model::id::{PlantId, Position};
use werkbuch_proof::leaf_hash;
use werkbuch_record::block::{BlockBody, BlockHeader};

use crate::StoreError;
use crate::index::PlantIndex;
use crate::segments::Trusted;

/// The plants found so far.
#[derive(Debug)]
pub(super) struct Plants {
    pub(super) known: BTreeMap<PlantId, PlantIndex>,
    /// Snapshots whose position has not been reached; until then a plant's leaves are not hashed.
    waiting: BTreeMap<PlantId, Trusted>,
    /// Plants whose tree stands on a snapshot, with its position.
    trusting: BTreeMap<PlantId, Position>,
}

/// Why a block with right checksums does not continue its plant's log.
#[derive(Debug)]
pub(super) enum Misfit {
    /// It begins elsewhere than behind the last one.
    Position { expected: Position },
    /// It belongs to another log.
    Log,
    /// Its root is not that of the events before it.
    Root,
    /// Its root is not that of the snapshot and the events after it.
    Snapshot { position: Position },
}

impl Misfit {
    pub(super) fn what(&self, header: &BlockHeader) -> String {
        match self {
            Self::Position { expected } => format!(
                "the block begins at position {}, not at {expected}",
                header.first
            ),
            Self::Log => "the block belongs to another log of the plant".into(),
            Self::Root | Self::Snapshot { .. } => {
                "the block's root is not that of the events before it".into()
            }
        }
    }
}

impl Plants {
    /// The plants of which something is sealed, and what snapshots vouch for. A snapshot of a sealed
    /// position has nothing to add; the tree of one that ends where the sealed part does is compared.
    pub(super) fn new(
        known: BTreeMap<PlantId, PlantIndex>,
        trusted: &[Trusted],
    ) -> Result<Self, StoreError> {
        let mut waiting = BTreeMap::new();
        for snapshot in trusted {
            let Trusted {
                plant, position, ..
            } = snapshot;
            let sealed = known.get(plant).filter(|sealed| *position <= sealed.last());
            let differs = sealed
                .is_some_and(|sealed| sealed.last() == *position && sealed.tree != snapshot.tree);
            if snapshot.tree.size() != position.get() || differs {
                return Err(StoreError::Snapshot {
                    plant: plant.clone(),
                    position: *position,
                });
            }
            if position.get() > 0 && sealed.is_none() {
                waiting.insert(plant.clone(), snapshot.clone());
            }
        }
        Ok(Self {
            known,
            waiting,
            trusting: BTreeMap::new(),
        })
    }

    /// Whether a block continues its plant's log.
    pub(super) fn check(&self, header: &BlockHeader) -> Result<(), Misfit> {
        let empty = PlantIndex::new(header.log_id);
        let plant = self.known.get(&header.plant).unwrap_or(&empty);
        let expected = plant.last().next();
        if plant.log_id != header.log_id {
            return Err(Misfit::Log);
        }
        if header.first != expected {
            return Err(Misfit::Position { expected });
        }
        if self.waiting.contains_key(&header.plant)
            || plant.tree.root().as_bytes() == &header.root_before
        {
            return Ok(());
        }
        match self.trusting.get(&header.plant) {
            Some(position) => Err(Misfit::Snapshot {
                position: *position,
            }),
            None => Err(Misfit::Root),
        }
    }

    /// Takes in a block that [`check`](Self::check) has passed.
    pub(super) fn add(&mut self, header: &BlockHeader, body: &BlockBody, offset: u64) {
        let plant = self
            .known
            .entry(header.plant.clone())
            .or_insert_with(|| PlantIndex::new(header.log_id));
        plant.add(header, offset);
        let mut hashed = 0;
        if let Some(snapshot) = self.waiting.get(&header.plant) {
            if header.last() < snapshot.position {
                return;
            }
            plant.tree = snapshot.tree.clone();
            let covered = snapshot.position.next().get();
            hashed =
                usize::try_from(covered.saturating_sub(header.first.get())).unwrap_or(usize::MAX);
            self.trusting
                .insert(header.plant.clone(), snapshot.position);
            self.waiting.remove(&header.plant);
        }
        for event in body.events().skip(hashed) {
            plant.tree.append(leaf_hash(event));
        }
    }

    /// The last position of a plant.
    pub(super) fn last(&self, plant: &PlantId) -> Position {
        self.known.get(plant).map_or(Position(0), PlantIndex::last)
    }

    /// Refuses a log that ends before what snapshots and checkpoints vouch for.
    pub(super) fn check_floors(
        &self,
        folder: &Path,
        floors: &[(PlantId, Position)],
    ) -> Result<(), StoreError> {
        let floors = floors.iter().map(|(plant, floor)| (plant, *floor));
        let snapshots = self.waiting.values().map(|s| (&s.plant, s.position));
        for (plant, floor) in floors.chain(snapshots) {
            let kept = self.last(plant);
            if kept < floor {
                return Err(StoreError::BelowFloor {
                    folder: folder.to_owned(),
                    plant: plant.clone(),
                    floor,
                    kept,
                });
            }
        }
        Ok(())
    }
}
