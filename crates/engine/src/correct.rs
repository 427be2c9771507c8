//! Finds what a correction's targets said and what holds again once they are gone.
//!
//! First form: one pass over the log for the first correction of a batch, a second one when it is about
//! an aspect of the plant, and over what is new for the others. Corrections are rare, and the plant's
//! writer waits meanwhile so that nothing can come between.

use crate::error::EngineError;
use crate::recover::{each_event, each_event_near};
use crate::writer::Writer;
use bytes::Bytes;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use werkbuch_journal::Store;
use werkbuch_model::event::{
    Aspect, AspectKind, Body, Corrected, Correction, CorrectionAction, OrderKey, Recorded, Refusal,
    RefusalReason, Restored,
};
use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_record::decode_recorded;

/// Reads the histories of a plant's machines.
#[derive(Debug)]
pub(crate) struct Corrector<'a> {
    pub(crate) store: &'a Arc<dyn Store>,
    pub(crate) plant: &'a PlantId,
    pub(crate) last: &'a RefCell<LastHistory>,
}

/// The history that was read last, for the next correction of the same machine.
#[derive(Debug, Default)]
pub(crate) struct LastHistory {
    machine: MachineNumber,
    read_to: Position,
    /// The aspects of the plant that the targets set, and how far the log was read for them.
    shared: BTreeSet<AspectName>,
    shared_to: Position,
    history: Arc<History>,
}

/// The recorded events of one machine, and those of others that set an aspect of the plant which one
/// of the targets sets too; as stored, by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    events: BTreeMap<Position, Bytes>,
}

/// An aspect by its texts.
type AspectName = (AspectKind, String, String, u64);

/// An event of a history with what corrections have made of it.
#[derive(Clone, Debug)]
struct Entry<'h> {
    place: Position,
    machine: MachineNumber,
    key: OrderKey,
    authority: u32,
    body: Body<'h>,
    holds: bool,
}

impl Corrector<'_> {
    /// The history of a machine (or of what is about none), for corrections of these targets.
    /// Errors: the log cannot be read.
    pub(crate) fn history(
        &self,
        machine: MachineNumber,
        targets: &[Position],
    ) -> Result<Arc<History>, EngineError> {
        let mut last = self.last.borrow_mut();
        self.read_machine(&mut last, machine)?;
        self.read_shared(&mut last, targets)?;
        Ok(Arc::clone(&last.history))
    }

    fn read_machine(
        &self,
        last: &mut LastHistory,
        machine: MachineNumber,
    ) -> Result<(), EngineError> {
        if last.machine != machine {
            *last = LastHistory {
                machine,
                ..LastHistory::default()
            };
        }
        let LastHistory {
            read_to, history, ..
        } = last;
        let events = &mut Arc::make_mut(history).events;
        each_event_near(
            &**self.store,
            self.plant,
            machine,
            read_to.next(),
            &mut |event, bytes| {
                if event.reported.machine == machine && event.is_reported() {
                    events.insert(event.position, Bytes::copy_from_slice(bytes));
                }
                *read_to = event.position;
                Ok(())
            },
        )
    }

    /// Reads what other machines said about the aspects of the plant that the targets set: once for
    /// all targets of a batch.
    fn read_shared(&self, last: &mut LastHistory, targets: &[Position]) -> Result<(), EngineError> {
        let mut wanted = BTreeSet::new();
        for bytes in targets.iter().filter_map(|at| last.history.events.get(at)) {
            if let Ok(event) = decode_recorded(bytes) {
                wanted.extend(shared_aspects(&event.reported.body));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        if !wanted.is_subset(&last.shared) {
            last.shared.extend(wanted);
            last.shared_to = Position(0);
        }
        let LastHistory {
            machine,
            shared,
            shared_to,
            history,
            ..
        } = last;
        let events = &mut Arc::make_mut(history).events;
        let meant = |body: &Body<'_>| {
            shared_aspects(body)
                .iter()
                .any(|name| shared.contains(name))
        };
        each_event(
            &**self.store,
            self.plant,
            shared_to.next(),
            &mut |event, bytes| {
                let says = || {
                    meant(&event.reported.body)
                        || event
                            .corrected
                            .iter()
                            .any(|corrected| meant(&corrected.body))
                };
                if event.reported.machine != *machine && event.is_reported() && says() {
                    events.insert(event.position, Bytes::copy_from_slice(bytes));
                }
                *shared_to = event.position;
                Ok(())
            },
        )
    }
}

impl History {
    /// The targets of a correction as they stand, each with what holds again in its place.
    /// Errors: a refusal when a target cannot be corrected in this way.
    pub(crate) fn resolve<'h>(
        &'h self,
        writer: &Writer,
        machine: MachineNumber,
        correction: &Correction<'h>,
    ) -> Result<Vec<Corrected<'h>>, Refusal> {
        let mut entries = BTreeMap::new();
        for bytes in self.events.values() {
            if let Ok(event) = decode_recorded(bytes) {
                note(&mut entries, event);
            }
        }
        let mut corrected: Vec<Corrected<'h>> = Vec::new();
        for target in &correction.targets {
            if corrected.iter().any(|done| done.target == *target) {
                return Err(bad_target(*target, "is named twice"));
            }
            let one = resolve_target(writer, &entries, (machine, correction), *target)?;
            apply(&mut entries, correction.action, correction.new_time, &one);
            corrected.push(one);
        }
        Ok(corrected)
    }
}

