//! A machine as a message: in brief for lists, in full for the question about it.

use super::code;
use super::row::{MachineRow, Raised};
use werkbuch_model::event::AspectKind;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::MachineTwin;
use werkbuch_twin::line::{Provenance, WaitCause};
use werkbuch_twin::view::{AlarmView, ConditionView, CounterView, SampleView};
use werkbuch_wire::{name, pb};

/// A machine without its alarms, conditions and other values.
pub(crate) fn in_brief(plant: &str, row: &MachineRow<'_>) -> pb::Machine {
    let number = row.machine.number().get();
    let id = match row.id() {
        "" => number.to_string(),
        id => id.to_owned(),
    };
    let (state, mode, place) = (row.state(), row.mode(), row.place());
    pb::Machine {
        name: name::of_machine(plant, &id),
        number,
        display_name: row
            .described
            .map(|machine| machine.name.clone())
            .unwrap_or_default(),
        machine_type: row
            .described
            .map(|one| one.machine_type.clone())
            .unwrap_or_default(),
        area: place.area.to_owned(),
        line: place.line.to_owned(),
        cell: place.cell.to_owned(),
        state: code(state.shown.code()),
        reported_state: code(state.signal.code()),
        native_state: state.native.to_owned(),
        reason: state.reason.to_owned(),
        since: state.since.map(Timestamp::nanos),
        mode: mode.map_or(0, |mode| code(mode.mode.code())),
        native_mode: mode.map(|mode| mode.native.to_owned()).unwrap_or_default(),
        program: row.program().map(str::to_owned),
        connection: row
            .connection()
            .map_or(0, |connection| code(connection.to.code())),
        active_alarms: row.active_alarms(),
        condition: code(row.condition().code()),
        last_event_at: row.last_event_at().map(Timestamp::nanos),
        counters: row.counters().iter().map(counter).collect(),
        wait_cause: row.wait_cause().map(wait_cause),
        raised_rules: row.raised.map(|raised| raised.rules),
        raised_severity: row.raised.and_then(Raised::severity),
        ..pb::Machine::default()
    }
}

/// A machine with all that is known of it.
pub(crate) fn in_full(plant: &str, row: &MachineRow<'_>) -> pb::Machine {
    pb::Machine {
        alarms: row.machine.alarms().iter().map(alarm).collect(),
        conditions: row.machine.conditions().iter().map(condition).collect(),
        values: values(&row.machine),
        aspects: row
            .machine
            .all_values()
            .iter()
            .map(|value| super::aspect::message(row.id(), value))
            .collect(),
        ..in_brief(plant, row)
    }
}

pub(super) fn wait_cause(cause: &WaitCause) -> pb::WaitCause {
    let provenance = match cause.provenance {
        Provenance::Reported => pb::Provenance::Reported,
        Provenance::Inferred => pb::Provenance::Inferred,
        Provenance::Unknown => pb::Provenance::Unknown,
    };
    pb::WaitCause {
        state: code(cause.state.code()),
        provenance: provenance.into(),
        because: cause.because.clone(),
    }
}

fn counter(counter: &CounterView<'_>) -> pb::Counter {
    pb::Counter {
        counter: counter.counter.to_owned(),
        meaning: code(counter.meaning.code()),
        value: counter.value,
        reset_epoch: counter.reset_epoch,
        at: counter.at.nanos(),
    }
}

fn alarm(alarm: &AlarmView<'_>) -> pb::Alarm {
    pb::Alarm {
        key: alarm.key.to_owned(),
        code: alarm.code.to_owned(),
        severity: alarm.severity.unwrap_or_default(),
        text: alarm.text.to_owned(),
        active: alarm.active,
        raised_at: alarm.raised_at.map(Timestamp::nanos),
        acknowledged_at: alarm.acknowledged_at.map(Timestamp::nanos),
        cleared_at: alarm.cleared_at.map(Timestamp::nanos),
    }
}

fn condition(condition: &ConditionView<'_>) -> pb::Condition {
    let active = condition.active.iter().map(|active| pb::ActiveCondition {
        code: active.code.to_owned(),
        level: code(active.level.code()),
        text: active.text.to_owned(),
        since: active.since.nanos(),
    });
    // The oldest of what stands; when nothing does, the last that was said.
    let oldest = condition.active.iter().map(|active| active.since).min();
    pb::Condition {
        item: condition.item.to_owned(),
        level: code(condition.level.code()),
        since: oldest.unwrap_or(condition.last_at).nanos(),
        active: active.collect(),
    }
}

/// The aspects that have no field of their own, in the order of their kinds.
fn values(machine: &MachineTwin<'_>) -> Vec<pb::Value> {
    let mut values = Vec::new();
    for mode in machine.modes() {
        let said = format!("{} ({})", mode.mode, mode.native);
        values.push(value(AspectKind::Mode, mode.vocabulary.name(), mode.since).text(Some(&said)));
    }
    for program in machine.programs() {
        values.push(value(AspectKind::Program, program.slot, program.since).text(program.program));
    }
    for one in machine.overrides() {
        values.push(value(AspectKind::Override, one.item, one.since).number(one.percent));
    }
    for tool in machine.tools() {
        let said = value(AspectKind::Tool, tool.slot, tool.since).text(tool.tool);
        values.push(said.number(tool.life_used));
    }
    for item in machine.items() {
        values.push(value(AspectKind::Item, item.item, item.since).text(item.text));
    }
    for sample in machine.samples() {
        let said = value(AspectKind::Sample, sample.item, sample.at).number(sample.last);
        values.push(said.text(shown(&sample).as_deref()));
    }
    values.into_iter().map(|said| said.0).collect()
}

/// The last value of a sample with its unit.
fn shown(sample: &SampleView<'_>) -> Option<String> {
    let last = sample.last?;
    Some(if sample.unit.is_empty() {
        last.to_string()
    } else {
        format!("{last} {}", sample.unit)
    })
}

/// A value that is being put together.
struct Said(pb::Value);

fn value(aspect: AspectKind, item: &str, at: Timestamp) -> Said {
    Said(pb::Value {
        aspect: code(aspect.code()),
        item: item.to_owned(),
        text: None,
        number: None,
        at: at.nanos(),
    })
}

impl Said {
    fn text(mut self, text: Option<&str>) -> Self {
        self.0.text = text.map(str::to_owned);
        self
    }

    fn number(mut self, number: Option<f64>) -> Self {
        self.0.number = number;
        self
    }
}
