//! The sealed part of a log: for each plant segments that never change, and the catalogue of them.
//!
//! ```text
//! DIR/log/catalogue                     what is sealed, drawn in `catalogue.rs`
//! DIR/log/sealed/<plant>/<first>-<last>.seg    segments, drawn in `format.rs`
//! ```
//!
//! A write-ahead file that is full is taken apart: the blocks of each plant in it are joined into
//! denser ones and go into a segment of their own. A segment counts once the catalogue names it, and
//! the catalogue is replaced in one step. So after a power cut there are either the write-ahead file
//! and perhaps segments that nobody names, or the segments and perhaps a write-ahead file that is not
//! needed any more; what is not needed is removed at the next start. Small segments that are neighbours
//! are merged in the same way, see `merge.rs`.

mod builder;
mod catalogue;
mod format;
mod leftovers;
mod merge;
mod reader;
mod seal;
mod verify;

#[cfg(test)]
pub(super) use catalogue::CATALOGUE;
pub(super) use catalogue::{Catalogue, Kept};
pub(super) use leftovers::{leftovers, remove};
pub(super) use merge::merge_next;
pub(super) use reader::RunCache;
pub(crate) use reader::Segment;
pub(super) use seal::seal_next;
pub(super) use verify::verify;
#[cfg(test)]
pub(crate) use {format::PAGE_RUNS, reader::PAGES_KEPT};

use std::path::{Path, PathBuf};

use werkbuch_model::id::{PlantId, Position};

/// The name of the folder of the segments.
const SEALED: &str = "sealed";

/// The folder of a plant's segments.
fn plant_folder(log: &Path, plant: &PlantId) -> PathBuf {
    log.join(SEALED).join(plant.as_str())
}

/// The path of a segment.
fn segment_path(log: &Path, plant: &PlantId, first: Position, last: Position) -> PathBuf {
    let name = format!("{:020}-{:020}.seg", first.get(), last.get());
    plant_folder(log, plant).join(name)
}
