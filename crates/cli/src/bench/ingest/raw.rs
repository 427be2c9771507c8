//! The plain writer beside which the log is held: as many bytes, as many syncs, nothing else.

use super::path::nanos;
use crate::bench::mix::Numbers;
use crate::failure::{Failure, Outcome};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A file that grows, on the disk of the log; it vanishes in the end.
#[derive(Debug)]
pub(super) struct RawDisk {
    path: PathBuf,
    file: File,
}

impl RawDisk {
    /// A new file in the folder. Errors: those of the disk.
    pub(super) fn new(folder: &Path) -> Outcome<Self> {
        let path = folder.join("raw.bin");
        let file = File::create(&path).map_err(|error| Failure::file(&path, &error))?;
        Ok(Self { path, file })
    }

    /// Appends so many bytes in as many pieces as there are syncs. Answers the seconds.
    /// Errors: those of the disk.
    pub(super) fn write(&mut self, bytes: u64, syncs: u64) -> Outcome<f64> {
        let piece = usize::try_from(bytes.div_ceil(syncs.max(1))).unwrap_or(0);
        let mut numbers = Numbers::new(piece as u64);
        let content: Vec<u8> = (0..piece).map(|_| numbers.below(256) as u8).collect();
        let begin = Instant::now();
        for _ in 0..syncs {
            self.append(&content)?;
        }
        Ok(begin.elapsed().as_secs_f64())
    }

    /// Appends and syncs what one event takes. Answers the time in nanoseconds.
    /// Errors: those of the disk.
    pub(super) fn one(&mut self) -> Outcome<u64> {
        let begin = Instant::now();
        self.append(&[7; 320])?;
        Ok(nanos(begin))
    }

    fn append(&mut self, content: &[u8]) -> Outcome<()> {
        let written = self.file.write_all(content);
        let synced = written.and_then(|()| self.file.sync_data());
        synced.map_err(|error| Failure::file(&self.path, &error))
    }
}

impl Drop for RawDisk {
    fn drop(&mut self) {
        // In a folder that stays it would be taken for something of the log.
        let _ = std::fs::remove_file(&self.path);
    }
}
