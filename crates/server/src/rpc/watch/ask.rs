//! What a request to watch asks for, checked.

use crate::page::Question;
use crate::rpc::twin::filter;
use std::collections::BTreeSet;
use std::time::Duration;
use tonic::Status;
use werkbuch_model::filter::Filter;
use werkbuch_model::id::PlantId;
use werkbuch_wire::name;
use werkbuch_wire::pb::{WatchMachinesRequest, WatchView};
use werkbuch_wire::reason::Reason;

/// The shortest time between heartbeats.
const HEARTBEAT_MS_MIN: u32 = 100;
/// The longest time between heartbeats or samples: an hour.
const MS_MAX: u32 = 3_600_000;

/// What a stream tells, and how.
#[derive(Debug)]
pub(super) struct Asked {
    /// The plants; none for all, also those to come.
    pub(super) plants: Option<BTreeSet<PlantId>>,
    pub(super) filter: Filter,
    /// Machines in full.
    pub(super) full: bool,
    /// Begin with the machines as they are.
    pub(super) present: bool,
    pub(super) heartbeat: Duration,
    /// At most one change for each machine in this time.
    pub(super) sample: Option<Duration>,
    /// What a resume token belongs to.
    pub(super) question: [u8; 8],
}

impl Asked {
    /// Checks what can be checked without looking at plants.
    /// Errors: `INVALID_REQUEST`, `INVALID_NAME`, `UNKNOWN_TENANT`, `INVALID_FILTER`.
    pub(super) fn of(request: &WatchMachinesRequest, heartbeat: Duration) -> Result<Self, Status> {
        let plants = plants(&request.parents)?;
        let names = plants.iter().flatten().map(PlantId::as_str);
        let names = names.collect::<Vec<_>>().join(",");
        let question = Question::new("WatchMachines", &[&names, request.filter.trim()]);
        let full = match WatchView::try_from(request.view) {
            Ok(WatchView::Unspecified | WatchView::Brief) => false,
            Ok(WatchView::Full) => true,
            Err(_) => return Err(invalid("view", "it is none of WatchView's")),
        };
        let heartbeat = match request.heartbeat_ms {
            0 => heartbeat,
            ms if (HEARTBEAT_MS_MIN..=MS_MAX).contains(&ms) => Duration::from_millis(ms.into()),
            _ => return Err(invalid("heartbeat_ms", "it is 0, or from 100 to 3600000")),
        };
        if request.sample_ms > MS_MAX {
            return Err(invalid("sample_ms", "it is at most 3600000"));
        }
        if !request.resume_token.is_empty() && !request.starts.is_empty() {
            let what = "a resume token says where every plant begins";
            return Err(invalid("starts", what));
        }
        Ok(Self {
            plants,
            filter: filter(&request.filter)?,
            full,
            present: request.present,
            heartbeat,
            sample: (request.sample_ms > 0)
                .then(|| Duration::from_millis(request.sample_ms.into())),
            question: question.bytes(),
        })
    }

    /// Whether a plant is watched.
    pub(super) fn takes(&self, plant: &PlantId) -> bool {
        self.plants
            .as_ref()
            .is_none_or(|plants| plants.contains(plant))
    }
}

/// A field of the request has a value that it cannot have.
pub(super) fn invalid(field: &str, what: &str) -> Status {
    let text = format!("{field}: {what}");
    Reason::InvalidRequest.violations(text, [(field.to_owned(), what.to_owned())])
}

fn plants(parents: &[String]) -> Result<Option<BTreeSet<PlantId>>, Status> {
    if parents.is_empty() {
        let what = "name at least one plant, or tenants/default/plants/- for all";
        return Err(invalid("parents", what));
    }
    parents
        .iter()
        .map(|name| name::plant_or_all(name))
        .collect()
}
