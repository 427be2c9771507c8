//! Which plants of a watch have come from the past to the present.

use std::collections::BTreeMap;
use werkbuch_wire::pb;

/// The plants of a watch, and whether each is live.
#[derive(Debug, Default)]
pub(super) struct Live {
    plants: BTreeMap<String, bool>,
    /// Whether the plants have been named, as each heartbeat does.
    named: bool,
}

impl Live {
    /// Takes what a message tells.
    pub(super) fn take(&mut self, message: &pb::WatchMachinesResponse) {
        if message.heartbeat {
            self.named = true;
            for at in &message.plants {
                self.plants.entry(at.plant.clone()).or_default();
            }
        }
        for at in &message.caught_up {
            self.plants.insert(at.plant.clone(), true);
        }
    }

    /// Whether all plants are live, those too that were still being folded when the watch began.
    pub(super) fn is_all(&self) -> bool {
        self.named && self.plants.values().all(|live| *live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(heartbeat: &[&str], caught_up: &[&str]) -> pb::WatchMachinesResponse {
        pb::WatchMachinesResponse {
            heartbeat: !heartbeat.is_empty(),
            plants: heartbeat
                .iter()
                .map(|plant| pb::WatchedPlant {
                    plant: (*plant).to_owned(),
                    ..pb::WatchedPlant::default()
                })
                .collect(),
            caught_up: caught_up
                .iter()
                .map(|plant| pb::WatchCaughtUp {
                    plant: (*plant).to_owned(),
                    position: 7,
                })
                .collect(),
            ..pb::WatchMachinesResponse::default()
        }
    }

    #[test]
    fn all_are_live_when_each_plant_that_was_named_is() {
        let mut live = Live::default();
        live.take(&message(&[], &["A"]));
        assert!(!live.is_all(), "others may be named yet");
        live.take(&message(&["A", "B"], &[]));
        assert!(!live.is_all());
        live.take(&message(&[], &["B"]));
        assert!(live.is_all());
        live.take(&message(&["A", "B", "C"], &[]));
        assert!(!live.is_all(), "one was created");
        let mut none = Live::default();
        none.take(&pb::WatchMachinesResponse {
            heartbeat: true,
            ..pb::WatchMachinesResponse::default()
        });
        assert!(none.is_all(), "of no plants nothing is to come");
    }
}
