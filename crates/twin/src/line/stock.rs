//! What is known of the parts at each place: buffer levels, tracked parts, counted inventory.

use super::placed::Placed;
use crate::Twin;
use crate::view::ValueView;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::{Aspect, AspectKind, Body};
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

/// All that holds of parts and places in a plant.
#[derive(Clone, Debug, Default)]
pub struct Stocks {
    levels: BTreeMap<String, BTreeMap<String, Option<Level>>>,
    counted: BTreeMap<String, BTreeMap<String, Counted>>,
    parts: BTreeMap<String, Placed>,
    tracked: BTreeMap<String, Vec<TrackedPart>>,
    /// The places of which it is said that a single part came or left, with how many parts say so.
    entered: BTreeMap<String, usize>,
    /// The parts of which the last thing heard is that a transport took them.
    riding: BTreeMap<String, BTreeSet<String>>,
    /// The parts by the oldest fact that they stand on: what is tracked is forgotten after a time.
    ages: BTreeSet<(Timestamp, String)>,
}

impl Stocks {
    /// All that a twin holds of parts and places.
    #[must_use]
    pub fn of_twin(twin: &Twin) -> Self {
        let mut stocks = Self::default();
        for kind in [AspectKind::Buffer, AspectKind::Inventory] {
            for value in twin.plant_values(kind) {
                stocks.put(&value);
            }
        }
        for value in twin.plant_values(AspectKind::PartPlace) {
            if let Some(placed) = Placed::of(twin, &value) {
                stocks.place(value.item, placed);
            }
        }
        stocks
    }

    /// Looks anew at one aspect of the plant after an event that may have moved it. Adds the places
    /// of which something else holds now to `touched`.
    pub(super) fn refresh(
        &mut self,
        twin: &Twin,
        aspect: &Aspect<'_>,
        touched: &mut BTreeSet<String>,
    ) {
        match aspect.kind {
            AspectKind::Buffer | AspectKind::Inventory => {
                self.take_out(aspect);
                if let Some(value) = twin.plant_value(aspect.kind, aspect.item, aspect.sub) {
                    self.put(&value);
                }
                touched.insert(aspect.item.to_owned());
            }
            AspectKind::PartPlace | AspectKind::PartDisposition => {
                self.look(twin, aspect.item, touched);
            }
            AspectKind::Transport => {
                let riding = self.riding.get(aspect.item).cloned();
                for part in riding.unwrap_or_default() {
                    self.look(twin, &part, touched);
                }
            }
            _ => {}
        }
    }

    /// Forgets what is tracked no longer, as the twin has it.
    pub(super) fn expire(&mut self, twin: &Twin, touched: &mut BTreeSet<String>) {
        while let Some((oldest, part)) = self.ages.first()
            && !twin.window.holds(AspectKind::PartPlace, *oldest)
        {
            let part = part.clone();
            self.look(twin, &part, touched);
        }
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
        self.entered.contains_key(place).then_some(parts)
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
        self.entered.keys().map(String::as_str)
    }

    /// Puts in what is said of a buffer's level or of counted parts.
    fn put(&mut self, value: &ValueView<'_>) {
        match &value.body {
            Body::BufferLevelChanged(said) => {
                let level = said.level.map(|parts| Level {
                    parts,
                    capacity: said.capacity,
                    since: value.since,
                });
                let lanes = self.levels.entry(value.item.to_owned()).or_default();
                lanes.insert(value.sub.to_owned(), level);
            }
            // Weights and lengths are no parts.
            Body::InventoryCounted(said) if said.unit.is_empty() => {
                let counted = Counted {
                    parts: whole(said.quantity),
                    at: value.since,
                    last: value.since,
                };
                let place = self.counted.entry(value.item.to_owned()).or_default();
                place.insert(value.sub.to_owned(), counted);
            }
            _ => {}
        }
    }

    fn take_out(&mut self, aspect: &Aspect<'_>) {
        if aspect.kind == AspectKind::Inventory {
            remove(&mut self.counted, aspect.item, aspect.sub);
        } else {
            remove(&mut self.levels, aspect.item, aspect.sub);
        }
    }

    /// Looks anew where a part is.
    fn look(&mut self, twin: &Twin, part: &str, touched: &mut BTreeSet<String>) {
        if let Some(placed) = self.parts.remove(part) {
            touched.extend(placed.places().map(str::to_owned));
            self.take_away(part, &placed);
        }
        let value = twin.plant_value(AspectKind::PartPlace, part, "");
        if let Some(placed) = value.and_then(|value| Placed::of(twin, &value)) {
            touched.extend(placed.places().map(str::to_owned));
            self.place(part, placed);
        }
    }

    fn place(&mut self, part: &str, placed: Placed) {
        for place in placed.places() {
            *self.entered.entry(place.to_owned()).or_default() += 1;
        }
        if let (Some(at), Some(tracked)) = (&placed.at, &placed.tracked) {
            let parts = self.tracked.entry(at.clone()).or_default();
            let place = parts.partition_point(|other| other < tracked);
            parts.insert(place, tracked.clone());
        }
        if !placed.transport.is_empty() {
            let riding = self.riding.entry(placed.transport.clone()).or_default();
            riding.insert(part.to_owned());
        }
        self.ages.insert((placed.oldest, part.to_owned()));
        self.parts.insert(part.to_owned(), placed);
    }

    /// The way back from [`Self::place`].
    fn take_away(&mut self, part: &str, placed: &Placed) {
        for place in placed.places() {
            if let Some(parts) = self.entered.get_mut(place) {
                *parts = parts.saturating_sub(1);
                if *parts == 0 {
                    self.entered.remove(place);
                }
            }
        }
        if let (Some(at), Some(tracked)) = (&placed.at, &placed.tracked)
            && let Some(parts) = self.tracked.get_mut(at)
        {
            if let Ok(place) = parts.binary_search(tracked) {
                parts.remove(place);
            }
            if parts.is_empty() {
                self.tracked.remove(at);
            }
        }
        if let Some(riding) = self.riding.get_mut(&placed.transport) {
            riding.remove(part);
            if riding.is_empty() {
                self.riding.remove(&placed.transport);
            }
        }
        self.ages.remove(&(placed.oldest, part.to_owned()));
    }
}

/// Takes a value out of a map in a map; an inner one that is empty goes too.
fn remove<V>(from: &mut BTreeMap<String, BTreeMap<String, V>>, item: &str, sub: &str) {
    if let Some(inner) = from.get_mut(item) {
        inner.remove(sub);
        if inner.is_empty() {
            from.remove(item);
        }
    }
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
