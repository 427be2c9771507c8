//! Tells what files a log has, and verifies every byte of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use werkbuch_model::event::Body;
use werkbuch_model::id::{PlantId, Position};
use werkbuch_proof::{CompactRange, Hash, leaf_hash};
use werkbuch_record::decode_recorded;

use super::{Segments, read, recover::LOG, sealed, wal};
use crate::{FoundBody, PlantEnd, Store, StoreError, StoredBlock};

/// A file of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its path in the data folder.
    pub path: PathBuf,
    /// Whose segment it is; nothing for a write-ahead file, which holds blocks of all plants.
    pub plant: Option<PlantId>,
    /// What it holds of each plant.
    pub parts: BTreeMap<PlantId, LogPart>,
    /// Its length in bytes.
    pub bytes: u64,
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
    /// Write-ahead files and segments.
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

impl Segments {
    /// The files of the log: segments by plant and position, then write-ahead files by number.
    ///
    /// # Errors
    ///
    /// Those of the disk; a segment that is missing or damaged.
    pub fn files(&self) -> Result<Vec<LogFile>, StoreError> {
        let (plants, files) = {
            let index = self.shared.index();
            (index.plants.clone(), index.files.clone())
        };
        let relative = |path: PathBuf| match path.strip_prefix(&self.shared.folder) {
            Ok(relative) => relative.to_owned(),
            Err(_) => path,
        };
        let mut all = Vec::new();
        for (plant, index) in &plants {
            for segment in &index.sealed {
                let bounds = segment.bounds();
                let part = LogPart {
                    first: bounds.first,
                    last: bounds.last,
                    blocks: segment.summary()?.blocks.len() as u64,
                };
                all.push(LogFile {
                    path: relative(segment.path().to_owned()),
                    plant: Some(plant.clone()),
                    parts: BTreeMap::from([(plant.clone(), part)]),
                    bytes: segment.bytes(),
                });
            }
        }
        let log = self.shared.folder.join(LOG);
        for (generation, file) in files {
            let path = wal::path(&log, generation);
            let bytes = file.len();
            let bytes = bytes.map_err(|error| StoreError::io("measure", &path, error))?;
            let parts = plants.iter().filter_map(|(plant, index)| {
                let blocks = index.blocks_in(generation);
                let (first, last) = (blocks.first()?, blocks.last()?);
                let part = LogPart {
                    first: first.bounds.first,
                    last: last.bounds.last,
                    blocks: blocks.len() as u64,
                };
                Some((plant.clone(), part))
            });
            all.push(LogFile {
                parts: parts.collect(),
                path: relative(path),
                plant: None,
                bytes,
            });
        }
        Ok(all)
    }

    /// Reads every byte of the log once more and holds it against everything else that is known:
    /// checksums, lengths, positions, the tree from the first event on, the tables of the segments,
    /// sample bodies against the hashes that events name. `progress` is called after each segment and
    /// each plant. Write-ahead files were verified when the log was opened, which must have been done
    /// without [`Options::trusted`](crate::Options::trusted) if nothing is to be taken on trust.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] with the first place that is wrong, and those of the disk.
    pub fn verify(
        &self,
        progress: &mut dyn FnMut(&PlantId, &Verified),
    ) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        // Nothing is sealed meanwhile.
        let _catalogue = self.shared.catalogue();
        for end in self.ends() {
            let plant = &end.plant;
            let segments = {
                let index = self.shared.index();
                index.plants.get(plant).map(|plant| plant.sealed.clone())
            };
            let mut tree = CompactRange::new();
            for segment in segments.unwrap_or_default() {
                let verify_body = &mut |event: &[u8], verified: &mut Verified| {
                    self.verify_body(plant, event, verified)
                };
                sealed::verify(&segment, &mut tree, &mut verified, verify_body)?;
                progress(plant, &verified);
            }
            self.verify_hot(&end, &mut tree, &mut verified)?;
            progress(plant, &verified);
        }
        let files: Vec<_> = self.shared.index().files.values().cloned().collect();
        for file in files {
            let length = file.len();
            let failed = |error| StoreError::io("measure", &self.shared.folder, error);
            verified.bytes += length.map_err(failed)?;
            verified.files += 1;
        }
        Ok(verified)
    }

    /// Verifies what of a plant is not sealed; `tree` covers what is.
    fn verify_hot(
        &self,
        end: &PlantEnd,
        tree: &mut CompactRange,
        verified: &mut Verified,
    ) -> Result<(), StoreError> {
        let from = Position(tree.size()).next();
        let mut last: Option<StoredBlock> = None;
        for block in read::blocks(&self.shared, &end.plant, from, None)? {
            let block = block?;
            if block.header.root_before != *tree.root().as_bytes() {
                return Err(read::root_differs(&self.shared, &end.plant, &block));
            }
            for (_, event) in block.events() {
                tree.append(leaf_hash(event));
                self.verify_body(&end.plant, event, verified)?;
            }
            verified.blocks += 1;
            verified.events += block.body.len() as u64;
            last = Some(block);
        }
        match last {
            Some(block) if *tree != end.tree => {
                Err(read::root_differs(&self.shared, &end.plant, &block))
            }
            _ => Ok(()),
        }
    }

    /// Looks at the sample body that an event names, if it names one.
    fn verify_body(
        &self,
        plant: &PlantId,
        event: &[u8],
        verified: &mut Verified,
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
        match self.body(plant, Hash::from_bytes(hash), event.recorded_at)? {
            FoundBody::Present(_) => verified.bodies += 1,
            FoundBody::Expired { .. } => verified.bodies_expired += 1,
            FoundBody::Lost(_) | FoundBody::Damaged(_) => verified.bodies_missing += 1,
        }
        Ok(())
    }
}
