//! What the twin keeps of the plant itself: parts, orders, buffers, plans, in many small shards.
//!
//! A plant tracks a hundred thousand things at a time and nearly every event moves one of them. In
//! shards a fork or a published view copies the few that change, never the whole.

use crate::coded;
use crate::machine::Claim;
use crate::order::Sources;
use crate::slot::Rank;
use crate::window::Window;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::sync::Arc;
use werkbuch_model::event::{Aspect, AspectKind, OrderKey};
use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

/// How many shards there are.
const SHARDS: usize = 1024;

/// What tells the slots of the plant apart; ordered so that the ranks of one aspect lie together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PlantKey {
    #[serde(with = "coded")]
    pub(crate) kind: AspectKind,
    pub(crate) item: Box<str>,
    pub(crate) sub: Box<str>,
    pub(crate) number: u64,
    pub(crate) rank: Rank,
}

/// The event that holds for one aspect of the plant, at one rank of authority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlantSlot {
    pub(crate) key: PlantKey,
    /// The machine that the event is about; 0 when it is about none.
    pub(crate) machine: MachineNumber,
    pub(crate) source: SourceNumber,
    #[serde(with = "coded::nanos")]
    pub(crate) effective_at: Timestamp,
    pub(crate) sequence: Sequence,
    /// The position of the event whose place this is; for a correction the event that it corrects.
    pub(crate) place: Position,
    /// The position of the event that gave the content; for a replacement that of the correction.
    pub(crate) position: Position,
    /// What it says, see `fact.rs`.
    pub(crate) content: Box<[u8]>,
}

/// The slots of one shard in the order of their keys.
type Shard = Vec<PlantSlot>;

/// All slots of the plant. Empty, or of [`SHARDS`] shards.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shards(Arc<Vec<Arc<Shard>>>);

impl PlantSlot {
    /// Its place in plant time.
    pub(crate) fn order(&self) -> OrderKey {
        OrderKey {
            effective_at: self.effective_at,
            source: self.source,
            sequence: self.sequence,
        }
    }

    fn is_of(&self, aspect: &Aspect<'_>) -> Ordering {
        let key = &self.key;
        (key.kind, &*key.item, &*key.sub, key.number).cmp(&name(aspect))
    }

    fn is_in(&self, window: Window) -> bool {
        window.holds(self.key.kind, self.effective_at)
    }
}

/// An aspect as slots are ordered.
fn name<'a>(aspect: &Aspect<'a>) -> (AspectKind, &'a str, &'a str, u64) {
    (aspect.kind, aspect.item, aspect.sub, aspect.number)
}

