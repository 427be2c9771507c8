//! Checks the names in an event against the plant's description as it is staged.
//!
//! Buffers and the places of parts are keys of the plant's state: a mistyped one would be a place of
//! its own for ever, so it is refused. Everything else (orders, part numbers, carriers, suppliers,
//! places of material) is recorded as the text that it is: the description need not list it.

use werkbuch_model::event::{Body, Refusal, RefusalReason};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::nearest::nearest;
use werkbuch_model::plant::Description;

/// What a name may be one of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A buffer.
    Buffers,
    /// A machine or a buffer.
    Places,
    /// A unit, a machine or a buffer.
    Elements,
}

/// Checks the names of a body of an event about `machine`, also those of a replacement.
/// Errors: a refusal for a name that the description does not have, with the nearest that it has.
pub(crate) fn check(
    body: &Body<'_>,
    machine: MachineNumber,
    description: &Description,
) -> Result<(), Refusal> {
    let known = |field, name: &str, of| known(description, field, name, of);
    // A place that is left out is that of the event's machine, so there must be one.
    let place = |name: &str| match (name, machine.get()) {
        ("", 0) => Err(Refusal::new(
            RefusalReason::MissingField,
            "location",
            "location is missing: it may be left out only for the place of the event's machine",
        )),
        _ => known("location", name, Of::Places),
    };
    match body {
        Body::BufferLevelChanged(said) => known("buffer", &said.buffer, Of::Buffers),
        Body::PartEntered(said) => place(&said.location),
        Body::PartLeft(said) => {
            place(&said.location)?;
            known("to", &said.to, Of::Places)
        }
        Body::PartsJoined(said) => place(&said.location),
        Body::PartSplit(said) => place(&said.location),
        Body::PartDispositioned(said) => known("location", &said.location, Of::Places),
        Body::CalendarChanged(said) => known("unit", &said.unit, Of::Elements),
        Body::StaffingChanged(said) => known("unit", &said.unit, Of::Elements),
        Body::PeriodClosed(said) => known("unit", &said.unit, Of::Elements),
        Body::AndonRaised(said) => known("location", &said.location, Of::Elements),
        Body::CorrectionRecorded(said) => match said.replacement.as_deref() {
            Some(replacement) => check(replacement, machine, description),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// An empty name says nothing; any other must be one of the description's.
fn known(
    description: &Description,
    field: &'static str,
    name: &str,
    of: Of,
) -> Result<(), Refusal> {
    let found = name.is_empty()
        || description.buffer(name).is_some()
        || (of != Of::Buffers && description.machine_named(name).is_some())
        || (of == Of::Elements && description.unit(name).is_some());
    if found {
        return Ok(());
    }
    let buffers = description.buffers().map(|buffer| buffer.id.as_str());
    let machines = description.machines().filter(|_| of != Of::Buffers);
    let units = description.units().filter(|_| of == Of::Elements);
    let names = buffers
        .chain(machines.map(|machine| machine.id.as_str()))
        .chain(units.map(|unit| unit.id.as_str()));
    let hint = match nearest(name, names) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => String::new(),
    };
    let what = match of {
        Of::Buffers => "buffer",
        Of::Places => "machine or buffer",
        Of::Elements => "unit, machine or buffer",
    };
    Err(Refusal::new(
        RefusalReason::UnknownName,
        field,
        format!("the plant's description has no {what} \"{name}\"{hint}"),
    ))
}
