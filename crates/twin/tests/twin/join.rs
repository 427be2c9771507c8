//! The join, against a naive model: all events in a list, sorted, the last one holds.

use crate::bodies::{SLOTTED, any_kind, body};
use crate::writer::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;

const SOURCES: [Name; 5] = [("b", 1), ("a", 2), ("c", 1), ("a", 1), ("b", 12)];
const RANKS: [u32; 6] = [0, 0, 0, 1, 2, 255];
const TIMES: i64 = 6;
/// The time between two of them: so long that parts fall out of the window of what is tracked.
const STEP: i64 = 5 * DAY_NS;
const DAY_NS: i64 = 86_400_000_000_000;

/// One step of a history. Targets are indices into the steps before it.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all steps are reports")]
pub(crate) enum Step {
    Report {
        said: Said,
    },
    Fix {
        action: CorrectionAction,
        targets: Vec<usize>,
        value: usize,
        new_time: i64,
    },
}

fn reports() -> impl Strategy<Value = Vec<Step>> {
    let one = (
        0..SOURCES.len(),
        0..3u32,
        0..TIMES,
        0..RANKS.len(),
        any_kind(),
        0..9usize,
    );
    prop::collection::vec(one, 1..24).prop_map(|all| {
        let mut sequences = BTreeMap::new();
        let said = all
            .into_iter()
            .map(|(source, machine, at, rank, kind, value)| {
                let sequence: &mut u64 = sequences.entry(source).or_default();
                *sequence += 1;
                // What has a form of its own in the twin is always about a machine.
                let machine = if kind < SLOTTED {
                    machine.max(1)
                } else {
                    machine
                };
                Said {
                    machine,
                    source: SOURCES[source],
                    sequence: *sequence,
                    at: at * STEP,
                    authority: RANKS[rank],
                    body: body(kind, value),
                }
            });
        said.map(|said| Step::Report { said }).collect()
    })
}

/// Reports with corrections among them, each of events before it.
pub(crate) fn histories() -> impl Strategy<Value = Vec<Step>> {
    let fix = (
        1..4u32,
        prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        0..9usize,
    );
    let fixes = prop::collection::vec((fix, 0..TIMES), 0..12);
    (reports(), fixes).prop_map(|(mut steps, fixes)| {
        let reported = steps.len();
        for ((action, picks, value), new_time) in fixes {
            let action = CorrectionAction::from_code(action).unwrap();
            let machine_of = |index: &usize| match &steps[*index] {
                Step::Report { said } => said.machine,
                Step::Fix { .. } => unreachable!("reports come first"),
            };
            let mut targets: Vec<usize> = picks.iter().map(|pick| pick.index(reported)).collect();
            let first = targets[0];
            targets.retain(|target| machine_of(target) == machine_of(&first));
            let mut seen = BTreeSet::new();
            targets.retain(|target| seen.insert(*target));
            if action != CorrectionAction::Retract {
                targets.truncate(1);
            }
            steps.push(Step::Fix {
                action,
                targets,
                value,
                new_time: new_time * STEP,
            });
        }
        steps
    })
}

