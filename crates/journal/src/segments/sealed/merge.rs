//! Merges neighbouring small segments of a plant into one, in the background.
//!
//! A plant that says little leaves a small segment for every few write-ahead files, and a look-up would
//! go through thousands of them. So neighbours become one, as in a log-structured merge tree: at least
//! eight at once, and none longer than a quarter of them all, so that each time a byte is written again
//! its segment is at least four times as long as before. Segments of the target length stay.
//!
//! As with sealing, each step can be repeated after a power cut: the new segment is written, synced,
//! read back and verified against the tree; then the catalogue is replaced; then the old ones go, each
//! as soon as nobody reads it any more. Until the catalogue names the new one the old ones count, and
//! what is not named is removed at the next start.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use werkbuch_model::id::PlantId;
use werkbuch_proof::CompactRange;

use super::builder::Builder;
use super::catalogue::{Catalogue, Entry, Kept};
use super::reader::Segment;
use super::verify::verify;
use super::{plant_folder, segment_path};
use crate::disk::OpenMode;
use crate::segments::{LOG, Shared, reserve};
use crate::{StoreError, Verified};

/// So many neighbours are merged at least.
const NEIGHBOURS: usize = 8;
/// And so many at most, where there are many that are tiny.
const NEIGHBOURS_MAX: usize = 64;
/// What is written again lies in a segment at least so many times as long afterwards.
const GROWTH: u64 = 4;

/// Merges neighbours of one plant into a segment of at most `target` bytes. Answers how many were
/// merged; 0 if there is nothing to merge.
/// Errors: the disk fails, or what is to be merged is damaged; the segments then stay as they are.
pub(crate) fn merge_next(
    shared: &Shared,
    target: u64,
    stop: &AtomicBool,
) -> Result<usize, StoreError> {
    let mut catalogue = shared.catalogue();
    if catalogue.in_doubt {
        return Ok(0);
    }
    let found = candidates(&catalogue, target);
    let Some((plant, range, bytes)) = found else {
        return Ok(0);
    };
    // Where room is scarce, it is for what is new.
    if !reserve::has_room(&*shared.disk, &shared.folder, bytes) {
        return Ok(0);
    }
    let Some(merge) = Merge::of(shared, &plant, range.clone())? else {
        return Ok(0);
    };
    let (segment, entry) = match merge.write(stop) {
        Ok(Some(written)) => written,
        unfinished => {
            merge.remove_unfinished();
            if let Err(StoreError::Damaged(_)) = &unfinished {
                // It would be the same with every file that is full; a new start tries again.
                catalogue.spared.insert(plant);
            }
            return unfinished.map(|_| 0);
        }
    };
    let log = shared.folder.join(LOG);
    let mut merged = catalogue.content.clone();
    if let Some(sealed) = merged.plants.get_mut(&plant) {
        sealed.segments.splice(range, [entry]);
    }
    if let Err(error) = merged.draft(&*shared.disk, &log, shared.folder_id) {
        merge.remove_unfinished();
        return Err(error);
    }
    // If this fails, nobody knows which catalogue is on the disk, and neither the new segment nor the
    // old ones may go.
    catalogue.in_doubt = true;
    Catalogue::replace(&*shared.disk, &log)?;
    catalogue.in_doubt = false;
    catalogue.content = merged;
    let old = {
        let mut index = shared.index_mut();
        let known = index.plants.get_mut(&plant);
        known.map(|known| known.merge(Arc::new(segment)))
    };
    for segment in old.iter().flatten() {
        segment.retire();
    }
    let segments = merge.old.len();
    tracing::info!(
        plant = plant.as_str(),
        segments,
        bytes = entry.bytes,
        "segments are merged"
    );
    Ok(segments)
}

/// The first plant that has something to merge: which of its segments, and their bytes.
fn candidates(catalogue: &Kept, target: u64) -> Option<(PlantId, Range<usize>, u64)> {
    let plants = catalogue.content.plants.iter();
    let mut plants = plants.filter(|(plant, _)| !catalogue.spared.contains(*plant));
    plants.find_map(|(plant, sealed)| {
        let lengths: Vec<_> = sealed.segments.iter().map(|entry| entry.bytes).collect();
        let range = choose(&lengths, target)?;
        let bytes = lengths.get(range.clone())?.iter().sum();
        Some((plant.clone(), range, bytes))
    })
}

