//! What a seal that was interrupted has left, told from what somebody put there or took away.
//!
//! A segment that the catalogue does not name was made of write-ahead files that are still there. So it
//! may go only if the log has what it holds; else it is the catalogue, or a write-ahead file, that is
//! missing, and the segment may be all that is left of these events.

use std::path::{Path, PathBuf};

use werkbuch_model::id::{PlantId, Position};

use super::catalogue::Catalogue;
use super::{SEALED, segment_path};
use crate::StoreError;
use crate::disk::Disk;
use crate::error::Damage;
use crate::segments::wal;

/// Finds write-ahead files that are sealed and segments that the catalogue does not name. `last` is
/// where the log of a plant ends. Files of other names are somebody else's and left alone.
/// Errors: a segment holds events that the log does not have, or the disk fails.
pub(crate) fn leftovers(
    disk: &dyn Disk,
    log: &Path,
    catalogue: &Catalogue,
    last: &dyn Fn(&PlantId) -> Position,
) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for name in list(disk, log)? {
        if wal::generation_of(&name).is_some_and(|number| number <= catalogue.generation) {
            found.push(log.join(name));
        }
    }
    for plant in list(disk, &log.join(SEALED))? {
        let Ok(plant) = PlantId::new(&plant) else {
            continue;
        };
        let folder = log.join(SEALED).join(plant.as_str());
        let sealed = catalogue.plants.get(&plant);
        let mut named = Vec::new();
        for segment in sealed.iter().flat_map(|sealed| &sealed.segments) {
            named.push(segment_path(
                log,
                &plant,
                segment.bounds.first,
                segment.bounds.last,
            ));
        }
        let end = last(&plant);
        for name in list(disk, &folder)? {
            let path = folder.join(&name);
            match positions_of(&name) {
                Some(_) if named.contains(&path) => {}
                Some((_, held)) if held > end => return Err(orphan(path, plant, held, end)),
                Some(_) => found.push(path),
                None => {
                    tracing::warn!(file = %path.display(), "a file that is no part of the log lies there");
                }
            }
        }
    }
    Ok(found)
}

/// Removes leftovers.
/// Errors: the disk fails.
pub(crate) fn remove(disk: &dyn Disk, leftovers: &[PathBuf]) -> Result<(), StoreError> {
    for path in leftovers {
        tracing::info!(file = %path.display(), "what an interrupted seal left is removed");
        let removed = disk.remove(path);
        removed.map_err(|error| StoreError::io("remove", path, error))?;
    }
    Ok(())
}

fn list(disk: &dyn Disk, folder: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error| StoreError::io("list", folder, error);
    if disk.exists(folder).map_err(failed)? {
        disk.list(folder).map_err(failed)
    } else {
        Ok(Vec::new())
    }
}

/// The first and the last position in the name of a segment.
fn positions_of(name: &str) -> Option<(Position, Position)> {
    let (first, last) = name.strip_suffix(".seg")?.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (format!("{first:020}-{last:020}.seg") == name).then_some((Position(first), Position(last)))
}

fn orphan(file: PathBuf, plant: PlantId, held: Position, end: Position) -> StoreError {
    let what = format!(
        "the segment holds events up to position {held}, but without the catalogue that names it, or \
         the write-ahead files that it was made of, the log ends at position {end}"
    );
    StoreError::Damaged(Box::new(Damage {
        file,
        offset: 0,
        group: 0,
        plant: Some(plant),
        what,
    }))
}
