//! The canonical encoding of a plant's description, for the digest.

use crate::digest::Canon;
use werkbuch_model::plant::{Authority, Buffer, Description, Flow, Machine, Unit};

/// Everything in the description, in the order in which it lists its objects.
pub(crate) fn encode(description: &Description, out: &mut Canon) {
    out.flag(description.is_declared());
    out.text(&description.plant().name);
    out.text(&description.plant().time_zone);
    list(description.units(), out, encode_unit);
    list(description.machines(), out, encode_machine);
    list(description.removed(), out, encode_machine);
    list(description.buffers(), out, encode_buffer);
    list(description.flows(), out, encode_flow);
    list(description.authorities(), out, encode_authority);
}

fn list<T>(items: impl Iterator<Item = T>, out: &mut Canon, encode: fn(T, &mut Canon)) {
    let items: Vec<T> = items.collect();
    out.length(items.len());
    items.into_iter().for_each(|item| encode(item, out));
}

fn encode_unit(unit: &Unit, out: &mut Canon) {
    out.text(unit.id.as_str());
    out.text(&unit.name);
    out.u32(unit.level.code());
    out.option(unit.parent.as_ref(), |out, parent| {
        out.text(parent.as_str())
    });
}

fn encode_machine(machine: &Machine, out: &mut Canon) {
    out.u32(machine.number.get());
    out.text(machine.id.as_str());
    out.text(&machine.name);
    out.option(machine.parent.as_ref(), |out, parent| {
        out.text(parent.as_str())
    });
    out.text(&machine.machine_type);
    out.u32(machine.vocabulary.code());
    list(machine.aliases.iter(), out, |alias, out| {
        out.text(alias.as_str())
    });
}

fn encode_buffer(buffer: &Buffer, out: &mut Canon) {
    out.text(buffer.id.as_str());
    out.text(&buffer.name);
    out.option(buffer.parent.as_ref(), |out, parent| {
        out.text(parent.as_str())
    });
    out.u32(buffer.capacity);
}

fn encode_flow(flow: &Flow, out: &mut Canon) {
    out.text(flow.from.as_str());
    out.text(flow.to.as_str());
}

fn encode_authority(authority: &Authority, out: &mut Canon) {
    out.text(&authority.machines);
    out.u32(authority.aspect.code());
    list(authority.sources.iter(), out, |source, out| {
        out.text(source)
    });
}
