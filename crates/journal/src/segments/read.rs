//! Reads the committed blocks of one plant.

use std::sync::Arc;

use werkbuch_model::id::{PlantId, Position};
use werkbuch_record::block::{BlockHeader, decode_body};

use super::{Shared, wal};
use crate::error::Damage;
use crate::index::BlockRef;
use crate::{Blocks, StoreError, StoredBlock};

/// The blocks of a plant from the one that holds `from` on.
pub(super) fn blocks(
    shared: &Arc<Shared>,
    plant: &PlantId,
    from: Position,
) -> Result<Blocks, StoreError> {
    if !shared.index().plants.contains_key(plant) {
        return Err(StoreError::UnknownPlant {
            plant: plant.clone(),
        });
    }
    Ok(Box::new(Reader {
        shared: Arc::clone(shared),
        plant: plant.clone(),
        next: Some(from),
    }))
}

#[derive(Debug)]
struct Reader {
    shared: Arc<Shared>,
    plant: PlantId,
    /// The position to go on from; nothing after an error.
    next: Option<Position>,
}

impl Iterator for Reader {
    type Item = Result<StoredBlock, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.next?;
        // The lock is given back before the file is read, so that a commit need not wait.
        let (place, file) = {
            let index = self.shared.index();
            let place = index.plants.get(&self.plant)?.block_from(from)?;
            (place, Arc::clone(index.files.get(&place.generation)?))
        };
        let mut bytes = vec![0; place.bytes as usize];
        let block = match file.read_at(&mut bytes, place.offset) {
            Ok(read) => self.verify(bytes.get(..read).unwrap_or_default(), place),
            Err(error) => Err(StoreError::io("read", &self.path(place), error)),
        };
        let behind = place.bounds.last.next();
        self.next = (block.is_ok() && behind > place.bounds.last).then_some(behind);
        Some(block)
    }
}

impl Reader {
    fn verify(&self, bytes: &[u8], place: BlockRef) -> Result<StoredBlock, StoreError> {
        let damaged = |what: String| {
            StoreError::Damaged(Box::new(Damage {
                file: self.path(place),
                offset: place.offset,
                group: 0,
                plant: Some(self.plant.clone()),
                what,
            }))
        };
        let read = || {
            let (header, body_at) = BlockHeader::decode(bytes)?;
            let body = decode_body(&header, bytes.get(body_at..).unwrap_or_default())?;
            Ok(StoredBlock { header, body })
        };
        let block = read()
            .map_err(|error: werkbuch_record::block::BlockError| damaged(error.to_string()))?;
        if block.header.plant != self.plant || block.header.first != place.bounds.first {
            return Err(damaged(
                "another block stands there than when the log was opened".into(),
            ));
        }
        Ok(block)
    }

    fn path(&self, place: BlockRef) -> std::path::PathBuf {
        wal::path(
            &self.shared.folder.join(super::recover::LOG),
            place.generation,
        )
    }
}
