//! What a store tells of its files, and what it has verified in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use werkbuch_model::event::Body;
use werkbuch_model::id::{PlantId, Position};
use werkbuch_proof::Hash;
use werkbuch_record::decode_recorded;

use crate::{FoundBody, Store, StoreError};

/// A file of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its path in the data folder.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// Whose segment it is; nothing for a file that holds blocks of all plants.
    pub plant: Option<PlantId>,
    /// What it holds of each plant.
    pub parts: BTreeMap<PlantId, LogPart>,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What a file of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Takes the blocks of all plants as they come.
    WriteAhead,
    /// Holds blocks of one plant, joined, and never changes.
    Segment,
    /// The one file of an embedded database.
    Database,
}

impl FileKind {
    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WriteAhead => "write-ahead",
            Self::Segment => "segment",
            Self::Database => "database",
        }
    }
}

/// What a file holds of a plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPart {
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// How many blocks there are.
    pub blocks: u64,
}

/// What has been verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files of the log.
    pub files: u64,
    /// Blocks: checksums, lengths, positions, the root before each.
    pub blocks: u64,
    /// Events, each hashed into the tree of its plant.
    pub events: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Sample bodies that events name and that are there, each held against its hash.
    pub bodies: u64,
    /// Sample bodies whose lifetime is over.
    pub bodies_expired: u64,
    /// Sample bodies that should be there, and are not or are damaged.
    pub bodies_missing: u64,
}

impl Verified {
    /// Looks at the sample body that an event names, if it names one.
    pub(crate) fn body(
        &mut self,
        store: &dyn Store,
        plant: &PlantId,
        event: &[u8],
    ) -> Result<(), StoreError> {
        // What this build cannot read may name a body in a way that it does not know.
        let Ok(event) = decode_recorded(event) else {
            return Ok(());
        };
        let Body::SampleReported(samples) = &event.reported.body else {
            return Ok(());
        };
        let Ok(hash) = <[u8; 32]>::try_from(&*samples.body_hash) else {
            return Ok(());
        };
        match store.body(plant, Hash::from_bytes(hash), event.recorded_at)? {
            FoundBody::Present(_) => self.bodies += 1,
            FoundBody::Expired { .. } => self.bodies_expired += 1,
            FoundBody::Lost(_) | FoundBody::Damaged(_) => self.bodies_missing += 1,
        }
        Ok(())
    }
}

/// A path as it is seen from the data folder.
pub(crate) fn relative(folder: &Path, path: PathBuf) -> PathBuf {
    match path.strip_prefix(folder) {
        Ok(relative) => relative.to_owned(),
        Err(_) => path,
    }
}
