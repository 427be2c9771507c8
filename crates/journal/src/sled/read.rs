//! Reads the committed blocks of one plant out of the database.

use std::sync::Arc;

use werkbuch_model::id::{PlantId, Position};
use werkbuch_record::block::{BlockError, BlockHeader, decode_body};

use super::Shared;
use super::database::Database;
use super::keys::Number;
use crate::{StoreError, StoredBlock};

/// The blocks of a plant from a position on.
#[derive(Debug)]
pub(super) struct Reader {
    shared: Arc<Shared>,
    database: Arc<Database>,
    plant: PlantId,
    number: Number,
    /// The position to go on from; nothing after an error.
    next: Option<Position>,
}

impl Reader {
    pub(super) fn new(
        shared: &Arc<Shared>,
        plant: &PlantId,
        from: Position,
    ) -> Result<Self, StoreError> {
        let number = shared.ends().plants.get(plant).map(|end| end.number);
        let number = number.ok_or_else(|| StoreError::UnknownPlant {
            plant: plant.clone(),
        })?;
        Ok(Self {
            shared: Arc::clone(shared),
            database: shared.database()?,
            plant: plant.clone(),
            number,
            next: Some(from.max(Position(1))),
        })
    }
}

impl Iterator for Reader {
    type Item = Result<StoredBlock, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.next?;
        let last = self.shared.ends().plants.get(&self.plant)?.last;
        if from > last {
            return None;
        }
        let block = block_with(&self.database, &self.plant, self.number, from);
        let behind = block.as_ref().ok().map(|block| block.header.last());
        self.next = behind.map(Position::next).filter(|next| *next > from);
        Some(block)
    }
}

/// The block that holds a position at which there is an event.
pub(super) fn block_with(
    database: &Database,
    plant: &PlantId,
    number: Number,
    position: Position,
) -> Result<StoredBlock, StoreError> {
    let missing = || {
        let what = format!("no block holds position {position}, though later ones are there");
        database.damaged(Some(plant), what)
    };
    let (first, bytes) = database
        .block_before(number, position)?
        .ok_or_else(missing)?;
    let mut block = decode(&bytes).map_err(|error| {
        let what = format!("the block at position {first}: {error}");
        database.damaged(Some(plant), what)
    })?;
    if block.header.plant != *plant || block.header.first != first {
        let what = format!("another block stands in the place of the one at position {first}");
        return Err(database.damaged(Some(plant), what));
    }
    if block.header.last() < position {
        return Err(missing());
    }
    block.from = position;
    Ok(block)
}

/// Reads a block out of its stored bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<StoredBlock, BlockError> {
    let (header, body_at) = BlockHeader::decode(bytes)?;
    let body = decode_body(&header, bytes.get(body_at..).unwrap_or_default())?;
    Ok(StoredBlock::new(header, body))
}
