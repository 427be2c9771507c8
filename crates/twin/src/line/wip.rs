//! Where the parts are: tracked where they are known one by one, else as reported, counted or
//! estimated, with bounds and the drift between the ways of knowing.

use super::graph::{Element, Graph};
use super::moves::{Moves, Range};
use super::section::Ground;
use super::stock::{Stocks, TrackedPart};
use crate::Twin;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::State;
use werkbuch_model::time::Timestamp;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WipKind {
    /// A buffer.
    Buffer,
    /// A machine that parts pass.
    Machine,
    /// A unit: everything in it.
    Unit,
    /// A variant, as far as parts are tracked.
    Variant,
}

/// How a number of parts is known, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Method {
    /// Every part is known by itself.
    Tracked,
    /// The place reports its level.
    Reported,
    /// Somebody counted, and nothing has moved since.
    Counted,
    /// From the last count, or from the machine's state, with what counters say since.
    Estimated,
    /// Nothing is known but what the place can hold.
    Unknown,
}

/// The parts at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WipRow {
    /// What it is about.
    pub kind: WipKind,
    /// The name of the buffer, machine, unit or variant.
    pub location: String,
    /// How many parts; absent when that is not known.
    pub parts: Option<u64>,
    /// No fewer.
    pub lower: u64,
    /// No more; absent when nothing bounds it.
    pub upper: Option<u64>,
    /// How it is known.
    pub method: Method,
    /// How many it can hold; absent when that is not known.
    pub capacity: Option<u64>,
    /// Since when the oldest tracked part is there.
    pub oldest_since: Option<Timestamp>,
    /// How many parts more the counters since the last count say than what is shown; absent when
    /// the two cannot be compared.
    pub drift: Option<i64>,
    /// Since when the number holds: the report, or the count that the estimate stands on.
    pub since: Option<Timestamp>,
    /// How it is known, in words.
    pub because: String,
}

/// The parts of every place of a plant at the time of the twin: rows for buffers, machines, units
/// and variants, each in the order of their names. `moves` has taken the events since the earliest
/// count that holds.
#[must_use]
pub fn wip(twin: &Twin, stocks: &Stocks, moves: &Moves, at: Timestamp) -> Vec<WipRow> {
    let graph = Graph::of(twin.description());
    let ground = Ground {
        twin,
        graph: &graph,
        stocks,
        moves,
        at,
    };
    let mut rows: BTreeMap<(WipKind, String), WipRow> = BTreeMap::new();
    let mut put = |row: WipRow| drop(rows.insert((row.kind, row.location.clone()), row));
    for element in graph.elements() {
        match element.machine {
            None => put(ground.buffer(element)),
            Some(_) if element.is_passed() || stocks.tracked(&element.id).is_some() => {
                put(ground.machine(element));
            }
            Some(_) => {}
        }
    }
    let places: Vec<WipRow> = rows.values().cloned().collect();
    for unit in twin.description().units() {
        if let Some(row) = ground.unit(unit.id.as_str(), &places) {
            rows.insert((row.kind, row.location.clone()), row);
        }
    }
    for row in variants(stocks) {
        rows.insert((row.kind, row.location.clone()), row);
    }
    rows.into_values().collect()
}

