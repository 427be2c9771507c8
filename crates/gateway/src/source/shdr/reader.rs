//! The reader: an iterator over the events of one recording.

use super::clock::Clock;
use super::intake::{Intake, Item};
use super::translate::Translator;
use super::{Counts, LOOK_AHEAD_LINES, ReadError};
use crate::source::mapping::Mapping;
use std::collections::VecDeque;
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;
use werkbuch_model::event::Reported;
use werkbuch_model::id::MachineNumber;

/// How many gaps may wait beside the lines of the look-ahead, so that noise cannot fill the memory.
const GAPS_WAITING_MAX: usize = 1024;

/// What an emitted event was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// One observation.
    Observation,
    /// The samples of a minute.
    Batch,
    /// Lines that cannot be read, or values that cannot be taken.
    Gap,
}

/// One event of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Emit {
    /// The event; sequences count from 1 in the order of emission.
    pub event: Reported<'static>,
    /// For a batch, the body with its single values; see [`decode_body`](super::decode_body).
    pub body: Option<Vec<u8>>,
    /// Whether its time (for a batch: the time of one of its samples) is not believed.
    pub suspect: bool,
    /// What it was made of.
    pub what: What,
    /// The line it comes from; the last one where there are several.
    pub line: u64,
}

/// Reads one recording as a stream. The rules are in the [module's doc](super).
///
/// Memory is bounded whatever the recording holds: by the look-ahead of 64 lines of at most 1 MiB, one
/// window of samples, and one previous value for each key of the mapping.
pub struct ShdrReader<R> {
    intake: Intake<R>,
    mapping: Arc<Mapping>,
    file: String,
    queue: VecDeque<Item>,
    lines_waiting: usize,
    clock: Clock,
    translator: Translator,
    counts: Counts,
    exhausted: bool,
    ended: bool,
}

impl<R: BufRead> ShdrReader<R> {
    /// Reads `reader`, whose lines are about `machine`. `file_name` is what gaps call the recording:
    /// give the same name each time, because it is part of what gap events say.
    pub fn new(reader: R, file_name: &str, mapping: Arc<Mapping>, machine: MachineNumber) -> Self {
        Self {
            intake: Intake::new(reader),
            translator: Translator::new(Arc::clone(&mapping), file_name, machine),
            mapping,
            file: file_name.to_owned(),
            queue: VecDeque::new(),
            lines_waiting: 0,
            clock: Clock::default(),
            counts: Counts::default(),
            exhausted: false,
            ended: false,
        }
    }

    /// What has become of the recording so far; complete once the iterator has ended.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many bytes of the decompressed recording have been read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.intake.bytes()
    }

    /// Fills the queue so that the look-ahead of its first line is complete.
    fn fill(&mut self) -> Result<(), ReadError> {
        while !self.exhausted
            && self.lines_waiting <= LOOK_AHEAD_LINES
            && self.queue.len() <= LOOK_AHEAD_LINES + GAPS_WAITING_MAX
        {
            match self.intake.pull(&self.mapping, &mut self.counts) {
                Ok(Some(item)) => {
                    self.lines_waiting += usize::from(item.line().is_some());
                    self.queue.push_back(item);
                }
                Ok(None) => self.exhausted = true,
                Err(source) => {
                    return Err(ReadError::Read {
                        file: self.file.clone(),
                        line: self.counts.lines,
                        source,
                    });
                }
            }
        }
        Ok(())
    }

    /// Works on the first item of the queue; ends when there is none.
    fn advance(&mut self) {
        match self.queue.pop_front() {
            Some(Item::Line(line)) => {
                self.lines_waiting -= 1;
                let timing = self.clock.take(line.time, line.begins_session, &self.queue);
                let highest = self.clock.of_gap(&self.queue);
                self.translator
                    .line(&line, timing, highest, &mut self.counts);
            }
            Some(Item::Lost(lost)) => {
                let at = self.clock.of_gap(&self.queue);
                self.translator.lost(lost, at, &mut self.counts);
            }
            None => {
                self.translator.finish(&mut self.counts);
                self.ended = true;
            }
        }
    }
}

impl<R: BufRead> Iterator for ShdrReader<R> {
    type Item = Result<Emit, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(emit) = self.translator.out.pop_front() {
                return Some(Ok(emit));
            }
            if self.ended {
                return None;
            }
            // Lines that wait are dropped on an error: what they become depends on what follows.
            if let Err(error) = self.fill() {
                self.ended = true;
                return Some(Err(error));
            }
            self.advance();
        }
    }
}

impl<R> fmt::Debug for ShdrReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ShdrReader");
        shown
            .field("file", &self.file)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
