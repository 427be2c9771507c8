//! The table of machines at an instant: one row each, by plant and number.

use crate::column::{Cell, columns};
use werkbuch_model::event::{ConditionLevel, Connection, Mode, PartMeaning, State};
use werkbuch_wire::pb;

/// What the table is called.
pub const NAME: &str = "machines";

/// A machine at an instant.
#[derive(Clone, Copy, Debug)]
pub struct MachineLine<'m> {
    /// The plant that it is in.
    pub plant: &'m str,
    /// The machine in brief, as lists have it.
    pub machine: &'m pb::Machine,
    /// The order that was started at it, until it is done or broken off; empty when there is none.
    pub order: &'m str,
    /// The time that ages count from, in nanoseconds since 1970.
    pub as_of: i64,
}

columns! { MachineLine;
    "plant" Word "the plant it is in" |row| Cell::text(row.plant);
    "machine" Word "its name" |row| Cell::text(last(&row.machine.name));
    "number" Small "its permanent number in the plant" |row| Cell::Count(row.machine.number.into());
    "display_name" Text "its full name" |row| Cell::text(&row.machine.display_name);
    "type" Word "what sort of machine it is" |row| Cell::text(&row.machine.machine_type);
    "area" Word "the area it stands in" |row| Cell::text(&row.machine.area);
    "line" Word "the line it stands in" |row| Cell::text(&row.machine.line);
    "cell" Word "the cell it stands in" |row| Cell::text(&row.machine.cell);
    "state" Code "the state as shown: the signal's, or faulted, set-up, maintenance as mode and conditions say" |row| Cell::name(state(row.machine.state));
    "reported_state" Code "the state as its signal says" |row| Cell::name(state(row.machine.reported_state));
    "native_state" Text "the source's own word for the state" |row| Cell::text(&row.machine.native_state);
    "reason" Text "the source's reason code" |row| Cell::text(&row.machine.reason);
    "since" Time "since when the state signal says so" |row| Cell::time(row.machine.since);
    "mode" Code "how it is being used" |row| Cell::name(mode(row.machine.mode));
    "native_mode" Text "the source's own word for the mode" |row| Cell::text(&row.machine.native_mode);
    "program" Text "its main program" |row| row.machine.program.as_deref().map_or(Cell::Null, Cell::text);
    "order" Text "the order that is worked on" |row| Cell::text(row.order);
    "connection" Code "whether it can be reached" |row| Cell::name(connection(row.machine.connection));
    "condition" Code "the worst level of its conditions" |row| Cell::name(condition(row.machine.condition));
    "active_alarms" Small "how many alarms are active" |row| Cell::Count(row.machine.active_alarms.into());
    "wait_state" Code "starved or blocked, as reported or inferred; waiting when that is not known" |row| row.machine.wait_cause.as_ref().map_or(Cell::Null, |cause| Cell::name(state(cause.state)));
    "wait_provenance" Code "whether the cause of its wait is REPORTED, INFERRED or UNKNOWN" |row| row.machine.wait_cause.as_ref().map_or(Cell::Null, provenance);
    "wait_because" Text "why it waits, in words" |row| row.machine.wait_cause.as_ref().map_or(Cell::Null, |cause| Cell::text(&cause.because));
    "parts" Count "where its first counter of all (else of good) parts stands" |row| first(row, &[PartMeaning::All, PartMeaning::Good]);
    "good" Count "where its first counter of good parts stands" |row| first(row, &[PartMeaning::Good]);
    "scrap" Count "where its first counter of scrap stands" |row| first(row, &[PartMeaning::Scrap]);
    "rework" Count "where its first counter of parts to be reworked stands" |row| first(row, &[PartMeaning::Rework]);
    "counters" Counters "all its counters" |row| Cell::Counters(&row.machine.counters);
    "last_event_at" Time "the latest plant time it reported for" |row| Cell::time(row.machine.last_event_at);
    "silent_ns" Whole "how long that is before as_of, in nanoseconds; never less than 0" |row| row.machine.last_event_at.map_or(Cell::Null, |last| Cell::Whole(row.as_of.saturating_sub(last).max(0)));
    "as_of" Time "the time that ages count from, the same in all rows" |row| Cell::time(Some(row.as_of));
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

macro_rules! named {
    ($($name:ident $enum:ident;)+) => {$(
        /// The name of a code, as the model has it.
        pub(crate) fn $name(code: i32) -> &'static str {
            u32::try_from(code).ok().and_then($enum::from_code).unwrap_or_default().name()
        }
    )+};
}

named! {
    state State;
    mode Mode;
    connection Connection;
    condition ConditionLevel;
}

fn provenance(cause: &pb::WaitCause) -> Cell<'static> {
    let name = cause.provenance().as_str_name();
    Cell::name(name.strip_prefix("PROVENANCE_").unwrap_or(name))
}

/// Where the first counter of one of these meanings stands, the first meaning first.
fn first(row: &MachineLine<'_>, meanings: &[PartMeaning]) -> Cell<'static> {
    let counters = &row.machine.counters;
    let of = |meaning: &PartMeaning| {
        let code = i32::try_from(meaning.code()).unwrap_or_default();
        counters.iter().find(|counter| counter.meaning == code)
    };
    let found = meanings.iter().find_map(of);
    Cell::count(found.and_then(|counter| counter.value))
}
