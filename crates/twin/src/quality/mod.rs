//! How good a plant's data are: a view derived from recorded events over a window of plant time.
//!
//! Nothing of it is stored, and nothing of it is part of the state. Where the order of events
//! matters, it is their order in plant time, so that the view does not depend on who arrived first;
//! what arrival itself is about (lag, lateness, rhythm) follows the log.

mod conflict;
mod facts;
mod figures;
mod finding;
pub(crate) mod gaps;
mod judge;
mod silence;
mod spread;
mod standing;

pub use figures::Figures;
pub use finding::{Finding, FindingKind};
pub use silence::{Rhythm, Silence};
pub use spread::Spread;
pub use standing::{CONFLICT_MIN_NS, standing_conflicts};

use crate::order::Source;
use facts::{FACTS_MAX, Facts};
use figures::Tally;
use gaps::Gaps;
use serde::Serialize;
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, Flags, Recorded};
use werkbuch_model::id::{Epoch, MachineNumber, SourceNumber};
use werkbuch_model::time::Timestamp;

/// The most findings that a report holds; what is beyond is counted.
pub const FINDINGS_MAX: usize = 100_000;

/// The plant time that is looked at: from the first time on, before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The first time in it.
    pub from: Timestamp,
    /// The first time behind it.
    pub to: Timestamp,
}

impl Window {
    /// Whether the time lies in it.
    #[must_use]
    pub fn holds(self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }
}

/// How silence is judged: by the time that it is asked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judging {
    /// The time up to which a source could have spoken.
    pub at: Timestamp,
    /// How long a source may be silent, in nanoseconds; absent for what its own rhythm says.
    pub silent_after_ns: Option<i64>,
    /// When sources were last heard that are not heard in what was folded.
    pub heard_before: BTreeMap<SourceNumber, Timestamp>,
}

/// One source of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceQuality {
    /// Its number in the log.
    pub number: SourceNumber,
    /// Its name.
    pub name: Box<str>,
    /// Its life.
    pub epoch: Epoch,
    /// What was counted of it.
    pub figures: Figures,
    /// Whether it is silent.
    pub silence: Silence,
}

/// The quality of a plant's data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityReport {
    /// The plant time that was looked at.
    pub window: Window,
    /// The time at which silence was judged.
    pub at: Timestamp,
    /// The sources that reported in what was folded, or are known, by number.
    pub sources: Vec<SourceQuality>,
    /// All sources together, and what is of no source.
    pub plant: Figures,
    /// What was found, by time, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub findings_total: usize,
}

/// A source by what matters here; the index of its first life stands for its name.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    pub(crate) number: SourceNumber,
    pub(crate) name: Box<str>,
    pub(crate) epoch: Epoch,
    /// Whether it is the last life of its name, and one that reports as things happen.
    pub(crate) expected: bool,
    /// The lives of one name share it; in the order of the names.
    pub(crate) rank_of_name: u32,
    pub(crate) ever_reported: bool,
}

/// Takes the recorded events of a plant in the order of their positions, from anywhere on.
#[derive(Debug)]
pub struct QualityFold {
    window: Window,
    voices: BTreeMap<SourceNumber, Voice>,
    tallies: BTreeMap<SourceNumber, Tally>,
    facts: Facts,
    gaps: Gaps,
    /// The greatest effective time so far of each machine, by the name of who reported it.
    heights: BTreeMap<(u32, MachineNumber), Timestamp>,
    findings: Vec<Finding>,
    clock_jumps: u64,
}

impl QualityFold {
    /// A fold over a window, of a plant with these sources.
    #[must_use]
    pub fn new(window: Window, sources: &[Source]) -> Self {
        Self {
            window,
            voices: voices(sources),
            tallies: BTreeMap::new(),
            facts: Facts::default(),
            gaps: Gaps::default(),
            heights: BTreeMap::new(),
            findings: Vec::new(),
            clock_jumps: 0,
        }
    }

