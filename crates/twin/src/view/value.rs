//! Values of the kinds that are kept as packed fields: of the plant, and of machines.

use super::{HeldSlot, MachineTwin};
use crate::Twin;
use crate::fact;
use crate::shards::PlantSlot;
use crate::slot::Rank;
use crate::value::SlotValue;
use werkbuch_model::event::{Aspect, AspectKind, Body};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// What holds for one aspect, as it was reported.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueView<'t> {
    /// The kind of aspect.
    pub aspect: AspectKind,
    /// What tells aspects of one kind apart.
    pub item: &'t str,
    /// The second key, else empty.
    pub sub: &'t str,
    /// The third key (of a plan: its version times 2^32 and its chunk), else 0.
    pub number: u64,
    /// The machine that the event is about; 0 when it is about none.
    pub machine: MachineNumber,
    /// When the event took effect.
    pub since: Timestamp,
    /// The name of the event's source.
    pub source: &'t str,
    /// The life of the event's source.
    pub epoch: u32,
    /// The position of the event that gave the value.
    pub position: Position,
    /// What the event says. Of a list of parts only what is about this one is kept.
    pub body: Body<'t>,
}

impl Twin {
    /// What holds for a kind of aspect, of the plant and of every machine, in the order of the keys.
    #[must_use]
    pub fn values(&self, kind: AspectKind) -> Vec<ValueView<'_>> {
        let mut values = self.plant_values(kind);
        if !kind.of_plant() {
            values.extend(self.machines().flat_map(|machine| machine.values(kind)));
            values.sort_by_key(|value| (value.item, value.sub, value.number, value.machine));
        }
        values
    }

    /// What holds for a kind of aspect of the plant itself, in the order of the keys. Of several
    /// sources the one with the say is shown.
    #[must_use]
    pub fn plant_values(&self, kind: AspectKind) -> Vec<ValueView<'_>> {
        let slots = self.shards.of_kind(kind, self.window);
        let of_one = |a: &&PlantSlot, b: &&PlantSlot| {
            let name =
                |slot: &PlantSlot| (slot.key.item.clone(), slot.key.sub.clone(), slot.key.number);
            name(a) == name(b)
        };
        let first = slots.chunk_by(of_one).filter_map(|ranks| ranks.first());
        first.filter_map(|slot| self.value_of(slot)).collect()
    }

    /// What holds for one aspect of the plant; absent when nothing does.
    #[must_use]
    pub fn plant_value(&self, kind: AspectKind, item: &str, sub: &str) -> Option<ValueView<'_>> {
        let aspect = Aspect {
            kind,
            item,
            sub,
            number: 0,
        };
        let slot = self.shards.of_aspect(&aspect, self.window).next()?;
        self.value_of(slot)
    }

    /// All that holds of the plant itself, for every aspect and rank, in the order of the keys.
    #[must_use]
    pub fn held_by_plant(&self) -> Vec<HeldSlot<'_>> {
        let mut slots: Vec<&PlantSlot> = self.shards.all(self.window).collect();
        slots.sort_by(|a, b| a.key.cmp(&b.key));
        let held = slots.into_iter().map(|slot| {
            let source = self.source(slot.source);
            HeldSlot {
                aspect: slot.key.kind,
                item: &slot.key.item,
                sub: &slot.key.sub,
                number: slot.key.number,
                rank: slot.key.rank.0,
                effective_at: slot.effective_at,
                source: source.map_or("", |source| &source.name),
                epoch: source.map_or(0, |source| source.epoch.get()),
                sequence: slot.sequence,
                place: slot.place,
                position: slot.position,
            }
        });
        held.collect()
    }

    /// A slot as it is shown; a source that is not listed never is.
    fn value_of<'t>(&'t self, slot: &'t PlantSlot) -> Option<ValueView<'t>> {
        if slot.key.rank == Rank::UNLISTED {
            return None;
        }
        let source = self.source(slot.source);
        Some(ValueView {
            aspect: slot.key.kind,
            item: &slot.key.item,
            sub: &slot.key.sub,
            number: slot.key.number,
            machine: slot.machine,
            since: slot.effective_at,
            source: source.map_or("", |source| &source.name),
            epoch: source.map_or(0, |source| source.epoch.get()),
            position: slot.position,
            body: fact::unpack(&slot.content)?,
        })
    }
}

impl<'t> MachineTwin<'t> {
    /// What holds for a kind of aspect of the machine, in the order of the keys; nothing for a kind
    /// that has a view of its own.
    #[must_use]
    pub fn values(&self, kind: AspectKind) -> Vec<ValueView<'t>> {
        let twin = self.twin;
        let picks = self.picks(kind).into_iter();
        let held = picks.filter(|pick| pick.slot.is_in(twin.window));
        held.filter_map(|pick| {
            let SlotValue::Fact(content) = pick.value()? else {
                return None;
            };
            let source = twin.source(pick.slot.source);
            Some(ValueView {
                aspect: kind,
                item: pick.item,
                sub: pick.sub,
                number: 0,
                machine: self.number(),
                since: pick.at(),
                source: source.map_or("", |source| &source.name),
                epoch: source.map_or(0, |source| source.epoch.get()),
                position: pick.slot.position,
                body: fact::unpack(content)?,
            })
        })
        .collect()
    }

    /// The order that was started at the machine, until it is done or broken off; empty when there is
    /// none.
    #[must_use]
    pub fn order(&self) -> Box<str> {
        let orders = self.values(AspectKind::Order);
        match orders.first().map(|order| &order.body) {
            Some(Body::OrderStarted(started)) => (*started.order).into(),
            _ => "".into(),
        }
    }

    /// What holds for all kinds of aspects that have no view of their own.
    #[must_use]
    pub fn all_values(&self) -> Vec<ValueView<'t>> {
        let kinds = AspectKind::ALL.iter();
        kinds.flat_map(|kind| self.values(*kind)).collect()
    }
}
