//! The digest: SHA-256 over the canonical encoding of the state, for every machine and build alike.
//!
//! Numbers are big-endian, texts and lists begin with their length, what may be absent begins with
//! 0 or 1, floats go in by their bits. What follows arrival stays out: positions, recorded_at, the
//! numbers of sources and texts, the writer's own records; so does what protects people's fields.

use crate::Twin;
use crate::machine::MachineState;
use crate::shards::PlantSlot;
use crate::slot::Slot;
use crate::value::*;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use werkbuch_model::event::OrderKey;

/// What digests are of; begins the encoding.
const DOMAIN: &[u8] = b"werkbuch twin state";

impl Twin {
    /// SHA-256 over the canonical encoding of the state. Equal for the same set of reported events
    /// under the same description, whatever the order of arrival; comparable only between folds of
    /// the same [`crate::FOLD_VERSION`].
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut out = Canon(Sha256::new());
        out.bytes(DOMAIN);
        out.u32(crate::FOLD_VERSION);
        crate::describe::encode(&self.plant.description, &mut out);
        let says = |machine: &&Arc<MachineState>| machine.held(self.window).next().is_some();
        let machines = || self.machines.iter().filter(says);
        out.length(machines().count());
        machines().for_each(|machine| self.encode_machine(machine, &mut out));
        self.encode_plant(&mut out);
        out.0.finalize().into()
    }

    fn encode_machine(&self, machine: &MachineState, out: &mut Canon) {
        out.u32(machine.number.get());
        let text = |symbol| self.symbols.text(symbol);
        let mut slots: Vec<(&str, &str, &Slot)> = machine
            .held(self.window)
            .map(|slot| (text(slot.key.item), text(slot.key.sub), slot))
            .collect();
        slots.sort_by_key(|(item, sub, slot)| (slot.key.kind, *item, *sub, slot.key.rank));
        out.length(slots.len());
        for (item, sub, slot) in slots {
            out.u32(slot.key.kind.code());
            out.text(item);
            out.text(sub);
            out.u32(u32::from(slot.key.rank.0));
            self.encode_order(&slot.order(), out);
            if let Some(value) = machine.value(slot) {
                self.encode_value(&value, out);
            }
        }
    }

    /// What holds of the plant itself.
    fn encode_plant(&self, out: &mut Canon) {
        let mut slots: Vec<&PlantSlot> = self.shards.all(self.window).collect();
        slots.sort_by(|a, b| a.key.cmp(&b.key));
        out.length(slots.len());
        for slot in slots {
            out.u32(slot.key.kind.code());
            out.text(&slot.key.item);
            out.text(&slot.key.sub);
            out.u64(slot.key.number);
            out.u32(u32::from(slot.key.rank.0));
            out.u32(slot.machine.get());
            self.encode_order(&slot.order(), out);
            crate::fact::encode(&slot.content, out);
        }
    }

    fn encode_order(&self, order: &OrderKey, out: &mut Canon) {
        out.i64(order.effective_at.nanos());
        let source = self.source(order.source);
        out.text(source.map_or("", |source| &source.name));
        out.u32(source.map_or(0, |source| source.epoch.get()));
        out.u64(order.sequence.get());
    }

    /// The kind of aspect tells which fields follow.
    fn encode_value(&self, value: &SlotValue<'_>, out: &mut Canon) {
        let text = |symbol| self.symbols.text(symbol);
        match value {
            SlotValue::Declaration(said) => self.encode_declaration(said, out),
            SlotValue::Connection { to, cause } => {
                out.u32(to.code());
                out.text(cause);
            }
            SlotValue::State {
                to,
                from,
                vocabulary,
                native,
                reason,
            } => {
                out.u32(to.code());
                out.u32(from.code());
                out.u32(vocabulary.code());
                out.text(text(*native));
                out.text(text(*reason));
            }
            SlotValue::Mode {
                to,
                vocabulary,
                native,
            } => {
                out.u32(to.code());
                out.u32(vocabulary.code());
                out.text(text(*native));
            }
            SlotValue::Program(said) => encode_program(said, out),
            SlotValue::Part(said) => self.encode_part(said, out),
            SlotValue::AlarmRaise(said) => {
                out.text(text(said.code));
                out.u32(said.severity);
                out.text(said.text);
                out.text(text(said.native));
            }
            SlotValue::AlarmAcknowledge { who, comment } => {
                out.flag(who.present);
                out.flag(comment.present);
            }
            SlotValue::AlarmClear { duration_ms } => out.option(*duration_ms, Canon::u64),
            SlotValue::Condition {
                level,
                qualifier,
                severity,
                text: said,
            } => {
                out.u32(level.code());
                out.u32(qualifier.code());
                out.text(text(*severity));
                out.text(said);
            }
            SlotValue::Override { what, percent } => {
                out.u32(what.code());
                out.option(*percent, Canon::f64);
            }
            SlotValue::Tool(said) => encode_tool(said, out),
            SlotValue::Item { text } => out.option(*text, Canon::text),
            SlotValue::Sample(said) => self.encode_sample(said, out),
            SlotValue::Fact(bytes) => crate::fact::encode(bytes, out),
        }
    }

    fn encode_declaration(&self, said: &DeclarationValue<'_>, out: &mut Canon) {
        out.text(said.manufacturer);
        out.text(said.model);
        out.text(said.serial);
        out.length(said.items.len());
        for item in &said.items {
            out.text(self.symbols.text(item.id));
            out.text(self.symbols.text(item.item_type));
            out.text(self.symbols.text(item.unit));
            out.u32(item.category.code());
            out.option(item.deadband, Canon::f64);
        }
    }

    fn encode_part(&self, said: &PartValue<'_>, out: &mut Canon) {
        out.u32(said.meaning.code());
        out.option(said.value, Canon::u64);
        out.u64(said.modulus);
        out.u32(said.reset_epoch);
        out.text(self.symbols.text(said.part_type));
        out.text(said.part);
    }

    fn encode_sample(&self, said: &SampleValue, out: &mut Canon) {
        out.i64(said.period_start_ns);
        out.u64(said.period_ms);
        out.text(self.symbols.text(said.unit));
        out.u64(said.n);
        out.u64(said.unavailable);
        for figure in [said.min, said.max, said.mean, said.last] {
            out.option(figure, Canon::f64);
        }
    }
}

fn encode_program(said: &ProgramValue<'_>, out: &mut Canon) {
    out.option(said.program, Canon::text);
    out.text(said.revision);
    out.text(said.block);
}

fn encode_tool(said: &ToolValue<'_>, out: &mut Canon) {
    out.option(said.tool, Canon::text);
    out.option(said.life_used, Canon::f64);
    out.option(said.life_limit, Canon::f64);
    out.u32(said.life_unit.code());
}

/// Writes the canonical encoding into the hash.
pub(crate) struct Canon(Sha256);

impl Canon {
    pub(crate) fn u32(&mut self, value: u32) {
        self.0.update(value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.update(value.to_be_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.0.update(value.to_be_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.0.update([u8::from(value)]);
    }

    pub(crate) fn length(&mut self, length: usize) {
        self.u64(length as u64);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.update(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
}
