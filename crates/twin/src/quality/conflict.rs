//! Finds where two sources say different things of one machine's state, and for how long.

use super::facts::{Fact, Facts, Said};
use super::figures::{Tally, bump, seconds};
use super::finding::{Finding, FindingKind};
use super::standing::CONFLICT_MIN_NS;
use std::collections::BTreeMap;
use werkbuch_model::event::{AspectKind, State};
use werkbuch_model::id::SourceNumber;
use werkbuch_model::time::Timestamp;

/// What a source says at a time.
#[derive(Clone, Copy)]
struct Word {
    state: State,
    fact: Fact,
}

/// A difference that has begun: who said what.
#[derive(Clone, Copy)]
struct Difference {
    since: Timestamp,
    says: Word,
    reference: Word,
}

pub(super) fn between_sources(
    facts: &Facts,
    end: Timestamp,
    tallies: &mut BTreeMap<SourceNumber, Tally>,
    findings: &mut Vec<Finding>,
) {
    for machine in facts.states() {
        let several =
            machine.first().map(|fact| fact.voice) != machine.last().map(|fact| fact.voice);
        if !several {
            continue;
        }
        for (difference, until) in differences(machine, end) {
            let last = until.unwrap_or(end);
            let lasted = last.since(difference.since);
            if lasted < CONFLICT_MIN_NS {
                continue;
            }
            let Difference {
                since,
                says,
                reference,
            } = difference;
            bump(
                &mut tallies
                    .entry(says.fact.source)
                    .or_default()
                    .figures
                    .conflicts,
            );
            findings.push(Finding {
                until,
                position: says.fact.place.max(reference.fact.place),
                machine: Some(says.fact.machine),
                other: Some(reference.fact.source),
                what: AspectKind::State.name().to_owned(),
                from: reference.state.name().to_owned(),
                to: says.state.name().to_owned(),
                detail: format!("for {}", seconds(lasted)),
                ..Finding::new(FindingKind::Conflict, says.fact.source, since)
            });
        }
    }
}

/// All times that a source and the one with the say differ on a machine, and when each ended.
fn differences(machine: &[Fact], end: Timestamp) -> Vec<(Difference, Option<Timestamp>)> {
    let mut order: Vec<&Fact> = machine.iter().filter(|fact| fact.at <= end).collect();
    order.sort_by_key(|fact| (fact.at, fact.voice, fact.epoch, fact.sequence));
    let mut words: BTreeMap<u32, Word> = BTreeMap::new();
    let mut open: BTreeMap<u32, Difference> = BTreeMap::new();
    let mut found = Vec::new();
    for fact in order {
        match fact.said {
            Said::State { to, .. } if !matches!(to, State::Unavailable | State::Unknown) => {
                words.insert(
                    fact.voice,
                    Word {
                        state: to,
                        fact: *fact,
                    },
                );
            }
            // A source that does not see the machine does not contradict anybody.
            _ => drop(words.remove(&fact.voice)),
        }
        // The one with the say is the first by authority, and among equals by name.
        let reference = words
            .values()
            .min_by_key(|word| (word.fact.authority, word.fact.voice));
        let Some(reference) = reference.copied() else {
            found.extend(
                std::mem::take(&mut open)
                    .into_values()
                    .map(|one| (one, Some(fact.at))),
            );
            continue;
        };
        let differing = |voice: &u32| {
            let says = words.get(voice)?;
            (says.state != reference.state).then_some(*says)
        };
        let ended: Vec<u32> = open
            .iter()
            .filter(|(voice, one)| {
                let same = |says: Word| {
                    says.state == one.says.state && reference.state == one.reference.state
                };
                !differing(voice).is_some_and(same)
            })
            .map(|(voice, _)| *voice)
            .collect();
        for voice in ended {
            found.extend(open.remove(&voice).map(|one| (one, Some(fact.at))));
        }
        for voice in words.keys() {
            if let Some(says) = differing(voice) {
                open.entry(*voice).or_insert(Difference {
                    since: fact.at,
                    says,
                    reference,
                });
            }
        }
    }
    found.extend(open.into_values().map(|one| (one, None)));
    found
}
