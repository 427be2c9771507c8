//! Reads a file from front to back through a buffer.

use std::io;

use crate::disk::DiskFile;

/// How much is read at once.
const STEP_BYTES: usize = 1024 * 1024;

/// A file with the part of it that is in memory.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    file: &'a dyn DiskFile,
    length: u64,
    start: u64,
    buffer: Vec<u8>,
}

impl<'a> Window<'a> {
    pub(crate) fn new(file: &'a dyn DiskFile) -> io::Result<Self> {
        Ok(Self {
            file,
            length: file.len()?,
            start: 0,
            buffer: Vec::new(),
        })
    }

    /// The length of the file when the window was opened.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Up to `bytes` bytes from `offset`; fewer only at the end of the file.
    pub(crate) fn get(&mut self, offset: u64, bytes: usize) -> io::Result<&[u8]> {
        let left = self.length.saturating_sub(offset);
        let wanted = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        let inside = offset
            .checked_sub(self.start)
            .and_then(|at| usize::try_from(at).ok())
            .filter(|at| at.saturating_add(wanted) <= self.buffer.len());
        let at = match inside {
            Some(at) => at,
            None => {
                let step = wanted.max(STEP_BYTES);
                let step = step.min(usize::try_from(left).unwrap_or(usize::MAX));
                self.buffer.resize(step, 0);
                let read = self.file.read_at(&mut self.buffer, offset)?;
                self.buffer.truncate(read);
                self.start = offset;
                0
            }
        };
        let end = at.saturating_add(wanted).min(self.buffer.len());
        Ok(self.buffer.get(at..end).unwrap_or_default())
    }
}