    /// Whether it holds as much as it may. Then the caller stops, and says up to which position the
    /// report goes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.facts.len() >= FACTS_MAX || self.findings.len() >= FINDINGS_MAX
    }

    /// Takes the next event. Events of sources that were not handed in are left out.
    pub fn take(&mut self, event: &Recorded<'_>) {
        let in_window = self.window.holds(event.effective_at);
        match &event.reported.body {
            Body::GapDetected(gap) => self.gaps.take(event, gap, in_window),
            Body::EventRefused(refused) => {
                self.gaps.close(refused.source, refused.first, refused.last);
                if in_window {
                    let tally = self.tallies.entry(refused.source).or_default();
                    tally.refused(refused);
                    self.findings.push(Finding::refused(event, refused));
                }
            }
            Body::ClockJumped(jump) if in_window => {
                self.clock_jumps = self.clock_jumps.saturating_add(1);
                self.findings.push(Finding::clock_jump(event, jump));
            }
            _ => {}
        }
        let Some(voice) = self.voices.get(&event.source) else {
            return;
        };
        let tally = self.tallies.entry(event.source).or_default();
        tally.heard(event.recorded_at);
        if event.flags.has(Flags::LATE_FILLER) {
            let number = event.reported.sequence.get();
            self.gaps.close(event.source, number, number);
        }
        self.facts.take(event, &self.voices);
        if !in_window {
            return;
        }
        let key = (voice.rank_of_name, event.reported.machine);
        let height = self.heights.entry(key).or_insert(event.effective_at);
        let behind = height.since(event.effective_at);
        *height = (*height).max(event.effective_at);
        tally.count(event, behind);
    }

    /// The report: every series of facts judged in the order of plant time.
    #[must_use]
    pub fn finish(self, judging: &Judging, standing: Vec<Finding>) -> QualityReport {
        let Self {
            window,
            voices,
            mut tallies,
            mut facts,
            gaps,
            heights: _,
            mut findings,
            clock_jumps,
        } = self;
        facts.settle(window);
        judge::series(&facts, &gaps, &mut tallies, &mut findings);
        conflict::between_sources(
            &facts,
            judging.at.min(window.to),
            &mut tallies,
            &mut findings,
        );
        for finding in standing {
            let tally = tallies.entry(finding.source).or_default();
            tally.figures.conflicts = tally.figures.conflicts.saturating_add(1);
            findings.push(finding);
        }
        gaps.report(&mut tallies, &mut findings);
        let mut sources = Vec::new();
        let mut plant = Figures {
            clock_jumps,
            ..Figures::default()
        };
        for voice in voices.values() {
            let tally = tallies.remove(&voice.number).unwrap_or_default();
            if !voice.ever_reported && tally.is_empty() {
                continue;
            }
            findings.extend(tally.suspects(voice.number));
            let silence = silence::judge(voice, &tally, judging);
            findings.extend(silence::finding(voice, &silence, judging));
            plant.add(&tally.figures);
            sources.push(SourceQuality {
                number: voice.number,
                name: voice.name.clone(),
                epoch: voice.epoch,
                figures: tally.figures,
                silence,
            });
        }
        plant.silent = sources.iter().filter(|one| one.silence.is_silent()).count() as u64;
        findings.sort_by(Finding::by_time);
        let findings_total = findings.len();
        findings.truncate(FINDINGS_MAX);
        QualityReport {
            window,
            at: judging.at,
            sources,
            plant,
            findings,
            findings_total,
        }
    }
}

fn voices(sources: &[Source]) -> BTreeMap<SourceNumber, Voice> {
    let mut names: Vec<&str> = sources.iter().map(|source| &*source.name).collect();
    names.sort_unstable();
    names.dedup();
    let voice = |source: &Source| {
        let lives = sources.iter().filter(|other| other.name == source.name);
        let is_last = lives.map(|life| life.epoch).max() == Some(source.epoch);
        let rank = names.binary_search(&&*source.name).unwrap_or(0);
        let voice = Voice {
            number: source.number,
            name: source.name.clone(),
            epoch: source.epoch,
            expected: is_last && source.kind == werkbuch_model::event::SourceKind::Live,
            rank_of_name: u32::try_from(rank).unwrap_or(u32::MAX),
            ever_reported: source.last_position.get() != 0,
        };
        (source.number, voice)
    };
    sources.iter().map(voice).collect()
}