/// Which neighbours are to be merged, of segments with these lengths: those that are the shortest
/// together, and those behind them that are not longer.
fn choose(lengths: &[u64], target: u64) -> Option<Range<usize>> {
    let starts = 0..lengths.len().saturating_sub(NEIGHBOURS - 1);
    let found = starts.filter_map(|from| shortest_from(lengths, from, target));
    let (mut bytes, longest, mut range) = found.min_by_key(|(bytes, ..)| *bytes)?;
    while let Some(next) = lengths.get(range.end).filter(|next| **next <= longest) {
        bytes = bytes.saturating_add(*next);
        if bytes > target || range.len() == NEIGHBOURS_MAX {
            break;
        }
        range.end += 1;
    }
    Some(range)
}

/// The fewest neighbours from one on that may be merged; with their bytes, and those of the longest.
fn shortest_from(lengths: &[u64], from: usize, target: u64) -> Option<(u64, u64, Range<usize>)> {
    let (mut bytes, mut longest) = (0_u64, 0_u64);
    for (at, next) in lengths.iter().enumerate().skip(from).take(NEIGHBOURS_MAX) {
        bytes = bytes.saturating_add(*next);
        longest = longest.max(*next);
        if bytes > target {
            return None;
        }
        if at + 1 - from >= NEIGHBOURS && longest <= bytes / GROWTH {
            return Some((bytes, longest, from..at + 1));
        }
    }
    None
}

/// Neighbours that become one segment.
struct Merge<'m> {
    shared: &'m Shared,
    plant: &'m PlantId,
    old: Vec<Arc<Segment>>,
    /// The tree over the events before them.
    before: CompactRange,
    /// The tree up to the last of them.
    after: CompactRange,
}

impl<'m> Merge<'m> {
    fn of(
        shared: &'m Shared,
        plant: &'m PlantId,
        range: Range<usize>,
    ) -> Result<Option<Self>, StoreError> {
        let sealed = {
            let index = shared.index();
            let known = index.plants.get(plant);
            known.map(|known| known.sealed.clone()).unwrap_or_default()
        };
        let before = match range.start.checked_sub(1).and_then(|at| sealed.get(at)) {
            Some(segment) => segment.summary()?.tree.clone(),
            None => CompactRange::new(),
        };
        let Some([old @ .., last]) = sealed.get(range) else {
            return Ok(None);
        };
        let after = last.summary()?.tree.clone();
        let old = old.iter().chain([last]).cloned().collect();
        Ok(Some(Self {
            shared,
            plant,
            old,
            before,
            after,
        }))
    }

    fn path(&self) -> std::path::PathBuf {
        let log = self.shared.folder.join(LOG);
        let first = self.old.first().map(|segment| segment.bounds().first);
        let last = self.old.last().map(|segment| segment.bounds().last);
        segment_path(
            &log,
            self.plant,
            first.unwrap_or_default(),
            last.unwrap_or_default(),
        )
    }

    /// Writes and verifies the new segment; nothing if the log is being closed.
    fn write(&self, stop: &AtomicBool) -> Result<Option<(Segment, Entry)>, StoreError> {
        let (disk, path) = (&self.shared.disk, self.path());
        let failed = |error| StoreError::io("write", &path, error);
        let first = self.old.first().map(|segment| segment.bounds().first);
        let file = disk.open(&path, OpenMode::Create).map_err(failed)?;
        let mut builder = Builder::new(file, self.shared.folder_id, first.unwrap_or_default());
        for segment in &self.old {
            if !take_over(segment, &mut builder, &path, stop)? {
                return Ok(None);
            }
        }
        let (_, entry) = builder.finish(self.after.clone()).map_err(failed)?;
        let log = self.shared.folder.join(LOG);
        let synced = disk.sync_dir(&plant_folder(&log, self.plant));
        synced.map_err(failed)?;
        let segment = Segment::new(disk, &log, self.shared.folder_id, self.plant, entry);
        let mut tree = self.before.clone();
        let (verified, each) = (&mut Verified::default(), &mut |_: &[u8], _: &mut _| Ok(()));
        verify(&segment, &mut tree, verified, each)?;
        if tree != self.after {
            let what = "the events did not come out of the segment as they went in";
            return Err(segment.damaged(0, what.into()));
        }
        Ok(Some((segment, entry)))
    }

