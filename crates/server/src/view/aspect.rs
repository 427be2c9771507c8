//! What holds for aspects of the plant and of its machines, as messages, in pages.

use super::{code, count};
use crate::limits::PAGE_BYTES_MAX;
use prost::Message;
use std::collections::BTreeMap;
use werkbuch_model::event::AspectKind;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::plant::in_class;
use werkbuch_twin::Twin;
use werkbuch_twin::view::ValueView;
use werkbuch_wire::pb;

/// Which aspects are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) kinds: Vec<AspectKind>,
    /// A name or class of items; empty for all.
    pub(crate) item: String,
    /// Only of this machine.
    pub(crate) machine: Option<MachineNumber>,
}

/// A page of what holds.
pub(crate) struct Page {
    pub(crate) values: Vec<pb::AspectValue>,
    /// Where to go on; absent on the last page.
    pub(crate) next: Option<usize>,
    pub(crate) total: i32,
    pub(crate) of_kinds: i32,
}

impl Page {
    /// What matches from the offset on. A page ends early when its message would become too large.
    pub(crate) fn of(twin: &Twin, wanted: &Wanted, from: usize, size: usize) -> Self {
        let all: Vec<ValueView<'_>> = wanted
            .kinds
            .iter()
            .flat_map(|kind| holding(twin, *kind))
            .collect();
        let of_kinds = count(all.len());
        let matching: Vec<&ValueView<'_>> = all
            .iter()
            .filter(|value| wanted.item.is_empty() || in_class(&wanted.item, value.item))
            .filter(|value| {
                wanted
                    .machine
                    .is_none_or(|machine| machine == value.machine)
            })
            .collect();
        let mut values = Vec::new();
        let mut bytes = 0_usize;
        for value in matching.iter().skip(from).take(size) {
            let name = twin.description().name_of(value.machine);
            let message = message(name.map_or("", |name| name.as_str()), value);
            bytes = bytes.saturating_add(message.encoded_len());
            if bytes > PAGE_BYTES_MAX && !values.is_empty() {
                break;
            }
            values.push(message);
        }
        let next = from.saturating_add(values.len());
        Self {
            next: (next < matching.len()).then_some(next),
            values,
            total: count(matching.len()),
            of_kinds,
        }
    }
}

/// What holds for a kind; of a plan the version that does, and of buffers those that are there.
fn holding(twin: &Twin, kind: AspectKind) -> Vec<ValueView<'_>> {
    let mut values = twin.values(kind);
    if kind == AspectKind::Plan {
        let plans = twin.plans();
        let holds: BTreeMap<&str, u32> = plans.iter().map(|one| (one.plan, one.version)).collect();
        values.retain(|value| {
            holds
                .get(value.item)
                .is_some_and(|version| u64::from(*version) == value.number >> 32)
        });
    }
    if kind == AspectKind::Buffer {
        values.retain(|value| twin.description().buffer(value.item).is_some());
    }
    values
}

/// What holds for one aspect, as a message, with the name of the machine that it is about.
pub(crate) fn message(machine: &str, value: &ValueView<'_>) -> pb::AspectValue {
    pb::AspectValue {
        aspect: code(value.aspect.code()),
        item: value.item.to_owned(),
        sub: value.sub.to_owned(),
        machine: value.machine.get(),
        machine_name: machine.to_owned(),
        since: value.since.nanos(),
        source: format!("{}#{}", value.source, value.epoch),
        position: value.position.get(),
        // A body that was folded is one that can be written.
        body: werkbuch_record::body_message(&value.body).ok(),
    }
}