impl Ground<'_> {
    fn buffer(&self, buffer: &Element) -> WipRow {
        let level = self.stocks.level(&buffer.id);
        let capacity = level.and_then(|level| level.capacity).or(buffer.capacity);
        let estimate = self.estimate(&buffer.id, &BTreeSet::from([&*buffer.id]), capacity);
        let mut row = match (self.stocks.tracked(&buffer.id), level) {
            (Some(parts), _) => tracked(parts),
            (None, Some(level)) => WipRow {
                since: Some(level.since),
                ..known(
                    Method::Reported,
                    level.parts,
                    "the buffer reports its level",
                )
            },
            (None, None) => match estimate.clone() {
                Some(row) => row,
                None => unknown(capacity),
            },
        };
        if row.method < Method::Counted {
            row.drift = drift(estimate.and_then(|estimate| estimate.parts), row.parts);
        }
        WipRow {
            kind: WipKind::Buffer,
            location: buffer.id.to_string(),
            capacity,
            ..row
        }
    }

    fn machine(&self, machine: &Element) -> WipRow {
        let slots = Some(machine.capacity.unwrap_or(1));
        let row = match (
            self.stocks.tracked(&machine.id),
            self.stocks.counted(&machine.id),
        ) {
            (Some(parts), _) => tracked(parts),
            (None, _) => self.by_state(machine, slots),
        };
        WipRow {
            kind: WipKind::Machine,
            location: machine.id.to_string(),
            capacity: slots,
            ..row
        }
    }

    /// What a machine's state tells of the parts in it.
    fn by_state(&self, machine: &Element, slots: Option<u64>) -> WipRow {
        let state = machine
            .machine
            .and_then(|number| self.twin.machine(number))
            .map(|machine| machine.state());
        let Some(state) = state else {
            return unknown(slots);
        };
        let (lower, because) = match state.shown {
            State::Executing => (1, "it is executing, so it holds a part at least"),
            State::Blocked => (1, "it is blocked, so it holds a part at least"),
            State::Starved => (0, "it is starved"),
            _ => return unknown(slots),
        };
        let starved = state.shown == State::Starved;
        WipRow {
            lower,
            upper: if starved {
                slots.map(|slots| slots.saturating_sub(1))
            } else {
                slots
            },
            since: state.since,
            ..known(Method::Estimated, lower, because)
        }
    }

    fn unit(&self, unit: &str, places: &[WipRow]) -> Option<WipRow> {
        let elements = self
            .graph
            .elements()
            .filter(|element| element.lies_in(self.twin.description(), unit));
        let inside: BTreeSet<&str> = elements.map(|element| &*element.id).collect();
        let rows: Vec<&WipRow> = places
            .iter()
            .filter(|row| inside.contains(row.location.as_str()))
            .collect();
        let worst = rows.iter().map(|row| row.method).max()?;
        let sum = |value: fn(&WipRow) -> Option<u64>| {
            let values = rows.iter().map(|row| value(row));
            values.sum::<Option<u64>>()
        };
        let parts = WipRow {
            parts: sum(|row| row.parts),
            lower: sum(|row| Some(row.lower)).unwrap_or(0),
            upper: sum(|row| row.upper),
            oldest_since: rows.iter().filter_map(|row| row.oldest_since).min(),
            since: rows.iter().filter_map(|row| row.since).min(),
            ..known(worst, 0, &format!("the sum of its {} places", rows.len()))
        };
        let capacity = sum(|row| row.capacity);
        let estimate = self.estimate(unit, &inside, capacity);
        let row = match estimate {
            // A count of the unit as a whole knows more than places of which some are unknown.
            Some(estimate) if parts.parts.is_none() => WipRow {
                lower: estimate.lower.max(parts.lower),
                upper: least(estimate.upper, parts.upper),
                oldest_since: parts.oldest_since,
                ..estimate
            },
            Some(estimate) => WipRow {
                drift: drift(estimate.parts, parts.parts),
                ..parts
            },
            None => parts,
        };
        Some(WipRow {
            kind: WipKind::Unit,
            location: unit.to_owned(),
            capacity,
            ..row
        })
    }

    /// From what was counted at a place and what has passed its border since; absent when nobody
    /// counted.
    fn estimate(
        &self,
        place: &str,
        inside: &BTreeSet<&str>,
        capacity: Option<u64>,
    ) -> Option<WipRow> {
        let counted = self
            .stocks
            .counted(place)
            .filter(|counted| counted.at <= self.at)?;
        let passed = self.passed_since(inside, &counted);
        let (entered, left) = (passed.entered, passed.left);
        let base = counted.parts;
        let lower = left.upper.map_or(0, |left| {
            base.saturating_add(entered.lower).saturating_sub(left)
        });
        let upper = entered
            .upper
            .map(|entered| base.saturating_add(entered).saturating_sub(left.lower));
        let upper = least(upper, capacity);
        let lower = upper.map_or(lower, |upper| lower.min(upper));
        let parts = base
            .saturating_add(entered.parts)
            .saturating_sub(left.parts);
        let at_rest = entered == Range::exactly(0) && left == Range::exactly(0);
        let mut because = format!(
            "{base} counted at {}, {} came and {} left since",
            counted.at, entered.parts, left.parts
        );
        if !passed.silent.is_empty() {
            because = format!("{because}; {} count nothing", passed.silent.join(", "));
        }
        let parts = parts.max(lower).min(upper.unwrap_or(u64::MAX));
        let method = if at_rest {
            Method::Counted
        } else {
            Method::Estimated
        };
        Some(WipRow {
            parts: passed.silent.is_empty().then_some(parts),
            lower,
            upper,
            since: Some(counted.at),
            method: if passed.silent.is_empty() {
                method
            } else {
                Method::Unknown
            },
            ..known(method, parts, &because)
        })
    }
}

/// The tracked parts by variant; those whose variant nobody says have an empty one.
fn variants(stocks: &Stocks) -> Vec<WipRow> {
    let mut variants: BTreeMap<&str, Vec<TrackedPart>> = BTreeMap::new();
    for place in stocks.places() {
        for part in stocks.tracked(place).unwrap_or_default() {
            variants
                .entry(&part.variant)
                .or_default()
                .push(part.clone());
        }
    }
    let row = |(variant, parts): (&str, Vec<TrackedPart>)| WipRow {
        kind: WipKind::Variant,
        location: variant.to_owned(),
        upper: None,
        oldest_since: parts.iter().map(|part| part.since).min(),
        ..tracked(&parts)
    };
    variants.into_iter().map(row).collect()
}

fn tracked(parts: &[TrackedPart]) -> WipRow {
    let oldest = parts.iter().map(|part| part.since).min();
    WipRow {
        oldest_since: oldest,
        since: parts.iter().map(|part| part.since).max(),
        ..known(
            Method::Tracked,
            parts.len() as u64,
            "each part is known by itself",
        )
    }
}

fn known(method: Method, parts: u64, because: &str) -> WipRow {
    WipRow {
        kind: WipKind::Buffer,
        location: String::new(),
        parts: Some(parts),
        lower: parts,
        upper: Some(parts),
        method,
        capacity: None,
        oldest_since: None,
        drift: None,
        since: None,
        because: because.to_owned(),
    }
}

fn unknown(capacity: Option<u64>) -> WipRow {
    WipRow {
        parts: None,
        lower: 0,
        upper: capacity,
        ..known(
            Method::Unknown,
            0,
            "nobody tells of parts here, and nobody has counted",
        )
    }
}

fn drift(estimate: Option<u64>, shown: Option<u64>) -> Option<i64> {
    let (estimate, shown) = estimate.zip(shown)?;
    Some(
        i64::try_from(estimate)
            .ok()?
            .saturating_sub(i64::try_from(shown).ok()?),
    )
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
