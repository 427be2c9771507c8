//! Gaps: which were seen, and what of them is still missing.

use super::figures::Tally;
use super::finding::{Finding, FindingKind};
use std::collections::BTreeMap;
use werkbuch_model::event::{GapCause, GapDetected, Recorded};
use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The gaps of a plant, and the numbers that came after all.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    gaps: Vec<Gap>,
    /// Per source: where numbers that came late begin, and where they end.
    closed: BTreeMap<SourceNumber, BTreeMap<u64, u64>>,
}

/// A gap as it was recorded.
#[derive(Debug)]
struct Gap {
    source: SourceNumber,
    machine: MachineNumber,
    at: Timestamp,
    position: Position,
    cause: GapCause,
    /// The missing numbers; none when the gap is not in numbers.
    numbers: Option<(u64, u64)>,
    lost: Option<u64>,
    detail: String,
    in_window: bool,
}

impl Gaps {
    pub(crate) fn take(&mut self, event: &Recorded<'_>, gap: &GapDetected<'_>, in_window: bool) {
        let own = event.source.get() == 0;
        let place = match (gap.file.is_empty(), gap.detail.is_empty()) {
            (true, _) => gap.detail.to_string(),
            (false, true) => format!("{}:{}-{}", gap.file, gap.first_line, gap.last_line),
            (false, false) => {
                format!(
                    "{}:{}-{}: {}",
                    gap.file, gap.first_line, gap.last_line, gap.detail
                )
            }
        };
        self.gaps.push(Gap {
            source: if own { gap.source } else { event.source },
            machine: event.reported.machine,
            at: event.effective_at,
            position: event.position,
            cause: gap.cause,
            numbers: (own && gap.cause == GapCause::Sequence).then_some((gap.first, gap.last)),
            lost: gap.lost,
            detail: place,
            in_window,
        });
    }

    /// Numbers of a source that are no longer missing.
    pub(crate) fn close(&mut self, source: SourceNumber, first: u64, last: u64) {
        let ranges = self.closed.entry(source).or_default();
        let mut range = (first, last.max(first));
        // Grow over everything that touches it.
        while let Some((begin, end)) = ranges
            .range(..=range.1.saturating_add(1))
            .next_back()
            .map(|(begin, end)| (*begin, *end))
            .filter(|(_, end)| end.saturating_add(1) >= range.0)
        {
            ranges.remove(&begin);
            range = (range.0.min(begin), range.1.max(end));
        }
        ranges.insert(range.0, range.1);
    }

    /// Whether something between two events of a source is missing: a number between theirs, or
    /// what the source itself said was lost between their times.
    pub(crate) fn lies_between(
        &self,
        source: SourceNumber,
        machine: MachineNumber,
        times: (Timestamp, Timestamp),
        sequences: (u64, u64),
    ) -> bool {
        let (low, high) = (sequences.0.min(sequences.1), sequences.0.max(sequences.1));
        self.gaps
            .iter()
            .filter(|gap| gap.source == source)
            .any(|gap| match gap.numbers {
                Some((first, last)) => {
                    let numbers = (first.max(low), last.min(high));
                    numbers.0 <= numbers.1 && self.still_missing(source, numbers) > 0
                }
                None => {
                    let about = gap.machine.get() == 0 || gap.machine == machine;
                    about && times.0 < gap.at && gap.at <= times.1
                }
            })
    }

    /// Whether anything at all is still missing.
    pub(crate) fn is_any_open(&self) -> bool {
        self.gaps.iter().any(|gap| match gap.numbers {
            Some(numbers) => self.still_missing(gap.source, numbers) > 0,
            None => gap.lost != Some(0),
        })
    }

    /// Counts the gaps of the window and tells of each.
    pub(super) fn report(
        &self,
        tallies: &mut BTreeMap<SourceNumber, Tally>,
        findings: &mut Vec<Finding>,
    ) {
        for gap in self.gaps.iter().filter(|gap| gap.in_window) {
            let missing = match gap.numbers {
                Some(numbers) => Some(self.still_missing(gap.source, numbers)),
                None => gap.lost,
            };
            let is_open = missing != Some(0);
            let figures = &mut tallies.entry(gap.source).or_default().figures;
            figures.gaps = figures.gaps.saturating_add(1);
            figures.gaps_open = figures.gaps_open.saturating_add(u64::from(is_open));
            figures.lost = figures.lost.saturating_add(gap.lost.unwrap_or(0));
            figures.missing = figures.missing.saturating_add(missing.unwrap_or(0));
            findings.push(gap.finding(missing));
        }
    }

    fn still_missing(&self, source: SourceNumber, (first, last): (u64, u64)) -> u64 {
        let size = last.saturating_sub(first).saturating_add(1);
        let Some(ranges) = self.closed.get(&source) else {
            return size;
        };
        let before = ranges.range(..=first).next_back();
        let within = ranges.range(first.saturating_add(1)..=last.max(first.saturating_add(1)));
        let overlap = |(begin, end): (&u64, &u64)| {
            let (begin, end) = ((*begin).max(first), (*end).min(last));
            if begin > end { 0 } else { end - begin + 1 }
        };
        let came: u64 = before.into_iter().chain(within).map(overlap).sum();
        size.saturating_sub(came)
    }
}

impl Gap {
    fn finding(&self, missing: Option<u64>) -> Finding {
        let standing = match (missing, self.lost) {
            (Some(0), _) => "filled",
            (Some(missing), Some(lost)) if missing < lost => "partly filled",
            _ => "open",
        };
        let mut detail = match self.numbers {
            Some((first, last)) => format!("sequences {first} to {last}"),
            None => self.detail.clone(),
        };
        if let Some(missing) = missing.filter(|missing| *missing > 0) {
            detail = format!("{detail}; {missing} still missing")
                .trim_start_matches("; ")
                .to_owned();
        }
        Finding {
            position: self.position,
            machine: (self.machine.get() != 0).then_some(self.machine),
            what: self.cause.name().to_owned(),
            to: standing.to_owned(),
            count: self.lost.unwrap_or(0),
            detail,
            ..Finding::new(FindingKind::Gap, self.source, self.at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_late_is_missing_no_more() {
        let source = SourceNumber(1);
        let mut gaps = Gaps::default();
        assert_eq!(gaps.still_missing(source, (5, 14)), 10);
        for (range, missing) in [
            ((7, 7), 9),
            ((9, 9), 8),
            ((8, 8), 7),
            ((1, 5), 6),
            ((13, 20), 4),
            ((7, 9), 4),
            ((6, 6), 3),
            ((10, 12), 0),
        ] {
            gaps.close(source, range.0, range.1);
            assert_eq!(gaps.still_missing(source, (5, 14)), missing, "{range:?}");
        }
        assert_eq!(gaps.closed.get(&source), Some(&BTreeMap::from([(1, 20)])));
        assert_eq!(gaps.still_missing(SourceNumber(2), (5, 14)), 10);
        assert_eq!(gaps.still_missing(source, (u64::MAX, u64::MAX)), 1);
    }
}