    /// Gives back the room of a segment that does not count. If that fails, the next start does it.
    fn remove_unfinished(&self) {
        let path = self.path();
        if let Err(error) = self.shared.disk.remove(&path) {
            tracing::debug!(file = %path.display(), %error, "an unfinished segment stays");
        }
    }
}

/// Takes the blocks and the numbers of a segment over; answers no if the log is being closed.
fn take_over(
    segment: &Segment,
    builder: &mut Builder,
    path: &Path,
    stop: &AtomicBool,
) -> Result<bool, StoreError> {
    let (summary, file) = (segment.summary()?, segment.open()?);
    for place in &summary.blocks {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let (block, encoded) = segment.encoded_block(&*file, place)?;
        builder
            .push_sealed(block, &encoded)
            .map_err(|error| StoreError::io("write", path, error))?;
    }
    for page in &summary.pages {
        for run in segment.runs(page)? {
            builder.add_run(page.source, run);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TARGET: u64 = 1 << 26;

    /// Merges until nothing is left to merge. Each segment is a list of (bytes, how often written again).
    fn settle(segments: &mut Vec<Vec<(u64, u32)>>) {
        loop {
            let lengths: Vec<u64> = segments
                .iter()
                .map(|parts| parts.iter().map(|part| part.0).sum())
                .collect();
            let Some(range) = choose(&lengths, TARGET) else {
                return;
            };
            assert!(range.len() >= NEIGHBOURS && range.end <= segments.len());
            let merged: Vec<_> = segments.drain(range.clone()).flatten().collect();
            let again = merged.iter().map(|(bytes, times)| (*bytes, times + 1));
            segments.insert(range.start, again.collect());
        }
    }

    #[test]
    fn few_segments_are_left_and_none_is_written_often() {
        for seed in 0..20_u64 {
            let mut chance = seed;
            let (mut segments, mut most) = (Vec::new(), 0);
            for _ in 0..3_000 {
                chance = chance
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                // From a quiet plant to one whose days differ a thousandfold.
                let length = 2_000 << ((chance >> 33) % (1 + seed % 11));
                segments.push(vec![(length, 0)]);
                settle(&mut segments);
                let bytes: u64 = segments.iter().flatten().map(|(bytes, _)| bytes).sum();
                // Besides those of the target length: some for each of the lengths below.
                let short =
                    segments.len() as u64 - (bytes / (TARGET / 8)).min(segments.len() as u64);
                most = most.max(short);
            }
            let all: Vec<_> = segments.iter().flatten().copied().collect();
            let bytes: u64 = all.iter().map(|(bytes, _)| bytes).sum();
            let often = all.iter().map(|(_, times)| *times).max().unwrap();
            let written: u64 = all
                .iter()
                .map(|(bytes, times)| bytes * u64::from(*times))
                .sum();
            let times = written as f64 / bytes as f64;
            eprintln!(
                "seed {seed}: {most} short ones, written again {often} times, {times:.1} on average"
            );
            assert!(most < 150, "seed {seed}: {most}");
            // 4^8 times the shortest is beyond the target.
            assert!(often <= 8 && times < 5.5, "seed {seed}: {often}, {times}");
        }
    }

    #[test]
    fn equal_segments_are_merged_by_eights() {
        let mut segments = Vec::new();
        for count in 1..=4096_u64 {
            segments.push(vec![(1_000, 0)]);
            settle(&mut segments);
            assert!(segments.len() < 4 * 8, "{count}: {}", segments.len());
        }
        // About once for each digit in the count to the base of eight.
        assert!(segments.iter().flatten().all(|(_, times)| *times <= 5));
    }

    #[test]
    fn long_segments_and_too_few_stay() {
        assert_eq!(choose(&[1; 7], TARGET), None);
        assert_eq!(choose(&[TARGET / 8 + 1; 30], TARGET), None);
        assert_eq!(choose(&[TARGET / 8; 8], TARGET), Some(0..8));
        let one_long = [1, 1, 1, 1, 100, 1, 1, 1, 1];
        assert_eq!(choose(&one_long, TARGET), None);
        assert_eq!(choose(&[u64::MAX; 9], TARGET), None);
        assert_eq!(choose(&[3; 500], TARGET), Some(0..NEIGHBOURS_MAX));
        assert_eq!(
            choose(&[&[90; 3][..], &[3; 9], &[4]].concat(), 24),
            Some(3..11)
        );
    }
}
