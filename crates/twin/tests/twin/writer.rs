//! A plant's writer in small: numbers events, and computes what a correction must carry.

use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;

/// A source by name and epoch.
pub(crate) type Name = (&'static str, u32);
/// An aspect by its texts.
pub(crate) type AspectName = (AspectKind, String, String, u64);

/// An event as a test words it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) machine: u32,
    pub(crate) source: Name,
    pub(crate) sequence: u64,
    pub(crate) at: i64,
    pub(crate) authority: u32,
    pub(crate) body: Body<'static>,
}

/// A correction as a test words it.
#[derive(Clone, Debug)]
pub(crate) struct Fix {
    pub(crate) action: CorrectionAction,
    pub(crate) targets: Vec<Position>,
    pub(crate) replacement: Option<Body<'static>>,
    pub(crate) new_time: Option<i64>,
}

/// A reported event with what has become of it.
#[derive(Clone, Debug)]
pub(crate) struct Original {
    pub(crate) position: Position,
    pub(crate) said: Said,
    /// What it says by now, and when it happened; absent when it never happened.
    pub(crate) body: Body<'static>,
    pub(crate) at: Option<i64>,
}

#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) events: Vec<Recorded<'static>>,
    pub(crate) originals: Vec<Original>,
    sources: BTreeMap<Name, SourceNumber>,
    last_of_machine: BTreeMap<u32, Position>,
}

pub(crate) fn aspects(body: &Body<'_>) -> BTreeSet<AspectName> {
    let mut found = BTreeSet::new();
    body.for_each_aspect(&mut |aspect| {
        let (item, sub) = (aspect.item.to_owned(), aspect.sub.to_owned());
        found.insert((aspect.kind, item, sub, aspect.number));
    });
    found
}

/// The place in plant time.
pub(crate) fn order(at: i64, said: &Said) -> (i64, &'static str, u32, u64) {
    (at, said.source.0, said.source.1, said.sequence)
}

pub(crate) fn plant() -> PlantId {
    PlantId::new("PLT-07").unwrap()
}

impl Writer {
    fn next(&self) -> Position {
        Position(self.events.len() as u64 + 1)
    }

    fn record(
        &mut self,
        source: SourceNumber,
        said: (u32, u64, i64, u32),
        body: Body<'static>,
        corrected: Vec<Corrected<'static>>,
    ) -> Position {
        let (machine, sequence, at, authority) = said;
        let position = self.next();
        let previous = self.last_of_machine.insert(machine, position);
        self.events.push(Recorded {
            position,
            recorded_at: Timestamp(1_000_000 + position.get() as i64),
            effective_at: Timestamp(at),
            source,
            previous: previous.unwrap_or_default(),
            flags: Flags::default(),
            authority,
            reported: Reported {
                sequence: Sequence(sequence),
                machine: MachineNumber(machine),
                occurred_at: Timestamp(at),
                observed_at: None,
                historical: false,
                body,
            },
            corrected,
        });
        position
    }

    /// Records one of the writer's own events.
    pub(crate) fn own(&mut self, body: Body<'static>) -> Position {
        self.record(SourceNumber(0), (0, 0, 0, 0), body, Vec::new())
    }

    pub(crate) fn open(&mut self, name: Name) -> SourceNumber {
        if let Some(number) = self.sources.get(&name) {
            return *number;
        }
        let number = SourceNumber(self.sources.len() as u32 + 1);
        self.sources.insert(name, number);
        self.own(Body::SourceOpened(SourceOpened {
            number,
            name: name.0.into(),
            epoch: Epoch(name.1),
            source_kind: SourceKind::Live,
            tolerance_ns: 600_000_000_000,
        }));
        number
    }

    pub(crate) fn report(&mut self, said: Said) -> Position {
        let number = self.open(said.source);
        let figures = (said.machine, said.sequence, said.at, said.authority);
        let position = self.record(number, figures, said.body.clone(), Vec::new());
        self.originals.push(Original {
            position,
            body: said.body.clone(),
            at: Some(said.at),
            said,
        });
        position
    }

