//! The facts that are judged in the order of plant time: states and counters, corrections applied.

use super::{Voice, Window};
use std::collections::BTreeMap;
use werkbuch_model::event::{
    Body, CorrectionAction, Flags, Recorded, State, UNLISTED_AUTHORITY, Vocabulary,
};
use werkbuch_model::id::{Epoch, MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::packml::PackmlState;
use werkbuch_model::time::Timestamp;

/// The most facts that are held at once: some 170 MB.
pub(super) const FACTS_MAX: usize = 2_000_000;

/// One fact. Its order is that of the series it belongs to, and within one that of plant time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) machine: MachineNumber,
    /// The source's name, by its rank among the names.
    pub(super) voice: u32,
    /// The counter; none for states.
    pub(super) counter: Option<Word>,
    pub(super) at: Timestamp,
    pub(super) epoch: Epoch,
    pub(super) sequence: Sequence,
    pub(super) source: SourceNumber,
    pub(super) place: Position,
    /// The rank of authority of its source.
    pub(super) authority: u32,
    pub(super) said: Said,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    State {
        to: State,
        vocabulary: Vocabulary,
        word: Word,
        /// The state of the word in its vocabulary, where that is `PackML`'s and holds it.
        packml: Option<PackmlState>,
    },
    /// Whether the source can see the machine changed: nobody knows what happened meanwhile.
    Away,
    Count {
        value: u64,
        modulus: u64,
        reset_epoch: u32,
    },
}

/// A text, by its number in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word(u32);

/// The facts of a plant.
#[derive(Debug, Default)]
pub(super) struct Facts {
    facts: Vec<Fact>,
    words: BTreeMap<Box<str>, Word>,
    texts: Vec<Box<str>>,
    /// By the place that is corrected: the highest correction, and what holds there since.
    corrected: BTreeMap<Position, (Position, Option<Fact>)>,
}

impl Facts {
    pub(super) fn len(&self) -> usize {
        self.facts.len().saturating_add(self.corrected.len())
    }

    /// The text of a word.
    pub(super) fn text(&self, word: Word) -> &str {
        self.texts.get(word.0 as usize).map_or("", AsRef::as_ref)
    }

    /// Takes what an event says of states and counters, and what it corrects.
    pub(super) fn take(&mut self, event: &Recorded<'_>, voices: &BTreeMap<SourceNumber, Voice>) {
        if let Body::CorrectionRecorded(said) = &event.reported.body {
            for target in &event.corrected {
                let at = match said.action {
                    CorrectionAction::Replace => Some(target.effective_at),
                    CorrectionAction::Retime => said.new_time,
                    CorrectionAction::Retract => None,
                    CorrectionAction::Unspecified => continue,
                };
                let fact = at.and_then(|at| {
                    let voice = voices.get(&target.source)?;
                    let (counter, said) = self.said(&target.body)?;
                    Some(Fact {
                        machine: event.reported.machine,
                        voice: voice.rank_of_name,
                        counter,
                        at,
                        epoch: voice.epoch,
                        sequence: target.sequence,
                        source: target.source,
                        place: target.target,
                        authority: target.authority,
                        said,
                    })
                });
                // Corrections come in the order of their positions, and the last one wins.
                self.corrected.insert(target.target, (event.position, fact));
            }
            return;
        }
        let Some(voice) = voices.get(&event.source) else {
            return;
        };
        let Some((counter, said)) = self.said(&event.reported.body) else {
            return;
        };
        self.facts.push(Fact {
            machine: event.reported.machine,
            voice: voice.rank_of_name,
            counter,
            at: event.effective_at,
            epoch: voice.epoch,
            sequence: event.reported.sequence,
            source: event.source,
            place: event.position,
            authority: if event.flags.has(Flags::NOT_AUTHORITATIVE) {
                UNLISTED_AUTHORITY
            } else {
                event.authority
            },
            said,
        });
    }

    /// Applies the corrections, leaves out what is not of the window, and brings the facts in order.
    pub(super) fn settle(&mut self, window: Window) {
        let corrected = std::mem::take(&mut self.corrected);
        self.facts
            .retain(|fact| !corrected.contains_key(&fact.place));
        self.facts
            .extend(corrected.into_values().filter_map(|(_, fact)| fact));
        self.facts.retain(|fact| window.holds(fact.at));
        self.facts.sort_unstable_by_key(|fact| {
            let series = (fact.machine, fact.counter, fact.voice);
            (series, fact.at, fact.epoch, fact.sequence)
        });
    }

    /// What each source said of each machine's state, and of each counter; only once settled.
    pub(super) fn series(&self) -> impl Iterator<Item = &[Fact]> {
        let series = |fact: &Fact| (fact.machine, fact.counter, fact.voice);
        self.facts.chunk_by(move |a, b| series(a) == series(b))
    }

    /// What all sources said of each machine's state, source by source; only once settled.
    pub(super) fn states(&self) -> impl Iterator<Item = &[Fact]> {
        let same = |a: &Fact, b: &Fact| (a.machine, a.counter) == (b.machine, b.counter);
        let all = self.facts.chunk_by(same);
        all.filter(|facts| facts.first().is_some_and(|fact| fact.counter.is_none()))
    }

    fn said(&mut self, body: &Body<'_>) -> Option<(Option<Word>, Said)> {
        match body {
            Body::StateChanged(said) => {
                let is_packml = said.vocabulary == Vocabulary::PackmlState;
                let packml = is_packml.then(|| PackmlState::of_native(&said.native));
                let state = Said::State {
                    to: said.to,
                    vocabulary: said.vocabulary,
                    word: self.word(&said.native),
                    packml: packml.flatten(),
                };
                Some((None, state))
            }
            Body::ConnectionChanged(_) => Some((None, Said::Away)),
            Body::PartProduced(said) => {
                let counted = Said::Count {
                    value: said.value?,
                    modulus: said.modulus,
                    reset_epoch: said.reset_epoch,
                };
                Some((Some(self.word(&said.counter)), counted))
            }
            _ => None,
        }
    }

    fn word(&mut self, text: &str) -> Word {
        if let Some(word) = self.words.get(text) {
            return *word;
        }
        let word = Word(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.words.insert(text.into(), word);
        self.texts.push(text.into());
        word
    }
}
