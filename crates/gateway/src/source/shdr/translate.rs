//! Turns the lines of a recording into events, and counts what becomes of each observation.

use super::Counts;
use super::batch::Batch;
use super::clock::Timing;
use super::counts::cut;
use super::intake::Line;
use super::parse::{Observation, Value, parse};
use super::reader::{Emit, What};
use super::values::{Made, Refused, count, make};
use crate::source::gap::Lost;
use crate::source::mapping::{Entry, Found, Mapping, Rule, device_and_key};
use std::collections::VecDeque;
use std::sync::Arc;
use werkbuch_model::event::{Body, Reported};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::Timestamp;

/// What is known of a key from the lines before.
#[derive(Clone, Debug, Default)]
struct Before {
    /// What it said last, if it may be taken as known.
    value: Option<Box<str>>,
    /// Where its counter stood last, and when.
    counter: Option<(u64, Timestamp)>,
    /// How often its counter has begun anew.
    resets: u32,
}

/// A gap of refused values that may still grow, and its time.
#[derive(Debug)]
struct OpenGap {
    lost: Lost,
    at: Timestamp,
}

/// What is wrong with one line.
#[derive(Debug, Default)]
struct Faults {
    refused: u64,
    unreadable_rest: bool,
    first: Option<String>,
}

/// Makes events.
pub(super) struct Translator {
    mapping: Arc<Mapping>,
    file: String,
    machine: MachineNumber,
    before: Vec<Before>,
    batch: Option<Batch>,
    gap: Option<OpenGap>,
    sequence: u64,
    pub(super) out: VecDeque<Emit>,
}

