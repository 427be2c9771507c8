//! What an answer reflects, and of how much of a plant it can speak.

use super::Asked;
use werkbuch_engine::Reflected;
use werkbuch_model::event::SourceKind;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::{Source, Twin};
use werkbuch_wire::pb;

/// The most sources that an answer tells the age of.
const SOURCES_MAX: usize = 32;

/// What an answer reflects, and of how much it can speak.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) reflected: Reflected,
    pub(crate) as_of: Timestamp,
    pub(crate) known_recorded_at: Option<Timestamp>,
    pub(crate) zone: String,
    pub(crate) honesty: Option<Honesty>,
}

/// How much of a plant has been heard of.
#[derive(Clone, Debug)]
pub(crate) struct Honesty {
    pub(crate) machines_heard: u32,
    pub(crate) machines: u32,
    pub(crate) sources: Vec<pb::SourceHeard>,
    pub(crate) sources_total: u32,
}

impl Asked {
    /// The time that ages count from in an answer of this twin.
    pub(crate) fn as_of_in(&self, twin: &Twin) -> Timestamp {
        let recorded = || twin.last_recorded_at().unwrap_or_default();
        self.as_of.unwrap_or_else(recorded)
    }

    /// The time zone by which local times were read, by its name.
    pub(crate) fn shown_zone(&self) -> String {
        match self.zone.as_str() {
            "" => "UTC".to_owned(),
            zone => zone.to_owned(),
        }
    }

    /// What an answer of this twin reflects.
    pub(crate) fn answered(&self, twin: &Twin) -> Answered {
        let as_of = self.as_of_in(twin);
        let zone = match self.zone.as_str() {
            "" => twin.description().plant().time_zone.as_str(),
            zone => zone,
        };
        Answered {
            reflected: Reflected {
                position: twin.position(),
                recorded_at: twin.last_recorded_at().unwrap_or_default(),
                at: self.instant.at,
                late: None,
            },
            as_of,
            known_recorded_at: self.known_recorded_at,
            zone: zone.to_owned(),
            honesty: Some(Honesty::of(twin, as_of)),
        }
    }
}

impl Honesty {
    fn of(twin: &Twin, as_of: Timestamp) -> Self {
        let mut machines = 0_u32;
        let mut heard = 0_u32;
        for machine in twin.description().machines() {
            machines = machines.saturating_add(1);
            heard = heard.saturating_add(u32::from(twin.is_heard(machine.number)));
        }
        let mut sources: Vec<&Source> = twin.sources().iter().collect();
        sources.sort_by(|a, b| {
            let key = |one: &Source| (one.kind == SourceKind::Live, one.last_effective_at);
            key(b)
                .cmp(&key(a))
                .then_with(|| (&a.name, a.epoch).cmp(&(&b.name, b.epoch)))
        });
        Self {
            machines_heard: heard,
            machines,
            sources_total: u32::try_from(sources.len()).unwrap_or(u32::MAX),
            sources: sources
                .into_iter()
                .take(SOURCES_MAX)
                .map(|source| heard_of(source, as_of))
                .collect(),
        }
    }
}

/// When a source was last heard.
fn heard_of(source: &Source, as_of: Timestamp) -> pb::SourceHeard {
    let last = source.last_effective_at;
    pb::SourceHeard {
        source: format!("{}#{}", source.name, source.epoch),
        last_effective_at: last.map(Timestamp::nanos),
        age_ns: last.map(|last| as_of.since(last).max(0)),
        live: source.kind == SourceKind::Live,
    }
}
