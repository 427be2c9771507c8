//! When nobody watched: the times in which something that a source said is lost.
//!
//! A gap tells that something is missing, and the source's events before and after it tell when that
//! was. A gap in the numbers lasts from the last event that came before it to the first that came after;
//! it is none once all its numbers have come late. A loss that the source itself tells of lasts from its
//! last event before to the time that it tells.

use crate::quality::Window;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::{Body, Flags, GapCause, GapDetected, Recorded};
use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// Takes the recorded events of a plant in the order of their positions.
#[derive(Clone, Debug)]
pub struct Unseen {
    window: Window,
    /// The latest time that each source has spoken for, of any machine.
    heard: BTreeMap<SourceNumber, Timestamp>,
    gaps: Vec<Gap>,
    /// The machines that each source spoke of.
    voices: BTreeSet<(MachineNumber, SourceNumber)>,
}

/// Something that a source said and that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The source.
    pub source: SourceNumber,
    /// The machine that it was about; absent when it can be any that the source speaks of.
    pub machine: Option<MachineNumber>,
    /// When it was said, as far as that is known. It may be a moment, then both times are the same.
    pub time: Window,
    /// How many observations are missing still; absent when nobody knows.
    pub missing: Option<u64>,
    /// Why it is lost.
    pub cause: GapCause,
    /// The position of the event that tells of it.
    pub position: Position,
}

#[derive(Clone, Debug)]
struct Gap {
    source: SourceNumber,
    /// The machine that it is about; 0 for all that the source speaks of.
    machine: MachineNumber,
    begin: Timestamp,
    end: Option<Timestamp>,
    /// The missing numbers, and how many of them are missing still.
    numbers: Option<(u64, u64, u64)>,
    /// How many are lost, as whoever found it said.
    lost: Option<u64>,
    cause: GapCause,
    position: Position,
}

impl Unseen {
    /// What was not seen in a window, of which nothing is known yet.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self {
            window,
            heard: BTreeMap::new(),
            gaps: Vec::new(),
            voices: BTreeSet::new(),
        }
    }

    /// Notes that a source speaks of a machine, as what came before the window tells.
    pub fn speaks(&mut self, machine: MachineNumber, source: SourceNumber) {
        self.voices.insert((machine, source));
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Recorded<'_>) {
        match &event.reported.body {
            Body::GapDetected(gap) => return self.gap(event, gap),
            Body::EventRefused(refused) => {
                self.fill(refused.source, refused.first, refused.last);
                return;
            }
            Body::CorrectionRecorded(_) => return,
            _ if !event.is_reported() => return,
            _ => {}
        }
        let (source, number) = (event.source, event.reported.sequence.get());
        self.voices.insert((event.reported.machine, source));
        if event.flags.has(Flags::LATE_FILLER) {
            self.fill(source, number, number);
            return;
        }
        let of_source = self.gaps.iter_mut().filter(|gap| gap.source == source);
        for gap in of_source {
            let waits = gap.numbers.is_some_and(|(_, last, _)| number > last);
            if gap.end.is_none() && waits {
                gap.end = Some(event.effective_at);
            }
        }
        let heard = self.heard.entry(source).or_insert(event.effective_at);
        *heard = (*heard).max(event.effective_at);
    }

    /// The times in the window in which something about a machine is lost, in order, apart.
    #[must_use]
    pub fn of(&self, machine: MachineNumber) -> Vec<Window> {
        let speaks = |gap: &&Gap| match gap.machine.get() {
            0 => self.voices.contains(&(machine, gap.source)),
            _ => gap.machine == machine,
        };
        let mut times: Vec<Window> = self
            .gaps
            .iter()
            .filter(speaks)
            .filter(|gap| gap.is_open())
            .map(|gap| gap.time(self.window))
            .filter(|time| time.from < time.to)
            .collect();
        times.sort_by_key(|time| (time.from, time.to));
        let mut apart: Vec<Window> = Vec::new();
        for time in times {
            match apart.last_mut() {
                Some(last) if time.from <= last.to => last.to = last.to.max(time.to),
                _ => apart.push(time),
            }
        }
        apart
    }

    /// What is lost and was said in the window, in the order in which it was found out.
    pub fn losses(&self) -> impl Iterator<Item = Loss> + '_ {
        let open = self.gaps.iter().filter(|gap| gap.is_open());
        let inside = open.filter(|gap| {
            let time = gap.time(self.window);
            let moment = gap.end == Some(gap.begin) && self.window.holds(gap.begin);
            time.from < time.to || moment
        });
        inside.map(|gap| Loss {
            source: gap.source,
            machine: (gap.machine.get() != 0).then_some(gap.machine),
            time: gap.time(self.window),
            missing: gap
                .numbers
                .map_or(gap.lost, |(_, _, missing)| Some(missing)),
            cause: gap.cause,
            position: gap.position,
        })
    }

    /// Whether a source has spoken of a machine, as far as is known.
    #[must_use]
    pub fn is_spoken_of(&self, machine: MachineNumber, source: SourceNumber) -> bool {
        self.voices.contains(&(machine, source))
    }

    fn gap(&mut self, event: &Recorded<'_>, gap: &GapDetected<'_>) {
        let own = !event.is_reported();
        let source = if own { gap.source } else { event.source };
        let numbered = own && gap.cause == GapCause::Sequence;
        let missing = gap.last.saturating_sub(gap.first).saturating_add(1);
        self.gaps.push(Gap {
            source,
            machine: event.reported.machine,
            begin: self.heard.get(&source).copied().unwrap_or(self.window.from),
            end: (!numbered).then_some(event.effective_at),
            numbers: numbered.then_some((gap.first, gap.last, missing)),
            lost: gap.lost,
            cause: gap.cause,
            position: event.position,
        });
        if !own {
            let heard = self.heard.entry(source).or_insert(event.effective_at);
            *heard = (*heard).max(event.effective_at);
        }
    }

    fn fill(&mut self, source: SourceNumber, first: u64, last: u64) {
        for gap in self.gaps.iter_mut().filter(|gap| gap.source == source) {
            if let Some((from, to, missing)) = &mut gap.numbers {
                let (from, to) = (first.max(*from), last.min(*to));
                if from <= to {
                    *missing = missing.saturating_sub(to - from + 1);
                }
            }
        }
    }
}

impl Gap {
    /// Whether something is missing still.
    fn is_open(&self) -> bool {
        match self.numbers {
            Some((_, _, missing)) => missing > 0,
            None => true,
        }
    }

    fn time(&self, window: Window) -> Window {
        Window {
            from: self.begin.max(window.from),
            to: self.end.unwrap_or(window.to).min(window.to),
        }
    }
}
