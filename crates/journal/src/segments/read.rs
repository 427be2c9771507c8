//! Reads the committed blocks of one plant: those of its segments, then those that are not sealed.

use std::path::PathBuf;
use std::sync::Arc;

use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_record::block::{BlockError, BlockHeader, decode_body};

use super::{LOG, Segment, Shared, wal};
use crate::disk::DiskFile;
use crate::error::Damage;
use crate::index::BlockRef;
use crate::{Blocks, StoreError, StoredBlock};

/// The blocks of a plant from the one that holds `from` on; where a machine is named, without sealed
/// blocks that hold nothing of it.
pub(super) fn blocks(
    shared: &Arc<Shared>,
    plant: &PlantId,
    from: Position,
    machine: Option<MachineNumber>,
) -> Result<Blocks, StoreError> {
    if !shared.index().plants.contains_key(plant) {
        return Err(StoreError::UnknownPlant {
            plant: plant.clone(),
        });
    }
    Ok(Box::new(Reader {
        shared: Arc::clone(shared),
        plant: plant.clone(),
        machine,
        open: None,
        next: Some(from),
    }))
}

#[derive(Debug)]
struct Reader {
    shared: Arc<Shared>,
    plant: PlantId,
    machine: Option<MachineNumber>,
    /// The segment that was read last.
    open: Option<Open>,
    /// The position to go on from; nothing after an error.
    next: Option<Position>,
}

/// A segment that is being read.
#[derive(Debug)]
struct Open {
    segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    /// The blocks with events of the machine that is asked for, a bit for each; all if none is.
    wanted: Option<Vec<u8>>,
}

/// Where the next block is.
enum Place {
    Sealed(Arc<Segment>),
    Hot(BlockRef, Arc<dyn DiskFile>),
}

impl Iterator for Reader {
    type Item = Result<StoredBlock, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let from = self.next?;
            // The lock is given back before the file is read, so that a commit need not wait.
            let (block, behind) = match self.place(from)? {
                Place::Sealed(segment) => {
                    let last = segment.bounds().last;
                    match self.sealed(segment, from) {
                        Ok(None) => {
                            self.next = Some(last.next()).filter(|next| *next > last);
                            continue;
                        }
                        Ok(Some(block)) => {
                            let behind = block.header.last().next();
                            (Ok(block), behind)
                        }
                        Err(error) => (Err(error), from),
                    }
                }
                Place::Hot(place, file) => (
                    hot_block(&self.shared, &self.plant, &*file, place),
                    place.bounds.last.next(),
                ),
            };
            self.next = (block.is_ok() && behind > from).then_some(behind);
            return Some(block.map(|block| StoredBlock {
                from: block.header.first.max(from),
                ..block
            }));
        }
    }
}

impl Reader {
    fn place(&self, from: Position) -> Option<Place> {
        let index = self.shared.index();
        let plant = index.plants.get(&self.plant)?;
        if let Some(segment) = plant.segment_with(from) {
            return Some(Place::Sealed(Arc::clone(segment)));
        }
        let place = plant.block_from(from)?;
        let file = index.files.get(&place.generation)?;
        Some(Place::Hot(place, Arc::clone(file)))
    }

    fn sealed(
        &mut self,
        segment: Arc<Segment>,
        from: Position,
    ) -> Result<Option<StoredBlock>, StoreError> {
        let known = self.open.take();
        let open = match known.filter(|open| Arc::ptr_eq(&open.segment, &segment)) {
            Some(open) => open,
            None => {
                let file = segment.open()?;
                let bits = self.machine.map(|machine| segment.bits(&*file, machine));
                let wanted = bits.transpose()?;
                Open {
                    segment,
                    file,
                    wanted,
                }
            }
        };
        let Open { file, wanted, .. } = &open;
        let block = open.segment.block_from(&**file, from, wanted.as_deref());
        self.open = Some(open);
        block
    }
}

/// Reads and verifies a block of a write-ahead file.
pub(super) fn hot_block(
    shared: &Shared,
    plant: &PlantId,
    file: &dyn DiskFile,
    place: BlockRef,
) -> Result<StoredBlock, StoreError> {
    let mut bytes = vec![0; place.bytes as usize];
    let read = file
        .read_at(&mut bytes, place.offset)
        .map_err(|error| StoreError::io("read", &path(shared, place), error))?;
    let bytes = bytes.get(..read).unwrap_or_default();
    let decode = || {
        let (header, body_at) = BlockHeader::decode(bytes)?;
        let body = decode_body(&header, bytes.get(body_at..).unwrap_or_default())?;
        Ok(StoredBlock::new(header, body))
    };
    let block =
        decode().map_err(|error: BlockError| damaged(shared, plant, place, error.to_string()))?;
    if block.header.plant != *plant || block.header.first != place.bounds.first {
        let what = "another block stands there than when the log was opened";
        return Err(damaged(shared, plant, place, what.into()));
    }
    Ok(block)
}

/// The error for a block that is not as it was written.
pub(super) fn damaged(
    shared: &Shared,
    plant: &PlantId,
    place: BlockRef,
    what: String,
) -> StoreError {
    StoreError::Damaged(Box::new(Damage {
        file: path(shared, place),
        offset: place.offset,
        group: 0,
        plant: Some(plant.clone()),
        what,
    }))
}

/// The error for a block whose root is not that of the events before it.
pub(super) fn root_differs(shared: &Shared, plant: &PlantId, block: &StoredBlock) -> StoreError {
    StoreError::Damaged(Box::new(Damage {
        file: wal::path(&shared.folder.join(LOG), block.header.generation),
        offset: 0,
        group: block.header.group,
        plant: Some(plant.clone()),
        what: format!(
            "the root of the block at position {} is not that of the events before it",
            block.header.first
        ),
    }))
}

fn path(shared: &Shared, place: BlockRef) -> PathBuf {
    wal::path(&shared.folder.join(LOG), place.generation)
}
