//! Tells what files a log has, and verifies every byte of it.

use std::collections::BTreeMap;

use werkbuch_model::id::{PlantId, Position};
use werkbuch_proof::{CompactRange, leaf_hash};

use super::{Segments, read, recover::LOG, sealed, wal};
use crate::inspect::relative;
use crate::{FileKind, LogFile, LogPart, PlantEnd, Store, StoreError, StoredBlock, Verified};

impl Segments {
    /// Segments by plant and position, then write-ahead files by number.
    pub(super) fn list_files(&self) -> Result<Vec<LogFile>, StoreError> {
        let (plants, files) = {
            let index = self.shared.index();
            (index.plants.clone(), index.files.clone())
        };
        let folder = &self.shared.folder;
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
                    path: relative(folder, segment.path().to_owned()),
                    kind: FileKind::Segment,
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
                path: relative(folder, path),
                kind: FileKind::WriteAhead,
                plant: None,
                bytes,
            });
        }
        Ok(all)
    }

    /// Reads every byte of the log once more. Write-ahead files were verified when the log was opened.
    pub(super) fn verify_all(
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
                let verify_body =
                    &mut |event: &[u8], verified: &mut Verified| verified.body(self, plant, event);
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
                verified.body(self, &end.plant, event)?;
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
}
