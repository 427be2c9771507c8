//! What counters of parts moved on by between two times, with bounds where reports are missing.

use crate::Twin;
use crate::quality::gaps::Gaps;
use serde::Serialize;
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, CorrectionAction, Flags, PartMeaning, PartProduced, Recorded};
use werkbuch_model::id::{Epoch, MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The most counts that are held at once: some 130 MB.
const COUNTS_MAX: usize = 1_000_000;

/// A number of parts between bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The likeliest number.
    pub parts: u64,
    /// No fewer.
    pub lower: u64,
    /// No more; absent when nothing bounds it.
    pub upper: Option<u64>,
}

impl Range {
    /// Exactly so many.
    #[must_use]
    pub const fn exactly(parts: u64) -> Self {
        Self {
            parts,
            lower: parts,
            upper: Some(parts),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            parts: self.parts.saturating_add(other.parts),
            lower: self.lower.saturating_add(other.lower),
            upper: self
                .upper
                .zip(other.upper)
                .map(|(a, b)| a.saturating_add(b)),
        }
    }

    /// This or none of it.
    #[must_use]
    pub fn perhaps(self) -> Self {
        Self { lower: 0, ..self }
    }
}

/// One report of a counter.
#[derive(Clone, Debug)]
struct Count {
    at: Timestamp,
    epoch: Epoch,
    sequence: Sequence,
    source: SourceNumber,
    authority: u32,
    /// Where it stands; absent for a single part.
    value: Option<u64>,
    modulus: u64,
    reset_epoch: u32,
}

/// What a counter is known by.
type Counter = (MachineNumber, String);

/// Takes the recorded events of a plant in the order of their positions, from before the first time
/// that is asked about.
#[derive(Debug)]
pub struct Moves {
    epochs: BTreeMap<SourceNumber, Epoch>,
    counts: BTreeMap<Counter, BTreeMap<Position, Count>>,
    held: usize,
    gaps: Gaps,
}

impl Moves {
    /// A fold for a plant with the sources of this twin.
    #[must_use]
    pub fn new(twin: &Twin) -> Self {
        let epochs = twin
            .sources()
            .iter()
            .map(|source| (source.number, source.epoch));
        Self {
            epochs: epochs.collect(),
            counts: BTreeMap::new(),
            held: 0,
            gaps: Gaps::default(),
        }
    }

