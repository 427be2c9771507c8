//! Judges what one source said of one machine, one fact after the other in plant time.

use super::facts::{Fact, Facts, Said};
use super::figures::{Tally, bump};
use super::finding::{Finding, FindingKind};
use super::gaps::Gaps;
use std::collections::BTreeMap;
use werkbuch_model::event::{AspectKind, State, Vocabulary};
use werkbuch_model::id::{MachineNumber, SourceNumber};
use werkbuch_model::packml::{Jump, PackmlState, between, legal};

/// Findings of one source and machine that say the same are one, with a count.
type Grouped = BTreeMap<(FindingKind, SourceNumber, MachineNumber, String), Finding>;

/// What is needed to judge, and where it goes.
struct Court<'f> {
    facts: &'f Facts,
    gaps: &'f Gaps,
    tallies: &'f mut BTreeMap<SourceNumber, Tally>,
    findings: &'f mut Vec<Finding>,
    grouped: Grouped,
}

pub(super) fn series(
    facts: &Facts,
    gaps: &Gaps,
    tallies: &mut BTreeMap<SourceNumber, Tally>,
    findings: &mut Vec<Finding>,
) {
    let mut court = Court {
        facts,
        gaps,
        tallies,
        findings,
        grouped: Grouped::new(),
    };
    for series in facts.series() {
        series.iter().for_each(|fact| court.fact(fact));
        for pair in series.windows(2) {
            if let [before, now] = pair {
                court.pair(before, now);
            }
        }
    }
    let grouped = court.grouped.into_values();
    court.findings.extend(grouped);
}

impl Court<'_> {
    fn fact(&mut self, fact: &Fact) {
        let Said::State {
            to,
            vocabulary,
            word,
            packml,
        } = fact.said
        else {
            return;
        };
        let figures = &mut self.tallies.entry(fact.source).or_default().figures;
        bump(&mut figures.states);
        let unheard_of = vocabulary == Vocabulary::PackmlState && packml.is_none();
        if to == State::Unknown || (unheard_of && to != State::Unavailable) {
            bump(&mut figures.unknown_words);
            let word = self.facts.text(word).to_owned();
            let finding = Finding {
                what: vocabulary.name().to_owned(),
                to: word.clone(),
                ..self.about(FindingKind::UnknownWord, fact)
            };
            self.group(fact, word, finding);
        }
    }

    fn pair(&mut self, before: &Fact, now: &Fact) {
        if let (
            Said::Count {
                value: from,
                modulus,
                reset_epoch: old,
            },
            Said::Count {
                value: to,
                reset_epoch: new,
                ..
            },
        ) = (before.said, now.said)
        {
            if went_back((from, old), (to, new), modulus) {
                self.backwards(now, from, to);
            }
            return;
        }
        let (Said::State { .. }, Said::State { .. }) = (before.said, now.said) else {
            return;
        };
        // What was said before a new life, or before something was lost, says nothing of what came
        // right before this.
        let unseen = before.source != now.source
            || self.gaps.lies_between(
                now.source,
                now.machine,
                (before.at, now.at),
                (before.sequence.get(), now.sequence.get()),
            );
        if !unseen {
            self.states(before, now);
        }
    }

    fn states(&mut self, before: &Fact, now: &Fact) {
        let (
            Said::State {
                to: from,
                word: old,
                packml: left,
                ..
            },
            Said::State {
                to,
                word: new,
                packml: entered,
                ..
            },
        ) = (before.said, now.said)
        else {
            return;
        };
        if from == to && old == new {
            bump(&mut self.figures(now).repeated_states);
            let finding = Finding {
                what: AspectKind::State.name().to_owned(),
                to: self.facts.text(new).to_owned(),
                detail: "a source drops a state equal to its own last one".to_owned(),
                ..self.about(FindingKind::RepeatedState, now)
            };
            self.group(now, String::new(), finding);
            return;
        }
        let (Some(left), Some(entered)) = (left, entered) else {
            return;
        };
        bump(&mut self.figures(now).jumps_judged);
        match legal(left, entered) {
            Jump::Legal => {}
            Jump::SkippedActing { .. } => bump(&mut self.figures(now).skipped_acting),
            Jump::Illegal => {
                bump(&mut self.figures(now).illegal_jumps);
                self.findings.push(Finding {
                    what: AspectKind::State.name().to_owned(),
                    from: left.name().to_owned(),
                    to: entered.name().to_owned(),
                    detail: missed(left, entered),
                    ..about(FindingKind::IllegalJump, now)
                });
            }
        }
    }

    fn backwards(&mut self, now: &Fact, from: u64, to: u64) {
        bump(&mut self.figures(now).counters_backwards);
        let counter = now.counter.map_or("", |word| self.facts.text(word));
        self.findings.push(Finding {
            what: counter.to_owned(),
            from: from.to_string(),
            to: to.to_string(),
            detail: "without a later reset epoch".to_owned(),
            ..about(FindingKind::CounterBackwards, now)
        });
    }

    fn figures(&mut self, fact: &Fact) -> &mut super::Figures {
        &mut self.tallies.entry(fact.source).or_default().figures
    }

    fn about(&self, kind: FindingKind, fact: &Fact) -> Finding {
        about(kind, fact)
    }

    /// The first of its kind is told, the others are counted with it.
    fn group(&mut self, fact: &Fact, word: String, finding: Finding) {
        let key = (finding.kind, fact.source, fact.machine, word);
        match self.grouped.get_mut(&key) {
            Some(first) => {
                bump(&mut first.count);
                first.until = first.until.max(Some(fact.at));
            }
            None => drop(self.grouped.insert(key, finding)),
        }
    }
}

fn about(kind: FindingKind, fact: &Fact) -> Finding {
    Finding {
        position: fact.place,
        machine: Some(fact.machine),
        ..Finding::new(kind, fact.source, fact.at)
    }
}

/// A counter that wraps around does so from its upper into its lower half.
fn went_back(from: (u64, u32), to: (u64, u32), modulus: u64) -> bool {
    let ((from, old), (to, new)) = (from, to);
    if new != old {
        return new < old;
    }
    let wrapped = modulus > 0 && from >= modulus / 2 && to < modulus / 2;
    to < from && !wrapped
}

/// What must have been missed for the two states to be right.
fn missed(from: PackmlState, to: PackmlState) -> String {
    let names: Vec<_> = between(from, to).iter().map(|state| state.name()).collect();
    format!("between them lie at least {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::went_back;

    #[test]
    fn counters_go_back_when_they_neither_wrap_nor_reset() {
        for (from, to, modulus, back) in [
            ((5, 0), (6, 0), 0, false),
            ((5, 0), (5, 0), 0, false),
            ((6, 0), (5, 0), 0, true),
            ((6, 0), (0, 1), 0, false),
            ((6, 1), (9, 0), 0, true),
            ((99, 0), (3, 0), 100, false),
            ((99, 0), (98, 0), 100, true),
            ((30, 0), (3, 0), 100, true),
        ] {
            assert_eq!(
                went_back(from, to, modulus),
                back,
                "{from:?} {to:?} {modulus}"
            );
        }
    }
}
