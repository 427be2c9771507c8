//! What machines of the same type did in other plants, where this plant has seen too little of a type.

use super::evidence::Fork;
use super::span::{Machines, Span};
use crate::asked::Asked;
use crate::context::Context;
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::Status;
use werkbuch_model::event::State;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::instant::{Instant, Known};
use werkbuch_sim::whatif::{OtherRecord, Spent};
use werkbuch_twin::Twin;

/// A type of which so much has been seen in the plant needs no others.
const ENOUGH: usize = 10;
/// Other plants are asked until there is enough, but no more than so many.
const PLANTS_MAX: usize = 8;

/// Machines of other plants, of the types that have failed less than ten times here, as they were known when the
/// fork was. A plant that cannot answer is left out, and so is one that had not begun then.
pub(super) async fn others(
    context: &Arc<Context>,
    fork: &Fork,
    own: &Machines,
) -> Vec<OtherRecord> {
    let Ok(types) = types_of(context, &fork.span()).await else {
        return Vec::new();
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (number, machine_type) in &types {
        let stops = own.get(number).map_or(0, |one| stops(&one.intervals));
        *seen.entry(machine_type.clone()).or_default() += stops;
    }
    seen.retain(|machine_type, stops| *stops < ENOUGH && !machine_type.is_empty());
    let mut found = Vec::new();
    let mut answered = 0;
    let plants = context.engine.plants().into_iter();
    for plant in plants.filter(|one| one.id() != fork.plant.id()) {
        if seen.is_empty() || answered == PLANTS_MAX {
            break;
        }
        let span = Span {
            asked: Asked {
                instant: Instant {
                    known: Known::Recorded(fork.answered.reflected.recorded_at),
                    at: Some(fork.at()),
                },
                as_of: Some(fork.at()),
                known_recorded_at: None,
                zone: String::new(),
            },
            from: fork.from(),
            to: fork.at(),
            plant,
        };
        let wanted: Vec<String> = seen.keys().cloned().collect();
        let is_wanted = move |one: &str| wanted.iter().any(|wanted| wanted == one);
        let (machines, of) = match (
            span.intervals(context, is_wanted).await,
            types_of(context, &span).await,
        ) {
            (Ok(machines), Ok(of)) => (machines, of),
            (Err(status), _) | (_, Err(status)) => {
                let plant = span.plant.id();
                tracing::info!(%plant, cause = status.message(), "a fork does without a plant");
                continue;
            }
        };
        answered += 1;
        for (number, mut record) in machines {
            let Some(sort) = of.get(&number) else {
                continue;
            };
            if let Some(left) = seen.get_mut(sort) {
                *left += stops(&record.intervals);
            }
            (record.cycles, record.parts) = (Vec::new(), [0; 3]);
            found.push(OtherRecord {
                plant: span.plant.id().to_string(),
                sort: sort.clone(),
                record,
            });
        }
        seen.retain(|_, stops| *stops < ENOUGH);
    }
    found
}

/// The types of a plant's machines, as they were described.
async fn types_of(
    context: &Context,
    span: &Span,
) -> Result<BTreeMap<MachineNumber, String>, Status> {
    let look = |twin: &Twin| {
        let machines = twin.description().machines();
        machines
            .map(|one| (one.number, one.machine_type.clone()))
            .collect()
    };
    let (types, _) = context.ask(&span.plant, &span.asked, look).await?;
    Ok(types)
}

/// How often a machine stood for a failure.
fn stops(intervals: &[Spent]) -> usize {
    let faulted = intervals.iter().filter(|one| one.state == State::Faulted);
    faulted.count()
}