    pub(crate) fn correct(&mut self, fix: Fix) -> Position {
        let corrected: Vec<_> = fix
            .targets
            .iter()
            .map(|t| self.corrected(&fix, *t))
            .collect();
        for (target, corrected) in fix.targets.iter().zip(&corrected) {
            let original = self.original_mut(*target);
            original.body = corrected.body.clone();
            original.at = match fix.action {
                CorrectionAction::Retract => None,
                CorrectionAction::Retime => fix.new_time,
                _ => Some(original.said.at),
            };
        }
        let machine = self.original_mut(fix.targets[0]).said.machine;
        let number = self.open(("office", 1));
        let body = Body::CorrectionRecorded(Correction {
            action: fix.action,
            targets: fix.targets,
            replacement: fix.replacement.map(Box::new),
            new_time: fix.new_time.map(Timestamp),
            ..Correction::default()
        });
        let sequence = self.events.len() as u64;
        self.record(number, (machine, sequence, 1_000, 0), body, corrected)
    }

    pub(crate) fn original_mut(&mut self, position: Position) -> &mut Original {
        let mut all = self.originals.iter_mut();
        all.find(|original| original.position == position).unwrap()
    }

    /// What the correction must carry about a target: the least of it, as the contract says.
    fn corrected(&self, fix: &Fix, target: Position) -> Corrected<'static> {
        let mut all = self.originals.iter();
        let original = all.find(|original| original.position == target).unwrap();
        let body = fix
            .replacement
            .clone()
            .unwrap_or_else(|| original.body.clone());
        let stays = fix.action == CorrectionAction::Replace
            && original.at == Some(original.said.at)
            && aspects(&body) == aspects(&original.body);
        let restored = match original.at {
            Some(at) if !stays => self.restored(fix, original, at),
            _ => Vec::new(),
        };
        Corrected {
            target,
            effective_at: Timestamp(original.said.at),
            source: self.sources[&original.said.source],
            sequence: Sequence(original.said.sequence),
            authority: original.said.authority,
            body,
            restored,
        }
    }

    fn restored(&self, fix: &Fix, target: &Original, at: i64) -> Vec<Restored<'static>> {
        let place = order(at, &target.said);
        let mut entries: BTreeMap<Position, Restored<'static>> = BTreeMap::new();
        for aspect in aspects(&target.body) {
            let before = self
                .holding(&aspect, target.said.machine, target.said.authority)
                .filter(|(other, at)| {
                    order(*at, &other.said) < place && !fix.targets.contains(&other.position)
                })
                .max_by_key(|(other, at)| order(*at, &other.said));
            if let Some((other, at)) = before {
                let restored = Restored {
                    position: other.position,
                    effective_at: Timestamp(at),
                    source: self.sources[&other.said.source],
                    sequence: Sequence(other.said.sequence),
                    authority: other.said.authority,
                    body: other.body.clone(),
                    machine: MachineNumber(other.said.machine),
                };
                entries.insert(other.position, restored);
            }
        }
        entries.into_values().collect()
    }

    /// The events that hold and set an aspect of a machine at a rank, with their times.
    pub(crate) fn holding(
        &self,
        aspect: &AspectName,
        machine: u32,
        authority: u32,
    ) -> impl Iterator<Item = (&Original, i64)> {
        self.originals.iter().filter_map(move |original| {
            let meant = (aspect.0.of_plant() || original.said.machine == machine)
                && original.said.authority == authority
                && aspects(&original.body).contains(aspect);
            original.at.filter(|_| meant).map(|at| (original, at))
        })
    }

    /// The twin of everything recorded, live or of the past.
    pub(crate) fn twin(&self, at: Option<i64>) -> Twin {
        let mut twin = Twin::scoped(plant(), at.map(Timestamp));
        for event in &self.events {
            twin.apply(event).unwrap();
        }
        twin
    }
}
