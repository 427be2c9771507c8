//! What is known of the parts at each place: buffer levels, tracked parts, counted inventory.

use crate::Twin;
use crate::view::ValueView;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::{AspectKind, Body, Disposition};
use werkbuch_model::time::Timestamp;

/// A buffer's level as reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// How many parts lie in it.
    pub parts: u64,
    /// How many it takes, as the source says.
    pub capacity: Option<u64>,
    /// Since when; of several lanes the latest.
    pub since: Timestamp,
}

/// A part that is known by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TrackedPart {
    /// Since when it is there.
    pub since: Timestamp,
    /// Its serial.
    pub part: String,
    /// Its variant, empty when it is not said.
    pub variant: String,
}

/// What was counted at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// How many parts.
    pub parts: u64,
    /// When; of several part numbers the first.
    pub at: Timestamp,
    /// When the last of several part numbers was counted.
    pub last: Timestamp,
}

/// One fact about parts that holds: what an event says of one aspect of the plant.
#[derive(Clone, Copy, Debug)]
struct Fact<'t> {
    /// What the aspect is about: a part, a buffer, a location, a transport.
    item: &'t str,
    /// The second key: a lane, a part number.
    sub: &'t str,
    body: &'t Body<'t>,
    at: Timestamp,
    /// The name of the machine that the event is about, empty for none.
    machine: &'t str,
}

/// Where a part is, as the last event about its place says.
struct Whereabouts {
    location: Option<String>,
    transport: String,
    to: String,
    since: Timestamp,
    variant: String,
}

/// All that holds of parts and places in a plant.
#[derive(Debug, Default)]
pub struct Stocks {
    levels: BTreeMap<String, BTreeMap<String, Option<Level>>>,
    tracked: BTreeMap<String, Vec<TrackedPart>>,
    /// The places of which it was said that a single part came or left.
    entered: BTreeSet<String>,
    counted: BTreeMap<String, BTreeMap<String, Counted>>,
}

/// The aspects of the plant that tell of parts and places.
const ASPECTS: [AspectKind; 5] = [
    AspectKind::Buffer,
    AspectKind::Inventory,
    AspectKind::PartPlace,
    AspectKind::PartDisposition,
    AspectKind::Transport,
];