impl Shards {
    /// Lets a content hold when it is later in order than what holds, as a machine's slots do.
    pub(crate) fn join(
        &mut self,
        (aspect, rank): (&Aspect<'_>, Rank),
        (claim, machine): (&Claim, MachineNumber),
        (sources, window): (&Sources, Window),
        make: impl FnOnce() -> Option<Box<[u8]>>,
    ) {
        let found = self.shard(aspect).binary_search_by(|slot| {
            let order = slot.is_of(aspect);
            order.then_with(|| slot.key.rank.cmp(&rank))
        });
        if let Ok(at) = found
            && let Some(held) = self.shard(aspect).get(at)
        {
            match sources.compare(&claim.order, &held.order()) {
                Ordering::Less => return,
                Ordering::Equal if claim.position < held.position => return,
                Ordering::Equal | Ordering::Greater => {}
            }
        }
        let Some(content) = make() else { return };
        let slot = PlantSlot {
            key: PlantKey {
                kind: aspect.kind,
                item: aspect.item.into(),
                sub: aspect.sub.into(),
                number: aspect.number,
                rank,
            },
            machine,
            source: claim.order.source,
            effective_at: claim.order.effective_at,
            sequence: claim.order.sequence,
            place: claim.place,
            position: claim.position,
            content,
        };
        let Some(shard) = self.shard_mut(aspect) else {
            return;
        };
        match found {
            Ok(at) => {
                if let Some(held) = shard.get_mut(at) {
                    *held = slot;
                }
            }
            Err(_) => insert(shard, slot, window),
        }
    }

    /// The slots that events behind a position gave.
    pub(crate) fn since(&self, position: Position) -> Vec<PlantSlot> {
        let slots = self.0.iter().flat_map(|shard| shard.iter());
        slots
            .filter(|slot| slot.position > position)
            .cloned()
            .collect()
    }

    /// Puts a slot in the place of what has its key.
    pub(crate) fn put(&mut self, slot: PlantSlot, window: Window) {
        let key = slot.key.clone();
        let aspect = Aspect {
            kind: key.kind,
            item: &key.item,
            sub: &key.sub,
            number: key.number,
        };
        let Some(shard) = self.shard_mut(&aspect) else {
            return;
        };
        match shard.binary_search_by(|held| held.key.cmp(&key)) {
            Ok(at) => {
                if let Some(held) = shard.get_mut(at) {
                    *held = slot;
                }
            }
            Err(_) => insert(shard, slot, window),
        }
    }

    /// Takes an event from an aspect, at whatever rank it holds it.
    pub(crate) fn vacate(&mut self, aspect: &Aspect<'_>, place: Position) {
        let holds = |slot: &PlantSlot| slot.place == place && slot.is_of(aspect).is_eq();
        if self.shard(aspect).iter().any(holds)
            && let Some(shard) = self.shard_mut(aspect)
        {
            shard.retain(|slot| !holds(slot));
        }
    }

    /// Drops what is no longer in the window.
    pub(crate) fn sweep(&mut self, window: Window) {
        let old = |shard: &Arc<Shard>| shard.iter().any(|slot| !slot.is_in(window));
        if self.0.iter().any(old) {
            for shard in Arc::make_mut(&mut self.0)
                .iter_mut()
                .filter(|shard| old(shard))
            {
                Arc::make_mut(shard).retain(|slot| slot.is_in(window));
            }
        }
    }

    /// The slots in the window, in no order that means anything.
    pub(crate) fn all(&self, window: Window) -> impl Iterator<Item = &PlantSlot> {
        let slots = self.0.iter().flat_map(|shard| shard.iter());
        slots.filter(move |slot| slot.is_in(window))
    }

    /// The slots of a kind in the window, in the order of their keys.
    pub(crate) fn of_kind(&self, kind: AspectKind, window: Window) -> Vec<&PlantSlot> {
        let mut found = Vec::new();
        for shard in self.0.iter() {
            let from = shard.partition_point(|slot| slot.key.kind < kind);
            let of_kind = shard
                .iter()
                .skip(from)
                .take_while(|slot| slot.key.kind == kind);
            found.extend(of_kind.filter(|slot| slot.is_in(window)));
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found
    }

    /// The slots of one aspect in the window, by rank.
    pub(crate) fn of_aspect(
        &self,
        aspect: &Aspect<'_>,
        window: Window,
    ) -> impl Iterator<Item = &PlantSlot> {
        let shard = self.shard(aspect);
        let from = shard.partition_point(|slot| slot.is_of(aspect).is_lt());
        let wanted = name(aspect);
        let of_aspect = shard.iter().skip(from).take_while(move |slot| {
            let key = &slot.key;
            (key.kind, &*key.item, &*key.sub, key.number) == wanted
        });
        of_aspect.filter(move |slot| slot.is_in(window))
    }

    fn shard(&self, aspect: &Aspect<'_>) -> &[PlantSlot] {
        self.0
            .get(place(aspect))
            .map_or(&[], |shard| shard.as_slice())
    }

    fn shard_mut(&mut self, aspect: &Aspect<'_>) -> Option<&mut Shard> {
        if self.0.is_empty() {
            let empty = Arc::new(Vec::new());
            self.0 = Arc::new(vec![empty; SHARDS]);
        }
        Arc::make_mut(&mut self.0)
            .get_mut(place(aspect))
            .map(Arc::make_mut)
    }
}

/// Puts a new slot in its place. Before a shard grows, what is no longer state makes room.
fn insert(shard: &mut Shard, slot: PlantSlot, window: Window) {
    if shard.len() == shard.capacity() {
        shard.retain(|slot| slot.is_in(window));
        if shard.len() == shard.capacity() {
            shard.reserve_exact(1 + shard.len() / 8);
        }
    }
    let at = shard.partition_point(|held| held.key < slot.key);
    shard.insert(at, slot);
}

/// The shard of an aspect: FNV-1a (Fowler, Noll and Vo 1991) over its kind and item, the same for
/// ever and everywhere.
fn place(aspect: &Aspect<'_>) -> usize {
    let kind = aspect.kind.code().to_le_bytes();
    let bytes = kind.iter().chain(aspect.item.as_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    usize::try_from((hash >> 32) % SHARDS as u64).unwrap_or_default()
}

impl Serialize for Shards {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let slots: Vec<&PlantSlot> = self.0.iter().flat_map(|shard| shard.iter()).collect();
        slots.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Shards {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let slots = Vec::<PlantSlot>::deserialize(from)?;
        let mut shards = Self::default();
        for slot in slots {
            let key = slot.key.clone();
            let aspect = Aspect {
                kind: key.kind,
                item: &key.item,
                sub: &key.sub,
                number: key.number,
            };
            let Some(shard) = shards.shard_mut(&aspect) else {
                continue;
            };
            if shard.last().is_some_and(|last| last.key >= slot.key) {
                return Err(serde::de::Error::custom(
                    "the plant's slots are out of order",
                ));
            }
            shard.push(slot);
        }
        Ok(shards)
    }
}