impl Translator {
    pub(super) fn new(mapping: Arc<Mapping>, file: &str, machine: MachineNumber) -> Self {
        Self {
            before: vec![Before::default(); mapping.len()],
            mapping,
            file: cut(file, 1024).to_owned(),
            machine,
            batch: None,
            gap: None,
            sequence: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes a line, whose session's highest accepted time is `highest`.
    pub(super) fn line(
        &mut self,
        line: &Line,
        timing: Timing,
        highest: Timestamp,
        counts: &mut Counts,
    ) {
        let mapping = Arc::clone(&self.mapping);
        let content = line.text.trim_end_matches(['\r', '\n']);
        let parsed = parse(content.get(line.at..).unwrap_or_default(), &mapping);
        let mut faults = Faults::default();
        for observation in &parsed.observations {
            counts.observations += 1;
            if let Err(refused) = self.observation(observation, line.number, timing, counts) {
                counts.refuse(refused.reason);
                faults.refused += 1;
                let key = cut(observation.key, 64);
                faults
                    .first
                    .get_or_insert_with(|| format!("\"{key}\": {}", refused.detail));
            }
        }
        if let Some(reason) = parsed.rest {
            faults.unreadable_rest = true;
            faults.first.get_or_insert_with(|| reason.to_owned());
        }
        if let Some(first) = faults.first.take() {
            self.faulty(line, &faults, first, highest, counts);
        }
    }

    /// Takes lines that cannot be read.
    pub(super) fn lost(&mut self, lost: Lost, at: Timestamp, counts: &mut Counts) {
        self.flush_gap(counts);
        self.emit_gap(lost, at, counts);
        self.forget();
    }

    /// Emits what is still open, at the end of the recording.
    pub(super) fn finish(&mut self, counts: &mut Counts) {
        self.flush_gap(counts);
        self.close_batch(counts);
    }

    fn observation(
        &mut self,
        observation: &Observation<'_>,
        line: u64,
        timing: Timing,
        counts: &mut Counts,
    ) -> Result<(), Refused> {
        if let Some((device, _)) = device_and_key(observation.key) {
            counts.device(device);
        }
        let (index, entry) = match observation.found {
            Found::Entry(index, entry) if entry.rule != Rule::Ignore => (index, entry),
            found => {
                counts.ignored += 1;
                if found == Found::Unmapped {
                    counts.unmapped(observation.key);
                }
                return Ok(());
            }
        };
        let joined;
        let text = match &observation.value {
            Value::One(text) => text,
            Value::Condition(fields) => {
                joined = fields.join("|");
                joined.as_str()
            }
        };
        if self
            .before
            .get(index)
            .and_then(|held| held.value.as_deref())
            == Some(text)
        {
            counts.unchanged += 1;
            return Ok(());
        }
        let resets = self.stamp(index, entry, text, timing.observed_at);
        match make(entry, observation.value, resets)? {
            Made::Event(body) => {
                self.flush_gap(counts);
                counts.events += 1;
                counts.suspect_clock += u64::from(timing.suspect);
                self.emit(body, timing, What::Observation, line, None);
            }
            Made::Sample(value) => {
                self.flush_gap(counts);
                counts.sampled += 1;
                counts.suspect_samples += u64::from(timing.suspect);
                self.sample(entry, value, line, timing, counts);
            }
        }
        if let Some(held) = self.before.get_mut(index) {
            held.value = Some(text.into());
        }
        Ok(())
    }

    /// The reset epoch of a counter's new value. A value below the last one is a reset, unless it is
    /// older than the last one: then it is late, and changes nothing.
    fn stamp(&mut self, index: usize, entry: &Entry, text: &str, time: Timestamp) -> u32 {
        let Some(before) = self.before.get_mut(index) else {
            return 0;
        };
        let value = match entry.rule {
            Rule::Counter { .. } => count(text).ok().flatten(),
            _ => None,
        };
        if let Some(value) = value {
            let late = before.counter.is_some_and(|(_, last)| time < last);
            if !late {
                let fell = before.counter.is_some_and(|(last, _)| value < last);
                before.resets = before.resets.saturating_add(u32::from(fell));
                before.counter = Some((value, time));
            }
        }
        before.resets
    }

    fn sample(
        &mut self,
        entry: &Entry,
        value: Option<f64>,
        line: u64,
        timing: Timing,
        counts: &mut Counts,
    ) {
        let unit = match &entry.rule {
            Rule::Sample(unit) => unit,
            _ => "",
        };
        // A time that is not believed would open a window far away.
        let time = timing.observed_at;
        if self
            .batch
            .as_ref()
            .is_some_and(|batch| !batch.takes(time, &entry.item, unit))
        {
            self.close_batch(counts);
        }
        let batch = self.batch.get_or_insert_with(|| Batch::open(time));
        batch.add(time, &entry.item, unit, value);
        batch.suspect |= timing.suspect;
        batch.last_line = line;
    }

    fn close_batch(&mut self, counts: &mut Counts) {
        let Some(batch) = self.batch.take() else {
            return;
        };
        let (line, suspect) = (batch.last_line, batch.suspect);
        let closed = batch.close();
        let timing = Timing {
            suspect,
            ..Timing::believed(closed.latest)
        };
        counts.batches += 1;
        let body = Body::SampleReported(closed.event);
        self.emit(body, timing, What::Batch, line, Some(closed.body));
    }

    /// Notes a line with faults: it joins the open gap if it follows it directly and nothing was
    /// emitted since.
    fn faulty(
        &mut self,
        line: &Line,
        faults: &Faults,
        first: String,
        highest: Timestamp,
        counts: &mut Counts,
    ) {
        let refused = (!faults.unreadable_rest).then_some(faults.refused);
        let bytes = line.text.as_bytes();
        match &mut self.gap {
            Some(gap) if gap.lost.joins(line.number) => {
                gap.lost.add(line.number, bytes, refused);
                gap.at = highest;
            }
            _ => {
                self.flush_gap(counts);
                self.gap = Some(OpenGap {
                    lost: Lost::new(line.number, bytes, refused, first),
                    at: highest,
                });
            }
        }
        self.forget();
    }

    fn flush_gap(&mut self, counts: &mut Counts) {
        if let Some(gap) = self.gap.take() {
            self.emit_gap(gap.lost, gap.at, counts);
        }
    }

    fn emit_gap(&mut self, lost: Lost, at: Timestamp, counts: &mut Counts) {
        counts.gaps += 1;
        let (line, timing) = (lost.last_line, Timing::believed(at));
        let body = Body::GapDetected(lost.event(&self.file));
        self.emit(body, timing, What::Gap, line, None);
    }

    /// After a gap nothing may be taken as known: every key is affirmed anew.
    fn forget(&mut self) {
        for before in &mut self.before {
            before.value = None;
        }
    }

    fn emit(
        &mut self,
        body: Body<'static>,
        timing: Timing,
        what: What,
        line: u64,
        sample_body: Option<Vec<u8>>,
    ) {
        self.sequence += 1;
        self.out.push_back(Emit {
            event: Reported {
                sequence: Sequence(self.sequence),
                machine: self.machine,
                occurred_at: timing.occurred_at,
                observed_at: Some(timing.observed_at),
                historical: false,
                body,
            },
            body: sample_body,
            suspect: timing.suspect,
            what,
            line,
        });
    }
}
