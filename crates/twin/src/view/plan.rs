//! Plans: of each the greatest version that is complete.

use super::ValueView;
use crate::Twin;
use std::collections::BTreeMap;
use werkbuch_model::event::{AspectKind, Body, PlanEntry, PlanKind, PlanPublished};
use werkbuch_model::time::Timestamp;

/// A plan as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanView<'t> {
    /// Its name.
    pub plan: &'t str,
    /// What it is about.
    pub kind: PlanKind,
    /// The greatest version of which all chunks are there.
    pub version: u32,
    /// The greatest version of which anything is there.
    pub announced: u32,
    /// When the last chunk of the version took effect.
    pub since: Timestamp,
    /// When the time that it is about begins.
    pub from: Option<Timestamp>,
    /// When the time that it is about ends.
    pub to: Option<Timestamp>,
    /// What is planned, over all chunks in their order.
    pub entries: Vec<PlanEntry<'t>>,
}

/// The chunks of one version by their numbers.
type Chunks<'t> = BTreeMap<u32, (PlanPublished<'t>, Timestamp)>;

impl Twin {
    /// The plans of which a version is complete, in the order of their names.
    #[must_use]
    pub fn plans(&self) -> Vec<PlanView<'_>> {
        let mut versions: BTreeMap<&str, BTreeMap<u32, Chunks<'_>>> = BTreeMap::new();
        for value in self.plant_values(AspectKind::Plan) {
            let ValueView { item, since, .. } = value;
            if let Body::PlanPublished(said) = value.body {
                let chunks = versions.entry(item).or_default();
                let chunks = chunks.entry(said.version).or_default();
                chunks.insert(said.chunk, (said, since));
            }
        }
        versions
            .into_iter()
            .filter_map(|(plan, versions)| greatest_complete(plan, versions))
            .collect()
    }
}

fn greatest_complete<'t>(
    plan: &'t str,
    versions: BTreeMap<u32, Chunks<'t>>,
) -> Option<PlanView<'t>> {
    let announced = *versions.keys().next_back()?;
    let complete = |chunks: &Chunks<'t>| {
        let count = chunks.values().next().map_or(0, |(said, _)| said.chunks);
        chunks.keys().copied().eq(1..=count)
            && chunks.values().all(|(said, _)| said.chunks == count)
    };
    let found = versions
        .into_iter()
        .rev()
        .find(|(_, chunks)| complete(chunks));
    let (version, chunks) = found?;
    let (first, _) = chunks.values().next()?;
    Some(PlanView {
        plan,
        kind: first.plan_kind,
        version,
        announced,
        since: chunks.values().map(|(_, since)| *since).max()?,
        from: chunks.values().filter_map(|(said, _)| said.from).min(),
        to: chunks.values().filter_map(|(said, _)| said.to).max(),
        entries: chunks
            .into_values()
            .flat_map(|(said, _)| said.entries)
            .collect(),
    })
}
