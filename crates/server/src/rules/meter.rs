//! What is counted of the rules that are followed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use werkbuch_model::id::{PlantId, Position};

/// What is counted for each plant with rules, since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct RuleMeter(Mutex<BTreeMap<PlantId, Arc<PlantMeter>>>);

/// What is counted for a plant.
#[derive(Debug, Default)]
pub(crate) struct PlantMeter {
    looks: AtomicU64,
    position: AtomicU64,
}

impl PlantMeter {
    /// Notes that a machine was looked at, by so many rules.
    pub(super) fn look(&self, rules: usize) {
        self.looks.fetch_add(rules as u64, Ordering::Relaxed);
    }

    /// Notes how far the log has been looked at.
    pub(super) fn reach(&self, position: Position) {
        self.position.store(position.get(), Ordering::Relaxed);
    }
}

impl RuleMeter {
    /// What is counted for a plant.
    pub(super) fn of(&self, plant: &PlantId) -> Arc<PlantMeter> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(plant.clone()).or_default())
    }

    /// How often rules were looked at for a machine and how far the log has been, for each plant that had
    /// rules since the start.
    pub(crate) fn all(&self) -> BTreeMap<PlantId, (u64, Position)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |meter: &PlantMeter| {
            let position = meter.position.load(Ordering::Relaxed);
            (meter.looks.load(Ordering::Relaxed), Position(position))
        };
        all.iter()
            .map(|(plant, meter)| (plant.clone(), of(meter)))
            .collect()
    }
}