impl Stocks {
    /// All that a twin holds of parts and places.
    #[must_use]
    pub fn of_twin(twin: &Twin) -> Self {
        let values: Vec<_> = ASPECTS
            .iter()
            .flat_map(|kind| twin.plant_values(*kind))
            .collect();
        let name = |value: &ValueView<'_>| {
            let machine = twin.description().machine(value.machine);
            machine.map_or("", |machine| machine.id.as_str())
        };
        Self::of(values.iter().map(|value| Fact {
            item: value.item,
            sub: value.sub,
            body: &value.body,
            at: value.since,
            machine: name(value),
        }))
    }

    /// Sorts the facts by place.
    fn of<'t>(facts: impl Iterator<Item = Fact<'t>>) -> Self {
        let mut stocks = Self::default();
        let mut parts: BTreeMap<String, Whereabouts> = BTreeMap::new();
        let mut gone: BTreeMap<String, Timestamp> = BTreeMap::new();
        let mut arrived: BTreeMap<String, (String, Timestamp)> = BTreeMap::new();
        for fact in facts {
            match fact.body {
                Body::BufferLevelChanged(said) => {
                    let level = said.level.map(|parts| Level {
                        parts,
                        capacity: said.capacity,
                        since: fact.at,
                    });
                    let lanes = stocks.levels.entry(fact.item.to_owned()).or_default();
                    lanes.insert(fact.sub.to_owned(), level);
                }
                Body::InventoryCounted(said) => {
                    // Weights and lengths are no parts.
                    if said.unit.is_empty() {
                        let counted = Counted {
                            parts: whole(said.quantity),
                            at: fact.at,
                            last: fact.at,
                        };
                        let place = stocks.counted.entry(fact.item.to_owned()).or_default();
                        place.insert(fact.sub.to_owned(), counted);
                    }
                }
                Body::PartDispositioned(said) => {
                    if matches!(said.disposition, Disposition::Scrap | Disposition::Shipped) {
                        gone.insert(fact.item.to_owned(), fact.at);
                    }
                }
                Body::TransportEnded(said) => {
                    arrived.insert(fact.item.to_owned(), (said.at.to_string(), fact.at));
                }
                _ => {
                    if let Body::PartLeft(said) = fact.body {
                        // Where one part left, parts are known one by one, also when none is left.
                        stocks.entered.insert(here(&said.location, &fact));
                    }
                    if let Some(place) = whereabouts(&fact) {
                        parts.insert(fact.item.to_owned(), place);
                    }
                }
            }
        }
        for (part, place) in parts {
            let scrapped = gone.get(&part).is_some_and(|at| *at >= place.since);
            stocks.place(part, place, &arrived, scrapped);
        }
        stocks
            .tracked
            .values_mut()
            .for_each(|parts| parts.sort_unstable());
        stocks
    }

    /// The level of a buffer; absent when nobody says, or not of every lane.
    #[must_use]
    pub fn level(&self, buffer: &str) -> Option<Level> {
        let lanes = self.levels.get(buffer)?;
        if let Some(Some(whole)) = lanes.get("") {
            return Some(*whole);
        }
        let lanes = lanes.iter().filter(|(lane, _)| !lane.is_empty());
        let levels = lanes.map(|(_, level)| *level).collect::<Option<Vec<_>>>()?;
        levels.into_iter().reduce(|a, b| Level {
            parts: a.parts.saturating_add(b.parts),
            capacity: a.capacity.zip(b.capacity).map(|(a, b)| a.saturating_add(b)),
            since: a.since.max(b.since),
        })
    }

    /// The single parts at a place, the oldest first; absent when parts are not tracked there.
    #[must_use]
    pub fn tracked(&self, place: &str) -> Option<&[TrackedPart]> {
        let parts = self.tracked.get(place).map_or(&[][..], Vec::as_slice);
        self.entered.contains(place).then_some(parts)
    }

    /// What was counted last at a place, all part numbers together, each at its own time; absent when
    /// nobody counted.
    #[must_use]
    pub fn counted(&self, place: &str) -> Option<Counted> {
        let all = self.counted.get(place)?.values().copied();
        all.reduce(|a, b| Counted {
            parts: a.parts.saturating_add(b.parts),
            at: a.at.min(b.at),
            last: a.last.max(b.last),
        })
    }

    /// The time of the earliest count that holds at any place.
    #[must_use]
    pub fn counted_since(&self) -> Option<Timestamp> {
        self.counted
            .keys()
            .filter_map(|place| Some(self.counted(place)?.at))
            .min()
    }

    /// The places at which something is known of single parts.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.entered.iter().map(String::as_str)
    }

    fn place(
        &mut self,
        part: String,
        place: Whereabouts,
        arrived: &BTreeMap<String, (String, Timestamp)>,
        scrapped: bool,
    ) {
        let (location, since) = match place.location {
            Some(location) => (location, place.since),
            // On its way; once the transport has ended it is where that ended.
            None => match arrived.get(&place.transport) {
                Some((at, since)) if !place.transport.is_empty() && *since >= place.since => {
                    let at = if at.is_empty() { &place.to } else { at };
                    (at.clone(), *since)
                }
                _ => return,
            },
        };
        if location.is_empty() {
            return;
        }
        self.entered.insert(location.clone());
        if !scrapped {
            self.tracked.entry(location).or_default().push(TrackedPart {
                since,
                part,
                variant: place.variant,
            });
        }
    }
}

/// Where the event leaves the part that the aspect is about; nothing for other events.
fn whereabouts(fact: &Fact<'_>) -> Option<Whereabouts> {
    let mut place = Whereabouts {
        location: None,
        transport: String::new(),
        to: String::new(),
        since: fact.at,
        variant: String::new(),
    };
    match fact.body {
        Body::PartEntered(said) => {
            place.location = Some(here(&said.location, fact));
            place.variant = said.variant.to_string();
        }
        Body::PartLeft(said) => {
            place.to = said.to.to_string();
            place.variant = said.variant.to_string();
        }
        Body::PartsJoined(said) if said.part == fact.item => {
            place.location = Some(here(&said.location, fact));
        }
        Body::PartSplit(said) if said.part != fact.item => {
            place.location = Some(here(&said.location, fact));
        }
        Body::TransportStarted(said) => {
            place.transport = said.transport.to_string();
            place.to = said.to.to_string();
        }
        Body::PartsJoined(_) | Body::PartSplit(_) => {}
        _ => return None,
    }
    Some(place)
}

/// A place by its name, or that of the machine that the event is about.
fn here(location: &str, fact: &Fact<'_>) -> String {
    let named = if location.is_empty() {
        fact.machine
    } else {
        location
    };
    named.to_owned()
}

/// A quantity of pieces as a whole number; there are no more than nine quadrillion.
fn whole(quantity: f64) -> u64 {
    const MOST: f64 = 9.0e15;
    if quantity.is_nan() || quantity <= 0.0 {
        return 0;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = quantity.min(MOST) as u64;
    whole
}