/// The kind of body that has the same aspects as a body, or some of them.
fn replacement(of: &Body<'static>, value: usize) -> Body<'static> {
    let same = (0..crate::bodies::KINDS)
        .map(|kind| body(kind, value))
        .find(|other| {
            other.kind() == of.kind()
                && (other.kind() == Kind::SampleReported || aspects(other) == aspects(of))
        });
    same.unwrap_or_else(|| of.clone())
}

/// Lets the steps arrive in the order of their keys, a correction after its targets and after
/// earlier corrections of them; calls `check` after each.
pub(crate) fn arrive(steps: &[Step], keys: &[u32], mut check: impl FnMut(&Writer)) -> Writer {
    let mut writer = Writer::default();
    let mut positions: BTreeMap<usize, Position> = BTreeMap::new();
    let mut waiting: Vec<usize> = (0..steps.len()).collect();
    waiting.sort_by_key(|index| (keys.get(*index).copied().unwrap_or(0), *index));
    while let Some(at) = waiting
        .iter()
        .position(|index| is_ready(steps, *index, &waiting))
    {
        let index = waiting.remove(at);
        match &steps[index] {
            Step::Report { said } => {
                positions.insert(index, writer.report(said.clone()));
            }
            Step::Fix {
                action,
                targets,
                value,
                new_time,
            } => {
                let targets: Vec<Position> = targets.iter().map(|index| positions[index]).collect();
                let content = writer.original_mut(targets[0]).said.body.clone();
                let replaces = *action == CorrectionAction::Replace;
                writer.correct(Fix {
                    action: *action,
                    targets,
                    replacement: replaces.then(|| replacement(&content, *value)),
                    new_time: (*action == CorrectionAction::Retime).then_some(*new_time),
                });
            }
        }
        check(&writer);
    }
    assert!(waiting.is_empty());
    writer
}

fn is_ready(steps: &[Step], index: usize, waiting: &[usize]) -> bool {
    let Step::Fix { targets, .. } = &steps[index] else {
        return true;
    };
    waiting
        .iter()
        .filter(|other| **other < index)
        .all(|other| match &steps[*other] {
            Step::Report { .. } => !targets.contains(other),
            Step::Fix {
                targets: others, ..
            } => !others.iter().any(|other| targets.contains(other)),
        })
}

type Held = (u32, AspectName, u32, (i64, String, u32, u64), Position);

/// What holds, by the naive model.
fn expected(writer: &Writer, at: Option<i64>) -> Vec<Held> {
    let mut slots = BTreeSet::new();
    for original in &writer.originals {
        for aspect in aspects(&original.body) {
            let of_plant = aspect.0.of_plant();
            let machine = if of_plant { 0 } else { original.said.machine };
            slots.insert((machine, aspect, original.said.authority));
        }
    }
    let in_scope = |time: i64| at.is_none_or(|at| time <= at);
    let winners = slots
        .into_iter()
        .filter_map(|(machine, aspect, authority)| {
            let mut holding: Vec<_> = writer
                .holding(&aspect, machine, authority)
                .filter(|(_, time)| in_scope(*time))
                .collect();
            holding.sort_by_key(|(original, time)| order(*time, &original.said));
            let (winner, time) = holding.pop()?;
            if is_forgotten(aspect.0, time, last_heard(writer, at)) {
                return None;
            }
            let (time, name, epoch, sequence) = order(time, &winner.said);
            let place = (time, name.to_owned(), epoch, sequence);
            Some((machine, aspect, authority, place, winner.position))
        });
    winners.collect()
}

/// The latest time that was heard of, whatever was corrected since.
fn last_heard(writer: &Writer, at: Option<i64>) -> Option<i64> {
    let said = writer.originals.iter().map(|original| original.said.at);
    let retimed = writer
        .events
        .iter()
        .filter_map(|event| match &event.reported.body {
            Body::CorrectionRecorded(said) => said.new_time.map(Timestamp::nanos),
            _ => None,
        });
    let times = said.chain(retimed);
    times.filter(|time| at.is_none_or(|at| *time <= at)).max()
}

/// Whether something that is tracked lies too far back; all others lie near enough here.
fn is_forgotten(kind: AspectKind, time: i64, last: Option<i64>) -> bool {
    use AspectKind::{PartDisposition, PartPlace, Transport};
    let tracked = matches!(kind, PartPlace | PartDisposition | Transport);
    tracked && last.is_some_and(|last| time < last - 14 * DAY_NS)
}

/// What holds, by the twin.
fn found(twin: &Twin) -> Vec<Held> {
    let mut all = Vec::new();
    let machines = twin.machines().map(|one| (one.number().get(), one.held()));
    for (machine, held) in std::iter::once((0, twin.held_by_plant())).chain(machines) {
        for slot in held {
            let (item, sub) = (slot.item.to_owned(), slot.sub.to_owned());
            let aspect = (slot.aspect, item, sub, slot.number);
            let time = slot.effective_at.nanos();
            let place = (
                time,
                slot.source.to_owned(),
                slot.epoch,
                slot.sequence.get(),
            );
            all.push((machine, aspect, slot.rank.into(), place, slot.place));
        }
    }
    all
}

/// A twin that was told in order what holds by now, and nothing else: its values are right.
fn told_in_order(writer: &Writer, at: Option<i64>) -> Twin {
    let mut told = Writer::default();
    for name in SOURCES.iter().rev() {
        told.open(*name);
    }
    let mut holding: Vec<Said> = Vec::new();
    for original in &writer.originals {
        if let Some(time) = original.at.filter(|time| at.is_none_or(|at| *time <= at)) {
            let body = original.body.clone();
            holding.push(Said {
                at: time,
                body,
                ..original.said.clone()
            });
        }
    }
    holding.sort_by_key(|said| order(said.at, said));
    holding.into_iter().for_each(|said| {
        told.report(said);
    });
    hear(&mut told, last_heard(writer, at));
    told.twin(None)
}

/// Lets a writer hear of a time, and nothing else: what is said is retracted.
fn hear(writer: &mut Writer, time: Option<i64>) {
    let Some(at) = time else { return };
    let said = Said {
        machine: 9,
        source: SOURCES[0],
        sequence: 1_000,
        at,
        authority: 0,
        body: crate::bodies::item("witness", None),
    };
    let target = writer.report(said);
    writer.correct(Fix {
        action: CorrectionAction::Retract,
        targets: vec![target],
        replacement: None,
        new_time: None,
    });
}

fn last_event(writer: &Writer, machine: u32, at: Option<i64>) -> Option<Timestamp> {
    let said = writer.originals.iter().map(|original| &original.said);
    said.filter(|said| said.machine == machine && at.is_none_or(|at| said.at <= at))
        .map(|said| Timestamp(said.at))
        .max()
}

fn check_against_the_model(writer: &Writer) {
    for at in std::iter::once(None).chain((-1..=TIMES).map(|time| Some(time * STEP))) {
        let twin = writer.twin(at);
        assert_eq!(found(&twin), expected(writer, at), "at {at:?}");
        assert_eq!(
            twin.digest(),
            told_in_order(writer, at).digest(),
            "at {at:?}"
        );
        for machine in twin.machines() {
            let last = last_event(writer, machine.number().get(), at);
            assert_eq!(machine.last_event_at(), last, "at {at:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn the_latest_in_order_holds_at_every_instant(
        steps in histories(),
        keys in prop::collection::vec(any::<u32>(), 40),
    ) {
        arrive(&steps, &keys, check_against_the_model);
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        steps in histories(),
        keys in prop::collection::vec(any::<u32>(), 40),
        other in prop::collection::vec(any::<u32>(), 40),
    ) {
        let one = arrive(&steps, &keys, |_| {});
        let two = arrive(&steps, &other, |_| {});
        for at in std::iter::once(None).chain((-1..=TIMES).map(|time| Some(time * STEP))) {
            prop_assert_eq!(one.twin(at).digest(), two.twin(at).digest(), "at {:?}", at);
        }
    }

    #[test]
    fn without_corrections_any_order_will_do(
        steps in reports(),
        keys in prop::collection::vec(any::<u32>(), 40),
        other in prop::collection::vec(any::<u32>(), 40),
    ) {
        let one = arrive(&steps, &keys, |_| {});
        let two = arrive(&steps, &other, |_| {});
        prop_assert_eq!(one.twin(None).digest(), two.twin(None).digest());
        let views = |writer: &Writer| {
            let twin = writer.twin(None);
            let views = twin.machines().map(|machine| {
                let mut view = machine.view();
                view.last_position = Position(0);
                view.state.position = None;
                serde_json::to_string(&view).unwrap()
            });
            views.collect::<Vec<_>>()
        };
        prop_assert_eq!(views(&one), views(&two));
    }
}