    /// Whether it holds as much as it may. Then what follows is missing, and the caller says so.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.held >= COUNTS_MAX
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Recorded<'_>) {
        let machine = event.reported.machine;
        match &event.reported.body {
            Body::GapDetected(gap) => self.gaps.take(event, gap, false),
            Body::PartProduced(said) if !event.flags.has(Flags::NOT_AUTHORITATIVE) => {
                let order = (event.effective_at, event.source, event.reported.sequence);
                self.count(event.position, machine, order, event.authority, said);
            }
            Body::CorrectionRecorded(said) => {
                for target in &event.corrected {
                    self.held = self
                        .held
                        .saturating_sub(self.forget(machine, target.target));
                    let at = match said.action {
                        CorrectionAction::Replace => Some(target.effective_at),
                        CorrectionAction::Retime => said.new_time,
                        _ => None,
                    };
                    if let (Some(at), Body::PartProduced(said)) = (at, &target.body) {
                        let order = (at, target.source, target.sequence);
                        self.count(target.target, machine, order, target.authority, said);
                    }
                }
            }
            _ => {}
        }
        if event.flags.has(Flags::LATE_FILLER) {
            let number = event.reported.sequence.get();
            self.gaps.close(event.source, number, number);
        }
    }

    /// What the counters of a machine with this meaning moved on by after `from`, up to and with `to`.
    /// Absent when it has none, as far as the twin knows.
    #[must_use]
    pub fn made(
        &self,
        twin: &Twin,
        machine: MachineNumber,
        meaning: PartMeaning,
        (from, to): (Timestamp, Timestamp),
    ) -> Option<Range> {
        let counters = twin.machine(machine)?.counters();
        let counters = counters.iter().filter(|one| one.meaning == meaning);
        let ranges = counters.map(|one| {
            let key = (machine, one.counter.to_owned());
            match self.series(&key) {
                series if !series.is_empty() => self.range(machine, &series, from, to),
                // Its last report is older than anything that was read: it has not moved since.
                _ if one.at <= from && !self.gaps.is_any_open() => Range::exactly(0),
                _ => Range {
                    upper: None,
                    ..Range::exactly(0)
                },
            }
        });
        ranges.reduce(Range::plus)
    }

    fn count(
        &mut self,
        place: Position,
        machine: MachineNumber,
        (at, source, sequence): (Timestamp, SourceNumber, Sequence),
        authority: u32,
        said: &PartProduced<'_>,
    ) {
        if said.value.is_none() && said.part.is_empty() {
            return;
        }
        let count = Count {
            at,
            epoch: self.epochs.get(&source).copied().unwrap_or_default(),
            sequence,
            source,
            authority,
            value: said.value,
            modulus: said.modulus,
            reset_epoch: said.reset_epoch,
        };
        let counter = self
            .counts
            .entry((machine, said.counter.to_string()))
            .or_default();
        if counter.insert(place, count).is_none() {
            self.held = self.held.saturating_add(1);
        }
    }

    fn forget(&mut self, machine: MachineNumber, place: Position) -> usize {
        let counters = self.counts.iter_mut().filter(|((of, _), _)| *of == machine);
        counters
            .filter_map(|(_, counts)| counts.remove(&place))
            .count()
    }

    /// The reports of a counter by the source that has the say, in plant order.
    fn series(&self, key: &Counter) -> Vec<&Count> {
        let Some(counts) = self.counts.get(key) else {
            return Vec::new();
        };
        let least = counts.values().map(|count| count.authority).min();
        let mut series: Vec<&Count> = counts
            .values()
            .filter(|count| Some(count.authority) == least)
            .collect();
        series.sort_by_key(|count| (count.at, count.epoch, count.sequence));
        series
    }

    fn range(
        &self,
        machine: MachineNumber,
        series: &[&Count],
        from: Timestamp,
        to: Timestamp,
    ) -> Range {
        let mut range = Range::exactly(0);
        let mut before: Option<&Count> = None;
        for count in series {
            if count.at > to {
                // It may have moved before `to` and been reported after.
                if let Some(before) = before
                    && self.is_gap(machine, before, count)
                {
                    range.upper = range
                        .upper
                        .zip(step(before, count).upper)
                        .map(|(a, b)| a.saturating_add(b));
                }
                return range;
            }
            if count.at > from {
                let step = match before {
                    Some(before) => {
                        let step = step(before, count);
                        match (self.is_gap(machine, before, count), before.at <= from) {
                            (false, _) => step,
                            // It moved between the two reports, before `from` or after.
                            (true, true) if before.reset_epoch == count.reset_epoch => {
                                step.perhaps()
                            }
                            (true, false) if before.reset_epoch == count.reset_epoch => step,
                            // What came before the reset was lost with its report.
                            (true, spans) => Range {
                                upper: None,
                                lower: if spans { 0 } else { step.lower },
                                ..step
                            },
                        }
                    }
                    // Where it stood at `from` was not read.
                    None => Range {
                        upper: None,
                        ..Range::exactly(u64::from(count.value.is_none()))
                    },
                };
                range = range.plus(step);
            }
            before = Some(count);
        }
        let lost = before.is_some_and(|last| {
            let (times, sequences) = ((last.at, to), (last.sequence.get(), u64::MAX));
            self.gaps
                .lies_between(last.source, machine, times, sequences)
        });
        if lost {
            range.upper = None;
        }
        range
    }

    fn is_gap(&self, machine: MachineNumber, before: &Count, count: &Count) -> bool {
        before.source != count.source
            || self.gaps.lies_between(
                count.source,
                machine,
                (before.at, count.at),
                (before.sequence.get(), count.sequence.get()),
            )
    }
}

/// What a counter moved on by from one report to the next.
fn step(before: &Count, count: &Count) -> Range {
    let Some(value) = count.value else {
        return Range::exactly(1);
    };
    let unknown = Range {
        upper: None,
        ..Range::exactly(0)
    };
    let resets = count.reset_epoch.checked_sub(before.reset_epoch);
    match before.value {
        None => unknown,
        Some(_) if resets == Some(1) => Range::exactly(value),
        // Nobody told what it counted between the resets.
        Some(_) if resets.is_some_and(|resets| resets > 1) => Range {
            upper: None,
            ..Range::exactly(value)
        },
        Some(_) if resets.is_none() => unknown,
        Some(old) if value >= old => Range::exactly(value - old),
        Some(old) if count.modulus > 0 => {
            Range::exactly(count.modulus.saturating_sub(old).saturating_add(value))
        }
        // It went back: nobody knows what that means for parts.
        Some(_) => unknown,
    }
}