fn resolve_target<'h>(
    writer: &Writer,
    entries: &BTreeMap<Position, Entry<'h>>,
    (machine, correction): (MachineNumber, &Correction<'h>),
    target: Position,
) -> Result<Corrected<'h>, Refusal> {
    let entry = entries.get(&target);
    let Some(entry) = entry.filter(|entry| entry.machine == machine) else {
        let what = match machine.get() {
            0 => "is not an event about the plant that sets its state",
            _ => "is not an event of this machine that sets its state",
        };
        return Err(bad_target(target, what));
    };
    let body = match correction.replacement.as_deref() {
        None => entry.body.clone(),
        Some(replacement) => {
            if aspects(replacement) != aspects(&entry.body) {
                return Err(Refusal::new(
                    RefusalReason::CorrectionMismatch,
                    "replacement",
                    format!("the replacement is about another aspect than event {target}"),
                ));
            }
            replacement.clone()
        }
    };
    let restored = if correction.action == CorrectionAction::Replace {
        Vec::new()
    } else {
        restored(writer, entries, entry)
    };
    Ok(Corrected {
        target,
        effective_at: entry.key.effective_at,
        source: entry.key.source,
        sequence: entry.key.sequence,
        authority: entry.authority,
        body,
        restored,
    })
}

/// For each aspect of an entry the greatest other entry below it that holds; each entry once.
fn restored<'h>(
    writer: &Writer,
    entries: &BTreeMap<Position, Entry<'h>>,
    target: &Entry<'h>,
) -> Vec<Restored<'h>> {
    let mut found: BTreeMap<Position, Restored<'h>> = BTreeMap::new();
    for aspect in aspects(&target.body) {
        let below = entries.values().filter(|entry| {
            entry.holds
                && entry.place != target.place
                && entry.authority == target.authority
                && compare(writer, &entry.key, &target.key) == Ordering::Less
                && (aspect.0.of_plant() || entry.machine == target.machine)
                && aspects(&entry.body).contains(&aspect)
        });
        let Some(before) = below.max_by(|a, b| compare(writer, &a.key, &b.key)) else {
            continue;
        };
        found.entry(before.place).or_insert_with(|| Restored {
            position: before.place,
            effective_at: before.key.effective_at,
            source: before.key.source,
            sequence: before.key.sequence,
            authority: before.authority,
            body: before.body.clone(),
            machine: before.machine,
        });
    }
    found.into_values().collect()
}

fn note<'h>(entries: &mut BTreeMap<Position, Entry<'h>>, event: Recorded<'h>) {
    if let Body::CorrectionRecorded(correction) = &event.reported.body {
        for corrected in &event.corrected {
            apply(entries, correction.action, correction.new_time, corrected);
        }
        return;
    }
    let mut sets_state = false;
    event
        .reported
        .body
        .for_each_aspect(&mut |_| sets_state = true);
    if sets_state {
        let entry = Entry {
            place: event.position,
            machine: event.reported.machine,
            key: event.order_key(),
            authority: event.authority,
            body: event.reported.body,
            holds: true,
        };
        entries.insert(entry.place, entry);
    }
}

fn apply<'h>(
    entries: &mut BTreeMap<Position, Entry<'h>>,
    action: CorrectionAction,
    new_time: Option<werkbuch_model::time::Timestamp>,
    corrected: &Corrected<'h>,
) {
    let Some(entry) = entries.get_mut(&corrected.target) else {
        return;
    };
    entry.holds = action != CorrectionAction::Retract;
    entry.body = corrected.body.clone();
    if let Some(new_time) = new_time {
        entry.key.effective_at = new_time;
    }
}

/// The order of events in plant time; sources by name and epoch, never by the order of arrival.
fn compare(writer: &Writer, a: &OrderKey, b: &OrderKey) -> Ordering {
    let name = |key: &OrderKey| {
        writer
            .source(key.source)
            .map(|source| (&source.name, source.epoch))
    };
    a.effective_at
        .cmp(&b.effective_at)
        .then_with(|| name(a).cmp(&name(b)))
        .then_with(|| a.sequence.cmp(&b.sequence))
}

/// The aspects of the plant that a body sets: several machines may set the same.
fn shared_aspects(body: &Body<'_>) -> Vec<AspectName> {
    let mut list = aspects(body);
    list.retain(|(kind, ..)| kind.of_plant());
    list
}

fn aspects(body: &Body<'_>) -> Vec<AspectName> {
    let mut list = Vec::new();
    body.for_each_aspect(&mut |aspect: Aspect<'_>| {
        let Aspect {
            kind,
            item,
            sub,
            number,
        } = aspect;
        list.push((kind, item.to_owned(), sub.to_owned(), number));
    });
    list.sort();
    list
}

fn bad_target(target: Position, what: &str) -> Refusal {
    Refusal::new(
        RefusalReason::CorrectionTarget,
        "targets",
        format!("position {target} {what}"),
    )
}
